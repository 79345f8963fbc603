"""Every kernel beside the function that defines it.

CI runs this file compiled, interpreted and with bounds checked.
"""

import ast
import inspect
import os
import subprocess
import sys

import numba
import numpy as np
import pytest
from support import DTYPES, Given, coarse

from minidiff import layers, optim
from minidiff.ddpm import sample
from minidiff.exact import Mixture
from minidiff.fast import kernels
from minidiff.fast import mlp as engine
from minidiff.fast.sampling import _mixture_chain, coefficients
from minidiff.fast.winograd import Tiles, abreast, apart
from minidiff.gaussian import q_sample, q_step
from minidiff.mlp import MLP
from minidiff.objective import loss_and_grads
from minidiff.philox import normals
from minidiff.pictures import layers as images
from minidiff.sampling import ddpm_step

S = coarse()


def noise_chain(rng, dtype):
    x_0, eps = rng.standard_normal((5, 3)).astype(dtype), rng.standard_normal((6, 5, 3)).astype(dtype)
    x, path = x_0, [x_0]
    for t in range(1, 7):
        x = q_step(S, x, t, eps[t - 1])
        path.append(x)
    return kernels.noise_chain(x_0, S.beta, np.array([0, 2, 6]), eps), np.stack([path[0], path[2], path[6]])


def chain(engine_chain, denoiser, rng, dtype, rows):
    """A whole reverse loop, and the same by ddpm.sample on the same noise."""
    times, step = np.array([6, 5, 2, 1, 0]), ddpm_step()
    c, _ = coefficients(step, S, times[:-1], times[1:])
    x_T, z = rng.standard_normal((rows, 2)).astype(dtype), rng.standard_normal((3, rows, 2)).astype(dtype)
    steps = engine_chain(denoiser, times, c, x_T)
    return steps(x_T, z, slice(0, 4)), list(sample(step, denoiser, S, x_T, times, Given(*z)))[-1]


def mlp(rng, dtype):
    model = MLP(2, 13, 2, 4)  # 13 columns and 17 inputs: not a multiple of any tile
    p = {k: (0.3 * rng.standard_normal(s)).astype(dtype) for k, s in model.shapes.items()}
    return model, layers.in_one_vector(p, model.shapes)


def mlp_chain(rng, dtype, rows=51):
    model, params = mlp(rng, dtype)
    return chain(engine.chain, model.eps_theta(params), rng, dtype, rows)


def mlp_chain_of_few_rows(rng, dtype):
    return mlp_chain(rng, dtype, 3)


def mixture_chain(rng, dtype):
    m = Mixture([0.3, 0.7], [[1.0, 0], [-1, 2]], [0.1 * np.eye(2), [[0.3, 0.1], [0.1, 0.2]]])
    return chain(_mixture_chain, m.eps_theta(S), rng, dtype, 7)


def adam(rng, dtype):
    w, dw, m, ema = rng.standard_normal((4, 15)).astype(dtype)
    v = rng.standard_normal(15).astype(dtype) ** 2
    new = optim.adam(w, 0.4 * dw, m, v, 4, 0.01)
    twin = np.stack([*new, optim.ema_update(ema, new[0], 0.9)])
    kernels.adam(w, dw, m, v, ema, 0.4, 4, 0.01, 0.9, 0.999, 1e-8, 0.9)
    return np.stack([w, m, v, ema]), twin


def turn(rng, dtype):
    W, turned = rng.standard_normal((5, 3)).astype(dtype), np.full((4, 7), 9, dtype)
    kernels.turn(W, turned)
    assert np.all(turned[3:] == 9) and np.all(turned[:, 5:] == 9)
    return turned[:3, :5].copy(), W.T.copy()


def mlp_gradients(rng, dtype):
    """fast.mlp.Gradients on two blocks of rows, of which one goes in two pieces, against loss_and_grads."""
    model, params = mlp(rng, dtype)
    x_t, eps = rng.standard_normal((2, 138, 2)).astype(dtype)
    t = rng.integers(1, 7, 138)
    got = engine.Gradients(model, 138, 6, dtype)(params, x_t, t, eps)
    answers = got, loss_and_grads(model, params, x_t, t, eps)
    return [np.concatenate([[loss], grads]).astype(dtype) for loss, grads in answers]


def normals32(rng, dtype):
    """Three draws of a block in the middle of a row of blocks, whose length is no multiple of anything."""
    key = rng.integers(0, 2**32, 2, dtype=np.uint64)
    z = np.empty((3, 1039), np.float32)
    kernels.normals32(*key, 5, 1028, z)
    return z, np.stack([normals(key, 5 + k, 1028, 1039, np.float32) for k in range(3)])


