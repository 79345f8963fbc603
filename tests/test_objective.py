"""objective: four questions to one network, one answer; and what training makes of them."""

import math
from itertools import islice
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import COARSE, DTYPES, assert_gradient, betas, coarse, perfect, product_of_alphas, seeds

from minidiff import objective
from minidiff.continuous import flow
from minidiff.continuous.process import VP
from minidiff.evaluation.floors import loss_of_0
from minidiff.exact import Mixture
from minidiff.gaussian import posterior
from minidiff.mlp import MLP
from minidiff.objective import l_simple
from minidiff.runs.names import OBJECTIVES, TIMES, WEIGHTS, goal_of, load
from minidiff.schedule import from_betas, linear_scaled
from minidiff.train import Goal, batches, start, train

S = coarse()
MIXTURE = Mixture([0.4, 0.6], [[0.8, -0.5], [-0.7, 0.9]], [[[0.3, 0.1], [0.1, 0.2]], 0.25 * np.eye(2)])


def line(ab):
    """t and kappa: kappa x_t = t x_0 + (1 - t) eps."""
    kappa = 1 / (math.sqrt(ab) + math.sqrt(1 - ab))
    return kappa * math.sqrt(ab), kappa


@pytest.mark.parametrize("kind", OBJECTIVES)
@given(betas, seeds, st.data())
def test_every_perfect_answer_is_eps_star(kind, b, seed, draw):
    s = from_betas(b)
    x, t = 2 * np.random.default_rng(seed).standard_normal((4, 2)), draw.draw(st.integers(1, len(b)))
    eps_theta = objective.denoiser(perfect(kind, MIXTURE, s), OBJECTIVES[kind], s)
    # 1 / sqrt(1 - ab) <= 32 enlarges roundings
    assert np.abs(eps_theta(x, t) - MIXTURE.eps(s, x, t)).max() < 1e-12
    times = np.random.default_rng(seed).integers(1, len(b) + 1, size=4)
    assert np.abs(eps_theta(x, times) - MIXTURE.eps(s, x, times)).max() < 1e-12


@pytest.mark.parametrize("kind", OBJECTIVES)
def test_every_perfect_answer_is_eps_star_in_continuous_time(kind):
    x = np.random.default_rng(0).standard_normal((4, 2))
    eps_theta = objective.denoiser(perfect(kind, MIXTURE, VP()), OBJECTIVES[kind], VP())
    assert np.abs(eps_theta(x, 0.3) - MIXTURE.eps(VP(), x, 0.3)).max() < 1e-12


@given(betas, seeds, st.data())
def test_targets_and_inputs(b, seed, draw):
    """What is asked for, by hand; and a network that answers the target makes a denoiser that answers eps."""
    s, rng, t = from_betas(b), np.random.default_rng(seed), draw.draw(st.integers(1, len(b)))
    x_0, eps, ab = rng.standard_normal((3, 2)), rng.standard_normal((3, 2)), product_of_alphas(b, t)
    root, rest = math.sqrt(ab), math.sqrt(1 - ab)
    (r, kappa), x_t = line(ab), root * x_0 + rest * eps
    targets = {"eps": eps, "x0": x_0, "v": root * eps - rest * x_0, "flow": x_0 - eps}
    for kind, target in targets.items():
        times = np.full(3, r if kind == "flow" else t)
        x_in, t_in, got = OBJECTIVES[kind].example(OBJECTIVES[kind].process(s), x_0, times, eps)
        assert np.abs(got - target).max() < 1e-13
        assert np.abs(x_in - (kappa * x_t if kind == "flow" else x_t)).max() < 1e-13
        assert np.abs(t_in - (1000 * r if kind == "flow" else t)).max() < 1e-9
        seen = []
        denoiser = objective.Denoiser(
            lambda x, t, target=got, seen=seen: seen.append((x, t)) or target, OBJECTIVES[kind], s
        )
        assert np.abs(denoiser(x_t, t) - eps).max() < 1e-11
        # the same network input in sampling as in training
        assert np.abs(seen[0][0] - x_in).max() < 1e-12 and np.abs(np.asarray(seen[0][1]) - t_in).max() < 1e-9


