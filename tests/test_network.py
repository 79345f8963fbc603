"""layers, loss, mlp, optim: gradients by central differences, at random parameters (at a zero start most would be 0)."""

import inspect
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import DTYPES, assert_gradient, seeds

from minidiff import layers, optim
from minidiff.mlp import MLP
from minidiff.objective import l_simple, loss_and_grads


def example(name, rng):
    """Inputs of each layer that has a backward."""
    return {
        "linear": (rng.standard_normal((4, 3)), rng.standard_normal((3, 5)), rng.standard_normal(5)),
        "silu": (3 * rng.standard_normal((4, 3)),),
        "add": (rng.standard_normal((4, 3)), rng.standard_normal((4, 3))),
    }[name]


PAIRS = [name for name, f in inspect.getmembers(layers, inspect.isfunction) if hasattr(layers, f"{name}_backward")]


def test_every_backward_is_on_the_list():
    assert PAIRS == ["add", "linear", "silu"]
    assert len([n for n in dir(layers) if n.endswith("_backward")]) == len(PAIRS)


@pytest.mark.parametrize("name", PAIRS)
@given(seed=seeds)
def test_gradients_of_layers(name, seed):
    rng = np.random.default_rng(seed)
    f, f_backward, inputs = getattr(layers, name), getattr(layers, f"{name}_backward"), example(name, rng)
    y, cache = f(*inputs)
    dy = rng.standard_normal(y.shape)
    grads = f_backward(dy, cache)
    for x, dx in zip(inputs, grads if isinstance(grads, tuple) else (grads,)):
        assert_gradient(dx, lambda: float(np.sum(f(*inputs)[0] * dy)), x)


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_layers_keep_the_dtype(name, dtype):
    inputs = [x.astype(dtype) for x in example(name, np.random.default_rng(0))]
    y, cache = getattr(layers, name)(*inputs)
    grads = getattr(layers, f"{name}_backward")(y, cache)
    for a in (y, *(grads if isinstance(grads, tuple) else (grads,))):
        assert a.dtype == dtype


def test_silu_far_away_is_the_corner():
    y, cache = layers.silu(np.array([-1e4, -20.0, 0.0, 20.0, 1e4]))
    want = np.array([0, -20 * math.exp(-20) / (1 + math.exp(-20)), 0, 20 / (1 + math.exp(-20)), 1e4])
    # NumPy's exp may be off by 4 eps and math's by 1; on each side at most three roundings follow
    assert np.all(np.abs(y - want) <= 8 * np.finfo(float).eps * np.abs(want))
    assert layers.silu_backward(np.ones(5), cache)[2] == 0.5


@pytest.mark.parametrize("dtype", DTYPES)
def test_silu_at_infinity(dtype):
    """Its limits: 0 far below, x far above; what is not a number stays so."""
    y, _ = layers.silu(np.array([-np.inf, np.inf, np.nan], dtype))
    assert y[0] == 0 and y[1] == np.inf and np.isnan(y[2]) and y.dtype == dtype
    below = layers.silu(np.array([-np.inf, np.finfo(dtype).min, -1e30], dtype))[1]
    assert np.array_equal(layers.silu_backward(np.ones(3, dtype), below), np.zeros(3, dtype))


def test_time_embedding():
    emb = layers.time_embedding(np.array([0, 1, 7]), 6)
    for row, t in zip(emb, (0, 1, 7)):
        w = [1, 10000 ** (-1 / 3), 10000 ** (-2 / 3)]
        assert np.allclose(row, [math.sin(t * u) for u in w] + [math.cos(t * u) for u in w], rtol=1e-12)
    # a sine in the middle of a vector and one at an array's end may round otherwise, each off by 4 eps at most
    assert np.abs(layers.time_embedding(7, 6) - emb[2]).max() <= 8 * np.finfo(float).eps
    assert layers.time_embedding(7, 6, np.float32).dtype == np.float32
    all_times = layers.time_embedding(np.arange(1001), 32)
    distance = np.linalg.norm(all_times[:, None] - all_times[None], axis=-1) + 10 * np.eye(1001)
    assert distance.min() > 0.1  # no two times look alike
    for wrong in (0, 5, -2):
        with pytest.raises(ValueError, match="even"):
            layers.time_embedding(1, wrong)


