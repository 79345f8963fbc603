"""process: VP is the limit of many steps, VE adds what it says, between steps the logarithm is straight."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import COARSE, betas, coarse, product_of_alphas

from minidiff.continuous.process import VE, VP, continuous
from minidiff.schedule import from_betas

S = coarse()


def test_vp_is_the_limit_of_many_small_steps():
    vp, T = VP(), 100_000
    t = np.linspace(0, 1, T + 1)
    # alpha_bar of small steps beta(t_mid) / T; the limit is approached as
    # sum beta^2 / 2 = int beta(t)^2 dt / 2T < 7e-4
    small = np.concatenate([[1], np.cumprod(1 - vp.beta((t[1:] + t[:-1]) / 2) / T)])
    assert np.abs(small / vp.alpha_bar_at(t) - 1).max() < 8e-4
    assert vp.alpha_bar_at(0) == 1
    assert math.isclose(vp.alpha_bar_at(0.5), math.exp(-(0.1 * 0.5 + 19.9 / 8)), rel_tol=1e-12)
    assert vp.alpha_bar_at(np.array([0.1, 0.2])).shape == (2,)
    assert vp.beta(0.0) == 0.1 and vp.beta(1.0) == 20.0


@given(betas, st.floats(0, 1))
def test_a_schedule_at_real_times_is_itself_at_whole_times_and_straight_in_the_logarithm_between(b, part):
    s, real = from_betas(b), continuous(from_betas(b))
    assert real.T == s.T and np.allclose(real.alpha_bar_at(np.arange(s.T + 1)), s.alpha_bar, rtol=1e-14)
    for t in range(s.T):  # alpha_bar there is alpha_bar_t times a part of the next step: alpha^part
        want = product_of_alphas(b, t) * (1 - b[t]) ** part
        assert math.isclose(real.alpha_bar_at(t + part), want, rel_tol=1e-12)
        assert math.isclose(real.beta(t + 0.5), -math.log(1 - b[t]), rel_tol=1e-12)
    assert real.beta(0) == real.beta(1) and real.alpha_bar_at(np.array([0.5, 1.5])).shape == (2,)
    assert continuous(real) is real and continuous(VP()) == VP()


def test_f_and_g2_shrink_and_stir():
    assert abs(VP().f(0.5) + 5.025) < 1e-14 and abs(VP().g2(0.5) - 10.05) < 1e-14
    assert VP(1.0, 3.0).f(1.0) == -1.5 and VP(1.0, 3.0).g2(1.0) == 3.0


def test_ve_adds_the_variance_it_says():
    """sigma_t^2 - sigma_0^2 from 0 to the full range, and g^2 its derivative."""
    ve = VE(0.01, 50.0)
    assert ve.sigma2(0) == 0 and abs(ve.sigma2(1) - (2500 - 1e-4)) < 1e-9 and ve.f(0.5) == 0
    assert abs(ve.sigma2(0.5) - (0.01 * 50 - 1e-4)) < 1e-12  # the geometric middle
    for t in (0.2, 0.5, 0.9):
        h = 1e-5
        # h^2 rate^2 / 6, rate = 17
        assert abs((ve.sigma2(t + h) - ve.sigma2(t - h)) / (2 * h) / ve.g2(t) - 1) < 1e-7


@pytest.mark.parametrize("process", [VP(), continuous(S)], ids=["vp", "between"])
@given(part=st.floats(1e-300, 1))
def test_the_shares_are_the_two_sides_of_a_right_angle(process, part):
    """sqrt(ab) and sqrt(1 - ab) of ab by its definition; the second keeps its digits where ab rounds to 1."""
    t = part * process.T
    signal, noise = process.signal_and_noise(t)
    k = min(math.floor(t), process.T - 1)
    if process.T == 1:
        tau = 0.1 * t + 19.9 * t * t / 2
    else:
        tau = -sum(math.log1p(-u) for u in COARSE[:k]) - (t - k) * math.log1p(-COARSE[k])
    assert math.isclose(signal, math.exp(-tau / 2), rel_tol=1e-14)
    assert math.isclose(noise, math.sqrt(-math.expm1(-tau)), rel_tol=1e-14)
    both = process.signal_and_noise(np.array([t, process.T]))
    assert [share.shape for share in both] == [(2,), (2,)] and (both[0][0], both[1][0]) == (signal, noise)
    assert process.signal_and_noise(0) == (1, 0)


def test_ves_shares_are_1_and_the_root_of_what_was_added():
    """sigma_t = 0.1 30^t, from sigma_0^2 = 0.01 on: at t = 1/2 it is 0.01 30 - 0.01."""
    signal, noise = VE(0.1, 3.0).signal_and_noise(np.array([0.0, 0.5, 1.0]))
    assert signal.tolist() == [1, 1, 1] and np.abs(noise**2 - [0, 0.29, 8.99]).max() < 1e-14
    assert all(np.shape(share) == () for share in VE().signal_and_noise(0.3))


@pytest.mark.parametrize("process", [VP(), continuous(S)], ids=["vp", "between"])
def test_f_and_g2_are_what_makes_alpha_bar(process):
    """Mean: d log sqrt(ab) / dt = f. Variance of x_t | x_0: d(1 - ab)/dt = 2 f (1 - ab) + g^2."""
    for t in (0.31, 0.77) if process.T == 1 else (0.31, 2.5, 5.9):
        h = 1e-6
        before, now, after = (float(process.alpha_bar_at(t + k * h)) for k in (-1, 0, 1))
        assert abs((math.log(after) - math.log(before)) / (4 * h) - process.f(t)) < 1e-7
        assert abs((before - after) / (2 * h) - (2 * process.f(t) * (1 - now) + process.g2(t))) < 1e-7


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: VP().alpha_bar_at(1.1), r"\[0, 1\]"),
        (lambda: VP().alpha_bar_at(-0.1), r"\[0, 1\]"),
        (lambda: continuous(from_betas(COARSE)).alpha_bar_at(6.1), r"\[0, 6\]"),
        (lambda: continuous(from_betas(COARSE)).beta(-0.1), r"\[0, 6\]"),
    ],
)
def test_times_outside_the_process_are_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()