def noise_jump(rng, dtype):
    x_0, eps = rng.standard_normal((2, 9, 3)).astype(dtype)
    t = rng.integers(0, 7, 9)
    signal, add = np.sqrt(S.alpha_bar).astype(dtype), np.sqrt(1 - S.alpha_bar).astype(dtype)
    return kernels.noise_jump(x_0, t, signal, add, eps), q_sample(S, x_0, t, eps)


L = 2  # pictures abreast


def pictures(rng, dtype, n):
    """n times four pictures of odd size, and scale, shift as columns of something wider."""
    mod = rng.standard_normal((4, 19)).astype(dtype)
    return [*rng.standard_normal((n, 4, 5, 5, 6)).astype(dtype), mod[:, 1:7], mod[:, 9:15]]


def framed(x):
    frame = np.zeros((len(x), 8, 8, x.shape[3]), x.dtype)
    frame[:, 1:6, 1:6] = x
    return frame


def flat(*arrays):
    return np.concatenate([a.ravel() for a in arrays])


def act(rng, dtype):
    h, scale, shift = pictures(rng, dtype, 1)
    y, (mean, rstd) = np.zeros((2, 8, 8, 12), dtype), np.empty((2, 2, 12), dtype)
    kernels.act(abreast(3 * h, L), scale, shift, L * 2, mean, rstd, y)
    twin = layers.silu(images.film(images.group_norm(3 * h, 2)[0], scale, shift)[0])[0]
    return y, framed(abreast(twin, L))


def act_backward(rng, dtype):
    h, dy, dh, scale, shift = pictures(rng, dtype, 3)
    y, (mean, rstd) = np.zeros((2, 8, 8, 12), dtype), np.empty((2, 2, 12), dtype)
    dscale, dshift = np.empty((2, 4, 6), dtype)
    kernels.act(abreast(h, L), scale, shift, L * 2, mean, rstd, y)
    normed, norm_cache = images.group_norm(h, 2)
    u, film_cache = images.film(normed, scale, shift)
    du, *dfilm = images.film_backward(layers.silu_backward(dy, layers.silu(u)[1]), film_cache)
    got = abreast(dh, L)
    kernels.act_backward(
        abreast(h, L), scale, shift, L * 2, mean, rstd, framed(abreast(dy, L)), got, dscale, dshift
    )
    return flat(apart(got, L), dscale, dshift), flat(dh + images.group_norm_backward(du, norm_cache), *dfilm)


def gated_add(rng, dtype):
    h, y, gate, _ = pictures(rng, dtype, 2)
    got = abreast(h, L)
    kernels.gated_add(got, abreast(y, L), gate)
    return apart(got, L), h + images.gated(y, gate)[0]


def gated_backward(rng, dtype):
    dh, y, gate, dgate = pictures(rng, dtype, 2)
    dy = np.empty((2, 5, 5, 12), dtype)
    kernels.gated_backward(abreast(dh, L), abreast(y, L), gate, dy, dgate)
    return flat(apart(dy, L), dgate), flat(*images.gated_backward(dh, images.gated(y, gate)[1]))


def tiles(rng, dtype):
    """A convolution of pictures that whole tiles do not cover, one row of tiles at a time, and its arrays."""
    made, (x, dy) = {}, rng.standard_normal((2, 4, 6, 6, 5)).astype(dtype)
    W, b = rng.standard_normal((3, 3, 5, 3)).astype(dtype), rng.standard_normal(3).astype(dtype)
    conv = Tiles(lambda *key: made.setdefault(key, np.zeros(key[1:], dtype)), "W", 4, L, 6, 5, 3)
    conv.M, conv.dV = conv.M[:, : 2 * L].copy(), conv.dV[:, : 2 * L].copy()
    conv.frame[:, 1:7, 1:7] = abreast(x, L)
    return conv, x, dy[..., :3], W, b


def conv(rng, dtype):
    conv, x, _, W, b = tiles(rng, dtype)
    return apart(conv.forward(conv.weights(W, 6), b), L), images.conv(x, W, b)[0]


def conv_backward(rng, dtype):
    conv, x, dy, W, b = tiles(rng, dtype)
    U, dW, db = conv.weights(W, 6), np.empty_like(W), np.empty_like(b)
    conv.forward(U, b)
    conv.backward(abreast(dy, L), np.ascontiguousarray(np.swapaxes(U, -1, -2)), dW, db)
    dx = apart(conv.dframe, L)[:, 1:7, 1:7]
    return flat(dx, dW, db), flat(*images.conv_backward(dy, images.conv(x, W, b)[1]))


