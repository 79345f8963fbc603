"""Each layer's gradient by central differences, and what the layers do far away."""

import inspect
import math

import numpy as np
import pytest
from hypothesis import given
from support import DTYPES, assert_gradient, seeds

from minidiff import layers


def example(name, rng):
    """Inputs of each layer that has a backward."""
    return {
        "linear": (rng.standard_normal((4, 3)), rng.standard_normal((3, 5)), rng.standard_normal(5)),
        "silu": (3 * rng.standard_normal((4, 3)),),
        "add": (rng.standard_normal((4, 3)), rng.standard_normal((4, 3))),
    }[name]


PAIRS = [
    name for name, f in inspect.getmembers(layers, inspect.isfunction) if hasattr(layers, f"{name}_backward")
]


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
