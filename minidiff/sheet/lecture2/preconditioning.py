"""Lecture 2: a denoiser around a network whose input, target and loss have size 1 at every noise level (EDM).

D(x; sigma) = c_skip x + c_out F(c_in x; c_noise),  x = y + sigma eps,  data y of standard deviation sigma_data
"""

import math

from .. import oracles
from ..entry import POSITIVE, REAL, Formula

LEVEL = {"own": {"sigma": (POSITIVE, "the noise level"), "sigma_data": (POSITIVE, "standard deviation of the data"),
                 "x": (REAL, "noisy data"), "F": (REAL, "what the network answers")}}  # fmt: skip


def _pairs(c):
    """(y, x) for data +-sigma_data and noise +-sigma, equally likely: only their second moments count."""
    return [(y * c.sigma_data, y * c.sigma_data + noise * c.sigma) for y in (1, -1) for noise in (1, -1)]


def _skip(c):
    """The share of x that leaves least of y to the network: bisection on the slope of E (y - share x)^2."""
    pairs = _pairs(c)
    left = lambda share: sum((y - share * x) ** 2 for y, x in pairs) / 4  # noqa: E731
    return oracles.root(lambda share: oracles.difference(left, share), 0.0, 1.0)


def _left(c):
    """The mean square of what the network has to add."""
    share = _skip(c)
    return sum((y - share * x) ** 2 for y, x in _pairs(c)) / 4


def _in(c, rng):
    """The scale at which noisy data have a mean square of 1."""
    pairs = _pairs(c)
    return oracles.root(lambda scale: sum((scale * x) ** 2 for _, x in pairs) / 4 - 1, 0.0, 1e3)


def _weight(c, rng):
    """The weight at which what is left to the network counts 1."""
    left = _left(c)
    return oracles.root(lambda w: w * left - 1, 0.0, 1e3)


SUM = "(sigma**2 + sigma_data**2)"
PAIRS = "data +-sigma_data and noise +-sigma, all four pairs"

