"""What the ELBO loses against the exact likelihood, step by step, where data are a mixture of Gaussians."""

import math

import numpy as np

from ..gaussian import log_normal, posterior, q_sample, q_step, x_0_from_eps
from ..sampling import beta_tilde


def gap(mixture, eps_theta, schedule, n, rng, var=beta_tilde, times=None):
    """What the ELBO loses at each t when the data are a mixture: n draws with the right mean, (T + 1, n).

        E log q(x_0) - E ELBO = KL(q(x_T) || N(0, I)) + sum_t E KL(q(x_{t-1} | x_t) || p_theta(x_{t-1} | x_t))

    Row t - 1 is the loss of the step from t to t - 1; row T that of starting from N(0, I) instead of q(x_T).
    A draw of KL(q || p) is r - 1 - log r, r = p / q. It has the mean of -log r, as E_q r = 1, but is never
    negative and scatters less. times: which t of 1..T to work out; the other rows stay NaN.
    Even the perfect denoiser has a gap: the true reverse step is not a Gaussian of variance var."""
    T = schedule.T
    x_0 = mixture.sample(n, rng)
    out = np.full((T + 1, n), np.nan)
    for t in range(1, T + 1) if times is None else times:
        s, beta_t = t - 1, schedule.beta[t]
        x_s = q_sample(schedule, x_0, s, rng.standard_normal(x_0.shape))
        x_t = q_step(schedule, x_s, t, rng.standard_normal(x_0.shape))
        # the true reverse step, by Bayes: q(x_s | x_t) = q(x_t | x_s) q(x_s) / q(x_t)
        log_q = log_normal(x_t, math.sqrt(schedule.alpha[t]) * x_s, beta_t)
        log_q += mixture.log_prob(schedule, x_s, s) - mixture.log_prob(schedule, x_t, t)
        # and p_theta's
        x_0_hat = x_0_from_eps(schedule, x_t, t, eps_theta(x_t, t))
        mean, _ = posterior(schedule, x_0_hat, x_t, t, s)
        log_p = log_normal(x_s, mean, var(schedule, t, s) if s else beta_t)
        out[s] = divergence(log_p - log_q)
    x_T = q_sample(schedule, x_0, T, rng.standard_normal(x_0.shape))
    log_q = mixture.log_prob(schedule, x_T, T)
    out[T] = divergence(log_normal(x_T, 0.0, 1.0) - log_q)
    return out


def divergence(log_r):
    """r - 1 - log r."""
    return np.expm1(log_r) - log_r
