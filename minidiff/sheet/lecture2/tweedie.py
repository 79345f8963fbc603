"""Lecture 2: Tweedie's formula. Each of score, eps_hat and x_0_hat gives the other two; Bayes' rule for scores."""

import math

import numpy as np

from ... import exact, gaussian
from ...continuous import sde
from .. import oracles
from ..entry import POSITIVE, REAL, Formula

GUESS = {"score": (REAL, "grad log p_t(x_t)"), "eps_hat": (REAL, "E[eps | x_t]")}
VE = {"score": (REAL, "grad log q_sigma(x_tilde)"), "x_hat": (REAL, "E[x | x_tilde]"), "x": (REAL, "clean data"),
      "x_tilde": (REAL, "noisy data, x + sigma eps"), "sigma": (POSITIVE, "standard deviation of the added noise")}  # fmt: skip
SEEN = {"score": (REAL, "grad log p at x"), "y": (REAL, "what was measured"), "x": (REAL, "a point"),
        "sigma": (POSITIVE, "standard deviation of the measurement's noise")}  # fmt: skip


def _two_points(x, keep, var, want, given):
    """Data at m - 1 or m + 1 (1 : 2), noised to x = keep x_0 + sqrt(var) eps: the number `want`, with m so that `given` fits.

    The numbers are score (finite differences of the log density), x_0 and eps (averages over both points, by Bayes).
    """

    def log_q(x, m):
        near, far = (
            oracles.log_bell(x, keep * (m - 1), var),
            math.log(2) + oracles.log_bell(x, keep * (m + 1), var),
        )
        return max(near, far) + math.log1p(math.exp(-abs(near - far)))

    def number(name, m):
        if name == "score":
            return oracles.difference(lambda x: log_q(x, m), x, 1e-2 * min(var, math.sqrt(var)))
        odds = (
            math.log(2) + oracles.log_bell(x, keep * (m + 1), var) - oracles.log_bell(x, keep * (m - 1), var)
        )
        far = (1 + math.tanh(odds / 2)) / 2
        mean_of = lambda f: (1 - far) * f(m - 1) + far * f(m + 1)  # noqa: E731
        return (
            mean_of(lambda x_0: x_0)
            if name == "x_0"
            else mean_of(lambda x_0: (x - keep * x_0) / math.sqrt(var))
        )

    name, value = given
    rising = -1 if name == "eps" else 1  # data further up: less noise in x
    return number(want, oracles.root(lambda m: rising * (number(name, m) - value), -1e4, 1e4))


def _vp(c, want, given):
    """_two_points at t, the chain walked step by step."""
    return _two_points(c.get("x_t", 0.6), *oracles.forward_moments(c.beta, c.t), want, given)


def _kernel_score(c, rng):
    """d/dx_t log q(x_t | x_0), the law of x_t from the chain walked step by step."""
    mean, var = oracles.forward_moments(c.beta, c.t, mean=c.x_0)
    return oracles.difference(lambda x: oracles.log_bell(x, mean, var), c.x_t)


def _noised_score(c, rng):
    """d/dx log of the density of x_t for data N(mu, sigma^2), its mean and variance followed step by step."""
    mean, var = oracles.forward_moments(c.beta, c.t, mean=c.mu, var=c.sigma**2)
    return oracles.difference(lambda x: oracles.log_bell(x, mean, var), c.x_t)


def _seen(c, rng):
    """d/dx log p(x | y) by Bayes, for a p that has this score at x and bends away from there."""
    log_p = lambda u: c.score * (u - c.x) - (u - c.x) ** 2 + 0.3 * (u - c.x) ** 3  # noqa: E731
    return oracles.difference(lambda u: log_p(u) + oracles.log_bell(c.y, u, c.sigma**2), c.x)


TWO = "two data points, shifted until what is given fits; Bayes' average and finite differences of log p"

