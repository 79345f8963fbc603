"""Lecture 1: the simple loss, how small it can be, and the denoiser that reaches that."""

import math

import numpy as np

from ... import exact, objective
from ...evaluation import floors
from .. import oracles
from ..entry import POSITIVE, REAL, Formula

PAIR = {"eps_1": (REAL, "the noise, first coordinate"), "eps_2": (REAL, "second coordinate"),
        "eps_hat_1": (REAL, "the denoiser's answer, first coordinate"), "eps_hat_2": (REAL, "second coordinate")}  # fmt: skip
GAUSSIAN = {"mu": (REAL, "mean of the data"), "sigma": (POSITIVE, "standard deviation of the data")}
ANGLES = np.arange(12) * math.pi / 6


def _length_squared(u, v=0.0):
    """||(u, v)||^2 as twice the mean of its squared component over all directions."""
    return 2 * np.mean((u * np.cos(ANGLES) + v * np.sin(ANGLES)) ** 2)


def _training_loss(c, rng):
    """The squared length of the error in eps."""
    mean, var = oracles.forward_moments(c.beta, c.t, mean=c.x_0)
    return _length_squared(c.eps - c.a * (mean + math.sqrt(var) * c.eps))


def _eps_given_x_t(c, x_t=0.6, mu=0.4):
    """Mean and variance of the noise in x_t for N(mu, sigma^2) data: Bayes on a grid over eps."""
    (keep, noise), spread = (
        oracles.forward_moments(c.beta, c.t),
        oracles.forward_moments(c.beta, c.t, var=c.sigma**2)[1],
    )

    def log_p(eps):
        return oracles.log_bell(eps, 0.0, 1.0) + oracles.log_bell(
            x_t - math.sqrt(noise) * eps, keep * mu, spread - noise
        )

    return oracles.refined_moments(log_p, 0.0, 60.0)


def probabilities(betas, t, x_t, points):
    """p(x_0 | x_t) for each of some equally likely x_0, by Bayes: (points, ...)."""
    keep, noise = oracles.forward_moments(betas, t)
    log_p = np.array([oracles.log_bell(x_t, keep * x_0, noise) for x_0 in points])
    p = np.exp(log_p - log_p.max(axis=0))
    return p / p.sum(axis=0)


def _best_of_two_points(c, rng):
    """E[eps | x_t]: the eps that each of the two x_0 implies, averaged with their probabilities."""
    keep, noise = oracles.forward_moments(c.beta, c.t)
    eps = (c.x_t - keep * np.array([1, -1])) / math.sqrt(noise)
    return probabilities(c.beta, c.t, c.x_t, (1, -1)) @ eps


