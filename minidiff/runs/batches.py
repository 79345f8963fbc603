"""What training sees: rows in epochs, a time and a noise for each. A batch depends on seed and step alone.

letter   name  meaning
u        u     a part of the way from data to noise, in [0, 1]; a Schedule's step t = ceil(T u)
"""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

import numpy as np

from ..continuous.flow import Straight
from ..noise import TRAIN, stream
from ..objective import v_prediction

EPOCH = 6  # the purpose of random streams that order an epoch, next to noise.py's
CHUNK = 16  # steps whose random numbers are drawn together: naming a stream costs as much as 4,000 normals


@dataclass(frozen=True, eq=False)
class Times:
    """Which times training sees, as parts u of the way: draw(rng, shape) -> u, and cdf(u)."""

    draw: Callable
    cdf: Callable


def logit_normal(mean=0.0, std=1.0) -> Times:
    """u = sigmoid(mean + std z): the middle, which is hardest, comes most often.    [SD3 section 3.1]"""

    def draw(rng, shape):
        return 1 / (1 + np.exp(-mean - std * rng.standard_normal(shape)))

    def cdf(u):
        inner = np.clip(u, 1e-300, 1 - 1e-16)
        return np.vectorize(NormalDist(mean, std).cdf)(np.log(inner) - np.log1p(-inner))

    return Times(draw, cdf)


uniform = Times(lambda rng, shape: rng.random(shape), lambda u: u)


def time_of(process, u) -> np.ndarray:
    """The time that a part u of the way stands for: a whole step 1..T of a Schedule; on the straight path,
    where u counts from noise, T (1 - u)."""
    if isinstance(process, Straight):
        return process.T * (1 - np.asarray(u))
    return np.clip(np.ceil(process.T * np.asarray(u)), 1, process.T).astype(int)


def probabilities(times, process):
    """Times t (n,) and the probability P (n,) with which training sees each."""
    n = process.T * -(-1000 // process.T)  # parts of the way, a whole number of them for each t
    P = np.diff(times.cdf(np.arange(n + 1) / n))
    return time_of(process, (np.arange(n) + 0.5) / n), P


@dataclass(frozen=True)
class Goal:
    """What is learnt: the objective; the weight of an error (None: all alike, or a function like
    objective.derived); which times; in how many steps lr rises from 0; which share of labels is dropped."""

    objective: Callable = v_prediction
    weight: Callable | None = None
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


def rows_at(step, seed, n, batch) -> np.ndarray:
    """The rows of the batch for step + 1. Epochs follow each other in new orders; each shows a row once."""
    first, last = step * batch, (step + 1) * batch  # places in all epochs, put end to end
    epochs = range(first // n, (last - 1) // n + 1)
    parts = [_order(seed, e, n)[max(0, first - e * n) : last - e * n] for e in epochs]
    return np.concatenate(parts)


def batches(
    data, process, seed, step=0, batch=128, *, times=uniform, label=None, null=None, drop=0.1, noise=None
) -> Iterator[tuple]:
    """(x_0, t, eps), or with labels (x_0, t, eps, label), for step, step + 1, ...: resuming is exact.

    data (N, d). label (N,): a share `drop` of them becomes `null`, so that the network learns to do without
    as well. noise (N, d) gives each row its own noise, for reflow, instead of fresh ones.
    """
    for chunk in itertools.count(step // CHUNK):
        rng = stream(seed, TRAIN, chunk)
        t = time_of(process, times.draw(rng, (CHUNK, batch)))
        if noise is None:
            fresh = rng.standard_normal((CHUNK, batch, data.shape[1]), data.dtype)
        dropped = rng.random((CHUNK, batch)) < drop
        for k in range(max(0, step - chunk * CHUNK), CHUNK):
            rows = rows_at(chunk * CHUNK + k, seed, len(data), batch)
            eps = fresh[k] if noise is None else noise[rows]
            if label is None:
                yield data[rows], t[k], eps
            else:
                yield data[rows], t[k], eps, np.where(dropped[k], null, label[rows].astype(int))


def check(data, d, labels, steps, batch, lr, label=None):
    """Raises ValueError for what does not fit a network of d coordinates that is told `labels` labels."""
    for name, value, most in (("steps", steps, 10**9), ("batch", batch, 10**6)):
        if not isinstance(value, int) or not 1 <= value <= most:
            raise ValueError(f"{name} must be at least 1 and whole, at most {most}, got {value}")
    if len(data) < 1 or data.ndim != 2 or data.shape[1] != d:
        raise ValueError(f"data must have the shape (N, {d}), got {data.shape}")
    if not 0 < lr < np.inf:
        raise ValueError(f"lr must be positive and finite, got {lr}")
    if bool(labels) != (label is not None):
        raise ValueError(f"label must be given for a model with labels, and only then: it has {labels}")
    whole = np.asarray(label).dtype.kind in "iu" and np.shape(label) == (len(data),)
    if labels and not (whole and 0 <= np.min(label) and np.max(label) < labels):
        got = f"{label.dtype} {label.shape} from {np.min(label)} to {np.max(label)}"
        raise ValueError(f"label must hold {len(data)} whole numbers in 0..{labels - 1}, got {got}")
