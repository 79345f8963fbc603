"""Lecture 4: guidance by a classifier, and without one."""

import math

import numpy as np

from ...pictures import guidance
from .. import oracles
from ..entry import POSITIVE, REAL, SHARE, Formula

TILT = {"mu": (REAL, "mean of the unguided step"), "sigma": (POSITIVE, "its standard deviation"),
        "g": (REAL, "grad log p(y | x), the same everywhere")}  # fmt: skip
FREE = {"eps_u": (REAL, "the answer without the condition"), "eps_c": (REAL, "the answer with it")}


def _guided(c, rng=None):
    """Mean and variance of N(mu, sigma^2) times exp(w g x), normalised on a grid."""
    tilted = lambda x: oracles.log_bell(x, c.mu, c.sigma**2) + c.w * c.g * x  # noqa: E731
    center = c.mu
    for _ in range(4):  # walks to where the mass is
        center, var = oracles.grid_moments(tilted, center, 12 * c.sigma * (1 + abs(c.w * c.g) * c.sigma))
    return oracles.grid_moments(tilted, center, 12 * math.sqrt(var))


def _guided_eps(c, rng):
    """The eps whose score is that of p(x_t) p(y | x_t)^w, by bisection; scores by finite differences."""
    _, var = oracles.forward_moments(c.beta, c.t)
    x = math.sqrt(var) * c.eps_hat
    slope = lambda f: oracles.difference(f, x, 0.1)  # noqa: E731  (of parabolas: any step is exact)
    target = slope(lambda y: oracles.log_bell(y, 0.0, var) + c.w * c.g * y)
    return oracles.root(
        lambda e: target - slope(lambda y: oracles.log_bell(y, x - math.sqrt(var) * e, var)), -1e3, 1e3
    )


def _tilted(c, rng):
    """Minus the slope, at 0, of log p(x) + w (log p(x | y) - log p(x)) with p and p(x | y) of unit width and these noises."""
    free, given = (lambda x, e=e: oracles.log_bell(x, -e, 1.0) for e in (c.eps_u, c.eps_c))
    return -oracles.difference(lambda x: free(x) + c.w * (given(x) - free(x)), 0.0, 0.1)


def _noised_gap(c, rng):
    """Score of the noised p(x_0) p(y | x_0)^w, less CFG's score from the noised p(x_0) and p(x_0 | y); humps at 1 and -1."""
    x_0 = np.linspace(-8.0, 8.0, 3201)
    given = np.exp(oracles.log_bell(x_0, 1.0, c.sigma**2))
    free = (given + np.exp(oracles.log_bell(x_0, -1.0, c.sigma**2))) / 2
    w, var = 1 + c.w, 1 - c.a

    def score(p):
        return oracles.difference(
            lambda x: math.log(p @ np.exp(oracles.log_bell(x, math.sqrt(c.a) * x_0, var))), 0.3, 1e-2
        )

    return score(free * (given / np.maximum(free, 1e-300)) ** w) - (
        score(free) + w * (score(given) - score(free))
    )


def _other_weight(c, rng):
    """The w' with which (1 + w') eps_c - w' eps_u gives the same as w, at eps_u = 0 and eps_c = 1: by bisection."""
    ours = _tilted(type(c)(w=c.w, eps_u=0.0, eps_c=1.0), rng)
    return oracles.root(lambda v: (1 + v) - ours, -100.0, 100.0)


def _ask_free(f, c):
    """The library's guided denoiser, from two that answer eps_c and eps_u."""
    return f(lambda x_t, t: np.array([c.eps_c]), lambda x_t, t: np.array([c.eps_u]), c.w)(np.zeros(1), 1)[0]


def _ask_classifier(f, c):
    """The library's guided denoiser, from one that answers eps_hat and a classifier of gradient g."""
    return f(lambda x_t, t: np.array([c.eps_hat]), lambda x_t, t: np.array([c.g]), c.schedule, c.w)(
        np.zeros(1), c.t
    )[0]


