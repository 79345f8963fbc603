"""elbo: every expectation by quadrature, so that bound and truth are compared without luck."""

import math
from decimal import Decimal, localcontext
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import COARSE, betas, coarse, log_normal, product_of_alphas, seeds

from minidiff import elbo
from minidiff.exact import Mixture
from minidiff.sample import beta, beta_tilde, gaussian_optimal
from minidiff.schedule import from_betas

S = coarse()
Z, W = np.polynomial.hermite_e.hermegauss(48)
W = W / W.sum()


class Nodes:
    """An rng whose normals are the quadrature's nodes, repeated for each x_0: averages by W are expectations."""

    def standard_normal(self, shape):
        return np.tile(Z, shape[0] // len(Z)).reshape(shape)


def a_mixture(rng):
    """Two one-dimensional Gaussians, neither so narrow nor so far apart that 48 nodes could not see them."""
    p = rng.uniform(0.2, 0.8)
    return Mixture([p, 1 - p], rng.uniform(-1.2, 1.2, (2, 1)), rng.uniform(0.15, 1.0, (2, 1, 1)))


def nodes_of(mixture):
    """x_0 (2 * 48,) and weights that average over the mixture."""
    x = np.concatenate([m[0] + math.sqrt(c[0, 0]) * Z for m, c in zip(mixture.mean, mixture.cov)])
    return x, np.concatenate([w * W for w in mixture.weight])


def expected_terms(eps_theta, schedule, x, var=beta_tilde):
    """E of each term given each x_0: (T + 1, len(x))."""
    L = elbo.terms(eps_theta, schedule, np.repeat(x, len(Z))[:, None], Nodes(), var)
    return L.reshape(len(L), len(x), len(Z)) @ W


def log_q(mixture, x):
    return np.log(
        sum(
            w * np.exp(log_normal(x, m[0], c[0, 0]))
            for w, m, c in zip(mixture.weight, mixture.mean, mixture.cov)
        )
    )


@settings(max_examples=12)
@given(betas, seeds, st.sampled_from([beta_tilde, beta]), st.floats(0, 1.5))
def test_the_bound_is_below_the_truth(b, seed, var, share):
    """E ELBO <= E log q(x_0) for random schedules, mixtures and denoisers: the exact one, weakened and exaggerated ones."""
    s, mixture = from_betas(b), a_mixture(np.random.default_rng(seed))
    x, w = nodes_of(mixture)
    exact = mixture.eps_theta(s)
    L = expected_terms(lambda x, t: share * exact(x, t), s, x, var)
    # all expectations are quadratures of smooth functions by 48 nodes
    assert -w @ L.sum(axis=0) <= w @ log_q(mixture, x) + 1e-6
    assert np.all(L[1:] >= -1e-12)  # Kullback-Leibler divergences; only L_0 is of a density
    best = -w @ expected_terms(exact, s, x, var).sum(axis=0)
    assert best >= -w @ L.sum(axis=0) - 1e-9  # nobody has a higher bound than the perfect denoiser


def gaussian_reverse(b, t, v):
    """Var(x_{t-1} | x_t) for data of variance v, from the joint Gaussian."""
    var_s, var_t = (product_of_alphas(b, k) * v + 1 - product_of_alphas(b, k) for k in (t - 1, t))
    return var_s - (1 - b[t - 1]) * var_s**2 / var_t


@pytest.mark.parametrize(("name", "var"), [("beta-tilde", beta_tilde), ("beta", beta)])
def test_the_gap_of_gaussian_data_is_known_step_by_step(name, var):
    """Truth - bound = KL(q(x_T) || N(0, 1)) + sum_t KL of two Gaussians with one mean, all in closed form."""
    m, v, T = 0.8, 0.36, len(COARSE)
    mixture = Mixture([1.0], [[m]], [[[v]]])
    x, w = m + math.sqrt(v) * Z, W
    ab, gaps = product_of_alphas(COARSE, T), []
    for t in range(1, T + 1):
        a, b_t = product_of_alphas(COARSE, t), COARSE[t - 1]
        tilde = b_t * (1 - product_of_alphas(COARSE, t - 1)) / (1 - a)
        ratio = gaussian_reverse(COARSE, t, v) / (b_t if t == 1 or name == "beta" else tilde)
        gaps.append(0.5 * (ratio - 1 - math.log(ratio)))
    end = ab * v + 1 - ab
    gaps.append(0.5 * (end + ab * m**2 - 1 - math.log(end)))
    bound = -w @ expected_terms(mixture.eps_theta(S), S, x, var).sum(axis=0)
    assert abs(w @ log_normal(x, m, v) - bound - sum(gaps)) < 1e-10
    got = elbo.gap(mixture, mixture.eps_theta(S), S, 100_000, np.random.default_rng(0), var)
    for row, want in zip(got, gaps):  # near-normal averages of 1e5 draws: false alarm 1e-12
        error = 7.2 * row.std() / math.sqrt(len(row))
        assert np.all(row >= 0) and abs(row.mean() - want) < error < 0.1 * want + 2e-4


def test_the_gaussian_optimal_variance_leaves_no_gap():
    """For Gaussian data the true reverse step is a Gaussian: with its variance every draw's gap is 0, but for L_0's beta_1."""
    mixture = Mixture([1.0], [[0.8, -0.3]], [0.36 * np.eye(2)])
    got = elbo.gap(mixture, mixture.eps_theta(S), S, 500, np.random.default_rng(1), gaussian_optimal(0.36))
    assert np.abs(got[1:-1]).max() < 1e-12 and got[0].mean() > 1e-4 and got[-1].mean() > 1e-3


def test_bound_and_gaps_add_up_to_the_truth():
    """On a mixture, where no gap has a closed form: E log q(x_0) = E ELBO (quadrature) + the gaps (their own draws)."""
    mixture = Mixture([0.4, 0.6], [[-0.9], [0.7]], [[[0.2]], [[0.3]]])
    x, w = nodes_of(mixture)
    want = w @ log_q(mixture, x) + w @ expected_terms(mixture.eps_theta(S), S, x).sum(axis=0)
    rows = elbo.gap(mixture, mixture.eps_theta(S), S, 100_000, np.random.default_rng(2)).sum(
        axis=0
    )  # drawn from one x_0: paired
    bound = 7.2 * rows.std() / math.sqrt(len(rows))
    assert abs(rows.mean() - want) < bound < 0.1 * want


def test_terms_have_the_closed_forms_of_one_point():
    """A denoiser that always answers c: x_0_hat is known, and every term by hand."""
    d, eps_hat = 2, 0.4
    x_0, eps = np.array([[0.3, -0.8]]), np.array([[0.5, -1.1]])

    class One:
        def standard_normal(self, shape):
            return eps

    L = elbo.terms(lambda x, t: np.full_like(x, eps_hat), S, x_0, One())[:, 0]
    for t in range(2, 7):
        a, ab, before = 1 - COARSE[t - 1], product_of_alphas(COARSE, t), product_of_alphas(COARSE, t - 1)
        tilde = COARSE[t - 1] * (1 - before) / (1 - ab)
        # the two means differ by (1 - alpha_t) / (sqrt(alpha_t) sqrt(1 - ab_t)) of eps's error
        apart = (1 - a) / math.sqrt(a * (1 - ab)) * (eps - eps_hat)
        assert abs(L[t - 1] - np.sum(apart**2) / (2 * tilde)) < 1e-12
    ab = product_of_alphas(COARSE, 6)
    assert abs(L[6] - 0.5 * (ab * np.sum(x_0**2) + d * (1 - ab - 1 - math.log(1 - ab)))) < 1e-12
    x_1 = math.sqrt(0.95) * x_0 + math.sqrt(0.05) * eps
    x_0_hat = (x_1 - math.sqrt(0.05) * eps_hat) / math.sqrt(0.95)
    assert abs(L[0] + log_normal(x_0, x_0_hat, 0.05).sum()) < 1e-12


def test_terms_at_some_times_only():
    told = []
    eps_theta, x_0 = Mixture([1.0], [[0.0]], [[[1.0]]]).eps_theta(S), np.zeros((3, 1))
    L = elbo.terms(eps_theta, S, x_0, np.random.default_rng(0), times=[2, 5], progress=told.append)
    assert np.isfinite(L[[0, 1, 4, 6]]).all() and np.isnan(L[[2, 3, 5]]).all() and told == [1, 1]
    G = elbo.gap(Mixture([1.0], [[0.0]], [[[1.0]]]), eps_theta, S, 4, np.random.default_rng(0), times=[1, 4])
    assert np.isfinite(G[[0, 3, 6]]).all() and np.isnan(G[[1, 2, 4, 5]]).all()


class Zeros:
    def standard_normal(self, shape):
        return np.zeros(shape)


@given(st.integers(2, 40), st.floats(-1.5, 1.5), st.floats(1e-4, 0.5))
def test_the_masses_of_all_grey_levels_sum_to_1(levels, centre, beta_1):
    """x_0_hat = centre whatever x_1: the levels share the whole of N(centre, beta_1), each -log mass >= 0."""
    s, greys = from_betas([beta_1, 0.3]), np.linspace(-1, 1, levels)[:, None]

    def eps_theta(x, t):
        return (x - math.sqrt(1 - beta_1) * centre) / math.sqrt(beta_1)

    L_0 = elbo.reconstruction_of_greys(eps_theta, s, greys, levels, Zeros())
    # x_0_hat is centre to 1e-16 / sqrt(ab); levels beyond 37 std count 1e-300
    assert np.all(L_0 >= 0) and abs(np.exp(-L_0).sum() - 1) < 1e-9
    q, half = NormalDist(centre, math.sqrt(beta_1)), 1 / (levels - 1)
    for i in range(1, levels - 1):
        mass = q.cdf(greys[i, 0] + half) - q.cdf(greys[i, 0] - half)
        assert abs(math.exp(-L_0[i]) - mass) < 1e-9
    L = elbo.terms(eps_theta, s, greys, Zeros(), levels=levels)
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
    [(30, 30 + 1e-9), (-30 - 1e-9, -30), (38, 38.001), (40, 45), (37.4, 37.6), (50, 50 + 1e-12), (45, 46), (-46, -45),
     (-1e-9, 1e-9), (-1, 2), (1, 1.5), (-9, 8), (-20, -19), (-20, 3), (0.5, 40), (0, 7), (5, 5.001)],
)  # fmt: skip
def test_the_logarithm_of_a_mass_however_far_and_narrow(low, high):
    """Against 1,000 digits. A sum of 64 terms, each of some 40 roundings: 104 x 1.1e-16 = 1.2e-14, and one of the logarithm."""
    want = decimal_log_mass(low, high)
    got = elbo._log_cdf_difference(np.array([low], float), np.array([high], float))[0]
    assert abs(got - want) < 1.2e-14 + 2.3e-16 * abs(want)


