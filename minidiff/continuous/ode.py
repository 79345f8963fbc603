"""One step of dx/dt = u(x, t) from time t to time s, forwards or backwards: for the score's ODE and the flow.

letter   name   meaning
u        u      the velocity, a callable u(x, t)
h        h      s - t, negative when time runs from noise to data

Order p: over a whole path, half the step leaves 1 / 2^p of the error. Count evaluations, not steps.
"""

import numpy as np

from ..gaussian import like


def euler(u, x, t, s):
    """x_s = x + h u(x, t).    Order 1, one evaluation.    [CME296 lecture 3]"""
    return x + like(x, np.subtract(s, t)) * u(x, t)


def heun(u, x, t, s):
    """x_s = x + h/2 [u(x, t) + u(x + h u(x, t), s)].    Order 2, two evaluations: the slopes' average."""
    h, k_1 = like(x, s - t), u(x, t)
    return x + h / 2 * (k_1 + u(x + h * k_1, s))


def rk4(u, x, t, s):
    """x_s = x + h/6 (k_1 + 2 k_2 + 2 k_3 + k_4), Runge-Kutta's step. Order 4, four evaluations."""
    h, middle = like(x, s - t), (t + s) / 2
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
