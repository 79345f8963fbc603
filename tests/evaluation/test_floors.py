"""What a training loss is compared with, against losses that were drawn."""

import math

import numpy as np
import pytest
from support import COARSE, coarse, perfect, product_of_alphas

from minidiff import objective
from minidiff.continuous import flow
from minidiff.evaluation.floors import floor_of, loss_floor, loss_of_0
from minidiff.exact import Mixture
from minidiff.gaussian import q_sample
from minidiff.objective import target_of
from minidiff.schedule import from_betas

S = coarse()
MIXTURE = Mixture([0.4, 0.6], [[0.8, -0.5], [-0.7, 0.9]], [[[0.3, 0.1], [0.1, 0.2]], 0.25 * np.eye(2)])
OBJECTIVES = {
    "eps": objective.eps_prediction,
    "x0": objective.x_0_prediction,
    "v": objective.v_prediction,
    "flow": flow.velocity_prediction,
}
WEIGHTS = {"simple": None, "derived": objective.derived, "min-snr": objective.min_snr}
TIMES = {"uniform": np.full(6, 1 / 6), "uneven": np.array([0.05, 0.3, 0.25, 0.0, 0.1, 0.3])}  # P(t), t = 1..6


def three():
    """Three Gaussians in the plane, of three widths and directions."""
    weight, mean = [0.5, 0.2, 0.3], [[1.0, -0.5], [-1.2, 0.8], [0.3, 1.5]]
    L = np.random.default_rng(0).standard_normal((3, 2, 2)) * 0.4
    return Mixture(weight, mean, L @ L.mT + 0.02 * np.eye(2))


@pytest.mark.parametrize("t", [1, 3, 6])
def test_loss_floor_is_reached_by_eps_star_and_by_nobody_else(t):
    m, n = three(), 200_000
    floor, error = loss_floor(m, S, t, 20_000, np.random.default_rng(1))
    rng = np.random.default_rng(2)
    x_0, eps = m.sample(n, rng), rng.standard_normal((n, 2))
    x_t = q_sample(S, x_0, t, eps)
    losses = np.sum((eps - m.eps(S, x_t, t)) ** 2, axis=1)
    bound = 7.2 * math.hypot(error, losses.std() / math.sqrt(n))
    assert abs(losses.mean() - floor) < bound
    assert bound < 0.05 * floor + 0.01  # small enough to see an answer that is off by 5 %
    worse = np.sum((eps - 0.9 * m.eps(S, x_t, t)) ** 2, axis=1) - losses  # paired: most of the noise cancels
    assert worse.mean() > 7.2 * worse.std() / math.sqrt(n)


def test_loss_floor_states_its_standard_error():
    """Its error against the spread of 60 estimates: within a factor 2 (60 normals: P < 1e-8, Chernoff)."""
    m = three()
    estimates = np.array([loss_floor(m, S, 3, 500, np.random.default_rng(seed)) for seed in range(60)])
    spread, stated = estimates[:, 0].std(ddof=1), estimates[:, 1].mean()
    assert 0.5 < spread / stated < 2


def test_loss_floor_of_a_gaussian_is_exact():
    """ab s^2 / (ab s^2 + 1 - ab) a coordinate; for ab = 1/2, s = 0.6 it is 0.2647."""
    m = Mixture([1.0], [[0.3, -1.0]], [0.36 * np.eye(2)])
    floor, error = loss_floor(m, from_betas([0.2, 0.375]), 2, 100, np.random.default_rng(0))
    assert abs(floor / 2 - 0.18 / 0.68) < 1e-12 and error < 1e-12
    assert abs(floor / 2 - 0.2647) < 5e-5


