"""Lecture 1: sums and products of Gaussians, densities, the chain rule and Bayes' rule."""

import math

import numpy as np

from ... import gaussian
from .. import oracles
from ..entry import POSITIVE, REAL, SHARE, Formula

COINS = {"p": (SHARE, "how often the first coin shows 1"), "q": (SHARE, "how often the second does after 0")}
GAUSSIANS = "mu_1 sigma_1 mu_2 sigma_2"


def _sum_of_gaussians(c, rng):
    """Var(a eps_1 + b eps_2), by the two-dimensional integral over a grid."""
    x, p = oracles.gaussian_grid(0.0, 1.0, 301)
    y = c.a * x[:, None] + c.b * x
    weight = p[:, None] * p
    return np.sum(weight * y**2) - np.sum(weight * y) ** 2


def _log_density(c, rng):
    """A point at distance r along the first axis: one factor of distance r, d - 1 of distance 0, each by Fourier inversion."""
    first, other = (oracles.log_density(r, 0.0, c.sigma) for r in (c.r, 0.0))
    return first + (c.d - 1) * other


def _table(c):
    """p(x_1, x_2, x_3) of three coins, each with a probability that depends on those before it."""
    heads = [c.p, c.q, 1 - c.p, c.q * c.p, 0.3, c.p**2, c.q**2]  # x_1; x_2 | x_1 = 0, 1; x_3 | x_1 x_2
    p = np.empty((2, 2, 2))
    for i, j, k in np.ndindex(p.shape):
        at = heads[0], heads[1 + i], heads[3 + 2 * i + j]
        p[i, j, k] = np.prod([h if x else 1 - h for h, x in zip(at, (i, j, k))])
    return p


def _chain_rule(c, rng):
    """The distance of p(x_1) p(x_2 | x_1) p(x_3 | x_1, x_2) from p, every factor summed from the joint table."""
    p = _table(c)
    x_1, x_12 = p.sum(axis=(1, 2), keepdims=True), p.sum(axis=2, keepdims=True)
    return np.abs(x_1 * (x_12 / x_1) * (p / x_12) - p).max()


def _reversed_conditionals(c, rng):
    """p(x_1) p(x_1 | x_2) p(x_2 | x_3) in place of it."""
    p = _table(c)
    x_12, x_23 = p.sum(axis=2, keepdims=True), p.sum(axis=0, keepdims=True)
    x_1, x_2, x_3 = (p.sum(axis=axes, keepdims=True) for axes in ((1, 2), (0, 2), (0, 1)))
    return np.abs(x_1 * (x_12 / x_2) * (x_23 / x_3) - p).max()


def _wrong_variable(c, rng):
    """sum over x_1 of p(x_1, x_2), taken for p(x_1)."""
    p = _table(c).sum(axis=2)
    return np.abs(p.sum(axis=0) - p.sum(axis=1)).max()


def _marginal(c, rng):
    """sum over x_2 of p(x_1, x_2) against how often x_1 comes up."""
    p = _table(c).sum(axis=2)
    return np.abs(p.sum(axis=1) - [1 - c.p, c.p]).max()


def _independent(c, rng):
    """p(x_1) p(x_2) p(x_3) in place of it."""
    p = _table(c)
    x_1, x_2, x_3 = (p.sum(axis=axes, keepdims=True) for axes in ((1, 2), (0, 2), (0, 1)))
    return np.abs(x_1 * x_2 * x_3 - p).max()


def _bayes_total(c, rng, evidence=lambda p_b: 1 / p_b):
    """1 - int p(b | a) p(a) / p(b) da for a ~ N(mu_1, sigma_1^2), b = a + N(0, sigma_2^2) noise; b = mu_2 was seen."""
    a, prior = oracles.gaussian_grid(c.mu_1, c.sigma_1)
    joint = np.exp(oracles.log_bell(c.mu_2, a, c.sigma_2**2)) * prior
    p_b = joint.sum()  # up to the constant that the likelihood lacks as well
    return 1 - np.sum(joint * evidence(p_b))


def _product(c, rng):
    """Mean and variance of p_1(x) p_2(x), normalised on a grid that looks closer twice."""
    mean, width = (c.mu_1 + c.mu_2) / 2, abs(c.mu_1 - c.mu_2) + 12 * min(c.sigma_1, c.sigma_2)
    for _ in range(3):
        both = lambda x: oracles.log_bell(x, c.mu_1, c.sigma_1**2) + oracles.log_bell(x, c.mu_2, c.sigma_2**2)  # noqa: E731
        mean, var = oracles.grid_moments(both, mean, width)
        width = 12 * math.sqrt(var)
    return mean, var


