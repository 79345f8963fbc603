"""objective: two numbers say what a network is asked; every answer serves as eps_hat; what errors cost."""

import math
from functools import partial
from itertools import islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import COARSE, DTYPES, assert_gradient, betas, coarse, perfect, product_of_alphas, seeds

from minidiff import objective
from minidiff.continuous import flow
from minidiff.continuous.process import VP
from minidiff.ddpm import batches, train
from minidiff.evaluation.floors import loss_of_0
from minidiff.exact import Mixture, five_gaussians
from minidiff.gaussian import posterior, q_sample
from minidiff.mlp import MLP
from minidiff.noise import DATA, INIT, TRAIN, stream
from minidiff.objective import Denoiser, l_simple, target_of
from minidiff.optim import start, update
from minidiff.schedule import from_betas, linear_scaled

S = coarse()
MIXTURE = Mixture([0.4, 0.6], [[0.8, -0.5], [-0.7, 0.9]], [[[0.3, 0.1], [0.1, 0.2]], 0.25 * np.eye(2)])
OBJECTIVES = {
    "eps": objective.eps_prediction,
    "x0": objective.x_0_prediction,
    "v": objective.v_prediction,
    "flow": flow.velocity_prediction,
}
WEIGHTS = {"derived": objective.derived, "min-snr": objective.min_snr}
ON_SCHEDULES = ["eps", "x0", "v"]
shares = st.floats(0.05, 1.0)  # of signal or of noise


def denoiser(kind, network, schedule):
    """eps_theta on a variance-preserving schedule, of a network that was asked this kind."""
    if kind == "flow":
        return flow.FlowDenoiser(network, schedule)
    return Denoiser(network, OBJECTIVES[kind], schedule)


def answer_of(kind, signal, noise, x_0, eps):
    """What is asked for, by hand."""
    return {"eps": eps, "x0": x_0, "v": signal * eps - noise * x_0, "flow": x_0 - eps}[kind]


class Mixing:
    """A process of chosen shares, whatever the time."""

    def __init__(self, signal, noise):
        self.both = signal, noise

    def signal_and_noise(self, t):
        return self.both


@pytest.mark.parametrize("kind", OBJECTIVES)
@given(betas, seeds, st.data())
def test_every_perfect_answer_is_eps_star(kind, b, seed, draw):
    s = from_betas(b)
    x, t = 2 * np.random.default_rng(seed).standard_normal((4, 2)), draw.draw(st.integers(1, len(b)))
    eps_theta = denoiser(kind, perfect(kind, MIXTURE, s), s)
    # 1 / sqrt(1 - ab) <= 32 enlarges roundings
    assert np.abs(eps_theta(x, t) - MIXTURE.eps(s, x, t)).max() < 1e-12
    times = np.random.default_rng(seed).integers(1, len(b) + 1, size=4)
    assert np.abs(eps_theta(x, times) - MIXTURE.eps(s, x, times)).max() < 1e-12


@pytest.mark.parametrize("kind", OBJECTIVES)
def test_every_perfect_answer_is_eps_star_in_continuous_time(kind):
    x = np.random.default_rng(0).standard_normal((4, 2))
    eps_theta = denoiser(kind, perfect(kind, MIXTURE, VP()), VP())
    assert np.abs(eps_theta(x, 0.3) - MIXTURE.eps(VP(), x, 0.3)).max() < 1e-12


@pytest.mark.parametrize("kind", OBJECTIVES)
@given(shares, shares, seeds)
def test_target_and_denoiser_for_any_shares(kind, signal, noise, seed):
    """What is asked for, by hand; and a network that answers the target makes a denoiser that answers eps."""
    x_0, eps = np.random.default_rng(seed).standard_normal((2, 3, 2))
    process, asked = Mixing(signal, noise), OBJECTIVES[kind]
    x_t, target = signal * x_0 + noise * eps, answer_of(kind, signal, noise, x_0, eps)
    assert np.abs(target_of(asked, process, x_0, 7, eps) - target).max() < 1e-13
    seen = []
    eps_theta = Denoiser(lambda x, t: seen.append((x, t)) or target, asked, process)
    # eps is solved for with determinants of at least 0.05: roundings of numbers below 10 grow 20 times
    assert np.abs(eps_theta(x_t, 7) - eps).max() < 1e-12
    assert len(seen) == 1 and seen[0][0] is x_t and seen[0][1] == 7  # the network sees x_t and t as they are


