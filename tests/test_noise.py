import numpy as np
import pytest
from support import DTYPES

from minidiff.fast.noise import RowNoise
from minidiff.noise import INIT, SAMPLE, TRAIN, stream


def test_streams_differ_by_seed_purpose_and_number():
    names = [(0, INIT, 0), (0, SAMPLE, 0), (0, TRAIN, 0), (0, TRAIN, 1), (1, TRAIN, 0)]
    assert len({stream(*n).standard_normal() for n in names}) == len(names)
    assert stream(2, TRAIN, 5).standard_normal() == stream(2, TRAIN, 5).standard_normal()


def test_no_two_names_have_one_stream():
    """Seeds of several 32-bit words that repeat small ones, which NumPy joins with the other numbers of a name.

    7,000 names: two of their 64-bit words are equal by chance with a probability of 7000^2 / 2^65 = 1.3e-12.
    """
    words = (0, 1, 5, 2**32 - 1)
    seeds = [
        a + 2**32 * b + 2**64 * c + 2**96 * d for a in words for b in words for c in words for d in (0, 1, 5)
    ]
    seeds += [a + 2**128 * b for a in words for b in (1, 5)]
    names = [
        (seed, purpose, number)
        for seed in seeds
        for purpose in range(7)
        for number in (0, 1, 5, 2**31, 2**32 - 1)
    ]
    assert len({stream(*name).bit_generator.random_raw() for name in names}) == len(names) == 7000
    assert len({tuple(RowNoise(seed).key) for seed in seeds}) == len(seeds)


def test_streams_of_small_seeds_stay():
    """Runs are resumed and pictures drawn again: seeds below 2^32 keep the streams they always had."""
    for name in ((0, TRAIN, 0), (7, INIT, 3), (2**32 - 1, SAMPLE, 5)):
        assert (
            stream(*name).bit_generator.random_raw()
            == np.random.default_rng(list(name)).bit_generator.random_raw()
        )
    assert np.array_equal(
        RowNoise(5).key, np.random.SeedSequence([5, SAMPLE]).generate_state(2, np.uint64) % 2**32
    )
    assert stream(np.int32(7), INIT).standard_normal() == stream(7, INIT).standard_normal()


@pytest.mark.parametrize(
    ("seed", "error"), [(-1, ValueError), (1.5, TypeError), ("1", TypeError), (True, TypeError)]
)
def test_bad_seeds(seed, error):
    for make in (RowNoise, lambda s: stream(s, DTYPES)):
        with pytest.raises(error, match="seed must"):
            make(seed)
