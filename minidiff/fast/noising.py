"""Noising sooner: blocks of rows in parallel threads, each block one kernel call."""

import numpy as np

from .. import gaussian
from . import kernels, trust
from .noise import RowNoise
from .threads import side_by_side


def _check(x_0):
    if x_0.ndim != 2 or x_0.dtype.kind != "f":
        raise ValueError(f"x_0 must be a float array (B, d), got {x_0.dtype} {x_0.shape}")


def _chain(schedule, x_0, times, rng):
    kept, T = np.empty((len(times), *x_0.shape), x_0.dtype), int(times[-1])
    draw = rng.take(T)
    block = 4 * max(4, 2**15 // (x_0.shape[1] * max(1, T)))  # a block's noise stays in the second-level cache

    def walk(first, last):
        eps = rng.at(draw, T, first, last, x_0.shape[1:], x_0.dtype)
        kept[:, first:last] = kernels.noise_chain(x_0[first:last], schedule.beta, times, eps)

    side_by_side(walk, len(x_0), block)
    return kept


def noise_chain(schedule, x_0, times, rng, say=trust.say):
    """gaussian.noise_chain for x_0 (B, d), rng a RowNoise; each block of rows walks its whole chain in one kernel call."""
    _check(x_0)
    few = np.arange(min(4, schedule.T) + 1)  # the readable chain checks the times
    path = gaussian.noise_chain(schedule, x_0[:4], few, RowNoise(0))
    if said := trust.disagreement(
        "gaussian.noise_chain and its kernel", path, _chain(schedule, x_0[:4], few, RowNoise(0))
    ):
        say(said)
        return gaussian.noise_chain(schedule, x_0, times, rng)
    times = np.asarray(times)
    if (
        times.ndim != 1
        or not times.size
        or np.any(np.diff(times) < 0)
        or times[0] < 0
        or times[-1] > schedule.T
    ):
        raise ValueError(f"times must ascend within 0..T = {schedule.T}, got {times}")
    return _chain(schedule, x_0, times, rng)


def noise_jump(schedule, x_0, t, rng):
    """gaussian.q_sample with fresh noise: (x_t, eps), for x_0 (B, d), t (B,) ints, rng a RowNoise."""
    _check(x_0)
    if np.shape(t) != (len(x_0),):
        raise ValueError(f"t must have the shape ({len(x_0)},), one time for each row, got {np.shape(t)}")
    schedule.at(t, x_0)  # raises for a t outside 0..T
    signal, noise = (np.sqrt(u).astype(x_0.dtype) for u in (schedule.alpha_bar, 1 - schedule.alpha_bar))
    x_t, eps, draw = np.empty_like(x_0), np.empty_like(x_0), rng.take(1)

    def jump(first, last):
        eps[first:last] = rng.at(draw, 1, first, last, x_0.shape[1:], x_0.dtype)[0]
        x_t[first:last] = kernels.noise_jump(x_0[first:last], t[first:last], signal, noise, eps[first:last])

    side_by_side(jump, len(x_0), 4 * max(1, 2**14 // x_0.shape[1]))
    return x_t, eps
