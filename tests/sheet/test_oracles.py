"""oracles: the tools, also those of a lecture, by closed forms that they do not use."""

import math

import numpy as np
import pytest

from minidiff.sheet import oracles
from minidiff.sheet.lecture1.forward import variance_of
from minidiff.sheet.lecture1.l_simple import probabilities
from minidiff.sheet.lecture2.sde import limit
from minidiff.sheet.lecture2.solvers import half_log_snr, runge_kutta
from minidiff.sheet.lecture3.probability_paths import line_velocity
from minidiff.sheet.lecture4.attention import wins
from minidiff.sheet.lecture8.alignment import chance


def test_tools():
    assert abs(oracles.log_density(1.3, 0.4, 0.7) + 0.5 * math.log(2 * math.pi * 0.49) + 0.81 / 0.98) < 1e-12
    mean, var = oracles.forward_moments([0, 0.36, 0.75], 2, mean=5.0, var=4.0)
    assert abs(mean - 5 * 0.4) < 1e-15 and abs(var - (4 * 0.16 + 0.84)) < 1e-15
    x, p = oracles.gaussian_grid(1.0, 0.5)
    assert abs(p @ x**4 - (1 + 6 * 0.25 + 3 * 0.0625)) < 1e-12
    assert abs(oracles.difference(math.exp, 1.0) - math.e) < 1e-10
    assert abs(limit(lambda n: (1 + 1 / n) ** n, 16) - math.e) < 1e-9
    assert abs(oracles.root(lambda x: x**3 - 2, 0, 2) - 2 ** (1 / 3)) < 1e-15
    assert abs(chance(math.log(3)) - 0.75) < 1e-14
    assert abs(chance(-50) * (1 + math.exp(50)) - 1) < 1e-12  # bisection ends 800 / 2^60 from the logarithm
    mean, var = oracles.posterior([0, 0.05, 0.1, 0.2, 0.15], 4, 3, 1.7, 0.6)
    assert abs(mean - 0.921401) < 5e-7 and abs(var - 0.113235) < 5e-7
    assert oracles.posterior([0, 0.05], 1, 0, 1.7, 0.6) == (1.7, 0.0)
    assert abs(half_log_snr([0, 0.36, 0.75], 2) - math.log(0.4**2 / 0.84) / 2) < 1e-15
    assert half_log_snr([0, 0.36], 0) == math.inf
    # Simpson's rule integrates dx/dt = t^3 exactly; dx/dt = x takes the exponential's series up to h^4
    assert runge_kutta(lambda x, t: t**3, 1.0, 2.0, 2.0) == 1 + (4**4 - 2**4) / 4
    assert abs(runge_kutta(lambda x, t: x, 1.0, 0.0, 0.5) - (1 + 1 / 2 + 1 / 8 + 1 / 48 + 1 / 384)) < 1e-15
    # narrower than the first grid's cells
    mean, var = oracles.refined_moments(lambda x: -((x - 3) ** 2) / (2 * 0.01**2), 0.0, 60.0)
    assert abs(mean - 3) < 1e-12 and abs(var - 1e-4) < 1e-14
    assert abs(oracles.x_0_from_eps([0, 0.36, 0.75], 2, 0.4 * 5 + 2 * math.sqrt(0.84), 2.0) - 5) < 1e-12
    assert abs(wins([math.log(3), 0.0, math.log(2)]) - 1 / 2) < 1e-12  # 3 in 3 + 1 + 2
    plus, minus = probabilities([0, 0.36], 1, 0.45, (1, -1))  # log odds 2 * .8 * .45 / .36 = 2
    assert abs(plus - 1 / (1 + math.exp(-2))) < 1e-15 and abs(plus + minus - 1) < 1e-15


@pytest.mark.parametrize("t", [0.0, 0.3, 0.5, 0.7, 1.0])
def test_the_average_line_is_the_regression_of_x_1_minus_x_0_on_x_t(t):
    # x_0 and x_1 - mean in independent unit Gaussians
    noise, data = np.array([1.0, 0.0]), np.array([0.0, 0.6])
    direction, at = data - noise, t * data + (1 - t) * noise
    slope = direction @ at / (at @ at)
    mean, var = line_velocity(1.9, t, 0.8, 0.6)
    assert abs(mean - (0.8 + slope * (1.9 - t * 0.8))) < 1e-12
    assert abs(var - (direction @ direction - slope**2 * (at @ at))) < 1e-12


def test_monte_carlo_bounds_hold_and_are_not_idle():
    rng = np.random.default_rng(0)
    for _ in range(200):
        z = 3 * rng.standard_normal(1000)
        var, bound = variance_of(z)
        # 2 sqrt(28 / 999) + 2 * 28 / 999 = .39 of it, widened by 1 / (1 - .39)
        assert abs(var - 9) <= bound <= 9