@given(betas, seeds, st.data())
def test_targets_and_inputs(b, seed, draw):
    """On a schedule, and for a flow on the line: the same network input in sampling as in training."""
    s, rng, t = from_betas(b), np.random.default_rng(seed), draw.draw(st.integers(1, len(b)))
    x_0, eps, ab = rng.standard_normal((3, 2)), rng.standard_normal((3, 2)), product_of_alphas(b, t)
    root, rest = math.sqrt(ab), math.sqrt(1 - ab)
    x_t = root * x_0 + rest * eps
    for kind in OBJECTIVES:
        process, times, x_in = s, np.full(3, t), x_t
        if kind == "flow":
            r = rest / (root + rest)  # the line's share of noise where its ratio to the signal is that of x_t
            process, times, x_in = flow.Straight(), np.full(3, 1000 * r), (1 - r) * x_0 + r * eps
        target = answer_of(kind, root, rest, x_0, eps)
        assert np.abs(target_of(OBJECTIVES[kind], process, x_0, times, eps) - target).max() < 1e-13
        assert np.abs(q_sample(process, x_0, times, eps) - x_in).max() < 1e-13
        seen = []
        eps_theta = denoiser(kind, lambda x, t, target=target, seen=seen: seen.append((x, t)) or target, s)
        assert np.abs(eps_theta(x_t, t) - eps).max() < 1e-11
        assert np.abs(seen[0][0] - x_in).max() < 1e-12 and np.abs(np.asarray(seen[0][1]) - times).max() < 1e-9


@given(shares, shares)
def test_objectives_are_two_numbers(signal, noise):
    """Read off from a sample of x_0 alone and of eps alone; shares may be arrays."""
    both = np.array([signal, 0.5]), np.array([noise, 0.3])
    for kind, asked in OBJECTIVES.items():
        want = answer_of(kind, signal, noise, 1.0, 0.0), answer_of(kind, signal, noise, 0.0, 1.0)
        assert asked(signal, noise) == want
        for got, number in zip(asked(*both), want):
            assert np.broadcast_to(got, 2)[0] == number


@given(betas, st.data())
def test_as_eps_has_the_papers_formulas(b, data):
    """eps_hat by each paper's own formula; t alone, or one for each row.

    It is the answer itself [DDPM eq. 14], (x_t - sqrt(ab) x_0) / sqrt(1 - ab) [DDPM eq. 15], and sqrt(1 - ab)
    x_t + sqrt(ab) v [Progressive Distillation section 4].
    """
    s, t = from_betas(b), data.draw(st.lists(st.integers(1, len(b)), min_size=1, max_size=3))
    ab = np.array([product_of_alphas(b, k) for k in t])
    root, rest = np.sqrt(ab), np.sqrt(1 - ab)
    papers = {"eps": (0 * ab, 1 + 0 * ab), "x0": (1 / rest, -root / rest), "v": (rest, root)}
    for kind, want in papers.items():
        together = objective.as_eps(OBJECTIVES[kind], s, np.array(t))
        alone = objective.as_eps(OBJECTIVES[kind], s, t[0])
        for got, one, number in zip(together, alone, want):
            assert np.shape(one) == () and np.broadcast_to(got, len(t)).dtype == np.float64
            # 1 - ab >= 0.001: its root and its reciprocal enlarge roundings of 1e-16 by 1e3 at most
            assert np.abs(got - number).max() < 1e-12 and abs(one - number[0]) < 1e-12
    a, b = objective.as_eps(flow.velocity_prediction, flow.Straight(), np.array([250.0, 1000.0]))
    # x_t = (1 - r) x_0 + r eps and u = x_0 - eps: eps = x_t - (1 - r) u
    assert np.abs(a - 1).max() < 1e-15 and np.abs(b - [-0.75, 0.0]).max() < 1e-15