def test_weights_count_what_they_say():
    """derived: ||difference of the two posterior means||^2 / (2 beta_t), by the posterior; min-snr: x_0's error, cut at 5."""
    eps, wrong, x_0 = 0.7, 0.4, 0.3
    for t in range(2, 7):
        ab = product_of_alphas(COARSE, t)
        x_t = math.sqrt(ab) * x_0 + math.sqrt(1 - ab) * eps
        x_0_hat = (x_t - math.sqrt(1 - ab) * wrong) / math.sqrt(ab)
        apart = posterior(S, x_0, x_t, t, t - 1)[0] - posterior(S, x_0_hat, x_t, t, t - 1)[0]
        assert abs(objective.derived(S, t) * (eps - wrong) ** 2 - apart**2 / (2 * COARSE[t - 1])) < 1e-12
        counted = min(ab / (1 - ab), 5) * (x_0 - x_0_hat) ** 2
        assert abs(objective.min_snr(S, t) * (eps - wrong) ** 2 - counted) < 1e-12
    assert objective.min_snr(S, 1) < 1 == objective.min_snr(S, 6)  # SNR_1 = 19 is cut, SNR_6 = 0.4 is not
    assert objective.simple(S, 3) is None


@pytest.mark.parametrize("kind", ["eps", "x0", "v"])
@pytest.mark.parametrize("weight", ["derived", "min-snr"])
def test_a_weight_means_the_same_error_for_every_objective(kind, weight):
    """weight_of times the squared error of the answer is the weight times the squared error of eps_hat."""
    t, x, out = np.arange(1, 7), np.full((6, 1), 0.3), np.full((6, 1), 0.2)
    eps_hat = [
        objective.Denoiser(lambda x, t, o=o: o, OBJECTIVES[kind], S)(x, t)[:, 0] for o in (out, out + 0.5)
    ]
    w = objective.weight_of(WEIGHTS[weight], OBJECTIVES[kind], S, t)
    assert np.abs(w * 0.25 - WEIGHTS[weight](S, t) * (eps_hat[1] - eps_hat[0]) ** 2).max() < 1e-12
    assert objective.weight_of(objective.simple, OBJECTIVES[kind], S, t) is None


def assert_shares(u, cdf):
    """sup |F_n - F| <= sqrt(log(2 / delta) / 2n) (Dvoretzky, Kiefer, Wolfowitz, Massart), delta = 1e-12."""
    u, n = np.sort(u), len(u)
    F = np.array([cdf(v) for v in u])
    assert max(np.max(F - np.arange(n) / n), np.max(np.arange(1, n + 1) / n - F)) <= math.sqrt(
        math.log(2e12) / (2 * n)
    )


def test_times_for_training():
    rng, n = np.random.default_rng(0), 20_000
    normal = NormalDist()
    assert_shares(objective.uniform.draw(rng, n), lambda v: v)
    assert_shares(objective.logit_normal().draw(rng, n), lambda v: normal.cdf(math.log(v / (1 - v))))
    assert_shares(
        objective.logit_normal(1.0, 0.5).draw(rng, n), lambda v: normal.cdf((math.log(v / (1 - v)) - 1) / 0.5)
    )
    for kind in OBJECTIVES:
        for times in TIMES:
            t = OBJECTIVES[kind].process(S).time_at(TIMES[times].draw(rng, (n,)))
            if kind == "flow":
                assert t.dtype == np.float64 and 0 <= t.min() < 0.1 and 0.9 < t.max() <= 1
                continue
            assert t.dtype.kind == "i" and t.min() == 1 and t.max() == 6
            share = [1 / 6] * 6 if times == "uniform" else np.diff(  # P(t - 1 < 6 u <= t)
                [0, *(normal.cdf(math.log(k / (6 - k))) for k in range(1, 6)), 1])  # fmt: skip
            got = np.bincount(t, minlength=7)[1:] / n
            assert np.abs(got - share).max() < 7.2 * 0.5 / math.sqrt(n)  # sqrt(p (1 - p)) <= 1/2


