"""Lecture 2: the probability-flow ODE of VP and on Karras' clock sigma, and the trace that a likelihood along it needs."""

import math

import numpy as np

from ...continuous import process, sde
from .. import oracles
from ..entry import POSITIVE, REAL, Formula

VP = {"b": (POSITIVE, "beta(t), the rate at which noise comes in"), "score": (REAL, "grad log p_t(x)"),
      "x": (REAL, "the data at time t")}  # fmt: skip
CLOCK = {"x": (REAL, "noisy data, x_0 + sigma eps"), "sigma": (POSITIVE, "the noise level"),
         "D": (REAL, "what the denoiser answers, E[x_0 | x]")}  # fmt: skip
JACOBIAN = {f"J_{i}{j}": (REAL, f"du_{i}/dx_{j}") for i in (1, 2) for j in (1, 2)}
SIGNS = np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])


def _quantile(c, rng, var=0.7):
    """The speed of a Gaussian's point, with this score there, that keeps the mass to its left under DDPM's step of b dt."""
    mean = c.x + var * c.score
    place = (c.x - mean) / math.sqrt(var)

    def moved(dt):
        m, v = oracles.forward_moments([0, c.b * dt], 1, mean=mean, var=var)
        return m + place * math.sqrt(v)

    return oracles.difference(moved, 0.0, 1e-3 / (1 + c.b))


def _level_speed(c, rng):
    """dx/dsigma of a point that keeps the mass beyond it; data at m - 1 or m + 1 (1 : 2), with m so that D is their average."""
    noise = lambda x: np.array([x + 1, x - 1]) / c.sigma  # noqa: E731

    def guess(m):
        p = (1, 2) * np.exp(min(noise(c.x - m) ** 2) / 2 - noise(c.x - m) ** 2 / 2)
        return m + p @ (-1, 1) / p.sum()

    gap = c.x - oracles.root(lambda m: guess(m) - c.D, -1e4, 1e4)
    side = math.copysign(1, gap)  # the smaller tail, for its logarithm is the smoother one

    def log_tail(x, sigma):
        near, far = (math.erfc(side * (x - m) / (sigma * math.sqrt(2))) for m in (-1, 1))
        return math.log(near + 2 * far)

    h = 1e-3 * min(c.sigma, c.sigma**2)
    by_sigma = oracles.difference(lambda sigma: log_tail(gap, sigma), c.sigma, h)
    return -by_sigma / oracles.difference(lambda x: log_tail(x, c.sigma), gap, h)


def _jacobian(c):
    return np.array([[c.J_11, c.J_12], [c.J_21, c.J_22]])


def _signed(c):
    """z^T J z for all four signs z, term by term."""
    return np.array([sum(z[i] * _jacobian(c)[i, j] * z[j] for i in (0, 1) for j in (0, 1)) for z in SIGNS])


def _ask(f, c):
    """The library's estimates of the divergence of u = J x for all four signs."""
    return f(lambda x, t: x @ _jacobian(c).T, np.zeros((4, 2)), 0.0, SIGNS)


