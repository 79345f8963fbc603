"""noise: a row's draws are a function of the seed and the row; Philox and Box-Muller against what is known of them."""

import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import DTYPES, assert_mean, assert_uncorrelated, assert_variance, seeds

from minidiff.fast.noise import RowNoise, philox


@given(seeds, st.integers(1, 40), st.integers(41, 70))
def test_a_row_does_not_depend_on_its_neighbours(seed, few, many):
    a, b = RowNoise(seed), RowNoise(seed)
    for _ in range(3):
        assert np.array_equal(a.standard_normal((few, 2)), b.standard_normal((many, 2))[:few])


@given(seeds, st.integers(0, 9), st.sampled_from(DTYPES))
def test_rows_from_the_first_on_are_those_of_all(seed, fours, dtype):
    every, some, first = RowNoise(seed), RowNoise(seed, first=4 * fours), 4 * fours
    for _ in range(2):
        assert np.array_equal(
            every.standard_normal((50, 3), dtype)[first:], some.standard_normal((50 - first, 3), dtype)
        )


@pytest.mark.parametrize("dtype", DTYPES)
def test_blocks_and_draws_looked_up_are_those_drawn_one_by_one(dtype):
    a, b = RowNoise(3), RowNoise(3)
    first = a.take(5)
    together = a.at(first, 5, 16, 41, (2, 3), dtype)
    one_by_one = np.stack([b.standard_normal((41, 2, 3), dtype)[16:] for _ in range(5)])
    assert together.dtype == dtype and np.array_equal(together, one_by_one)
    assert np.array_equal(a.standard_normal((4, 2)), b.standard_normal((4, 2)))


def test_philox_has_the_published_answers():
    """The known answers of Random123's philox4x32-10."""
    for word, key, answer in [
        (["0"] * 4, ["0"] * 2, "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        (["ffffffff"] * 4, ["ffffffff"] * 2, "408f276d 41c83b0e a20bc7c6 6d5451fd"),
        (
            "243f6a88 85a308d3 13198a2e 03707344".split(),
            ["a4093822", "299f31d0"],
            "d16cfe09 94fdcceb 5001e420 24126ea1",
        ),
    ]:
        got = philox([int(w, 16) for w in word], [int(k, 16) for k in key])
        assert " ".join(f"{int(w):08x}" for w in got) == answer


@pytest.mark.parametrize("dtype", DTYPES)
def test_normals_have_the_whole_distribution(dtype):
    """n = 1e6: the CDF within sqrt(log(2e12) / 2n) = 0.0038; pairs (z_0, z_1) and neighbouring rows and draws independent."""
    z = RowNoise(5).at(0, 2, 0, 250_000, (2,), dtype).astype(np.float64)
    flat = np.sort(z.ravel())
    quantiles = np.array([NormalDist().inv_cdf(p) for p in np.linspace(0.001, 0.999, 999)])
    below = np.searchsorted(flat, quantiles) / flat.size
    assert np.abs(below - np.linspace(0.001, 0.999, 999)).max() < math.sqrt(math.log(2e12) / (2 * flat.size))
    assert_mean(flat, 0, 1)
    assert_variance(flat, 0, 1)
    for x, y in (
        (z[0, :, 0], z[0, :, 1]),
        (z[0, :-1, 0], z[0, 1:, 0]),
        (z[0, :, 0], z[1, :, 0]),
        (z[0, :-2, 1], z[0, 2:, 1]),
    ):
        assert_uncorrelated(x, y)
        assert_uncorrelated(
            x**2 - 1, y**2 - 1
        )  # not normal, but at n = 250,000 near enough for a bound of 7 sigma
    # the tails: P(|z| > 4) = 6.3e-5, so 63 of a million, and 1e-12 is 63 +- 7.5 * 8 or so
    assert 10 < np.sum(np.abs(flat) > 4) < 140


def test_draws_are_standard_normal_and_fresh():
    """n = 2e5: sees a mean of 0.03 and a std that is off by 2 %."""
    z = np.stack([RowNoise(7).standard_normal((100_000, 1)), RowNoise(8).standard_normal((100_000, 1))])
    assert len(np.unique(z)) == z.size
    assert_mean(z.ravel(), 0, 1)
    assert_variance(z.ravel(), 0, 1)
    assert_uncorrelated(z[0, :, 0], z[1, :, 0])
    rng = RowNoise(7)
    assert_uncorrelated(*(rng.standard_normal((100_000, 1))[:, 0] for _ in range(2)))


def test_noise_that_cannot_be_looked_up_is_refused():
    for first, dtype in ((6, np.float64), (8, np.int64)):
        with pytest.raises(ValueError, match="first must be a multiple of 4 and dtype a float"):
            RowNoise(0).at(0, 1, first, 12, (2,), dtype)
    with pytest.raises(ValueError, match="got 6"):
        RowNoise(0, first=6).standard_normal((4, 2))
    with pytest.raises(ValueError, match=r"rows up to 4294967300 of 2 numbers are more than the 2\^33"):
        RowNoise(0, first=2**32).standard_normal((4, 2))
