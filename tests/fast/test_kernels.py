"""Every kernel beside the function that defines it. CI runs this file compiled, interpreted and with bounds checked."""

import ast
import inspect
import os
import subprocess
import sys

import numpy as np
import pytest
from support import A_T, B_T, DTYPES, Given, coarse

from minidiff import layers, optim, sample
from minidiff.evaluation.metrics import distances as distances_by_rows
from minidiff.exact import Mixture
from minidiff.fast import kernels
from minidiff.fast import mlp as engine
from minidiff.fast.mlp import Gradients
from minidiff.fast.noise import normals
from minidiff.fast.sampling import _mixture_chain, coefficients
from minidiff.fast.winograd import abreast, apart
from minidiff.gaussian import q_sample, q_step
from minidiff.mlp import MLP, MLPDenoiser
from minidiff.objective import loss_and_grads
from minidiff.pictures import layers as images

S = coarse()


def noise_chain(rng, dtype):
    x_0, eps = rng.standard_normal((5, 3)).astype(dtype), rng.standard_normal((6, 5, 3)).astype(dtype)
    x, path = x_0, [x_0]
    for t in range(1, 7):
        x = q_step(S, x, t, eps[t - 1])
        path.append(x)
    return kernels.noise_chain(x_0, S.beta, np.array([0, 2, 6]), eps), np.stack([path[0], path[2], path[6]])


def bias_silu(rng, dtype):
    u, b = 4 * rng.standard_normal((5, 7)).astype(dtype), rng.standard_normal(7).astype(dtype)
    v, h = u.copy(), np.empty_like(u)
    kernels.bias_silu(v, b, h)
    return np.stack([v, h]), np.stack([u + b, layers.silu(u + b)[0]])


def bias_silu_add(rng, dtype):
    u, b = 4 * rng.standard_normal((5, 7)).astype(dtype), rng.standard_normal(7).astype(dtype)
    h = rng.standard_normal((5, 7)).astype(dtype)
    v, g = u.copy(), h.copy()
    kernels.bias_silu_add(v, b, g)
    return np.stack([v, g]), np.stack([u + b, layers.add(h, layers.silu(u + b)[0])[0]])


def silu_backward(rng, dtype):
    u, dh = 4 * rng.standard_normal((2, 5, 7)).astype(dtype)
    du, db = np.empty_like(u), np.full(7, 9, dtype)
    kernels.silu_backward(u, dh, du, db)
    twin = layers.silu_backward(dh, layers.silu(u)[1])
    return np.vstack([du, db]), np.vstack([twin, twin.sum(axis=0)])


def affine_step(rng, dtype):
    x, eps_hat, z = rng.standard_normal((3, 4, 2)).astype(dtype)
    c = np.array(coefficients(sample.ddpm(), S, 4, 2), dtype)[:, 0]
    y, b_out = x.copy(), rng.standard_normal(2).astype(dtype)
    assert kernels.affine_step(y, eps_hat - b_out, b_out, *c, z[None], 0) == 1
    still = y.copy()
    assert kernels.affine_step(still, eps_hat, b_out, *np.array([1, 0, 0], dtype), z[None][:0], 1) == 1
    assert np.array_equal(still, y)

    return y, sample.ddpm()(lambda x_t, t: eps_hat, S, x, 4, 2, Given(z))


def chain(engine_chain, denoiser, rng, dtype, rows):
    """A whole reverse loop, and the same by sample.sample on the same noise."""
    times, step = np.array([6, 5, 2, 1, 0]), sample.ddpm()
    c = coefficients(step, S, times[:-1], times[1:])
    x_T, z = rng.standard_normal((rows, 2)).astype(dtype), rng.standard_normal((3, rows, 2)).astype(dtype)
    return engine_chain(denoiser, x_T, times[:-1], *c, z), list(sample.sample(step, denoiser, S, x_T, times, Given(*z)))[-1]


def mlp(rng, dtype):
    model = MLP(2, 13, 2, 4)  # 13 columns and 17 inputs: not a multiple of any tile
    return model, {k: (0.3 * rng.standard_normal(s)).astype(dtype) for k, s in model.shapes.items()}


def mlp_chain(rng, dtype):
    return chain(engine.chain, MLPDenoiser(*mlp(rng, dtype)), rng, dtype, 7)


def mlp_chain_of_many_rows(rng, dtype):
    return chain(engine.chain, MLPDenoiser(*mlp(rng, dtype)), rng, dtype, 50)


def mixture_chain(rng, dtype):
    m = Mixture([0.3, 0.7], [[1.0, 0], [-1, 2]], [0.1 * np.eye(2), [[0.3, 0.1], [0.1, 0.2]]])
    return chain(_mixture_chain, m.eps_theta(S), rng, dtype, 7)


def adam(rng, dtype):
    w, dw, m, ema = rng.standard_normal((4, 3, 5)).astype(dtype)
    v = rng.standard_normal((3, 5)).astype(dtype) ** 2
    new = optim.adam(w, 0.4 * dw, m, v, 4, 0.01)
    twin = np.stack([*new, optim.ema_update(ema, new[0], 0.9)])
    kernels.adam(w, dw, m, v, ema, 0.4, 4, 0.01, 0.9, 0.999, 1e-8, 0.9)
    return np.stack([w, m, v, ema]), twin


