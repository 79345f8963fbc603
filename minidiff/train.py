"""Learning to see the noise: algorithm 1, one step after another.

letter   name  shape   meaning
x_0      x_0   (B, d)  rows of the data
t        t     (B,)    a time for each row, 1..T (for a flow 0..1), drawn by goal.times
epsilon  eps   (B, d)  the noise that is mixed in
"""

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from .noise import EPOCH, INIT, TRAIN, stream
from .objective import Objective, Times, loss_and_grads, simple, uniform, v_prediction, weight_of
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
    m, v = ({k: np.zeros_like(w) for k, w in params.items()} for _ in range(2))
    return State(params, {k: w.copy() for k, w in params.items()}, m, v, seed)


@dataclass(frozen=True)
class Goal:
    """What is learnt (objective.py), in how many steps lr rises from 0, which share of labels is dropped."""

    objective: Objective = v_prediction
    weight: Callable = simple
    times: Times = uniform
    warmup: int = 0
    drop: float = 0.1

    def __post_init__(self):
        if not isinstance(self.warmup, int) or self.warmup < 0:
            raise ValueError(f"warmup must be a whole number of at least 0, got {self.warmup!r}")
        if not 0 <= self.drop <= 1:
            raise ValueError(f"drop must lie in [0, 1], got {self.drop!r}")


@lru_cache(maxsize=1)
def _order(seed, epoch, n):
    """The order in which an epoch sees the n rows, 4 bytes a row."""
    order = np.arange(n, dtype=np.uint32 if n < 2**32 else np.uint64)
    stream(seed, EPOCH, epoch).shuffle(order)
    return order


def rows_at(step, seed, n, batch):
    """The rows of the batch for step + 1: epochs follow each other in new orders, none shows a row twice."""
    first, last = step * batch, (step + 1) * batch  # places in all epochs, put end to end
    epochs = range(first // n, (last - 1) // n + 1)
    return np.concatenate([_order(seed, e, n)[max(0, first - e * n) : last - e * n] for e in epochs])


CHUNK = 16  # steps whose random numbers are drawn together: naming a stream costs as much as 4,000 normals


def batches(step, seed, schedule, data, batch, goal=Goal(), noise=None, label=None, null=None):
    """(x_0, t, eps, label) for step, step + 1, ..., each a function of (seed, step): resuming is exact.
    A share goal.drop of the labels (N,) becomes `null`: the network learns to do without as well."""
    for chunk in itertools.count(step // CHUNK):
        rng = stream(seed, TRAIN, chunk)
        t = schedule.time_at(goal.times.draw(rng, (CHUNK, batch)))
        fresh = rng.standard_normal((CHUNK, batch, data.shape[1]), data.dtype) if noise is None else None
        dropped = rng.random((CHUNK, batch)) < goal.drop
        for k in range(max(0, step - chunk * CHUNK), CHUNK):
            rows = rows_at(chunk * CHUNK + k, seed, len(data), batch)
            y = None if label is None else np.where(dropped[k], null, label[rows].astype(int))
            yield data[rows], t[k], fresh[k] if noise is None else noise[rows], y


def train(
    model, state, schedule, data, *, steps, batch=128, lr=1e-3, goal=Goal(), label=None, noise=None,
    max_norm=1.0, decay=0.999, gradients=loss_and_grads, update=update,
) -> Iterator[State]:  # fmt: skip
    """Gradient steps on L_simple until state.step == steps; yields each state.    [DDPM algorithm 1]
    data (N, d) in the parameters' dtype; label (N,) for a model that takes labels; noise (N, d) gives each
    row its own noise, for reflow, instead of fresh ones. The state is updated in place; printing, saving and
    stopping are the caller's. gradients and update may be replaced by faster ones with the same answers
    (fast/). Raises FloatingPointError with the step's number, before anything is updated, if loss or gradient
    is not finite."""
    _check(model, data, steps, batch, lr, label, noise)
    process = goal.objective.process(schedule)

    def learn():
        # lines 2-4 of the algorithm: a row of the data, a time and a noise for each place in the batch
        drawn = batches(state.step, state.seed, process, data, batch, goal, noise, label, model.labels)
        for x_0, t, eps, y in drawn:
            if state.step >= steps:
                return
            # line 5: mix them, ask the network for the target, and see how far off its answer is
            x_in, t_in, target = goal.objective.example(process, x_0, t, eps)
            weight = weight_of(goal.weight, goal.objective, process, t)
            told = {} if y is None else {"label": y}
            loss, grads = gradients(model, state.params, x_in, t_in, target, weight, **told)
            if not math.isfinite(loss):
                raise FloatingPointError(f"the loss is {loss} at step {state.step + 1}; try lr below {lr:g}")
            state.step, state.loss = state.step + 1, loss
            # downhill: slowly at first, while Adam's averages know only a few gradients
            rate = lr * min(1.0, state.step / goal.warmup) if goal.warmup else lr
            ends = {"lr": rate, "max_norm": max_norm, "decay": decay}
            update(state.params, state.ema, state.m, state.v, grads, state.step, **ends)
            yield state

    return learn()


def _check(model, data, steps, batch, lr, label, noise):
    for name, value, most in (("steps", steps, 10**9), ("batch", batch, 10**6)):
        if not isinstance(value, int) or not 1 <= value <= most:
            raise ValueError(f"{name} must be at least 1 and whole, at most {most}, got {value}")
    if len(data) < 1 or data.ndim != 2 or data.shape[1] != model.d:
        raise ValueError(f"data must have the shape (N, {model.d}), got {data.shape}")
    if not 0 < lr < math.inf:
        raise ValueError(f"lr must be positive and finite, got {lr}")
    if noise is not None and noise.shape != data.shape:
        raise ValueError(f"noise must have the data's shape {data.shape}, got {noise.shape}")
    if bool(model.labels) != (label is not None):
        raise ValueError(f"label must be given for a model with labels, and only then: it has {model.labels}")
    whole = np.asarray(label).dtype.kind in "iu" and np.shape(label) == (len(data),)
    if model.labels and not (whole and 0 <= np.min(label) and np.max(label) < model.labels):
        got = f"{label.dtype} {label.shape} from {np.min(label)} to {np.max(label)}"
        raise ValueError(f"label must hold {len(data)} whole numbers in 0..{model.labels - 1}, got {got}")