@pytest.mark.parametrize("kind", OBJECTIVES)
def test_training_comes_near_the_floor_of_each_objective(kind):
    """From the loss of knowing nothing to 0.1 (flow 0.15) above what the perfect answer loses in the same batches."""
    s, toy, goal = linear_scaled(50), load("mixture"), Goal(OBJECTIVES[kind])
    process = goal.objective.process(s)
    model, losses = MLP(2, 64, 2), []
    for state in train(model, start(model, 0), s, toy.x, steps=900, batch=256, goal=goal, lr=2e-3):
        losses.append(state.loss)
    best, answer = [], perfect(kind, toy.mixture, s)
    for x_0, t, eps, _ in islice(batches(700, 0, process, toy.x, 256, goal), 200):
        x_in, t_in, target = goal.objective.example(process, x_0, t, eps)
        best.append(np.sum((answer(x_in, t_in) - target) ** 2) / 256)
    nothing = loss_of_0(goal.objective, objective.simple, objective.uniform, process, 2, np.mean(toy.x**2))
    # 0 is answered at first: a loss of 512 squares of normals or of less, off by 2 (sqrt(512 L) + L) / 512, L = log 2e12
    assert abs(losses[0] / nothing - 1) < 2 * (math.sqrt(512 * math.log(2e12)) + math.log(2e12)) / 512
    # a loss is the perfect one's and |answer - perfect|^2 but for a product of mean 0: its deviation, about 2 * 0.25 * 1.4 for
    # a row, leaves 7.2 * 0.7 / sqrt(200 * 256) = 0.022 open; that answers differ by less than 0.08 (flow 0.13) is measured
    assert (
        -0.022
        < np.mean(losses[-200:]) - np.mean(best)
        < (0.15 if kind == "flow" else 0.1)
        < nothing - np.mean(best)
    )


def test_a_denoiser_of_eps_is_the_network_itself_and_a_flows_network_a_velocity():
    network = perfect("flow", MIXTURE, S)
    assert objective.denoiser(network, objective.eps_prediction, S) is network
    x = np.ones((2, 2))
    assert np.abs(flow.velocity_of(network)(x, 0.4) - flow.marginal_velocity(MIXTURE)(x, 0.4)).max() < 1e-14


@pytest.mark.parametrize("kind", OBJECTIVES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_dtype_follows_the_data(kind, dtype):
    x, t = np.ones((3, 2), dtype), np.array([1, 3, 6])
    assert objective.Denoiser(lambda x, t: 0.5 * x, OBJECTIVES[kind], S)(x, t).dtype == dtype
    x_in, _, target = OBJECTIVES[kind].example(
        OBJECTIVES[kind].process(S), x, t / 7 if kind == "flow" else t, x
    )
    assert x_in.dtype == target.dtype == dtype


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("sigma", "simple", "uniform"), "unknown objective 'sigma'; known are eps, x0, v, flow"),
        (("eps", "heavy", "uniform"), "unknown weight 'heavy'; known are simple, derived, min-snr"),
        (("eps", "simple", "often"), "unknown times 'often'; known are uniform, logit-normal"),
    ],
)
def test_goals_that_do_not_exist_are_named(names, words):
    with pytest.raises(ValueError, match=words):
        goal_of(*names)


def test_a_flow_has_no_steps_to_weigh():
    asked = OBJECTIVES["flow"]
    with pytest.raises(ValueError, match="derived needs a schedule's steps"):
        objective.weight_of(objective.derived, asked, asked.process(S), np.array([0.5]))


def test_l_simple():
    loss, deps_hat = l_simple(np.array([[0.1, -0.4]]), np.array([[0.4, -0.2]]))
    assert abs(loss - 0.13) < 1e-15 and np.allclose(deps_hat, [[-0.6, -0.4]])
    rng = np.random.default_rng(0)
    eps_hat, eps = rng.standard_normal((2, 4, 3))
    loss, deps_hat = l_simple(eps_hat, eps)
    assert (
        abs(loss - np.mean([np.dot(e, e) for e in eps_hat - eps])) < 1e-12
    )  # a mean over rows, a sum over coordinates
    assert_gradient(deps_hat, lambda: np.mean([np.dot(e, e) for e in eps_hat - eps]), eps_hat)
    assert l_simple(eps_hat.astype(np.float32), eps.astype(np.float32))[1].dtype == np.float32


def test_l_simple_refuses_shapes_that_would_broadcast():
    with pytest.raises(ValueError, match="one shape"):
        l_simple(np.ones((3, 2)), np.ones((3, 1)))