def test_weights_count_what_they_say():
    """derived: ||difference of the two posterior means||^2 / (2 beta_t); min-snr: x_0's error, cut at 5."""
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


@pytest.mark.parametrize("kind", ON_SCHEDULES)
@pytest.mark.parametrize("weight", WEIGHTS)
def test_a_weight_means_the_same_error_for_every_objective(kind, weight):
    """weight_of times the squared error of the answer is the weight times the squared error of eps_hat."""
    t, x, out = np.arange(1, 7), np.full((6, 1), 0.3), np.full((6, 1), 0.2)
    eps_hat = [Denoiser(lambda x, t, o=o: o, OBJECTIVES[kind], S)(x, t)[:, 0] for o in (out, out + 0.5)]
    w = objective.weight_of(WEIGHTS[weight], OBJECTIVES[kind], S, t)
    assert np.abs(w * 0.25 - WEIGHTS[weight](S, t) * (eps_hat[1] - eps_hat[0]) ** 2).max() < 1e-12


def on_lines(data, rng, size):
    """Batches for a flow: times are real there."""
    while True:
        x_0, _, eps = next(batches(data, 1, rng, size))
        yield x_0, flow.Straight.T * rng.random(size), eps


@pytest.mark.parametrize("kind", OBJECTIVES)
def test_training_comes_near_the_floor_of_each_objective(kind):
    """From the loss of knowing nothing to 0.1 (flow 0.15) above the perfect answer's in the same batches."""
    s, mixture, asked = linear_scaled(50), five_gaussians(), OBJECTIVES[kind]
    x = mixture.sample(10_000, stream(0, DATA), np.float32)
    process, times, rng = s, np.arange(1, 51), stream(0, TRAIN)
    drawn = batches(x, 50, rng, 256)
    if kind == "flow":
        process, times, drawn = flow.Straight(), (np.arange(1000) + 0.5), on_lines(x, rng, 256)
    drawn = list(islice(drawn, 900))
    model = MLP(2, 64, 2)
    begun, faster = start(model.init(stream(0, INIT))), partial(update, lr=2e-3)
    states = train(model, begun, process, drawn, objective=asked, update=faster)
    losses = [state.loss for state in states]
    best, answer = [], perfect(kind, mixture, s)
    for x_0, t, eps in drawn[700:]:
        target = target_of(asked, process, x_0, t, eps)
        best.append(np.sum((answer(q_sample(process, x_0, t, eps), t) - target) ** 2) / 256)
    P = np.full(len(times), 1 / len(times))
    nothing = loss_of_0(asked, None, P, process, times, 2, np.mean(x**2))
    # 0 is answered at first: a loss of 512 squares of normals or of less, off by
    # 2 (sqrt(512 L) + L) / 512, L = log 2e12
    assert abs(losses[0] / nothing - 1) < 2 * (math.sqrt(512 * math.log(2e12)) + math.log(2e12)) / 512
    # a loss is the perfect one's and |answer - perfect|^2 but for a product of mean 0: its deviation, about
    # 2 * 0.25 * 1.4 for a row, leaves 7.2 * 0.7 / sqrt(200 * 256) = 0.022 open; that answers differ by less
    # than 0.08 (flow 0.13) is measured
    excess, most = np.mean(losses[-200:]) - np.mean(best), 0.15 if kind == "flow" else 0.1
    assert -0.022 < excess < most < nothing - np.mean(best)


