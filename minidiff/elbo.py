"""How likely a denoiser finds the data: the ELBO, term by term.

    log p(x_0) >= ELBO = -(L_T + sum_{t=2..T} L_{t-1} + L_0)    [DDPM eq. 5]

    term     is                                                      here
    L_T      KL(q(x_T | x_0) || N(0, I))                             closed form
    L_{t-1}  E KL(q(x_{t-1} | x_t, x_0) || p_theta(x_{t-1} | x_t))   two Gaussians, x_t drawn
    L_0      -E log p_theta(x_0 | x_1)                               a density of its own variance

p_theta(x_{t-1} | x_t) has ddpm_step's mean and the variance var(schedule, t, s) of sampling.py. All in nats,
summed over the d coordinates, one number for each row of x_0 (B, d).
"""

import numpy as np

from .gaussian import kl, log_normal, posterior, q_sample, x_0_from_eps
from .protocols import Array, Denoiser, Noise, Times
from .sampling import beta_tilde
from .schedule import Schedule


def prior_kl(schedule: Schedule, second_moment):
    """E KL(q(x_T | x_0) || N(0, 1)) = 1/2 [ab_T E x_0^2 - ab_T - log(1 - ab_T)].    [DDPM eq. 5]
    L_T: what x_T still knows of the data. second_moment is E x_0^2, per coordinate."""
    ab_T = schedule.alpha_bar[-1]
    return 0.5 * (ab_T * second_moment - ab_T - np.log1p(-ab_T))


def guess(eps_theta: Denoiser, schedule: Schedule, x_0: Array, t: Times, rng: Noise):
    """One x_t for each row, and x_0_hat from it."""
    x_t = q_sample(schedule, x_0, t, rng.standard_normal(x_0.shape))
    return x_t, x_0_from_eps(schedule, x_t, t, eps_theta(x_t, t))


def term(eps_theta: Denoiser, schedule: Schedule, x_0: Array, t: Times, var, rng: Noise) -> Array:
    """L_{t-1} = E KL(q(x_{t-1} | x_t, x_0) || p_theta(x_{t-1} | x_t)), t >= 2: (B,).    [DDPM eq. 5]"""
    x_t, x_0_hat = guess(eps_theta, schedule, x_0, t, rng)
    # where x_{t-1} was, for one who knows x_0, and for the network, which puts its guess in x_0's place
    mean, tilde = posterior(schedule, x_0, x_t, t, t - 1)
    mean_theta, _ = posterior(schedule, x_0_hat, x_t, t, t - 1)
    # so the two means differ by what the network got wrong
    each = kl(mean, tilde, mean_theta, var(schedule, t, t - 1))
    return each.sum(axis=1)


def reconstruction(eps_theta: Denoiser, schedule: Schedule, x_0: Array, rng: Noise) -> Array:
    """L_0 = -log N(x_0; mu_theta(x_1, 1), beta_1 I) of continuous data: (B,); mu_theta = x_0_hat.
    May be negative: it is a density. Its variance is its own, as beta_tilde_1 = 0."""
    _, x_0_hat = guess(eps_theta, schedule, x_0, 1, rng)
    return -log_normal(x_0, x_0_hat, schedule.beta[1])


def terms(
    eps_theta: Denoiser,
    schedule: Schedule,
    x_0: Array,
    rng: Noise,
    var=beta_tilde,
    L_0=reconstruction,
    times=None,
) -> Array:
    """All of them: L (T + 1, B) with L[t] = L_t; the ELBO of each row is -L.sum(axis=0).
    times: which t of 2..T to work out; the others stay NaN. L_0: for data that are not continuous, another
    one (evaluation/greys.py)."""
    x_0 = np.asarray(x_0, np.float64)
    T = schedule.T
    L = np.full((T + 1, len(x_0)), np.nan)
    second_moment = np.mean(x_0**2, axis=1)
    L[T] = prior_kl(schedule, second_moment) * x_0.shape[1]
    for t in range(2, T + 1) if times is None else times:
        L[t - 1] = term(eps_theta, schedule, x_0, t, var, rng)
    L[0] = L_0(eps_theta, schedule, x_0, rng)
    return L