# fmt: off
ENTRIES = [
    Formula(
        name="edm-c-skip", number=46, lecture=2, title="EDM: how much of x the denoiser keeps",
        latex=r"c_{\mathrm{skip}} = \frac{\sigma_{\mathrm{data}}^2}{\sigma^2 + \sigma_{\mathrm{data}}^2}",
        why="At little noise x is nearly the answer and the network adds little; at much noise x tells nothing.",
        letters="sigma sigma_data", **LEVEL, answer=f"sigma_data**2 / {SUM}",
        oracle=lambda c, rng: _skip(c), measured=f"bisection for the share that leaves least to the network, over {PAIRS}",
        wrong=(
            (f"sigma**2 / {SUM}", "that is the noise's share: at sigma = 0 all of x is kept"),
            ("sigma_data / (sigma + sigma_data)", "variances add, not standard deviations"),
            (f"sigma_data / sqrt{SUM}", "the root does not belong here: that keeps too much"),
            ("1", "then at much noise the network would have to take out noise as large as its answer"),
            ("0", "then the network would have to answer the whole picture even where x is nearly clean"),
        ),
    ),
    Formula(
        name="edm-c-out", number=46, lecture=2, title="EDM: the scale of the network's answer",
        latex=r"c_{\mathrm{out}} = \frac{\sigma\,\sigma_{\mathrm{data}}}{\sqrt{\sigma^2 + \sigma_{\mathrm{data}}^2}}",
        why="What is left to add is as large as the smaller of noise and data: so scaled, the target has size 1.",
        letters="sigma sigma_data", **LEVEL, answer=f"sigma * sigma_data / sqrt{SUM}",
        oracle=lambda c, rng: math.sqrt(_left(c)), measured=f"the size of y - c_skip x, c_skip by bisection, over {PAIRS}",
        wrong=(
            (f"sigma * sigma_data / {SUM}", "the root below is missing: a scale has the unit of the data"),
            (f"sigma**2 * sigma_data**2 / {SUM}", "that is c_out squared, the variance of what is left"),
            (f"1 / sqrt{SUM}", "that is c_in, the scale of the input"),
            ("sigma", "that is nearly so at little noise; at much noise the whole picture is left, sigma_data"),
            (f"sigma_data**2 / sqrt{SUM}", "at sigma = 0 nothing is left to add"),
        ),
    ),
    Formula(
        name="edm-c-in", number=46, lecture=2, title="EDM: the scale of the network's input",
        latex=r"c_{\mathrm{in}} = \frac{1}{\sqrt{\sigma^2 + \sigma_{\mathrm{data}}^2}}",
        why="Nothing shrinks while noise comes in, so the network would see ever larger numbers.",
        letters="sigma sigma_data", **LEVEL, answer=f"1 / sqrt{SUM}",
        oracle=_in, measured=f"bisection for the scale that gives x a mean square of 1, over {PAIRS}",
        wrong=(
            (f"1 / {SUM}", "the root is missing: variances add, but x is divided by a standard deviation"),
            ("1 / (sigma + sigma_data)", "standard deviations do not add"),
            ("1 / sqrt(1 + sigma**2)", "that holds for data of variance 1"),
            ("1 / sigma", "the data's own width counts as well"),
            (f"sqrt{SUM}", "inverted: x is to become smaller"),
        ),
    ),
    Formula(
        name="edm-c-noise", number=46, lecture=2, title="EDM: how the network is told the noise level",
        latex=r"c_{\mathrm{noise}} = \frac{1}{4}\,\log\sigma",
        why="Levels span several powers of ten; the logarithm makes each of them count alike.",
        letters="sigma sigma_data", **LEVEL, answer="log(sigma) / 4",
        oracle=lambda c, rng: oracles.root(lambda n: math.exp(n) ** 4 - c.sigma, -10.0, 10.0),
        measured="bisection for the number whose exponential, to the fourth, is sigma",
        wrong=(
            ("log(sigma)", "the factor 1/4 is missing"),
            ("sigma / 4", "the logarithm is missing: small levels could not be told apart"),
            ("log(sigma**2) / 4", "the logarithm of sigma is meant, not of the variance"),
            ("-log(sigma) / 4", "the sign: more noise, larger number"),
            ("log(sigma / sigma_data) / 4", "the level itself is told, not its ratio to the data's width"),
        ),
    ),
    Formula(
        name="edm-weight", number=46, lecture=2, title="EDM: the weight of the denoiser's loss",
        latex=r"\lambda(\sigma) = \frac{1}{c_{\mathrm{out}}^2} = \frac{\sigma^2 + \sigma_{\mathrm{data}}^2}"
              r"{(\sigma\,\sigma_{\mathrm{data}})^2}",
        why="The network's own error, in units of its target, then counts alike at every noise level.",
        letters="sigma sigma_data", **LEVEL, answer=f"{SUM} / (sigma * sigma_data)**2",
        oracle=_weight,
        measured=f"bisection for the weight that makes what is left to the network count 1, over {PAIRS}",
        wrong=(
            (f"(sigma * sigma_data)**2 / {SUM}", "inverted: that is c_out squared"),
            (f"sqrt{SUM} / (sigma * sigma_data)", "that is 1 / c_out: the loss is a square"),
            ("1 / sigma**2", "that is eps's loss: at much noise the error is that of the data, which sigma does not scale"),
            (f"{SUM} / (sigma + sigma_data)**2", "below stands the product of the two, not their sum"),
            ("1", "then levels with much noise, where the errors are large, would outweigh the others"),
        ),
    ),
    Formula(
        name="edm-denoiser", number=46, lecture=2, title="EDM: the denoiser around the network",
        latex=r"D = \frac{\sigma_{\mathrm{data}}^2}{\sigma^2 + \sigma_{\mathrm{data}}^2}\,x + "
              r"\frac{\sigma\,\sigma_{\mathrm{data}}}{\sqrt{\sigma^2 + \sigma_{\mathrm{data}}^2}}\,F",
        why="At little noise F is about -eps, at much noise the picture: for data of width 1 it is -v.",
        letters="x F sigma sigma_data", **LEVEL, answer=f"sigma_data**2 / {SUM} * x + sigma * sigma_data / sqrt{SUM} * F",
        oracle=lambda c, rng: _skip(c) * c.x + math.sqrt(_left(c)) * c.F,
        measured=f"c_skip by bisection, c_out as the size of what it leaves, over {PAIRS}",
        wrong=(
            (f"sigma_data**2 / {SUM} * x - sigma * sigma_data / sqrt{SUM} * F",
             "the sign: F is what is to be added; v is what is to be taken away"),
            (f"sigma**2 / {SUM} * x + sigma * sigma_data / sqrt{SUM} * F", "c_skip is the data's share"),
            (f"sigma_data**2 / {SUM} * x + F", "the answer has size 1 and is to be scaled by c_out"),
            (f"x / sqrt{SUM} + sigma * sigma_data / sqrt{SUM} * F", "that is c_in x, which the network sees"),
            ("x - sigma * F", "that is for a network that answers eps"),
            ("F", "that is for a network that answers the picture"),
        ),
    ),
]
