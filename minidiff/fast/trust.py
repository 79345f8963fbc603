"""An engine runs only while it obeys: before it does, some rows go through it and through the readable code.

What is compared is what will run: blocks of the run's sizes, its times at the start, in the middle and at the
end. Two right answers differ by their roundings: some thousand in a row, of numbers a few times as large as
what comes out. Above 2^14 roundings (0.002 of the largest number in float32) they are not the same function,
and the readable one runs.
"""

import sys
from functools import cache

import numpy as np

from ..layers import views
from ..objective import loss_and_grads
from ..optim import State


@cache
def say(text):
    """A line on stderr, once."""
    print(text, file=sys.stderr, flush=True)


def disagree(what, how_far):
    """The line that is said."""
    return f"{what} disagree{how_far}: what is written runs, more slowly"


def disagreement(what, readable, engine, least=0.0):
    """A line if the two arrays differ by more than the roundings of numbers of their size (or of `least`)."""
    size = max(float(np.abs(readable).max()), least)
    off = float(np.abs(np.subtract(readable, engine, dtype=np.float64)).max())
    if off <= 2**14 * np.finfo(readable.dtype).eps * size:  # not so for NaN
        return None
    return disagree(what, f" by {off / size if size else off:.2g} of its size")


def place(f):
    """ "mlp.MLP": where a class or function of the readable code stands."""
    return f"{f.__module__.removeprefix('minidiff.')}.{f.__qualname__}"


def gradients(engine, T, whole, told):
    """Compares an engine of fast/mlp.py or fast/unet.py with loss_and_grads: a line, or None.

    As many rows as it takes, random parameters (at the initial ones most gradients are 0, and mistakes in
    them would not show), times from 1 to T, whole numbers or not, and labels if it is told any.
    """
    model, B, real = engine.model, engine.batch, engine.dtype
    rng, shapes = np.random.default_rng(0), model.shapes
    params = model.init(rng, real)
    params += (rng.standard_normal(len(params)) / 16).astype(real)
    x_t, target = rng.standard_normal((2, B, model.d)).astype(real)
    t = rng.permutation(np.linspace(1, T, B))
    label = [rng.integers(0, model.labels + 1, B)] if told else []
    args = params, x_t, t.astype(int) if whole else t, target, *label
    weight = 0.5 + rng.random(B)
    loss, grads = loss_and_grads(model, *args, weight=weight)
    fast_loss, fast_grads = engine(*args, weight=weight)
    both = f"{place(type(model))}.%s and {place(type(engine))}"
    what = f"{both % 'forward'} or objective.l_simple, on the loss,"
    lines = [disagreement(what, np.array([loss], real), [fast_loss])]
    law, got = views(grads, shapes), views(fast_grads, shapes)
    least = max(float(np.abs(dw).max()) for dw in law.values()) / 100  # some are 0: a bias before a norm
    for name, dw in law.items():
        lines.append(disagreement(f"{both % 'backward'}, on {name},", dw, got[name], least))
    return next(filter(None, lines), None)


def update(readable, engine, dtype):
    """Compares two optimisers at steps near and far, with gradients that are clipped or not."""
    rng = np.random.default_rng(0)
    for step in (0, 1, 9, 99, 999, 9999, 99999):
        ema, m, v, dw = rng.standard_normal((4, 37)).astype(dtype)
        ends = []
        for f in (readable, engine):
            state = State(np.zeros(37, dtype), ema.copy(), m.copy(), v**2, step)
            f(state, dw if step % 2 else dw / 16)
            ends.append([state.params, state.ema, state.m, state.v])
        for law, got in zip(*ends):
            if said := disagreement(f"{place(readable)} and {place(engine)}", law, got):
                return said
    return None
