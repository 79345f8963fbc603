"""train for pictures: epochs that show every row once, labels and their dropping, warm-up, and memory the data do not fill."""

import math
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import DELTA, seeds

from minidiff import data
from minidiff.cli import checkpoint
from minidiff.cli.checkpoint import goal_of
from minidiff.fast.noise import RowNoise
from minidiff.fast.sampling import generate
from minidiff.mlp import MLP
from minidiff.optim import update
from minidiff.pictures.unet import UNet
from minidiff.sample import ddim, ddpm
from minidiff.schedule import linear_scaled
from minidiff.train import CHUNK, Goal, batches, rows_at, start, train

S = linear_scaled(50)
MODEL = UNet(4, width=4, depth=1, labels=3)
NUMBER = np.arange(30)
LABEL = (NUMBER % 3).astype(np.uint8)
X = np.random.default_rng(0).standard_normal((30, 16)).astype(np.float32)
GOAL = goal_of("v", "min-snr", "logit-normal", warmup=20)


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


def a_run(steps, goal=GOAL, seed=3):
    state, losses = start(MODEL, seed), []
    for s in train(MODEL, state, S, X, steps=steps, batch=8, goal=goal, label=LABEL):
        losses.append(s.loss)
    return checkpoint.Run(MODEL, state, S, "mine", (4, 4), 8, 1e-3, goal=goal, losses=losses)


def assert_same_bits(a, b):
    assert a.state.step == b.state.step
    for group in ("params", "ema", "m", "v"):
        for k in a.model.shapes:
            assert np.array_equal(getattr(a.state, group)[k], getattr(b.state, group)[k])


@pytest.mark.parametrize("stop", [2, CHUNK, CHUNK + 1])
def test_a_conditional_unet_resumes_bit_for_bit_while_it_warms_up(stop, tmp_path):
    """30 rows by 8: every epoch ends within a batch."""
    whole = a_run(CHUNK + 5)
    checkpoint.save(tmp_path / "c.npz", a_run(stop))
    run = checkpoint.load(tmp_path / "c.npz")
    assert run.model == MODEL and run.kind == "unet" and run.goal == GOAL and run.state.step == stop
    for s in train(run.model, run.state, run.schedule, X, steps=CHUNK + 5, batch=8, lr=run.lr, goal=run.goal, label=LABEL):
        run.losses.append(s.loss)
    assert_same_bits(run, whole)
    assert run.losses == pytest.approx(whole.losses, rel=1e-7)  # kept in float32


def test_same_bits_for_one_and_two_threads(monkeypatch):
    """Two training steps and four of a guided sampler, on 70 rows: three blocks."""
    model, x = UNet(4, width=4, depth=1, labels=3), np.tile(X, (3, 1))
    ends = []
    for n in ("1", "2"):
        monkeypatch.setenv("MINIDIFF_THREADS", n)
        state = start(model, 3)
        for _ in train(model, state, S, x, steps=2, batch=70, goal=GOAL, label=np.tile(LABEL, 3)):
            pass
        run = checkpoint.Run(model, state, S, "mine", (4, 4), 70, 1e-3, goal=GOAL)
        x_T = RowNoise(0).standard_normal((70, 16), np.float32)
        eps_theta = run.eps_theta(np.arange(70) % 3, 2.0)
        ends.append((run, generate(ddpm(), eps_theta, S, x_T, [50, 30, 10, 1, 0], RowNoise(1))))
    assert_same_bits(ends[0][0], ends[1][0])
    assert np.array_equal(ends[0][1], ends[1][1])


def test_warm_up_raises_the_rate_from_0():
    """lr k / warmup at step k; and Adam's first step is the rate itself, where the gradient is not tiny."""
    rates = []

    def noted(*args, lr, **rest):
        rates.append(lr)
        update(*args, lr=lr, **rest)

    for _ in train(MODEL, start(MODEL, 3), S, X, steps=7, batch=8, goal=replace(GOAL, warmup=5), label=LABEL, update=noted):
        pass
    assert rates == pytest.approx([2e-4, 4e-4, 6e-4, 8e-4, 1e-3, 1e-3, 1e-3], rel=1e-12)
    fast, slow = (a_run(1, replace(GOAL, warmup=w)).state.params for w in (0, 100))
    before = start(MODEL, 3).params
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
    rows = data.Rows(raw, 1.0, 0.0)
    plain = replace(MODEL, labels=0)
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


def test_memory_does_not_grow_with_the_file(tmp_path):
    """A file of 15 MB, 61 MB as floats: the batch, its noise, the network and 8 bytes a row are under 3 MB."""
    n, model = 60_000, MLP(256, 16, 1)
    np.save(tmp_path / "p.npy", np.random.default_rng(0).integers(0, 256, (n, 16, 16), dtype=np.uint8))

    def learn():
        mine = data.load(tmp_path / "p.npy")
        for _ in train(model, start(model, 0), S, mine.x, steps=4, batch=8):
            pass

    learn()  # compiles
    tracemalloc.start()
    learn()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak <= 8 * n + 2**21


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
    state = start(MODEL, 0)
    with pytest.raises(ValueError, match=words):
        train(MODEL, state, S, X, steps=1, label=label)
    assert state.step == 0


@pytest.mark.parametrize("model", [replace(MODEL, labels=0), MLP(16, 8, 1)])
def test_labels_for_a_model_without_are_refused(model):
    with pytest.raises(ValueError, match="only then"):
        train(model, start(model, 0), S, X, steps=1, label=LABEL)


def test_a_run_without_labels_has_none_to_ask_for():
    model = replace(MODEL, labels=0)
    run = checkpoint.Run(model, start(model, 0), S, "mine", (4, 4), 8, 1e-3)
    with pytest.raises(ValueError, match="label must be left out: this run's unet was trained without labels"):
        run.eps_theta(1, 2.0)
    assert np.isfinite(generate(ddim(), run.eps_theta(), S, X, [50, 0], RowNoise(0))).all()