PAIRS = [
    conv, conv_backward, act, act_backward, gated_add, gated_backward, normals32, noise_jump, noise_chain,
    turn, mlp_gradients, mlp_chain, mixture_chain, adam,
]  # fmt: skip
MORE = [mlp_chain_of_few_rows]
# In a Winograd tile the terms, without signs, add up to 16 times those of the direct sum (test_winograd.py).
LOST = {conv: 16**2, conv_backward: 16**2}


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("pair", PAIRS + MORE)
def test_kernel_and_twin_agree(pair, dtype, seed):
    got, want = pair(np.random.default_rng(seed), dtype)
    dtype = np.float32 if pair is normals32 else dtype
    assert got.dtype == want.dtype == dtype and got.shape == want.shape
    # sums of at most 70 products of numbers of size max|want|, in any order, in at most 4 layers or steps
    bound = 4 * 70 * np.finfo(dtype).eps * np.abs(want).max() * LOST.get(pair, 1)
    assert np.abs(got - want).max() <= bound


def test_every_kernel_is_in_a_pair():
    tree = ast.parse(inspect.getsource(kernels))
    names = {
        f.name
        for f in tree.body
        if isinstance(f, ast.FunctionDef) and any(getattr(d, "id", "") == "kernel" for d in f.decorator_list)
    }
    public = {n for n in names if not n.startswith("_")}
    assert public == {p.__name__ for p in PAIRS}
    assert all("Twin: " in getattr(kernels, n).__doc__ for n in public)


@numba.njit(**kernels.OPTIONS)
def product(x, W, y, add):
    kernels._product(x[:, :], W[:, :], y[:, :], add)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "shape",
    [(1, 200, 3), (3, 130, 9), (8, 32, 16), (19, 55, 7), (33, 49, 17), (32, 1, 4),
     (4, 67, 0), (9, 300, 5), (19, 55, 600)],
)  # fmt: skip
@pytest.mark.parametrize("add", [False, True])
def test_products_of_every_shape(shape, dtype, add):
    """Rows, columns and terms that no tile divides; x turned, and all of them parts of something larger."""
    (n, m, K), rng = shape, np.random.default_rng(0)
    x, W, y = (rng.standard_normal(s).astype(dtype) for s in ((K, n + 2), (K, m + 3), (n, m + 1)))
    y[:, m] = 7
    want = add * y[:, :m].astype(float) + x[:, 1 : n + 1].T.astype(float) @ W[:, 2 : m + 2].astype(float)
    terms = abs(y[:, :m].astype(float)) + abs(x[:, 1 : n + 1].T.astype(float)) @ abs(
        W[:, 2 : m + 2].astype(float)
    )
    if not add:
        y[:, :m] = np.nan  # what stood there does not matter
    product(x[:, 1 : n + 1].T, W[:, 2 : m + 2], y[:, :m], add)
    # K products and K sums, in any order: each term goes through K + 1 roundings at most
    assert np.all(np.abs(y[:, :m] - want) <= (K + 1) * np.finfo(dtype).eps * terms) and np.all(y[:, m] == 7)


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_product_of_rows_whose_numbers_are_apart(dtype):
    """A tile reads a row's numbers side by side; where they are apart, in W or y, loops give its bits."""
    wide = [np.arange(n * m, dtype=dtype).reshape(n, m) for n, m in ((9, 7), (5, 72), (9, 72))]
    x, apart, whole = wide[0][:, 1:6], slice(1, 71, 2), slice(1, 36)
    for columns in ((apart, whole), (whole, apart), (apart, apart)):
        for add in (False, True):
            W, y = (a.copy()[:, part] for a, part in zip(wide[1:], columns))
            want = x @ W + add * y
            product(x, W, y, add)
            assert np.array_equal(y, want)  # whole numbers below 2^24


