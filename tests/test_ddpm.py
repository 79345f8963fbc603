"""train: algorithm 1."""

import math
import tracemalloc
from dataclasses import replace
from itertools import islice
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import DELTA, DTYPES, seeds

from minidiff.gaussian import q_sample
from minidiff.mlp import MLP
from minidiff.objective import loss_and_grads
from minidiff.optim import update
from minidiff.pictures.unet import UNet
from minidiff.runs.datasets import Rows
from minidiff.runs.names import goal_of, load, names_of
from minidiff.schedule import linear_scaled
from minidiff.train import CHUNK, Goal, batches, rows_at, start, train

S = linear_scaled(50)
EPS = goal_of("eps", "simple", "uniform")
MODEL = MLP(2, 32, 2, 8)
X = load("moons").x[:500]
UNET = UNet(4, width=4, depth=1, labels=3)
NUMBER = np.arange(30)
LABEL = (NUMBER % 3).astype(np.uint8)
PICTURES = np.random.default_rng(0).standard_normal((30, 16)).astype(np.float32)
SLOWLY = goal_of("v", "min-snr", "logit-normal", warmup=20)


def a_run(steps, batch=40, dtype=np.float32, **settings):
    state, losses = start(MODEL, 3, dtype), []
    for s in train(MODEL, state, S, X.astype(dtype), steps=steps, batch=batch, **settings):
        losses.append(s.loss)
    return SimpleNamespace(state=state, losses=losses)


def assert_equal_runs(a, b):
    assert a.state.step == b.state.step and a.losses == pytest.approx(
        b.losses, rel=1e-7
    )  # losses are kept in float32
    for group in ("params", "ema", "m", "v"):
        for k in MODEL.shapes:
            assert np.array_equal(getattr(a.state, group)[k], getattr(b.state, group)[k])


def test_training_approaches_the_floor():
    """On a mixture: from 1 a coordinate to within a quarter of what the perfect denoiser loses in the same batches."""
    toy = load("mixture")
    model, losses = MLP(2, 64, 2), []
    state = start(model, 0)
    for s in train(model, state, S, toy.x, steps=1500, batch=128, goal=EPS):
        losses.append(s.loss)
    best = []
    for x_0, t, eps, _ in islice(batches(1200, 0, S, toy.x, 128), 300):
        best.append(np.sum((toy.mixture.eps(S, q_sample(S, x_0, t, eps), t) - eps) ** 2) / 128)
    # 0 is answered at first: Q = 128 losses[0] has 256 degrees of freedom, |Q - 256| <= 2 sqrt(256 L) + 2 L with L = log 2e12
    assert abs(losses[0] - 2) < 2 * (math.sqrt(256 * math.log(2e12)) + math.log(2e12)) / 128
    # a loss is the perfect one's and |eps_hat - eps*|^2 but for a product of mean 0: its deviation, about 2 * 0.3 * 0.6 a row,
    # leaves 7.2 * 0.4 / sqrt(300 * 128) = 0.014 open, 0.04 of the floor
    assert 0.96 < np.mean(losses[-300:]) / np.mean(best) < 1.25


@pytest.mark.parametrize("dtype", DTYPES)
def test_state_keeps_the_dtype(dtype):
    run = a_run(2, dtype=dtype)
    assert all(w.dtype == dtype for g in ("params", "ema", "m", "v") for w in getattr(run.state, g).values())


def test_one_step_is_algorithm_1():
    """The first update, redone with the pieces: the loss is that of x_t = sqrt(ab) x_0 + sqrt(1 - ab) eps."""
    state = start(MODEL, 3, np.float64)
    params = {k: w.copy() for k, w in state.params.items()}
    x_0, t, eps, _ = next(batches(0, 3, S, X.astype(np.float64), 40))  # the same for every objective on S
    ab = S.alpha_bar[t][:, None]
    loss, grads = loss_and_grads(MODEL, params, np.sqrt(ab) * x_0 + np.sqrt(1 - ab) * eps, t, eps)
    next(train(MODEL, state, S, X.astype(np.float64), steps=1, batch=40, goal=EPS))
    assert math.isclose(state.loss, loss, rel_tol=1e-12) and state.step == 1
    for k in params:  # Adam's first step is lr sign(gradient), where the gradient is not tiny
        moved, clear = state.params[k] - params[k], np.abs(grads[k]) > 1e-4
        assert np.allclose(moved[clear], -1e-3 * np.sign(grads[k][clear]), rtol=1e-3)


