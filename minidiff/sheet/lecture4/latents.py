"""Lecture 4: how a code is drawn and learnt through, what the KL's weight does, how large a latent is."""

import math

import numpy as np

from .. import oracles
from ..entry import COUNT, POSITIVE, REAL, Formula

CODE = {"mu": (REAL, "the encoder's mean"), "sigma": (POSITIVE, "the encoder's standard deviation"),
        "l": (REAL, "what the encoder answers, log sigma^2"), "eps": (REAL, "noise, N(0, 1)"),
        "x": (REAL, "the picture, one number"), "a": (REAL, "the decoder: it answers a z")}  # fmt: skip
VAE = {"x": (REAL, "the picture, one number"), "a": (REAL, "the decoder: x | z is N(a z, sigma^2)"),
       "sigma": (POSITIVE, "the decoder's standard deviation"), "mu_1": (REAL, "the encoder's mean for this x"),
       "sigma_1": (POSITIVE, "the encoder's standard deviation"), "b": (POSITIVE, "weight of the KL (their beta)")}  # fmt: skip
LATENT = {"f": (COUNT, "how often narrower and lower the latent is"), "c": (COUNT, "numbers at each place of the latent"),
          "sigma_1": (POSITIVE, "standard deviation of the encoder's means over all pictures"),
          "sigma_2": (POSITIVE, "the encoder's standard deviation for each")}  # fmt: skip
NOISE = oracles.gaussian_grid(0.0, 1.0, 101)


def _code(c, rng, sigma=None):
    """The z that is as rare, and on the same side, for N(mu, sigma^2) as eps is for N(0, 1): by bisection of a tail."""
    tail = lambda z, sigma: math.erfc(-z / sigma / math.sqrt(2))  # noqa: E731
    rare, sigma = tail(-abs(c.eps), 1.0), sigma or c.sigma
    w = oracles.root(lambda w: tail(w, sigma) - rare, -1e3, 0.0)
    return c.mu + math.copysign(w, c.eps)


def _code_from_log(c, rng):
    """_code, where sigma is found from its log variance by bisection."""
    return _code(c, rng, oracles.root(lambda s: math.log(s * s) - c.l, 1e-9, 1e3))


def _slope_by_sigma(c, rng):
    """d/dsigma of E (x - a z)^2 by finite differences of the quadrature; a parabola: any step is exact."""

    def mean(sigma):
        z, p = oracles.gaussian_grid(c.mu, sigma, 301)
        return p @ (c.x - c.a * z) ** 2

    return oracles.difference(mean, c.sigma, 0.1 * c.sigma)


def _best_code(c, rng):
    """Mean of p(z | x), by Bayes on a grid of codes."""
    likely = lambda z: oracles.log_bell(z, 0.0, 1.0) + oracles.log_bell(c.x, c.a * z, c.sigma**2)  # noqa: E731
    return oracles.refined_moments(likely, 0.0, 12 + abs(c.x) / c.sigma)[0]


def _loss(c, mu, sigma):
    """E_q (x - a z)^2 / (2 sigma^2) + b E_q log(q / p) for the encoder N(mu, sigma^2), on a grid of codes."""
    e, q = NOISE
    z = mu + sigma * e
    return q @ ((c.x - c.a * z) ** 2 / (2 * c.sigma**2) + c.b * ((z * z - e * e) / 2 - math.log(sigma)))


def _best_variance(c, rng):
    """The sigma^2 of least loss, by bisection for slope 0, at x = 0 and mean 0: they have no part in it."""
    c = type(c)(c | {"x": 0.0})
    slope = lambda log_s: oracles.difference(lambda v: _loss(c, 0.0, math.exp(v)), log_s)  # noqa: E731
    return math.exp(2 * oracles.root(slope, -8.0, 1.0))


def _compression(c, rng):
    """Numbers of a picture over those of its latent, by counting."""
    picture = np.zeros((2 * c.f, 3 * c.f, 3))
    return picture.size / np.repeat(picture[:: c.f, :: c.f, :1], c.c, axis=2).size


def _unit(c, rng):
    """The factor that gives codes variance 1, by bisection; their variance from the double integral over means and draws."""
    (m, p), (e, q) = oracles.gaussian_grid(0.0, c.sigma_1, 301), oracles.gaussian_grid(0.0, c.sigma_2, 301)
    var = p @ (m[:, None] + e) ** 2 @ q
    return oracles.root(lambda k: k * k * var - 1, 0.0, 100.0)


