"""ode: each method on linear equations whose answer is known, its order, and how often it asks."""

import math

import numpy as np
import pytest
from support import DTYPES

from minidiff.continuous import ode
from minidiff.gaussian import like


def test_ode_steps_have_the_worked_values():
    """dx/dt = t x, x(0) = 1, one step to 1/2: by hand; rk4, k = 0, 1/4, 17/64, 145/256..., nears exp(1/8)."""
    u, x = lambda x, t: t * x, np.array([[1.0]])
    assert ode.euler(u, x, 0.0, 0.5)[0, 0] == 1.0
    assert ode.heun(u, x, 0.0, 0.5)[0, 0] == 1 + 0.25 * 0.5  # looks ahead to x = 1 at t = 1/2
    k_2 = 0.25
    k_3 = 0.25 * (1 + 0.25 * k_2)
    k_4 = 0.5 * (1 + 0.5 * k_3)
    assert abs(ode.rk4(u, x, 0.0, 0.5)[0, 0] - (1 + 0.5 / 6 * (2 * k_2 + 2 * k_3 + k_4))) < 1e-15
    assert abs(ode.rk4(u, x, 0.0, 0.5)[0, 0] - math.exp(1 / 8)) < 1e-4
    back = ode.rk4(u, ode.rk4(u, x, 0.0, 0.5), 0.5, 0.0)  # backwards in time, up to h^5 each way
    assert abs(back[0, 0] - 1) < 2e-4
    assert len(list(ode.walk(ode.euler, u, x, [0, 0.1, 0.5]))) == 2


@pytest.mark.parametrize(("name", "order", "asks"), [("euler", 1, 1), ("heun", 2, 2), ("rk4", 4, 4)])
def test_orders_and_evaluations(name, order, asks):
    """dx/dt = cos(t) x from 2 down to 0, x(t) = exp(sin t): half the step leaves 1 / 2^order of the error."""
    times, errors = [], []

    def u(x, t):
        times.append(t)
        return np.cos(t) * x

    for steps in (100, 200):
        *_, x = ode.walk(
            ode.METHODS[name], u, np.array([[math.exp(math.sin(2))]]), np.linspace(2, 0, steps + 1)
        )
        errors.append(abs(x[0, 0] - 1))
    assert len(times) == 300 * asks and 0 <= min(times) and max(times) <= 2
    # the error's next term is a share h = 1/50 of its first, times a constant of size 1; rk4 leaves 1e-9, far
    # above rounding
    assert abs(math.log2(errors[0] / errors[1]) - order) < 0.15


@pytest.mark.parametrize("name", ode.METHODS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_methods_keep_the_dtype(name, dtype):
    """Steps and times of float64, as np.linspace gives them, and a velocity that keeps to x's."""
    t, s = np.linspace(0.5, 0.25, 2)
    x = ode.METHODS[name](lambda x, t: like(x, t) * x, np.ones((3, 2), dtype), t, s)
    assert x.dtype == dtype and x.shape == (3, 2)


def test_euler_takes_a_time_for_each_row():
    x, t, s = np.array([[1.0], [2.0]]), np.array([0.5, 0.25]), np.array([0.25, 0.0])
    assert ode.euler(lambda x, t: 2 * x, x, t, s)[:, 0].tolist() == [0.5, 1.0]  # x + h 2 x, h = -1/4
