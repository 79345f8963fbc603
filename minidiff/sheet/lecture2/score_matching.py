"""Lecture 2: denoising score matching learns a score that nobody can compute; so does implicit score matching."""

import math

import numpy as np

from .. import oracles
from ..entry import POSITIVE, REAL, Formula

KERNEL = {"x": (REAL, "clean data"), "x_tilde": (REAL, "noisy data, x + sigma eps"), "eps": (REAL, "the noise in x_tilde"),
          "sigma": (POSITIVE, "standard deviation of the added noise")}  # fmt: skip
LINE = {"a": (REAL, "slope of s_theta(x) = a x + b"), "b": (REAL, "its value at 0"),
        "sigma": (POSITIVE, "standard deviation of the added noise")}  # fmt: skip
MODEL = {"mu": (REAL, "mean of the model"), "sigma": (POSITIVE, "standard deviation of the model"),
         "mu_1": (REAL, "mean of the data"), "sigma_1": (POSITIVE, "standard deviation of the data")}  # fmt: skip
POINTS, SHARES = (-1.0, 1.5), (0.3, 0.7)  # the data


def _average(c, loss):
    """E loss(x_tilde, target, marginal score) over both data points and their noise; the scores by finite differences."""
    eps, p = oracles.gaussian_grid(0.0, 1.0, 601)
    log_q = lambda y: np.logaddexp(
        *(math.log(w) + oracles.log_bell(y, x, c.sigma**2) for w, x in zip(SHARES, POINTS))
    )  # noqa: E731
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
    return np.sum(
        p[:, None] * q * (target - oracles.difference(lambda y: oracles.log_bell(y, 0.0, var), noisy)) ** 2
    )


def _own_units(c, rng):
    """sigma^2 times the squared distance of s_theta from the noise's score, that by finite differences."""
    target = oracles.difference(lambda y: oracles.log_bell(y, 0.7, c.sigma**2), 0.7 + c.sigma * c.eps)
    return c.sigma**2 * (c.score - target) ** 2


def _explicit(c, rng):
    """E (s_theta - s)^2 / 2 - E s^2 / 2 over N(mu_1, sigma_1^2) data, both scores by finite differences: no divergence."""
    x, p = oracles.gaussian_grid(c.mu_1, c.sigma_1, 601)
    model, data = (oracles.difference(lambda y, m=m, s=s: oracles.log_bell(y, m, s**2), x, 1e-2 * s)
                   for m, s in ((c.mu, c.sigma), (c.mu_1, c.sigma_1)))  # fmt: skip
    return p @ ((model - data) ** 2 - data**2) / 2


def _implicit(c, rng, square=0.5, divergence=1.0):
    """SM minus the implicit loss of s_theta(x) = a tanh(x) + b, minus the same of another s_theta, data of two bumps."""

    def gap(a, b):
        s = lambda y: a * np.tanh(y) + b  # noqa: E731
        return _average(c, lambda y, _, score: (
            (s(y) - score) ** 2 / 2 - square * s(y) ** 2 - divergence * oracles.difference(s, y)))  # fmt: skip

    return gap(c.a, c.b) - gap(-0.4, 0.2)


