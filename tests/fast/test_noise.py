"""noise: the kernel draws what philox.RowNoise draws, to a stated rounding, or philox draws."""

import math
from statistics import NormalDist

import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import DTYPES, assert_mean, assert_uncorrelated, assert_variance, seeds

from minidiff import philox
from minidiff.fast import kernels, noise, trust
from minidiff.fast.noise import RowNoise, roundings


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


def test_noise_that_cannot_be_looked_up_is_refused():
    for dtype in DTYPES:
        with pytest.raises(ValueError, match=r"rows 6\.\.10 .* first must be a multiple of 4"):
            RowNoise(0, first=6).standard_normal((4, 2), dtype)
        with pytest.raises(ValueError, match=r"rows .*4294967300 of 2 numbers: .* at most 2\^33 numbers"):
            RowNoise(0, first=2**32).standard_normal((4, 2), dtype)


def test_the_kernel_draws_what_philox_draws():
    """Row for row within the stated roundings: a million numbers, many blocks, far away and at the start."""
    for seed, draw, first in ((0, 0, 0), (1, 2**31, 4 * 2**28), (2, 3, 4)):
        sooner, law = (
            rng.at(draw, 2, first, first + 83_333, (3,), np.float32).reshape(2, -1)
            for rng in (RowNoise(seed), philox.RowNoise(seed))
        )
        pairs = law[:, :-1]  # 249,999 numbers: the last one has no partner
        assert np.all(np.abs(sooner - law)[:, :-1] <= roundings(pairs))


@numba.njit(**kernels.OPTIONS)
def box_muller(word, angle, z_0, z_1):
    kernels._box_muller32(word, angle, z_0, z_1)


def test_the_roundings_hold_at_the_ends():
    """u nearest to 0 and to 1, where a radius is largest and where it has lost most; all eight eighths."""
    words = np.concatenate([np.arange(2000), 2**32 - 1 - np.arange(2000), 2**31 + np.arange(2000)])
    words = np.repeat(words.astype(np.uint32), 8)
    angle = (np.arange(len(words)) * 0x9E3779B1 % 2**32).astype(np.uint32)
    z = np.empty((2, len(words)), np.float32)
    box_muller(words, angle, *z)
    u, turns = (np.floor(words.astype(float) / 2) + 0.5) / 2**31, angle.astype(float) / 2**32
    r = np.sqrt(-2 * np.log(u))
    # the circle from the definition's own pieces: within +-pi/4, and three bits that mirror
    theta, bits = ((16 * turns + 1) % 2 - 1) * np.pi / 4, np.floor(8 * turns).astype(int)
    c, s = np.cos(theta), np.sin(theta)
    c, s = np.where(bits & 4, s, c), np.where(bits & 4, c, s)
    law = r * np.where(bits & 2, -c, c), r * np.where(bits & 1, -s, s)
    bound = roundings(np.stack(law, axis=-1).reshape(1, -1)).reshape(-1, 2).T
    assert np.all(np.abs(z - law) <= bound)
    assert r.max() < 6.7 and bound.max() < 7e-4 and bound[:, r > 6].max() < 48 * np.finfo(np.float32).eps


def one_block_late(real):
    """The kernel with its second block of 1,024 numbers begun one group late."""

    def normals32(k_0, k_1, draw, first, z):
        real(k_0, k_1, draw, first, z[:, :1024])
        if z.shape[1] > 1024:
            real(k_0, k_1, draw, first + 1028, z[:, 1024:])

    return normals32


MISTAKES = {
    "a block off by one": one_block_late,
    "draws off by one": lambda real: lambda a, b, draw, first, z: real(a, b, draw + (draw > 4), first, z),
    "first ignored": lambda real: lambda a, b, draw, first, z: real(a, b, draw, 0, z),
    "the words of the key exchanged": lambda real: lambda a, b, *rest: real(b, a, *rest),
    "the last numbers left out": lambda real: (
        lambda a, b, draw, first, z: (
            real(a, b, draw, first, z[:, : z.shape[1] // 4 * 4]),
            z[:, z.shape[1] // 4 * 4 :].fill(0),
        )
    ),
    "a coefficient off by 1e-4": lambda real: (
        lambda a, b, draw, first, z: (
            real(a, b, draw, first, z),
            np.multiply(z, np.float32(1.0001), out=z),
        )
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_broken_kernel_is_named_and_does_not_draw(mistake, monkeypatch):
    said, law = [], philox.RowNoise(3).standard_normal((40, 2), np.float32)
    monkeypatch.setattr(trust, "say", said.append)
    assert np.abs(RowNoise(3).standard_normal((40, 2), np.float32) - law).max() < 1e-3 and not said
    monkeypatch.setattr(kernels, "normals32", MISTAKES[mistake](kernels.normals32))
    assert np.array_equal(RowNoise(3).standard_normal((40, 2), np.float32), law)
    assert said == ["philox.normals and fast.kernels.normals32 disagree: what is written runs, more slowly"]
    RowNoise(4).standard_normal((4, 2), np.float32)
    assert len(said) == 1  # compared once in a process
    noise._trusted.cache_clear()
