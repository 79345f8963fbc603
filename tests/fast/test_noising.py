"""noising: the fast chain and the fast jump say what the readable ones say."""

import numpy as np
import pytest
from support import DTYPES, coarse

from minidiff import gaussian
from minidiff.fast.noise import RowNoise
from minidiff.fast.noising import noise_chain, noise_jump

S = coarse()


@pytest.mark.parametrize("dtype", DTYPES)
def test_noise_jump_is_q_sample_with_fresh_noise(dtype):
    x_0 = np.random.default_rng(0).standard_normal((40_000, 2)).astype(dtype)
    t = np.random.default_rng(1).integers(0, 7, len(x_0))
    x_t, eps = noise_jump(S, x_0, t, RowNoise(2))
    assert x_t.dtype == eps.dtype == dtype
    # 2 roundings of numbers below 6
    assert np.abs(x_t - gaussian.q_sample(S, x_0, t, eps)).max() < 20 * np.finfo(dtype).eps
    assert np.array_equal(eps, RowNoise(2).standard_normal(x_0.shape, dtype))
    for wrong, words in ((t + 1, "t must lie"), (t[:9], r"t must have the shape \(40000,\)")):
        with pytest.raises(ValueError, match=words):
            noise_jump(S, x_0, wrong, RowNoise(2))
    with pytest.raises(ValueError, match="x_0 must be a float array"):
        noise_jump(S, np.ones(3), t[:3], RowNoise(2))


def test_noise_chain_keeps_what_is_asked_for():
    x_0 = np.random.default_rng(0).standard_normal((20, 2))
    kept = noise_chain(coarse(), x_0, [0, 0, 3, 6], RowNoise(5))
    assert kept.shape == (4, 20, 2) and np.array_equal(kept[0], x_0) and np.array_equal(kept[1], x_0)
    assert np.array_equal(kept[2:], noise_chain(coarse(), x_0, [3, 6], RowNoise(5)))
    for times in ([], [3, 2], [-1], [7], [[1]]):
        with pytest.raises(ValueError, match="times must ascend"):
            noise_chain(coarse(), x_0, times, RowNoise(0))
