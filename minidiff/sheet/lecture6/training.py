"""Lecture 6: which times to train on, and how much noise a resolution needs (here t = 1 is noise)."""

import math
from statistics import NormalDist

import numpy as np

from .. import oracles
from ..entry import COUNT, POSITIVE, REAL, SHARE, Formula

TIMES = {
    "t": (SHARE, "a time in (0, 1)"),
    "mu": (REAL, "mean of logit t"),
    "sigma": (POSITIVE, "std of logit t"),
}
PIXELS = {"n": (COUNT, "pixels of the first resolution"), "m": (COUNT, "pixels of the second"),
          "t_n": (SHARE, "time at the first; 1 is noise")}  # fmt: skip


def _logit_normal(c, rng):
    """The slope of P(T < t) = P(Z < (logit t - mu) / sigma), by finite differences; logit t = 2 artanh(2 t - 1)."""
    logit = lambda t: 2 * math.atanh(2 * t - 1)  # noqa: E731
    side = 1 if logit(c.t) < c.mu else -1  # the smaller tail keeps its digits
    below = lambda t: side * NormalDist(0, c.sigma).cdf(side * (logit(t) - c.mu))  # noqa: E731
    return oracles.difference(below, c.t, 1e-3 * c.t * (1 - c.t))


def _spread(n, t):
    """Standard deviation of the mean of n pixels t eps + (1 - t) c, divided by the signal's factor 1 - t."""
    return float(np.linalg.norm(np.full(n, t / n))) / (1 - t)


def _same_doubt(c, rng):
    """The time at which the mean of m pixels is as uncertain as that of n pixels at t_n, by bisection."""
    doubt = _spread(c.n, c.t_n)
    return oracles.root(lambda t: _spread(c.m, t) - doubt, 0.0, 1 - 1e-15)


INVERTED = "that shifts towards clean data, as with t = 1 for clean or with m and n swapped: more pixels need more noise"

# fmt: off
ENTRIES = [
    Formula(
        name="logit-normal", number=78, lecture=6, title="Density of logit-normal training times",
        latex=r"f(t) = \frac{1}{\sigma\sqrt{2\pi}\,t\,(1-t)}\,\exp(-\frac{(\log\frac{t}{1-t}-\mu)^2}{2\sigma^2})",
        why="Train most in the middle, where it is hard: at both ends the answer is nearly known.",
        letters="t mu sigma", own=TIMES,
        answer="exp(-(log(t/(1-t)) - mu)**2 / (2*sigma**2)) / (sigma * sqrt(2*pi) * t * (1-t))",
        oracle=_logit_normal, measured="finite differences of P(T < t), counted where logit T is Gaussian",
        wrong=(
            ("exp(-(log(t/(1-t)) - mu)**2 / (2*sigma**2)) / (sigma * sqrt(2*pi))",
             "the Jacobian 1 / (t (1 - t)) of the logit is missing: that does not integrate to 1"),
            ("exp(-(log(t) - mu)**2 / (2*sigma**2)) / (sigma * sqrt(2*pi) * t)",
             "that is the log-normal, which goes beyond t = 1"),
            ("exp(-(log(t) - mu)**2 / (2*sigma**2)) / (sigma * sqrt(2*pi) * t * (1-t))",
             "logit t is log(t / (1 - t)), not log t"),
            ("exp(-(t - mu)**2 / (2*sigma**2)) / (sigma * sqrt(2*pi))", "logit t is Gaussian, not t"),
            ("exp(-(log(t/(1-t)) - mu)**2 / sigma**2) / (sigma * sqrt(2*pi) * t * (1-t))",
             "the 1/2 of the exponent is missing"),
            ("exp(-(log(t/(1-t)) - mu)**2 / (2*sigma**2)) / (sigma * sqrt(2*pi)) * t * (1-t)", "the Jacobian is inverted"),
            ("exp(-(log(t/(1-t)) - mu)**2 / (2*sigma**2)) / (sigma**2 * sqrt(2*pi) * t * (1-t))",
             "sigma^2 stands where sigma belongs"),
            ("exp(-(log((1-t)/t) - mu)**2 / (2*sigma**2)) / (sigma * sqrt(2*pi) * t * (1-t))",
             "the logit's sign: t over 1 - t"),
        ),
    ),
    Formula(
        name="pixel-average", number=79, lecture=6, title="How well n pixels tell their common colour: the standard deviation",
        latex=r"\mathrm{std}(\hat c) = \frac{t}{1-t}\,\frac{1}{\sqrt{n}}",
        why="More pixels average more noise away: a large picture is still to be seen where a small one is drowned.",
        letters="n t", own=PIXELS | {"t": (SHARE, "time, 1 is noise")}, answer="t / ((1-t) * sqrt(n))",
        oracle=lambda c, rng: _spread(c.n, c.t), measured="n independent pixels (1 - t) c + t eps, their mean over 1 - t",
        wrong=(
            ("t / ((1-t) * n)", "the mean's variance falls with n, its standard deviation with the root"),
            ("t / sqrt(n)", "the mean has to be divided by 1 - t, which the colour was multiplied by"),
            ("t / (1-t)", "that is one pixel's: the mean of n is better"),
            ("(1-t) / (t * sqrt(n))", "here t = 1 is noise"),
            ("t * sqrt(n) / (1-t)", "more pixels leave less doubt"),
            ("t**2 / ((1-t)**2 * n)", "that is the variance"),
        ),
    ),
    Formula(
        name="resolution-shift", number=79, lecture=6, title="The time at m pixels that is as noisy as t_n at n",
        latex=r"t_m = \frac{\sqrt{m/n}\,t_n}{1 + (\sqrt{m/n} - 1)\,t_n}",
        why="A larger picture needs more noise to be as hard to see, so its times move towards noise.",
        letters="m n t_n", own=PIXELS, answer="sqrt(m/n)*t_n / (1 + (sqrt(m/n) - 1)*t_n)",
        oracle=_same_doubt, measured="bisection for the t_m at which the mean of m pixels is as uncertain as that of n at t_n",
        wrong=(
            ("(m/n)*t_n / (1 + (m/n - 1)*t_n)", "the root is missing: standard deviations fall with sqrt(n)"),
            ("sqrt(n/m)*t_n / (1 + (sqrt(n/m) - 1)*t_n)", INVERTED),
            ("1 - sqrt(m/n)*(1-t_n) / (1 + (sqrt(m/n) - 1)*(1-t_n))", INVERTED),
            ("sqrt(m/n)*t_n", "t / (1 - t) is what scales: times stay below 1"),
            ("sqrt(m/n)*t_n / (1 + sqrt(m/n)*t_n)", "the - 1 is missing: m = n must leave t_n as it is"),
            ("t_n", "the same time is less noisy for more pixels"),
            ("sqrt(m/n)*t_n / (1 - t_n)", "that is the ratio t_m / (1 - t_m), not t_m"),
        ),
    ),
]
