"""Each layer's gradient by central differences, what layers do far away, and many tensors in one vector."""

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
    }[name]


PAIRS = [
    name for name, f in inspect.getmembers(layers, inspect.isfunction) if hasattr(layers, f"{name}_backward")
]


def test_every_backward_is_on_the_list():
    assert PAIRS == ["linear", "silu"]
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
    # a sine in the middle of a vector and one at an array's end may round otherwise, each off by 4 eps
    assert np.abs(layers.time_embedding(7, 6) - emb[2]).max() <= 8 * np.finfo(float).eps
    assert layers.time_embedding(7, 6, np.float32).dtype == np.float32
    all_times = layers.time_embedding(np.arange(1001), 32)
    distance = np.linalg.norm(all_times[:, None] - all_times[None], axis=-1) + 10 * np.eye(1001)
    assert distance.min() > 0.1  # no two times look alike
    for wrong in (0, 5, -2):
        with pytest.raises(ValueError, match="even"):
            layers.time_embedding(1, wrong)


SHAPES = {"W": (2, 3), "scale": (), "b": (3,), "nothing": (0, 4), "K": (2, 1, 2)}


@pytest.mark.parametrize("dtype", DTYPES)
def test_views_lie_side_by_side_in_their_order(dtype):
    vector = np.arange(14, dtype=dtype)
    p = layers.views(vector, SHAPES)
    assert list(p) == list(SHAPES) and {name: w.shape for name, w in p.items()} == SHAPES
    assert p["W"].tolist() == [[0, 1, 2], [3, 4, 5]] and p["scale"] == 6 and p["b"].tolist() == [7, 8, 9]
    assert p["K"].tolist() == [[[10, 11]], [[12, 13]]] and all(w.dtype == dtype for w in p.values())


def test_what_is_written_into_a_view_is_written_into_the_vector_and_back():
    vector = np.zeros(14)
    p = layers.views(vector, SHAPES)
    p["W"][1, 2], p["b"][:], p["K"][1, 0, 0] = 5.0, [7.0, 8.0, 9.0], 12.0
    assert vector.tolist() == [0, 0, 0, 0, 0, 5, 0, 7, 8, 9, 0, 0, 12, 0]
    vector += 1
    assert p["scale"] == 1 and p["W"][1, 2] == 6 and p["b"].tolist() == [8, 9, 10]


@pytest.mark.parametrize("dtype", DTYPES)
def test_in_one_vector_and_views_round_trip(dtype):
    """In the order of the shapes, whatever the order of the tensors; the vector is a copy."""
    rng = np.random.default_rng(0)
    tensors = {name: rng.standard_normal(s).astype(dtype) for name, s in reversed(SHAPES.items())}
    tensors = {name: np.asarray(w, dtype) for name, w in tensors.items()}
    vector = layers.in_one_vector(tensors, SHAPES)
    assert vector.shape == (14,) and vector.dtype == dtype
    for name, w in layers.views(vector, SHAPES).items():
        assert np.array_equal(w, tensors[name])
    again = layers.in_one_vector(layers.views(vector, SHAPES), SHAPES)
    assert np.array_equal(again, vector) and not np.shares_memory(again, vector)


def test_a_tensor_that_is_not_contiguous_keeps_its_order():
    W = np.arange(6.0).reshape(3, 2).T
    assert layers.in_one_vector({"W": W}, {"W": (2, 3)}).tolist() == [0, 2, 4, 1, 3, 5]
