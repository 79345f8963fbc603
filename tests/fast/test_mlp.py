"""The MLP's fast gradients against the readable ones."""

import math

import numpy as np
import pytest
from support import coarse, random_params

from minidiff.continuous.flow import Straight, velocity_prediction
from minidiff.fast.mlp import Gradients
from minidiff.gaussian import q_sample
from minidiff.layers import views
from minidiff.mlp import MLP
from minidiff.objective import (
    derived,
    eps_prediction,
    loss_and_grads,
    min_snr,
    target_of,
    v_prediction,
    weight_of,
    x_0_prediction,
)  # fmt: skip

S = coarse()
OBJECTIVES = {
    "eps": (eps_prediction, S),
    "x0": (x_0_prediction, S),
    "v": (v_prediction, S),
    "flow": (velocity_prediction, Straight()),
}


@pytest.mark.parametrize("kind", OBJECTIVES)
@pytest.mark.parametrize("weight", [None, derived, min_snr])
def test_the_fast_gradient_with_a_weight_is_the_definition(kind, weight):
    if kind == "flow" and weight == derived:
        pytest.skip("flow has no steps to weigh")
    (asked, process), model, rng = OBJECTIVES[kind], MLP(2, 16, 1, 8), np.random.default_rng(1)
    params, (x_0, eps) = random_params(model, rng), rng.standard_normal((2, 150, 2))
    t = process.T * rng.random(150) if kind == "flow" else rng.integers(1, S.T + 1, 150)
    x_t, target = q_sample(process, x_0, t, eps), target_of(asked, process, x_0, t, eps)
    w = weight and weight_of(weight, asked, process, t)
    loss, grads = Gradients(model, 150, S.T, np.float64)(params, x_t, t, target, weight=w)
    want_loss, want = loss_and_grads(model, params, x_t, t, target, weight=w)
    assert math.isclose(loss, want_loss, rel_tol=1e-12)
    got, want = views(grads, model.shapes), views(want, model.shapes)
    assert all(np.abs(got[k] - want[k]).max() < 1e-12 * np.abs(want[k]).max() for k in want)
    answer = model.forward(params, x_t, t)[0]
    by_hand = np.mean((1 if w is None else w) * np.sum((answer - target) ** 2, axis=1))
    assert math.isclose(want_loss, by_hand, rel_tol=1e-12)


def test_gradients_stay_the_callers():
    """Those of the first call are not overwritten by the second, in one block or in three."""
    model, rng = MLP(2, 16, 1, 8), np.random.default_rng(1)
    params = random_params(model, rng)
    for rows in (20, 300):
        x_t, target = rng.standard_normal((2, rows, 2))
        t, engine = rng.integers(1, 7, rows), Gradients(model, rows, 6, np.float64)
        _, first = engine(params, x_t, t, target)
        before = first.copy()
        _, second = engine(params, 2 * x_t, t, target)
        assert np.array_equal(first, before) and not np.allclose(first, second)
