"""The third lens, flow matching. TIME RUNS THE OTHER WAY HERE: t = 0 is noise, t = 1 data, as in lecture 3.

    letter   name    here                                       elsewhere in minidiff
    x_0      x_0     noise, N(0, I)                             eps
    x_1      x_1     data                                       x_0
    t        t       real, 0..1, from noise to data             T (1 - t)
    x_t      x_t     t x_1 + (1 - t) x_0, a straight line       x_t of the process `Straight`
    u        u       velocity, a callable u(x, t) -> dx/dt

A network is shown random lines from noise to data and learns, at each x_t, the average direction x_1 - x_0 of
the lines through it. Paths along this average bend, but have the same density as the lines at every t.

For the rest of the package the lines are one more way of mixing data and noise: `Straight`, and the velocity
is one more objective. `velocity_from_eps` and `eps_from_velocity`, at the end, convert.
"""

from dataclasses import dataclass

import numpy as np

from ..gaussian import like
from ..objective import l_simple
from . import ode


class Straight:
    """x_t = (1 - t / T) data + t / T noise, t real in [0, T]: the line as a process, in the package's time.
    T is 1000 because a network's time embedding was made for times of that size."""

    T = 1000

    def signal_and_noise(self, t):
        """1 - t / T and t / T."""
        r = np.asarray(t, np.float64) / self.T
        return 1 - r, r


def velocity_prediction(signal, noise):
    """target = data - noise, the velocity on a line, as an objective.    [CME296 lecture 3]"""
    return 1.0, -1.0


def velocity_of(network):
    """A network that learnt velocity_prediction on Straight as the velocity u(x, t)."""
    return lambda x, t: network(x, Straight.T * (1 - np.asarray(t, np.float64)))


@dataclass(frozen=True, eq=False)
class FlowDenoiser:
    """eps_theta(x_t, t) on a variance-preserving schedule, of a network that learnt velocity_prediction.
    With kappa = 1 / (signal + noise), kappa x_t lies on the line, where the share of noise is kappa noise."""

    network: object
    schedule: object

    def __call__(self, x_t, t):
        """eps_hat = kappa x_t - kappa signal u: back along the line, to where it is all noise."""
        signal, noise = self.schedule.signal_and_noise(t)
        kappa = 1 / (signal + noise)
        x = like(x_t, kappa) * x_t
        return x - like(x_t, kappa * signal) * self.network(x, Straight.T * kappa * noise)

    @property
    def velocity(self):
        """u(x, t), for samplers that walk the straight path itself."""
        return velocity_of(self.network)


def path(x_0, x_1, t) -> np.ndarray:
    """x_t = t x_1 + (1 - t) x_0.    [CME296 lecture 3] [Flow Matching section 4.1]

    p(x_t | x_1) = N(t x_1, (1 - t)^2 I). x_0, x_1 (B, ...), t real, () or (B,).
    """
    return like(x_1, t) * x_1 + like(x_1, np.subtract(1, t)) * x_0


def conditional_velocity(x, x_1, t) -> np.ndarray:
    """u_t(x | x_1) = (x_1 - x) / (1 - t), t < 1.    [CME296 lecture 3] [Flow Matching section 4.1]

    On the line from x_0 to x_1 it is x_1 - x_0, at every t: it does not blow up there.
    """
    return (x_1 - x) / like(x, np.subtract(1, t))


def marginal_velocity(mixture):
    """u_t(x) = E[x_1 - x_0 | x_t = x] for data from an exact.Mixture.    [CME296 lecture 3]

    Returns u(x, t), t in [0, 1]: the average direction of all lines through x; likely ones count more.
    """
    process = Straight()

    def u(x, t):
        t = process.T * (1 - np.asarray(t, np.float64))
        return mixture.x_0_hat(process, x, t) - mixture.eps(process, x, t)

    return u


def cfm(u_hat, x_0, x_1):
    """L_CFM = 1/B sum_b ||u_hat_b - (x_1 - x_0)_b||^2 and dL/du_hat: l_simple with another target.
    [CME296 lecture 3] [Flow Matching section 3.2]

    Its least value is not 0 (`floors.floor_of`), but its gradient is
    that of the distance to the marginal velocity, which nobody can compute for real data.
    """
    return l_simple(u_hat, x_1 - x_0)


def sample(u, x_0, times, method=ode.euler):
    """From noise x_0 along dx/dt = u(x, t): yields x at each of the times, the last is data.
    [CME296 lecture 3]

    times ascend from 0 to 1. Raises ValueError if they do not.
    """
    times = np.asarray(times, np.float64)
    if times.ndim != 1 or len(times) < 2 or np.any(np.diff(times) <= 0) or times[0] < 0 or times[-1] > 1:
        raise ValueError(f"times must ascend within 0..1, got {times}")
    return ode.walk(method, u, x_0, times)


def straight(method):
    """`sample` as a sampler: its eps_theta is a FlowDenoiser, its times descend from T to 0."""

    def solver(eps_theta, schedule, x_T, times, rng):
        yield from sample(eps_theta.velocity, x_T, 1 - np.asarray(times) / schedule.T, method)

    return solver


def reflow(u, x_0, steps, method=ode.rk4):
    """x_1, where the flow takes each x_0 (B, d): pairs whose lines cross less.
    [Rectified Flow section 2.2]"""
    *_, x_1 = sample(u, x_0, np.linspace(0, 1, steps + 1), method)
    return x_1


def straightness(u, x_0, x_1, times):
    """S = int_0^1 E ||(x_1 - x_0) - u(x_t, t)||^2 dt: 0 where the flow keeps to lines.
    [Rectified Flow section 2.2]

    The mean over the pairs (B, d) and over `times`, spread evenly over (0, 1), such as (k + 1/2) / n.
    """
    off = [x_1 - x_0 - u(path(x_0, x_1, t), t) for t in times]
    return float(np.mean([np.sum(gap**2, axis=1).mean() for gap in off]))


def velocity_from_eps(x, t, eps) -> np.ndarray:
    """u = (x - eps) / t, t > 0: the line through x that began at eps, the (estimated) noise in it."""
    return (x - eps) / like(x, t)


def eps_from_velocity(x, t, u) -> np.ndarray:
    """eps = x - t u: back along the line to t = 0."""
    return x - like(x, t) * u


def velocity_from_score(x, t, score) -> np.ndarray:
    """u = (x + (1 - t) score) / t, t > 0, score = grad log p_t of the straight path.    [CME296 lecture 3]"""
    return (x + like(x, np.subtract(1, t)) * score) / like(x, t)


def score_from_velocity(x, t, u) -> np.ndarray:
    """score = (t u - x) / (1 - t), t < 1.    [CME296 lecture 3]"""
    return (like(x, t) * u - x) / like(x, np.subtract(1, t))
