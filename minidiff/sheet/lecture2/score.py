"""Lecture 2: the score, grad log p, and Langevin's steps along it."""

import math

import numpy as np

from ... import exact
from ...continuous import process, sde
from .. import oracles
from ..entry import POSITIVE, REAL, SHARE, Formula

SCORE = {"score": (REAL, "grad log p at x")}
STEP = SCORE | {
    "a": (POSITIVE, "the step size, alpha in the lecture"),
    "eps": (REAL, "fresh noise"),
    "eta": (POSITIVE, "the step size, half of the other form's a"),
}


def _bumps(x, c):
    """A density without its normaliser: two bumps about mu."""
    return 0.3 * np.exp(oracles.log_bell(x, c.mu - 1, c.sigma**2)) + 0.7 * np.exp(
        oracles.log_bell(x, c.mu + 1, c.sigma**2)
    )


def _normaliser_seen(c, rng, of=math.log):
    """d/dx of log(Z p) minus d/dx of log p, Z any factor."""
    x, h = c.mu + c.sigma * math.tanh(c.x), 1e-3 * c.sigma**2 / (1 + c.sigma)
    return oracles.difference(lambda x: of(c.Z * _bumps(x, c)), x, h) - oracles.difference(
        lambda x: of(_bumps(x, c)), x, h
    )


def _by_parameter(c, rng):
    """The same for d/dsigma of a Gaussian: with its normaliser minus without."""
    r = c.sigma * math.tanh(c.x)
    with_z = oracles.difference(lambda s: oracles.log_density(r, 0.0, s), c.sigma)
    return with_z - oracles.difference(lambda s: oracles.log_bell(r, 0.0, s**2), c.sigma)


def _slope_of_log(c, rng):
    """d/dx log of a function that has the value p and the slope dp."""
    return oracles.difference(
        lambda x: math.log(c.p + c.dp * x + 0.3 * x * x), 0.0, 1e-3 * c.p / (1 + abs(c.dp))
    )


def _correlated(c, rng):
    """d/dx_1 log p of x_1 = n_1, x_2 = rho n_1 + sqrt(1 - rho^2) n_2, from the two independent noises."""
    width = 1 - c.rho**2  # the variance that n_1 does not explain in x_2
    log_p = lambda x: oracles.log_bell(x, 0.0, 1.0) + oracles.log_bell(c.b, c.rho * x, width)  # noqa: E731
    return oracles.difference(log_p, c.a, 1e-2 * width)


def _langevin(c, rng, variance):
    """x + k score + noise, with the k that keeps the second moment of a density of two bumps, to first order in k."""
    x = np.linspace(-9, 9, 601)
    log_p = lambda x: np.log(np.exp(oracles.log_bell(x, -1, 0.5)) + 2 * np.exp(oracles.log_bell(x, 1.5, 0.8)))  # noqa: E731
    p, s = np.exp(log_p(x)), oracles.difference(log_p, x)
    p /= p.sum()
    change = lambda k: oracles.difference(lambda a: p @ (x + k * a * s) ** 2 + a, 0.0)  # noqa: E731
    k = oracles.root(lambda k: -change(k), 0.0, 2.0)
    width = oracles.root(lambda b: b * b - variance, 0.0, 10.0)
    return c.x + k * variance * c.score + width * c.eps


def _settled(c, rng):
    """The variance at which Langevin's steps settle for N(0, sigma^2): 3000 steps, each by the score's finite difference."""
    # the step is linear in x: where it takes x = 1
    moved = 1 + c.a / 2 * oracles.difference(lambda x: oracles.log_bell(x, 0.0, c.sigma**2), 1.0)
    var = 0.0
    for _ in range(3000):
        var = moved * moved * var + c.a
    return var


def _balanced(c, rng):
    """The step at which the drift eta s is r times as long as the noise sqrt(2 eta) z, by bisection on its logarithm."""
    drift_over_noise = lambda u: math.exp(u) * c.score / (math.sqrt(2 * math.exp(u)) * c.z)  # noqa: E731
    return math.exp(oracles.root(lambda u: drift_over_noise(u) - c.r, -30.0, 30.0))