def random_params(model, rng, dtype=np.float64):
    return {k: (0.5 * rng.standard_normal(s)).astype(dtype) for k, s in model.shapes.items()}


@given(seeds, st.integers(1, 3), st.integers(0, 3))
def test_gradient_of_the_whole_network_by_every_parameter(seed, d, depth):
    model, rng = MLP(d, 5, depth, 4), np.random.default_rng(seed)
    params = random_params(model, rng)
    x_t, eps, t = rng.standard_normal((3, d)), rng.standard_normal((3, d)), rng.integers(1, 11, 3)
    _, grads = loss_and_grads(model, params, x_t, t, eps)
    assert list(grads) == list(params)

    def loss():
        return float(np.sum((model.forward(params, x_t, t)[0] - eps) ** 2)) / 3  # not l_simple: that is under test

    for name in params:
        assert_gradient(grads[name], loss, params[name])


def test_forward_is_the_formula_of_the_docstring():
    model, rng = MLP(2, 4, 2, 4), np.random.default_rng(0)
    p, x, t = random_params(model, rng), rng.standard_normal((3, 2)), np.array([1, 5, 9])

    def act(u):
        return u / (1 + np.exp(-u))

    h = act(np.hstack([x, layers.time_embedding(t, 4)]) @ p["W_in"] + p["b_in"])
    for i in range(2):
        h = h + act(h @ p[f"W_{i}"] + p[f"b_{i}"])
    assert np.allclose(model.forward(p, x, t)[0], h @ p["W_out"] + p["b_out"], rtol=1e-13)


def test_the_network_sees_the_time():
    model = MLP(2)
    params, x = random_params(model, np.random.default_rng(0)), np.ones((2, 2))
    answers = model.forward(params, x, np.array([3, 4]))[0]
    assert np.abs(answers[0] - answers[1]).max() > 1e-3
    assert np.allclose(model.forward(params, x, 3)[0], answers[0])


@pytest.mark.parametrize("dtype", DTYPES)
def test_init(dtype):
    """Answers 0 at first; hidden layers keep the size of what passes: std 1 / sqrt(n_in) within 5 standard errors of a std."""
    model = MLP(64, 200, 2)
    params = model.init(np.random.default_rng(0), dtype)
    assert {k: w.shape for k, w in params.items()} == model.shapes
    assert all(w.dtype == dtype for w in params.values())
    assert not model.forward(params, np.ones((2, 64), dtype), 3)[0].any()
    for name, n_in in (("W_in", 96), ("W_0", 200), ("W_1", 200)):
        W = params[name]
        assert abs(W.std() * math.sqrt(n_in) - 1) < 5 / math.sqrt(2 * W.size)
        assert not params[name.replace("W", "b")].any()


@pytest.mark.parametrize(
    ("sizes", "words"),
    [((0,), "d must"), ((2, 0), "width must"), ((2, 8, -1), "depth must"), ((2, 8, 1, 3), "even"), ((2, 8.0), "width must"),
     ((2, 8, 1, 0), "time_dim")],
)  # fmt: skip
def test_bad_sizes_are_named(sizes, words):
    with pytest.raises(ValueError, match=words):
        MLP(*sizes)


def test_l_simple():
    loss, deps_hat = l_simple(np.array([[0.1, -0.4]]), np.array([[0.4, -0.2]]))
    assert abs(loss - 0.13) < 1e-15 and np.allclose(deps_hat, [[-0.6, -0.4]])
    rng = np.random.default_rng(0)
    eps_hat, eps = rng.standard_normal((2, 4, 3))
    loss, deps_hat = l_simple(eps_hat, eps)
    assert abs(loss - np.mean([np.dot(e, e) for e in eps_hat - eps])) < 1e-12  # a mean over rows, a sum over coordinates
    assert_gradient(deps_hat, lambda: np.mean([np.dot(e, e) for e in eps_hat - eps]), eps_hat)
    assert l_simple(eps_hat.astype(np.float32), eps.astype(np.float32))[1].dtype == np.float32


