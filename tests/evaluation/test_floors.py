"""What a training loss is compared with, against losses that were drawn."""

import math

import numpy as np
import pytest
from support import COARSE, coarse, perfect, product_of_alphas

from minidiff import objective
from minidiff.evaluation.floors import floor_of, loss_of_0
from minidiff.exact import Mixture
from minidiff.gaussian import q_sample
from minidiff.runs.names import OBJECTIVES, TIMES, WEIGHTS

S = coarse()
MIXTURE = Mixture([0.4, 0.6], [[0.8, -0.5], [-0.7, 0.9]], [[[0.3, 0.1], [0.1, 0.2]], 0.25 * np.eye(2)])


@pytest.mark.parametrize("kind", OBJECTIVES)
@pytest.mark.parametrize("t", [1, 3, 6])
def test_floor_of_is_what_the_perfect_answer_loses(kind, t):
    """Brute force, 2e5 draws of the loss of the perfect answer; nine tenths of that answer loses more."""
    n, rng = 200_000, np.random.default_rng(5)
    t, asked = t / 7 if kind == "flow" else t, OBJECTIVES[kind]
    process = asked.process(S)
    floor, error = floor_of(asked, MIXTURE, process, t, 20_000, np.random.default_rng(6))
    x_in, t_in, target = asked.example(
        process, MIXTURE.sample(n, rng), np.full(n, t), rng.standard_normal((n, 2))
    )
    answer = perfect(kind, MIXTURE, S)(x_in, t_in)
    losses = np.sum((answer - target) ** 2, axis=1)
    bound = 7.2 * math.hypot(error, losses.std() / math.sqrt(n))  # near-normal averages: false alarm 1e-12
    assert abs(losses.mean() - floor) < bound < 0.1 * floor + 0.01
    worse = np.sum((0.9 * answer - target) ** 2, axis=1) - losses
    assert worse.mean() > 7.2 * worse.std() / math.sqrt(n)


@pytest.mark.parametrize("kind", OBJECTIVES)
@pytest.mark.parametrize("weight", WEIGHTS)
@pytest.mark.parametrize("times", TIMES)
def test_answering_0_loses_1_in_the_units_of_the_report(kind, weight, times):
    """loss_of_0 against the loss that L_simple finds for answers of 0 on data of mean square 0.3, by 2e5 draws."""
    if kind == "flow" and weight == "derived":
        pytest.skip("flow has no steps to weigh")
    asked, process, rng, n = OBJECTIVES[kind], OBJECTIVES[kind].process(S), np.random.default_rng(2), 200_000
    x_0, eps = math.sqrt(0.3) * rng.choice([-1.0, 1.0], (n, 2)), rng.standard_normal((n, 2))
    t = process.time_at(TIMES[times].draw(rng, n))
    target, w = (
        asked.example(process, x_0, t, eps)[2],
        objective.weight_of(WEIGHTS[weight], asked, process, t),
    )
    losses = (1 if w is None else w) * np.sum(target**2, axis=1)
    said = loss_of_0(asked, WEIGHTS[weight], TIMES[times], process, 2, 0.3)
    # a near-normal average: false alarm 1e-12; what it sees is an error of 5 %
    bound = 7.2 * losses.std() / math.sqrt(n)
    assert abs(losses.mean() - said) < bound + 1e-12 < 0.05 * said


def test_loss_of_0_is_the_sum_over_all_times():
    by_hand = 3 * sum(0.4 * ab + 1 - ab for ab in (product_of_alphas(COARSE, t) for t in range(1, 7))) / 6
    shrunk = objective.Objective(lambda schedule, x_0, t, eps: q_sample(schedule, x_0, t, eps))
    assert abs(loss_of_0(shrunk, objective.simple, objective.uniform, S, 3, 0.4) - by_hand) < 1e-12
