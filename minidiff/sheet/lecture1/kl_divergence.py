"""Lecture 1: the KL divergence, for Gaussians, and from q(x_T) to pure noise."""

import math

import numpy as np

from ... import elbo, gaussian
from .. import oracles
from ..entry import POSITIVE, Formula

GAUSSIANS = "mu_1 sigma_1 mu_2 sigma_2"


def _kl(c, rng, under=1):
    """E log p/q under p (or q), by the definition on one grid wide enough for both densities."""
    m_1, s_1, m_2, s_2 = c.mu_1, c.sigma_1, c.mu_2, c.sigma_2
    low, high = min(m_1 - 12 * s_1, m_2 - 12 * s_2), max(m_1 + 12 * s_1, m_2 + 12 * s_2)
    x, step = np.linspace(low, high, 1 + 40 * int(1 + (high - low) / min(s_1, s_2)), retstep=True)
    log_p, log_q = oracles.log_bell(x, m_1, s_1**2), oracles.log_bell(x, m_2, s_2**2)
    log_p, log_q = (u - math.log(np.exp(u).sum() * step) for u in (log_p, log_q))  # both integrate to 1
    return np.sum(np.exp(log_p if under == 1 else log_q) * (log_p - log_q)) * step


def _kl_difference(c, rng):
    """KL(p || q) - KL(q || p): under q the expectation of log p/q is minus the latter."""
    return _kl(c, rng) + _kl(c, rng, under=2)


def _kl_equal_widths(c, rng):
    """KL of two Gaussians of equal width whose means are r apart: the definition, by quadrature."""
    return _kl(type(c)(mu_1=0.0, sigma_1=c.sigma, mu_2=c.r, sigma_2=c.sigma), rng)


def _kl_to_prior(c, rng):
    """E log q/p under q(x_T | x_0), p = N(0, I), by quadrature: x_0 lies on the first axis, the other coordinates are 0."""

    def kl(x_0):
        mean, var = oracles.forward_moments(c.beta, c.T, mean=x_0, var=0.0)
        reach = 12 * max(1.0, math.sqrt(var)) + abs(mean)
        x, step = np.linspace(-reach, reach, 8001, retstep=True)
        log_q, log_p = oracles.log_bell(x, mean, var), oracles.log_bell(x, 0.0, 1.0)
        log_q, log_p = (u - math.log(np.exp(u).sum() * step) for u in (log_q, log_p))
        return np.sum(np.exp(log_q) * (log_q - log_p)) * step

    return kl(c.x_0) + (c.d - 1) * kl(0.0)


