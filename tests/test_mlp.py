"""The MLP against its docstring's formula, and its gradients by central differences, at random parameters.

At the initial ones most gradients are 0.
"""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import DTYPES, assert_gradient, seeds

from minidiff import layers
from minidiff.mlp import MLP, Network
from minidiff.objective import loss_and_grads


def random_params(model, rng, dtype=np.float64):
    p = {k: (0.5 * rng.standard_normal(s)).astype(dtype) for k, s in model.shapes.items()}
    return layers.in_one_vector(p, model.shapes)


@given(seeds, st.integers(1, 3), st.integers(0, 3))
def test_gradient_of_the_whole_network_by_every_parameter(seed, d, depth):
    model, rng = MLP(d, 5, depth, 4), np.random.default_rng(seed)
    params = random_params(model, rng)
    x_t, eps, t = rng.standard_normal((3, d)), rng.standard_normal((3, d)), rng.integers(1, 11, 3)
    _, grads = loss_and_grads(model, params, x_t, t, eps)
    assert grads.shape == params.shape

    def loss():  # not l_simple: that is under test
        return float(np.sum((model.forward(params, x_t, t)[0] - eps) ** 2)) / 3

    g, p = layers.views(grads, model.shapes), layers.views(params, model.shapes)
    for name in model.shapes:
        assert_gradient(g[name], loss, p[name])


def test_forward_is_the_formula_of_the_docstring():
    model, rng = MLP(2, 4, 2, 4), np.random.default_rng(0)
    params, x, t = random_params(model, rng), rng.standard_normal((3, 2)), np.array([1, 5, 9])
    p = layers.views(params, model.shapes)

    def act(u):
        return u / (1 + np.exp(-u))

    h = act(np.hstack([x, layers.time_embedding(t, 4)]) @ p["W_in"] + p["b_in"])
    for i in range(2):
        h = h + act(h @ p[f"W_{i}"] + p[f"b_{i}"])
    assert np.allclose(model.forward(params, x, t)[0], h @ p["W_out"] + p["b_out"], rtol=1e-13)


def test_the_network_sees_the_time():
    model = MLP(2)
    params, x = random_params(model, np.random.default_rng(0)), np.ones((2, 2))
    answers = model.forward(params, x, np.array([3, 4]))[0]
    assert np.abs(answers[0] - answers[1]).max() > 1e-3
    assert np.allclose(model.forward(params, x, 3)[0], answers[0])


@pytest.mark.parametrize("dtype", DTYPES)
def test_init(dtype):
    """Answers 0 at first; hidden layers keep the size of what passes.

    Their std is 1 / sqrt(n_in), within 5 standard errors of a std.
    """
    model = MLP(64, 200, 2)
    params = model.init(np.random.default_rng(0), dtype)
    assert params.ndim == 1 and params.dtype == dtype
    assert params.size == sum(math.prod(shape) for shape in model.shapes.values())
    p = layers.views(params, model.shapes)
    assert not model.forward(params, np.ones((2, 64), dtype), 3)[0].any()
    for name, n_in in (("W_in", 96), ("W_0", 200), ("W_1", 200)):
        W = p[name]
        assert abs(W.std() * math.sqrt(n_in) - 1) < 5 / math.sqrt(2 * W.size)
        assert not p[name.replace("W", "b")].any()


@pytest.mark.parametrize("dtype", DTYPES)
def test_forward_and_backward_keep_the_dtype(dtype):
    model, rng = MLP(2, 8, 2, 4), np.random.default_rng(0)
    params, x = random_params(model, rng, dtype), rng.standard_normal((3, 2)).astype(dtype)
    for t in (3, np.array([1, 5, 9]), np.array([0.5, 2.5, 7.0])):
        eps_hat, cache = model.forward(params, x, t)
        grads = model.backward(eps_hat, cache)
        assert eps_hat.dtype == grads.dtype == dtype and grads.shape == params.shape


def test_eps_theta_is_forward_with_what_it_is_told():
    model, rng = MLP(2, 8, 1, 4), np.random.default_rng(0)
    params, x = random_params(model, rng), rng.standard_normal((3, 2))
    eps_theta = model.eps_theta(params)
    assert np.array_equal(eps_theta(x, 7), model.forward(params, x, 7)[0])
    assert eps_theta.model is model and eps_theta.params is params and eps_theta.told == ()

    class Told:
        def forward(self, params, x_t, t, label, scale):
            return scale * (params + label), None

    assert Network(Told(), 1.0, (2.0, 10.0))(x, 7) == 30.0


def test_an_odd_time_dim_is_named():
    with pytest.raises(ValueError, match="dim must be an even number of at least 2, got 3"):
        model = MLP(2, 8, 1, 3)
        model.forward(model.init(np.random.default_rng(0)), np.ones((1, 2)), 1)
