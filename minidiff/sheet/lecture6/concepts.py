"""Questions without numbers on training in practice; ../concepts.py says how they are built."""

import numpy as np

from ...objective import logit_normal
from ...optim import adam, clip, ema_update
from ..compute import compute
from ..concepts import ask, near


def _adam(scale, steps=5):
    """How far Adam moves a weight whose gradient is always `scale`."""
    w, m, v = 0.0, 0.0, 0.0
    for step in range(1, steps + 1):
        w, m, v = adam(w, scale, m, v, step, 0.01)
    return abs(w)


# fmt: off
CONCEPTS = [
    ask("logit-normal", lambda: float(np.diff(logit_normal().cdf(np.array([0.25, 0.75])))[0]),
        "Logit-normal training times (mean 0, std 1). How many fall into the middle half, 1/4 to 3/4?",
        ("more than half of them", lambda p: p > 0.6, "it prefers the middle, where the velocity is hardest to guess"),
        ("half of them", near(0.5, 0.05), "that is the uniform law"),
        ("less than half of them", lambda p: p < 0.4, "it is a bell in the logit, thin at both ends")),
    ask("resolution-shift", lambda: float(compute("resolution-shift", m=4, n=1, t_n="1/2").result),
        "Training moves to pictures of twice the width (t = 1 is noise). To hide as much as t = 1/2 did, t has to be",
        ("larger", lambda t: t > 0.55, "four times the pixels average the noise away"),
        ("the same", near(0.5, 0.05), "the eye averages over more pixels"),
        ("smaller", lambda t: t < 0.45, "more pixels tell more about the picture, so it takes more noise")),
    ask("training-loss", lambda: _adam(1000.0) / _adam(1.0),
        "The loss is multiplied by 1000. What do Adam's steps do (no clipping)?",
        ("they stay", near(1, 1e-4), "each step is the mean gradient over the root of the mean square: the factor cancels"),
        ("they become 1000 times as long", lambda r: r > 900, "that is plain gradient descent"),
        ("they become about 32 times as long", lambda r: 20 < r < 50, "the root is taken of the squared gradient")),
    ask("training-loss", lambda: (clip(10.0, 1.0), ema_update(0.0, 1.0, 0.999)),
        "The weights jump from 0 to 1 in one step. The average (decay 0.999), from which one samples, is then at",
        ("0.001", lambda f: near(0.001)(f[1]), "it follows over about the last 1000 steps"),
        ("0.999", lambda f: near(0.999)(f[1]), "0.999 is the part of the old average that stays"),
        ("1", lambda f: near(1)(f[1]), "then it would be no average")),
]
