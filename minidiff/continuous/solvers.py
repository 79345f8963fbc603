"""More ways from noise to data than DDPM and DDIM: as steps for `sample`, all driven by the same eps_theta.

    letter   name   meaning
    lambda   lam    log sqrt(ab_t / (1 - ab_t)), half the log of the signal-to-noise ratio: it grows towards data
    h        h      lambda_s - lambda_t > 0
    theta    angle  cos(theta) = sqrt(ab_t): in theta the probability-flow ODE is the same for every schedule

The schedule may be discrete or continuous: solvers that ask between whole times use `continuous(schedule)`.
Heun, Runge-Kutta and DPM-Solver++ end with a first-order step to s = 0, where no noise is left to ask about.
"""

import numpy as np

from ..arrays import keeps_dtype
from ..gaussian import check_order, q_sample, snr, x_0_from_eps
from ..sample import sample
from . import ode, sde
from .process import continuous


def pf_ode(method):
    """Returns the step of dx/dtheta = v_hat from theta_t to theta_s, cos(theta) = sqrt(alpha_bar).    [Score SDE eq. 13]

    method is one of ode.py. All but Euler also ask at s, where there is no noise to ask about at s = 0: there x_0_hat is taken.
    """

    def step(eps_theta, schedule, x_t, t, s, rng):
        check_order(t, s)
        process = continuous(schedule)
        if method is not ode.euler and s == 0:
            return x_0_from_eps(process, x_t, t, eps_theta(x_t, t))
        return method(
            sde.velocity_by_angle(process, eps_theta), x_t, sde.angle(process, t), sde.angle(process, s)
        )

    return step


@keeps_dtype
def dpm_solver_1(eps_theta, schedule, x_t, t, s, rng):
    """x_s = sqrt(ab_s / ab_t) x_t - sqrt(1 - ab_s) (e^h - 1) eps_hat: DDIM again.    [DPM-Solver section 3.2]

    sqrt(1 - ab_s) e^h is written as sqrt(ab_s (1 - ab_t) / ab_t), because at s = 0 it would be 0 times infinity.
    """
    check_order(t, s)
    ab_t, ab_s = schedule.at(t, x_t), schedule.at(s, x_t)
    grown = np.sqrt(ab_s * (1 - ab_t) / ab_t)
    return np.sqrt(ab_s / ab_t) * x_t - (grown - np.sqrt(1 - ab_s)) * eps_theta(x_t, t)


@keeps_dtype
def _multistep(schedule, x_t, t, s, h, D):
    """x_s = sqrt((1 - ab_s) / (1 - ab_t)) x_t - sqrt(ab_s) (e^-h - 1) D: exact if x_0_hat were D all the way from t to s."""
    ab_t, ab_s = schedule.at(t, x_t), schedule.at(s, x_t)
    return np.sqrt((1 - ab_s) / (1 - ab_t)) * x_t - np.sqrt(ab_s) * np.expm1(-h) * D


def dpm_solver_pp_2m(eps_theta, schedule, x_T, times, rng):
    """DPM-Solver++(2M): x_0_hat is taken as a line in lambda through the last two answers.    [DPM-Solver++ algorithm 2]

        D = x_0_hat + h / (2 h_before) (x_0_hat - x_0_hat_before),    the line's value in the middle of the step

    Order 2 for one evaluation a step. It remembers, so it is the walk of a sample.Multistep. First and last step: order 1.
    """
    x, before, h_before = x_T, None, None
    for t, s in zip(times[:-1], times[1:]):
        x_0_hat = x_0_from_eps(schedule, x, t, eps_theta(x, t))
        if s == 0:  # lambda is infinite there
            x = x_0_hat
        else:
            h = 0.5 * np.log(snr(schedule, s) / snr(schedule, t))
            D = (
                x_0_hat
                if before is None
                else x_0_hat + np.asarray(h / (2 * h_before), x.dtype) * (x_0_hat - before)
            )
            x, before, h_before = _multistep(schedule, x, t, s, h, D), x_0_hat, h
        yield x


