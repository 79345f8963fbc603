"""From noise to data: one function a step, one loop, any denoiser.

    letter         name       meaning
    x_t, x_s       x_t, x_s   (B, ...) the picture at time t, and at the next, smaller time s < t
    epsilon_theta  eps_theta  a callable eps_theta(x_t, t) -> eps_hat: a network, or an exact denoiser
    z              z          fresh noise of a step
    sigma^2        var        variance of that noise
    a              a          ab_t / ab_s, which is alpha_t when s = t - 1

A step is step(eps_theta, schedule, x_t, t, s, rng) -> x_s, with t and s ints; for DDPM and DDIM also (B,).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .arrays import keeps_dtype, on_axes_of
from .gaussian import check_order, posterior_weights, x_0_from_eps


def beta_tilde(schedule, t, s):
    """var = (1 - ab_s) / (1 - ab_t) (1 - a): the posterior's, true for a single x_0.    [DDPM eq. 7]"""
    return posterior_weights(schedule, 0.0, t, s)[2]


def beta(schedule, t, s):
    """var = 1 - a, and 0 at s = 0; true for x_0 ~ N(0, I). If s = t - 1 it is beta_t.    [DDPM section 3.2]
    The last step adds no noise because no later step would take it away."""
    check_order(t, s)
    a = schedule.at(t, 0.0) / schedule.at(s, 0.0)
    return (1 - a) * (np.asarray(s) > 0)


def gaussian_optimal(data_var):
    """Returns var = Var(x_s | x_t) for data N(m, data_var I): beta_tilde plus what not knowing x_0 adds.

        var = beta_tilde + c_0^2 Var(x_0 | x_t),    1 / Var(x_0 | x_t) = 1 / data_var + ab_t / (1 - ab_t)

    c_0 is the posterior's. 0 gives beta_tilde, 1 gives 1 - a. Unlike those it is not 0 at s = 0: x_0 itself
    varies."""
    if not 0 <= data_var < np.inf:
        raise ValueError(f"data_var must be finite and at least 0, got {data_var!r}")

    def var(schedule, t, s):
        (c_0, _, tilde), ab_t = posterior_weights(schedule, 0.0, t, s), schedule.at(t, 0.0)
        return tilde + c_0**2 * data_var * (1 - ab_t) / (1 - ab_t + ab_t * data_var)

    return var


def _fresh(var, x_t, rng):
    """sqrt(var) z. Nothing is drawn where nothing would be added."""
    return np.sqrt(var) * rng.standard_normal(x_t.shape, x_t.dtype) if np.any(var > 0) else 0.0


def ddpm(var=beta_tilde):
    """The step x_s = (x_t - (1 - a) / sqrt(1 - ab_t) eps_hat) / sqrt(a) + sqrt(var) z.    [DDPM eq. 11]
    var is beta_tilde, beta or gaussian_optimal(...). Raises TypeError for anything that cannot be called."""
    if not callable(var):
        raise TypeError(f"var must be a function such as beta or beta_tilde, got {var!r}")

    @keeps_dtype
    def step(eps_theta, schedule, x_t, t, s, rng):
        ab_t, ab_s = schedule.at(t, x_t), schedule.at(s, x_t)
        a = ab_t / ab_s
        # the posterior's mean with x_0_hat for x_0: take out the noise that the steps from s to t have added
        mean = (x_t - (1 - a) / np.sqrt(1 - ab_t) * eps_theta(x_t, t)) / np.sqrt(a)
        # x_0 is not known exactly, so x_s is not either: as much fresh noise as it may scatter
        return mean + _fresh(on_axes_of(x_t, var(schedule, t, s)), x_t, rng)

    return step


def ddim(eta=0.0):
    """The step x_s = sqrt(ab_s) x_0_hat + sqrt(1 - ab_s - var) eps_hat + sqrt(var) z.    [DDIM eq. 12]
    var = eta^2 beta_tilde: eta = 0 draws nothing, eta = 1 is ddpm(beta_tilde). The paper's alpha is our
    alpha_bar; its sigma is ours.    [DDIM eq. 16]    Raises ValueError for eta outside [0, 1]."""
    if isinstance(eta, str) or not 0 <= eta <= 1:
        raise ValueError(f"eta must lie in [0, 1], got {eta!r}")

    @keeps_dtype
    def step(eps_theta, schedule, x_t, t, s, rng):
        ab_s = schedule.at(s, x_t)
        # guess the picture
        eps_hat = eps_theta(x_t, t)
        x_0_hat = x_0_from_eps(schedule, x_t, t, eps_hat)
        # put back noise of variance 1 - ab_s, as belongs at s: `var` of it is fresh, the rest is the old one
        var = eta**2 * on_axes_of(x_t, beta_tilde(schedule, t, s))
        return np.sqrt(ab_s) * x_0_hat + np.sqrt(1 - ab_s - var) * eps_hat + _fresh(var, x_t, rng)

    return step


def _grid(T, steps, times):
    if not 1 <= steps <= T:
        raise ValueError(f"steps must lie in 1..T = {T}, got {steps}")
    return np.append(np.round(times), 0).astype(int)


def trailing(T, steps):
    """[T, T - T/steps, ..., T/steps, 0], rounded: starts where the noise is, at T."""
    return _grid(T, steps, T * np.arange(steps, 0, -1) / max(steps, 1))


def leading(T, steps):
    """[1 + (steps - 1) k, ..., 1 + k, 1, 0], k = T // steps: starts below T, as much-used libraries do."""
    return _grid(T, steps, 1 + np.arange(steps - 1, -1, -1) * (T // max(steps, 1)))


def linspace(T, steps):
    """round(linspace(1, T, steps)) downwards, then 0.    [Improved DDPM section 4]"""
    return _grid(T, steps, np.linspace(1, T, max(steps, 1))[::-1] if steps != 1 else [T])


def check_times(schedule, times):
    """times as an array. Raises ValueError unless they descend within T..0 (above 0, some noise stays in)."""
    times = np.asarray(times)
    if times.ndim != 1 or len(times) < 2 or np.any(np.diff([schedule.T + 1, *times, -1]) >= 0):
        raise ValueError(f"times must descend within T..0, T = {schedule.T}, got {times}")
    return times


def check_start(schedule, x_T, times):
    """check_times, and ValueError unless x_T is a float array (rows, ...)."""
    if x_T.ndim < 2 or len(x_T) < 1 or x_T.dtype.kind != "f":
        raise ValueError(f"x_T must be a float array (rows, ...), not empty, got {x_T.dtype} {x_T.shape}")
    return check_times(schedule, times)


@dataclass(frozen=True, eq=False)
class Multistep:
    """For a step: a solver that remembers, walk(eps_theta, schedule, x_T, times, rng), yielding every x_s."""

    walk: Callable


def sample(step, eps_theta, schedule, x_T, times, rng):
    """Walks x_T down the times to 0 and yields every x_s; the last is x_0.    [DDPM algorithm 2]"""
    times, x = check_start(schedule, x_T, times), x_T
    if isinstance(step, Multistep):
        yield from step.walk(eps_theta, schedule, x_T, times, rng)
        return
    # lines 2-5 of the algorithm; there s is t - 1, and pairs (t, s) may also skip times
    for t, s in zip(times[:-1], times[1:]):
        x = step(eps_theta, schedule, x, t, s, rng)
        yield x