# fmt: off
ENTRIES = [
    Formula(
        name="vp-pf-ode", number=54, lecture=2, title="The probability-flow ODE of VP",
        latex=r"\frac{dx}{dt} = -\frac{1}{2}\beta(t)\,[x + \nabla\log p_t(x)]",
        why="Shrinking towards 0 and being smeared out balance where the density is N(0, 1): there nothing moves.",
        letters="x b score", own=VP, answer="-b/2 * (x + score)",
        oracle=_quantile, measured="a Gaussian's point that keeps the mass to its left, by finite differences of a DDPM step",
        source=sde.velocity,
        value=lambda f, c: f(process.VP(c.b, c.b), lambda x, t: c.score, np.array([c.x]), 0.5)[0],
        wrong=(
            ("-b/2 * x - b * score", "that is the reverse SDE's drift: the ODE adds no noise and has half the score"),
            ("-b/2 * (x - score)", "the sign: noise carries the density away from its peaks"),
            ("-b * (x + score)", "the 1/2 is missing, before both"),
            ("-b/2 * x", "that is the forward drift: the noise's smearing is missing"),
            ("-sqrt(b)/2 * (x + score)", "g is sqrt(beta), so g^2 is beta"),
            ("b/2 * (x + score)", "the sign of all: t runs towards noise"),
        ),
    ),
    Formula(
        name="edm-ode", number=54, lecture=2, title="The probability-flow ODE on the clock sigma",
        latex=r"\frac{dx}{d\sigma} = \frac{x - D}{\sigma},\quad D = D(x;\sigma)",
        why="With less noise every point goes straight to its denoised picture; the picture changes on the way.",
        letters="x sigma D", own=CLOCK, answer="(x - D) / sigma", bound=1e-6,
        oracle=_level_speed, measured="a point that keeps the mass beyond it as sigma grows, by finite differences",
        wrong=(
            ("(D - x) / sigma", "the sign: as sigma grows x moves away from the picture"),
            ("(x - D) / sigma**2", "that is minus the score; the slope is it times sigma"),
            ("(x - D) * sigma", "divided, not multiplied: x - D is about sigma long, and the slope is about 1"),
            ("x - D", "that is the whole way to the picture: it takes sigma"),
            ("(x - D) / (2*sigma)", "the 1/2 of g^2/2 cancels against the 2 in d sigma^2"),
            ("x / sigma", "the picture is missing: that holds for data at 0"),
        ),
    ),
    Formula(
        name="hutchinson", number=54, lecture=2, title="The divergence from random signs z, two coordinates",
        latex=r"\mathrm{E}_z[z^T J z] = \mathrm{Tr}\,J = J_{11} + J_{22},\quad J = \partial u/\partial x",
        why="Products of different signs average to 0, squares are 1: one product with J replaces d derivatives.",
        letters="J_11 J_12 J_21 J_22", own=JACOBIAN, answer="J_11 + J_22",
        oracle=lambda c, rng: _signed(c).mean(), measured="z^T J z for all four pairs of signs, averaged",
        source=sde.hutchinson, value=lambda f, c: _ask(f, c).mean(),
        wrong=(
            ("J_11 + J_12 + J_21 + J_22", "that is one draw, z = (1, 1): the others' cross terms cancel it"),
            ("J_11 * J_22 - J_12 * J_21", "that is the determinant: a density changes by the trace of J dt"),
            ("J_12 + J_21", "the cross terms are what averages to 0"),
            ("(J_11 + J_22) / 2", "the divergence is the sum over coordinates, not their mean"),
            ("abs(J_11) + abs(J_22)", "a divergence may be negative, where the flow gathers the density"),
        ),
    ),
    Formula(
        name="hutchinson-variance", number=54, lecture=2, title="Variance of that estimate over the signs",
        latex=r"\mathrm{Var}_z(z^T J z) = (J_{12} + J_{21})^2,\quad z_i = \pm 1",
        why="Signs have squares of exactly 1, so the diagonal is exact and only what couples coordinates scatters.",
        letters="J_11 J_12 J_21 J_22", own=JACOBIAN, answer="(J_12 + J_21)**2",
        oracle=lambda c, rng: _signed(c).var(), measured="z^T J z for all four pairs of signs, their variance",
        source=sde.hutchinson, value=lambda f, c: _ask(f, c).var(),
        wrong=(
            ("2*J_11**2 + 2*J_22**2 + (J_12 + J_21)**2", "that is for normal z, whose squares scatter as well"),
            ("J_12**2 + J_21**2", "both stand before the same product z_1 z_2: add before squaring"),
            ("(J_12 - J_21)**2", "the sign: a rotation, J_12 = -J_21, does not scatter"),
            ("0", "that holds where no coordinate influences the other"),
            ("abs(J_12 + J_21)", "that is the standard deviation"),
        ),
    ),
]
