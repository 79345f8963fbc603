import math

import numpy as np
import pytest
from hypothesis import given
from support import COARSE, betas, product_of_alphas

from minidiff.schedule import cosine, from_betas, linear, linear_scaled


@given(betas)
def test_alpha_bar_is_the_product_of_alphas_and_starts_at_1(b):
    s = from_betas(b)
    assert s.T == len(b)
    assert s.beta[0] == 0 and s.alpha[0] == 1 and s.alpha_bar[0] == 1
    for t in range(1, s.T + 1):
        assert s.beta[t] == b[t - 1]
        assert s.alpha[t] == 1 - b[t - 1]
        # a product of t factors, each rounded once
        assert math.isclose(s.alpha_bar[t], product_of_alphas(b, t), rel_tol=1e-15 * (t + 1))


def test_linear_has_the_published_values():
    s = linear(1000)
    assert s.beta[1] == 1e-4 and math.isclose(s.beta[1000], 0.02, rel_tol=1e-15)
    assert math.isclose(s.beta[2] - s.beta[1], (0.02 - 1e-4) / 999, rel_tol=1e-12)
    assert s.alpha_bar[1] == 0.9999
    assert abs(s.alpha_bar[500] - 0.07859) < 5e-6  # half a unit of the last published digit
    assert abs(s.alpha_bar[1000] - 4.036e-5) < 5e-9
    assert abs(linear(50).alpha_bar[-1] - 0.603) < 5e-4


def test_linear_scaled_multiplies_both_ends():
    s = linear_scaled(100)
    assert math.isclose(s.beta[1], 1e-3, rel_tol=1e-12) and math.isclose(s.beta[100], 0.2, rel_tol=1e-12)
    assert np.array_equal(linear_scaled(1000).beta, linear(1000).beta)
    assert linear_scaled(21).T == 21
    with pytest.raises(ValueError, match="T > 20.*T = 20"):
        linear_scaled(20)


def test_cosine_is_squared_shifted_and_clipped():
    s = cosine(100)
    # the definition, at an angle where the square matters; the product of T ratios telescopes
    angle = (30 / 100 + 0.008) / 1.008 * math.pi / 2
    start = 0.008 / 1.008 * math.pi / 2
    assert math.isclose(s.alpha_bar[30], (math.cos(angle) / math.cos(start)) ** 2, rel_tol=1e-12)
    assert s.beta[100] == 0.999 and s.beta[99] < 0.999
    assert cosine(1).beta[1] == 0.999


@given(betas)
def test_alpha_bar_at_and_the_shares_are_shaped_like_t(b):
    s = from_betas(b)
    t = np.array([0, 1, len(b)])
    assert s.alpha_bar_at(1) == s.alpha_bar[1] and s.alpha_bar_at(1).dtype == np.float64
    for times in (1, t, t.tolist(), t.astype(np.int32)):
        ab_t, (signal, noise) = s.alpha_bar_at(times), s.signal_and_noise(times)
        assert np.array_equal(ab_t, [s.alpha_bar[k] for k in times] if np.ndim(times) else s.alpha_bar[times])
        assert np.shape(ab_t) == np.shape(signal) == np.shape(noise) == np.shape(times)
        assert signal.dtype == noise.dtype == np.float64
        # three roundings of numbers up to 1, and the sum's
        assert np.abs(signal**2 - ab_t).max() <= 4e-16 and np.abs(signal**2 + noise**2 - 1).max() <= 8e-16
    assert np.min(signal) > 0 <= np.min(noise)  # the roots, not their mirror images


def test_arrays_are_read_only():
    with pytest.raises(ValueError):
        linear(10).beta[3] = 0


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: linear(0), ValueError, "at least one number"),
        (lambda: from_betas([0.1, 1.0]), ValueError, "beta_2 = 1"),
        (lambda: from_betas([0.0]), ValueError, "beta_1 = 0"),
        (lambda: from_betas([0.1, float("nan")]), ValueError, "beta_2 = nan"),
        (lambda: from_betas([]), ValueError, "at least one"),
        (lambda: from_betas([[0.1]]), ValueError, "shape"),
        (lambda: from_betas(COARSE).alpha_bar_at(7), ValueError, "0..T = 6, got 7"),
        (lambda: from_betas(COARSE).alpha_bar_at(np.array([0, 7])), ValueError, r"0..T = 6, got \[0 7\]"),
        (lambda: from_betas(COARSE).signal_and_noise(-1), ValueError, "got -1"),
        (lambda: from_betas(COARSE).alpha_bar_at(1.5), IndexError, "integer"),
    ],
)
def test_bad_arguments_are_named(call, error, words):
    with pytest.raises(error, match=words):
        call()