def distances(rng, dtype):
    x, y = rng.standard_normal((5, 3)).astype(dtype), rng.standard_normal((4, 3)).astype(dtype)
    return kernels.distances(x, y), distances_by_rows(x, y)


def whole_gradient(rng, dtype):
    """fast.mlp.Gradients on two blocks of rows, against loss_and_grads."""
    model, params = mlp(rng, dtype)
    x_t, eps = rng.standard_normal((2, 70, 2)).astype(dtype)
    t = rng.integers(1, 7, 70)
    answers = [Gradients(model, 70, 6, dtype)(model, params, x_t, t, eps), loss_and_grads(model, params, x_t, t, eps)]
    return [np.concatenate([[loss], *(g[k].ravel() for k in params)]).astype(dtype) for loss, g in answers]


def look_up(kernel, rng, dtype):
    """Three draws of a block in the middle of a row of blocks, whose length is no multiple of anything."""
    key = rng.integers(0, 2**32, 2, dtype=np.uint64)
    z = np.empty((3, 1039), dtype)
    kernel(*key, 5, 1028, z)
    return z, np.stack([normals(key, 5 + k, 1028, 1039, dtype) for k in range(3)])


def normals32(rng, dtype):
    return look_up(kernels.normals32, rng, np.float32)


def normals64(rng, dtype):
    return look_up(kernels.normals64, rng, np.float64)


def noise_jump(rng, dtype):
    x_0, eps = rng.standard_normal((2, 9, 3)).astype(dtype)
    t = rng.integers(0, 7, 9)
    signal, add = np.sqrt(S.alpha_bar).astype(dtype), np.sqrt(1 - S.alpha_bar).astype(dtype)
    return kernels.noise_jump(x_0, t, signal, add, eps), q_sample(S, x_0, t, eps)


# Winograd's matrices for tiles of 4 x 4 (Lavin & Gray 2015, F(4 x 4, 3 x 3)), as the paper prints them
def of_tiles(matrix, x):
    """matrix x matrix^T of x (tiles, i, j, channels), as (36 or 16, tiles, channels)."""
    return np.einsum("ui,vj,nijk->uvnk", matrix, matrix, x).reshape(len(matrix) ** 2, len(x), -1).astype(x.dtype)


def patches_of(frame):
    """(tiles, 6, 6, channels): every fourth of the 6 x 6 patches that lie in the frame."""
    B, rows, columns = len(frame), range(0, frame.shape[1] - 2, 4), range(0, frame.shape[2] - 2, 4)
    return np.stack([frame[b, i : i + 6, j : j + 6] for b in range(B) for i in rows for j in columns])


def tiles_in(rng, dtype):
    """More room in V than tiles; wider than high, here and below."""
    frame, V = rng.standard_normal((2, 6, 10, 5)).astype(dtype), np.empty((36, 5, 5), dtype)
    kernels.tiles_in(frame, V)
    return V[:, :4].copy(), of_tiles(B_T, patches_of(frame))


def tiles_in_backward(rng, dtype):
    """<dV, V(x)> = <dx, x> for every x: here each unit vector's."""
    dV, dframe = rng.standard_normal((36, 4, 1)).astype(dtype), np.full((2, 6, 10, 1), 9, dtype)
    kernels.tiles_in_backward(dV, dframe)
    want = np.zeros_like(dframe)
    for b, i, j, k in np.ndindex(want.shape):
        unit = np.zeros(want.shape)
        unit[b, i, j, k] = 1
        want[b, i, j, k] = np.vdot(of_tiles(B_T, patches_of(unit)), dV)
    return dframe, want


def tiles_out(rng, dtype):
    M, y = rng.standard_normal((36, 5, 3)).astype(dtype), np.empty((2, 4, 8, 3), dtype)
    kernels.tiles_out(M, y)
    tiles = of_tiles(A_T, M[:, :4].transpose(1, 0, 2).reshape(4, 6, 6, 3)).reshape(4, 4, 2, 1, 2, 3)  # u, v, b, i, j, k
    return y, tiles.transpose(2, 3, 0, 4, 1, 5).reshape(y.shape)


def tiles_out_backward(rng, dtype):
    """<dy, y(M)> = <dM, M>: the matrix A on both sides."""
    dy, dM = rng.standard_normal((2, 4, 8, 3)).astype(dtype), np.empty((36, 5, 3), dtype)
    kernels.tiles_out_backward(dy, dM)
    squares = dy.reshape(2, 1, 4, 2, 4, 3).transpose(0, 1, 3, 2, 4, 5).reshape(4, 4, 4, 3)
    return dM[:, :4].copy(), of_tiles(A_T.T, squares)


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
    y, (mean, rstd), (dscale, dshift) = np.zeros((2, 8, 8, 12), dtype), np.empty((2, 2, 12), dtype), np.empty((2, 4, 6), dtype)
    kernels.act(abreast(h, L), scale, shift, L * 2, mean, rstd, y)
    normed, norm_cache = images.group_norm(h, 2)
    u, film_cache = images.film(normed, scale, shift)
    du, *dfilm = images.film_backward(layers.silu_backward(dy, layers.silu(u)[1]), film_cache)
    got = abreast(dh, L)
    kernels.act_backward(abreast(h, L), scale, shift, L * 2, mean, rstd, framed(abreast(dy, L)), got, dscale, dshift)
    return flat(apart(got, L), dscale, dshift), flat(dh + images.group_norm_backward(du, norm_cache), *dfilm)


