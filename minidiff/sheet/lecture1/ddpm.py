"""Lecture 1: DDPM's step back with a denoiser, and its variance."""

import math

import numpy as np

from ... import sampling
from .. import oracles
from ..entry import POSITIVE, REAL, SHARE, Case, Formula
from .l_simple import probabilities


def _last_step(c, rng):
    """The x_0 that one step with eps_hat takes to x_1."""
    return oracles.x_0_from_eps(c.beta, 1, c.x_1, c.eps_hat)


def _step(c, rng):
    """sigma z plus the mean of q(x_{t-1} | x_t, x_0) by Bayes on a grid, for the x_0 that eps_hat takes to x_t."""
    x, p = oracles.gaussian_grid(0.0, 1.0)
    width = oracles.root(lambda b: b * b * (p @ x**2) - c.sigma**2, 0.0, 1e3)
    return (
        oracles.posterior(c.beta, c.t, c.s, oracles.x_0_from_eps(c.beta, c.t, c.x_t, c.eps_hat), c.x_t)[0]
        + width * c.z
    )


def _ask_step(f, c):
    """The library's step with this eps_hat, sigma and z."""
    step = f(lambda schedule, t, s: c.sigma**2)
    rng = Case(standard_normal=lambda shape, dtype: np.full(shape, c.z, dtype))
    return step(lambda x_t, t: np.array([c.eps_hat]), c.schedule, np.array([c.x_t]), c.t, c.s, rng)[0]


def _reverse_variance(c, rng):
    """Var(x_{t-1} | x_t) for data of width sigma: Bayes on a grid over x_{t-1}, whose prior is the noised data."""
    mean, var = oracles.forward_moments(c.beta, c.s, mean=0.4, var=c.sigma**2)
    keep, noise = oracles.forward_moments(c.beta, c.t, c.s)
    both = lambda x: oracles.log_bell(x, mean, var) + oracles.log_bell(0.6, keep * x, noise)  # noqa: E731
    return oracles.refined_moments(both, mean, 12 * math.sqrt(var) + 12)[1]


def _of_two_points(c, p):
    """Var(x_{t-1} | x_t) where x_0 is +-1 with the probabilities p, 1 - p: within each point, plus between the two."""
    (up, var), (down, _) = (oracles.posterior(c.beta, c.t, c.s, x_0, 0.6) for x_0 in (1.0, -1.0))
    return var + (up - down) ** 2 * p * (1 - p)


def _bounds(c):
    """(the posterior's variance for a single x_0, beta_t)."""
    return oracles.posterior(c.beta, c.t, c.s, 1.0, 0.6)[1], c.beta[c.t]


def _inside_the_bounds(c, rng):
    """The variance's distance from the nearer bound, for Gaussian data and for two points averaged over x_t."""
    low, high = _bounds(c)
    keep, noise = oracles.forward_moments(c.beta, c.t)
    x_t, weight = oracles.gaussian_grid(
        keep, math.sqrt(noise)
    )  # from x_0 = 1; from -1 it is the same by symmetry
    found = _reverse_variance(c, rng), weight @ _of_two_points(c, probabilities(c.beta, c.t, x_t, (1, -1))[0])
    return min(min(v - low, high - v) for v in found)


def _excess_of_ddim(c, rng):
    """Variance where DDIM ends minus that where DDPM without z ends, from N(0, 1) with the best denoiser for this data.

    Both are linear in x_t: the picture's slope by Bayes on a grid over x_0, the step's by noising anew or by Bayes again.
    """
    ddim = ddpm = 1.0
    for t in range(c.T, 0, -1):
        keep, noise = oracles.forward_moments(c.beta, t)
        keep_s, noise_s = oracles.forward_moments(c.beta, t - 1)

        def likely(x_0, keep=keep, noise=noise):  # beside x_t = 1
            return oracles.log_bell(x_0, 0.0, c.sigma**2) + oracles.log_bell(1.0, keep * x_0, noise)

        picture = oracles.refined_moments(likely, 0.0, 12 * c.sigma + 12)[0]
        ddim *= keep_s * picture + math.sqrt(noise_s / noise) * (1 - keep * picture)
        ddpm *= oracles.posterior(c.beta, t, t - 1, picture, 1.0)[0]
    return ddim**2 - ddpm**2


