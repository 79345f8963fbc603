"""Noising sooner: blocks of rows in parallel threads, each block one kernel call."""

from functools import partial

import numpy as np

from .. import gaussian
from ..schedule import from_betas
from . import kernels, trust
from .noise import RowNoise
from .threads import side_by_side


def _check(x_0):
    if x_0.ndim != 2 or x_0.dtype.kind != "f":
        raise ValueError(f"x_0 must be a float array (B, d), got {x_0.dtype} {x_0.shape}")


def _chain(block, schedule, x_0, times, rng):
    kept, T = np.empty((len(times), *x_0.shape), x_0.dtype), int(times[-1])
    draw = rng.take(T)

    def walk(first, last):
        eps = rng.at(draw, T, first, last, x_0.shape[1:], x_0.dtype)
        kept[:, first:last] = kernels.noise_chain(x_0[first:last], schedule.beta, times, eps)

    side_by_side(walk, len(x_0), block)
    return kept


def noise_chain(schedule, x_0, times, rng, say=trust.say):
    """gaussian.noise_chain for x_0 (B, d), rng a RowNoise; each block of rows walks in one kernel call.

    Two of the run's steps at the start, in the middle and at the end are compared, as schedules of their own.
    """
    _check(x_0)
    times, T = np.asarray(times), schedule.T
    if times.ndim != 1 or not times.size or np.any(np.diff([0, *times, T]) < 0):
        raise ValueError(f"times must ascend within 0..T = {T}, got {times}")
    steps = int(times[-1])
    block = 4 * max(4, 2**15 // (x_0.shape[1] * max(1, steps)))  # its noise stays in the second-level cache
    fast, some = partial(_chain, block), x_0[: block + 17]
    for t in (0, steps // 2, max(0, steps - 2)):
        part = from_betas(schedule.beta[t + 1 : t + 3])
        law, got = (f(part, some, np.arange(part.T + 1), RowNoise(0)) for f in (gaussian.noise_chain, fast))
        if said := trust.disagreement("gaussian.noise_chain and its kernel", law, got):
            say(said)
            return gaussian.noise_chain(schedule, x_0, times, rng)
    return fast(schedule, x_0, times, rng)


def noise_jump(schedule, x_0, t, rng, say=trust.say):
    """gaussian.q_sample with fresh noise: (x_t, eps), for x_0 (B, d), t (B,) ints, rng a RowNoise."""
    _check(x_0)
    if np.shape(t) != (len(x_0),):
        raise ValueError(f"t must have the shape ({len(x_0)},), one time for each row, got {np.shape(t)}")
    schedule.alpha_bar_at([np.min(t), np.max(t)])  # raises for a t outside 0..T
    signal, noise = gaussian.shares(schedule, np.arange(schedule.T + 1), x_0[:, 0])
    x_t, eps, draw = np.empty_like(x_0), np.empty_like(x_0), rng.take(1)

    def jump(first, last):
        eps[first:last] = rng.at(draw, 1, first, last, x_0.shape[1:], x_0.dtype)[0]
        x_t[first:last] = kernels.noise_jump(x_0[first:last], t[first:last], signal, noise, eps[first:last])

    side_by_side(jump, len(x_0), 4 * max(1, 2**14 // x_0.shape[1]))
    some = np.linspace(0, len(x_0) - 1, 400).astype(int)
    law = gaussian.q_sample(schedule, x_0[some], t[some], eps[some])
    if said := trust.disagreement("gaussian.q_sample and fast.kernels.noise_jump", law, x_t[some]):
        say(said)
        x_t = gaussian.q_sample(schedule, x_0, t, eps)
    return x_t, eps
