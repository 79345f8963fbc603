import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import DTYPES, betas, coarse, normal_pdf, product_of_alphas, seeds

from minidiff.continuous.flow import Straight
from minidiff.continuous.process import VP
from minidiff.ddpm import sample
from minidiff.exact import DataDenoiser, Mixture, eight_gaussians, five_gaussians
from minidiff.philox import RowNoise
from minidiff.sampling import ddim_step, ddpm_step
from minidiff.schedule import from_betas, linear

S = coarse()


def a_mixture(d=2):
    weight = np.array([0.5, 0.2, 0.3])
    mean = np.array([[1.0, -0.5, 0.2], [-1.2, 0.8, 0.0], [0.3, 1.5, -1.0]])[:, :d]
    L = np.random.default_rng(0).standard_normal((3, d, d)) * 0.4
    return Mixture(weight, mean, L @ L.mT + 0.02 * np.eye(d))


def density(m, ab, x):
    """q(x_t) written with determinants and inverses: no eigenvectors, no logarithms."""
    total = 0
    for w, mu, cov in zip(m.weight, m.mean, m.cov):
        C = ab * cov + (1 - ab) * np.eye(len(mu))
        y = x - math.sqrt(ab) * mu
        total += (
            w
            * np.exp(-0.5 * np.sum(y @ np.linalg.inv(C) * y, axis=-1))
            / np.sqrt(np.linalg.det(2 * np.pi * C))
        )
    return total


@given(betas, seeds, st.integers(1, 3), st.data())
def test_density_and_score(b, seed, d, data):
    t, m, s = data.draw(st.integers(1, len(b))), a_mixture(d), from_betas(b)
    x, ab, h = np.random.default_rng(seed).standard_normal((5, d)), product_of_alphas(b, t), 1e-5
    assert np.abs(m.log_prob(s, x, t) - np.log(density(m, ab, x))).max() < 1e-9
    score = m.score(s, x, t)
    for j, e in enumerate(np.eye(d) * h):
        slope = (np.log(density(m, ab, x + e)) - np.log(density(m, ab, x - e))) / (2 * h)
        # h^2 f''' / 6, f''' < 1e4 here
        assert np.abs(slope - score[:, j]).max() < 1e-5 * (1 + np.abs(score).max())
    assert np.abs(m.eps(s, x, t) + math.sqrt(1 - ab) * score).max() < 1e-12


def test_eps_star_is_the_posterior_mean_of_the_noise():
    """E[eps | x_t] by quadrature over x_0, in one dimension: eps = (x_t - sqrt(ab) x_0) / sqrt(1 - ab)."""
    m, t = a_mixture(1), 3
    ab, x_0 = product_of_alphas([0.05, 0.1, 0.2], 3), np.linspace(-8, 8, 40_001)
    for x_t in (-1.3, 0.1, 2.0):
        p = density(m, 1.0, x_0[:, None]) * normal_pdf(x_t, math.sqrt(ab) * x_0, 1 - ab)
        eps = (x_t - math.sqrt(ab) * x_0) / math.sqrt(1 - ab)
        assert abs(m.eps(S, np.array([[x_t]]), t)[0, 0] - (p * eps).sum() / p.sum()) < 1e-9


def test_x_0_hat_is_the_posterior_mean_of_the_data():
    """E[x_0 | x_t] by quadrature in one dimension; in two, what is left when eps* is taken out of x_t."""
    m, ab, x_0 = a_mixture(1), product_of_alphas([0.05, 0.1, 0.2], 3), np.linspace(-8, 8, 40_001)
    for x_t in (-1.3, 0.1, 2.0):
        p = density(m, 1.0, x_0[:, None]) * normal_pdf(x_t, math.sqrt(ab) * x_0, 1 - ab)
        assert abs(m.x_0_hat(S, np.array([[x_t]]), 3)[0, 0] - (p * x_0).sum() / p.sum()) < 1e-9
    m, x, t = a_mixture(), np.random.default_rng(1).standard_normal((4, 2)), np.array([1, 2, 4, 6])
    ab = S.alpha_bar[t][:, None]
    assert np.abs(np.sqrt(ab) * m.x_0_hat(S, x, t) + np.sqrt(1 - ab) * m.eps(S, x, t) - x).max() < 1e-12
    assert np.abs(m.x_0_hat(Straight(), x, 1000.0) - m.weight @ m.mean).max() < 1e-14  # no signal: the mean


