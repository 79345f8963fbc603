"""greys: the masses of all levels sum to 1, and their logarithms are right however small they are."""

import math
from decimal import Decimal, localcontext
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import coarse

from minidiff import elbo
from minidiff.evaluation.greys import log_cdf_difference, reconstruction_of
from minidiff.exact import Mixture
from minidiff.schedule import from_betas

S = coarse()


class Zeros:
    def standard_normal(self, shape):
        return np.zeros(shape)


@given(st.integers(2, 40), st.floats(-1.5, 1.5), st.floats(1e-4, 0.5))
def test_the_masses_of_all_grey_levels_sum_to_1(levels, centre, beta_1):
    """x_0_hat = centre whatever x_1: the levels share the whole of N(centre, beta_1), each -log mass >= 0."""
    s, greys = from_betas([beta_1, 0.3]), np.linspace(-1, 1, levels)[:, None]

    def eps_theta(x, t):
        return (x - math.sqrt(1 - beta_1) * centre) / math.sqrt(beta_1)

    L_0 = reconstruction_of(levels)(eps_theta, s, greys, Zeros())
    # x_0_hat is centre to 1e-16 / sqrt(ab); levels beyond 37 std count 1e-300
    assert np.all(L_0 >= 0) and abs(np.exp(-L_0).sum() - 1) < 1e-9
    q, half = NormalDist(centre, math.sqrt(beta_1)), 1 / (levels - 1)
    for i in range(1, levels - 1):
        mass = q.cdf(greys[i, 0] + half) - q.cdf(greys[i, 0] - half)
        assert abs(math.exp(-L_0[i]) - mass) < 1e-9
    L = elbo.terms(eps_theta, s, greys, Zeros(), L_0=reconstruction_of(levels))
    assert np.array_equal(L[0], L_0)


def decimal_log_mass(low, high):
    """log(Phi(high) - Phi(low)) to 1,000 digits: Phi(x) - 1/2 = phi(x) (x + x^3 / 3 + x^5 / (3 5) + ...)."""

    def phi_series(x):
        term, total, k = x, x, 1
        while abs(term) > total.copy_abs().scaleb(-1000):
            k += 2
            term *= x * x / k
            total += term
        return total * (-x * x / 2).exp()

    with localcontext(prec=1000):
        mass = (phi_series(Decimal(high)) - phi_series(Decimal(low))).ln()
    return float(mass) - math.log(2 * math.pi) / 2


@pytest.mark.parametrize(
    ("low", "high"),
    [(30, 30 + 1e-9), (-30 - 1e-9, -30), (38, 38.001), (40, 45), (37.4, 37.6), (50, 50 + 1e-12), (45, 46),
     (-46, -45), (-1e-9, 1e-9), (-1, 2), (1, 1.5), (-9, 8),
     (-20, -19), (-20, 3), (0.5, 40), (0, 7), (5, 5.001)],
)  # fmt: skip
def test_the_logarithm_of_a_mass_however_far_and_narrow(low, high):
    """Against 1,000 digits.

    A sum of 64 terms, each of some 40 roundings: 104 x 1.1e-16 = 1.2e-14, and one of the logarithm.
    """
    want = decimal_log_mass(low, high)
    got = log_cdf_difference(np.array([low], float), np.array([high], float))[0]
    assert abs(got - want) < 1.2e-14 + 2.3e-16 * abs(want)


def test_the_logarithm_of_a_mass_without_an_end():
    low, high = np.array([-np.inf, 3.0, -np.inf, -np.inf]), np.array([-3.0, np.inf, np.inf, 1.0])
    want = [math.log(NormalDist().cdf(x)) for x in (-3, -3, np.inf, 1)]
    got = log_cdf_difference(low, high)
    assert np.abs(got - want).max() < 2e-14 and np.all(got <= 0)


def test_far_from_a_grey_level_the_logarithm_stays_finite():
    """Beyond 37 standard deviations the mass is 0 in float64, its logarithm is not.

    It is -y^2 / 2 - log(y sqrt(2 pi)).
    """
    s, levels, found = from_betas([1e-4, 0.3]), 256, []
    greys = np.linspace(-1, 1, levels)[:, None]
    L_0 = reconstruction_of(levels)(lambda x, t: (x - math.sqrt(1 - 1e-4) * 1.0) / 0.01, s, greys, Zeros())
    assert np.isfinite(L_0).all() and np.all(np.diff(L_0) < 0)
    for i in (0, 100, 200):
        y = (1 - greys[i, 0] - 1 / 255) / 0.01
        found.append(L_0[i] / (y**2 / 2 + math.log(y * math.sqrt(2 * math.pi))))
    assert np.abs(np.array(found) - 1).max() < 1e-3  # Phi's asymptote is off by a share 1 / y^2 of Phi


def test_each_coordinate_and_each_row_counts_for_itself():
    greys = np.linspace(-1, 1, 4)[np.array([[0, 3], [2, 1]])]
    eps_theta = Mixture([1.0], [[0.0, 0.0]], [np.eye(2)]).eps_theta(S)
    L_0 = reconstruction_of(4)(eps_theta, S, greys, Zeros())
    one = Mixture([1.0], [[0.0]], [[[1.0]]]).eps_theta(S)
    apart = reconstruction_of(4)(one, S, greys.reshape(-1, 1), Zeros()).reshape(2, 2)
    assert np.abs(L_0 - apart.sum(axis=1)).max() < 1e-12
