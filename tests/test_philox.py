"""philox: a row's draws are a function of the seed and the row; Philox and Box & Muller as they are known."""

import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import DTYPES, assert_mean, assert_uncorrelated, assert_variance, seeds

from minidiff.philox import RowNoise, normals, philox


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
    """n = 1e6: the CDF within sqrt(log(2e12) / 2n) = 0.0038; pairs, neighbours and draws independent."""
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
        # not normal, but at n = 250,000 near enough for a bound of 7 sigma
        assert_uncorrelated(x**2 - 1, y**2 - 1)
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


@pytest.mark.parametrize("dtype", DTYPES)
def test_normals_are_box_and_muller_of_philox(dtype):
    """A pair's length is sqrt(-2 log u_1).

    The angle's first three bits choose a quarter of the circle around an axis, each twice (mirrored), and
    the others where in it.
    """
    key, draw, size = [12345, 678910], 3, 4 if dtype == np.float32 else 2
    zero = np.zeros(200, int)
    w = philox([np.arange(200), zero + draw, zero, zero], key).T.astype(float)
    z = normals(key, draw, 0, 200 * size, dtype).astype(np.float64).reshape(-1, 2)
    if size == 4:  # two pairs of four words, each a length and an angle
        u_1, angle = (w.reshape(-1, 2) + [0.5, 0]).T / 2**32
    else:  # one pair: 27 and 26 bits of two words for its length, as everybody makes 53; two words more
        u_1, angle = (w[:, 0] // 32) / 2**27 + (w[:, 1] // 64) / 2**53, w[:, 2] / 2**32
    # u_1 is cut to 31 bits, or to 53 and half a unit: -2 log u_1 is off by 2 / u_1 of these
    error = np.abs(np.sum(z**2, axis=1) + 2 * np.log(u_1))
    assert np.all(error < (2e-6 + 2.0**-30 / u_1 if size == 4 else 1e-13 + 2.0**-52 / u_1))
    quarter = np.where(np.abs(z[:, 0]) > np.abs(z[:, 1]), 1 + (z[:, 0] > 0), 3 + (z[:, 1] > 0))
    chosen = [set(quarter[np.floor(8 * angle) == bits]) for bits in range(8)]
    assert all(len(one) == 1 for one in chosen) and sorted(q for (q,) in chosen) == [1, 1, 2, 2, 3, 3, 4, 4]


@given(seeds, st.integers(0, 30), st.integers(1, 30), st.sampled_from(DTYPES))
def test_normals_can_be_looked_up_anywhere(seed, first, n, dtype):
    key = RowNoise(seed).key
    some, every = normals(key, 5, first, n, dtype), normals(key, 5, 0, first + n, dtype)
    assert some.dtype == dtype and np.array_equal(some, every[first:])


def test_draws_are_those_of_at_and_taken_counts_them():
    a, b = RowNoise(3), RowNoise(3)
    assert a.take(2) == 0 and a.take(3) == 2 and a.taken == 5
    assert np.array_equal(a.at(4, 1, 0, 6, (2,), np.float64).ravel(), b.draws(4, 1, 0, 12, np.float64)[0])
    assert a.taken == 5 and b.taken == 0  # looking up takes nothing
    a.standard_normal((4, 2))
    assert a.taken == 6


def test_an_own_draws_is_what_at_and_standard_normal_ask():
    """What an engine overrides."""

    class Counting(RowNoise):
        def draws(self, draw, n, first, count, dtype):
            return np.full((n, count), 100 * draw + first, dtype)

    rng = Counting(0, first=8)
    assert rng.standard_normal((4, 3), np.float32).tolist() == [[24.0] * 3] * 4
    assert rng.at(2, 1, 4, 6, (3,), np.float64).tolist() == [[[236.0] * 3] * 2]


def test_noise_that_cannot_be_looked_up_is_refused():
    with pytest.raises(ValueError, match="rows 6..12 of 2 numbers: first must be a multiple of 4"):
        RowNoise(0).at(0, 1, 6, 12, (2,), np.float64)
    with pytest.raises(ValueError, match="rows 6..10"):
        RowNoise(0, first=6).standard_normal((4, 2))
    with pytest.raises(ValueError, match=r"rows 4294967296..4294967300 of 2 numbers: .* at most 2\^33"):
        RowNoise(0, first=2**32).standard_normal((4, 2))
    RowNoise(0, first=2**32 - 4).standard_normal((4, 2))  # the last that there are
    with pytest.raises(ValueError):
        RowNoise(-1)