@given(betas, seeds, st.data())
def test_the_data_denoiser_is_a_mixture_of_points(b, seed, draw):
    """Gaussians of no width on each row: the same eps*, by another formula.

    Narrow ones come as near as they are narrow.
    """
    s, rng, t = from_betas(b), np.random.default_rng(seed), draw.draw(st.integers(1, len(b)))
    rows, x_t = rng.standard_normal((6, 2)), rng.standard_normal((5, 2))
    got = DataDenoiser(rows, s)(x_t, t)
    exact, narrow, narrower = (
        Mixture(np.full(6, 1 / 6), rows, np.tile(v * np.eye(2), (6, 1, 1))).eps(s, x_t, t)
        for v in (0, 1e-5, 1e-6)
    )
    # 1 / (1 - ab_t)^2 <= 1e6 in the softmax enlarges roundings
    assert np.abs(got - exact).max() < 1e-9
    assert np.abs(got - narrower).max() <= 0.2 * np.abs(got - narrow).max() + 1e-9
    times = rng.integers(1, len(b) + 1, size=5)
    alone = [DataDenoiser(rows, s)(x_t[i : i + 1], int(k)) for i, k in enumerate(times)]
    assert np.abs(DataDenoiser(rows, s)(x_t, times) - np.concatenate(alone)).max() < 1e-12


def test_a_perfect_learner_draws_its_training_set():
    """Every sample ends on a row, and every row comes out; beta_1 = 1e-4 leaves no doubt which row it is."""
    s, rng = linear(200, 1e-4, 0.1), RowNoise(3)
    rows = np.array([[0.0, 0.0], [1.0, 0.5], [-1.2, 0.8], [0.3, -1.5]])
    for step in (ddpm_step(), ddim_step()):
        x_T = rng.standard_normal((64, 2))
        *_, x_0 = sample(step, DataDenoiser(rows, s), s, x_T, range(200, -1, -1), rng)
        apart = np.linalg.norm(x_0[:, None] - rows, axis=-1)
        assert apart.min(axis=1).max() < 1e-6 and set(apart.argmin(axis=1)) == {0, 1, 2, 3}


def test_two_points_have_the_tanh_denoiser():
    """x_0 = +-1: E[x_0 | x_t] = tanh(sqrt(ab) x_t / (1 - ab))."""
    m, x = Mixture([0.5, 0.5], [[1.0], [-1.0]], np.zeros((2, 1, 1))), np.linspace(-2, 2, 9)[:, None]
    ab = S.alpha_bar[4]
    x_0_hat = (x - math.sqrt(1 - ab) * m.eps(S, x, 4)) / math.sqrt(ab)
    assert np.abs(x_0_hat - np.tanh(math.sqrt(ab) * x / (1 - ab))).max() < 1e-12


def test_far_away_nothing_overflows():
    x = np.array([[1e3, -1e3], [300.0, 0.0]])
    assert np.isfinite(a_mixture().score(S, x, 2)).all() and np.isfinite(a_mixture().log_prob(S, x, 2)).all()


def test_a_time_for_each_row():
    m, x, t = a_mixture(), np.random.default_rng(0).standard_normal((4, 2)), np.array([1, 2, 4, 6])
    together = m.score(S, x, t), m.log_prob(S, x, t)
    for i in range(4):
        assert np.allclose(together[0][i], m.score(S, x[i : i + 1], int(t[i]))[0], rtol=1e-12)
        assert np.allclose(together[1][i], m.log_prob(S, x[i : i + 1], int(t[i]))[0], rtol=1e-12)
    assert m.eps(VP(), x, 0.3).shape == (4, 2)


def test_moments_and_samples():
    """Against moments by integration on a grid; samples within z(1e-12) standard errors of them, n = 1e5."""
    m, ab = a_mixture(), S.alpha_bar[3]
    axis = np.linspace(-7, 7, 701)
    x = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
    p = density(m, ab, x) * (axis[1] - axis[0]) ** 2
    mean = p @ x
    cov = (p[:, None] * (x - mean)).T @ (x - mean)
    got = m.moments(S, 3)
    assert np.abs(got[0] - mean).max() < 1e-9 and np.abs(got[1] - cov).max() < 1e-9
    n, (mean, cov) = 100_000, m.moments(S, 0)
    x = m.sample(n, np.random.default_rng(0))
    z = 7.2  # two-sided, false alarms below 1e-12 for the near-normal averages of 1e5 draws
    assert np.all(np.abs(x.mean(axis=0) - mean) < z * np.sqrt(np.diag(cov) / n))
    products = (x - mean)[:, :, None] * (x - mean)[:, None]
    assert np.all(np.abs(products.mean(axis=0) - cov) < z * products.std(axis=0) / math.sqrt(n))


