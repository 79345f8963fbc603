"""Lecture 1: the posterior q(x_{t-1} | x_t, x_0), and what an error in eps_hat costs in the ELBO."""

import math

import numpy as np

from ... import gaussian, objective, sampling
from .. import oracles
from ..entry import POSITIVE, Formula


def _posterior(c, rng):
    """Mean and variance of q(x_{t-1} | x_t, x_0) by Bayes on a grid."""
    return oracles.posterior(c.beta, c.t, c.s, c.get("x_0", 1.7), c.get("x_t", 0.6))


def _precision(c, rng):
    """1 / the variance; infinite at t = 1, where x_0 is known."""
    var = _posterior(c, rng)[1]
    return 1 / var if var else math.inf


def _ask_mean(f, c):
    """The mean of the library's step: a denoiser that answers eps, and no noise."""
    return f(lambda schedule, t, s: 0.0)(
        lambda x_t, t: np.array([c.eps]), c.schedule, np.array([c.x_t]), c.t, c.s, None
    )[0]


def _mean_for(c, eps, x_t=0.6):
    """Mean and variance of the posterior for the x_0 that this noise takes to x_t."""
    return oracles.posterior(c.beta, c.t, c.s, oracles.x_0_from_eps(c.beta, c.t, x_t, eps), x_t)


def _gap(c, rng):
    """The squared distance of two posterior means, for eps and for eps_hat at the same x_t."""
    return (_mean_for(c, c.eps)[0] - _mean_for(c, c.eps_hat)[0]) ** 2


def _weight(c, var):
    """The rise of KL(q(x_{t-1} | x_t, x_0) || N(mean, var)) for an error of 1 in eps_hat, by quadrature.

    The quadrature is over q; its entropy is the same with and without the error.
    """
    if var == 0:
        return math.inf
    (mean, spread), (off, _) = _mean_for(c, 0.3), _mean_for(c, 1.3)
    x, p = oracles.gaussian_grid(mean, math.sqrt(spread)) if spread else (np.array([mean]), np.ones(1))
    return p @ (oracles.log_bell(x, mean, var) - oracles.log_bell(x, off, var))


KL_RISE = "the rise of the KL for an error of 1: Bayes on a grid, quadrature"

