"""metrics: distances by their definitions, where they have a closed form, and what tells good from bad."""

import math
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import DTYPES, seeds

from minidiff.evaluation import metrics


@pytest.mark.parametrize("dtype", DTYPES)
def test_distances_are_pythagoras_and_take_no_cube_of_memory(dtype):
    """3, 4, 5; and of n m pairs in d dimensions the n m d differences are never there at once."""
    assert metrics.distances(
        np.array([[0, 0], [3, 0]], dtype), np.array([[0, 4], [3, 0]], dtype)
    ).tolist() == [[4, 3], [5, 0]]
    tracemalloc.start()
    D = metrics.distances(np.zeros((300, 100), dtype), np.ones((200, 100), dtype))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert D.shape == (300, 200) and D.dtype == dtype and np.all(D == 10)
    # at most five arrays of 300 x 200 in float64, and twice the points; all differences would be 100 of them
    assert most < 5 * 300 * 200 * 8 + 2 * 500 * 100 * 8


def test_distances_far_from_the_origin_keep_their_digits():
    """Points 1 apart, 10^4 away: |x|^2 + |y|^2 - 2 x.y as it stands would be off by some 10^8 eps = 2e-8."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((20, 3)), rng.standard_normal((30, 3))
    want = np.sqrt(np.sum((x[:, None] - y) ** 2, axis=2))
    # adding 10^4 rounds each coordinate to 10^4 eps = 2e-12: all that may be lost, some ten times over
    assert np.abs(metrics.distances(x + 1e4, y + 1e4) - want).max() < 3e-11


def test_near_points_among_far_ones_keep_their_distance():
    """A thousandth, beside a million: of |x|^2 about the mean, 10^11, it is less than a rounding."""
    x = np.array([[0.0], [1e-3], [1e6]])
    D = metrics.distances(x, x)
    assert D[0, 1] == pytest.approx(1e-3, rel=1e-6) and np.all(np.diag(D) == 0)


def test_energy_distance_is_its_definition():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((7, 3)), rng.standard_normal((5, 3)) + 0.5

    def mean_distance(a, b):
        return np.mean([math.dist(u, v) for u in a for v in b])

    want = 2 * mean_distance(x, y) - mean_distance(x, x) - mean_distance(y, y)
    assert abs(metrics.energy_distance(x, y) - want) < 1e-12
    assert metrics.energy_distance(x, x) < 14 * 14 * 2.3e-16  # a sum of 14 x 14 terms that cancel


def test_p_values_are_uniform_when_nothing_differs():
    """200 tests: p <= 0.5 in half of them, within sqrt(200 log(2e12) / 2) = 53 (Hoeffding, delta = 1e-12)."""
    rng, small = np.random.default_rng(0), 0
    for _ in range(200):
        small += (
            metrics.energy_test(rng.standard_normal((12, 2)), rng.standard_normal((12, 2)), 19, rng)[1] <= 0.5
        )
    assert 100 - 53 < small < 100 + 53


def test_energy_test_sees_a_shift():
    rng = np.random.default_rng(0)
    energy, p, _ = metrics.energy_test(
        rng.standard_normal((200, 2)), rng.standard_normal((200, 2)) + 0.7, 199, rng
    )
    assert p == 1 / 200 and energy > 0.1
    identical = np.ones((5, 2))
    assert metrics.energy_test(identical, identical, 19, rng)[:2] == (0.0, 1.0)


def test_sliced_wasserstein_of_a_shift_is_the_shift():
    """Moving all points by c moves each projection by u.c, and E (u.c)^2 = |c|^2 / d.

    4,000 directions: 7.2 standard errors.
    """
    rng = np.random.default_rng(0)
    x, c = rng.standard_normal((50, 3)), np.array([1.0, -2.0, 0.5])
    want = math.sqrt(c @ c / 3)
    # (u.c)^2 / |c|^2 is Beta(1/2, 1): variance 4/45
    error = 7.2 * math.sqrt(4 / 45 / 4000) * (c @ c) / (2 * want)
    assert abs(metrics.sliced_wasserstein(x, rng.permutation(x + c), 4000, rng) - want) < error
    assert metrics.sliced_wasserstein(x, rng.permutation(x), 10, rng) == pytest.approx(0, abs=1e-12)


def test_sliced_wasserstein_in_one_dimension_sorts():
    got = metrics.sliced_wasserstein(
        np.array([[3.0], [0.0]]), np.array([[1.0], [2.0]]), 5, np.random.default_rng(0)
    )
    assert abs(got - 1.0) < 1e-12  # 0 -> 1, 3 -> 2


@pytest.mark.parametrize("dtype", DTYPES)
def test_judge_tells_good_from_bad(dtype):
    """Over 80 seeds log(good / floor) was 0 +- 0.5 (energy) and 0 +- 0.2.

    And log(bad / good) was 2.9 +- 0.45 and 1.4 +- 0.2.

    The bounds lie 5.5 and more deviations away: crossed once in 1e7 seeds. The bad's p is the least of 200.
    """
    rng = np.random.default_rng(0)
    data = rng.standard_normal((900, 2)).astype(dtype)
    good = metrics.judge(rng.standard_normal((400, 2)).astype(dtype), data, rng)
    bad = metrics.judge(0.5 * rng.standard_normal((400, 2)).astype(dtype), data, rng)
    assert good["n"] == 400 and bad["p_value"] == 1 / 200
    assert good["energy_distance"] < 20 * good["energy_floor"]
    assert good["sliced_wasserstein"] < 3 * good["sliced_floor"]
    assert bad["energy_distance"] > good["energy_distance"]
    assert bad["sliced_wasserstein"] > good["sliced_wasserstein"]


def test_judge_uses_as_many_data_as_samples():
    data = np.random.default_rng(0).standard_normal((101, 2))
    assert metrics.judge(data, data, np.random.default_rng(0), 1)["n"] == 50
    with pytest.raises(ValueError, match="at least 2 samples and 4 data"):
        metrics.judge(data[:1], data, np.random.default_rng(0))


def test_shapes_that_do_not_fit_are_named():
    x = np.ones((3, 2))
    for y in (np.ones((3, 3)), np.ones(3), np.ones((0, 2))):
        with pytest.raises(ValueError, match="x and y must be"):
            metrics.energy_distance(x, y)
    with pytest.raises(ValueError, match="one shape"):
        metrics.sliced_wasserstein(x, np.ones((4, 2)), 5, np.random.default_rng(0))


def points(mean, cov, n, rng):
    """n points of exactly this mean and covariance."""
    x = rng.standard_normal((n, len(mean)))
    x = np.linalg.solve(np.linalg.cholesky(np.atleast_2d(np.cov(x, rowvar=False))), (x - x.mean(axis=0)).T).T
    return mean + x @ np.linalg.cholesky(np.asarray(cov)).T


def some_cov(d, rng):
    A = rng.standard_normal((d, d))
    return A @ A.T + 0.1 * np.eye(d)


@given(st.floats(-3, 3), st.floats(-3, 3), st.floats(0.1, 3), st.floats(0.1, 3))
def test_frechet_in_one_dimension(m_1, m_2, s_1, s_2):
    """(m_1 - m_2)^2 + (s_1 - s_2)^2: with differences of 0.5 and 0.7 it is 0.74."""
    rng = np.random.default_rng(0)

    def d(m_1, m_2, s_1, s_2):
        return metrics.frechet(points([m_1], [[s_1**2]], 40, rng), points([m_2], [[s_2**2]], 30, rng))

    assert abs(d(m_1, m_2, s_1, s_2) - (m_1 - m_2) ** 2 - (s_1 - s_2) ** 2) < 1e-11
    assert abs(d(1.0, 0.5, 1.2, 0.5) - 0.74) < 1e-12


@given(seeds, st.integers(1, 5))
def test_frechet_by_another_road(seed, d):
    """tr (S_x^(1/2) S_y S_x^(1/2))^(1/2) is the sum of the square roots of the eigenvalues of S_x S_y itself.

    Symmetric, unchanged by one rotation of both, 0 to itself; the spreads are of size d^2, their eigenvalues
    at least 0.1.
    """
    rng = np.random.default_rng(seed)
    S_x, S_y, m = some_cov(d, rng), some_cov(d, rng), rng.standard_normal(d)
    x, y = points(0 * m, S_x, 20, rng), points(m, S_y, 25, rng)
    want = m @ m + np.trace(S_x + S_y) - 2 * np.sqrt(np.linalg.eigvals(S_x @ S_y).real).sum()
    turn = np.linalg.qr(rng.standard_normal((d, d)))[0]
    assert abs(metrics.frechet(x, y) - want) < 1e-8 and abs(metrics.frechet(y, x) - want) < 1e-8
    assert abs(metrics.frechet(x @ turn, y @ turn) - want) < 1e-8
    assert 0 <= metrics.frechet(x, x) < 1e-8 and metrics.frechet(x, y) >= 0


@given(seeds, st.integers(1, 6), st.floats(1e-7, 1e-3))
def test_frechet_of_nearly_equal_sets_keeps_its_digits(seed, d, share):
    """x and (1 + share) x: m and the roots of S differ by a share: share^2 (|m|^2 + tr S), however small.

    Each root is off by 2e-14 of its size: eigh by 10 d roundings, 60 x 1.1e-16, divided by the spreads'
    ratio, 0.3 or so. Their difference is a share of their size, and the square doubles its relative error.
    """
    x = np.random.default_rng(seed).standard_normal((30, d)) * np.linspace(0.5, 1.5, d)
    want = share**2 * (np.sum(x.mean(axis=0) ** 2) + np.sum(x.var(axis=0, ddof=1)))
    assert math.isclose(metrics.frechet(x, (1 + share) * x), want, rel_tol=2 * (2e-14 + 2e-14) / share)
    assert 0 <= metrics.frechet(x, x) < (2 * 2e-14) ** 2 * 100  # tr S < 100


def test_frechet_tells_the_root_of_the_product_from_the_product_of_roots():
    """For covariances that do not commute tr S_x^(1/2) S_y^(1/2) and roots of single numbers are others.

    Two axes turned by 45 degrees: S_x = diag(4, 1), S_y = [[2, 1], [1, 2]]. S_x S_y = [[8, 4], [1, 2]] has
    the trace 10 and the determinant 12: the sum of the roots of its eigenvalues is sqrt(10 + 2 sqrt(12)).
    """
    rng = np.random.default_rng(0)
    got = metrics.frechet(
        points([0, 0], [[4, 0], [0, 1]], 20, rng), points([1, -2], [[2, 1], [1, 2]], 20, rng)
    )
    assert abs(got - (5 + 5 + 4 - 2 * math.sqrt(10 + 2 * math.sqrt(12)))) < 1e-11
    # both roots by hand: diag(2, 1) and (sqrt(3) + 1) / 2 on the diagonal
    of_roots = 14 - 2 * (3 * (math.sqrt(3) + 1) / 2)
    of_numbers = 14 - 2 * (math.sqrt(8) + math.sqrt(2))
    assert abs(got - of_roots) > 0.01 and abs(got - of_numbers) > 0.01


def test_frechet_of_diagonal_covariances_and_of_few_points():
    rng = np.random.default_rng(0)
    a, b = np.array([1.0, 2.0, 0.5]), np.array([0.3, 2.0, 4.0])
    got = metrics.frechet(
        points(np.zeros(3), np.diag(a**2), 9, rng), points(np.ones(3), np.diag(b**2), 9, rng)
    )
    assert abs(got - 3 - np.sum((a - b) ** 2)) < 1e-11
    few = rng.standard_normal((3, 10))  # a covariance of rank 2: no eigenvalue below 0 may become NaN
    # rows in another order: one covariance to rounding; roots of what should be 0 are 1e-8: squares 1e-16
    assert 0 <= metrics.frechet(few, few[::-1]) < 1e-13
    assert abs(metrics.frechet(few, few[::-1] + 1) - 10) < 1e-12
    for y in (np.ones((4, 2)), np.ones((1, 3)), np.ones(3)):
        with pytest.raises(ValueError, match="with n, m >= 2"):
            metrics.frechet(np.ones((4, 3)), y)


def test_frechets_bias_is_the_one_it_states():
    """Two samples of one N(0, I_5), n = 50 each: at least tr S (1/n + 1/m) = 0.2 on average.

    It is known to 7.2 std / sqrt(400).
    """
    rng = np.random.default_rng(0)
    d = [metrics.frechet(rng.standard_normal((50, 5)), rng.standard_normal((50, 5))) for _ in range(400)]
    assert np.mean(d) - 7.2 * np.std(d) / math.sqrt(400) > 0.2


@given(seeds, st.integers(1, 4))
def test_principal_components_are_uncorrelated_and_the_largest(seed, k):
    rng = np.random.default_rng(seed)
    data = rng.standard_normal((60, 4)) @ rng.standard_normal((4, 4)) + 3
    f = metrics.principal(data, k)
    cov = np.atleast_2d(np.cov(f(data), rowvar=False))
    largest = np.linalg.eigvalsh(np.cov(data, rowvar=False))[::-1][:k]
    assert f(data).shape == (60, k) and np.abs(cov - np.diag(largest)).max() < 1e-9 * max(1, largest[0])
    assert np.abs(f(data).mean(axis=0)).max() < 1e-11
    # its own mean
    assert np.allclose(f(data[:5] + 1) - f(data[:5]), f(np.ones((1, 4))) - f(np.zeros((1, 4))), atol=1e-9)


def test_psnr():
    """A mean squared error of 0.01 is 20 dB where values span 1, 26.02 where they span 2; 0 is infinite."""
    x = np.zeros((3, 2, 2), np.float32)
    y = x + np.array([0.1, 1.0, 0.0]).reshape(3, 1, 1)
    assert np.allclose(metrics.psnr(x, y, span=1.0)[:2], [20, 0], atol=1e-12)
    assert metrics.psnr(x, y)[2] == np.inf
    assert np.allclose(metrics.psnr(x, y)[:2], [20 + 20 * math.log10(2), 20 * math.log10(2)], atol=1e-12)


def ssim_by_loops(x, y, shape, span, window):
    """Luminance, contrast and structure, three factors with C_3 = C_2 / 2, window by window."""
    C_1, C_2 = (0.01 * span) ** 2, (0.03 * span) ** 2
    x, y, found = x.reshape(shape), y.reshape(shape), []
    for i in range(shape[0] - window + 1):
        for j in range(shape[1] - window + 1):
            a, b = x[i : i + window, j : j + window].ravel(), y[i : i + window, j : j + window].ravel()
            s_a, s_b, both = a.std(), b.std(), np.mean((a - a.mean()) * (b - b.mean()))
            light = (2 * a.mean() * b.mean() + C_1) / (a.mean() ** 2 + b.mean() ** 2 + C_1)
            contrast = (2 * s_a * s_b + C_2) / (s_a**2 + s_b**2 + C_2)
            found.append(light * contrast * (both + C_2 / 2) / (s_a * s_b + C_2 / 2))
    return np.mean(found)


@pytest.mark.parametrize(("shape", "span", "window"), [((8, 8), 2.0, 7), ((9, 12), 1.0, 4), ((5, 8), 2.0, 5)])
def test_ssim_is_its_three_factors_window_by_window(shape, span, window):
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (3, math.prod(shape)))
    y = 0.6 * x + 0.3 * rng.standard_normal(x.shape) + 0.1
    got = metrics.ssim(x, y, shape, span, window)
    assert got.shape == (3,)
    assert np.abs(got - [ssim_by_loops(a, b, shape, span, window) for a, b in zip(x, y)]).max() < 1e-12
    assert np.abs(got - metrics.ssim(y, x, shape, span, window)).max() < 1e-15
    assert np.abs(metrics.ssim(x, x, shape, span, window) - 1).max() < 1e-15 and np.all(got < 1)
    if min(shape) < 7:  # a window that is too large becomes the largest that fits
        assert np.array_equal(metrics.ssim(x, y, shape, span, 7), got)


def test_ssims_worked_values():
    """In flat windows the light differs: 2 a b / (a^2 + b^2), 0.8 for 10 and 20, 0.9955 for 100 and 110."""
    flat = np.array([[10.0] * 49, [100.0] * 49]), np.array([[20.0] * 49, [110.0] * 49])
    assert np.allclose(metrics.ssim(*flat, (7, 7), span=1e-3), [0.8, 0.9955], atol=3e-5)