def test_the_logarithm_of_a_mass_without_an_end():
    low, high = np.array([-np.inf, 3.0, -np.inf, -np.inf]), np.array([-3.0, np.inf, np.inf, 1.0])
    want = [math.log(NormalDist().cdf(x)) for x in (-3, -3, np.inf, 1)]
    got = elbo._log_cdf_difference(low, high)
    assert np.abs(got - want).max() < 2e-14 and np.all(got <= 0)


def test_far_from_a_grey_level_the_logarithm_stays_finite():
    """Beyond 37 standard deviations the mass is 0 in float64, its logarithm is not: -y^2 / 2 - log(y sqrt(2 pi))."""
    s, levels, found = from_betas([1e-4, 0.3]), 256, []
    greys = np.linspace(-1, 1, levels)[:, None]
    L_0 = elbo.reconstruction_of_greys(
        lambda x, t: (x - math.sqrt(1 - 1e-4) * 1.0) / 0.01, s, greys, levels, Zeros()
    )
    assert np.isfinite(L_0).all() and np.all(np.diff(L_0) < 0)
    for i in (0, 100, 200):
        y = (1 - greys[i, 0] - 1 / 255) / 0.01
        found.append(L_0[i] / (y**2 / 2 + math.log(y * math.sqrt(2 * math.pi))))
    assert np.abs(np.array(found) - 1).max() < 1e-3  # Phi's asymptote is off by a share 1 / y^2 of Phi


def test_each_coordinate_and_each_row_counts_for_itself():
    greys = np.linspace(-1, 1, 4)[np.array([[0, 3], [2, 1]])]
    eps_theta = Mixture([1.0], [[0.0, 0.0]], [np.eye(2)]).eps_theta(S)
    L_0 = elbo.reconstruction_of_greys(eps_theta, S, greys, 4, Zeros())
    one = Mixture([1.0], [[0.0]], [[[1.0]]]).eps_theta(S)
    apart = elbo.reconstruction_of_greys(one, S, greys.reshape(-1, 1), 4, Zeros()).reshape(2, 2)
    assert np.abs(L_0 - apart.sum(axis=1)).max() < 1e-12
