"""What a training loss is compared with: the least that is possible, and the loss of a network that knows nothing."""

import numpy as np

from ..objective import weight_of


def floor_of(objective, mixture, schedule, t, n, rng):
    """The least loss at t for a mixture, and its standard error: loss_floor / b^2, b from objective.as_eps."""
    b = float(objective.as_eps(schedule, t)[1])
    floor, error = mixture.loss_floor(schedule, t, n, rng)
    return floor / b**2, error / b**2


def loss_of_0(objective, weight, times, schedule, d, second_moment):
    """E w ||target||^2 = d sum_t P(t) w_t (c_0^2 E x_0^2 + c_eps^2): what answering 0 to d coordinates loses."""
    n = schedule.T * -(-1000 // schedule.T)  # parts of [0, 1], a whole number of them for each t
    P = np.diff(times.cdf(np.arange(n + 1) / n))
    t = schedule.time_at((np.arange(n) + 0.5) / n)
    (c_0, c_eps), w = objective.weights(schedule, t), weight_of(weight, objective, schedule, t)
    return float(d * np.sum(P * (1 if w is None else w) * (c_0**2 * second_moment + c_eps**2)))
