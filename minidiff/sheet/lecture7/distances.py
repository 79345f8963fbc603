"""Lecture 7: distances between sets of pictures: FID's limits, KID, energy and transport."""

import itertools
import math

import numpy as np

from ...evaluation import metrics
from .. import oracles
from ..entry import COUNT, POSITIVE, REAL, Formula

FEATURES = {"a": (REAL, "difference of the means, in every feature"), "d": (COUNT, "number of features"),
            "sigma_1": (POSITIVE, "standard deviation of each real feature"), "sigma_2": (POSITIVE, "of each generated one"),
            "n": (COUNT, "number of real pictures"), "m": (COUNT, "number of generated ones")}  # fmt: skip
POINTS = {
    f"{v}_{i}": (REAL, f"{'real' if v == 'x' else 'generated'} feature {i}") for v in "xy" for i in (1, 2)
}


def _ranks(mean_1, std_1, mean_2, std_2):
    """The least cost of carrying one Gaussian to another: E (x - y)^2 of equal quantiles, by quadrature."""
    (x, p), (y, _) = (oracles.gaussian_grid(m, s, 401) for m, s in ((mean_1, std_1), (mean_2, std_2)))
    return p @ (x - y) ** 2


def _every_feature(c, rng):
    """Independent features are carried one by one."""
    return sum(_ranks(0.0, c.sigma_1, c.a, c.sigma_2) for _ in range(c.d))


def _cross(d, mean, std):
    """2 d points with this mean and the covariance std^2 I, as np.cov has it: one pair on each axis."""
    return mean + std * math.sqrt((2 * d - 1) / 2) * np.concatenate([np.eye(d), -np.eye(d)])


def _means(sigma, n):
    """The means of n features that are +sigma or -sigma: all 2^n sets, each as likely."""
    return np.array([np.mean(signs) for signs in itertools.product((-sigma, sigma), repeat=n)])


def _bias(c, rng):
    """The mean of (difference of both sets' means)^2 over all sets, where the true difference is 0."""
    return np.mean((_means(c.sigma_1, c.n)[:, None] - _means(c.sigma_2, c.m)) ** 2)


def _moments_apart(c, rng=None):
    """FID of the laws +-sigma and N(0, sigma^2), both moved to mu: from their means and variances, by quadrature."""
    (x, p), y = oracles.gaussian_grid(c.mu, c.sigma), np.array([c.mu - c.sigma, c.mu + c.sigma])
    return (p @ x - y.mean()) ** 2 + (math.sqrt(p @ (x - p @ x) ** 2) - y.std()) ** 2


def _steps_apart(c, rng=None):
    """The largest difference of both laws' distribution functions, seen on the grid."""
    x, p = oracles.gaussian_grid(c.mu, c.sigma)
    steps = ((x >= c.mu - c.sigma) * 0.5) + ((x >= c.mu + c.sigma) * 0.5)
    return np.abs(np.cumsum(p) - steps).max()


def _size_apart(c, rng=None):
    """The difference of both laws' mean distances from mu."""
    x, p = oracles.gaussian_grid(c.mu, c.sigma)
    return p @ np.abs(x - c.mu) - c.sigma


def _carried(c, rng=None):
    """The least cost of carrying one law itself to the other: each half of the Gaussian to its point."""
    x, p = oracles.gaussian_grid(c.mu, c.sigma)
    return p @ (np.abs(x - c.mu) - c.sigma) ** 2


def _fourth_apart(c, rng=None):
    """The difference of both laws' fourth central moments."""
    x, p = oracles.gaussian_grid(c.mu, c.sigma)
    return p @ (x - c.mu) ** 4 - c.sigma**4


def _powers(c, rng):
    """KID with the kernel's own features x^3, sqrt(3) x^2, sqrt(3) x, 1: products of different points only."""
    x, y = ([np.array([v**3, math.sqrt(3) * v**2, math.sqrt(3) * v, 1.0]) for v in pair] for pair in (
        (c.x_1, c.x_2), (c.y_1, c.y_2)))  # fmt: skip
    return x[0] @ x[1] + y[0] @ y[1] - 2 * np.mean(x, axis=0) @ np.mean(y, axis=0)


def _steps(c, rng):
    """Twice the integral of (F - G)^2: both distribution functions are steps, so each piece is a rectangle."""
    ends = np.sort([c.x_1, c.x_2, c.y_1, c.y_2])
    F, G = ([np.mean([u <= v for u in pair]) for v in ends] for pair in ((c.x_1, c.x_2), (c.y_1, c.y_2)))
    return 2 * float(np.sum((np.array(F) - G)[:-1] ** 2 * np.diff(ends)))


