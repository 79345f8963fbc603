"""Roads to a number that do not use its formula: definitions, grids, quadrature, simulated chains, finite differences.

Nothing here knows the sheet. A tool is deterministic and good to 1e-9 or better, or it is a Monte Carlo estimate and answers
(number, bound): a bound that a right formula exceeds once in 1e12 checks, computed from n.

    letter  meaning
    n       number of draws, or of points of a grid
    Z       7.13, the standard normal lies within +-Z but for one draw in 1e12
"""

import math
from statistics import NormalDist

import numpy as np

FALSE_ALARM = 1e-12
Z = NormalDist().inv_cdf(1 - FALSE_ALARM / 2)


def bell(x, mean, var):
    """The Gaussian's log density up to a constant, which no caller needs: grids normalise by themselves."""
    return -((np.asarray(x) - mean) ** 2) / (2 * var)


def grid_moments(log_density, center, width, n=4001):
    """Mean and variance of an unnormalised density on a grid center +- width.

    The trapezoidal rule is exact to rounding for a smooth density that is well inside: 12 standard deviations either way.
    The log density may hold a constant: it is normalised here.
    """
    x = np.linspace(center - width, center + width, n)
    p = log_density(x)
    p = np.exp(p - p.max())
    p /= p.sum()
    mean = p @ x
    return mean, p @ (x - mean) ** 2


def gaussian_grid(mean, std, n=4001):
    """Points and weights with which sum(weights * f(points)) is E f for N(mean, std^2), normalised by counting."""
    x = np.linspace(mean - 12 * std, mean + 12 * std, n)
    p = np.exp(bell(x, mean, std**2))
    return x, p / p.sum()


def log_density(x, mean, std):
    """log p(x) of a Gaussian without its formula: from E exp(iu X) = exp(iu mean - u^2 std^2 / 2), inverted by quadrature."""
    u = np.linspace(0, 12 / std, 20_001)
    wave = np.cos(u * (mean - x)) * np.exp(-((u * std) ** 2) / 2)
    return math.log(np.trapezoid(wave, u) / math.pi)


def walk(betas, t, s=0, mean=1.0, var=0.0):
    """Mean and variance of x_t, started from x_s of that mean and variance, one step after the other.

    Step i keeps the share 1 - beta_i of the variance and adds beta_i of noise: exact, without any product of alphas.
    """
    for beta in betas[s + 1 : t + 1]:
        mean, var = mean * math.sqrt(1 - beta), var * (1 - beta) + beta
    return mean, var


def posterior(betas, t, s, x_0, x_t):
    """Mean and variance of q(x_s | x_t, x_0), by Bayes on a grid: how likely x_s is from x_0, times x_t from x_s."""
    prior_mean, prior_var = walk(betas, s, mean=x_0)
    if not prior_var:
        return x_0, 0.0  # s = 0: x_0 is known
    keep, noise = walk(betas, t, s)
    log_density = lambda x: bell(x, prior_mean, prior_var) + bell(x_t, keep * x, noise)  # noqa: E731
    mean, wide = prior_mean, 12 * math.sqrt(prior_var) + 12 * abs(x_t - keep * prior_mean)
    for _ in range(3):  # each round looks closer at where the mass is
        mean, var = grid_moments(log_density, mean, wide)
        wide = 12 * math.sqrt(var)
    return float(mean), float(var)


def difference(f, x, h=1e-3):
    """df/dx by central differences of two step lengths, combined so that the error is of order h^4."""
    slope = lambda h: (f(x + h) - f(x - h)) / (2 * h)  # noqa: E731
    return (4 * slope(h / 2) - slope(h)) / 3


def root(f, low, high):
    """Where a rising f is 0, by halving."""
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if f(middle) < 0 else (low, middle)
    return (low + high) / 2


def mean_of(draws, spread):
    """(mean, bound) of n draws whose standard deviation is at most `spread`: normal means stay within Z spread / sqrt(n)."""
    return float(np.mean(draws)), Z * spread / math.sqrt(len(draws))


def variance_of(draws):
    """(variance, bound) of n Gaussian draws: it strays by 2 sqrt(L/n) + 2 L/n of itself (Laurent & Massart 2000)."""
    n, L = len(draws), math.log(2 / FALSE_ALARM)
    var = float(np.var(draws, ddof=1))
    stray = 2 * math.sqrt(L / (n - 1)) + 2 * L / (n - 1)
    return var, var * stray / (1 - stray)


def limit(f, n=1, levels=6):
    """lim f(n) for n -> infinity, from n, 2 n, 4 n, ...: the errors in 1/n, 1/n^2, ... cancelled one after the other."""
    row = [f(n * 2**k) for k in range(levels)]
    for k in range(1, levels):
        row = [(2**k * b - a) / (2**k - 1) for a, b in zip(row, row[1:])]
    return row[-1]


def line_velocity(x, t, mean, std):
    """Mean and variance of x_1 - x_0 over all lines t x_1 + (1 - t) x_0 through x: noise x_0, data x_1 ~ N(mean, std^2).

    Bayes on a grid of the end that x tells less about, so that t = 0 and 1 are no special cases.
    """
    if t <= 0.5:
        likely = lambda y: bell(y, mean, std**2) + bell(x, t * y, (1 - t) ** 2)  # noqa: E731
    else:
        likely = lambda y: bell(y, 0.0, 1.0) + bell(x - (1 - t) * y, t * mean, (t * std) ** 2)  # noqa: E731
    before, here, after = (float(likely(y)) for y in (-1.0, 0.0, 1.0))  # a parabola: where to look, and how far
    bend = 2 * here - before - after
    end, var = grid_moments(likely, (after - before) / 2 / bend, 12 / math.sqrt(bend), 301)
    return ((end - x) / (1 - t), var / (1 - t) ** 2) if t <= 0.5 else ((x - end) / t, var / t**2)


def closer(log_density, center, width):
    """Mean and variance of an unnormalised density somewhere within center +- width: each round looks closer at the mass."""
    for _ in range(4):
        center, var = grid_moments(log_density, center, width)
        width = max(12 * math.sqrt(var), width / 500)
    return float(center), float(var)


def clean(betas, t, x_t, eps):
    """The x_0 that t steps with the joint noise eps take to x_t, by halving."""

    def miss(x_0):
        mean, var = walk(betas, t, mean=x_0)
        return mean + math.sqrt(var) * eps - x_t

    return root(miss, -1e4, 1e4)


def which(betas, t, x_t, points):
    """How likely each of some equally likely x_0 is given x_t, by Bayes over them: (points, ...)."""
    keep, noise = walk(betas, t)
    log_p = np.array([bell(x_t, keep * x_0, noise) for x_0 in points])
    p = np.exp(log_p - log_p.max(axis=0))
    return p / p.sum(axis=0)
