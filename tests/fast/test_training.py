"""training: by the engine as by the readable code."""

import numpy as np
from support import coarse

from minidiff import fast, mlp
from minidiff import train as readable

S, MODEL = coarse(), mlp.MLP(3, 16, 2, 8)
X = np.random.default_rng(0).standard_normal((60, 3)).astype(np.float32)


def trained(train, model=MODEL, x=X, **how):
    state = readable.start(model, 3)
    for _ in train(model, state, S, x, steps=3, batch=20, **how):
        pass
    return state


def test_training_by_the_engine_is_training_by_the_readable_code():
    ends = [trained(train) for train in (readable.train, fast.train)]
    for k, w in ends[0].params.items():
        # three steps of Adam; where a gradient is near 0 its sign, and so a step of 1e-3, may depend on its rounding
        assert np.mean(np.abs(w - ends[1].params[k]) > 1e-5) < 0.02, k
