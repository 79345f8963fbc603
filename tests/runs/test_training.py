"""runs: training that can be stopped and continued, samples that are looked at."""

import math
import signal
import warnings
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from command_line import SMALL, refused, run

from minidiff.ddpm import train
from minidiff.layers import views
from minidiff.mlp import MLP
from minidiff.noise import INIT, stream
from minidiff.optim import start
from minidiff.pictures.unet import UNet
from minidiff.runs import checkpoint, training
from minidiff.runs.batches import CHUNK, batches
from minidiff.runs.checkpoint import Run
from minidiff.runs.datasets import Dataset
from minidiff.runs.names import goal_of, names_of
from minidiff.schedule import linear_scaled


def test_resume_is_bit_for_bit(capsys):
    run("train", "--data", "moons", "--steps", "30", "--out", "whole", *SMALL)
    run("train", "--data", "moons", "--steps", "11", "--out", "parts", *SMALL)
    assert run("train", "--resume", "--steps", "30", "--out", "parts") == 0
    a, b = (checkpoint.load(f"{name}/checkpoint.npz") for name in ("whole", "parts"))
    assert a.losses == b.losses
    for group in ("params", "ema", "m", "v"):
        assert np.array_equal(getattr(a.state, group), getattr(b.state, group))


def test_a_file_that_changed_is_not_resumed_or_judged(capsys):
    x = np.random.default_rng(0).standard_normal((50, 2))
    np.save("m.npy", x)
    run("train", "--data", "m.npy", "--steps", "5", "--out", "r", *SMALL)
    np.save("m.npy", x + 1)
    capsys.readouterr()
    for words in (["train", "--resume", "--out", "r", "--steps", "9"], ["eval", "r", "--n", "5"]):
        assert "is not what it was" in refused(capsys, *words)


def test_a_run_that_ends_with_broken_parameters_is_not_kept(capsys):
    with np.errstate(all="ignore"):
        words = "train --data moons --steps 1 --lr 1e300 --out .".split()
        err = refused(capsys, *words, *SMALL, status=1)
    assert "not finite" in err and "no checkpoint was written" in err


def test_a_loss_that_is_not_finite_stops_with_the_step_and_keeps_the_checkpoint(capsys, a_run):
    run_ = checkpoint.load("r/checkpoint.npz")
    views(run_.state.params, run_.model.shapes)["b_out"][:] = 3e38  # finite, but its square is not
    checkpoint.save("r/checkpoint.npz", run_)
    before = Path("r/checkpoint.npz").read_bytes()
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # one line, and none from NumPy about what overflowed
        err = refused(capsys, "train", "--resume", "--out", "r", "--steps", "9", status=1)
        assert "step 6" in err and "keeps step 5" in err
        assert Path("r/checkpoint.npz").read_bytes() == before
        err = refused(capsys, "train", "--data", "moons", "--lr", "1e30", "--out", "far", status=1)
    assert "no checkpoint was written yet" in err and not Path("far").exists()


def test_ctrl_c_keeps_the_last_step_and_says_how_to_resume(capsys, monkeypatch):
    right = training.gradient_steps

    def interrupted(*args):
        for state in right(*args):
            if state.step == 3:
                signal.raise_signal(signal.SIGINT)
            yield state

    monkeypatch.setattr(training, "gradient_steps", interrupted)
    assert run("train", "--data", "moons", "--steps", "9", "--out", "r", *SMALL) == 130
    assert "minidiff train --out r --resume" in capsys.readouterr().err
    monkeypatch.setattr(training, "gradient_steps", right)
    assert checkpoint.load("r/checkpoint.npz").state.step == 3
    assert run("train", "--resume", "--out", "r", "--steps", "5") == 0


S = linear_scaled(50)
MODEL = MLP(2, 32, 2, 8)
UNET = UNet(4, width=4, depth=1, labels=3)
PICTURES = np.random.default_rng(0).standard_normal((30, 16)).astype(np.float32)
LABEL = (np.arange(30) % 3).astype(np.uint8)


def learner(model, goal, x, batch=8, lr=1e-3, dtype=np.float32, label=None):
    """A run at step 0, and its data."""
    state = start(model.init(stream(3, INIT), dtype))
    return Run(model, state, 3, S, "mine", x.shape[1:], batch, lr, goal=goal), Dataset(
        "mine", x, (), label=label
    )