ERROR2 = "((x - a*mu_1)**2 + a**2*sigma_1**2) / (2*sigma**2)"
KL = "(mu_1**2 + sigma_1**2 - 1 - log(sigma_1**2)) / 2"

# fmt: off
ENTRIES = [
    Formula(
        name="vae-best-code", number=69, lecture=4, title="The best code of a linear decoder: its mean",
        latex=r"x = a z + \sigma\,\mathrm{noise}:\quad \mathrm{E}[z\,|\,x] = \frac{a\,x}{a^2 + \sigma^2}",
        why="The decoder turned round would be x / a, but part of x is noise, and the prior draws the code to 0.",
        letters="x a sigma", own=VAE, answer="a*x / (a**2 + sigma**2)",
        oracle=_best_code, measured="Bayes on a grid of codes",
        wrong=(
            ("x / a", "that turns the decoder round, as if there were neither noise nor prior"),
            ("a*x", "that is for a decoder of length 1: to be divided by the variance of x"),
            ("a*x / sigma**2", "the prior counts as well: a^2 + sigma^2"),
            ("a*x / (a**2 + 1)", "the decoder's noise has variance sigma^2, the prior's 1 is what a^2 multiplies"),
            ("a*x / (a + sigma)**2", "variances add, standard deviations do not"),
            ("0", "that is the prior's mean, before x is seen"),
        ),
    ),
    Formula(
        name="reparametrised-gradient", number=69, lecture=4, title="Gradient through a draw: of the mean error, by sigma",
        latex=r"z = \mu+\sigma\epsilon:\quad \frac{\partial}{\partial\sigma}\,\mathrm{E}\,(x-a z)^2"
              r" = \mathrm{E}[-2a\,(x-a z)\,\epsilon] = 2a^2\sigma",
        why="With z = mu + sigma eps the chance stands outside, and a draw has a slope like any other number.",
        letters="x a mu sigma", own=CODE, answer="2 * a**2 * sigma",
        oracle=_slope_by_sigma, measured="finite differences of the mean error, by quadrature over z",
        wrong=(
            ("0", "a draw does depend on sigma: z = mu + sigma eps"),
            ("-2*a * (x - a*mu)", "that is the gradient by mu"),
            ("a**2 * sigma**2", "that is sigma's part of the error itself, not its slope"),
            ("2 * a * sigma", "the decoder multiplies z by a, and the square by a^2"),
            ("a**2 * sigma", "the 2 of the square is missing"),
        ),
    ),
    Formula(
        name="reparametrisation", number=70, lecture=4, title="The reparametrisation trick",
        latex=r"z = \mu + \sigma\,\epsilon",
        why="Draw the noise first and shape it then: the network's mu and sigma are reached by the gradient.",
        letters="mu sigma eps", own=CODE, answer="mu + sigma*eps",
        oracle=_code, measured="bisection for the z that is as rare for N(mu, sigma^2) as eps is for N(0, 1)",
        wrong=(
            ("mu + sigma**2 * eps", "the variance stands where the standard deviation belongs"),
            ("mu + sqrt(sigma) * eps", "sigma is the standard deviation already, no root is to be taken"),
            ("mu + eps", "the noise has to be given the width sigma"),
            ("sigma * (mu + eps)", "the mean is added after the scaling"),
            ("(eps - mu) / sigma", "that is the way back, from z to noise"),
        ),
    ),
    Formula(
        name="reparametrisation-log-variance", number=70, lecture=4, title="The reparametrisation trick, from a log variance",
        latex=r"z = \mu + e^{l/2}\,\epsilon",
        why="A network may answer any number l, and exp makes of it a width that is never negative.",
        letters="mu l eps", own=CODE, answer="mu + exp(l/2) * eps",
        oracle=_code_from_log, measured="bisection for sigma, then for the z that is as rare as eps is for N(0, 1)",
        wrong=(
            ("mu + exp(l) * eps", "exp(l) is the variance: the half of l gives the standard deviation"),
            ("mu + l * eps", "l is a logarithm, exp has to undo it"),
            ("mu + sqrt(l) * eps", "the root belongs to exp(l), and l may be below 0"),
            ("mu + exp(2*l) * eps", "half of l, not twice"),
            ("mu + exp(-l/2) * eps", "the sign: a large log variance means wide noise"),
        ),
    ),
    Formula(
        name="beta-vae-loss", number=70, lecture=4, title="Loss of a VAE whose KL is weighted",
        latex=r"L = \mathrm{E}_q\frac{(x-az)^2}{2\sigma^2} + b\,\mathrm{KL} ="
              r" \frac{(x-a\mu_1)^2 + a^2\sigma_1^2}{2\sigma^2} + \frac{b}{2}(\mu_1^2+\sigma_1^2-1-\log\sigma_1^2)",
        why="With b above 1 codes are neat and pictures blurred; for latent diffusion it is tiny, and pictures sharp.",
        letters="x a sigma mu_1 sigma_1 b", own=VAE, answer=f"{ERROR2} + b * {KL}",
        oracle=lambda c, rng: _loss(c, c.mu_1, c.sigma_1), measured="both terms by quadrature over the codes",
        wrong=(
            (f"{ERROR2} + {KL}", "that is the VAE's own, b = 1"),
            (f"b * {ERROR2} + {KL}", "b weighs the KL, not the error"),
            (f"{ERROR2} - b * {KL}", "the sign: both terms are costs"),
            (f"(x - a*mu_1)**2 / (2*sigma**2) + b * {KL}", "codes are drawn: their spread costs a^2 sigma_1^2"),
            (f"(1-b) * {ERROR2} + b * {KL}", "the weights need not add up to 1"),
        ),
    ),
    Formula(
        name="beta-vae-variance", number=70, lecture=4, title="Best variance of the code when the KL is weighted",
        latex=r"\sigma_1^2 = \frac{b}{b + a^2/\sigma^2}",
        why="The KL wants width 1 and the decoder width 0: b says who wins.",
        letters="a sigma b", own=VAE, answer="b / (b + a**2/sigma**2)",
        oracle=_best_variance, measured="bisection for the width at which the loss, by quadrature, has slope 0",
        wrong=(
            ("1 / (1 + a**2/sigma**2)", "that is for b = 1, the true posterior's variance"),
            ("1 / (1 + b * a**2/sigma**2)", "b weighs the KL: more of it widens the code"),
            ("b / (1 + a**2/sigma**2)", "with b beyond all bounds the variance tends to the prior's 1"),
            ("sqrt(b / (b + a**2/sigma**2))", "that is the standard deviation"),
            ("1", "that is the prior's: a decoder that listens (a is not 0) wants it smaller"),
            ("b / (b + a/sigma)", "the decoder's slope over its width is to be squared"),
        ),
    ),
    Formula(
        name="latent-compression", number=71, lecture=4, title="Numbers of a colour picture for each of its latent",
        latex=r"\frac{H\,W\cdot 3}{(H/f)\,(W/f)\,c} = \frac{3 f^2}{c}",
        why="Eight times narrower and lower with 4 channels, diffusion has 48 times fewer numbers to work on.",
        letters="f c", own=LATENT, answer="3 * f**2 / c",
        oracle=_compression, measured="counting the numbers of a picture and of its latent",
        wrong=(
            ("3 * f / c", "both sides are divided by f"),
            ("f**2", "that counts places: a picture has 3 numbers at each, the latent c"),
            ("f**2 / c", "a colour picture has 3 channels"),
            ("3 * f**2 * c", "more channels in the latent compress less"),
            ("c / (3 * f**2)", "that is the latent's share, the inverse"),
        ),
    ),
    Formula(
        name="latent-scale", number=71, lecture=4, title="What latents are multiplied by before diffusion",
        latex=r"k = \frac{1}{\mathrm{std}(z)} = \frac{1}{\sqrt{\sigma_1^2 + \sigma_2^2}}",
        why="A schedule is made for data of variance 1: latents that are wider would keep too much signal.",
        letters="sigma_1 sigma_2", own=LATENT, answer="1 / sqrt(sigma_1**2 + sigma_2**2)",
        oracle=_unit, measured="bisection for the factor of variance 1, over the double integral of means and draws",
        wrong=(
            ("1 / (sigma_1**2 + sigma_2**2)", "a factor k changes the variance by k^2: the root"),
            ("sqrt(sigma_1**2 + sigma_2**2)", "that is std(z), by which one divides"),
            ("1 / (sigma_1 + sigma_2)", "variances add, standard deviations do not"),
            ("1 / sigma_1", "codes are drawn: the encoder's own spread counts as well"),
            ("1 / sigma_2", "that is the spread of one picture's code, not over all pictures"),
        ),
    ),
]
