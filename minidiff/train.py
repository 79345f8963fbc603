"""Learning to see the noise: algorithm 1, one step after another.

letter   name     shape    meaning
x_0      x_0      (B, d)   rows of the data
t        t        (B,)     a time for each row, uniform in 1..T
epsilon  eps      (B, d)   the noise that is mixed in, and that the network has to find
"""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from .gaussian import q_sample
from .loss import loss_and_grads
from .noise import INIT, TRAIN, stream
from .optim import update


@dataclass
class State:
    """All that training changes. ema is the running average of params, which is what one samples from."""

    params: dict
    ema: dict
    m: dict
    v: dict
    seed: int
    step: int = 0
    loss: float = math.nan


def start(model, seed, dtype=np.float32):
    """The State before the first step."""
    params = model.init(stream(seed, INIT), dtype)
    zeros = [{k: np.zeros_like(w) for k, w in params.items()} for _ in range(2)]
    return State(params, {k: w.copy() for k, w in params.items()}, *zeros, seed)


CHUNK = 16  # steps whose random numbers are drawn together: naming a stream costs as much as 4,000 normals


def batches(step, seed, schedule, data, batch):
    """(x_0, t, eps) for step, step + 1, ...: each depends on (seed, step) and the sizes alone: resuming changes nothing."""
    for chunk in itertools.count(step // CHUNK):
        rng = stream(seed, TRAIN, chunk)
        rows = rng.integers(len(data), size=(CHUNK, batch))
        t = rng.integers(1, schedule.T + 1, size=(CHUNK, batch))
        eps = rng.standard_normal((CHUNK, batch, data.shape[1]), data.dtype)
        for k in range(max(0, step - chunk * CHUNK), CHUNK):
            yield data[rows[k]], t[k], eps[k]


def train(model, state, schedule, data, *, steps, batch=128, lr=1e-3, max_norm=1.0, decay=0.999) -> Iterator[State]:
    """Gradient steps on L_simple until state.step == steps, yielding the state after each.    [DDPM algorithm 1]

    data (N, d) in the parameters' dtype. The state is updated in place: what to print, draw, save and when to stop is
    the caller's. Raises FloatingPointError with the step's number, before anything is updated, if loss or gradient is not
    finite.
    """
    for name, value, most in (("steps", steps, 10**9), ("batch", batch, 10**6)):
        if not isinstance(value, int) or not 1 <= value <= most:
            raise ValueError(f"{name} must be at least 1 and whole, at most {most}, got {value}")
    if len(data) < 1 or data.ndim != 2 or data.shape[1] != model.d:
        raise ValueError(f"data must have the shape (N, {model.d}), got {data.shape}")
    if not 0 < lr < math.inf:
        raise ValueError(f"lr must be positive and finite, got {lr}")
    return _steps(model, state, schedule, data, steps, batch, lr, max_norm, decay)


def _steps(model, state, schedule, data, steps, batch, lr, max_norm, decay):
    if hasattr(model, "loss_and_grads"):
        gradients = model.loss_and_grads(batch, schedule.T, data.dtype)
    else:
        gradients = partial(loss_and_grads, model)
    for x_0, t, eps in batches(state.step, state.seed, schedule, data, batch):
        if state.step >= steps:
            return
        x_t = q_sample(schedule, x_0, t, eps)
        loss, grads = gradients(state.params, x_t, t, eps)
        if not math.isfinite(loss):
            raise FloatingPointError(f"the loss is {loss} at step {state.step + 1}; a smaller lr than {lr:g} may help")
        state.step, state.loss = state.step + 1, loss
        update(state.params, state.ema, state.m, state.v, grads, state.step, lr=lr, max_norm=max_norm, decay=decay)
        yield state
