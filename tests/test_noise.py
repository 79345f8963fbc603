"""noise: one stream for each name, and for no other."""

import numpy as np
import pytest

from minidiff import noise
from minidiff.noise import INIT, SAMPLE, TRAIN, stream
from minidiff.philox import RowNoise


def test_streams_differ_by_seed_purpose_and_number():
    names = [(0, INIT, 0), (0, SAMPLE, 0), (0, TRAIN, 0), (0, TRAIN, 1), (1, TRAIN, 0)]
    assert len({stream(*n).standard_normal() for n in names}) == len(names)
    assert stream(2, TRAIN, 5).standard_normal() == stream(2, TRAIN, 5).standard_normal()
    assert sorted([noise.DATA, INIT, TRAIN, SAMPLE]) == [0, 1, 2, 3]


def test_no_two_names_have_one_stream():
    """7,000 names: two of their 64-bit words are equal by chance with probability 7000^2 / 2^65 = 1.3e-12.

    Seeds of more words, which NumPy would join with the other numbers of a name, are refused."""
    words = (0, 1, 5, 2**32 - 1)
    seeds = [*range(192), 2**32 - 1, 2**31, *(2**k + 1 for k in range(8, 14))]
    names = [(seed, purpose, n) for seed in seeds for purpose in range(7) for n in (*words, 2**31)]
    assert len({stream(*name).bit_generator.random_raw() for name in names}) == len(names) == 7000
    assert len({tuple(RowNoise(seed).key) for seed in seeds}) == len(seeds)


def test_streams_stay():
    """Runs are resumed and pictures drawn again: a name keeps the stream that it always had."""
    for name in ((0, TRAIN, 0), (7, INIT, 3), (2**32 - 1, SAMPLE, 5)):
        raw = np.random.default_rng(list(name)).bit_generator.random_raw()
        assert stream(*name).bit_generator.random_raw() == raw
    key = np.random.SeedSequence([5, SAMPLE]).generate_state(2, np.uint64) % 2**32
    assert np.array_equal(RowNoise(5).key, key)
    assert stream(np.int32(7), INIT).standard_normal() == stream(7, INIT).standard_normal()


@pytest.mark.parametrize("seed", [-1, 1.5, 2**32, 2**64 + 1, float("nan")])
def test_bad_seeds(seed):
    with pytest.raises(ValueError, match="seed must be a whole number in 0..2"):
        stream(seed, TRAIN)
