"""noising: the fast chain and the fast jump say what the readable ones say."""

import numpy as np
import pytest
from support import (
    DTYPES,
    coarse,
)

from minidiff import gaussian
from minidiff.fast.noise import RowNoise
from minidiff.fast.noising import noise_chain, noise_jump

S = coarse()
EQUATIONS = {
    "q_step": lambda x, y: gaussian.q_step(S, x, 3, y),
    "noise_chain": lambda x, y: noise_chain(S, x, [0, 2, 6], RowNoise(0)),
    "q_sample": lambda x, y: gaussian.q_sample(S, x, np.array([1, 2, 6]), y),
    "posterior": lambda x, y: gaussian.posterior(S, x, y, 4, 2)[0],
    "x_0_from_eps": lambda x, y: gaussian.x_0_from_eps(S, x, 3, y),
    "eps_from_x_0": lambda x, y: gaussian.eps_from_x_0(S, x, 3, y),
    "v_from_eps": lambda x, y: gaussian.v_from_eps(S, x, 3, y),
    "x_0_from_v": lambda x, y: gaussian.x_0_from_v(S, x, 3, y),
    "eps_from_v": lambda x, y: gaussian.eps_from_v(S, x, 3, y),
    "score_from_eps": lambda x, y: gaussian.score_from_eps(S, 3, x),
    "eps_from_score": lambda x, y: gaussian.eps_from_score(S, 3, x),
    "kl": lambda x, y: gaussian.kl(x, np.abs(y) + 1, y, np.abs(x) + 1),
    "product": lambda x, y: gaussian.product(x, np.abs(y) + 1, y, np.abs(x) + 1)[0],
}


@pytest.mark.parametrize("dtype", DTYPES)
def test_noise_jump_is_q_sample_with_fresh_noise(dtype):
    x_0 = np.random.default_rng(0).standard_normal((40_000, 2)).astype(dtype)
    t = np.random.default_rng(1).integers(0, 7, len(x_0))
    x_t, eps = noise_jump(S, x_0, t, RowNoise(2))
    assert x_t.dtype == eps.dtype == dtype
    assert np.abs(x_t - gaussian.q_sample(S, x_0, t, eps)).max() < 20 * np.finfo(dtype).eps  # 2 roundings of numbers below 6
    assert np.array_equal(eps, RowNoise(2).standard_normal(x_0.shape, dtype))
    for wrong, words in ((t + 1, "t must lie"), (t[:9], r"t must have the shape \(40000,\)")):
        with pytest.raises(ValueError, match=words):
            noise_jump(S, x_0, wrong, RowNoise(2))
    with pytest.raises(ValueError, match="x_0 must be a float array"):
        noise_jump(S, np.ones(3), t[:3], RowNoise(2))
    with pytest.raises(ValueError, match="t must lie"):
        gaussian.q_step(S, x_0, -1, eps)


def test_noise_chain_keeps_what_is_asked_for():
    x_0 = np.random.default_rng(0).standard_normal((20, 2))
    kept = noise_chain(coarse(), x_0, [0, 0, 3, 6], RowNoise(5))
    assert kept.shape == (4, 20, 2) and np.array_equal(kept[0], x_0) and np.array_equal(kept[1], x_0)
    assert np.array_equal(kept[2:], noise_chain(coarse(), x_0, [3, 6], RowNoise(5)))
    for times in ([], [3, 2], [-1], [7], [[1]]):
        with pytest.raises(ValueError, match="times must ascend"):
            noise_chain(coarse(), x_0, times, RowNoise(0))
