"""Lecture 2: denoising score matching learns a score that nobody can compute."""

import math

import numpy as np

from .. import oracles
from ..entry import POSITIVE, REAL, Formula

KERNEL = {"x": (REAL, "clean data"), "x_tilde": (REAL, "noisy data, x + sigma eps"), "eps": (REAL, "the noise in x_tilde"),
          "sigma": (POSITIVE, "standard deviation of the added noise")}  # fmt: skip
LINE = {"a": (REAL, "slope of s_theta(x) = a x + b"), "b": (REAL, "its value at 0"),
        "sigma": (POSITIVE, "standard deviation of the added noise")}  # fmt: skip
POINTS, SHARES = (-1.0, 1.5), (0.3, 0.7)  # the data


def _average(c, loss):
    """E loss(x_tilde, target, marginal score) over both data points and their noise; the scores by finite differences."""
    eps, p = oracles.gaussian_grid(0.0, 1.0, 601)
    log_q = lambda y: np.logaddexp(*(math.log(w) + oracles.log_bell(y, x, c.sigma**2) for w, x in zip(SHARES, POINTS)))  # noqa: E731
    total, h = 0.0, 1e-3 * c.sigma**2
    for w, x in zip(SHARES, POINTS):
        noisy = x + c.sigma * eps
        target = oracles.difference(lambda y, x=x: oracles.log_bell(y, x, c.sigma**2), noisy, h)
        total += w * np.sum(p * loss(noisy, target, oracles.difference(log_q, noisy, h)))
    return total


def _gap(c, a, b, sign=1):
    """DSM - SM of s_theta(x) = a x + b: how far from the noise's score minus how far from the marginal one."""
    return _average(c, lambda y, target, score: (a * y + b - sign * target) ** 2 - (a * y + b - score) ** 2)


def _gap_changes(c, rng, sign=1):
    """The gap of one s_theta minus that of another."""
    return _gap(c, c.a, c.b, sign) - _gap(c, -0.4, 0.2, sign)


def _dsm_floor(c, rng):
    """E (target - marginal score)^2 by the double integral over data and noise, both scores by finite differences."""
    x, p = oracles.gaussian_grid(0.0, c.sigma_1, 201)
    eps, q = oracles.gaussian_grid(0.0, 1.0, 201)
    noisy, var = x[:, None] + c.sigma * eps, p @ x**2 + c.sigma**2 * (q @ eps**2)
    target = oracles.difference(lambda y: oracles.log_bell(y, x[:, None], c.sigma**2), noisy)
    return np.sum(p[:, None] * q * (target - oracles.difference(lambda y: oracles.log_bell(y, 0.0, var), noisy)) ** 2)


# fmt: off
ENTRIES = [
    Formula(
        name="dsm-target", number=42, lecture=2, title="Denoising score matching: the target",
        latex=r"\nabla_{\tilde x}\log q_\sigma(\tilde x\,|\,x) = -\frac{\tilde x-x}{\sigma^2},\quad \tilde x = x + \sigma\epsilon",
        why="The data's score is unknown, but the arrow back to the one picture that was noised is known.",
        letters="x eps sigma x_tilde", own=KERNEL, derive=lambda c: {"x_tilde": c["x"] + c["sigma"] * c["eps"]},
        answer="-(x_tilde - x) / sigma**2",
        oracle=lambda c, rng: oracles.difference(lambda y: oracles.log_bell(y, c.x, c.sigma**2), c.x_tilde),
        measured="finite differences of the log of the noise's density",
        wrong=(
            ("-eps / sigma**2", "x_tilde - x is sigma eps, so one sigma cancels"),
            ("-eps", "that is the noise itself, -(x_tilde - x)/sigma: the score is 1/sigma of it"),
            ("eps / sigma", "the sign: the arrow goes back to x, against the noise"),
            ("-eps * sigma", "the less noise, the steeper: divide by sigma"),
            ("-x_tilde / sigma**2", "the bell stands at x, not at 0"),
            ("-(x_tilde - x) / (2*sigma**2)", "the square brings down a 2 that cancels the 1/2"),
        ),
    ),
    Formula(
        name="dsm-equals-sm", number=43, lecture=2, title="Denoising score matching learns the score: DSM = SM + a constant",
        latex=r"\mathrm{E}\|s_\theta + \epsilon/\sigma\|^2 = \mathrm{E}\|s_\theta - \nabla\log q_\sigma(\tilde x)\|^2 + C",
        why="The target is noisy but right on average, and averages are all that a squared error learns.",
        letters="a b sigma", own=LINE, bound=1e-8,
        oracle=_gap_changes, measured="both losses of two linear s_theta on two data points, by quadrature",
        wrong=(
            (lambda c, rng: _gap_changes(c, rng, sign=-1), "with the target's sign flipped the gap depends on theta"),
            (lambda c, rng: _gap(c, c.a, c.b), "the losses are not equal: DSM keeps the target's own variance"),
            (lambda c, rng: _average(c, lambda y, target, score: (target - score) ** 2),
             "the marginal score is not -eps/sigma point by point, only on average given x_tilde"),
        ),
    ),
    Formula(
        name="dsm-constant", number=43, lecture=2, title="The constant between the two losses is E(target^2) - E(score^2)",
        latex=r"C = \mathrm{E}\|\epsilon/\sigma\|^2 - \mathrm{E}\|\nabla\log q_\sigma(\tilde x)\|^2",
        why="Opening both squares leaves this difference: the cross terms agree.",
        letters="a b sigma", own=LINE, bound=1e-8,
        oracle=lambda c, rng: _gap(c, c.a, c.b) - _average(c, lambda y, target, score: target**2 - score**2),
        measured="quadrature of both sides for a linear s_theta and two data points",
        wrong=(
            (lambda c, rng: _gap(c, c.a, c.b) - _average(c, lambda y, target, score: target**2),
             "E||eps/sigma||^2 alone is the loss of s = 0, too much by the score's own square"),
            (lambda c, rng: _gap(c, c.a, c.b) + _average(c, lambda y, target, score: target**2 - score**2),
             "the sign: DSM is the larger loss"),
        ),
    ),
    Formula(
        name="dsm-floor", number=43, lecture=2, title="The least DSM loss, for data N(mu, sigma_1^2)",
        latex=r"\min_\theta L_{DSM} = \frac{1}{\sigma^2} - \frac{1}{\sigma_1^2+\sigma^2}",
        why="The perfect score still misses the one picture that was noised: a loss that does not fall to 0 is no bug.",
        letters="sigma_1 sigma", own={"sigma_1": (POSITIVE, "std of the data"), "sigma": (POSITIVE, "std of the added noise")},
        answer="1/sigma**2 - 1/(sigma_1**2 + sigma**2)",
        oracle=_dsm_floor, measured="the double integral over data and noise, scores by finite differences",
        wrong=(
            ("0", "the target is random given x_tilde: no function of x_tilde hits it"),
            ("1/sigma**2", "that is the loss of s = 0, E||eps/sigma||^2"),
            ("1/(sigma_1**2 + sigma**2)", "that is the mean square of the score itself"),
            ("1/sigma**2 - 1/sigma_1**2", "x_tilde has the noise's variance as well"),
            ("1/sigma**2 + 1/(sigma_1**2 + sigma**2)", "the sign: knowing the score takes from the loss"),
            ("1/sigma - 1/(sigma_1 + sigma)", "standard deviations stand for variances"),
        ),
    ),
]
