"""More ways from noise to data than DDPM and DDIM: as steps for `sample`, all driven by the same eps_theta.

    letter   name   meaning
    lambda   lam    log sqrt(ab_t / (1 - ab_t)), half the log of the SNR: it grows towards data
    h        h      lambda_s - lambda_t > 0
    theta    angle  cos(theta) = sqrt(ab_t): in theta the probability-flow ODE is one for all schedules

The schedule may be discrete or continuous: solvers that ask between whole times use `continuous(schedule)`.
Heun, Runge-Kutta and DPM-Solver++ end with a first-order step to s = 0, where no noise is left to ask about.
All but one are steps; a solver that remembers earlier steps is a sampler, with the arguments of a whole walk.
"""

import numpy as np

from ..gaussian import alpha_of_step, like, snr, x_0_from_eps
from . import ode, sde
from .flow import FlowDenoiser
from .process import continuous


def _downwards(schedule, t, s):
    """The schedule in continuous time. Raises ValueError unless s < t."""
    process = continuous(schedule)
    alpha_of_step(process, t, s)  # which raises it
    return process


def pf_ode(method):
    """Returns the step of dx/dtheta = v_hat, cos(theta) = sqrt(alpha_bar), from t to s.    [Score SDE eq. 13]

    method is one of ode.py. All but Euler also ask at s. At s = 0 no noise is left to ask about: they take
    x_0_hat from what they hear at t.
    """

    def step(eps_theta, schedule, x_t, t, s, rng):
        process = _downwards(schedule, t, s)
        if method is not ode.euler and s == 0:
            return x_0_from_eps(process, x_t, t, eps_theta(x_t, t))
        u = sde.velocity_by_angle(process, eps_theta)
        return method(u, x_t, sde.angle(process, t), sde.angle(process, s))

    return step


def dpm_solver_1(eps_theta, schedule, x_t, t, s, rng):
    """x_s = sqrt(ab_s / ab_t) x_t - sqrt(1 - ab_s) (e^h - 1) eps_hat: DDIM again.    [DPM-Solver section 3.2]

    sqrt(1 - ab_s) e^h is 0 times infinity at s = 0; here it is sqrt((1 - ab_t) / a), a = ab_t / ab_s.
    """
    a, ab_t, ab_s = alpha_of_step(schedule, t, s), schedule.alpha_bar_at(t), schedule.alpha_bar_at(s)
    removed = np.sqrt((1 - ab_t) / a) - np.sqrt(1 - ab_s)
    return x_t / like(x_t, np.sqrt(a)) - like(x_t, removed) * eps_theta(x_t, t)


def dpm_solver_pp_2m(eps_theta, schedule, x_T, times, rng):
    """DPM-Solver++(2M): x_0_hat is a line in lambda through the last two answers.
    [DPM-Solver++ algorithm 2]

        D   = x_0_hat + h / (2 h_before) (x_0_hat - x_0_hat_before)
        x_s = sqrt((1 - ab_s) / (1 - ab_t)) x_t - sqrt(ab_s) (e^-h - 1) D

    D is the line's value in the middle of the step; x_s would be exact if x_0_hat were D all the way.
    A sampler: yields every x_s. Order 2 for one evaluation a step; its first and last step have order 1.
    """
    x, before, h_before = x_T, None, None
    for t, s in zip(times[:-1], times[1:]):
        x_0_hat = x_0_from_eps(schedule, x, t, eps_theta(x, t))
        if s == 0:  # lambda is infinite there
            x = x_0_hat
        else:
            h = 0.5 * np.log(snr(schedule, s) / snr(schedule, t))
            D = x_0_hat if before is None else x_0_hat + like(x, h / (2 * h_before)) * (x_0_hat - before)
            ab_t, ab_s = schedule.alpha_bar_at(t), schedule.alpha_bar_at(s)
            kept = like(x, np.sqrt((1 - ab_s) / (1 - ab_t)))
            x = kept * x - like(x, np.sqrt(ab_s) * np.expm1(-h)) * D
            before, h_before = x_0_hat, h
        yield x


def reverse_sde(eps_theta, schedule, x_t, t, s, rng):
    """The reverse SDE by Euler-Maruyama, from t to s.    [Score SDE eq. 6]"""
    process = _downwards(schedule, t, s)
    z = rng.standard_normal(x_t.shape, x_t.dtype)
    return sde.reverse_step(process, sde.score_of(eps_theta, process), x_t, t, s, z)


def langevin(inner=5, ratio=0.2):
    """Returns the step of annealed Langevin dynamics: `inner` moves at level t, then on to level s.
    [CME296 lecture 2]

        x <- x + a/2 score(x, t) + sqrt(a) z,  a = ratio (1 - ab_t)      `inner` times
        x_s = sqrt(ab_s / ab_t) x                                        at s = 0 it is x_0_hat

    It needs a score only, no reverse process: the moves at a level lead to that level's density from any
    start that is near. Scaling leaves too much noise for level s; the moves there take it out.
    ratio, below 4, is the step size as a part of the level's variance.
    """
    if not isinstance(inner, int) or inner < 1:
        raise ValueError(f"inner must be a whole number of at least 1, got {inner!r}")
    if not 0 < ratio < 4:
        raise ValueError(f"ratio must lie between 0 and 4, got {ratio!r}")

    def step(eps_theta, schedule, x_t, t, s, rng):
        a, size = alpha_of_step(schedule, t, s), ratio * (1 - schedule.alpha_bar_at(t))
        score = sde.score_of(eps_theta, schedule)
        for _ in range(inner):
            z = rng.standard_normal(x_t.shape, x_t.dtype)
            x_t = sde.langevin_step(score(x_t, t), x_t, size, z)
        if np.all(np.equal(s, 0)):
            return x_0_from_eps(schedule, x_t, t, eps_theta(x_t, t))
        return x_t / like(x_t, np.sqrt(a))

    return step


def evaluations(sampler, schedule, times) -> int:
    """How often a sampler asks its network on the way down the times (NFE): counted on one row."""
    asked = []

    def network(x_t, t):
        asked.append(t)
        return x_t

    eps_theta = FlowDenoiser(network, continuous(schedule))  # a flow's own samplers ask it too
    list(sampler(eps_theta, schedule, np.ones((1, 1)), times, np.random.default_rng(0)))
    return len(asked)
