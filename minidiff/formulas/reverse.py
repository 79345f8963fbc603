"""Lecture 1, the way back: the posterior, the ELBO, the loss, the sampling step."""

import numpy as np

from . import oracles
from .entry import Formula


def _posterior(c, rng):
    """Mean and variance of q(x_{t-1} | x_t, x_0) by Bayes on a grid."""
    return oracles.posterior(c.beta, c.t, c.s, c.get("x_0", 1.7), c.get("x_t", 0.6))


# fmt: off
ENTRIES = [
    Formula(
        name="posterior-variance", number=20, lecture=1, title="Variance of the posterior",
        latex=r"\tilde\beta_t = \frac{1-\bar\alpha_{t-1}}{1-\bar\alpha_t}\,\beta_t",
        why="Knowing x_0 as well as x_t leaves less doubt about x_{t-1} than the step's own noise.",
        letters="beta t", answer="(1 - alpha_bar[t-1]) / (1 - alpha_bar[t]) * beta[t]",
        oracle=lambda c, rng: _posterior(c, rng)[1], measured="Bayes on a grid: q(x_t | x_{t-1}) q(x_{t-1} | x_0), normalised",
        source="gaussian.posterior",
        value=lambda f, c: f(c.schedule, np.array([1.7]), np.array([0.6]), c.t, c.s)[1],
        wrong=(
            ("beta[t]", "that is Var(x_{t-1} | x_t) for N(0, 1) data, not the variance given x_0 as well"),
            ("(1 - alpha_bar[t]) / (1 - alpha_bar[t-1]) * beta[t]", "inverted: the posterior is narrower than beta_t"),
            ("alpha_bar[t-1] / alpha_bar[t] * beta[t]", "the shares of noise 1 - alpha_bar belong there, not those of signal"),
            ("(1 - alpha_bar[t]) / (1 - alpha_bar[t+1]) * beta[t+1]", "the index is one step late"),
            ("(1 - alpha[t-1]) / (1 - alpha[t]) * beta[t]", "alpha_bar, not alpha: all noise up to t counts"),
            ("sqrt((1 - alpha_bar[t-1]) / (1 - alpha_bar[t]) * beta[t])", "that is the standard deviation"),
            ("1 - alpha_bar[t-1]", "that is the variance given x_0 alone: x_t is known as well"),
        ),
    ),
]