def test_components_share_the_density():
    """log q(x_t), who made x_t (Bayes, with determinants and inverses), and the covariances' eigenvalues."""
    m, x, t = a_mixture(), np.random.default_rng(1).standard_normal((4, 2)), np.array([1, 2, 4, 6])
    log_q, r, y, lam = m.components(S, x, t)
    for i, ab in enumerate(S.alpha_bar[t]):
        one = [density(Mixture([1.0], m.mean[[k]], m.cov[[k]]), ab, x[i : i + 1])[0] for k in range(3)]
        assert np.abs(r[i] - m.weight * one / (m.weight @ one)).max() < 1e-12
        assert abs(log_q[i] - math.log(m.weight @ one)) < 1e-12
        for k in range(3):
            cov = ab * m.cov[k] + (1 - ab) * np.eye(2)
            assert np.allclose(lam[i, k], np.linalg.eigvalsh(cov), rtol=1e-12)
            apart = x[i] - math.sqrt(ab) * m.mean[k]
            assert np.allclose(m.axes[k] @ y[i, k], apart, atol=1e-12)


@pytest.mark.parametrize(("mixture", "K"), [(five_gaussians(), 5), (eight_gaussians(), 8)])
def test_the_named_mixtures_lie_on_their_circle(mixture, K):
    assert mixture.mean.shape == (K, 2) and np.abs(np.hypot(*mixture.mean.T) - 1.4).max() < 1e-15
    apart = np.linalg.norm(mixture.mean - np.roll(mixture.mean, 1, axis=0), axis=1)
    assert np.abs(apart - 2.8 * math.sin(math.pi / K)).max() < 1e-14  # evenly
    assert mixture.var.min() > 0.009 and mixture.var.max() < 0.1
    x = mixture.sample(10_000, np.random.default_rng(0))
    mean, cov = mixture.moments(linear(10), 0)
    assert np.abs(x.mean(axis=0) - mean).max() < 7.2 * np.sqrt(np.diag(cov).max() / len(x))
    assert (len(np.unique(mixture.weight)) == 1) == (K == 8)


@pytest.mark.parametrize("dtype", DTYPES)
def test_dtype_follows_the_data(dtype):
    m, x = a_mixture(), np.ones((3, 2), dtype)
    for y in (
        m.log_prob(S, x, 2),
        m.score(S, x, 2),
        m.eps(S, x, 2),
        m.eps_theta(S)(x, 2),
        m.x_0_hat(S, x, 2),
        DataDenoiser(np.ones((4, 2), dtype), S)(x, 2),
        m.sample(3, np.random.default_rng(0), dtype),
    ):
        assert y.dtype == dtype


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (([1.0], [1.0], [[[1.0]]]), r"shapes must be \(K,\), \(K, d\), \(K, d, d\), got \(1,\), \(1,\), "),
        (([0.5, 0.5], [[1.0], [2.0]], [[[1.0]]]), r"shapes must be .* got \(2,\), \(2, 1\), \(1, 1, 1\)"),
        (([0.5, 0.5], [[1.0]], [[[1.0]]]), r"shapes must be .* got \(2,\), \(1, 1\), \(1, 1, 1\)"),
        (([0.5, 0.6], [[1.0], [2.0]], np.ones((2, 1, 1))), "sum to 1"),
        (([1.5, -0.5], [[1.0], [2.0]], np.ones((2, 1, 1))), "positive"),
        (([1.0], [[1.0, 2.0]], [[[1.0, 2.0], [0.0, 1.0]]]), "symmetric"),
        (([1.0], [[1.0]], [[[-1.0]]]), "eigenvalues"),
    ],
)
def test_bad_mixtures_are_named(args, words):
    with pytest.raises(ValueError, match=words):
        Mixture(*args)