# fmt: off
ENTRIES = [
    Formula(
        name="classifier-guidance", number=74, lecture=4, title="Classifier guidance: the mean of the step",
        latex=r"\tilde\mu = \mu + w\,\sigma^2\,\nabla_x\log p_\phi(y\,|\,x)",
        why="Among the places where the step may land, those that look more like y count more.",
        letters="mu sigma w g", own=TILT, answer="mu + w * sigma**2 * g",
        oracle=lambda c, rng: _guided(c)[0], measured="the step's Gaussian times exp(w g x), normalised on a grid",
        wrong=(
            ("mu + w * sigma * g", "sigma stands where sigma^2 belongs: the wider the step, the further it can be pushed"),
            ("mu - w * sigma**2 * g", "the sign: uphill, towards more likely y"),
            ("mu + w * g", "the push is scaled by the step's variance"),
            ("mu + sigma**2 * g", "the weight w is missing"),
            ("mu + w**2 * sigma**2 * g", "p(y | x)^w: the logarithm brings w down once"),
            ("mu + w * g / sigma**2", "a narrow step is pushed less, not more"),
            ("(1 - w) * mu + w * sigma**2 * g", "the push is added: mu keeps its full weight"),
        ),
    ),
    Formula(
        name="classifier-guidance-variance", number=74, lecture=4, title="Classifier guidance: the variance of the step",
        latex=r"\tilde\sigma^2 = \sigma^2",
        why="A Gaussian times exp(g x) is the same bell, moved: guidance shifts the step, and does not narrow it.",
        letters="mu sigma w g", own=TILT, answer="sigma**2",
        oracle=lambda c, rng: _guided(c)[1], measured="the step's Gaussian times exp(w g x), normalised on a grid",
        wrong=(
            ("sigma**2 / (1 + w)", "a slope moves the bell, only a curvature would narrow it"),
            ("sigma**2 * (1 + w*g)", "a slope moves the bell, it does not widen it"),
            ("w * sigma**2", "w scales the push, not the noise"),
            ("sigma", "that is the standard deviation"),
        ),
    ),
    Formula(
        name="classifier-guidance-eps", number=74, lecture=4, title="Classifier guidance of the noise",
        latex=r"\tilde\epsilon = \epsilon_\theta - w\,\sqrt{1-\bar\alpha_t}\,\nabla\log p_\phi(y\,|\,x_t)",
        why="The noise points away from the data, so that a push towards y is taken off it.",
        letters="beta t eps_hat w g", own=TILT, answer="eps_hat - w * sqrt(1 - alpha_bar[t]) * g",
        oracle=_guided_eps, measured="bisection for the eps whose score is the slope of log p(x_t) + w log p(y | x_t)",
        source=guidance.classifier, value=_ask_classifier,
        wrong=(
            ("eps_hat + w * sqrt(1 - alpha_bar[t]) * g", "the sign: eps is minus the score, times sqrt(1 - alpha_bar)"),
            ("eps_hat - w * (1 - alpha_bar[t]) * g", "the noise's standard deviation scales the push, not its variance"),
            ("eps_hat - w * g", "the score and the noise differ by the factor -sqrt(1 - alpha_bar_t)"),
            ("eps_hat - w * sqrt(alpha_bar[t]) * g", "the noise's share 1 - alpha_bar belongs there, not the signal's"),
            ("eps_hat - w * sqrt(1 - alpha[t]) * g", "all noise up to t counts: alpha_bar"),
            ("eps_hat - w / sqrt(1 - alpha_bar[t]) * g", "from score to noise one multiplies"),
            ("eps_hat - sqrt(1 - alpha_bar[t]) * g", "the weight w is missing"),
        ),
    ),
    Formula(
        name="cfg", number=75, lecture=4, title="Classifier-free guidance",
        latex=r"\tilde\epsilon = \epsilon_\varnothing + w\,(\epsilon_y - \epsilon_\varnothing)",
        why="What the condition changes is what it means: w = 0 ignores it, w = 1 obeys, and more goes further that way.",
        letters="eps_u eps_c w", own=FREE, answer="eps_u + w * (eps_c - eps_u)",
        oracle=_tilted, measured="the slope of log p(x) p(y | x)^w by finite differences, p(y | x) by Bayes",
        source=guidance.classifier_free, value=_ask_free,
        wrong=(
            ("eps_u + w * eps_c", "the difference is scaled: w = 1 has to give eps_c"),
            ("eps_c + w * (eps_u - eps_c)", "the roles are swapped: w = 0 is unconditional, w = 1 conditional"),
            ("(1 + w) * eps_c - w * eps_u", "that is the other convention, where w = 0 is conditional: its w is ours less 1"),
            ("w * (eps_c - eps_u)", "eps_u is where it starts from"),
            ("eps_u + w * (eps_u - eps_c)", "that walks away from the condition"),
            ("w * eps_c", "at w = 0 eps_u has to be left"),
        ),
    ),
    Formula(
        name="cfg-other-weight", number=75, lecture=4, title="Classifier-free guidance: the weight of the other convention",
        latex=r"w' = w - 1,\quad \tilde\epsilon = (1+w')\,\epsilon_y - w'\,\epsilon_\varnothing",
        why="Two conventions, one method: ask whether 0 or 1 stands for the plain conditional model.",
        letters="w", answer="w - 1",
        oracle=_other_weight, measured="bisection for the w' that gives the slope of log p(x) p(y | x)^w",
        wrong=(
            ("w + 1", "the other way round: ours is theirs plus 1"),
            ("w", "the conventions differ: w' = 0 is conditional there, w = 1 here"),
            ("1 - w", "the sign: more weight is more condition in both"),
            ("1 / w", "they differ by 1, not by a factor"),
        ),
    ),
    Formula(
        name="cfg-is-not-tilting", number=75, lecture=4, title="Guidance is not the noised tilted distribution's score",
        latex=r"\nabla\log\int q(x_t|x_0)\,p(x_0)\,p(y|x_0)^w dx_0 \neq \nabla\log p_t(x_t)\,p_t(y|x_t)^w",
        why="Tilting and noising do not commute, so with w > 1 guided samples follow no distribution one could name.",
        letters="a w sigma", relation="!=", bound=1e-6,
        own={"a": (SHARE, "alpha_bar"), "w": (POSITIVE, "w - 1"), "sigma": (POSITIVE, "width of each of two humps")},
        oracle=_noised_gap, measured="both scores of two humps, one of which is y, by quadrature and finite differences",
        wrong=((_noised_gap, "the tilted data, noised, have another score than the noised data, tilted"),),
    ),
]
