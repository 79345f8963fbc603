import math

import numpy as np
import pytest
from support import DTYPES

from minidiff import metrics


def test_energy_distance_is_its_definition():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((7, 3)), rng.standard_normal((5, 3)) + 0.5

    def mean_distance(a, b):
        return np.mean([math.dist(u, v) for u in a for v in b])

    want = 2 * mean_distance(x, y) - mean_distance(x, x) - mean_distance(y, y)
    assert abs(metrics.energy_distance(x, y) - want) < 1e-12
    assert metrics.energy_distance(x, x) < 14 * 14 * 2.3e-16  # a sum of 14 x 14 terms that cancel


def test_p_values_are_uniform_when_nothing_differs():
    """200 tests: p <= 0.5 in half of them, within sqrt(200 log(2e12) / 2) = 53 (Hoeffding, false alarms 1e-12)."""
    rng, small = np.random.default_rng(0), 0
    for _ in range(200):
        small += metrics.energy_test(rng.standard_normal((12, 2)), rng.standard_normal((12, 2)), 19, rng)[1] <= 0.5
    assert 100 - 53 < small < 100 + 53


def test_energy_test_sees_a_shift():
    rng = np.random.default_rng(0)
    energy, p = metrics.energy_test(rng.standard_normal((200, 2)), rng.standard_normal((200, 2)) + 0.7, 199, rng)
    assert p == 1 / 200 and energy > 0.1
    identical = np.ones((5, 2))
    assert metrics.energy_test(identical, identical, 19, rng) == (0.0, 1.0)


def test_sliced_wasserstein_of_a_shift_is_the_shift():
    """Moving all points by c moves each projection by u.c, and E (u.c)^2 = |c|^2 / d; 4,000 directions: 7.2 standard errors."""
    rng = np.random.default_rng(0)
    x, c = rng.standard_normal((50, 3)), np.array([1.0, -2.0, 0.5])
    want = math.sqrt(c @ c / 3)
    # (u.c)^2 / |c|^2 is Beta(1/2, 1): variance 4/45
    error = 7.2 * math.sqrt(4 / 45 / 4000) * (c @ c) / (2 * want)
    assert abs(metrics.sliced_wasserstein(x, rng.permutation(x + c), 4000, rng) - want) < error
    assert metrics.sliced_wasserstein(x, rng.permutation(x), 10, rng) == pytest.approx(0, abs=1e-12)


def test_sliced_wasserstein_in_one_dimension_sorts():
    got = metrics.sliced_wasserstein(np.array([[3.0], [0.0]]), np.array([[1.0], [2.0]]), 5, np.random.default_rng(0))
    assert abs(got - 1.0) < 1e-12  # 0 -> 1, 3 -> 2


@pytest.mark.parametrize("dtype", DTYPES)
def test_judge_tells_good_from_bad(dtype):
    """A smoke test with a fixed seed: the ratios are far from what it measures."""
    rng = np.random.default_rng(0)
    data = rng.standard_normal((900, 2)).astype(dtype)
    good = metrics.judge(rng.standard_normal((400, 2)).astype(dtype), data, rng)
    bad = metrics.judge(0.5 * rng.standard_normal((400, 2)).astype(dtype), data, rng)
    assert good["n"] == 400 and good["p_value"] > 0.005 and bad["p_value"] == 1 / 200
    assert good["energy_distance"] < 3 * good["energy_floor"] and good["sliced_wasserstein"] < 3 * good["sliced_floor"]
    assert bad["energy_distance"] > 10 * bad["energy_floor"] and bad["sliced_wasserstein"] > 4 * bad["sliced_floor"]


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