@pytest.mark.parametrize("kind", OBJECTIVES)
@pytest.mark.parametrize("t", [1, 3, 6])
def test_floor_of_is_what_the_perfect_answer_loses(kind, t):
    """Brute force, 2e5 draws of the loss of the perfect answer; nine tenths of that answer loses more."""
    n, rng = 200_000, np.random.default_rng(5)
    # a flow's t / 7 runs from noise to data
    process, t = (flow.Straight(), 1000 * (1 - t / 7)) if kind == "flow" else (S, t)
    floor, error = floor_of(OBJECTIVES[kind], MIXTURE, process, t, 20_000, np.random.default_rng(6))
    x_0, eps = MIXTURE.sample(n, rng), rng.standard_normal((n, 2))
    x_t, target = q_sample(process, x_0, t, eps), target_of(OBJECTIVES[kind], process, x_0, t, eps)
    answer = perfect(kind, MIXTURE, process)(x_t, np.full(n, t))
    losses = np.sum((answer - target) ** 2, axis=1)
    bound = 7.2 * math.hypot(error, losses.std() / math.sqrt(n))  # near-normal averages: false alarm 1e-12
    assert abs(losses.mean() - floor) < bound < 0.1 * floor + 0.01
    worse = np.sum((0.9 * answer - target) ** 2, axis=1) - losses
    assert worse.mean() > 7.2 * worse.std() / math.sqrt(n)


@pytest.mark.parametrize("kind", OBJECTIVES)
@pytest.mark.parametrize("weight", WEIGHTS)
@pytest.mark.parametrize("times", TIMES)
def test_answering_0_loses_1_in_the_units_of_the_report(kind, weight, times):
    """loss_of_0 against L_simple's loss of answers of 0 to data of mean square 0.3, by 2e5 draws."""
    asked, process, P, t = OBJECTIVES[kind], S, TIMES[times], np.arange(1, 7)
    if kind == "flow":
        process, t = flow.Straight(), (np.arange(6) + 0.5) * 1000 / 6
        if weight == "derived":
            pytest.skip("flow has no steps to weigh")
    w = WEIGHTS[weight] and objective.weight_of(WEIGHTS[weight], asked, process, t)
    said = loss_of_0(asked, w, P, process, t, 2, 0.3)
    rng, n = np.random.default_rng(2), 200_000
    x_0, eps = math.sqrt(0.3) * rng.choice([-1.0, 1.0], (n, 2)), rng.standard_normal((n, 2))
    rows = rng.choice(6, n, p=P)
    target = target_of(asked, process, x_0, t[rows], eps)
    losses = np.sum(target**2, axis=1) * (1 if w is None else w[rows])
    # a near-normal average: false alarm 1e-12; what it sees is an error of 5 %
    bound = 7.2 * losses.std() / math.sqrt(n)
    assert abs(losses.mean() - said) < bound + 1e-12 < 0.05 * said


def shrunk(signal, noise):
    """x_t itself as what is asked for."""
    return signal, noise


def test_loss_of_0_is_the_sum_over_all_times():
    by_hand = 3 * sum(0.4 * ab + 1 - ab for ab in (product_of_alphas(COARSE, t) for t in range(1, 7))) / 6
    assert abs(loss_of_0(shrunk, None, np.full(6, 1 / 6), S, np.arange(1, 7), 3, 0.4) - by_hand) < 1e-12


def test_the_loss_of_0_has_its_worked_values():
    """eps: d E w; x_0: d E w E x_0^2; of a shrunk target both, and every P_t w_t counts by itself."""
    t, P, w = np.array([1, 4, 6]), np.array([0.5, 0.25, 0.25]), np.array([1.0, 2.0, 8.0])
    assert loss_of_0(objective.eps_prediction, None, P, S, t, 3, 0.3) == 3
    assert loss_of_0(objective.eps_prediction, w, P, S, t, 3, 0.3) == 9
    assert abs(loss_of_0(objective.x_0_prediction, w, P, S, t, 3, 0.3) - 2.7) < 1e-15
    ab = np.array([product_of_alphas(COARSE, k) for k in t])
    want = 2 * np.sum(P * w * (ab * 0.3 + 1 - ab))  # E x_t^2
    assert abs(loss_of_0(shrunk, w, P, S, t, 2, 0.3) - want) < 1e-14
    assert isinstance(loss_of_0(objective.eps_prediction, None, P, S, t, 3, 0.3), float)