def _pairings(c, rng):
    """The cheapest of both ways to pair two points with two."""
    x = np.array([c.x_1, c.x_2])
    return min(float(np.mean((x - y) ** 2)) for y in itertools.permutations((c.y_1, c.y_2)))


def _as_rows(c):
    return np.array([[c.x_1], [c.x_2]]), np.array([[c.y_1], [c.y_2]])


def _kid(kernel, within=1, across="/2"):
    pairs = " + ".join(kernel.format(f"x_{i}", f"y_{j}") for i in (1, 2) for j in (1, 2))
    return f"{within}*({kernel.format('x_1', 'x_2')} + {kernel.format('y_1', 'y_2')}) - ({pairs}){across}"


CUBE = "({0}*{1} + 1)**3"
ITSELF = " + ".join(f"({v}**2 + 1)**3" for v in POINTS)
ACROSS = "(abs(x_1-y_1) + abs(x_1-y_2) + abs(x_2-y_1) + abs(x_2-y_2))"

# fmt: off
ENTRIES = [
    Formula(
        name="fid-isotropic", number=80, lecture=7, title="FID of d independent features of equal widths",
        latex=r"\mathrm{FID} = d\,a^2 + d\,(\sigma_1-\sigma_2)^2,\quad \mu_1-\mu_2 = (a, \ldots, a)",
        why="Distances of all features add up, so numbers from different networks cannot be compared.",
        letters="a sigma_1 sigma_2 d", own=FEATURES, answer="d * (a**2 + (sigma_1 - sigma_2)**2)",
        oracle=_every_feature, measured="carrying each feature rank to rank, by quadrature", source=metrics.frechet,
        value=lambda f, c: f(_cross(c.d, 0.0, c.sigma_1), _cross(c.d, c.a, c.sigma_2)),
        wrong=(
            ("a**2 + (sigma_1 - sigma_2)**2", "that is one feature's: traces and squared lengths grow with d"),
            ("a**2 + d * (sigma_1 - sigma_2)**2", "|mu_1 - mu_2|^2 is d a^2"),
            ("d**2 * a**2 + d * (sigma_1 - sigma_2)**2", "squares are added up, not the sum squared"),
            ("d * (a**2 + sigma_1**2 + sigma_2**2)", "the cross term - 2 (S_1 S_2)^(1/2) is missing"),
            ("d * (a**2 + (sigma_1**2 - sigma_2**2)**2)", "the matrix root takes variances to standard deviations"),
            ("sqrt(d * (a**2 + (sigma_1 - sigma_2)**2))", "FID is the squared distance"),
        ),
    ),
    Formula(
        name="fid-bias", number=80, lecture=7, title="What few pictures add to FID's means: E of (m_1 - m_2)^2 for equal means",
        latex=r"\mathrm{E}[(\hat m_1-\hat m_2)^2] = \frac{\sigma_1^2}{n} + \frac{\sigma_2^2}{m}",
        why="Real pictures against real ones do not give 0: FIDs from different numbers of pictures cannot be compared.",
        letters="sigma_1 n sigma_2 m", own=FEATURES, answer="sigma_1**2/n + sigma_2**2/m",
        oracle=_bias, measured="all sets of n and of m features that are +sigma or -sigma",
        wrong=(
            ("0", "only on average: the squares of what is left do not cancel"),
            ("sigma_1/sqrt(n) + sigma_2/sqrt(m)", "those are standard deviations"),
            ("sigma_1**2/n**2 + sigma_2**2/m**2", "a mean's variance falls like 1/n"),
            ("(sigma_1**2 + sigma_2**2) / (n + m)", "each set has a mean of its own"),
            ("sigma_1**2/n - sigma_2**2/m", "both means stray, and variances add up"),
            ("sigma_1**2 + sigma_2**2", "that is for single pictures"),
        ),
    ),
    Formula(
        name="fid-blind", number=80, lecture=7, title="FID of two different laws: +sigma or -sigma, and N(0, sigma^2)",
        latex=r"\mathrm{FID}(\pm\sigma,\ \mathcal{N}(0,\sigma^2)) = 0",
        why="It sees means and covariances alone; two sets may agree in these and have no picture in common.",
        letters="mu sigma", own={"mu": (REAL, "what is added to both"), "sigma": (POSITIVE, "their standard deviation")},
        oracle=_moments_apart, measured="means and standard deviations of both, by quadrature",
        wrong=(
            (_steps_apart, "equal means and variances are not equal laws: the distribution functions differ"),
            (_fourth_apart, "the fourth moments differ: sigma^4 and 3 sigma^4"),
            (_size_apart, "the mean distances from mu differ, and FID does not see them"),
            (_carried, "to carry one law to the other costs something: FID does so with Gaussians of their moments"),
        ),
    ),
    Formula(
        name="kid", number=80, lecture=7, title="KID of two real and two generated pictures, one feature",
        latex=r"\mathrm{KID} = k(x_1,x_2) + k(y_1,y_2) - \frac{1}{2}\sum_{ij} k(x_i,y_j),\quad k(x,y) = (x y+1)^3",
        why="Without the products of a picture with itself it is right on average for any number of pictures.",
        letters="x_1 x_2 y_1 y_2", own=POINTS, answer=_kid(CUBE),
        oracle=_powers, measured="products of the kernel's own features, the powers of x up to the third",
        wrong=(
            (f"{_kid(CUBE, 1/2)} + ({ITSELF})/4",
             "with k(x, x) in the means it is biased, as FID is"),
            (_kid(CUBE, across="/4"), "the cross term counts twice: 2 / (n m)"),
            (_kid("({0}*{1})**3"), "the + 1 is missing: the kernel sees third powers only"),
            (_kid("({0}*{1} + 1)**2"), "the kernel is cubic"),
            (_kid("{0}*{1}"), "a linear kernel sees only the means"),
            (_kid(CUBE, 2), "a mean over pairs i != j: with two pictures both are the same product"),
        ),
    ),
    Formula(
        name="energy-distance", number=80, lecture=7, title="Energy distance of two points and two points",
        latex=r"D = 2\,\mathrm{E}|x-y| - \mathrm{E}|x-x'| - \mathrm{E}|y-y'|",
        why="Are strangers further apart than siblings? Only equal laws give 0.",
        letters="x_1 x_2 y_1 y_2", own=POINTS, answer=f"{ACROSS}/2 - abs(x_1-x_2)/2 - abs(y_1-y_2)/2",
        oracle=_steps, measured="twice the integral of the squared difference of both distribution functions",
        source=metrics.energy_distance, value=lambda f, c: f(*_as_rows(c)),
        wrong=(
            (f"{ACROSS}/4 - abs(x_1-x_2)/2 - abs(y_1-y_2)/2", "the 2 before E|x - y| is missing"),
            (f"{ACROSS}/2 - abs(x_1-x_2) - abs(y_1-y_2)", "x and x' are drawn independently and may be the same point"),
            (f"{ACROSS}/2", "the distances within both sets are to be taken off"),
            (f"{ACROSS}/2 + abs(x_1-x_2)/2 + abs(y_1-y_2)/2", "the sign: taken off"),
            ("((x_1-y_1)**2 + (x_1-y_2)**2 + (x_2-y_1)**2 + (x_2-y_2)**2 - (x_1-x_2)**2 - (y_1-y_2)**2)/2",
             "squared distances would see the means only"),
            ("2*abs((x_1+x_2)/2 - (y_1+y_2)/2)", "the mean of distances is not the distance of means"),
        ),
    ),
    Formula(
        name="wasserstein-1d", number=80, lecture=7, title="Squared Wasserstein distance of two and two points on a line",
        latex=r"W_2^2 = \frac{1}{2}((x_{(1)}-y_{(1)})^2 + (x_{(2)}-y_{(2)})^2),\quad x_{(1)}\leq x_{(2)},\ y_{(1)}\leq y_{(2)}",
        why="On a line the cheapest way to carry points to points is in order, so sorting is all there is to do.",
        letters="x_1 x_2 y_1 y_2", own=POINTS,
        answer="((x_1+x_2-y_1-y_2)**2 + (abs(x_1-x_2) - abs(y_1-y_2))**2) / 4",
        oracle=_pairings, measured="the cheaper of both pairings",
        source=metrics.sliced_wasserstein, value=lambda f, c: f(*_as_rows(c), 1, np.random.default_rng(0)) ** 2,
        wrong=(
            ("((x_1-y_1)**2 + (x_2-y_2)**2) / 2", "the points are to be sorted first"),
            ("((x_1-y_1)**2 + (x_1-y_2)**2 + (x_2-y_1)**2 + (x_2-y_2)**2) / 4", "that is for pairs drawn at random"),
            ("(x_1+x_2-y_1-y_2)**2 / 4", "the widths differ as well as the means"),
            ("((x_1+x_2-y_1-y_2)**2 + (abs(x_1-x_2) - abs(y_1-y_2))**2) / 2", "that is the sum over points, not the mean"),
            ("((x_1+x_2-y_1-y_2)**2 + (abs(x_1-x_2) + abs(y_1-y_2))**2) / 4", "in order: crosswise costs most"),
            ("sqrt((x_1+x_2-y_1-y_2)**2 + (abs(x_1-x_2) - abs(y_1-y_2))**2) / 2", "that is W_2, not its square"),
        ),
    ),
]