USE = """
import builtins, types, numpy as np, numba, minidiff.objective
from numba import core
from numba.core import cgutils
numba.njit(lambda x: x[1:, :] * 2)(np.ones((3, 3)))  # Numba has loaded and keeps what it needs itself
{}
from minidiff.fast import kernels
assert kernels.guarded(lambda: kernels._tiles(numba.float64), "loops") == "loops"
"""
# the internals are gone, or without what is asked of them, or do something else
GONE = """
real = builtins.__import__
def find(name, where=None, *rest):
    if where and where["__name__"] == "minidiff.fast.kernels" and name.split(".")[0] in ("numba", "llvmlite"):
        assert name in ("numba", "numba.extending"), "not here"
    return real(name, where, *rest)
builtins.__import__ = find
"""
LESS = "core.cgutils = types.SimpleNamespace()"
OTHER = """
core.cgutils = types.SimpleNamespace(**vars(cgutils))
core.cgutils.for_range = lambda builder, count: cgutils.for_range(builder, count.type(1))
"""
GRADIENTS = """
from minidiff.fast.mlp import Gradients
from minidiff.mlp import MLP
rng, model = np.random.default_rng(0), MLP(2, 70, 1, 4)
(x, target), t = rng.standard_normal((2, 9, 2)), rng.integers(0, 7, 9)
params = rng.standard_normal(len(model.init(rng))) / 8
loss, grads = minidiff.objective.loss_and_grads(model, params, x, t, target)
assert np.allclose(Gradients(model, 9, 6, float)(params, x, t, target)[1], grads, rtol=0, atol=1e-12)
"""


@pytest.mark.skipif(os.environ.get("NUMBA_DISABLE_JIT") == "1", reason="interpreted")
@pytest.mark.parametrize("real", [numba.float32, numba.float64])
def test_here_tiles_multiply(real):
    """Loops would give the same numbers, several times later."""
    assert kernels._tiles(real) is kernels._tiles(real)


@pytest.mark.skipif(os.environ.get("NUMBA_DISABLE_JIT") == "1", reason="interpreted")
@pytest.mark.parametrize("code", [USE.format(GONE) + GRADIENTS, USE.format(LESS), USE.format(OTHER)])
def test_where_the_internals_have_changed_loops_multiply(code, tmp_path):
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert run.returncode == 0, run.stderr


@numba.njit(**kernels.OPTIONS)
def silu(u):
    h, slope = np.zeros_like(u), u.copy()
    kernels._add_silu(u, h, *u.shape)
    h_again = np.zeros_like(u)
    kernels._add_silu_and_slope(slope, h_again, h_again, *u.shape)
    return h, h_again, slope


def test_sigmoid_is_accurate_and_never_overflows():
    x = np.linspace(-87, 87, 4001).astype(np.float32)
    h, h_again, slope = silu(x.reshape(1, -1))
    sigmoid = 1 / (1 + np.exp(-x.astype(np.float64)))
    # exp's argument is x - n log 2: off by a rounding of log 2 and one of n log 2, together |x| eps, on
    # processors that do not fuse a product with a sum. exp's polynomial is off by 0.9 eps and 1.5 of
    # roundings, 1 / (1 + e) and the product by 2.
    bound = (np.abs(x) + 5) * np.finfo(np.float32).eps
    for got in (h[0], h_again[0]):
        assert np.all(np.abs(got - x * sigmoid) <= bound * np.abs(x * sigmoid))
    # sigmoid (1 + x (1 - sigmoid)): both terms carry the sigmoid's error
    terms = sigmoid * (1 + np.abs(x) * (1 - sigmoid))
    assert np.all(
        np.abs(slope[0] - sigmoid * (1 + x * (1 - sigmoid))) <= 3 * (bound + bound[::-1]) * terms + 1e-30
    )
    if (
        os.environ.get("NUMBA_DISABLE_JIT") != "1"
    ):  # interpreted, NumPy warns of the overflow that is meant to happen
        h = silu(np.array([[-1e4, -200, 200, 1e4]], np.float32))[0]
        assert np.isfinite(h).all() and h[0, 3] == 1e4 and abs(h[0, 0]) < 1e-30


def test_nan_is_not_optimised_away():
    h = silu(np.array([[np.nan, 1]], np.float32))[0]
    assert np.isnan(h[0, 0]) and not np.isnan(h[0, 1])


@pytest.mark.skipif(os.environ.get("NUMBA_DISABLE_JIT") == "1", reason="interpreted")
def test_the_first_compilation_is_announced_once(tmp_path):
    code = "import numpy as np; from minidiff.fast import kernels as k; x = np.zeros((2, 2)); k.turn(x, x); "
    code += "k.noise_chain(x, np.zeros(2), np.array([1]), x[None])"
    for expected in (1, 0):  # a cold cache, then a warm one
        run = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            env=os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)},
        )
        assert run.returncode == 0 and run.stderr.count("compiling kernels once") == expected


@pytest.mark.skipif(os.environ.get("NUMBA_DISABLE_JIT") == "1", reason="interpreted")
def test_importing_compiles_nothing():
    code = (
        "from minidiff.fast import kernels as k; from minidiff import cli, fast; assert not k.adam.signatures"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
