"""train for pictures: epochs that show every row once, labels and their dropping, warm-up, and memory the data do not fill."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from minidiff import data
from minidiff.cli import checkpoint
from minidiff.cli.checkpoint import goal_of
from minidiff.fast.noise import RowNoise
from minidiff.fast.sampling import generate
from minidiff.mlp import MLP
from minidiff.pictures.unet import UNet
from minidiff.sample import ddim, ddpm
from minidiff.schedule import linear_scaled
from minidiff.train import CHUNK, start, train

S = linear_scaled(50)
MODEL = UNet(4, width=4, depth=1, labels=3)
NUMBER = np.arange(30)
LABEL = (NUMBER % 3).astype(np.uint8)
X = np.random.default_rng(0).standard_normal((30, 16)).astype(np.float32)
GOAL = goal_of("v", "min-snr", "logit-normal", warmup=20)


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


def test_a_run_without_labels_has_none_to_ask_for():
    model = replace(MODEL, labels=0)
    run = checkpoint.Run(model, start(model, 0), S, "mine", (4, 4), 8, 1e-3)
    with pytest.raises(ValueError, match="label must be left out: this run's unet was trained without labels"):
        run.eps_theta(1, 2.0)
    assert np.isfinite(generate(ddim(), run.eps_theta(), S, X, [50, 0], RowNoise(0))).all()