# fmt: off
ENTRIES = [
    Formula(
        name="ddpm-step", number=28, lecture=1, title="DDPM's step",
        latex=r"x_{t-1} = \frac{1}{\sqrt{\alpha_t}}\left(x_t - \frac{1-\alpha_t}{\sqrt{1-\bar\alpha_t}}\,\epsilon_\theta\right)"
              r" + \sigma_t z,\quad z = 0\ \mathrm{at}\ t = 1",
        why="The posterior's mean with the guessed noise in place of the true one, and fresh noise for what is in doubt.",
        letters="beta t x_t eps_hat x_0_hat sigma z",
        own={"sigma": (POSITIVE, "sigma_t, the standard deviation of the step"), "z": (REAL, "fresh noise; 0 at t = 1")},
        derive=lambda c: {"z": c.z * (c.t > 1)},
        answer="(x_t - (1 - alpha[t]) / sqrt(1 - alpha_bar[t]) * eps_hat) / sqrt(alpha[t]) + sigma * z",
        oracle=_step, measured="Bayes on a grid for the x_0 that eps_hat takes to x_t; sigma by bisection on a variance",
        source=sampling.ddpm_step, value=_ask_step,
        wrong=(
            ("(x_t - (1 - alpha[t]) / sqrt(1 - alpha_bar[t]) * eps_hat) / sqrt(alpha[t]) + sigma**2 * z",
             "the weight of z is a standard deviation; sigma^2 is its variance"),
            ("(x_t - (1 - alpha[t]) / sqrt(1 - alpha_bar[t]) * eps_hat) / sqrt(alpha[t])",
             "the fresh noise is missing: without it the samples shrink towards the mean"),
            ("(x_t - (1 - alpha[t]) / sqrt(1 - alpha_bar[t]) * eps_hat + sigma * z) / sqrt(alpha[t])",
             "the fresh noise stands outside the bracket: inside, 1/sqrt(alpha_t) widens it"),
            ("(x_t - (1 - alpha[t]) / sqrt(1 - alpha_bar[t]) * eps_hat) / sqrt(alpha[t]) + sqrt(beta[t]) * z",
             "sigma_t^2 = beta_t is one choice, beta-tilde another: sigma is left open here"),
            ("(x_t - (1 - alpha[t]) / sqrt(1 - alpha_bar[t]) * z) / sqrt(alpha[t]) + sigma * z",
             "what is taken away is the denoiser's eps_theta, not fresh noise"),
            ("(x_t - (1 - alpha[t]) / sqrt(1 - alpha_bar[t]) * eps_hat) / sqrt(alpha_bar[t]) + sigma * z",
             "one step is undone by sqrt(alpha_t); sqrt(alpha_bar_t) undoes all of them"),
            ("(x_t + (1 - alpha[t]) / sqrt(1 - alpha_bar[t]) * eps_hat) / sqrt(alpha[t]) + sigma * z",
             "the sign: noise is taken away"),
            ("(x_t - (1 - alpha[t]) / sqrt(1 - alpha[t]) * eps_hat) / sqrt(alpha[t]) + sigma * z",
             "below belongs the noise of all t steps, sqrt(1 - alpha_bar_t); sqrt(1 - alpha_t) is the last one's"),
            ("(x_t - (1 - alpha[t]) / (1 - alpha_bar[t]) * eps_hat) / sqrt(alpha[t]) + sigma * z",
             "the root of 1 - alpha_bar_t is missing"),
            ("(x_t - sqrt(1 - alpha[t]) / sqrt(1 - alpha_bar[t]) * eps_hat) / sqrt(alpha[t]) + sigma * z",
             "beta_t = 1 - alpha_t has no root here"),
            ("x_t - (1 - alpha[t]) / sqrt(1 - alpha_bar[t]) * eps_hat + sigma * z", "1/sqrt(alpha_t) is missing"),
            ("(x_t - sqrt(1 - alpha_bar[t]) * eps_hat) / sqrt(alpha_bar[t]) + sigma * z",
             "that jumps to the guessed x_0 at once: a step goes to t - 1"),
            ("(x_t - (1 - alpha_bar[t]) / sqrt(1 - alpha[t]) * eps_hat) / sqrt(alpha[t]) + sigma * z",
             "alpha and alpha_bar are exchanged"),
        ),
    ),
    Formula(
        name="ddpm-last-step", number=28, lecture=1, title="DDPM's last step",
        latex=r"x_0 = \frac{1}{\sqrt{\alpha_1}}\,(x_1 - \sqrt{\beta_1}\,\epsilon_\theta)",
        why="No later step would take the noise away again, so the last one adds none.",
        letters="beta x_1 eps_hat sigma z", asks={"eps_hat": ("x_1", "1")},
        own={"x_1": (REAL, "the picture before the last step"), "sigma": (POSITIVE, "sigma_1"), "z": (REAL, "fresh noise")},
        answer="(x_1 - sqrt(beta[1]) * eps_hat) / sqrt(alpha[1])",
        oracle=_last_step, measured="bisection for the x_0 that one step with eps_hat takes to x_1",
        source=sampling.ddpm_step, value=lambda f, c: _ask_step(f, type(c)(c | {"x_t": c.x_1, "t": 1, "s": 0, "sigma": 0.0})),
        wrong=(
            ("(x_1 - sqrt(beta[1]) * eps_hat) / sqrt(alpha[1]) + sigma * z", "the last step adds no noise: z = 0 at t = 1"),
            ("(x_1 - beta[1] * eps_hat) / sqrt(alpha[1])", "at t = 1, beta_1 / sqrt(1 - alpha_bar_1) is sqrt(beta_1)"),
            ("(x_1 - eps_hat) / sqrt(alpha[1])", "that takes away the noise at full width; it has sqrt(beta_1)"),
            ("(x_1 - sqrt(beta[1]) * eps_hat) / alpha[1]", "the step shrank by sqrt(alpha_1)"),
            ("x_1 - sqrt(beta[1]) * eps_hat", "1/sqrt(alpha_1) is missing"),
            ("x_1", "x_1 is still noisy: the last step goes to x_0"),
        ),
    ),
    Formula(
        name="reverse-variance", number=29, lecture=1, title="Var(x_{t-1} | x_t) for N(mu, sigma^2) data",
        latex=r"\mathrm{Var}(x_{t-1}|x_t) = \beta_t\,\frac{\bar\alpha_{t-1}\sigma^2 + 1 - \bar\alpha_{t-1}}"
              r"{\bar\alpha_t\sigma^2 + 1 - \bar\alpha_t}",
        why="The right sigma_t^2 depends on the data: beta-tilde for a single picture, beta for N(0, 1), more for wider data.",
        letters="beta t sigma", own={"sigma": (POSITIVE, "standard deviation of the data")},
        answer="beta[t] * (alpha_bar[t-1]*sigma**2 + 1 - alpha_bar[t-1]) / (alpha_bar[t]*sigma**2 + 1 - alpha_bar[t])",
        oracle=_reverse_variance, measured="Bayes on a grid over x_{t-1}, the noised data as its prior",
        source=sampling.gaussian_optimal, value=lambda f, c: float(f(c.sigma**2)(c.schedule, c.t, c.s)),
        wrong=(
            ("beta[t]", "that is right for data of variance 1 only"),
            ("(1 - alpha_bar[t-1]) / (1 - alpha_bar[t]) * beta[t]",
             "that is right for a single picture only: beta-tilde leaves out the doubt about x_0"),
            ("sigma**2 * beta[t] + (1 - sigma**2) * (1 - alpha_bar[t-1]) / (1 - alpha_bar[t]) * beta[t]",
             "it agrees at sigma = 0 and 1, but is not a straight line between"),
            ("beta[t] * (alpha_bar[t]*sigma**2 + 1 - alpha_bar[t]) / (alpha_bar[t-1]*sigma**2 + 1 - alpha_bar[t-1])",
             "the ratio is inverted"),
            ("beta[t] * (alpha_bar[t-1]*sigma + 1 - alpha_bar[t-1]) / (alpha_bar[t]*sigma + 1 - alpha_bar[t])",
             "sigma stands where sigma^2 belongs"),
            ("1 - alpha_bar[t]", "that is the variance of all noise in x_t; the step has only its own doubt"),
            ("sqrt(1 - alpha_bar[t])", "that is the width of all noise in x_t, not the step's sigma_t"),
            ("alpha_bar[t-1]*sigma**2 + 1 - alpha_bar[t-1]", "that is Var(x_{t-1}) when x_t is not known"),
        ),
    ),
    Formula(
        name="reverse-variance-bounds", number=29, lecture=1, title="Which sigma^2: between beta-tilde and beta",
        latex=r"\tilde\beta_t \leq \mathrm{E}\,\mathrm{Var}(x_{t-1}|x_t) \leq \beta_t,"
              r"\quad\mathrm{data\ of\ variance}\leq 1",
        why="Both of DDPM's choices are extremes: a single picture below, N(0, 1) data above.",
        letters="beta t sigma", own={"sigma": (SHARE, "standard deviation of the data, below 1")}, relation=">=",
        oracle=_inside_the_bounds, measured="Gaussian data by Bayes on a grid; data +1 or -1 by Bayes and the average over x_t",
        wrong=(
            (lambda c, rng: _bounds(c)[0] - _reverse_variance(c, rng), "beta-tilde is the least there is, not the only choice"),
            (lambda c, rng: _reverse_variance(c, rng) - _bounds(c)[1], "beta is the most there is, not the only choice"),
            (lambda c, rng: _bounds(c)[1] - _reverse_variance(type(c)(c | {"sigma": 1 + c.sigma}), rng),
             "wider data have more: N(0, 4) exceeds beta_t"),
            (lambda c, rng: _bounds(c)[1] - _of_two_points(c, 0.5),
             "it holds on average, not at every x_t: halfway between two points the doubt exceeds beta_t"),
        ),
    ),
    Formula(
        name="ddpm-without-noise", number=34, lecture=1, title="DDPM without its noise is not DDIM",
        latex=r"\mathrm{Var}(x_0\ \mathrm{of\ DDIM}) > \mathrm{Var}(x_0\ \mathrm{of\ DDPM\ with\ } z = 0)",
        why="DDPM's mean has made room for fresh noise; whoever leaves that out gets samples that are too alike.",
        letters="beta sigma", own={"sigma": (POSITIVE, "standard deviation of the data")}, relation=">",
        oracle=_excess_of_ddim, measured="both chains followed with the best denoiser, its answer by Bayes on a grid",
        wrong=((lambda c, rng: -_excess_of_ddim(c, rng), "the mean alone is narrower: DDIM puts all the noise of t - 1 back"),),
    ),
]