# fmt: off
ENTRIES = [
    Formula(
        name="kl-nonnegative", number=4, lecture=1, title="KL divergence is an expectation under p, and not negative",
        latex=r"\mathrm{KL}(p\,\|\,q) = \mathrm{E}_p[\log p/q] \geq 0",
        why="What it costs, in nats, to believe q when the truth is p; the ELBO's gap is such a cost.",
        letters=GAUSSIANS, relation=">=",
        oracle=_kl, measured="quadrature of p log(p/q)",
        wrong=(
            (lambda c, rng: _kl(c, rng, under=2), "under q it is -KL(q || p): the expectation is under p, the first argument"),
            (lambda c, rng: -_kl(c, rng), "log q/p has the sign reversed"),
        ),
    ),
    Formula(
        name="kl-asymmetric", number=4, lecture=1, title="KL divergence is not symmetric",
        latex=r"\mathrm{KL}(p\,\|\,q) \neq \mathrm{KL}(q\,\|\,p)",
        why="Missing what p has costs more than inventing what it has not, so the order of the arguments matters.",
        letters=GAUSSIANS, relation="!=",
        oracle=_kl_difference, measured="quadrature of both",
        wrong=((_kl_difference, "KL is no distance: KL(p || q) - KL(q || p) is 0 only by accident"),),
    ),
    Formula(
        name="kl-gaussians", number=5, lecture=1, title="KL of two Gaussians (1-D)",
        latex=r"\mathrm{KL} = \log\frac{\sigma_2}{\sigma_1} + \frac{\sigma_1^2 + (\mu_1-\mu_2)^2}{2\sigma_2^2} - \frac{1}{2}",
        why="The only KL that the ELBO of a diffusion model needs: every factor is Gaussian.",
        letters=GAUSSIANS, answer="log(sigma_2/sigma_1) + (sigma_1**2 + (mu_1 - mu_2)**2) / (2*sigma_2**2) - 1/2",
        oracle=_kl, measured="quadrature of p log(p/q), both normalised on the grid",
        source=gaussian.kl, value=lambda f, c: f(c.mu_1, c.sigma_1**2, c.mu_2, c.sigma_2**2),
        wrong=(
            ("log(sigma_1/sigma_2) + (sigma_2**2 + (mu_1 - mu_2)**2) / (2*sigma_1**2) - 1/2",
             "that is KL(q || p): sigma_1 and sigma_2 are swapped"),
            ("log(sigma_1/sigma_2) + (sigma_1**2 + (mu_1 - mu_2)**2) / (2*sigma_2**2) - 1/2",
             "the ratio in the logarithm is inverted"),
            ("log(sigma_2/sigma_1) + (sigma_1**2 + (mu_1 - mu_2)**2) / (2*sigma_2**2)",
             "-1/2 is missing: two equal Gaussians must give 0"),
            ("log(sigma_2/sigma_1) + (sigma_1**2 + (mu_1 - mu_2)**2) / sigma_2**2 - 1/2",
             "the 1/2 before the fraction is missing"),
            ("log(sigma_2/sigma_1) + sigma_1**2 / (2*sigma_2**2) + (mu_1 - mu_2)**2 / sigma_2**2 - 1/2",
             "the 1/2 before the squared distance is missing"),
            ("log(sigma_2/sigma_1) + (sigma_1 + (mu_1 - mu_2)**2) / (2*sigma_2) - 1/2",
             "standard deviations stand for variances"),
            ("2*log(sigma_2/sigma_1) + (sigma_1**2 + (mu_1 - mu_2)**2) / (2*sigma_2**2) - 1/2",
             "log(sigma_2^2/sigma_1^2) needs the 1/2 as well"),
        ),
    ),
    Formula(
        name="kl-equal-variance", number=6, lecture=1, title="KL of two Gaussians of equal covariance",
        latex=r"\mathrm{KL} = \frac{\|\mu_1-\mu_2\|^2}{2\sigma^2}",
        why="Where both variances are fixed, only the means matter: the ELBO's terms turn into squared errors.",
        letters="r sigma", own={"r": (POSITIVE, "the distance ||mu_1 - mu_2||"), "mu_1": ("", "mean"), "mu_2": ("", "mean")},
        derive=lambda c: {"mu_1": c["sigma"], "mu_2": c["sigma"] - c["r"]},
        answer="r**2 / (2*sigma**2)",
        oracle=_kl_equal_widths, measured="quadrature of p log(p/q) along the line that joins the means",
        source=gaussian.kl, value=lambda f, c: f(0.0, c.sigma**2, c.r, c.sigma**2),
        wrong=(
            ("r**2 / sigma**2", "the 1/2 is missing"),
            ("r**2 / (2*sigma)", "sigma stands where sigma^2 belongs"),
            ("r / (2*sigma**2)", "the distance is to be squared"),
            ("r**2 / 2", "the distance counts in units of sigma"),
            ("r**2 * sigma**2 / 2", "wide Gaussians are harder to tell apart, not easier: divide by sigma^2"),
        ),
    ),
    Formula(
        name="prior-kl", number=15, lecture=1, title="How far x_T is from pure noise",
        latex=r"\mathrm{KL}(q(x_T|x_0)\,\|\,\mathcal{N}(0,I)) = \frac{1}{2}[\bar\alpha_T(\|x_0\|^2-d) - d\log(1-\bar\alpha_T)]",
        why="Sampling starts from N(0, I); what x_T still knows of the data is the price.",
        letters="beta d x_0", own={"x_0": (POSITIVE, "the length ||x_0|| of all d coordinates")},
        answer="1/2 * (alpha_bar[T] * (x_0**2 - d) - d * log(1 - alpha_bar[T]))",
        oracle=_kl_to_prior, measured="quadrature of q log(q/p), coordinate by coordinate",
        source=elbo.prior_kl, value=lambda f, c: c.d * f(c.schedule, c.x_0**2 / c.d),
        wrong=(
            ("0", "x_T is only close to N(0, I), never exactly there"),
            ("alpha_bar[T] * (x_0**2 - d) - d * log(1 - alpha_bar[T])", "the 1/2 is missing"),
            ("1/2 * (alpha_bar[T] * (x_0**2 - d) + d * log(1 - alpha_bar[T]))",
             "the logarithm's sign: KL is not negative"),
            ("1/2 * (sqrt(alpha_bar[T]) * x_0**2 - d * alpha_bar[T] - d * log(1 - alpha_bar[T]))",
             "the squared mean is alpha_bar ||x_0||^2"),
            ("1/2 * (alpha_bar[T] * x_0**2 - d * log(1 - alpha_bar[T]))", "the variance 1 - alpha_bar minus 1 is missing"),
            ("1/2 * (alpha_bar[T] * (x_0**2 - 1) - log(1 - alpha_bar[T]))", "each of the d coordinates has its variance"),
            ("d/2 * (alpha_bar[T] * (x_0**2 - 1) - log(1 - alpha_bar[T]))", "||x_0||^2 is the sum over all d already"),
        ),
    ),
]
