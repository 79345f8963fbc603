"""Lecture 4: classifier-free guidance of other answers than the noise, and what is done to it in practice."""

import math

import numpy as np

from .. import oracles
from ..entry import COUNT, POSITIVE, REAL, SHARE, Formula

PAIR = {"x_u": (REAL, "the data guessed without the condition"), "x_c": (REAL, "the data guessed with it"),
        "s_u": (REAL, "the score without the condition"), "s_c": (REAL, "the score with it"),
        "u_u": (REAL, "a flow's velocity without the condition"), "u_c": (REAL, "the velocity with it")}  # fmt: skip
NEGATIVE = {"eps_u": (REAL, "the noise guessed without a prompt"), "eps_c": (REAL, "the noise guessed with the prompt"),
            "eps_n": (REAL, "the noise guessed with the negative prompt, what is not wanted")}  # fmt: skip
RESCALE = {"x": (REAL, "a pixel of the guided picture"), "sigma_1": (POSITIVE, "std of the conditional picture's pixels"),
           "sigma_2": (POSITIVE, "std of the guided picture's pixels"),
           "phi": (SHARE, "share of the rescaled picture in the result")}  # fmt: skip
INTERVAL = {"n": (COUNT, "steps"), "k": (COUNT, "steps of these that are guided")}


def _slope(w, free, given, std=1.0):
    """The slope at 0 of log p(x) p(y | x)^w, where p(x) and p(x | y) are bells whose scores there are free and given."""
    log_free, log_given = (lambda x, s=s: oracles.log_bell(x, s * std**2, std**2) for s in (free, given))
    return oracles.difference(
        lambda x: log_free(x) + w * (log_given(x) - log_free(x)), 0.0, 0.1
    )  # any step is exact


def _guided_data(c, rng):
    """From either picture to the noise and its score, both densities combined, and back: at t = 2 of two large betas."""
    betas, x_t = (0.0, 0.3, 0.2), 0.7
    keep, var = oracles.forward_moments(betas, 2)
    eps_u, eps_c = ((x_t - keep * x_0) / math.sqrt(var) for x_0 in (c.x_u, c.x_c))
    return oracles.x_0_from_eps(betas, 2, x_t, -_slope(c.w, -eps_u, -eps_c))


def _guided_velocity(c, rng):
    """From either velocity back along its line to the noise and its score, both densities combined, and the line from there."""
    x, t = 0.7, 0.6
    noise_u, noise_c = (oracles.root(lambda x_0, u=u: x_0 + t * u - x, -1e3, 1e3) for u in (c.u_u, c.u_c))
    noise = -_slope(c.w, -noise_u, -noise_c)
    return oracles.root(lambda u: noise + t * u - x, -1e4, 1e4)


def _rescaled(c, rng):
    """The pixel between x and k x, where k by bisection gives a picture of width sigma_2 the width sigma_1."""
    picture = np.linspace(-1, 1, 9)
    picture *= c.sigma_2 / np.std(picture)
    k = oracles.root(lambda k: np.std(k * picture) - c.sigma_1, 0.0, 1e3)
    return np.interp(c.phi, (0, 1), (c.x, k * c.x))


def _asked(c, rng):
    """How often the network is asked: each step with the condition, a guided one without it as well."""
    return sum(len({"with", "without"} if step < c.k else {"with"}) for step in range(c.n))