def reverse_sde(eps_theta, schedule, x_t, t, s, rng):
    """The reverse SDE by Euler-Maruyama, from t to s.    [Score SDE eq. 6]"""
    check_order(t, s)
    process = continuous(schedule)
    z = rng.standard_normal(x_t.shape, x_t.dtype)
    return sde.reverse_step(process, sde.score_of(eps_theta, process), x_t, t, s, z)


def langevin(inner=5, ratio=0.2):
    """Returns the step of annealed Langevin dynamics: `inner` moves at level t, then on to level s.    [CME296 lecture 2]

        x <- x + a/2 score(x, t) + sqrt(a) z,  a = ratio (1 - ab_t);    then x_s = sqrt(ab_s / ab_t) x, at s = 0 x_0_hat

    It needs a score only, no reverse process: the moves at a level lead to that level's density from any start that is
    near. Scaling leaves too much noise for level s; the moves there take it out. ratio is the step size as a part of the
    level's variance, below 4.
    """
    if not isinstance(inner, int) or inner < 1:
        raise ValueError(f"inner must be a whole number of at least 1, got {inner!r}")
    if not 0 < ratio < 4:
        raise ValueError(f"ratio must lie between 0 and 4, got {ratio!r}")

    @keeps_dtype
    def step(eps_theta, schedule, x_t, t, s, rng):
        check_order(t, s)
        ab_t, ab_s, score = schedule.at(t, x_t), schedule.at(s, x_t), sde.score_of(eps_theta, schedule)
        for _ in range(inner):
            x_t = sde.langevin_step(
                score(x_t, t), x_t, ratio * (1 - ab_t), rng.standard_normal(x_t.shape, x_t.dtype)
            )
        if np.all(np.asarray(s) == 0):
            return x_0_from_eps(schedule, x_t, t, eps_theta(x_t, t))
        return np.sqrt(ab_s / ab_t) * x_t

    return step


def inpainting(step, x_known, mask):
    """Returns the step that replaces what is known: x_s = m q_sample(x_known, s) + (1 - m) step(x_t).    [RePaint eq. 8]

    x_known and mask: a picture's shape, or one for each row; x_known is not looked at where mask is 0. The known part is
    noised anew at every s and does not depend on what the step drew elsewhere. The two parts therefore fit each other less
    than they should: this is not the exact conditional, and `recursion.moments` says by how much for Gaussian data.
    Raises ValueError for a mask of another shape, or with other values than 0 and 1.
    """
    x_known, mask = np.asarray(x_known), np.asarray(mask)
    if mask.shape != x_known.shape or not np.isin(mask, (0, 1)).all():
        raise ValueError(
            f"mask must hold 0 and 1 and have the picture's shape {x_known.shape}, got {mask.shape}"
        )

    def inpaint(eps_theta, schedule, x_t, t, s, rng):
        x_s = step(eps_theta, schedule, x_t, t, s, rng)
        if mask.shape not in (x_s.shape, x_s.shape[1:]):
            raise ValueError(
                f"mask must have the shape {x_s.shape[1:]} of a row or {x_s.shape} of all, got {mask.shape}"
            )
        known = np.broadcast_to(np.where(mask == 1, x_known, 0), x_s.shape).astype(x_s.dtype)
        if s > 0:  # as noisy as the rest is at s
            known = q_sample(schedule, known, s, rng.standard_normal(x_s.shape, x_s.dtype))
        return np.where(mask == 1, known, x_s)

    return inpaint


def evaluations(step, schedule, times):
    """How often a sampler asks its denoiser on the way down the times (NFE): counted on one row."""
    asked = []
    noted = lambda x_t, t: asked.append(t) or x_t  # noqa: E731
    list(sample(step, noted, schedule, np.ones((1, 1)), times, np.random.default_rng(0)))
    return len(asked)
