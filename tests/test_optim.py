"""Clipping, Adam and the average, by hand."""

import copy
import math

import numpy as np
import pytest
from hypothesis import given
from support import DTYPES, seeds

from minidiff import optim
from minidiff.optim import State

GROUPS = ("params", "ema", "m", "v")


def a_state(dtype=np.float64, step=2, n=9):
    rng = np.random.default_rng(0)
    params, ema, m, v = (rng.standard_normal(n).astype(dtype) for _ in GROUPS)
    return State(params, ema, m, v**2, step)


def test_start_is_the_state_before_the_first_step():
    params = np.array([1.0, -2.0], np.float32)
    state = optim.start(params)
    assert state.params is params and np.array_equal(state.ema, params) and state.ema is not params
    assert not state.m.any() and not state.v.any() and state.m is not state.v
    assert all(getattr(state, g).dtype == np.float32 and getattr(state, g).shape == (2,) for g in GROUPS)
    assert state.step == 0 and math.isnan(state.loss)


@pytest.mark.parametrize("wrong", [np.inf, -np.inf, np.nan])
def test_update_refuses_a_gradient_that_is_not_finite_before_anything_changes(wrong):
    state = a_state(step=6)
    before, grads = copy.deepcopy(state), np.ones(9)
    grads[4] = wrong
    with pytest.raises(FloatingPointError, match="gradient is not finite at step 7; try lr below 0.1$"):
        optim.update(state, grads, lr=0.1)
    assert state.step == 6 and math.isnan(state.loss)
    for group in GROUPS:
        assert np.array_equal(getattr(state, group), getattr(before, group))


def test_adam_by_hand():
    """Two steps with exact numbers: corrected for its bias, the first is lr sign(dw), whatever dw's size."""
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
    grads = np.array([3.0, 4.0])
    assert optim.clip(grads, 1.0) == pytest.approx([0.6, 0.8], rel=1e-12)
    assert optim.clip(grads, 5.0).tolist() == optim.clip(grads, 6.0).tolist() == [3.0, 4.0]
    assert not optim.clip(np.zeros(2), 1.0).any() and grads.tolist() == [3.0, 4.0]


@given(seeds)
def test_a_clipped_gradient_keeps_its_direction_and_has_the_norm(seed):
    grads = np.random.default_rng(seed).standard_normal(7)
    for most in (1e-3, 0.5, 100.0):
        got, norm = optim.clip(grads, most), math.sqrt(math.fsum(grads**2))
        assert math.isclose(math.sqrt(math.fsum(got**2)), min(most, norm), rel_tol=1e-14)
        assert np.abs(got * norm - grads * min(most, norm)).max() <= 1e-14 * norm * most


def test_ema():
    assert np.allclose(optim.ema_update(np.array([1.0]), np.array([3.0]), 0.75), [1.5])
    assert optim.ema_decay(1, 0.999) == 2 / 11 and optim.ema_decay(10**6, 0.999) == 0.999


@pytest.mark.parametrize("dtype", DTYPES)
def test_update_is_clip_adam_ema(dtype):
    """In this order: Adam sees the clipped gradient, the average the new parameters; all in place."""
    state, grads = a_state(dtype), np.random.default_rng(1).standard_normal(9).astype(dtype)
    arrays, before = [getattr(state, g) for g in GROUPS], copy.deepcopy(state)
    dw = optim.clip(grads, 0.7)
    assert np.linalg.norm(dw) < 0.9 * np.linalg.norm(grads)
    w, m, v = optim.adam(before.params, dw, before.m, before.v, 3, 0.01)
    ema = optim.ema_update(before.ema, w, optim.ema_decay(3, 0.9))
    optim.update(state, grads, lr=0.01, max_norm=0.7, decay=0.9)
    assert state.step == 3
    for group, array, want in zip(GROUPS, arrays, (w, ema, m, v)):
        got = getattr(state, group)
        assert got is array and got.dtype == dtype
        assert np.abs(got - want).max() <= 20 * np.finfo(dtype).eps * (1 + np.abs(want).max())


def test_the_average_and_the_clipping_are_those_that_were_asked_for():
    """By hand, at step 1,000,000: ema = decay ema + (1 - decay) w; m has a tenth of the clipped gradient."""
    state = State(np.zeros(2), np.ones(2), np.zeros(2), np.ones(2), step=10**6 - 1)
    optim.update(state, np.array([30.0, 40.0]), lr=0.5, max_norm=5.0, decay=0.75)
    assert state.m == pytest.approx([0.3, 0.4], rel=1e-12)
    v = 0.999 + 0.001 * np.array([9.0, 16.0])
    w = -0.5 * np.array([0.3, 0.4]) / (np.sqrt(v) + 1e-8)
    assert state.v == pytest.approx(v, rel=1e-12) and state.params == pytest.approx(w, rel=1e-12)
    assert state.ema == pytest.approx(0.75 + 0.25 * w, rel=1e-12)