def test_warm_up_raises_the_rate_from_0(monkeypatch):
    """lr k / warmup at step k; and Adam's first step is the rate itself, where the gradient is not tiny."""
    right, rates = training.optim.update, []

    def noted(state, grads, lr):
        rates.append(lr)
        right(state, grads, lr)

    monkeypatch.setattr(training.optim, "update", noted)
    goal = partial(goal_of, "v", "min-snr", "logit-normal")
    for _ in training.gradient_steps(*learner(UNET, goal(warmup=5), PICTURES, label=LABEL), 7, plain=True):
        pass
    assert rates == pytest.approx([2e-4, 4e-4, 6e-4, 8e-4, 1e-3, 1e-3, 1e-3], rel=1e-12)
    before = views(UNET.init(stream(3, INIT)), UNET.shapes)["W_out"]
    for warmup, rate in ((0, 1e-3), (100, 1e-5)):
        run_, data = learner(UNET, goal(warmup=warmup), PICTURES, label=LABEL)
        next(training.gradient_steps(run_, data, 1, plain=True))
        moved = views(run_.state.params, UNET.shapes)["W_out"] - before
        assert np.abs(moved).max() == pytest.approx(rate, rel=1e-2)


@pytest.mark.parametrize("plain", [True, False])
@pytest.mark.parametrize(
    "names",
    [("x0", "simple", "uniform"), ("v", "min-snr", "uniform"), ("eps", "derived", "logit-normal"),
     ("flow", "simple", "uniform")],
)  # fmt: skip
def test_one_step_is_the_goals_gradient(names, plain):
    """The first loss, by hand: the network answers 0 at first, so it is the weighted square of the target."""
    goal, x = goal_of(*names), np.random.default_rng(0).standard_normal((60, 2))
    run_, data = learner(MODEL, goal, x, 40, dtype=np.float64)
    x_0, t, eps = next(batches(x, run_.process, 3, 0, 40, times=goal.times))
    next(training.gradient_steps(run_, data, 1, plain))
    ab = S.alpha_bar[t][:, None] if names[0] != "flow" else None
    target = {
        "eps": lambda: eps,
        "x0": lambda: x_0,
        "v": lambda: np.sqrt(ab) * eps - np.sqrt(1 - ab) * x_0,
        "flow": lambda: x_0 - eps,
    }[names_of(goal)["objective"]]()
    weight = {
        "simple": lambda: 1.0,
        "derived": lambda: (S.beta[t] / (2 * S.alpha[t] * (1 - S.alpha_bar[t])))[:, None],
        # v's error times sqrt(ab) is eps's
        "min-snr": lambda: np.minimum(ab / (1 - ab), 5) / (ab / (1 - ab)) * ab,
    }[names_of(goal)["weight"]]()
    assert math.isclose(run_.state.loss, np.sum(weight * target**2) / 40, rel_tol=1e-12)


def test_reflow_can_be_learnt_to_nothing():
    """Pairs (x_0, 0.8 + 0.6 x_0) lie on lines that never cross: the floor is 0, else 0.6 pi / 2."""
    model, rng = MLP(1, 32, 1, 8), np.random.default_rng(0)
    noise = rng.standard_normal((2000, 1)).astype(np.float32)
    ends = []
    for pairs in (noise, None):
        run_, _ = learner(model, goal_of("flow", "simple", "uniform"), noise)
        drawn = islice(batches(0.8 + 0.6 * noise, run_.process, 0, 0, 128, noise=pairs), 500)
        downhill = partial(training.optim.update, lr=5e-3)
        states = train(model, run_.state, run_.process, drawn, objective=run_.goal.objective, update=downhill)
        ends.append(np.mean([s.loss for s in states][-100:]))
    # 100 batches of 128 know a loss of about 0.94 and spread 1.3 to 0.012
    assert ends[0] < 0.02 and abs(ends[1] - 0.6 * math.pi / 2) < 0.1


def test_same_bits_for_any_number_of_threads(monkeypatch):
    x, ends = np.random.default_rng(0).standard_normal((500, 2)).astype(np.float32), []
    for n in ("1", "2"):
        monkeypatch.setenv("MINIDIFF_THREADS", n)
        run_, data = learner(MODEL, goal_of("v", "simple", "uniform"), x, 200)
        ends.append([s.loss for s in training.gradient_steps(run_, data, CHUNK + 2)] + [*run_.state.params])
    assert ends[0] == ends[1]


def test_what_does_not_fit_is_refused_before_any_work():
    run_, data = learner(UNET, goal_of("v", "simple", "uniform"), PICTURES)
    with pytest.raises(ValueError, match="label must be given for a model with labels"):
        training.gradient_steps(run_, data, 1)
    with pytest.raises(ValueError, match="steps must"):
        training.gradient_steps(*learner(MODEL, run_.goal, PICTURES[:, :2]), 0)
    assert run_.state.step == 0