def test_batches_depend_on_seed_and_step_alone():
    from_0 = batches(0, 5, S, X, 8)
    for _ in range(CHUNK + 3):
        next(from_0)
    for a, b in zip(next(from_0), next(batches(CHUNK + 3, 5, S, X, 8))):
        assert np.array_equal(a, b)
    x_0, t, eps, label = next(batches(0, 6, S, X, 5000))
    assert x_0.shape == eps.shape == (5000, 2) and t.min() == 1 and t.max() == S.T and label is None
    assert not np.array_equal(t[:8], next(batches(0, 5, S, X, 8))[1])


def test_paired_noise_stays_with_its_row():
    """For reflow: row i of the data always comes with row i of the noise, and t as without; fresh noise does not."""
    noise = 100 * X + 7
    for (x_0, t, eps, _), (same_x, same_t, fresh, _) in zip(
        batches(3, 5, S, X, 8, noise=noise), batches(3, 5, S, X, 8)
    ):
        assert np.array_equal(eps, 100 * x_0 + 7)
        assert np.array_equal(x_0, same_x) and np.array_equal(t, same_t) and not np.array_equal(eps, fresh)
        if t[0] > 40:
            break


@settings(max_examples=50)
@given(seeds, st.integers(1, 60), st.integers(1, 70), st.integers(0, 40))
def test_no_row_twice_before_all_were_seen(seed, n, batch, first):
    """Epoch e is the places e n..(e + 1) n - 1 of the steps put end to end, wherever one begins to read."""
    steps = range(first, first + 2 + 3 * n // batch)
    seen = np.concatenate([rows_at(step, seed, n, batch) for step in steps])
    skip = -first * batch % n  # what is left of the epoch that was running
    whole = seen[skip : skip + (len(seen) - skip) // n * n].reshape(-1, n)
    assert len(seen) == batch * len(steps) and len(whole) >= 1
    assert len(set(seen[:skip].tolist())) == skip
    assert np.array_equal(np.sort(whole, axis=1), np.broadcast_to(np.arange(n), whole.shape))


def test_batches_walk_through_the_epochs():
    """The rows of the data themselves, over 7 of 30 rows a step: across the borders of chunks, and entered in the middle."""
    number = NUMBER[:, None].astype(np.float32)
    steps = 3 * CHUNK
    seen = [x_0[:, 0] for _, (x_0, *_) in zip(range(steps), batches(0, 5, S, number, 7))]
    for epoch in np.concatenate(seen)[: steps * 7 // 30 * 30].reshape(-1, 30):
        assert np.array_equal(np.sort(epoch), NUMBER)
    for step in (1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK + 3):
        assert np.array_equal(next(batches(step, 5, S, number, 7))[0][:, 0], seen[step])


def test_the_order_is_a_function_of_seed_and_epoch():
    def epoch(seed, e):
        return rows_at(e, seed, 40, 40).tolist()  # a batch is an epoch

    assert epoch(1, 2) == epoch(1, 2)
    # 40! orders: two alike mean that something is not in their name
    assert len({tuple(epoch(seed, e)) for seed in range(5) for e in range(5)}) == 25


def test_warm_up_raises_the_rate_from_0():
    """lr k / warmup at step k; and Adam's first step is the rate itself, where the gradient is not tiny."""
    rates = []

    def noted(*args, lr, **rest):
        rates.append(lr)
        update(*args, lr=lr, **rest)

    for _ in train(
        UNET,
        start(UNET, 3),
        S,
        PICTURES,
        steps=7,
        batch=8,
        goal=replace(SLOWLY, warmup=5),
        label=LABEL,
        update=noted,
    ):
        pass
    assert rates == pytest.approx([2e-4, 4e-4, 6e-4, 8e-4, 1e-3, 1e-3, 1e-3], rel=1e-12)
    fast, slow = (
        next(
            train(
                UNET,
                start(UNET, 3),
                S,
                PICTURES,
                steps=1,
                batch=8,
                goal=replace(SLOWLY, warmup=w),
                label=LABEL,
            )
        ).params
        for w in (0, 100)
    )
    before = start(UNET, 3).params
    moved = [np.abs(p["W_out"] - before["W_out"]).max() for p in (fast, slow)]
    assert moved == pytest.approx([1e-3, 1e-5], rel=1e-2)


@pytest.mark.parametrize("wrong", [-1, 0.5, "10"])
def test_bad_warm_up_and_drop_are_named(wrong):
    with pytest.raises(ValueError, match="warmup must be"):
        Goal(warmup=wrong)
    for drop in (-0.1, 1.1, math.nan):
        with pytest.raises(ValueError, match=r"drop must lie in \[0, 1\]"):
            Goal(drop=drop)


class Asked:
    """Pictures (n, 4, 4) that are nowhere: counts how many rows it was asked for, and at most how many at once."""

    ndim, dtype = 3, np.dtype(np.float32)

    def __init__(self, n):
        self.n, self.asked, self.most = n, 0, 0

    def __len__(self):
        return self.n

    def __getitem__(self, index):
        rows = np.atleast_1d(np.arange(self.n)[index])
        self.asked, self.most = self.asked + len(rows), max(self.most, len(rows))
        return np.zeros((*np.shape(np.arange(self.n)[index]), 4, 4), np.float32)


def test_training_asks_for_the_rows_of_its_batches_only():
    raw = Asked(1000)
    rows = Rows(raw, 1.0, 0.0)
    plain = replace(UNET, labels=0)
    for _ in train(plain, start(plain, 0), S, rows, steps=10, batch=8):
        pass
    assert raw.most == 8 and raw.asked <= 1 + 11 * 8  # one for the shape; the last batch is made and not used


def test_an_order_costs_8_bytes_a_row():
    """4 a row, twice that while one epoch's order follows another's. Numbers of 8 bytes, or two orders kept, are seen."""
    n, batch = 100_000, 150
    rows_at(0, 0, 10, 5)
    tracemalloc.start()
    for step in (0, 666, 667, 1333, 1334):  # 666 and 1333 hold an epoch's end
        rows_at(step, 0, n, batch)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak <= 8 * n + 2**16  # a batch's places and their epochs are a few times 8 * 150


def labels_seen(goal, steps, batch=5000):
    number = NUMBER[:, None].astype(np.float32)
    for _, (x_0, _, _, y) in zip(range(steps), batches(0, 1, S, number, batch, goal, label=LABEL, null=3)):
        yield x_0[:, 0].astype(int), y


def test_one_label_in_ten_is_dropped():
    """n = 80,000 independent drops: their share is 0.1 within sqrt(log(2 / delta) / (2 n)) (Hoeffding)."""
    rows, y = (np.concatenate(a) for a in zip(*labels_seen(Goal(), CHUNK)))
    dropped = y == 3
    bound = math.sqrt(math.log(2 / DELTA) / (2 * len(y)))
    assert abs(dropped.mean() - 0.1) <= bound
    assert np.array_equal(y[~dropped], LABEL[rows[~dropped]])  # what is not dropped is the row's own
    for k in range(3):  # whatever the label was
        of_k = rows % 3 == k
        assert abs(dropped[of_k].mean() - 0.1) <= math.sqrt(math.log(2 / DELTA) / (2 * of_k.sum()))
    for drop, share in ((0.0, 0.0), (1.0, 1.0)):
        assert np.mean(next(labels_seen(Goal(drop=drop), 1))[1] == 3) == share


def test_256_labels_of_one_byte_have_room_for_none():
    label = np.arange(256, dtype=np.uint8)
    x = np.zeros((256, 1), np.float32)
    y = np.concatenate([b[3] for _, b in zip(range(4), batches(0, 0, S, x, 256, label=label, null=256))])
    assert y.max() == 256 and set(y.tolist()) == set(range(257))


@pytest.mark.parametrize(
    ("label", "words"),
    [
        (np.where(NUMBER == 7, 3, LABEL), r"label must hold 30 whole numbers in 0..2, got .* to 3"),
        (LABEL.astype(int) - 1, "got .* from -1"),
        (LABEL[:29], r"got .*\(29,\)"),
        (LABEL[:, None], r"got .*\(30, 1\)"),
        (LABEL.astype(float), "got float64"),
        (None, "label must be given for a model with labels"),
    ],
)
def test_labels_that_do_not_fit_are_named_before_any_work(label, words):
    state = start(UNET, 0)
    with pytest.raises(ValueError, match=words):
        train(UNET, state, S, PICTURES, steps=1, label=label)
    assert state.step == 0


@pytest.mark.parametrize("model", [replace(UNET, labels=0), MLP(16, 8, 1)])
def test_labels_for_a_model_without_are_refused(model):
    with pytest.raises(ValueError, match="only then"):
        train(model, start(model, 0), S, PICTURES, steps=1, label=LABEL)


def test_reflow_can_be_learnt_to_nothing():
    """Pairs (x_0, 0.8 + 0.6 x_0) lie on lines that never cross: the floor is 0, not the 0.6 pi / 2 of fresh noise."""
    model, rng = MLP(1, 32, 1, 8), np.random.default_rng(0)
    noise = rng.standard_normal((2000, 1)).astype(np.float32)
    ends = []
    for pairs in (noise, None):
        state, goal = start(model, 0), goal_of("flow", "simple", "uniform")
        losses = [
            s.loss
            for s in train(
                model, state, S, 0.8 + 0.6 * noise, steps=500, batch=128, goal=goal, noise=pairs, lr=5e-3
            )
        ]
        ends.append(np.mean(losses[-100:]))
    # 100 batches of 128 know a loss of about 0.94 and spread 1.3 to 0.012
    assert ends[0] < 0.02 and abs(ends[1] - 0.6 * math.pi / 2) < 0.1


@pytest.mark.parametrize(
    "goal",
    [
        goal_of("x0", "simple", "uniform"),
        goal_of("v", "min-snr", "uniform"),
        goal_of("eps", "derived", "logit-normal"),
        goal_of("flow", "simple", "uniform"),
    ],
)
def test_one_step_is_the_goals_gradient(goal):
    """The first loss, by hand: the network answers 0 at first, so it is the weighted square of the target."""
    state, x = start(MODEL, 3, np.float64), X.astype(np.float64)
    x_0, t, eps, _ = next(batches(0, 3, goal.objective.process(S), x, 40, goal))
    next(train(MODEL, state, S, x, steps=1, batch=40, goal=goal))
    names = names_of(goal)
    ab = S.alpha_bar[t][:, None] if names["objective"] != "flow" else None
    target = {
        "eps": lambda: eps,
        "x0": lambda: x_0,
        "v": lambda: np.sqrt(ab) * eps - np.sqrt(1 - ab) * x_0,
        "flow": lambda: x_0 - eps,
    }[names["objective"]]()
    weight = {
        "simple": lambda: 1.0,
        "derived": lambda: (S.beta[t] / (2 * S.alpha[t] * (1 - S.alpha_bar[t])))[:, None],
        "min-snr": lambda: (
            np.minimum(ab / (1 - ab), 5) / (ab / (1 - ab)) * ab
        ),  # v's error times sqrt(ab) is eps's
    }[names["weight"]]()
    assert math.isclose(state.loss, np.sum(weight * target**2) / 40, rel_tol=1e-12)


def test_same_bits_for_any_number_of_threads(monkeypatch):
    runs = []
    for n in ("1", "2"):
        monkeypatch.setenv("MINIDIFF_THREADS", n)
        runs.append(a_run(5, batch=200))
    assert_equal_runs(*runs)


def test_training_stops_at_a_loss_that_is_not_finite():
    state = start(MODEL, 0)
    broken = X.copy()
    broken[:] = np.nan
    before = {k: w.copy() for k, w in state.params.items()}
    with pytest.raises(FloatingPointError, match="nan at step 1"):
        next(train(MODEL, state, S, broken, steps=5))
    assert state.step == 0 and all(np.array_equal(before[k], state.params[k]) for k in before)


@pytest.mark.parametrize(
    ("settings", "words"),
    [({"steps": 0}, "steps must"), ({"steps": 1, "batch": 0}, "batch must"), ({"steps": 1, "lr": 0.0}, "lr must"),
     ({"steps": 1, "lr": float("nan")}, "lr must")],
)  # fmt: skip
def test_bad_settings_are_named_before_any_work(settings, words):
    with pytest.raises(ValueError, match=words):
        train(MODEL, start(MODEL, 0), S, X, **settings)


def test_noise_of_the_wrong_shape_is_named():
    with pytest.raises(ValueError, match=r"noise must have the data's shape \(500, 2\), got \(499, 2\)"):
        train(MODEL, start(MODEL, 0), S, X, steps=1, noise=X[:499])


def test_data_of_the_wrong_shape_is_named():
    for wrong in (X[:0], X[:, :1], X.ravel()):
        with pytest.raises(ValueError, match=r"data must have the shape \(N, 2\)"):
            train(MODEL, start(MODEL, 0), S, wrong, steps=1)