def test_update_refuses_a_gradient_that_is_not_finite():
    params, ema, m, v = ({"a": np.ones(2)} for _ in range(4))
    with pytest.raises(FloatingPointError, match="gradient is not finite at step 7"):
        optim.update(params, ema, m, v, {"a": np.array([1.0, np.inf])}, 7, lr=0.1)
    assert np.array_equal(params["a"], np.ones(2)) and np.array_equal(m["a"], np.ones(2))


def test_l_simple_refuses_shapes_that_would_broadcast():
    with pytest.raises(ValueError, match="one shape"):
        l_simple(np.ones((3, 2)), np.ones((3, 1)))


def test_adam_by_hand():
    """Two steps with exact numbers: the first is lr sign(dw), whatever the size of dw (that is the bias correction)."""
    w, m, v = optim.adam(np.array([1.0, 1.0]), np.array([1e-3, -50.0]), np.zeros(2), np.zeros(2), 1, 0.1)
    # |dw| / (|dw| + 1e-8) = 1 - 1e-5 for the small one
    assert np.allclose(w, [0.9, 1.1], atol=1.1e-6)
    w, m, v = optim.adam(w, np.array([3e-3, -50.0]), m, v, 2, 0.1)
    m_hat = (0.9 * 0.1 * 1e-3 + 0.1 * 3e-3) / (1 - 0.81)
    v_hat = (0.999 * 0.001 * 1e-6 + 0.001 * 9e-6) / (1 - 0.999**2)
    assert np.allclose(w[0], 0.9 - 0.1 * m_hat / (math.sqrt(v_hat) + 1e-8), atol=1.1e-6)
    assert np.allclose(w[1], 1.2, atol=1e-6)


def test_adam_finds_a_minimum():
    w, m, v = np.array([3.0, -2.0]), np.zeros(2), np.zeros(2)
    for n in range(1, 2001):
        w, m, v = optim.adam(w, 2 * (w - [1.0, 0.5]), m, v, n, 0.02)
    assert np.abs(w - [1.0, 0.5]).max() < 1e-3


def test_clip_scales_all_by_one_factor():
    grads = {"a": np.array([3.0]), "b": np.array([[4.0]])}
    norm = optim.norm_of(grads)
    assert norm == pytest.approx(5, rel=1e-12) and optim.clip(norm, 1.0) == pytest.approx(0.2, rel=1e-12)
    assert optim.clip(norm, 5.0) == 1.0 and optim.clip(norm, 6.0) == 1.0 and optim.clip(0.0, 1.0) == 1.0


def test_ema():
    assert np.allclose(optim.ema_update(np.array([1.0]), np.array([3.0]), 0.75), [1.5])
    assert optim.ema_decay(1, 0.999) == 2 / 11 and optim.ema_decay(10**6, 0.999) == 0.999


@pytest.mark.parametrize("dtype", DTYPES)
def test_update_is_clip_adam_ema(dtype):
    rng = np.random.default_rng(0)
    shapes = {"W": (3, 4), "b": (4,)}
    params, ema, m, grads = ({k: rng.standard_normal(s).astype(dtype) for k, s in shapes.items()} for _ in range(4))
    v = {k: rng.standard_normal(s).astype(dtype) ** 2 for k, s in shapes.items()}
    scale, decay, expected = optim.clip(optim.norm_of(grads), 0.7), optim.ema_decay(3, 0.9), {}
    assert scale < 1
    for k in shapes:
        expected[k] = optim.adam(params[k], scale * grads[k], m[k], v[k], 3, 0.01)
        expected[k] += (optim.ema_update(ema[k], expected[k][0], decay),)
    optim.update(params, ema, m, v, grads, 3, lr=0.01, max_norm=0.7, decay=0.9)
    for k in shapes:
        for got, want in zip((params[k], m[k], v[k], ema[k]), expected[k]):
            assert got.dtype == dtype
            assert np.abs(got - want).max() <= 20 * np.finfo(dtype).eps * (1 + np.abs(want).max())
