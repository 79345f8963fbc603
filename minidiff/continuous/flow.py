"""The third lens, flow matching. TIME RUNS THE OTHER WAY HERE: t = 0 is noise, t = 1 is data, as in lecture 3.

    letter   name    here                                       elsewhere in minidiff
    x_0      x_0     noise, N(0, I)                             eps
    x_1      x_1     data                                       x_0
    t        t       real, 0..1, from noise to data             T..0
    x_t      x_t     t x_1 + (1 - t) x_0, a straight line       kappa times x_t, see `time_of`
    u        u       velocity, a callable u(x, t) -> dx/dt

A network is shown random lines from noise to data and learns, at each x_t, the average direction x_1 - x_0 of the lines
through it. Paths along this average bend, but have the same density as the lines at every t. `velocity_from_eps` and
`eps_from_velocity`, at the end, convert.
"""

import numpy as np

from ..arrays import keeps_dtype, on_axes_of
from ..objective import Objective, l_simple
from . import ode

CLOCK = 1000  # a network's time embedding was made for 0..1000; it sees CLOCK t


class Linear:
    """The straight path as a process for exact.Mixture: ab = t^2 / (t^2 + (1 - t)^2), with t from noise to data.

    x_t / sqrt(t^2 + (1 - t)^2) is a variance-preserving x_t with that alpha_bar.
    """

    T = 1

    def at(self, t, x):
        """alpha_bar at t in 0..1, with axes to multiply x."""
        t = np.asarray(t, np.float64)
        return on_axes_of(x, t**2 / (t**2 + (1 - t) ** 2))

    def time_at(self, u):
        """u itself: time is real here."""
        return np.asarray(u, np.float64)


def time_of(ab_t):
    """(t, kappa): kappa x_t lies on the line at t = kappa sqrt(ab_t), kappa = 1 / (sqrt(ab_t) + sqrt(1 - ab_t))."""
    kappa = 1 / (np.sqrt(ab_t) + np.sqrt(1 - ab_t))
    return kappa * np.sqrt(ab_t), kappa


def _sees(schedule, t):
    """kappa x_t lies on the straight path, at the time that the network is told."""
    r, kappa = time_of(np.asarray(schedule.at(t, t), np.float64))
    return kappa, CLOCK * r


# The velocity as an objective, in the other files' letters: data minus noise, on the straight path, at real times.
velocity_prediction = Objective(lambda schedule, x_0, t, eps: x_0 - eps, _sees, lambda schedule: Linear())


def velocity_of(network):
    """A network that learnt velocity_prediction as the velocity u(x, t)."""
    return lambda x, t: network(x, CLOCK * np.asarray(t))


@keeps_dtype
def path(x_0, x_1, t):
    """x_t = t x_1 + (1 - t) x_0.    [CME296 lecture 3] [Flow Matching section 4.1]

    p(x_t | x_1) = N(t x_1, (1 - t)^2 I). x_0, x_1 (B, ...), t real, () or (B,).
    """
    t = on_axes_of(x_1, t)
    return t * x_1 + (1 - t) * x_0


@keeps_dtype
def conditional_velocity(x, x_1, t):
    """u_t(x | x_1) = (x_1 - x) / (1 - t), t < 1.    [CME296 lecture 3] [Flow Matching section 4.1]

    On the line from x_0 to x_1 it is x_1 - x_0, at every t: it does not blow up there.
    """
    return (x_1 - x) / (1 - on_axes_of(x_1, t))


def marginal_velocity(mixture):
    """u_t(x) = E[x_1 - x_0 | x_t = x] for data from an exact.Mixture.    [CME296 lecture 3]

    Returns u(x, t), finite for every t in [0, 1]: the average direction of all lines through x, by how likely each is.
    """
    linear = Linear()

    def u(x, t):
        scale = np.sqrt(np.asarray(t) ** 2 + (1 - np.asarray(t)) ** 2)
        y = (x / on_axes_of(x, scale)).astype(x.dtype)
        return mixture.x_0_hat(linear, y, t) - mixture.eps(linear, y, t)

    return u


def cfm(u_hat, x_0, x_1):
    """L_CFM = 1/B sum_b ||u_hat_b - (x_1 - x_0)_b||^2 and dL/du_hat.    [CME296 lecture 3] [Flow Matching section 3.2]

    objective.l_simple with another target. Its least value is not 0 (`floors.floor_of`), but its gradient is that of
    the distance to the marginal velocity, which nobody can compute for real data.
    """
    return l_simple(u_hat, x_1 - x_0)


def sample(u, x_0, times, method=ode.euler):
    """Walks noise x_0 along dx/dt = u(x, t), yielding x at each of the times; the last is data.    [CME296 lecture 3]

    times ascend from 0 to 1. Raises ValueError if they do not.
    """
    times = np.asarray(times, np.float64)
    if times.ndim != 1 or len(times) < 2 or np.any(np.diff(times) <= 0) or times[0] < 0 or times[-1] > 1:
        raise ValueError(f"times must ascend within 0..1, got {times}")
    return ode.walk(method, u, x_0, times)


def straight(method):
    """`sample` as the walk of a sample.Multistep, on a velocity u(x, t) in eps_theta's place; t = 1 - times / T."""

    def solver(u, schedule, x_T, times, rng):
        yield from sample(u, x_T, 1 - np.asarray(times) / schedule.T, method)

    return solver


def reflow(u, x_0, steps, method=ode.rk4):
    """x_1 = where the flow takes each x_0 (B, d): new pairs, whose lines cross less.    [Rectified Flow section 2.2]"""
    *_, x_1 = sample(u, x_0, np.linspace(0, 1, steps + 1), method)
    return x_1


def straightness(u, x_0, x_1, times):
    """S = int_0^1 E ||(x_1 - x_0) - u(x_t, t)||^2 dt: 0 if the flow keeps to the lines.    [Rectified Flow section 2.2]

    The mean over the pairs (B, d) and over `times`, which should be spread evenly over (0, 1), such as (k + 1/2) / n.
    """
    off = [x_1 - x_0 - u(path(x_0, x_1, t), t) for t in times]
    return float(np.mean([np.sum(gap**2, axis=1).mean() for gap in off]))


@keeps_dtype
def velocity_from_eps(x, t, eps):
    """u = (x - eps) / t, t > 0: the line through x that began at eps, the (estimated) noise in it."""
    return (x - eps) / on_axes_of(x, t)


@keeps_dtype
def eps_from_velocity(x, t, u):
    """eps = x - t u: back along the line to t = 0."""
    return x - on_axes_of(x, t) * u


@keeps_dtype
def velocity_from_score(x, t, score):
    """u = (x + (1 - t) score) / t, t > 0, score = grad log p_t of the straight path.    [CME296 lecture 3]"""
    t = on_axes_of(x, t)
    return (x + (1 - t) * score) / t


@keeps_dtype
def score_from_velocity(x, t, u):
    """score = (t u - x) / (1 - t), t < 1.    [CME296 lecture 3]"""
    t = on_axes_of(x, t)
    return (t * u - x) / (1 - t)