def gated_add(rng, dtype):
    h, y, gate, _ = pictures(rng, dtype, 2)
    got = abreast(h, L)
    kernels.gated_add(got, abreast(y, L), gate)
    return apart(got, L), layers.add(h, images.gated(y, gate)[0])[0]


def gated_backward(rng, dtype):
    dh, y, gate, dgate = pictures(rng, dtype, 2)
    dy = np.empty((2, 5, 5, 12), dtype)
    kernels.gated_backward(abreast(dh, L), abreast(y, L), gate, dy, dgate)
    return flat(apart(dy, L), dgate), flat(*images.gated_backward(dh, images.gated(y, gate)[1]))


PAIRS = [
    tiles_in,
    tiles_in_backward,
    tiles_out,
    tiles_out_backward,
    act,
    act_backward,
    gated_add,
    gated_backward,
    normals32,
    normals64,
    noise_jump,
    noise_chain,
    bias_silu,
    bias_silu_add,
    silu_backward,
    affine_step,
    mlp_chain,
    mixture_chain,
    adam,
    distances,
]
PAIRS += [mlp_chain_of_many_rows, whole_gradient]


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("pair", PAIRS)
def test_kernel_and_twin_agree(pair, dtype, seed):
    got, want = pair(np.random.default_rng(seed), dtype)
    dtype = {"normals32": np.float32, "normals64": np.float64}.get(pair.__name__, dtype)
    assert got.dtype == want.dtype == dtype and got.shape == want.shape
    # sums of at most 70 products of numbers of size max|want|, in any order, through at most 4 layers or steps
    bound = 4 * 70 * np.finfo(dtype).eps * np.abs(want).max()
    assert np.abs(got - want).max() <= bound


def test_every_kernel_is_in_a_pair():
    tree = ast.parse(inspect.getsource(kernels))
    names = {
        f.name
        for f in tree.body
        if isinstance(f, ast.FunctionDef) and any(getattr(d, "id", "") == "kernel" for d in f.decorator_list)
    }
    public = {n for n in names if not n.startswith("_")}
    assert public == {p.__name__ for p in PAIRS} - {"mlp_chain_of_many_rows", "whole_gradient"}
    assert all("Twin: " in getattr(kernels, n).__doc__ for n in public)


def test_sigmoid_is_accurate_and_never_overflows():
    x = np.linspace(-87, 87, 4001).astype(np.float32)
    u, h = x.reshape(1, -1).copy(), np.empty((1, x.size), np.float32)
    kernels.bias_silu(u, np.zeros(x.size, np.float32), h)
    exact = x / (1 + np.exp(-x.astype(np.float64)))
    # exp's argument is x - n log 2: off by a rounding of log 2 and one of n log 2, together |x| eps, on processors that do not
    # fuse a product with a sum. exp's polynomial is off by 0.9 eps and 1.5 of roundings, 1 / (1 + e) and the product by 2.
    bound = (np.abs(x) + 5) * np.finfo(np.float32).eps
    assert np.all(np.abs(h[0] - exact) <= bound * np.abs(exact))
    if os.environ.get("NUMBA_DISABLE_JIT") != "1":  # interpreted, NumPy warns of the overflow that is meant to happen
        far = np.array([[-1e4, -200, 200, 1e4]], np.float32)
        h = np.empty_like(far)
        kernels.bias_silu(far, np.zeros(4, np.float32), h)
        assert np.isfinite(h).all() and h[0, 3] == 1e4 and abs(h[0, 0]) < 1e-30


def test_nan_is_not_optimised_away():
    h = np.empty((1, 2), np.float32)
    kernels.bias_silu(np.array([[np.nan, 1]], np.float32), np.zeros(2, np.float32), h)
    assert np.isnan(h[0, 0]) and not np.isnan(h[0, 1])


@pytest.mark.skipif(os.environ.get("NUMBA_DISABLE_JIT") == "1", reason="interpreted")
def test_the_first_compilation_is_announced_once(tmp_path):
    code = "import numpy as np; from minidiff.fast import kernels as k; x = np.zeros((2, 2)); k.distances(x, x); "
    code += "k.noise_chain(x, np.zeros(2), np.array([1]), x[None])"
    for expected in (1, 0):  # a cold cache, then a warm one
        run = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, env=os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
        )
        assert run.returncode == 0 and run.stderr.count("compiling kernels once") == expected


@pytest.mark.skipif(os.environ.get("NUMBA_DISABLE_JIT") == "1", reason="interpreted")
def test_importing_compiles_nothing():
    code = "from minidiff.fast import kernels as k; from minidiff import cli, fast; assert not k.adam.signatures"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
