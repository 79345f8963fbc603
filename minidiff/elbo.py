"""How likely a denoiser finds the data: the ELBO term by term, and what it loses against the truth.

    log p(x_0) >= ELBO = -(L_T + sum_{t=2..T} L_{t-1} + L_0)    [DDPM eq. 5]

    term     is                                                      here
    L_T      KL(q(x_T | x_0) || N(0, I))                             closed form
    L_{t-1}  E KL(q(x_{t-1} | x_t, x_0) || p_theta(x_{t-1} | x_t))   two Gaussians, x_t drawn
    L_0      -E log p_theta(x_0 | x_1)                               a density, or the mass of a grey level

p_theta(x_{t-1} | x_t) has ddpm's mean and the variance var(schedule, t, s) of sample.py. All in nats, summed
over the d coordinates, one number for each row of x_0 (B, d).
"""

import math

import numpy as np

from .gaussian import kl as gaussian_kl
from .gaussian import log_normal, posterior, prior_kl, q_sample, q_step, x_0_from_eps
from .sample import beta_tilde


def _guess(eps_theta, schedule, x_0, t, rng):
    """One x_t for each row, and x_0_hat from it."""
    x_t = q_sample(schedule, x_0, t, rng.standard_normal(x_0.shape))
    return x_t, x_0_from_eps(schedule, x_t, t, eps_theta(x_t, t))


def term(eps_theta, schedule, x_0, t, var, rng):
    """L_{t-1} = E KL(q(x_{t-1} | x_t, x_0) || p_theta(x_{t-1} | x_t)), t >= 2: (B,).    [DDPM eq. 5]"""
    x_t, x_0_hat = _guess(eps_theta, schedule, x_0, t, rng)
    # where x_{t-1} was, for one who knows x_0, and for the network, which puts its guess in x_0's place
    mean, tilde = posterior(schedule, x_0, x_t, t, t - 1)
    mean_theta, _ = posterior(schedule, x_0_hat, x_t, t, t - 1)
    # so the two means differ by what the network got wrong
    return gaussian_kl(mean, tilde, mean_theta, var(schedule, t, t - 1)).sum(axis=1)


def reconstruction(eps_theta, schedule, x_0, rng):
    """L_0 = -log N(x_0; mu_theta(x_1, 1), beta_1 I) of continuous data: (B,); mu_theta = x_0_hat.
    May be negative: it is a density. Its variance is its own, as beta_tilde_1 = 0."""
    _, x_0_hat = _guess(eps_theta, schedule, x_0, 1, rng)
    return -log_normal(x_0, x_0_hat, schedule.beta[1])


def _log_cdf_difference(low, high):
    """log(Phi(high) - Phi(low)) = log phi(c) + log int_low^high exp((c^2 - x^2) / 2) dx, low < high.
    c, the point of [low, high] closest to 0, keeps it from underflow; Gauss-Legendre on either side of c."""
    c = np.clip(0.0, low, high)
    reach, integral = np.sqrt(c**2 + 80) - np.abs(c), 0.0
    for end in (np.maximum(low - c, -reach), np.minimum(high - c, reach)):
        for node, weight in zip(*np.polynomial.legendre.leggauss(32)):
            u = end * (node + 1) / 2
            integral = integral + np.abs(end) * weight / 2 * np.exp(-u * (u / 2 + c))
    log_mass = np.log(integral) - c**2 / 2 - math.log(2 * math.pi) / 2
    return np.minimum(log_mass, 0.0)  # the sum may round to a mass above 1


def reconstruction_of_greys(eps_theta, schedule, x_0, levels, rng):
    """L_0 = -log of the mass of N(mu_theta(x_1, 1), beta_1 I) around x_0's grey level: (B,).    [DDPM eq. 13]
    x_0 is one of `levels` greys in -1..1; each owns half the way to the next, the outermost all beyond."""
    half, std = 1 / (levels - 1), math.sqrt(schedule.beta[1])
    _, x_0_hat = _guess(eps_theta, schedule, x_0, 1, rng)
    low = np.where(x_0 < -1 + half, -np.inf, (x_0 - half - x_0_hat) / std)
    high = np.where(x_0 > 1 - half, np.inf, (x_0 + half - x_0_hat) / std)
    return -_log_cdf_difference(low, high).sum(axis=1)


def terms(eps_theta, schedule, x_0, rng, var=beta_tilde, levels=None, times=None, progress=lambda n: None):
    """All of them: L (T + 1, B) with L[t] = L_t; the ELBO of each row is -L.sum(axis=0).
    levels: x_0 are that many greys in [-1, 1]. times: which t of 2..T to work out; the others stay NaN."""
    L = np.full((schedule.T + 1, len(x_0)), np.nan)
    L[schedule.T] = prior_kl(schedule, np.mean(np.asarray(x_0, np.float64) ** 2, axis=1)) * x_0.shape[1]
    for t in range(2, schedule.T + 1) if times is None else times:
        L[t - 1] = term(eps_theta, schedule, x_0, int(t), var, rng)
        progress(1)
    if levels is None:
        L[0] = reconstruction(eps_theta, schedule, x_0, rng)
    else:
        L[0] = reconstruction_of_greys(eps_theta, schedule, x_0, levels, rng)
    return L


def gap(mixture, eps_theta, schedule, n, rng, var=beta_tilde, times=None):
    """What the ELBO loses at each t when the data are a mixture: n draws with the right mean, (T + 1, n).

        E log q(x_0) - E ELBO = KL(q(x_T) || N(0, I)) + sum_t E KL(q(x_{t-1} | x_t) || p_theta(x_{t-1} | x_t))

    Row t - 1 belongs to the step from t, row T to N(0, I) in place of q(x_T). A draw of KL(q || p) is r - 1 -
    log r with r = p / q: it has the mean of -log r, as E_q r = 1, but is never negative and scatters less.
    Even the perfect denoiser has a gap: the true reverse step is not a Gaussian of variance var."""
    x_0 = mixture.sample(n, rng)
    out = np.full((schedule.T + 1, n), np.nan)
    for t in range(1, schedule.T + 1) if times is None else times:
        t, s = int(t), int(t) - 1
        x_s = q_sample(schedule, x_0, s, rng.standard_normal(x_0.shape))
        x_t, beta_t = q_step(schedule, x_s, t, rng.standard_normal(x_0.shape)), schedule.beta[t]
        # the true reverse step, by Bayes: q(x_s | x_t) = q(x_t | x_s) q(x_s) / q(x_t)
        true = log_normal(x_t, math.sqrt(schedule.alpha[t]) * x_s, beta_t)
        true += mixture.log_prob(schedule, x_s, s) - mixture.log_prob(schedule, x_t, t)
        # and p_theta's
        mean, _ = posterior(schedule, x_0_from_eps(schedule, x_t, t, eps_theta(x_t, t)), x_t, t, s)
        log_r = log_normal(x_s, mean, beta_t if s == 0 else float(var(schedule, t, s))) - true
        out[s] = np.expm1(log_r) - log_r
    x_T = q_sample(schedule, x_0, schedule.T, rng.standard_normal(x_0.shape))
    log_r = log_normal(x_T, 0.0, 1.0) - mixture.log_prob(schedule, x_T, schedule.T)
    out[schedule.T] = np.expm1(log_r) - log_r
    return out