def test_a_denoiser_of_eps_is_the_network_itself():
    x = np.random.default_rng(0).standard_normal((3, 2))
    for t in (3, np.array([1, 3, 6])):
        eps_theta = Denoiser(lambda x, t: np.sin(x) + 1, objective.eps_prediction, S)
        assert np.array_equal(eps_theta(x, t), np.sin(x) + 1)


@pytest.mark.parametrize("kind", OBJECTIVES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_dtype_follows_the_data(kind, dtype):
    x, t = np.ones((3, 2), dtype), np.array([1, 3, 6])
    process = flow.Straight() if kind == "flow" else S
    assert denoiser(kind, lambda x, t: 0.5 * x, S)(x, t).dtype == dtype
    assert Denoiser(lambda x, t: 0.5 * x, OBJECTIVES[kind], process)(x, t).dtype == dtype
    assert target_of(OBJECTIVES[kind], process, x, t, x).dtype == dtype


def test_l_simple():
    loss, deps_hat = l_simple(np.array([[0.1, -0.4]]), np.array([[0.4, -0.2]]))
    assert abs(loss - 0.13) < 1e-15 and np.allclose(deps_hat, [[-0.6, -0.4]])
    rng = np.random.default_rng(0)
    eps_hat, eps = rng.standard_normal((2, 4, 3))
    loss, deps_hat = l_simple(eps_hat, eps)
    # a mean over rows, a sum over coordinates
    assert abs(loss - np.mean([np.dot(e, e) for e in eps_hat - eps])) < 1e-12
    assert_gradient(deps_hat, lambda: np.mean([np.dot(e, e) for e in eps_hat - eps]), eps_hat)
    assert l_simple(eps_hat.astype(np.float32), eps.astype(np.float32))[1].dtype == np.float32


def test_l_simple_refuses_shapes_that_would_broadcast():
    with pytest.raises(ValueError, match="one shape"):
        l_simple(np.ones((3, 2)), np.ones((3, 1)))


def test_l_simple_counts_a_row_as_often_as_its_weight_says():
    """The weighted loss and its gradient, by hand; weights of 1 are none, one twice as large is two rows."""
    rng, weight = np.random.default_rng(1), np.array([0.5, 2.0, 0.0, 1.0])
    eps_hat, eps = rng.standard_normal((2, 4, 3, 2))

    def loss():
        return sum(w * np.sum(e**2) for w, e in zip(weight, eps_hat - eps)) / 4

    got, deps_hat = l_simple(eps_hat, eps, weight)
    assert type(got) is float and abs(got - loss()) < 1e-12
    assert_gradient(deps_hat, loss, eps_hat)
    plain, of_ones = l_simple(eps_hat, eps), l_simple(eps_hat, eps, np.ones(4))
    assert plain[0] == of_ones[0] and np.array_equal(plain[1], of_ones[1])
    single = l_simple(*(a.astype(np.float32) for a in (eps_hat, eps)), weight)
    assert single[1].dtype == np.float32 and abs(single[0] - got) < 1e-5 * got


def test_loss_and_grads_is_l_simple_and_the_models_way_back():
    """A model of one number, y = w x + label t: the loss and dL/dw by hand."""

    class Line:
        def forward(self, params, x_t, t, label=0.0):
            return params * x_t + label * t[:, None], x_t

        def backward(self, dout, cache):
            return np.array([np.sum(dout * cache)])

    x, t, target = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([1, 2]), np.zeros((2, 2))
    w = np.array([0.5])
    loss, grads = objective.loss_and_grads(Line(), w, x, t, target)
    assert loss == 0.25 * 30 / 2 and grads.tolist() == [0.5 * 30]
    loss, _ = objective.loss_and_grads(Line(), w, x, t, target, 10.0)
    assert loss == (10.5**2 + 11**2 + 21.5**2 + 22**2) / 2
    loss, grads = objective.loss_and_grads(Line(), w, x, t, target, weight=np.array([2.0, 0.0]))
    assert loss == 0.25 * 5 * 2 / 2 and grads.tolist() == [0.5 * 5 * 2]
