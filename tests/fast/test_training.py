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


def test_data_of_another_dtype_than_the_parameters():
    """float32 parameters and float64 data: an engine that took one for the other would read beyond its arrays."""
    ends = [trained(train, x=X.astype(np.float64)) for train in (readable.train, fast.train)]
    assert all(w.dtype == np.float32 and np.abs(w - ends[1].params[k]).max() < 1e-5 for k, w in ends[0].params.items())


def test_the_state_stays_the_callers():
    """What trained the engine is in the State's own dicts, tensor by tensor."""
    state, before = readable.start(MODEL, 3), None
    params = state.params
    for _ in fast.train(MODEL, state, S, X, steps=2, batch=20):
        before = before or {k: w.copy() for k, w in params.items()}
    assert state.params is params and list(params) == list(MODEL.shapes)
    assert all(params[k].shape == shape for k, shape in MODEL.shapes.items())
    assert any(np.any(params[k] != w) for k, w in before.items())
