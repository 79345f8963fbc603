"""training: by the engine as by the readable code."""

import numpy as np
from support import coarse

from minidiff import fast, mlp
from minidiff import train as readable
from minidiff.objective import Objective

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
    """float32 parameters and float64 data: the readable gradients run, whose first loss is the same to the bit."""
    ends = [trained(train, x=X.astype(np.float64)) for train in (readable.train, fast.train)]
    first = []
    for train in (readable.train, fast.train):
        state = readable.start(MODEL, 3)
        state.params["W_out"] += np.float32(
            0.1
        )  # it begins at 0, where the loss is the target's size for any network
        first.append(next(train(MODEL, state, S, X.astype(np.float64), steps=1)).loss)
    assert first[0] == first[1]
    assert all(
        w.dtype == np.float32 and np.abs(w - ends[1].params[k]).max() < 1e-5
        for k, w in ends[0].params.items()
    )


def test_the_state_stays_the_callers():
    """What trained the engine is in the State's own dicts, tensor by tensor."""
    state, before = readable.start(MODEL, 3), None
    params = state.params
    for _ in fast.train(MODEL, state, S, X, steps=2, batch=20):
        before = before or {k: w.copy() for k, w in params.items()}
    assert state.params is params and list(params) == list(MODEL.shapes)
    assert all(params[k].shape == shape for k, shape in MODEL.shapes.items())
    assert any(np.any(params[k] != w) for k, w in before.items())


def test_two_generators_on_one_state_take_turns():
    """Each finds the tensors where the other has put them, also when a caller replaces one."""
    ends = []
    for train in (readable.train, fast.train):
        state = readable.start(MODEL, 3)
        one, two = (train(MODEL, state, S, X, steps=10, batch=20, lr=lr) for lr in (1e-3, 1e-2))
        for states in (one, two, one):
            next(states)
        state.params["W_0"] = state.params["W_0"] + np.float32(1)
        next(two)
        ends.append(state)
    assert ends[0].step == ends[1].step == 4
    for k, w in ends[0].params.items():
        assert np.mean(np.abs(w - ends[1].params[k]) > 1e-4) < 0.02, k


def test_a_clock_that_runs_beyond_T():
    """An integer time that the table of embeddings does not have is embedded, not read beyond the table."""
    goal = readable.Goal(Objective(lambda schedule, x_0, t, eps: eps, lambda schedule, t: (1.0, 1000 * t)))
    ends = [trained(train, goal=goal) for train in (readable.train, fast.train)]
    assert all(np.mean(np.abs(w - ends[1].params[k]) > 1e-5) < 0.02 for k, w in ends[0].params.items())
