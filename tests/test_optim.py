"""Clipping, Adam and the average, by hand."""

import math

import numpy as np
import pytest
from support import DTYPES

from minidiff import optim


def test_update_refuses_a_gradient_that_is_not_finite():
    params, ema, m, v = ({"a": np.ones(2)} for _ in range(4))
    with pytest.raises(FloatingPointError, match="gradient is not finite at step 7"):
        optim.update(params, ema, m, v, {"a": np.array([1.0, np.inf])}, 7, lr=0.1)
    assert np.array_equal(params["a"], np.ones(2)) and np.array_equal(m["a"], np.ones(2))


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
    params, ema, m, grads = (
        {k: rng.standard_normal(s).astype(dtype) for k, s in shapes.items()} for _ in range(4)
    )
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
