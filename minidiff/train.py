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

from . import objective as objectives
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


@dataclass(frozen=True)
class Goal:
    """What is learnt: the network's answer, what its error counts at t, and which t come how often (see objective.py)."""

    objective: str = "eps"
    weight: str = "simple"
    times: str = "uniform"

    def __post_init__(self):
        objectives.check(self.objective, self.weight, self.times)


def batches(step, seed, schedule, data, batch, goal=Goal(), noise=None):
    """(x_0, t, eps) for step, step + 1, ...: each depends on (seed, step) and the sizes alone: resuming changes nothing."""
    for chunk in itertools.count(step // CHUNK):
        rng = stream(seed, TRAIN, chunk)
        rows = rng.integers(len(data), size=(CHUNK, batch))
        t = objectives.draw_times(goal.objective, goal.times, schedule, rng, (CHUNK, batch))
        eps = rng.standard_normal((CHUNK, batch, data.shape[1]), data.dtype) if noise is None else noise[rows]
        for k in range(max(0, step - chunk * CHUNK), CHUNK):
            yield data[rows[k]], t[k], eps[k]


def train(
    model,
    state,
    schedule,
    data,
    *,
    steps,
    batch=128,
    lr=1e-3,
    goal=Goal(),
    noise=None,
    max_norm=1.0,
    decay=0.999,
) -> Iterator[State]:
    """Gradient steps on L_simple until state.step == steps, yielding the state after each.    [DDPM algorithm 1]

    data (N, d) in the parameters' dtype. goal says what is learnt; noise (N, d) pairs each row with its own noise, for
    reflow, instead of fresh ones. The state is updated in place: what to print, draw, save and when to stop is
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
    if noise is not None and noise.shape != data.shape:
        raise ValueError(f"noise must have the data's shape {data.shape}, got {noise.shape}")
    return _steps(model, state, schedule, data, steps, batch, lr, goal, noise, max_norm, decay)


def _steps(model, state, schedule, data, steps, batch, lr, goal, noise, max_norm, decay):
    if hasattr(model, "loss_and_grads"):
        gradients = model.loss_and_grads(batch, schedule.T, data.dtype)
    else:
        gradients = partial(loss_and_grads, model)
    for x_0, t, eps in batches(state.step, state.seed, schedule, data, batch, goal, noise):
        if state.step >= steps:
            return
        x_in, t_in, target = objectives.example(goal.objective, schedule, x_0, t, eps)
        weight = objectives.weight_of(goal.weight, goal.objective, schedule, t)
        loss, grads = gradients(state.params, x_in, t_in, target, weight)
        if not math.isfinite(loss):
            raise FloatingPointError(f"the loss is {loss} at step {state.step + 1}; a smaller lr than {lr:g} may help")
        state.step, state.loss = state.step + 1, loss
        update(state.params, state.ema, state.m, state.v, grads, state.step, lr=lr, max_norm=max_norm, decay=decay)
        yield state
