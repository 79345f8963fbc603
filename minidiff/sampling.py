"""From noise to data, one step at a time: DDPM and DDIM, for any denoiser. (The loop is in ddpm.py.)

    letter         name       meaning
    x_t, x_s       x_t, x_s   (B, ...) the picture at time t, and at the next, smaller time s < t
    epsilon_theta  eps_theta  a callable eps_theta(x_t, t) -> eps_hat: a network, or an exact denoiser
    z              z          fresh noise of a step
    sigma^2        var        variance of that noise
    a              a          ab_t / ab_s, which is alpha_t when s = t - 1

A step is step(eps_theta, schedule, x_t, t, s, rng) -> x_s, with t and s ints; for DDPM and DDIM also (B,).
"""

import numpy as np

from .gaussian import alpha_of_step, like, posterior_weights, x_0_from_eps
from .protocols import Array, Noise, Preserving, Step, Times


def beta_tilde(schedule: Preserving, t: Times, s: Times) -> Array:
    """var = (1 - ab_s) / (1 - ab_t) (1 - a): the posterior's, true for a single x_0.    [DDPM eq. 7]"""
    _, _, var = posterior_weights(schedule, t, s)
    return var


def beta_of_step(schedule: Preserving, t: Times, s: Times) -> Array:
    """var = 1 - a, and 0 at s = 0; true for x_0 ~ N(0, I). If s = t - 1 it is beta_t.    [DDPM section 3.2]
    The last step adds no noise because no later step would take it away."""
    return (1 - alpha_of_step(schedule, t, s)) * np.greater(s, 0)


def gaussian_optimal(data_var: float):
    """Returns var = Var(x_s | x_t) for data N(m, data_var I): beta_tilde plus what not knowing x_0 adds.

        var = beta_tilde + c_0^2 Var(x_0 | x_t),    1 / Var(x_0 | x_t) = 1 / data_var + ab_t / (1 - ab_t)

    c_0 is the posterior's. 0 gives beta_tilde, 1 gives 1 - a. Unlike those it is not 0 at s = 0: x_0 itself
    varies."""

    def var(schedule, t, s):
        c_0, _, tilde = posterior_weights(schedule, t, s)
        ab_t = schedule.alpha_bar_at(t)
        var_x_0 = data_var * (1 - ab_t) / (1 - ab_t + ab_t * data_var)
        return tilde + c_0**2 * var_x_0

    return var


def _fresh(var, x_t: Array, rng: Noise):
    """sqrt(var) z. Nothing is drawn where nothing would be added."""
    if not np.any(var > 0):
        return 0
    z = rng.standard_normal(x_t.shape, x_t.dtype)
    return like(x_t, np.sqrt(var)) * z


def ddpm_step(var=beta_tilde) -> Step:
    """The step x_s = (x_t - (1 - a) / sqrt(1 - ab_t) eps_hat) / sqrt(a) + sqrt(var) z.    [DDPM eq. 11]
    var is beta_tilde, beta_of_step or gaussian_optimal(...)."""

    def step(eps_theta, schedule, x_t, t, s, rng):
        a, ab_t = alpha_of_step(schedule, t, s), schedule.alpha_bar_at(t)
        # the posterior's mean with x_0_hat for x_0: take out the noise that the steps from s to t have added
        removed = like(x_t, (1 - a) / np.sqrt(1 - ab_t)) * eps_theta(x_t, t)
        mean = (x_t - removed) / like(x_t, np.sqrt(a))
        # x_0 is not known exactly, so x_s is not either: as much fresh noise as it may scatter
        return mean + _fresh(var(schedule, t, s), x_t, rng)

    return step


def ddim_step(eta: float = 0.0) -> Step:
    """The step x_s = sqrt(ab_s) x_0_hat + sqrt(1 - ab_s - var) eps_hat + sqrt(var) z.    [DDIM eq. 12]
    var = eta^2 beta_tilde: eta = 0 draws nothing, eta = 1 is ddpm_step(beta_tilde). The paper's alpha is our
    alpha_bar; its sigma is ours.    [DDIM eq. 16]    Raises ValueError for eta outside [0, 1]."""
    if not 0 <= eta <= 1:
        raise ValueError(f"eta must lie in [0, 1], got {eta!r}")

    def step(eps_theta, schedule, x_t, t, s, rng):
        # guess the picture
        eps_hat = eps_theta(x_t, t)
        x_0_hat = x_0_from_eps(schedule, x_t, t, eps_hat)
        # put back noise of variance 1 - ab_s, as belongs at s: `var` of it is fresh, the rest is the old one
        var = eta**2 * beta_tilde(schedule, t, s)
        ab_s = schedule.alpha_bar_at(s)
        signal, old = like(x_t, np.sqrt(ab_s)), like(x_t, np.sqrt(1 - ab_s - var))
        return signal * x_0_hat + old * eps_hat + _fresh(var, x_t, rng)

    return step


def trailing(T: int, steps: int) -> Array:
    """[T, T - T/steps, ..., T/steps, 0], rounded: starts where the noise is, at T."""
    _check(T, steps)
    return _whole(T * np.arange(steps, -1, -1) / steps)


def leading(T: int, steps: int) -> Array:
    """[1 + (steps - 1) k, ..., 1 + k, 1, 0], k = T // steps: starts below T, as much-used libraries do."""
    _check(T, steps)
    times = 1 + T // steps * np.arange(steps)
    return _whole([*times[::-1], 0])


def linspace(T: int, steps: int) -> Array:
    """round(linspace(1, T, steps)) downwards, then 0.    [Improved DDPM section 4]"""
    _check(T, steps)
    times = np.linspace(1, T, steps)[::-1] if steps > 1 else [T]
    return _whole([*times, 0])


def _check(T, steps):
    if not 1 <= steps <= T:
        raise ValueError(f"steps must lie in 1..T = {T}, got {steps}")


def _whole(times):
    return np.round(times).astype(int)
