"""L_0 of pictures with grey levels: not a density, but the mass of each pixel's level."""

import math

import numpy as np

from ..elbo import guess


def log_cdf_difference(low, high):
    """log(Phi(high) - Phi(low)) = log phi(c) + log int_low^high exp((c^2 - x^2) / 2) dx, low < high.
    c, the point of [low, high] closest to 0, keeps it from underflow; Gauss-Legendre on either side of c."""
    c = np.clip(0.0, low, high)
    reach = np.sqrt(c**2 + 80) - np.abs(c)  # beyond it the integrand is below exp(-40)
    left, right = np.maximum(low - c, -reach), np.minimum(high - c, reach)
    integral = 0.0
    for node, weight in zip(*np.polynomial.legendre.leggauss(32)):
        for end in (left, right):
            u = end * (node + 1) / 2
            part = np.abs(end) * weight / 2
            integral = integral + part * np.exp(-u * (u / 2 + c))
    log_mass = np.log(integral) - c**2 / 2 - math.log(2 * math.pi) / 2
    return np.minimum(log_mass, 0.0)  # the sum may round to a mass above 1


def reconstruction_of(levels):
    """Returns the L_0 of data with `levels` grey values, even in -1..1, for elbo.terms.    [DDPM eq. 13]

    It is -log of the mass that N(mu_theta(x_1, 1), beta_1 I) has around x_0's grey level, (B,): each level
    owns half the way to the next, the outermost all beyond.
    """
    half = 1 / (levels - 1)

    def L_0(eps_theta, schedule, x_0, rng):
        _, x_0_hat = guess(eps_theta, schedule, x_0, 1, rng)
        std = math.sqrt(schedule.beta[1])
        low = (x_0 - half - x_0_hat) / std
        high = (x_0 + half - x_0_hat) / std
        # below black there is nothing else, and nothing above white
        low = np.where(x_0 < -1 + half, -np.inf, low)
        high = np.where(x_0 > 1 - half, np.inf, high)
        return -log_cdf_difference(low, high).sum(axis=1)

    return L_0
