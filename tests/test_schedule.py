import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import COARSE, betas, product_of_alphas

from minidiff.arrays import keeps_dtype
from minidiff.continuous.process import VP, continuous
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
def test_at_gives_one_value_a_row(b):
    s = from_betas(b)
    x = np.zeros((3, 2, 4))
    t = np.array([0, 1, len(b)])
    assert s.at(t, x).shape == (3, 1, 1)
    assert np.array_equal(s.at(t, x).ravel(), s.alpha_bar[t])
    assert s.at(1, x) == s.alpha_bar[1]
    assert s.at(1, x.astype(np.float32)).dtype == np.float64


def test_vp_is_the_limit_of_many_small_steps():
    vp, T = VP(), 100_000
    t = np.linspace(0, 1, T + 1)
    # alpha_bar of small steps beta(t_mid) / T; the limit is approached as sum beta^2 / 2 = int beta(t)^2 dt / 2T < 7e-4
    small = np.concatenate([[1], np.cumprod(1 - vp.beta((t[1:] + t[:-1]) / 2) / T)])
    assert np.abs(small / vp.at(t, 0.0) - 1).max() < 8e-4
    assert vp.at(0, 0.0) == 1
    assert math.isclose(float(vp.at(0.5, 0.0)), math.exp(-(0.1 * 0.5 + 19.9 / 8)), rel_tol=1e-12)
    assert vp.at(np.array([0.1, 0.2]), np.zeros((2, 3))).shape == (2, 1)
    assert vp.beta(0.0) == 0.1 and vp.beta(1.0) == 20.0


@given(betas, st.floats(0, 1))
def test_between_is_the_schedule_at_whole_times_and_straight_in_the_logarithm_elsewhere(b, part):
    s, between = from_betas(b), continuous(from_betas(b))
    assert between.T == s.T and np.allclose(between.at(np.arange(s.T + 1), 0.0), s.alpha_bar, rtol=1e-14)
    for t in range(s.T):  # alpha_bar there is alpha_bar_t times a part of the next step: alpha^part
        want = product_of_alphas(b, t) * (1 - b[t]) ** part
        assert math.isclose(float(between.at(t + part, 0.0)), want, rel_tol=1e-12)
        assert math.isclose(float(between.beta(t + 0.5)), -math.log(1 - b[t]), rel_tol=1e-12)
    assert between.beta(0) == between.beta(1) and between.at(np.array([0.5, 1.5]), np.zeros((2, 3))).shape == (2, 1)
    assert continuous(s) is continuous(s) and continuous(s) is continuous(s) and continuous(VP()) == VP()


def test_f_and_g2_shrink_and_stir():
    assert abs(VP().f(0.5) + 5.025) < 1e-14 and abs(VP().g2(0.5) - 10.05) < 1e-14
    assert VP(1.0, 3.0).f(1.0) == -1.5 and VP(1.0, 3.0).g2(1.0) == 3.0


def test_arrays_are_read_only():
    with pytest.raises(ValueError):
        linear(10).beta[3] = 0


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: linear(0), ValueError, "T must be at least 1, got 0"),
        (lambda: cosine(2.5), TypeError, "T must be a whole number, got 2.5"),
        (lambda: linear(True), TypeError, "T must be a whole number"),
        (lambda: from_betas([0.1, 1.0]), ValueError, "beta_2 = 1"),
        (lambda: from_betas([0.0]), ValueError, "beta_1 = 0"),
        (lambda: from_betas([0.1, float("nan")]), ValueError, "beta_2 = nan"),
        (lambda: from_betas([]), ValueError, "at least one"),
        (lambda: from_betas([[0.1]]), ValueError, "shape"),
        (lambda: from_betas(COARSE).at(7, np.zeros(2)), ValueError, "0..T = 6, got 7..7"),
        (lambda: from_betas(COARSE).at(-1, np.zeros(2)), ValueError, "got -1"),
        (lambda: from_betas(COARSE).at(1.5, np.zeros(2)), TypeError, "whole numbers"),
        (lambda: VP().at(1.1, 0.0), ValueError, r"\[0, 1\]"),
        (lambda: VP().at(-0.1, 0.0), ValueError, r"\[0, 1\]"),
        (lambda: continuous(from_betas(COARSE)).at(6.1, 0.0), ValueError, r"\[0, 6\]"),
        (lambda: continuous(from_betas(COARSE)).beta(-0.1), ValueError, r"\[0, 6\]"),
    ],
)
def test_bad_arguments_are_named(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_data_dtype_is_kept_and_numbers_stay_numbers():
    double = keeps_dtype(lambda x, y: 2.0 * np.float64(1) * x + y)
    assert double(np.ones(2, np.float32), np.ones(2, np.float32)).dtype == np.float32
    assert double(np.ones(2, np.float32), np.ones(2)).dtype == np.float64
    assert double(np.ones((2, 3), np.float32), np.ones((2, 1))).dtype == np.float64
    assert double(np.ones((2, 3), np.float32), np.ones(3)).dtype == np.float32  # fewer axes: times, not data
    assert double(1.0, 2.0) == 4.0