# fmt: off
ENTRIES = [
    Formula(
        name="dsm-target", number=42, lecture=2, title="Denoising score matching: the target",
        latex=r"\nabla_{\tilde x}\log q_\sigma(\tilde x\,|\,x) = -\frac{\tilde x-x}{\sigma^2},"
              r"\quad \tilde x = x + \sigma\epsilon",
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
    Formula(
        name="dsm-eps-loss", number=42, lecture=2, title="Denoising score matching weighted by sigma^2 is the loss of eps",
        latex=r"\sigma^2\,\|s_\theta - \nabla\log q_\sigma(\tilde x|x)\|^2 = \|\epsilon + \sigma\,s_\theta\|^2",
        why="Scores are as long as 1/sigma: in units of the noise every level counts alike, and -sigma s guesses eps.",
        letters="sigma eps score", own=KERNEL | {"score": (REAL, "s_theta, the guess")}, asks={"score": ("x_tilde", "sigma")},
        answer="(eps + sigma * score)**2",
        oracle=_own_units, measured="sigma^2 times the squared distance from the noise's score, that by finite differences",
        wrong=(
            ("(eps - sigma * score)**2", "the sign: the score points against the noise"),
            ("(eps / sigma + score)**2", "that is the loss without its weight: small sigma outweigh the rest"),
            ("(eps + score)**2", "a score is turned into a noise by its factor sigma"),
            ("(eps + sigma**2 * score)**2", "sigma^2 s is the way to the picture, sigma s the noise"),
            ("sigma**2 * (eps + sigma * score)**2", "the weight turned the score into a noise: it counts once"),
        ),
    ),
    Formula(
        name="implicit-score-matching", number=43, lecture=2, title="Score matching without the data's score",
        latex=r"\frac{1}{2}\mathrm{E}\|s_\theta - \nabla\log p\|^2 = \mathrm{E}[\frac{1}{2}\|s_\theta\|^2"
              r" + \nabla\cdot s_\theta] + C",
        why="In the cross term p grad log p is grad p, and by parts the gradient moves to s_theta.",
        letters="a b sigma", own=LINE | {"a": (REAL, "s_theta(x) = a tanh(x) + b")}, bound=1e-8,
        oracle=_implicit, measured="both losses of two s_theta on noisy data of two points, by quadrature",
        wrong=(
            (lambda c, rng: _implicit(c, rng, divergence=-1.0), "the sign: by parts, -s grad log p turns to +div s"),
            (lambda c, rng: _implicit(c, rng, square=1.0), "the square keeps the 1/2 of the loss"),
            (lambda c, rng: _implicit(c, rng, divergence=0.5), "half of a square has its cross term whole"),
            (lambda c, rng: _implicit(c, rng, divergence=0.0), "without the divergence s_theta = 0 would be best"),
        ),
    ),
    Formula(
        name="hyvarinen", number=43, lecture=2, title="The implicit loss of a Gaussian model",
        latex=r"\mathrm{E}[\frac{1}{2}s_\theta^2 + s_\theta'] = \frac{(\mu_1-\mu)^2 + \sigma_1^2}{2\sigma^4}"
              r" - \frac{1}{\sigma^2},\quad s_\theta = -\frac{x-\mu}{\sigma^2}",
        why="Too narrow a model pays with the square, too wide a one with the slope: least where mean and variance agree.",
        letters="mu sigma mu_1 sigma_1", own=MODEL,
        answer="((mu_1 - mu)**2 + sigma_1**2) / (2*sigma**4) - 1/sigma**2", bound=1e-8,
        oracle=_explicit, measured="the distance to the data's score less what no model changes, by quadrature",
        wrong=(
            ("((mu_1 - mu)**2 + sigma_1**2) / (2*sigma**4) + 1/sigma**2", "the sign: a bell's score falls, s' = -1/sigma^2"),
            ("((mu_1 - mu)**2 + sigma_1**2) / sigma**4 - 1/sigma**2", "the square's 1/2 is missing"),
            ("(mu_1 - mu)**2 / (2*sigma**4) - 1/sigma**2", "the data scatter about their mean: sigma_1^2 is missing"),
            ("((mu_1 - mu)**2 + sigma_1**2) / (2*sigma**2) - 1/sigma**2", "the square has sigma^4 below"),
            ("((mu_1 - mu)**2 + sigma_1**2) / (2*sigma**4) - 1/(2*sigma**2)", "the slope has no 1/2"),
            ("((mu_1 - mu)**2 + sigma_1**2) / (2*sigma**4)", "the divergence is missing: an endless sigma would be best"),
        ),
    ),
]