# fmt: off
ENTRIES = [
    Formula(
        name="tweedie-ve", number=44, lecture=2, title="Tweedie's formula: the best guess of the clean data",
        latex=r"\mathrm{E}[x\,|\,\tilde x] = \tilde x + \sigma^2\,\nabla\log q_\sigma(\tilde x)",
        why="One step along the score, its length the noise's variance, is the best denoiser: no prior appears.",
        letters="x_tilde sigma score", own=VE, asks={"score": ("x_tilde", "sigma")}, answer="x_tilde + sigma**2 * score",
        oracle=lambda c, rng: _two_points(c.x_tilde, 1.0, c.sigma**2, "x_0", ("score", c.score)), measured=TWO,
        wrong=(
            ("x_tilde + sigma * score", "sigma stands where sigma^2 belongs"),
            ("x_tilde - sigma**2 * score", "the sign: towards likelier data, along the score"),
            ("x_tilde + score", "the step's length sigma^2 is missing"),
            ("x_tilde + sigma**2/2 * score", "the 1/2 belongs to Langevin's step; here the whole way is gone"),
            ("x_tilde", "the noisy data are not their own best guess"),
        ),
    ),
    Formula(
        name="tweedie-ve-score", number=44, lecture=2, title="Tweedie's formula: the score of noisy data from a denoiser",
        latex=r"\nabla\log q_\sigma(\tilde x) = \frac{\mathrm{E}[x\,|\,\tilde x] - \tilde x}{\sigma^2}",
        why="Whoever can denoise knows the score: it points to the average picture that could have been.",
        letters="x_tilde x_hat sigma x", own=VE, answer="(x_hat - x_tilde) / sigma**2", bound=1e-8,
        oracle=lambda c, rng: _two_points(c.x_tilde, 1.0, c.sigma**2, "score", ("x_0", c.x_hat)), measured=TWO,
        wrong=(
            ("(x_hat - x_tilde) / sigma", "sigma stands where sigma^2 belongs"),
            ("(x_tilde - x_hat) / sigma**2", "the sign: the score points to the guess, away from the noise"),
            ("(x_hat - x_tilde) * sigma**2", "the less noise, the steeper: divide by sigma^2"),
            ("(x - x_tilde) / sigma**2", "that is the score given x; without x its posterior mean stands there"),
            ("-x_tilde / sigma**2", "that holds for data at 0 only: the guess is missing"),
            ("x_hat - x_tilde", "that is the way to the guess; the score is 1/sigma^2 of it"),
        ),
    ),
    Formula(
        name="tweedie-vp", number=45, lecture=2, title="Tweedie's formula for DDPM",
        latex=r"\mathrm{E}[x_0\,|\,x_t] = \frac{x_t + (1-\bar\alpha_t)\,\nabla\log p_t(x_t)}{\sqrt{\bar\alpha_t}}",
        why="Undo the noise along the score, then undo the shrinking.",
        letters="beta t x_t score", own=GUESS, answer="(x_t + (1 - alpha_bar[t]) * score) / sqrt(alpha_bar[t])", bound=1e-8,
        oracle=lambda c, rng: _vp(c, "x_0", ("score", c.score)), measured=TWO,
        wrong=(
            ("(x_t + sqrt(1 - alpha_bar[t]) * score) / sqrt(alpha_bar[t])",
             "the step's length is the noise's variance, not its standard deviation"),
            ("x_t + (1 - alpha_bar[t]) * score", "x_t holds sqrt(alpha_bar) x_0: the division is missing"),
            ("(x_t + (1 - alpha_bar[t]) * score) / alpha_bar[t]", "the root in the denominator is missing"),
            ("(x_t - (1 - alpha_bar[t]) * score) / sqrt(alpha_bar[t])", "the sign: along the score"),
            ("(x_t + (1 - alpha[t]) * score) / sqrt(alpha[t])", "alpha_t undoes one step: that is E[x_{t-1} | x_t]"),
            ("x_t / sqrt(alpha_bar[t]) + (1 - alpha_bar[t]) * score", "the score's part is divided as well"),
        ),
    ),
    Formula(
        name="kernel-score", number=46, lecture=2, title="The score of x_t given x_0 is the noise",
        latex=r"\nabla\log q(x_t\,|\,x_0) = -\frac{\epsilon}{\sqrt{1-\bar\alpha_t}}",
        why="Back to the data is against the noise, measured in its standard deviations.",
        letters="beta t x_0 eps x_t", answer="-eps / sqrt(1 - alpha_bar[t])",
        oracle=_kernel_score, measured="finite differences of the log density, the chain followed step by step",
        source=gaussian.score_from_eps, value=lambda f, c: f(c.schedule, c.t, np.array([c.eps]))[0],
        wrong=(
            ("-eps", "the division by the noise's standard deviation is missing"),
            ("-eps / (1 - alpha_bar[t])", "1 - alpha_bar is the variance: (x_t - sqrt(alpha_bar) x_0) holds one root of it"),
            ("eps / sqrt(1 - alpha_bar[t])", "the sign: the score points against the noise"),
            ("-eps * sqrt(1 - alpha_bar[t])", "that is how eps follows from a score: here divide"),
            ("-eps / sqrt(alpha_bar[t])", "alpha_bar is the signal's share; the noise has 1 - alpha_bar"),
            ("-eps / sqrt(beta[t])", "that is the last step's noise alone"),
            ("-x_t / (1 - alpha_bar[t])", "the bell stands at sqrt(alpha_bar) x_0, not at 0"),
            ("-(x_t - x_0) / (1 - alpha_bar[t])", "x_0 is shrunk by sqrt(alpha_bar) as well"),
        ),
    ),
    Formula(
        name="score-from-noise", number=46, lecture=2, title="A denoiser is a score: s_theta from eps_theta",
        latex=r"s_\theta(x_t, t) = -\frac{\epsilon_\theta(x_t, t)}{\sqrt{1-\bar\alpha_t}}",
        why="The average of the arrows back is the arrow of the average: DDPM had learnt the score all along.",
        letters="beta t x_t eps_hat", own=GUESS, answer="-eps_hat / sqrt(1 - alpha_bar[t])", bound=1e-8,
        oracle=lambda c, rng: _vp(c, "score", ("eps", c.eps_hat)), measured=TWO,
        source=sde.score_of, value=lambda f, c: f(lambda x, t: np.array([c.eps_hat]), c.schedule)(np.array([c.x_t]), c.t)[0],
        wrong=(
            ("-eps_hat", "the division by the noise's standard deviation is missing"),
            ("-eps_hat / (1 - alpha_bar[t])", "the root is missing: eps is noise in standard deviations"),
            ("eps_hat / sqrt(1 - alpha_bar[t])", "the sign: the score points against the noise"),
            ("-eps_hat * sqrt(1 - alpha_bar[t])", "that is how eps follows from a score: here divide"),
            ("-eps_hat / sqrt(1 - alpha[t])", "alpha_t is one step's share; all noise up to t counts"),
            ("-eps_hat / sqrt(alpha_bar[t])", "alpha_bar is the signal's share"),
            ("-x_t", "that holds for N(0, 1) data only"),
        ),
    ),
    Formula(
        name="noisy-score", number=46, lecture=2, title="The score of x_t for N(mu, sigma^2) data",
        latex=r"\nabla\log p_t(x_t) = -\frac{x_t - \sqrt{\bar\alpha_t}\,\mu}{\bar\alpha_t\,\sigma^2 + 1 - \bar\alpha_t}",
        why="Noised Gaussian data are Gaussian again: the pull goes to the shrunk mean, by the width of data and noise.",
        letters="beta t x_t mu sigma", own={"x_t": (REAL, "noisy data"), "mu": (REAL, "mean of the data"),
                                            "sigma": (POSITIVE, "standard deviation of the data")},
        answer="-(x_t - sqrt(alpha_bar[t]) * mu) / (alpha_bar[t] * sigma**2 + 1 - alpha_bar[t])",
        oracle=_noised_score, measured="finite differences of the log density, its moments followed step by step",
        source=exact.Mixture,
        value=lambda f, c: f([1.0], [[c.mu]], [[[c.sigma**2]]]).score(c.schedule, np.array([[c.x_t]]), c.t)[0, 0],
        wrong=(
            ("-(x_t - sqrt(alpha_bar[t]) * mu) / (1 - alpha_bar[t])", "that is for a single picture mu"),
            ("-(x_t - mu) / (alpha_bar[t] * sigma**2 + 1 - alpha_bar[t])", "the mean is shrunk by sqrt(alpha_bar_t)"),
            ("-(x_t - mu) / sigma**2", "that is the score of the clean data"),
            ("-x_t", "that is where noising ends, N(0, 1)"),
            ("(x_t - sqrt(alpha_bar[t]) * mu) / (alpha_bar[t] * sigma**2 + 1 - alpha_bar[t])", "the sign: to the mean"),
            ("-(x_t - sqrt(alpha_bar[t]) * mu) / sqrt(alpha_bar[t] * sigma**2 + 1 - alpha_bar[t])",
             "the variance stands below, not its root"),
            ("-(x_t - alpha_bar[t] * mu) / (alpha_bar[t] * sigma**2 + 1 - alpha_bar[t])", "the mean has sqrt(alpha_bar_t)"),
        ),
    ),
    Formula(
        name="bayes-score", number=46, lecture=2, title="The score once y = x + sigma eps was measured",
        latex=r"\nabla\log p(x\,|\,y) = \nabla\log p(x) + \nabla_x\log p(y\,|\,x) = \nabla\log p(x) + \frac{y-x}{\sigma^2}",
        why="Bayes' rule multiplies, logarithms add, and the evidence p(y) is a constant of x: a prior and a pull to y.",
        letters="x y sigma score", own=SEEN, answer="score + (y - x) / sigma**2",
        oracle=_seen, measured="finite differences of the log of prior times likelihood",
        wrong=(
            ("score - (y - x) / sigma**2", "the sign: the measurement pulls x to y"),
            ("score * (y - x) / sigma**2", "densities multiply, their scores add"),
            ("(y - x) / sigma**2", "the prior is missing: that alone gives back the noisy y"),
            ("score + (y - x) / sigma", "sigma stands where sigma^2 belongs"),
            ("score + y - x", "the measurement counts by its precision, 1/sigma^2"),
            ("score", "that is the score without the measurement"),
        ),
    ),
]
