"""An engine runs only while it obeys: before each run a few rows go through it and through the readable code.

Two right answers differ by their roundings: some thousand in a row, of numbers a few times as large as what comes out.
Above 2^14 roundings (0.002 of the largest number in float32) they are not the same function, and the readable one runs.
"""

import math
import sys
from functools import cache

import numpy as np

from ..objective import loss_and_grads
from .mlp import in_a_row, views


@cache
def say(text):
    """A line on stderr, once."""
    print(text, file=sys.stderr, flush=True)


def disagreement(what, readable, engine, least=0.0):
    """A line if the two arrays differ by more than the roundings of numbers of their size (or of `least`), or None."""
    size = max(float(np.abs(readable).max()), least)
    off = float(np.abs(np.subtract(readable, engine, dtype=np.float64)).max())
    if off <= 2**14 * np.finfo(readable.dtype).eps * size:  # not so for NaN
        return None
    return (
        f"{what} disagree by {off / size if size else off:.2g} of its size: what is written runs, more slowly"
    )


def place(f):
    """ "mlp.MLP": where a class or function of the readable code stands."""
    return f"{f.__module__.removeprefix('minidiff.')}.{f.__qualname__}"


def gradients(model, make, T, dtype):
    """Compares make(model, batch, T, dtype) with loss_and_grads on four rows and random parameters: a line, or None.

    (At the initial parameters most gradients are 0, and mistakes in them would not show.)
    """
    rng, B = np.random.default_rng(0), 4
    params = {
        k: (rng.standard_normal(s) / math.sqrt(math.prod(s[:-1]))).astype(dtype)
        for k, s in model.shapes.items()
    }
    x_t, eps = rng.standard_normal((2, B, model.d)).astype(dtype)
    t, weight = rng.integers(1, T + 1, B), 0.5 + rng.random(B)
    told = {"label": rng.integers(0, model.labels + 1, B)} if model.labels else {}
    loss, grads = loss_and_grads(model, params, x_t, t, eps, weight, **told)
    fast_loss, row = make(model, B, T, np.dtype(dtype))(
        in_a_row(params, model.shapes), x_t, t, eps, weight, **told
    )
    fast_grads = views(row, model.shapes)
    least = (
        max(float(np.abs(dw).max()) for dw in grads.values()) / 100
    )  # some are 0 but for rounding: a bias before a norm
    both = f"{place(type(model))}.%s and {place(make)}"
    lines = [
        disagreement(
            f"{both % 'forward'} or objective.l_simple, on the loss,", np.float32([loss]), [fast_loss]
        )
    ]
    lines += [
        disagreement(f"{both % 'backward'}, on {k},", dw, fast_grads[k], least) for k, dw in grads.items()
    ]
    return next(filter(None, lines), None)


def update(readable, engine, dtype):
    """Compares two optimisers on one tensor and its averages: a line, or None."""
    ends = []
    for f in (readable, engine):
        w, ema, m, v, dw = np.random.default_rng(0).standard_normal((5, 30)).astype(dtype)
        tensors = [{"w": a} for a in (w, ema, m, v**2)]
        f(*tensors, {"w": dw}, 3, lr=0.1, max_norm=1.0, decay=0.9)
        ends.append(np.concatenate([a["w"] for a in tensors]))
    return disagreement(f"{place(readable)} and {place(engine)}", *ends)