# fmt: off
ENTRIES = [
    Formula(
        name="score", number=39, lecture=2, title="The score of a density",
        latex=r"\nabla\log p = \frac{\nabla p}{p}",
        why="An arrow towards more likely pictures: dividing by p keeps it from fading where p is tiny.",
        letters="p dp", own={"p": (POSITIVE, "the density at x"), "dp": (REAL, "its gradient at x")}, answer="dp / p",
        oracle=_slope_of_log, measured="finite differences of the log of a function with this value and slope",
        wrong=(
            ("dp", "that is the gradient of p itself, which grows with the normaliser"),
            ("dp * p", "the chain rule for the logarithm divides by p"),
            ("dp / p**2", "that is minus the gradient of 1/p"),
            ("log(abs(dp))", "first the logarithm, then the gradient"),
            ("p / dp", "inverted"),
        ),
    ),
    Formula(
        name="score-normaliser", number=39, lecture=2, title="The score does not see the normaliser",
        latex=r"\nabla_x\log(\tilde p/Z) = \nabla_x\log\tilde p",
        why="Nobody can compute Z for pictures; its logarithm is a constant that the gradient by x drops.",
        letters="x mu sigma Z", own={"Z": (POSITIVE, "any constant factor of the density")},
        oracle=_normaliser_seen, measured="finite differences of log(Z p) and log p for a density of two bumps",
        wrong=(
            (lambda c, rng: _normaliser_seen(c, rng, of=float), "the gradient of p itself grows with Z: take the log first"),
            (_by_parameter, "the gradient is by x: by a parameter such as sigma the normaliser counts, Z depends on it"),
        ),
    ),
    Formula(
        name="gaussian-score", number=40, lecture=2, title="Score of a Gaussian",
        latex=r"\nabla_x\log\mathcal{N}(x;\mu,\sigma^2 I) = -\frac{x-\mu}{\sigma^2}",
        why="It points back to the mean, harder the further out and the narrower the bell.",
        letters="x mu sigma", answer="-(x - mu) / sigma**2",
        oracle=lambda c, rng: oracles.difference(lambda x: oracles.log_bell(x, c.mu, c.sigma**2), c.x),
        measured="finite differences of the log density",
        source=exact.Mixture,
        value=lambda f, c: f([1.0], [[c.mu]], [[[c.sigma**2]]]).score(process.VP(), np.array([[c.x]]), 0.0)[0, 0],
        wrong=(
            ("(x - mu) / sigma**2", "the sign: the score points to the mean, not away from it"),
            ("-(x - mu) / sigma", "sigma stands where sigma^2 belongs"),
            ("-(x - mu) / (2*sigma**2)", "the square brings down a 2 that cancels the 1/2"),
            ("-(x - mu) * sigma**2", "divide by the variance: -Sigma^-1 (x - mu), not -Sigma (x - mu)"),
            ("-(x - mu)**2 / (2*sigma**2)", "that is the log density, up to a constant, not its gradient"),
            ("-x / sigma**2", "the distance counts from the mean"),
            ("-(x - mu)", "that holds for variance 1 only"),
        ),
    ),
    Formula(
        name="gaussian-score-covariance", number=40, lecture=2, title="Score of correlated coordinates, its first component",
        latex=r"[-\Sigma^{-1}(x-\mu)]_1 = -\frac{a-\rho b}{1-\rho^2}",
        why="What the other coordinate already tells about this one is no surprise, so it does not pull.",
        letters="a b rho", own={"a": (REAL, "first coordinate of x - mu"), "b": (REAL, "second coordinate of x - mu"),
                                "rho": (SHARE, "their correlation, both variances are 1")},
        answer="-(a - rho*b) / (1 - rho**2)",
        oracle=_correlated, measured="finite differences of the log density of the two noises that make x",
        source=exact.Mixture,
        value=lambda f, c: f([1.0], [[0.0, 0.0]], [[[1, c.rho], [c.rho, 1]]]).score(
            process.VP(), np.array([[c.a, c.b]]), 0.0)[0, 0],
        wrong=(
            ("-(a + rho*b)", "that is -Sigma (x - mu): the inverse of Sigma is needed"),
            ("-a", "that leaves the correlation out"),
            ("-(a - rho*b)", "Sigma's determinant 1 - rho^2 is missing"),
            ("-(a + rho*b) / (1 - rho**2)", "off the diagonal the inverse has the opposite sign"),
            ("(a - rho*b) / (1 - rho**2)", "the sign: the score points to the mean"),
        ),
    ),
    Formula(
        name="langevin", number=41, lecture=2, title="Langevin's step",
        latex=r"x' = x + \frac{a}{2}\,\nabla\log p(x) + \sqrt{a}\,\epsilon",
        why="Climb towards likely pictures and shake: the shaking keeps all of p, not only its peak.",
        letters="x a score eps", own=STEP, answer="x + a/2 * score + sqrt(a) * eps",
        oracle=lambda c, rng: _langevin(c, rng, c.a),
        measured="noise of variance a, and the drift that keeps a bumpy density's second moment to first order in a",
        source=sde.langevin_step, value=lambda f, c: f(np.array([c.score]), np.array([c.x]), c.a, np.array([c.eps]))[0],
        wrong=(
            ("x + a * score + sqrt(a) * eps", "the 1/2 is missing: too much pull for this noise, half the variance is left"),
            ("x + a/2 * score + a * eps", "the noise's weight is sqrt(a): as a -> 0 noise a eps dies out"),
            ("x + a/2 * score", "without noise every sample climbs to a peak: that finds modes, it does not sample"),
            ("x - a/2 * score + sqrt(a) * eps", "the sign: that walks away from the data"),
            ("x + a * score + sqrt(2*a) * eps", "that is a right step, of the size 2 a: in this form its noise is sqrt(2 a)"),
            ("x + sqrt(a)/2 * score + sqrt(a) * eps", "the drift is of order a, only the noise is of order sqrt(a)"),
            ("a/2 * score + sqrt(a) * eps", "that is the move alone; it starts from x"),
        ),
    ),
    Formula(
        name="langevin-eta", number=41, lecture=2, title="Langevin's step, the other form",
        latex=r"x' = x + \eta\,\nabla\log p(x) + \sqrt{2\eta}\,\epsilon",
        why="The same step for eta = a/2: the 2 goes from the drift to the noise.",
        letters="x eta score eps", own=STEP, answer="x + eta * score + sqrt(2*eta) * eps",
        oracle=lambda c, rng: _langevin(c, rng, 2 * c.eta),
        measured="noise of variance 2 eta, and the drift that keeps a bumpy density's second moment to first order",
        source=sde.langevin_step, value=lambda f, c: f(np.array([c.score]), np.array([c.x]), 2 * c.eta, np.array([c.eps]))[0],
        wrong=(
            ("x + eta * score + sqrt(eta) * eps", "the noise needs sqrt(2 eta), or half the variance is left"),
            ("x + eta * score + 2*eta * eps", "the 2 eta is a variance: the noise's weight is its root"),
            ("x + eta/2 * score + sqrt(2*eta) * eps", "the 1/2 belongs to the form with sqrt(a): here it counts twice"),
            ("x + eta * score + 2*sqrt(eta) * eps", "the 2 stands under the root"),
            ("x - eta * score + sqrt(2*eta) * eps", "the sign: that walks away from the data"),
            ("x + eta * score", "without noise every sample climbs to a peak"),
        ),
    ),
    Formula(
        name="langevin-variance", number=41, lecture=2, title="The variance at which Langevin's steps settle for Gaussian data",
        latex=r"\mathrm{Var}(x_\infty) = \frac{\sigma^2}{1 - a/(4\sigma^2)}",
        why="Only infinitely small steps leave the data's variance; finite ones leave the samples too wide.",
        letters="sigma a", own={"sigma": (POSITIVE, "std of the data"), "a": (POSITIVE, "the step size, below 4 sigma^2")},
        derive=lambda c: {"a": min(c["a"], c["sigma"] ** 2)}, answer="sigma**2 / (1 - a/(4*sigma**2))",
        oracle=_settled, measured="3000 steps of the variance, the score by finite differences",
        wrong=(
            ("sigma**2", "that holds for a -> 0 only: finite steps leave the samples too wide"),
            ("sigma**2 / (2 - a/sigma**2)", "that is where a score + sqrt(a) eps settles, without the 1/2"),
            ("sigma**2 + a", "the noise of one step is added, but the pull takes most of it back"),
            ("sigma**2 / (1 + a/(4*sigma**2))", "the sign: finite steps leave too much variance, not too little"),
            ("0", "that is what is left without the noise"),
        ),
    ),
    Formula(
        name="langevin-snr", number=41, lecture=2, title="Langevin's step size from a ratio of lengths (the corrector)",
        latex=r"\eta = 2\left(r\,\frac{\|z\|}{\|s_\theta\|}\right)^2",
        why="Scores are long where the noise is small: there the step has to be short, or the noise hardly counts.",
        letters="r z score", own={"r": (POSITIVE, "length of eta s over length of sqrt(2 eta) z, 0.16 in the paper"),
                                  "z": (POSITIVE, "length of the fresh noise"), "score": (POSITIVE, "length of the score")},
        answer="2 * (r * z / score)**2",
        oracle=_balanced, measured="bisection for the step whose drift eta s is r times as long as its noise sqrt(2 eta) z",
        wrong=(
            ("(r * z / score)**2", "the 2 under the noise's root is missing"),
            ("2 * r * z / score", "the drift grows with eta, the noise with its root: the ratio is to be squared"),
            ("2 * (r * score / z)**2", "inverted: a long score asks for a short step"),
            ("2 * (z / (r * score))**2", "r is drift over noise: more of it is a longer step"),
            ("(r * z / score)**2 / 2", "sqrt(2 eta) has the 2 under the root: it is multiplied"),
        ),
    ),
]
