"""An engine runs only while it obeys: before it does, some rows go through it and through the readable code.

What is compared is what will run: blocks of the run's sizes, its times at the start, in the middle and at the
end. Two right answers differ by their roundings: some thousand in a row, of numbers a few times as large as
what comes out. Above 2^14 roundings (0.002 of the largest number in float32) they are not the same function,
and the readable one runs.
"""

import math
import sys
from functools import cache

import numpy as np

from ..layers import views
from ..objective import loss_and_grads
from ..optim import State

SO = "what is written runs, more slowly"


@cache
def say(text):
    """A line on stderr, once."""
    print(text, file=sys.stderr, flush=True)


def disagreement(what, readable, engine, least=0.0):
    """A line if the two arrays differ by more than the roundings of numbers of their size (or of `least`)."""
    size = max(float(np.abs(readable).max()), least)
    off = float(np.abs(np.subtract(readable, engine, dtype=np.float64)).max())
    if off <= 2**14 * np.finfo(readable.dtype).eps * size:  # not so for NaN
        return None
    return f"{what} disagree by {off / size if size else off:.2g} of its size: {SO}"


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
    tensors = [rng.standard_normal(s).ravel() / math.sqrt(math.prod(s[:-1])) for s in shapes.values()]
    x_t, target = rng.standard_normal((2, B, model.d)).astype(real)
    t = rng.permutation(np.linspace(1, T, B))
    label = [rng.integers(0, model.labels + 1, B)] if told else []
    args = np.concatenate(tensors).astype(real), x_t, t.astype(int) if whole else t, target, *label
    weight = 0.5 + rng.random(B)
    loss, grads = loss_and_grads(model, *args, weight=weight)
    fast_loss, fast_grads = engine(*args, weight=weight)
    both = f"{place(type(model))}.%s and {place(type(engine))}"
    said = disagreement(f"{both % 'forward'}, on the loss,", np.array([loss], real), [fast_loss])
    got = views(fast_grads, shapes)
    least = float(np.abs(grads).max()) / 100  # some are 0: a bias before a norm
    for name, dw in views(grads, shapes).items():
        said = said or disagreement(f"{both % 'backward'}, on {name},", dw, got[name], least)
    return said


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
            if said := disagreement("optim.update and fast.update", law, got):
                return said
    return None
