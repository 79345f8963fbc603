"""One step of dx/dt = u(x, t) from time t to time s, forwards or backwards; the score's ODE and the flow use these.

letter   name   meaning
u        u      the velocity, a callable u(x, t)
h        h      s - t, negative when time runs from noise to data

An error of order p: over a whole path, half the step leaves 1 / 2^p of the error. Count evaluations, not steps.
"""

import numpy as np

from ..arrays import keeps_dtype, on_axes_of


@keeps_dtype
def euler(u, x, t, s):
    """x_s = x + h u(x, t).    Order 1, one evaluation.    [CME296 lecture 3]"""
    return x + on_axes_of(x, np.subtract(s, t)) * u(x, t)


@keeps_dtype
def heun(u, x, t, s):
    """x_s = x + h/2 [u(x, t) + u(x + h u(x, t), s)].    Order 2, two evaluations: look ahead, then go by the average."""
    h, k_1 = s - t, u(x, t)
    return x + h / 2 * (k_1 + u(x + h * k_1, s))


@keeps_dtype
def rk4(u, x, t, s):
    """x_s = x + h/6 (k_1 + 2 k_2 + 2 k_3 + k_4), the classical Runge-Kutta step.    Order 4, four evaluations."""
    h, middle = s - t, (t + s) / 2
    k_1 = u(x, t)
    k_2 = u(x + h / 2 * k_1, middle)
    k_3 = u(x + h / 2 * k_2, middle)
    k_4 = u(x + h * k_3, s)
    return x + h / 6 * (k_1 + 2 * k_2 + 2 * k_3 + k_4)


METHODS = {"euler": euler, "heun": heun, "rk4": rk4}


def walk(method, u, x, times):
    """Yields x at each of times after the first, by steps of the method."""
    for t, s in zip(times[:-1], times[1:]):
        x = method(u, x, t, s)
        yield x
