"""elbo: every expectation by quadrature, so that bound and truth are compared without luck."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import COARSE, betas, coarse, log_normal, product_of_alphas, seeds

from minidiff import elbo, gaussian
from minidiff.exact import Mixture
from minidiff.sampling import beta_of_step, beta_tilde, gaussian_optimal
from minidiff.schedule import from_betas, linear

S = coarse()
Z, W = np.polynomial.hermite_e.hermegauss(48)
W = W / W.sum()


class Nodes:
    """An rng whose normals are the quadrature's nodes, repeated for each x_0: means by W are expectations."""

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
    parts = zip(mixture.weight, mixture.mean, mixture.cov)
    return np.log(sum(w * np.exp(log_normal(x, m[0], c[0, 0])) for w, m, c in parts))


@settings(max_examples=12)
@given(betas, seeds, st.sampled_from([beta_tilde, beta_of_step]), st.floats(0, 1.5))
def test_the_bound_is_below_the_truth(b, seed, var, share):
    """E ELBO <= E log q(x_0) for random schedules, mixtures and denoisers: exact, weakened, exaggerated."""
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


@pytest.mark.parametrize(("name", "var"), [("beta-tilde", beta_tilde), ("beta", beta_of_step)])
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


def test_the_gaussian_optimal_variance_costs_no_more_than_its_steps():
    """For Gaussian data the true reverse step is a Gaussian.

    With its variance the bound is only L_T's and L_0's gaps below the truth.
    """
    m, v, T = 0.8, 0.36, len(COARSE)
    mixture, x = Mixture([1.0], [[m]], [[[v]]]), m + math.sqrt(v) * Z
    L = expected_terms(mixture.eps_theta(S), S, x, gaussian_optimal(v))
    end = product_of_alphas(COARSE, T) * v + 1 - product_of_alphas(COARSE, T)
    last = 0.5 * (end + product_of_alphas(COARSE, T) * m**2 - 1 - math.log(end))
    ratio = gaussian_reverse(COARSE, 1, v) / COARSE[0]
    first = 0.5 * (ratio - 1 - math.log(ratio))
    assert abs(W @ log_normal(x, m, v) + W @ L.sum(axis=0) - first - last) < 1e-10 and first > 1e-4


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
    eps_theta, x_0 = Mixture([1.0], [[0.0]], [[[1.0]]]).eps_theta(S), np.zeros((3, 1))
    L = elbo.terms(eps_theta, S, x_0, np.random.default_rng(0), times=[2, 5])
    assert np.isfinite(L[[0, 1, 4, 6]]).all() and np.isnan(L[[2, 3, 5]]).all()


def test_another_variance_and_another_L_0_are_those_that_are_counted():
    x_0, eps_theta = np.array([[0.3, -0.8], [1.0, 0.2]]), lambda x, t: 0.5 * x
    asked, told = [], []

    def var(schedule, t, s):
        asked.append((schedule, t, s))
        return 0.7

    def L_0(*args):
        told.append(args)
        return np.array([5.0, 6.0])

    rng = np.random.default_rng(0)
    L = elbo.terms(eps_theta, S, x_0, rng, var, L_0)
    assert asked == [(S, t, t - 1) for t in range(2, 7)] and L[0].tolist() == [5.0, 6.0]
    ((network, schedule, rows, last),) = told
    assert network is eps_theta and schedule is S and np.array_equal(rows, x_0) and last is rng
    twice = elbo.terms(eps_theta, S, x_0, np.random.default_rng(0), lambda *a: 1.4, L_0)
    # KL of N(., tilde) and N(., var): the variance's share is known, the means' is 1 / var
    for t in range(2, 7):
        tilde = gaussian.posterior_weights(S, t, t - 1)[2]
        of_means = [
            2 * v * (row - 2 * gaussian.kl(0.0, tilde, 0.0, v))
            for v, row in ((0.7, L[t - 1]), (1.4, twice[t - 1]))
        ]
        assert np.abs(of_means[0] - of_means[1]).max() < 1e-12 and of_means[0].min() > 0


def test_data_of_float32_are_counted_in_float64():
    """L_1 has variances of 1e-5 and less on a fine schedule: float32 would count digits it does not have."""
    s, x_0 = linear(1000), np.array([[0.3, -0.8]], np.float32)
    L = elbo.terms(lambda x, t: 0.5 * x, s, x_0, np.random.default_rng(0), times=[2])
    same = elbo.terms(lambda x, t: 0.5 * x, s, x_0.astype(float), np.random.default_rng(0), times=[2])
    assert L.dtype == np.float64 and np.array_equal(L, same, equal_nan=True)


@given(betas, st.floats(0.1, 3))
def test_prior_kl_is_the_average_kl_of_two_point_data(b, std):
    """x_0 = +-std has E x_0^2 = std^2, and E KL(q(x_T | x_0) || N(0, 1)) is an average of two kl."""
    ab = product_of_alphas(b, len(b))
    average = np.mean([gaussian.kl(sign * std * math.sqrt(ab), 1 - ab, 0.0, 1.0) for sign in (1, -1)])
    assert abs(elbo.prior_kl(from_betas(b), std**2) - average) < 1e-12


@pytest.mark.parametrize(("T", "nats", "digit"), [(50, 0.462, 5e-4), (300, 0.025, 5e-4), (400, 0.0088, 5e-5)])
def test_prior_kl_of_short_linear_schedules(T, nats, digit):
    assert abs(elbo.prior_kl(linear(T), 1.0) - nats) < digit