# fmt: off
ENTRIES = [
    Formula(
        name="l-simple", number=26, lecture=1, title="The simple loss, two coordinates",
        latex=r"\|\epsilon - \epsilon_\theta(x_t, t)\|^2 = (\epsilon_1 - \hat\epsilon_1)^2 + (\epsilon_2 - \hat\epsilon_2)^2",
        why="Guessing the noise is regression; the weight of the ELBO is left out, as pictures come out better without.",
        letters="eps_1 eps_2 eps_hat_1 eps_hat_2", own=PAIR, answer="(eps_1 - eps_hat_1)**2 + (eps_2 - eps_hat_2)**2",
        oracle=lambda c, rng: _length_squared(c.eps_1 - c.eps_hat_1, c.eps_2 - c.eps_hat_2),
        measured="the error seen from twelve sides: on average half its squared length shows",
        source=objective.l_simple,
        value=lambda f, c: f(np.array([[c.eps_hat_1, c.eps_hat_2]]), np.array([[c.eps_1, c.eps_2]]))[0],
        wrong=(
            ("sqrt((eps_1 - eps_hat_1)**2 + (eps_2 - eps_hat_2)**2)", "that is the length; the loss is its square"),
            ("abs(eps_1 - eps_hat_1) + abs(eps_2 - eps_hat_2)", "that is the L1 distance"),
            ("(eps_1 + eps_hat_1)**2 + (eps_2 + eps_hat_2)**2", "the sign: the loss is a distance"),
            ("((eps_1 - eps_hat_1)**2 + (eps_2 - eps_hat_2)**2) / 2", "that is the mean over coordinates; the norm sums them"),
            ("(eps_1 - eps_hat_1 + eps_2 - eps_hat_2)**2", "squares first, then the sum: errors must not cancel"),
            ("eps_1**2 + eps_2**2 - eps_hat_1**2 - eps_hat_2**2", "a difference of squares is not the square of a difference"),
        ),
    ),
    Formula(
        name="training-loss", number=26, lecture=1, title="One training example",
        latex=r"\|\epsilon - \epsilon_\theta(x_t, t)\|^2 = \|\epsilon - a\,x_t\|^2,"
              r"\quad x_t = \sqrt{\bar\alpha_t}\,x_0 + \sqrt{1-\bar\alpha_t}\,\epsilon",
        why="Draw t, noise the picture in one jump, ask for the noise: no chain is ever walked.",
        letters="beta t x_0 eps x_t a", own={"a": (REAL, "the denoiser is eps_theta(x_t, t) = a x_t")},
        answer="(eps - a * x_t)**2",
        oracle=_training_loss, measured="x_t walked step by step, the error seen from twelve sides",
        wrong=(
            ("(eps - a * (sqrt(1 - beta[t]) * x_0 + sqrt(beta[t]) * eps))**2",
             "x_t was built with beta_t, as if x_0 were one step away"),
            ("(eps - a * (alpha_bar[t] * x_0 + (1 - alpha_bar[t]) * eps))**2", "x_t was built without the roots"),
            ("(x_0 - a * x_t)**2", "the target is eps, not x_0"),
            ("(x_t - a * x_t)**2", "the target is eps, not x_t"),
            ("(eps - a * x_0)**2", "the denoiser sees x_t, never x_0"),
            ("(eps + a * x_t)**2", "the sign: the loss is a distance"),
            ("abs(eps - a * x_t)", "that is not squared"),
        ),
    ),
    Formula(
        name="loss-floor", number=26, lecture=1, title="The least loss there is, for N(mu, sigma^2) data",
        latex=r"\mathrm{E}\,\mathrm{Var}(\epsilon|x_t) = \frac{\bar\alpha_t\sigma^2}{\bar\alpha_t\sigma^2 + 1 - \bar\alpha_t}",
        why="x_t does not tell picture from noise: even the best one errs, most where little noise hides in much signal.",
        letters="beta t sigma", own=GAUSSIAN, answer="alpha_bar[t] * sigma**2 / (alpha_bar[t] * sigma**2 + 1 - alpha_bar[t])",
        oracle=lambda c, rng: _eps_given_x_t(c)[1], measured="the variance of eps given x_t: Bayes on a grid over eps",
        source=floors.loss_floor,
        value=lambda f, c: f(
            exact.Mixture([1.0], [[0.4]], [[[c.sigma**2]]]), c.schedule, c.t, 2, np.random.default_rng(0))[0],
        wrong=(
            ("0", "the loss does not reach 0: x_t does not determine eps"),
            ("1", "that is the loss of always answering 0"),
            ("(1 - alpha_bar[t]) / (alpha_bar[t] * sigma**2 + 1 - alpha_bar[t])", "that is the share of eps that can be known"),
            ("alpha_bar[t] * sigma / (alpha_bar[t] * sigma + 1 - alpha_bar[t])", "sigma stands where sigma^2 belongs"),
            ("alpha[t] * sigma**2 / (alpha[t] * sigma**2 + 1 - alpha[t])", "alpha_t is one step's share; x_t has alpha_bar_t"),
            ("alpha_bar[t]", "that holds for data of variance 1 only"),
            ("1 - alpha_bar[t]", "that is the variance of the noise in x_t, not of the doubt about eps"),
        ),
    ),
    Formula(
        name="best-predictor", number=27, lecture=1, title="The best denoiser, data +1 or -1",
        latex=r"\epsilon^*(x_t,t) = \mathrm{E}[\epsilon\,|\,x_t] = \frac{x_t - \sqrt{\bar\alpha_t}\,\tanh(\sqrt{\bar\alpha_t}"
              r"\,x_t / (1-\bar\alpha_t))}{\sqrt{1-\bar\alpha_t}}",
        why="A squared error is least at the mean: the denoiser answers the average noise, not the true one.",
        letters="beta t x_t",
        answer="(x_t - sqrt(alpha_bar[t]) * tanh(sqrt(alpha_bar[t]) * x_t / (1 - alpha_bar[t]))) / sqrt(1 - alpha_bar[t])",
        oracle=_best_of_two_points, measured="Bayes over the two points, each with its own eps",
        source=exact.Mixture,
        value=lambda f, c: f([0.5, 0.5], [[1.0], [-1.0]], np.zeros((2, 1, 1))).eps(c.schedule, np.array([[c.x_t]]), c.t)[0, 0],
        wrong=(
            ("(x_t - sqrt(alpha_bar[t])) / sqrt(1 - alpha_bar[t])",
             "that is the exact noise if x_0 = 1: the denoiser cannot know which x_0 it was"),
            ("x_t / sqrt(1 - alpha_bar[t])", "that puts x_0 at its mean 0: x_t tells more than that"),
            ("(x_t - sqrt(alpha_bar[t]) * x_t / abs(x_t)) / sqrt(1 - alpha_bar[t])",
             "that believes in the nearer point: both count, by how likely they are"),
            ("sqrt(1 - alpha_bar[t]) * x_t", "that is the best denoiser for N(0, 1) data"),
            ("(x_t - sqrt(alpha_bar[t]) * tanh(sqrt(alpha_bar[t]) * x_t / sqrt(1 - alpha_bar[t]))) / sqrt(1 - alpha_bar[t])",
             "inside tanh stands the noise's variance 1 - alpha_bar_t, not its root"),
            ("(x_t - tanh(sqrt(alpha_bar[t]) * x_t / (1 - alpha_bar[t]))) / sqrt(1 - alpha_bar[t])",
             "x_0 stands in x_t with the weight sqrt(alpha_bar_t)"),
            ("(x_t - sqrt(alpha_bar[t]) * tanh(sqrt(alpha_bar[t]) * x_t / (1 - alpha_bar[t]))) / (1 - alpha_bar[t])",
             "the noise's weight is sqrt(1 - alpha_bar_t): that is minus the score"),
        ),
    ),
    Formula(
        name="best-predictor-gaussian", number=27, lecture=1, title="The best denoiser, N(mu, sigma^2) data",
        latex=r"\epsilon^*(x_t,t) = \frac{\sqrt{1-\bar\alpha_t}\,(x_t - \sqrt{\bar\alpha_t}\,\mu)}"
              r"{\bar\alpha_t\sigma^2 + 1 - \bar\alpha_t}",
        why="What x_t has beyond its mean is shared between picture and noise by their variances.",
        letters="beta t mu sigma x_t", own=GAUSSIAN,
        answer="sqrt(1 - alpha_bar[t]) * (x_t - sqrt(alpha_bar[t]) * mu) / (alpha_bar[t] * sigma**2 + 1 - alpha_bar[t])",
        oracle=lambda c, rng: _eps_given_x_t(c, c.x_t, c.mu)[0], measured="the mean of eps given x_t: Bayes on a grid over eps",
        source=exact.Mixture,
        value=lambda f, c: f([1.0], [[c.mu]], [[[c.sigma**2]]]).eps(c.schedule, np.array([[c.x_t]]), c.t)[0, 0],
        wrong=(
            ("(x_t - sqrt(alpha_bar[t]) * mu) / sqrt(1 - alpha_bar[t])", "that is the noise if x_0 were mu exactly"),
            ("sqrt(1 - alpha_bar[t]) * (x_t - mu) / (alpha_bar[t] * sigma**2 + 1 - alpha_bar[t])",
             "the mean of x_t is sqrt(alpha_bar_t) mu"),
            ("sqrt(1 - alpha_bar[t]) * (x_t - sqrt(alpha_bar[t]) * mu) / (alpha_bar[t] * sigma + 1 - alpha_bar[t])",
             "sigma stands where sigma^2 belongs"),
            ("sqrt(1 - alpha_bar[t]) * (x_t - sqrt(alpha_bar[t]) * mu)", "that holds for data of variance 1 only"),
            ("(1 - alpha_bar[t]) * (x_t - sqrt(alpha_bar[t]) * mu) / (alpha_bar[t] * sigma**2 + 1 - alpha_bar[t])",
             "that is the noise as it stands in x_t, sqrt(1 - alpha_bar_t) eps"),
            ("sqrt(1 - alpha_bar[t]) * x_t / (alpha_bar[t] * sigma**2 + 1 - alpha_bar[t])", "the data's mean is missing"),
            ("(sqrt(alpha_bar[t]) * mu - x_t) / (alpha_bar[t] * sigma**2 + 1 - alpha_bar[t])",
             "that is the score; eps is minus sqrt(1 - alpha_bar_t) times it"),
        ),
    ),
]
