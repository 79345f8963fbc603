"""checkpoint: a run in one file, whole or refused, and what the run answers."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from minidiff import exact
from minidiff.continuous.flow import velocity_of
from minidiff.ddpm import sample
from minidiff.fast import RowNoise, generate
from minidiff.mlp import MLP
from minidiff.noise import INIT, stream
from minidiff.optim import start
from minidiff.pictures.unet import UNet
from minidiff.runs import checkpoint
from minidiff.runs.batches import CHUNK
from minidiff.runs.datasets import Dataset
from minidiff.runs.names import goal_of, load
from minidiff.runs.training import gradient_steps, new_run
from minidiff.sampling import ddim_step, ddpm_step
from minidiff.schedule import linear_scaled

S = linear_scaled(50)
MODEL = MLP(2, 32, 2, 8)
X = load("moons").x[:500]
UNET = UNet(4, width=4, depth=1, labels=3)
LABEL = (np.arange(30) % 3).astype(np.uint8)
PICTURES = np.random.default_rng(0).standard_normal((30, 16)).astype(np.float32)
GOAL = goal_of("v", "min-snr", "logit-normal", warmup=20)
V = goal_of("v", "simple", "uniform")
MODEL_SIZE = sum(math.prod(shape) for shape in MODEL.shapes.values())


def learn(run, x, steps, label=None):
    """run, trained on x up to that step."""
    data = Dataset("mine", x.astype(run.state.params.dtype), run.shape, label=label)
    for s in gradient_steps(run, data, steps):
        run.losses.append(s.loss)
    return run


def a_run(steps, batch=40, dtype=np.float32, goal=V):
    state = start(MODEL.init(stream(3, INIT), dtype))
    return learn(checkpoint.Run(MODEL, state, 3, S, "moons", (2,), batch, 1e-3, goal=goal), X, steps)


def assert_same_bits(a, b):
    assert a.state.step == b.state.step
    for group in ("params", "ema", "m", "v"):
        assert np.array_equal(getattr(a.state, group), getattr(b.state, group))


def assert_equal_runs(a, b):
    assert_same_bits(a, b)
    assert a.losses == pytest.approx(b.losses, rel=1e-7)  # kept in float32


@pytest.mark.parametrize(
    "goal", [goal_of("v", "min-snr", "logit-normal"), goal_of("flow", "simple", "logit-normal")]
)
def test_a_resumed_goal_is_the_same_goal(goal, tmp_path):
    whole, half = a_run(30, goal=goal), a_run(CHUNK + 1, goal=goal)
    checkpoint.save(tmp_path / "c.npz", half)
    run = checkpoint.load(tmp_path / "c.npz")
    assert run.goal == goal
    assert_equal_runs(learn(run, X, 30), whole)


def test_a_run_answers_in_its_goals_own_way():
    """eps_theta turns a velocity into eps_hat = y - r u, y on the line, r of it data; .velocity is u."""
    run, x = a_run(20, dtype=np.float64), np.random.default_rng(0).standard_normal((4, 2))
    network, ab = run.model.eps_theta(run.state.ema), S.alpha_bar[30]
    run.goal = goal_of("eps", "simple", "uniform")
    assert np.array_equal(run.eps_theta()(x, 30), network(x, 30)) and run.process is S
    run.goal = goal_of("flow", "simple", "uniform")
    kappa = 1 / (math.sqrt(ab) + math.sqrt(1 - ab))
    r = kappa * math.sqrt(ab)
    u = network(kappa * x, 1000 * (1 - r))
    assert np.abs(run.eps_theta().velocity(kappa * x, r) - u).max() < 1e-9
    assert np.abs(velocity_of(network)(kappa * x, r) - u).max() < 1e-9
    assert np.abs(run.eps_theta()(x, 30) - (kappa * x - r * u)).max() < 1e-9
    assert run.process.T == 1000 and run.process.signal_and_noise(250) == (0.75, 0.25)
    run.second_moment = 0.5
    assert abs(run.loss_of_0() - 2 * (1 + 0.5)) < 1e-12


@pytest.mark.parametrize("stop", [1, 7, CHUNK, CHUNK + 1])
def test_resumed_equals_uninterrupted_bit_for_bit(stop, tmp_path):
    whole = a_run(30)
    checkpoint.save(tmp_path / "c.npz", a_run(stop))
    run = checkpoint.load(tmp_path / "c.npz")
    assert run.state.step == stop
    assert_equal_runs(learn(run, X, 30), whole)


def test_a_checkpoint_holds_everything(tmp_path):
    run = a_run(4)
    run.scale, run.offset = np.array([2.0, 3.0]), np.array([1.0, -1.0])
    checkpoint.save(tmp_path / "c.npz", run)
    back = checkpoint.load(tmp_path / "c.npz")
    assert_equal_runs(run, back)
    assert back.model == MODEL and back.data == "moons" and back.shape == (2,)
    assert back.batch == 40 and back.lr == 1e-3
    assert np.array_equal(back.schedule.alpha_bar, S.alpha_bar) and back.seed == 3
    assert np.array_equal(back.in_data_units(np.ones((1, 2))), [[3.0, 2.0]])
    assert [p.name for p in tmp_path.iterdir()] == ["c.npz"]
    x = np.random.default_rng(0).standard_normal((3, 2)).astype(np.float32)
    assert np.array_equal(back.eps_theta()(x, 4), run.eps_theta()(x, 4))


def test_a_failed_save_keeps_the_last_checkpoint(tmp_path):
    path = tmp_path / "c.npz"
    checkpoint.save(path, a_run(1))
    before = path.read_bytes()
    broken = a_run(2)
    broken.data = {1, 2}  # JSON refuses
    with pytest.raises(TypeError):
        checkpoint.save(path, broken)
    assert path.read_bytes() == before and len(list(tmp_path.iterdir())) == 1


def spoil(path, **changes):
    """The checkpoint with some arrays or some of its JSON changed."""
    with np.load(path) as f:
        arrays = dict(f)
    meta = json.loads(str(arrays["meta"]))
    for k, v in changes.items():
        if k in meta:
            meta[k] = v
        else:
            arrays[k] = v
    arrays["meta"] = np.array(json.dumps(meta))
    np.savez(path, **{k: v for k, v in arrays.items() if v is not None})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"format": 99}, "format 99"),
        ({"model": {"kind": "transformer"}}, "unknown|transformer"),
        ({"params": np.zeros(3, np.float32)}, "params must be finite float32 of shape"),
        ({"ema": np.zeros(MODEL_SIZE)}, "ema must be finite float32"),
        ({"m": np.full(MODEL_SIZE, np.nan, np.float32)}, "m must be finite"),
        ({"v": None}, "not a checkpoint"),
        ({"w": np.zeros(3)}, "holds what no run has: w"),
        ({"beta": np.array([0.5, 2.0])}, "beta"),
        (
            {"goal": {"objective": "sigma", "weight": "simple", "times": "uniform"}},
            "unknown objective 'sigma'",
        ),
        ({"goal": {"colour": "red"}}, "not a checkpoint"),
        ({"shape": [3]}, "do not fit"),
        ({"losses": np.zeros(7, np.float32)}, "do not fit"),
    ],
)
def test_checkpoints_that_do_not_fit_are_refused(tmp_path, changes, words):
    checkpoint.save(tmp_path / "c.npz", a_run(2))
    spoil(tmp_path / "c.npz", **changes)
    with pytest.raises(ValueError, match=words):
        checkpoint.load(tmp_path / "c.npz")


def test_files_that_are_no_checkpoints_are_refused(tmp_path):
    with pytest.raises(ValueError, match="there is no file"):
        checkpoint.load(tmp_path / "none.npz")
    with pytest.raises(ValueError, match="is a folder"):
        checkpoint.load(tmp_path)
    good = tmp_path / "c.npz"
    checkpoint.save(good, a_run(1))
    for n in (0, 1, 100, good.stat().st_size // 2, good.stat().st_size - 1):
        (tmp_path / "cut.npz").write_bytes(good.read_bytes()[:n])
        with pytest.raises(ValueError, match=r"cut\.npz is (empty|cut off)"):
            checkpoint.load(tmp_path / "cut.npz")
    np.savez(tmp_path / "other.npz", x=np.zeros(3))
    with pytest.raises(ValueError, match="not a checkpoint"):
        checkpoint.load(tmp_path / "other.npz")
    np.savez(tmp_path / "pickle.npz", meta=np.array([{}], dtype=object))
    with pytest.raises(ValueError, match="objects"):
        checkpoint.load(tmp_path / "pickle.npz")


def test_an_archive_that_expands_too_far_is_not_opened(tmp_path, monkeypatch):
    monkeypatch.setattr("minidiff.runs.files.MAX_BYTES", 2**20)
    np.savez_compressed(tmp_path / "bomb.npz", x=np.zeros(2**20))
    with pytest.raises(ValueError, match="would expand to"):
        checkpoint.load(tmp_path / "bomb.npz")


def a_unet_run(steps, goal=GOAL, x=PICTURES, label=LABEL, batch=8):
    state = start(UNET.init(stream(3, INIT)))
    run = checkpoint.Run(UNET, state, 3, S, "mine", (4, 4), batch, 1e-3, goal=goal)
    return learn(run, x, steps, label)


@pytest.mark.parametrize("stop", [2, CHUNK, CHUNK + 1])
def test_a_conditional_unet_resumes_bit_for_bit_while_it_warms_up(stop, tmp_path):
    """30 rows by 8: every epoch ends within a batch."""
    whole = a_unet_run(CHUNK + 5)
    checkpoint.save(tmp_path / "c.npz", a_unet_run(stop))
    run = checkpoint.load(tmp_path / "c.npz")
    assert run.model == UNET and run.kind == "unet" and run.goal == GOAL and run.state.step == stop
    assert_equal_runs(learn(run, PICTURES, CHUNK + 5, LABEL), whole)


def test_same_bits_for_one_and_two_threads(monkeypatch):
    """Two training steps and four of a guided sampler, on 70 rows: three blocks."""
    x, label, ends = np.tile(PICTURES, (3, 1)), np.tile(LABEL, 3), []
    for n in ("1", "2"):
        monkeypatch.setenv("MINIDIFF_THREADS", n)
        run = a_unet_run(2, x=x, label=label, batch=70)
        x_T = RowNoise(0).standard_normal((70, 16), np.float32)
        eps_theta = run.eps_theta(np.arange(70) % 3, 2.0)
        ends.append((run, generate(ddpm_step(), eps_theta, S, x_T, [50, 30, 10, 1, 0], RowNoise(1))))
    assert_same_bits(ends[0][0], ends[1][0])
    assert np.array_equal(ends[0][1], ends[1][1])


def test_a_run_without_labels_has_none_to_ask_for():
    model = replace(UNET, labels=0)
    run = checkpoint.Run(model, start(model.init(stream(0, INIT))), 0, S, "mine", (4, 4), 8, 1e-3)
    assert run.labels == 0 and a_run(1).labels == 0
    with pytest.raises(
        ValueError, match="label must be left out: this run's unet was trained without labels"
    ):
        run.eps_theta(1, 2.0)
    *_, x_0 = sample(ddim_step(), run.eps_theta(), S, PICTURES, [50, 0], None)
    assert np.isfinite(x_0).all()


def test_the_loss_that_is_reported_is_that_of_the_last_tenth(a_run):
    run_ = checkpoint.load("r/checkpoint.npz")
    for n, last in ((0, 0), (1, 1), (19, 2), (300, 30), (9000, 500)):
        run_.losses = list(range(n))
        assert run_.recent_losses() == list(range(n - last, n))
    run_.losses = [9.0] * 10 + [run_.loss_of_0() / 4, run_.loss_of_0() / 2]  # the last two of twelve
    assert abs(run_.error() - 3 / 8) < 1e-12
    run_.losses = []
    assert math.isnan(run_.error())


def test_what_a_notebook_prints_is_short():
    run = new_run(load("moons"), "moons", "mlp")
    for thing, lines in ((run, 1), (run.schedule, 2), (exact.five_gaussians(), 6)):
        assert len(repr(thing).splitlines()) <= lines and len(repr(thing)) < 300
    assert "MLP(d=2, width=128, depth=3" in repr(run)
    assert "learns v on moons, linear with T = 1000; step 0" in repr(run)
