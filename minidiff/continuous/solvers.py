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
from ..cli.names import pick
from ..gaussian import check_order, snr, x_0_from_eps
from ..sample import Multistep, beta, beta_tilde, ddim, ddpm, gaussian_optimal
from . import flow, ode, sde
from .process import continuous


def pf_ode(method):
    """Returns the step of dx/dtheta = v_hat from theta_t to theta_s, cos(theta) = sqrt(alpha_bar).    [Score SDE eq. 13]

    method is ode.euler, heun or rk4; the last two also ask later than t, so that to s = 0 they go by x_0_hat instead.
    """

    def step(eps_theta, schedule, x_t, t, s, rng):
        check_order(t, s)
        process = continuous(schedule)
        if method is not ode.euler and s == 0:
            return x_0_from_eps(process, x_t, t, eps_theta(x_t, t))
        return method(sde.velocity_by_angle(process, eps_theta), x_t, sde.angle(process, t), sde.angle(process, s))

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
            D = x_0_hat if before is None else x_0_hat + np.asarray(h / (2 * h_before), x.dtype) * (x_0_hat - before)
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
            x_t = sde.langevin_step(score(x_t, t), x_t, ratio * (1 - ab_t), rng.standard_normal(x_t.shape, x_t.dtype))
        if np.all(np.asarray(s) == 0):
            return x_0_from_eps(schedule, x_t, t, eps_theta(x_t, t))
        return np.sqrt(ab_s / ab_t) * x_t

    return step


SOLVERS = {  # name -> step, and how many steps where nobody says (None: all T)
    "euler": (pf_ode(ode.euler), 50),
    "heun": (pf_ode(ode.heun), 25),
    "rk4": (pf_ode(ode.rk4), 15),
    "dpm-solver-1": (dpm_solver_1, 50),
    "dpm-solver++": (Multistep(dpm_solver_pp_2m), 25),
    "reverse-sde": (reverse_sde, None),
    "langevin": (langevin(), 100),
}
VARIANCES = ("beta-tilde", "beta", "gaussian-optimal")
SAMPLERS = ("ddpm", "ddim", *SOLVERS)


def by_name(name, var=None, eta=None, data_var=lambda: 1.0, straight=False):
    """(label, step, default number of steps or None for T) of a sampler.

    var is a name of VARIANCES, for ddpm; eta for ddim; data_var() the data's variance, asked for if var needs it.
    straight: euler, heun and rk4 walk flow.py's straight path, on a velocity. Raises ValueError for what does not fit.
    """
    for option, value, owner in (("var", var, "ddpm"), ("eta", eta, "ddim")):
        if value is not None and name != owner and name in SAMPLERS:
            raise ValueError(f"--{option} means nothing to {name}, got {value}")
    if name == "ddpm":
        var = var or VARIANCES[0]
        variance = pick("var", dict.fromkeys(VARIANCES) | {"beta": beta, "beta-tilde": beta_tilde}, var)
        return f"ddpm({var})", ddpm(variance or gaussian_optimal(data_var())), None
    if name == "ddim":
        return f"ddim(eta={eta or 0:g})", ddim(eta or 0.0), 50
    step, steps = pick("sampler", dict.fromkeys(SAMPLERS) | SOLVERS, name)
    if straight and name in ode.METHODS:
        return f"flow {name}", Multistep(flow.straight(ode.METHODS[name])), steps
    return name, step, steps