# fmt: off
ENTRIES = [
    Formula(
        name="posterior-variance", number=20, lecture=1, title="Variance of the posterior",
        latex=r"\tilde\beta_t = \frac{1-\bar\alpha_{t-1}}{1-\bar\alpha_t}\,\beta_t",
        why="Knowing x_0 as well as x_t leaves less doubt about x_{t-1} than the step's own noise.",
        letters="beta t", answer="(1 - alpha_bar[t-1]) / (1 - alpha_bar[t]) * beta[t]",
        oracle=lambda c, rng: _posterior(c, rng)[1], measured="Bayes on a grid: q(x_t | x_{t-1}) q(x_{t-1} | x_0), normalised",
        source=gaussian.posterior,
        value=lambda f, c: f(c.schedule, np.array([1.7]), np.array([0.6]), c.t, c.s)[1].item(),
        wrong=(
            ("beta[t]", "that is Var(x_{t-1} | x_t) for N(0, 1) data, not the variance given x_0 as well"),
            ("(1 - alpha_bar[t]) / (1 - alpha_bar[t-1]) * beta[t]", "inverted: the posterior is narrower than beta_t"),
            ("alpha_bar[t-1] / alpha_bar[t] * beta[t]", "the shares of noise 1 - alpha_bar belong there, not those of signal"),
            ("(1 - alpha_bar[t]) / (1 - alpha_bar[t+1]) * beta[t+1]", "the index is one step late"),
            ("(1 - alpha[t-1]) / (1 - alpha[t]) * beta[t]", "alpha_bar, not alpha: all noise up to t counts"),
            ("sqrt((1 - alpha_bar[t-1]) / (1 - alpha_bar[t]) * beta[t])", "that is the standard deviation"),
            ("1 - alpha_bar[t-1]", "that is the variance given x_0 alone: x_t is known as well"),
            ("(1 - alpha_bar[t-1]) / 1 - alpha_bar[t]*beta[t]", "a bracket is missing: / takes only the 1"),
            ("(1 - alpha_bar[t-1]) / (1 - alpha_bar[t])", "times beta_t: only the step's own noise is in doubt"),
        ),
    ),
    Formula(
        name="posterior-precision", number=21, lecture=1, title="Precision of the posterior",
        latex=r"\frac{1}{\tilde\beta_t} = \frac{\alpha_t}{\beta_t} + \frac{1}{1-\bar\alpha_{t-1}}",
        why="x_t and x_0 are two measurements of x_{t-1}: their precisions add.",
        letters="beta t", answer="alpha[t] / beta[t] + 1 / (1 - alpha_bar[t-1])",
        oracle=_precision, measured="one over the variance that Bayes has on a grid",
        source=gaussian.posterior,
        value=lambda f, c: 1 / f(c.schedule, 1.7, 0.6, c.t, c.s)[1] if c.s else math.inf,
        wrong=(
            ("1 / beta[t] + 1 / (1 - alpha_bar[t-1])",
             "x_t measures sqrt(alpha_t) x_{t-1}: as a measurement of x_{t-1} it has the precision alpha_t / beta_t"),
            ("sqrt(alpha[t]) / beta[t] + 1 / (1 - alpha_bar[t-1])", "the scale sqrt(alpha_t) enters a precision squared"),
            ("alpha[t] / beta[t] + 1 / (1 - alpha_bar[t])", "x_0 tells of x_{t-1} with the noise 1 - alpha_bar_{t-1}"),
            ("beta[t] / alpha[t] + 1 - alpha_bar[t-1]", "precisions add, not variances"),
            ("1 / (beta[t] / alpha[t] + 1 - alpha_bar[t-1])", "the variances were added and then inverted: precisions add"),
            ("alpha[t] / beta[t]", "that is what x_t tells alone: x_0 is known as well"),
            ("1 / (1 - alpha_bar[t-1])", "that is what x_0 tells alone: x_t is known as well"),
            ("1 / (alpha[t] / beta[t] + 1 / (1 - alpha_bar[t-1]))", "that is the variance; the precision is one over it"),
            ("1 / beta[t]", "that is the precision for N(0, 1) data when x_0 is not known"),
        ),
    ),
    Formula(
        name="posterior-mean", number=22, lecture=1, title="Mean of the posterior, from x_0",
        latex=r"\tilde\mu_t = \frac{\sqrt{\bar\alpha_{t-1}}\,\beta_t}{1-\bar\alpha_t}\,x_0"
              r" + \frac{\sqrt{\alpha_t}\,(1-\bar\alpha_{t-1})}{1-\bar\alpha_t}\,x_t",
        why="A compromise between where it came from and where it is; late in the noise x_t has nearly all the say.",
        letters="beta t x_0 eps x_t", needs="x_0",
        answer="sqrt(alpha_bar[t-1]) * beta[t] / (1 - alpha_bar[t]) * x_0"
               " + sqrt(alpha[t]) * (1 - alpha_bar[t-1]) / (1 - alpha_bar[t]) * x_t",
        oracle=lambda c, rng: _posterior(c, rng)[0], measured="Bayes on a grid: q(x_t | x_{t-1}) q(x_{t-1} | x_0), normalised",
        source=gaussian.posterior,
        value=lambda f, c: f(c.schedule, np.array([c.x_0]), np.array([c.x_t]), c.t, c.s)[0][0],
        wrong=(
            ("sqrt(alpha[t]) * (1 - alpha_bar[t-1]) / (1 - alpha_bar[t]) * x_0"
             " + sqrt(alpha_bar[t-1]) * beta[t] / (1 - alpha_bar[t]) * x_t", "the two coefficients are swapped"),
            ("sqrt(alpha_bar[t]) * beta[t] / (1 - alpha_bar[t]) * x_0"
             " + sqrt(alpha[t]) * (1 - alpha_bar[t-1]) / (1 - alpha_bar[t]) * x_t",
             "x_{t-1} has the weight sqrt(alpha_bar_{t-1}) of x_0, not that of x_t"),
            ("alpha_bar[t-1] * beta[t] / (1 - alpha_bar[t]) * x_0 + alpha[t] * (1 - alpha_bar[t-1]) / (1 - alpha_bar[t]) * x_t",
             "the roots are missing: means scale by sqrt(alpha_bar) and sqrt(alpha)"),
            ("sqrt(alpha_bar[t-1]) * beta[t] / (1 - alpha_bar[t]) * x_0 + (1 - alpha_bar[t-1]) / (1 - alpha_bar[t]) * x_t",
             "sqrt(alpha_t) is missing: x_t tells of sqrt(alpha_t) x_{t-1}"),
            ("sqrt(alpha_bar[t-1]) * beta[t] / (1 - alpha_bar[t]) * x_0"
             " + sqrt(alpha_bar[t]) * (1 - alpha_bar[t-1]) / (1 - alpha_bar[t]) * x_t",
             "x_t is one step from x_{t-1}: its coefficient has sqrt(alpha_t), not sqrt(alpha_bar_t)"),
            ("sqrt(alpha_bar[t-1]) * beta[t] * x_0 + sqrt(alpha[t]) * (1 - alpha_bar[t-1]) * x_t",
             "both are to be divided by 1 - alpha_bar_t"),
            ("sqrt(alpha[t]) * x_t", "that is E(x_{t-1} | x_t) for N(0, 1) data: x_0 is known here"),
            ("sqrt(alpha_bar[t-1]) * x_0", "that is the mean given x_0 alone: x_t is known as well"),
            ("x_t / sqrt(alpha[t])", "that only undoes the shrinking"),
        ),
    ),
    Formula(
        name="posterior-mean-eps", number=23, lecture=1, title="Mean of the posterior, from the noise",
        latex=r"\tilde\mu_t = \frac{1}{\sqrt{\alpha_t}}\,\left(x_t - \frac{\beta_t}{\sqrt{1-\bar\alpha_t}}\,\epsilon\right)",
        why="Take away a little of the noise and undo the shrinking: all that is not known of the mean is eps.",
        letters="beta t x_0 eps x_t", needs="eps", answer="(x_t - beta[t] / sqrt(1 - alpha_bar[t]) * eps) / sqrt(alpha[t])",
        oracle=lambda c, rng: _posterior(c, rng)[0], measured="Bayes on a grid with the x_0 in x_t",
        source=sampling.ddpm_step, value=_ask_mean,
        wrong=(
            ("(x_t - beta[t] / sqrt(1 - alpha_bar[t]) * eps) / sqrt(alpha_bar[t])",
             "one step shrank by sqrt(alpha_t); sqrt(alpha_bar_t) undoes all of them"),
            ("(x_t - sqrt(beta[t]) / sqrt(1 - alpha_bar[t]) * eps) / sqrt(alpha[t])", "beta_t has no root here"),
            ("(x_t - beta[t] / (1 - alpha_bar[t]) * eps) / sqrt(alpha[t])",
             "the root of 1 - alpha_bar_t is missing: eps / sqrt(1 - alpha_bar_t) is minus the score"),
            ("(x_t + beta[t] / sqrt(1 - alpha_bar[t]) * eps) / sqrt(alpha[t])", "the sign: noise is taken away"),
            ("x_t - beta[t] / sqrt(1 - alpha_bar[t]) * eps", "1/sqrt(alpha_t) is missing: the step back also grows"),
            ("(x_t - beta[t] / sqrt(1 - alpha_bar[t]) * eps) / alpha[t]", "the step shrank by sqrt(alpha_t), not by alpha_t"),
            ("sqrt(alpha[t]) * (x_t - beta[t] / sqrt(1 - alpha_bar[t]) * eps)", "the step back divides by sqrt(alpha_t)"),
            ("(x_t - sqrt(beta[t]) * eps) / sqrt(alpha[t])",
             "eps is the joint noise of all t steps; sqrt(beta_t) would take away the last step's own"),
            ("(x_t - sqrt(1 - alpha_bar[t]) * eps) / sqrt(alpha[t])",
             "that removes all of the noise, as for x_0; one step removes beta_t / sqrt(1 - alpha_bar_t) of it"),
            ("(x_t - sqrt(1 - alpha_bar[t]) * eps) / sqrt(alpha_bar[t])", "that is x_0: all steps undone at once"),
            ("(x_t - alpha[t] / sqrt(1 - alpha_bar[t]) * eps) / sqrt(alpha[t])", "beta_t = 1 - alpha_t is what multiplies eps"),
        ),
    ),
    Formula(
        name="mean-gap", number=24, lecture=1, title="From a gap of means to a gap of noises",
        latex=r"\|\tilde\mu_t - \mu_\theta\|^2 = \frac{\beta_t^2}{\alpha_t(1-\bar\alpha_t)}\,\|\epsilon - \epsilon_\theta\|^2",
        why="The two means share x_t, so they differ by what the denoiser got wrong, times its coefficient.",
        letters="beta t eps eps_hat", answer="beta[t]**2 / (alpha[t] * (1 - alpha_bar[t])) * (eps - eps_hat)**2",
        oracle=_gap, measured="two posteriors by Bayes on a grid, for the x_0 that eps and eps_hat take to one x_t",
        wrong=(
            ("beta[t] / (alpha[t] * (1 - alpha_bar[t])) * (eps - eps_hat)**2", "a squared gap has beta_t squared"),
            ("beta[t]**2 / (alpha_bar[t] * (1 - alpha_bar[t])) * (eps - eps_hat)**2", "alpha_t, one step's, not alpha_bar_t"),
            ("beta[t]**2 / (1 - alpha_bar[t]) * (eps - eps_hat)**2", "the 1/sqrt(alpha_t) before the bracket counts squared"),
            ("beta[t]**2 / (sqrt(alpha[t]) * (1 - alpha_bar[t])) * (eps - eps_hat)**2", "sqrt(alpha_t) is to be squared"),
            ("beta[t]**2 / (alpha[t] * sqrt(1 - alpha_bar[t])) * (eps - eps_hat)**2", "the root is squared as well"),
            ("beta[t]**2 / (alpha[t] * (1 - alpha_bar[t])) * (eps**2 - eps_hat**2)",
             "a difference of squares is not the square of the difference"),
            ("(eps - eps_hat)**2", "the coefficient of eps in the mean is missing"),
            ("beta[t] / sqrt(alpha[t] * (1 - alpha_bar[t])) * abs(eps - eps_hat)", "that is the distance; its square is asked"),
        ),
    ),
    Formula(
        name="loss-weight", number=25, lecture=1, title="What the noise's error counts in the ELBO",
        latex=r"w_t = \frac{\beta_t^2}{2\sigma_t^2\,\alpha_t\,(1-\bar\alpha_t)},"
              r"\quad L_{t-1} = w_t\,\|\epsilon-\epsilon_\theta\|^2 + C",
        why="KL of equal widths is a squared distance; L_simple drops this weight, which is largest at small t.",
        letters="beta t sigma", own={"sigma": (POSITIVE, "standard deviation of the reverse step")},
        answer="beta[t]**2 / (2 * sigma**2 * alpha[t] * (1 - alpha_bar[t]))",
        oracle=lambda c, rng: _weight(c, c.sigma**2), measured=KL_RISE,
        wrong=(
            ("beta[t]**2 / (alpha[t] * (1 - alpha_bar[t]))", "1/(2 sigma_t^2) is missing: that is the gap of the means"),
            ("beta[t]**2 / (sigma**2 * alpha[t] * (1 - alpha_bar[t]))", "the 1/2 of the Gaussian's exponent is missing"),
            ("beta[t]**2 / (2 * sigma * alpha[t] * (1 - alpha_bar[t]))", "sigma stands where sigma^2 belongs"),
            ("beta[t]**2 / (2 * sigma**2 * alpha_bar[t] * (1 - alpha_bar[t]))", "alpha_t, one step's, not alpha_bar_t"),
            ("beta[t] / (2 * sigma**2 * alpha[t] * (1 - alpha_bar[t]))", "beta_t is squared, as the gap is"),
            ("beta[t]**2 / (2 * sigma**2 * (1 - alpha_bar[t]))", "alpha_t is missing in the denominator"),
            ("1", "that is L_simple, which drops the weight: the KL is not the unweighted loss"),
        ),
    ),
    Formula(
        name="loss-weight-beta", number=25, lecture=1, title="The weight when sigma^2 = beta_t",
        latex=r"w_t = \frac{\beta_t}{2\,\alpha_t\,(1-\bar\alpha_t)}",
        why="About 1/2 at t = 1 for small beta, and far less later: the ELBO cares most for the last traces of noise.",
        letters="beta t", answer="beta[t] / (2 * alpha[t] * (1 - alpha_bar[t]))",
        oracle=lambda c, rng: _weight(c, c.beta[c.t]), measured=KL_RISE,
        source=objective.derived, value=lambda f, c: f(c.schedule, c.t),
        wrong=(
            ("beta[t]**2 / (2 * alpha[t] * (1 - alpha_bar[t]))", "one beta_t cancels against sigma^2 = beta_t"),
            ("1 / (2 * alpha[t] * (1 - alpha_bar[t]))", "beta_t^2 / beta_t leaves one beta_t"),
            ("beta[t] / (alpha[t] * (1 - alpha_bar[t]))", "the 1/2 of the Gaussian's exponent is missing"),
            ("beta[t] / (2 * alpha_bar[t] * (1 - alpha_bar[t]))", "alpha_t, one step's, not alpha_bar_t"),
            ("beta[t] / (2 * alpha[t] * (1 - alpha_bar[t-1]))", "that is the weight for sigma^2 = beta-tilde"),
            ("1", "that is L_simple, which drops the weight"),
        ),
    ),
    Formula(
        name="loss-weight-beta-tilde", number=25, lecture=1, title="The weight when sigma^2 is the posterior's variance",
        latex=r"w_t = \frac{\beta_t}{2\,\alpha_t\,(1-\bar\alpha_{t-1})}",
        why="Infinite at t = 1, where the posterior is certain: the last step is the reconstruction term instead.",
        letters="beta t", answer="beta[t] / (2 * alpha[t] * (1 - alpha_bar[t-1]))",
        oracle=lambda c, rng: _weight(c, _posterior(c, rng)[1]), measured=KL_RISE,
        wrong=(
            ("beta[t] / (2 * alpha[t] * (1 - alpha_bar[t]))", "that is the weight for sigma^2 = beta"),
            ("beta[t] / (alpha[t] * (1 - alpha_bar[t-1]))", "the 1/2 of the Gaussian's exponent is missing"),
            ("beta[t]**2 / (2 * alpha[t] * (1 - alpha_bar[t-1]))", "one beta_t cancels against the one in beta-tilde"),
            ("beta[t] / (2 * alpha_bar[t] * (1 - alpha_bar[t-1]))", "alpha_t, one step's, not alpha_bar_t"),
            ("beta[t] / (2 * (1 - alpha_bar[t-1]))", "alpha_t is missing in the denominator"),
            ("1", "that is L_simple, which drops the weight"),
        ),
    ),
]
