import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import DTYPES, assert_mean, assert_uncorrelated, assert_variance, seeds

from minidiff import threads
from minidiff.noise import INIT, SAMPLE, TRAIN, RowNoise, stream


@given(seeds, st.integers(1, 40), st.integers(41, 70))
def test_a_row_does_not_depend_on_its_neighbours(seed, few, many):
    a, b = RowNoise(seed), RowNoise(seed)
    for _ in range(3):
        assert np.array_equal(a.standard_normal((few, 2)), b.standard_normal((many, 2))[:few])


@pytest.mark.parametrize("dtype", DTYPES)
def test_many_draws_at_once_are_the_draws_one_by_one(dtype):
    a, b = RowNoise(3), RowNoise(3)
    together = a.draws(5, 16, 41, (2, 2), dtype)
    one_by_one = np.stack([b.standard_normal((41, 2, 2), dtype)[16:] for _ in range(5)])
    assert together.dtype == dtype and np.array_equal(together, one_by_one)


def test_draws_are_standard_normal_and_fresh():
    """n = 2e5: sees a mean of 0.03 and a std that is off by 2 %."""
    z = np.stack([RowNoise(7).standard_normal((100_000, 1)), RowNoise(8).standard_normal((100_000, 1))])
    assert len(np.unique(z)) == z.size
    assert_mean(z.ravel(), 0, 1)
    assert_variance(z.ravel(), 0, 1)
    assert_uncorrelated(z[0, :, 0], z[1, :, 0])
    rng = RowNoise(7)
    assert_uncorrelated(*(rng.standard_normal((100_000, 1))[:, 0] for _ in range(2)))


def test_streams_differ_by_seed_purpose_and_number():
    names = [(0, INIT, 0), (0, SAMPLE, 0), (0, TRAIN, 0), (0, TRAIN, 1), (1, TRAIN, 0)]
    assert len({stream(*n).standard_normal() for n in names}) == len(names)
    assert stream(2, TRAIN, 5).standard_normal() == stream(2, TRAIN, 5).standard_normal()


@pytest.mark.parametrize(("seed", "error"), [(-1, ValueError), (1.5, TypeError), ("1", TypeError), (True, TypeError)])
def test_bad_seeds(seed, error):
    for make in (RowNoise, lambda s: stream(s, DTYPES)):
        with pytest.raises(error, match="seed must"):
            make(seed)


@pytest.mark.parametrize("n_threads", [1, 2, 3])
def test_blocks_cover_all_rows_in_order(n_threads, monkeypatch):
    monkeypatch.setenv("MINIDIFF_THREADS", str(n_threads))
    assert threads.side_by_side(lambda i, j: (i, j), 10, 4) == [(0, 4), (4, 8), (8, 10)]
    assert threads.side_by_side(lambda i, j: (i, j), 3, 4) == [(0, 3)]


def test_an_error_in_a_block_reaches_the_caller(monkeypatch):
    monkeypatch.setenv("MINIDIFF_THREADS", "2")
    with pytest.raises(ZeroDivisionError):
        threads.side_by_side(lambda i, j: 1 // (i - 4), 10, 4)


def test_number_of_threads(monkeypatch):
    monkeypatch.delenv("MINIDIFF_THREADS", raising=False)
    assert 1 <= threads.count() <= min(8, os.cpu_count())
    for wrong in ("0", "-1", "two", "1.5"):
        monkeypatch.setenv("MINIDIFF_THREADS", wrong)
        with pytest.raises(ValueError, match="MINIDIFF_THREADS must be a whole number of at least 1"):
            threads.count()
