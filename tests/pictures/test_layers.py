"""layers of pictures: gradients by central differences, and each layer beside its loops in plain Python."""

import inspect

import numpy as np
import pytest
from hypothesis import given, settings
from support import DTYPES, assert_gradient, seeds

from minidiff.pictures import layers as images


def example(name, rng):
    """Arrays for each layer that has a backward, and its other arguments."""
    x, y = rng.standard_normal((2, 2, 4, 4, 4))
    per_channel = rng.standard_normal((2, 2, 4))
    return {
        "conv": ([x, rng.standard_normal((3, 3, 4, 5)), rng.standard_normal(5)], ()),
        "pool": ([x], ()),
        "join": ([x[:, :2, :2], y[..., :3]], ()),
        "group_norm": ([3 * x + 1], (2,)),
        "film": ([x, *per_channel], ()),
        "gated": ([x, per_channel[0]], ()),
        "attention": (list(rng.standard_normal((3, 2, 5, 4))), ()),
    }[name]


PAIRS = [
    name for name, f in inspect.getmembers(images, inspect.isfunction) if hasattr(images, f"{name}_backward")
]


def both(name, inputs, rest):
    """(y, dy -> the gradients by each input)."""
    y, cache = getattr(images, name)(*inputs, *rest)

    def backward(dy):
        grads = getattr(images, f"{name}_backward")(dy, cache)
        return grads if isinstance(grads, tuple) else (grads,)

    return y, backward


def test_every_backward_has_an_example():
    assert len([n for n in dir(images) if n.endswith("_backward")]) == len(PAIRS) == 7
    for name in PAIRS:
        example(name, np.random.default_rng(0))


def check_gradients(name, inputs, rest, rng):
    y, backward = both(name, inputs, rest)
    dy = rng.standard_normal(y.shape)
    grads = backward(dy)
    assert len(grads) == len(inputs)
    for x, dx in zip(inputs, grads):
        assert_gradient(dx, lambda: float(np.sum(both(name, inputs, rest)[0] * dy)), x)


@pytest.mark.parametrize("name", PAIRS)
@settings(max_examples=5)
@given(seed=seeds)
def test_gradients_of_layers(name, seed):
    rng = np.random.default_rng(seed)
    check_gradients(name, *example(name, rng), rng)


@pytest.mark.parametrize("k", [1, 3, 5])
@pytest.mark.parametrize("size", [(4, 4), (5, 3)])
def test_gradients_of_conv(k, size):
    rng = np.random.default_rng(0)
    x, W, b = rng.standard_normal((2, *size, 2)), rng.standard_normal((k, k, 2, 3)), rng.standard_normal(3)
    check_gradients("conv", [x, W, b], (), rng)


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_layers_keep_the_dtype(name, dtype):
    inputs, rest = example(name, np.random.default_rng(0))
    y, backward = both(name, [x.astype(dtype) for x in inputs], rest)
    for a in (y, *backward(y)):
        assert a.dtype == dtype


@pytest.mark.parametrize("k", [1, 3, 5])
def test_conv_is_its_sum(k):
    """Pixel by pixel; 1e-12 is far above the rounding of 101 numbers of size 1."""
    rng = np.random.default_rng(0)
    x, W, b = rng.standard_normal((2, 5, 6, 4)), rng.standard_normal((k, k, 4, 3)), rng.standard_normal(3)
    y, _ = images.conv(x, W, b)
    assert y.shape == (2, 5, 6, 3)
    for n, i, j in np.ndindex(y.shape[:3]):
        want = b.copy()
        for u, v in np.ndindex(k, k):
            row, column = i + u - k // 2, j + v - k // 2
            if 0 <= row < 5 and 0 <= column < 6:
                want += x[n, row, column] @ W[u, v]
        assert np.abs(y[n, i, j] - want).max() <= 1e-12


def test_pool_and_join():
    x = np.arange(16.0).reshape(1, 4, 4, 1)
    assert np.array_equal(images.pool(x)[0][0, ..., 0], [[2.5, 4.5], [10.5, 12.5]])
    y, _ = images.join(x[:, :2, :2], x)
    assert np.array_equal(y[0, ..., 0], [[0, 0, 1, 1], [0, 0, 1, 1], [4, 4, 5, 5], [4, 4, 5, 5]])
    assert np.array_equal(y[..., 1:], x)


def test_group_norm_takes_mean_and_size_of_each_group_away():
    x = np.random.default_rng(0).standard_normal((3, 4, 4, 6)) * 5 + 2
    y, _ = images.group_norm(x, 3)
    for n, k in np.ndindex(3, 3):
        group, before = y[n, :, :, 2 * k : 2 * k + 2], x[n, :, :, 2 * k : 2 * k + 2]
        var = before.var()
        assert abs(group.mean()) < 1e-14 and abs(group.var() - var / (var + 1e-5)) < 1e-13
        assert np.corrcoef(group.ravel(), before.ravel())[0, 1] > 1 - 1e-13
    # a flat picture has no size to divide by
    assert np.isfinite(images.group_norm(np.ones((1, 2, 2, 4)), 2)[0]).all()


def test_attention_picks_the_place_whose_key_fits():
    """Keys 1,000 apart: the softmax is 0 and 1 to all digits, also where exp(1000) would overflow."""
    q, v = 1000 * np.eye(3)[None], np.random.default_rng(0).standard_normal((1, 3, 3))
    assert np.array_equal(images.attention(q, np.eye(3)[None][:, [2, 0, 1]], v)[0], v[:, [1, 2, 0]])
    # nothing fits better
    assert np.allclose(images.attention(0 * q, q, v)[0], v.mean(axis=1, keepdims=True), rtol=1e-14)