def _kurtosis_gap(c, rng):
    """E (XY)^4 / (E (XY)^2)^2 - 3 of two independent centred Gaussians: 0 if XY were Gaussian."""
    x, p = oracles.gaussian_grid(0.0, c.sigma_1)
    y, q = oracles.gaussian_grid(0.0, c.sigma_2)
    second, fourth = (np.sum(p * x**k) * np.sum(q * y**k) for k in (2, 4))
    return fourth / second**2 - 3


# fmt: off
ENTRIES = [
    Formula(
        name="sum-of-gaussians", number=1, lecture=1, title="Sum of independent Gaussians: the variance",
        latex=r"\mathrm{Var}(a\epsilon_1 + b\epsilon_2) = a^2 + b^2",
        why="Noise on top of noise is one larger noise: variances add, standard deviations do not.",
        letters="a b", answer="a**2 + b**2",
        oracle=_sum_of_gaussians, measured="the double integral over both Gaussians, on a grid",
        wrong=(
            ("(a + b)**2", "that is the variance of (a + b) eps: one noise used twice, not two independent ones"),
            ("abs(a) + abs(b)", "standard deviations do not add, variances do"),
            ("a + b", "the variance of a eps is a^2"),
            ("sqrt(a**2 + b**2)", "that is the standard deviation; the variance was asked for"),
            ("a**2 * b**2", "that is the variance of the product; a sum's variances add"),
        ),
    ),
    Formula(
        name="isotropic-density", number=2, lecture=1, title="Log density of an isotropic Gaussian",
        latex=r"\log\mathcal{N}(x;\mu,\sigma^2 I) = -\frac{d}{2}\log(2\pi\sigma^2) - \frac{\|x-\mu\|^2}{2\sigma^2}",
        why="A squared error is a Gaussian log-likelihood up to a constant: this is where losses come from.",
        letters="d sigma r", own={"r": (POSITIVE, "the distance ||x - mu||"), "x": ("", "a point"), "mu": ("", "the mean")},
        derive=lambda c: {"r": (r := min(c["r"], 3 * c["sigma"])), "mu": c["d"], "x": c["d"] - r},  # further out no digits
        answer="-d/2 * log(2*pi*sigma**2) - r**2 / (2*sigma**2)",
        oracle=_log_density, measured="Fourier inversion of the characteristic function, one factor a coordinate",
        wrong=(
            ("-d/2 * log(2*pi*sigma**2) - r**2 / sigma**2", "the 1/2 in the exponent is missing"),
            ("-1/2 * log(2*pi*sigma**2) - r**2 / (2*sigma**2)", "each of the d coordinates brings its own normaliser"),
            ("-d/2 * log(2*pi*sigma) - r**2 / (2*sigma)", "sigma stands where sigma^2 belongs"),
            ("-d * log(2*pi*sigma**2) - r**2 / (2*sigma**2)", "the root in the normaliser is missing: 1/2 log(2 pi sigma^2)"),
            ("-d/2 * log(2*pi*sigma**2) - r / (2*sigma**2)", "the distance is to be squared"),
            ("d/2 * log(2*pi*sigma**2) + r**2 / (2*sigma**2)", "the sign: that is -log of the density"),
            ("-r**2 / (2*sigma**2)", "the normaliser is missing"),
        ),
    ),
    Formula(
        name="chain-rule", number=3, lecture=1, title="Chain rule of probability",
        latex=r"p(x_{1:T}) = p(x_1)\,\prod_{t=2}^T p(x_t\,|\,x_{1:t-1})",
        why="Any joint law can be drawn one variable at a time, each given those before it.",
        letters="p q", own=COINS,
        oracle=_chain_rule, measured="a table of three dependent coins, every factor counted from the joint", bound=1e-12,
        wrong=(
            (_reversed_conditionals, "p(x_1 | x_2) is another thing than p(x_2 | x_1): the conditionals are reversed"),
            (_independent, "a product of marginals is the joint law only of independent variables"),
        ),
    ),
    Formula(
        name="marginal", number=3, lecture=1, title="Marginal of a joint law",
        latex=r"p(x_1) = \int p(x_1, x_2)\,dx_2",
        why="What is not asked about is summed over.",
        letters="p q", own=COINS,
        oracle=_marginal, measured="a table of dependent coins against how the first was made", bound=1e-12,
        wrong=((_wrong_variable, "summing over x_1 leaves p(x_2): sum over the variable that is to vanish"),),
    ),
    Formula(
        name="bayes-normalised", number=7, lecture=1, title="Bayes' posterior integrates to 1",
        latex=r"p(a\,|\,b) = \frac{p(b\,|\,a)\,p(a)}{p(b)}",
        why="What was seen reweighs what was believed; the evidence p(b) only makes the total 1 again.",
        letters=GAUSSIANS,
        own={"mu_1": (REAL, "mean of a"), "sigma_1": (POSITIVE, "std of a"), "mu_2": (REAL, "the b that was seen"),
             "sigma_2": (POSITIVE, "std of b given a")},
        oracle=_bayes_total, measured="1 minus the posterior's integral, on a grid", bound=1e-12,
        wrong=(
            (lambda c, rng: _bayes_total(c, rng, lambda p_b: p_b), "multiplied by the evidence: divide by it"),
            (lambda c, rng: _bayes_total(c, rng, lambda p_b: 1.0), "without the evidence it is proportional, not equal"),
        ),
    ),
    Formula(
        name="product-variance", number=8, lecture=1, title="Product of two Gaussian densities: the variance",
        latex=r"v = \left(\frac{1}{\sigma_1^2} + \frac{1}{\sigma_2^2}\right)^{-1}",
        why="Two sources of knowledge know more than each: precisions add.",
        letters=GAUSSIANS, answer="1 / (1/sigma_1**2 + 1/sigma_2**2)",
        oracle=lambda c, rng: _product(c, rng)[1], measured="the product normalised on a grid",
        source=gaussian.product, value=lambda f, c: f(c.mu_1, c.sigma_1**2, c.mu_2, c.sigma_2**2)[1],
        wrong=(
            ("sigma_1**2 + sigma_2**2", "that is the variance of a sum of variables, not of a product of densities"),
            ("1/sigma_1**2 + 1/sigma_2**2", "that is the precision: invert it"),
            ("sigma_1**2 * sigma_2**2", "that is the variance of the product of centred variables, which is not Gaussian"),
            ("1 / (1/sigma_1 + 1/sigma_2)", "precisions are 1/sigma^2"),
            ("(sigma_1**2 + sigma_2**2) / 2", "the product is narrower than both: an average is not"),
        ),
    ),
    Formula(
        name="product-mean", number=8, lecture=1, title="Product of two Gaussian densities: the mean",
        latex=r"m = \left(\frac{\mu_1}{\sigma_1^2} + \frac{\mu_2}{\sigma_2^2}\right)/"
              r"\left(\frac{1}{\sigma_1^2} + \frac{1}{\sigma_2^2}\right)",
        why="The mean is pulled towards whoever is more certain.",
        letters=GAUSSIANS, answer="(mu_1/sigma_1**2 + mu_2/sigma_2**2) / (1/sigma_1**2 + 1/sigma_2**2)",
        oracle=lambda c, rng: _product(c, rng)[0], measured="the product normalised on a grid",
        source=gaussian.product, value=lambda f, c: f(c.mu_1, c.sigma_1**2, c.mu_2, c.sigma_2**2)[0],
        wrong=(
            ("(mu_1*sigma_1**2 + mu_2*sigma_2**2) / (sigma_1**2 + sigma_2**2)",
             "the weights are swapped: the certain one counts more"),
            ("(mu_1 + mu_2) / 2", "the plain average is right only for equal variances"),
            ("mu_1/sigma_1**2 + mu_2/sigma_2**2", "to be multiplied by the variance v"),
            ("(mu_1/sigma_1 + mu_2/sigma_2) / (1/sigma_1 + 1/sigma_2)", "the weights are precisions 1/sigma^2, not 1/sigma"),
            ("mu_1 * mu_2", "that is the mean of the product of the variables, not of the product of the densities"),
        ),
    ),
    Formula(
        name="product-of-variables", number=8, lecture=1, title="The product of Gaussian variables is not Gaussian",
        latex=r"\mathrm{E}[(XY)^4] \neq 3\,\mathrm{E}[(XY)^2]^2",
        why="Densities multiply in Bayes' rule; variables do not.",
        letters="sigma_1 sigma_2", relation="!=",
        oracle=_kurtosis_gap, measured="the kurtosis of XY minus the Gaussian's 3, by quadrature",
        wrong=((_kurtosis_gap, "XY has kurtosis 9, a Gaussian has 3: only the product of the densities is Gaussian"),),
    ),
]