# fmt: off
ENTRIES = [
    Formula(
        name="cfg-score", number=75, lecture=4, title="Classifier-free guidance of the score",
        latex=r"\tilde s = s_\varnothing + w\,(s_y - s_\varnothing) = (1-w)\,s_\varnothing + w\,s_y",
        why="It is the score of p(x) p(y | x)^w, or of p(x | y)^w p(x)^(1-w).",
        letters="s_u s_c w", own=PAIR, answer="s_u + w*(s_c - s_u)",
        oracle=lambda c, rng: _slope(c.w, c.s_u, c.s_c), measured="the slope of log p(x) p(y | x)^w, p(y | x) by Bayes",
        wrong=(
            ("s_u + w*s_c", "that is for a classifier's gradient in s_c's place: grad log p(y | x) is s_c - s_u"),
            ("s_u - w*(s_c - s_u)", "scores point uphill; the minus belongs to a classifier's gradient beside eps"),
            ("w*s_u + (1-w)*s_c", "the roles are swapped: w = 0 is unconditional"),
            ("s_c + w*(s_c - s_u)", "that is the convention where w = 0 is conditional"),
            ("w*s_c", "p(x)^(1-w) is missing"),
        ),
    ),
    Formula(
        name="cfg-data", number=75, lecture=4, title="Classifier-free guidance of the guessed data",
        latex=r"\tilde x_0 = \hat x_\varnothing + w\,(\hat x_y - \hat x_\varnothing)",
        why="At one x_t data and noise follow from each other along a line, and weights that add up to 1 do not notice.",
        letters="x_u x_c w", own=PAIR, answer="x_u + w*(x_c - x_u)",
        oracle=_guided_data, measured="scores of both, the slope of log p(x) p(y | x)^w, back to the data by bisection",
        wrong=(
            ("x_u - w*(x_c - x_u)", "from noise to this the sign changes on both sides, so that the form stays"),
            ("x_u + w*x_c", "the weights have to add up to 1, else x_t's own share is counted twice"),
            ("x_c + w*(x_u - x_c)", "the roles are swapped: w = 0 is unconditional"),
            ("(1+w)*x_c - w*x_u", "that is the convention where w = 0 is conditional"),
            ("w*(x_c - x_u)", "x_u is where it starts from"),
        ),
    ),
    Formula(
        name="cfg-velocity", number=75, lecture=4, title="Classifier-free guidance of a flow",
        latex=r"\tilde u = u_\varnothing + w\,(u_y - u_\varnothing)",
        why="At one place and time a velocity is a straight function of the score, so guidance of both is the same.",
        letters="u_u u_c w", own=PAIR, answer="u_u + w*(u_c - u_u)",
        oracle=_guided_velocity, measured="back to both noises, the slope of log p(x) p(y | x)^w, and the line from its noise",
        wrong=(
            ("u_u - w*(u_c - u_u)", "from noise to this the sign changes on both sides, so that the form stays"),
            ("u_u + w*u_c", "the weights have to add up to 1"),
            ("u_c + w*(u_u - u_c)", "the roles are swapped: w = 0 is unconditional"),
            ("(1+w)*u_c - w*u_u", "that is the convention where w = 0 is conditional"),
            ("w*u_c", "at w = 0 the unconditional flow has to be left"),
        ),
    ),
    Formula(
        name="negative-prompt", number=75, lecture=4, title="Guidance with a negative prompt",
        latex=r"\tilde\epsilon = \epsilon_n + w\,(\epsilon_y - \epsilon_n)",
        why="What is not wanted takes the place of no prompt at all: one walks away from it, for no further cost.",
        letters="eps_u eps_n eps_c w", own=NEGATIVE, asks={"eps_n": ("x_t", "t")}, answer="eps_n + w*(eps_c - eps_n)",
        oracle=lambda c, rng: -_slope(c.w, -c.eps_n, -c.eps_c),
        measured="the slope of log p(x | n) (p(x | y) / p(x | n))^w by finite differences",
        wrong=(
            ("eps_u + w*(eps_c - eps_n)", "the negative prompt takes eps_u's place both times: w = 1 is to obey y"),
            ("eps_u + w*(eps_c - eps_u)", "that is without a negative prompt"),
            ("eps_c - w*eps_n", "the weights have to add up to 1"),
            ("eps_n - w*(eps_c - eps_n)", "the sign: away from n, towards y"),
            ("eps_c + w*(eps_n - eps_c)", "that walks towards what is not wanted"),
        ),
    ),
    Formula(
        name="cfg-rescale", number=75, lecture=4, title="Guidance whose picture gets back the width of an unguided one",
        latex=r"x' = \phi\,x\,\frac{\sigma_1}{\sigma_2} + (1-\phi)\,x",
        why="Guidance widens the pixels' spread until they saturate: shrinking it back undoes that, wholly or in part.",
        letters="x sigma_1 sigma_2 phi", own=RESCALE, answer="phi*x*sigma_1/sigma_2 + (1-phi)*x",
        oracle=_rescaled, measured="bisection for the factor that gives equal widths, then the share phi of the way",
        wrong=(
            ("x * sigma_1/sigma_2", "that is phi = 1, which alone makes pictures dull"),
            ("phi*x*sigma_2/sigma_1 + (1-phi)*x", "the inverse: the guided picture is the wider one, and is to shrink"),
            ("(1-phi)*x*sigma_1/sigma_2 + phi*x", "the shares are swapped: phi = 0 leaves x as it is"),
            ("phi*x*sigma_1**2/sigma_2**2 + (1-phi)*x", "a factor k changes the standard deviation by k"),
            ("phi*x*sigma_1/sigma_2 + x", "the shares have to add up to 1"),
        ),
    ),
    Formula(
        name="cfg-interval", number=75, lecture=4, title="Evaluations of the network when k of n steps are guided",
        latex=r"\mathrm{NFE} = n + k",
        why="Guidance asks twice; where noise hides all or all is decided, asking once will do.",
        letters="n k", own=INTERVAL, answer="n + k", derive=lambda c: {"k": min(c["k"], c["n"])},
        oracle=_asked, measured="counting what is asked in each step",
        wrong=(
            ("2 * n", "that is for guidance in all steps"),
            ("2 * k", "the other steps ask once each"),
            ("n", "a guided step asks with the condition and without"),
            ("2*n - k", "k steps are guided, not left alone"),
            ("n * k", "each step asks once or twice"),
        ),
    ),
]
