"""What a training loss is compared with: the least there can be, and that of a network that knows nothing."""

import math

import numpy as np

from ..gaussian import q_sample
from ..objective import as_eps


def loss_floor(mixture, schedule, t, n: int, rng):
    """min over all denoisers of E ||eps - eps_hat||^2 = E tr Cov(eps | x_t), and its standard error.
    No network gets below it: x_t does not determine eps. An average over n x_t of the exact trace,

        sum_k r_k [sum_j ab_t var_kj / lambda_kj + ||eps_k - eps*||^2],    eps_k = E[eps | x_t, k]
    """
    x_0 = mixture.sample(n, rng)
    x_t = q_sample(schedule, x_0, t, rng.standard_normal(x_0.shape))
    signal, noise = schedule.signal_and_noise(t)
    _, r, y, lam = mixture.components(schedule, x_t, t)
    eps_k = noise * np.einsum("kij,bkj->bki", mixture.axes, y / lam)
    eps_star = np.einsum("bk,bki->bi", r, eps_k)
    # total variance = the mean of the components' variances + the variance of their means
    within = np.sum(signal**2 * mixture.var / lam, axis=-1)
    apart = eps_k - eps_star[:, None]
    between = np.sum(apart**2, axis=-1)
    trace = np.sum(r * (within + between), axis=-1)
    return trace.mean(), trace.std(ddof=1) / math.sqrt(n)


def floor_of(objective, mixture, schedule, t, n: int, rng):
    """The least loss at t for a mixture, and its standard error: loss_floor / b^2, b from as_eps."""
    _, b = as_eps(objective, schedule, t)
    floor, error = loss_floor(mixture, schedule, t, n, rng)
    return floor / b**2, error / b**2


def loss_of_0(objective, weight, P, schedule, t, d: int, second_moment: float) -> float:
    """E w ||target||^2 = d sum_t P_t w_t (c_0^2 E x_0^2 + c_eps^2): the loss of a network that answers 0.
    P (n,) are the probabilities of the times t (n,), weight (n,) is w, or None for 1, and second_moment is
    E x_0^2, per coordinate."""
    c_0, c_eps = objective(*schedule.signal_and_noise(t))
    w = 1 if weight is None else weight
    squares = np.square(c_0) * second_moment + np.square(c_eps)
    return float(d * np.sum(P * w * squares))
