"""How a number is measured without its formula: definitions, grids, quadrature, simulated chains, finite differences.

Nothing here knows the sheet. All is deterministic and good to 1e-9 or better; n is the number of points of a grid.
"""

import math

import numpy as np


def log_bell(x, mean, var):
    """log N(x; mean, var) without its constant: grids are normalised by their sum."""
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
    """Points and weights: sum(weights * f(points)) is E f(x) for x ~ N(mean, std^2)."""
    x = np.linspace(mean - 12 * std, mean + 12 * std, n)
    p = np.exp(log_bell(x, mean, std**2))
    return x, p / p.sum()


def log_density(x, mean, std):
    """log p(x) of a Gaussian from its characteristic function exp(iu mean - u^2 std^2 / 2), inverted by quadrature."""
    u = np.linspace(0, 12 / std, 20_001)
    wave = np.cos(u * (mean - x)) * np.exp(-((u * std) ** 2) / 2)
    return math.log(np.trapezoid(wave, u) / math.pi)


def forward_moments(betas, t, s=0, mean=1.0, var=0.0):
    """Mean and variance of x_t, step by step from x_s with that mean and variance.

    Step i multiplies the variance by 1 - beta_i and adds beta_i: exact, without any product of alphas.
    """
    for beta in betas[s + 1 : t + 1]:
        mean, var = mean * math.sqrt(1 - beta), var * (1 - beta) + beta
    return mean, var


def posterior(betas, t, s, x_0, x_t):
    """Mean and variance of q(x_s | x_t, x_0), by Bayes on a grid of x_s: q(x_s | x_0) q(x_t | x_s), normalised."""
    prior_mean, prior_var = forward_moments(betas, s, mean=x_0)
    if not prior_var:
        return x_0, 0.0  # s = 0: x_0 is known
    keep, noise = forward_moments(betas, t, s)
    log_density = lambda x: log_bell(x, prior_mean, prior_var) + log_bell(x_t, keep * x, noise)  # noqa: E731
    wide = 12 * math.sqrt(prior_var) + 12 * abs(x_t - keep * prior_mean)
    return refined_moments(log_density, prior_mean, wide)


def difference(f, x, h=1e-3):
    """df/dx by central differences of two step lengths, combined so that the error is of order h^4."""
    slope = lambda h: (f(x + h) - f(x - h)) / (2 * h)  # noqa: E731
    return (4 * slope(h / 2) - slope(h)) / 3


def root(f, low, high):
    """Where an increasing f is 0, by bisection."""
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if f(middle) < 0 else (low, middle)
    return (low + high) / 2


def refined_moments(log_density, center, width):
    """Mean and variance of an unnormalised density that may be narrow: each round narrows the grid around the mass."""
    for _ in range(4):
        center, var = grid_moments(log_density, center, width)
        width = max(12 * math.sqrt(var), width / 500)
    return float(center), float(var)


def x_0_from_eps(betas, t, x_t, eps):
    """The x_0 for which x_t is its mean plus eps standard deviations, by bisection."""

    def miss(x_0):
        mean, var = forward_moments(betas, t, mean=x_0)
        return mean + math.sqrt(var) * eps - x_t

    return root(miss, -1e4, 1e4)


def probabilities(betas, t, x_t, points):
    """p(x_0 | x_t) for each of some equally likely x_0, by Bayes: (points, ...)."""
    keep, noise = forward_moments(betas, t)
    log_p = np.array([log_bell(x_t, keep * x_0, noise) for x_0 in points])
    p = np.exp(log_p - log_p.max(axis=0))
    return p / p.sum(axis=0)
