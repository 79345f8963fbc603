"""The MLP's fast gradients against the readable ones."""

import math

import numpy as np
import pytest
from support import by_engine, coarse

from minidiff import objective
from minidiff.fast.mlp import Gradients
from minidiff.mlp import MLP
from minidiff.objective import loss_and_grads
from minidiff.runs.names import OBJECTIVES, WEIGHTS

S = coarse()


@pytest.mark.parametrize("kind", OBJECTIVES)
@pytest.mark.parametrize("weight", ["simple", "derived", "min-snr"])
def test_the_fast_gradient_with_a_weight_is_the_definition(kind, weight):
    if kind == "flow" and weight == "derived":
        pytest.skip("flow has no steps to weigh")
    asked, process = OBJECTIVES[kind], OBJECTIVES[kind].process(S)
    model, rng = MLP(2, 16, 1, 8), np.random.default_rng(1)
    params = {k: 0.3 * rng.standard_normal(s) for k, s in model.shapes.items()}
    t = process.time_at(rng.random(150))
    x_in, t_in, target = asked.example(
        process, rng.standard_normal((150, 2)), t, rng.standard_normal((150, 2))
    )
    w = objective.weight_of(WEIGHTS[weight], asked, process, t)
    fast = by_engine(Gradients(model, 150, S.T, np.float64), model, params, x_in, t_in, target, w)
    slow = loss_and_grads(model, params, x_in, t_in, target, w)
    assert math.isclose(fast[0], slow[0], rel_tol=1e-12)
    assert all(np.abs(fast[1][k] - slow[1][k]).max() < 1e-12 * np.abs(slow[1][k]).max() for k in params)
    answer = model.forward(params, x_in, t_in)[0]
    by_hand = np.mean((1 if w is None else w) * np.sum((answer - target) ** 2, axis=1))
    assert math.isclose(slow[0], by_hand, rel_tol=1e-12)
