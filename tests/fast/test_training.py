"""training: by the engine as by the readable code."""

from functools import partial
from itertools import islice

import numpy as np
import pytest
from support import coarse, random_params

from minidiff import ddpm, fast, mlp, optim
from minidiff.fast import training
from minidiff.layers import views
from minidiff.objective import loss_and_grads, v_prediction

S, MODEL = coarse(), mlp.MLP(3, 16, 2, 8)
X = np.random.default_rng(0).standard_normal((60, 3)).astype(np.float32)


def start(model=MODEL):
    return optim.start(model.init(np.random.default_rng(3)))


def batches(x=X, size=20):
    return islice(ddpm.batches(x, S.T, np.random.default_rng(4), size), 3)


def trained(train, model=MODEL, x=X, size=20, **how):
    state = start(model)
    for _ in train(model, state, S, batches(x, size), **how):
        pass
    return state


def assert_alike(state, other, off=1e-5):
    """Three steps of Adam; where a gradient is near 0 its rounding may decide the sign of a step of 1e-3."""
    ends = [views(s.params, MODEL.shapes) for s in (state, other)]
    for k, w in ends[0].items():
        assert w.dtype == ends[1][k].dtype == np.float32 and np.mean(np.abs(w - ends[1][k]) > off) < 0.02, k


@pytest.mark.parametrize("size", [20, 70, 300])
@pytest.mark.parametrize("objective", [ddpm.eps_prediction, v_prediction])
def test_training_by_the_engine_is_training_by_the_readable_code(size, objective):
    law, state = (trained(t, size=size, objective=objective) for t in (ddpm.train, fast.train))
    assert_alike(law, state)
    assert state.step == law.step == 3 and abs(state.loss / law.loss - 1) < 1e-4
    assert np.abs(state.ema - law.ema).max() < 1e-3 and np.abs(state.m - law.m).max() < 1e-4


def test_another_update_is_the_callers():
    faster = partial(fast.trusted_update(np.float32), lr=0.1)
    assert_alike(
        trained(ddpm.train, update=partial(optim.update, lr=0.1)), trained(fast.train, update=faster), 1e-3
    )


def test_data_of_another_dtype_than_the_parameters():
    """float32 parameters and float64 data: the readable gradients run, whose first loss has the same bits."""
    ends = [trained(train, x=X.astype(np.float64)) for train in (ddpm.train, fast.train)]
    first = []
    for train in (ddpm.train, fast.train):
        state = start()
        # W_out begins at 0, where the loss is the target's size for any network
        state.params += np.float32(0.1)
        first.append(next(train(MODEL, state, S, batches(X.astype(np.float64)))).loss)
    assert first[0] == first[1]
    assert ends[0].params.dtype == np.float32 and np.abs(ends[0].params - ends[1].params).max() < 1e-5


def test_the_state_stays_the_callers():
    """What is trained is in the State's own vectors."""
    state = start()
    params, before = state.params, state.params.copy()
    for _ in fast.train(MODEL, state, S, batches()):
        pass
    assert state.params is params and np.any(params != before)


def test_two_generators_on_one_state_take_turns():
    """Also when a caller writes into a tensor, or puts another vector in the place of the parameters."""
    ends = []
    for train, update in ((ddpm.train, optim.update), (fast.train, fast.update)):
        state = start()
        one, two = (train(MODEL, state, S, batches(), update=partial(update, lr=lr)) for lr in (1e-3, 1e-2))
        for states in (one, two, one):
            next(states)
        views(state.params, MODEL.shapes)["W_0"][...] += np.float32(1)
        state.ema = state.ema.copy()
        next(two)
        ends.append(state)
    assert ends[0].step == ends[1].step == 4
    assert_alike(*ends, 1e-4)


@pytest.mark.parametrize("t", [np.arange(20) * 1000, np.linspace(0, 6, 20), np.full(20, 6)])
def test_times_of_every_kind(t):
    """A time that the table of embeddings does not have is embedded, not read beyond it; so is a real one."""
    params = random_params(MODEL, np.random.default_rng(0))
    x_t, target = np.random.default_rng(1).random((2, 20, 3))
    loss, grads = fast.gradients(MODEL, S.T, np.float64)(MODEL, params, x_t, t, target)
    want_loss, want = loss_and_grads(MODEL, params, x_t, t, target)
    assert loss == pytest.approx(want_loss, rel=1e-12)
    assert np.abs(grads - want).max() < 1e-12 * np.abs(want).max()


def test_what_an_engine_does_not_take_is_readable():
    """One time for all rows, a model without an engine, and a target of another shape, which is refused."""
    params = random_params(MODEL, np.random.default_rng(0))
    x_t, target = np.random.default_rng(1).random((2, 20, 3))
    sooner = fast.gradients(MODEL, S.T, np.float64)
    loss, grads = sooner(MODEL, params, x_t, 3, target)
    want_loss, want = loss_and_grads(MODEL, params, x_t, 3, target)
    assert loss == want_loss and np.array_equal(grads, want)
    with pytest.raises(ValueError, match="one shape"):
        sooner(MODEL, params, x_t, np.full(20, 3), target[:, :1])

    class Other(mlp.MLP):
        pass

    assert fast.gradients(Other(3), S.T, np.float64) is loss_and_grads
    assert set(training.ENGINES) == {mlp.MLP, training.UNet}


def test_update_refuses_what_optim_refuses():
    """Before anything changes, with the same words; a finite gradient of infinite square is clipped to 0."""
    for bad in (np.nan, np.inf):
        said = []
        for update in (optim.update, fast.update):
            state, grads = start(), np.ones(len(start().params), np.float32)
            grads[5], before = bad, state.params.copy()
            with pytest.raises(FloatingPointError, match="not finite at step 1; try lr below 0.1") as error:
                update(state, grads, lr=0.1)
            said.append(str(error.value))
            assert state.step == 0 and np.array_equal(state.params, before) and not state.m.any()
        assert said[0] == said[1]
    ends = []
    for update in (optim.update, fast.update):
        state, grads = start(), np.full(len(start().params), 1e30, np.float32)
        with np.errstate(over="ignore"):
            update(state, grads)
        ends.append(state)
    assert np.array_equal(ends[0].params, ends[1].params) and ends[1].step == 1
