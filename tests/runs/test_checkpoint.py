"""checkpoint: a run in one file, whole or refused, and what the run answers."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from minidiff.runs.use import new_run
from minidiff.sample import ddim, ddpm, sample
from minidiff.train import CHUNK, start, train

from minidiff import data
from minidiff.fast import RowNoise, generate
from minidiff.mlp import MLP
from minidiff.pictures.unet import UNet
from minidiff.runs import checkpoint
from minidiff.runs.names import goal_of, load
from minidiff.schedule import linear_scaled

S = linear_scaled(50)
MODEL = MLP(2, 32, 2, 8)
X = load("moons").x[:500]
UNET = UNet(4, width=4, depth=1, labels=3)
LABEL = (np.arange(30) % 3).astype(np.uint8)
PICTURES = np.random.default_rng(0).standard_normal((30, 16)).astype(np.float32)
GOAL = goal_of("v", "min-snr", "logit-normal", warmup=20)


def a_run(steps, batch=40, dtype=np.float32, **settings):
    state, losses = start(MODEL, 3, dtype), []
    for s in train(MODEL, state, S, X.astype(dtype), steps=steps, batch=batch, **settings):
        losses.append(s.loss)
    return checkpoint.Run(MODEL, state, S, "moons", (2,), batch, 1e-3, losses=losses)


def assert_equal_runs(a, b):
    # losses are kept in float32
    assert a.state.step == b.state.step and a.losses == pytest.approx(b.losses, rel=1e-7)
    for group in ("params", "ema", "m", "v"):
        for k in MODEL.shapes:
            assert np.array_equal(getattr(a.state, group)[k], getattr(b.state, group)[k])


@pytest.mark.parametrize(
    "goal", [goal_of("v", "min-snr", "logit-normal"), goal_of("flow", "simple", "logit-normal")]
)
def test_a_resumed_goal_is_the_same_goal(goal, tmp_path):
    whole, half = a_run(30, goal=goal), a_run(CHUNK + 1, goal=goal)
    half.goal = goal
    checkpoint.save(tmp_path / "c.npz", half)
    run = checkpoint.load(tmp_path / "c.npz")
    assert run.goal == goal
    for s in train(
        run.model, run.state, run.schedule, X, steps=30, batch=run.batch, lr=run.lr, goal=run.goal
    ):
        run.losses.append(s.loss)
    assert_equal_runs(run, whole)


def test_a_run_answers_in_its_goals_own_way():
    """eps_theta turns a velocity into eps_hat = y - r u, y on the line; velocity gives u, only for flow."""
    run, x = a_run(20, dtype=np.float64), np.random.default_rng(0).standard_normal((4, 2))
    network, ab = run.model.eps_theta(run.state.ema), S.alpha_bar[30]
    run.goal = goal_of("eps", "simple", "uniform")
    assert np.array_equal(run.eps_theta()(x, 30), network(x, 30))
    with pytest.raises(ValueError, match="this one learnt eps"):
        run.velocity()
    run.goal = goal_of("flow", "simple", "uniform")
    r, kappa = math.sqrt(ab) / (math.sqrt(ab) + math.sqrt(1 - ab)), 1 / (math.sqrt(ab) + math.sqrt(1 - ab))
    u = network(kappa * x, 1000 * r)
    assert np.abs(run.velocity()(kappa * x, r) - u).max() < 1e-9
    assert np.abs(run.eps_theta()(x, 30) - (kappa * x - r * u)).max() < 1e-9
    run.second_moment = 0.5
    assert abs(run.loss_of_0() - 2 * (1 + 0.5)) < 1e-12


@pytest.mark.parametrize("stop", [1, 7, CHUNK, CHUNK + 1])
def test_resumed_equals_uninterrupted_bit_for_bit(stop, tmp_path):
    whole = a_run(30)
    checkpoint.save(tmp_path / "c.npz", a_run(stop))
    run = checkpoint.load(tmp_path / "c.npz")
    assert run.state.step == stop
    for s in train(run.model, run.state, run.schedule, X, steps=30, batch=run.batch, lr=run.lr):
        run.losses.append(s.loss)
    assert_equal_runs(run, whole)


def test_a_checkpoint_holds_everything(tmp_path):
    run = a_run(4)
    run.scale, run.offset = np.array([2.0, 3.0]), np.array([1.0, -1.0])
    checkpoint.save(tmp_path / "c.npz", run)
    back = checkpoint.load(tmp_path / "c.npz")
    assert_equal_runs(run, back)
    assert back.model == MODEL and back.data == "moons" and back.shape == (2,)
    assert back.batch == 40 and back.lr == 1e-3
    assert np.array_equal(back.schedule.alpha_bar, S.alpha_bar) and back.state.seed == 3
    assert np.array_equal(back.in_data_units(np.ones((1, 2))), [[3.0, 2.0]])
    assert [p.name for p in tmp_path.iterdir()] == ["c.npz"]
    x = np.random.default_rng(0).standard_normal((3, 2)).astype(np.float32)
    assert np.array_equal(back.eps_theta()(x, 4), run.eps_theta()(x, 4))


def test_a_failed_save_keeps_the_last_checkpoint(tmp_path):
    path = tmp_path / "c.npz"
    checkpoint.save(path, a_run(1))
    before = path.read_bytes()
    broken = a_run(2)
    broken.state.params["W_in"] = object()
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
            arrays[k.replace("__", "/")] = v
    arrays["meta"] = np.array(json.dumps(meta))
    np.savez(path, **{k: v for k, v in arrays.items() if v is not None})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"format": 99}, "format 99"),
        ({"model": {"kind": "transformer"}}, "unknown|transformer"),
        ({"params__W_0": np.zeros((3, 3), np.float32)}, "params/W_0"),
        ({"ema__W_0": np.zeros((32, 32))}, "ema/W_0"),
        ({"v__b_in": None}, "not a checkpoint"),
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


def a_unet_run(steps, goal=GOAL, seed=3):
    state, losses = start(UNET, seed), []
    for s in train(UNET, state, S, PICTURES, steps=steps, batch=8, goal=goal, label=LABEL):
        losses.append(s.loss)
    return checkpoint.Run(UNET, state, S, "mine", (4, 4), 8, 1e-3, goal=goal, losses=losses)


def assert_same_bits(a, b):
    assert a.state.step == b.state.step
    for group in ("params", "ema", "m", "v"):
        for k in a.model.shapes:
            assert np.array_equal(getattr(a.state, group)[k], getattr(b.state, group)[k])


@pytest.mark.parametrize("stop", [2, CHUNK, CHUNK + 1])
def test_a_conditional_unet_resumes_bit_for_bit_while_it_warms_up(stop, tmp_path):
    """30 rows by 8: every epoch ends within a batch."""
    whole = a_unet_run(CHUNK + 5)
    checkpoint.save(tmp_path / "c.npz", a_unet_run(stop))
    run = checkpoint.load(tmp_path / "c.npz")
    assert run.model == UNET and run.kind == "unet" and run.goal == GOAL and run.state.step == stop
    for s in train(
        run.model,
        run.state,
        run.schedule,
        PICTURES,
        steps=CHUNK + 5,
        batch=8,
        lr=run.lr,
        goal=run.goal,
        label=LABEL,
    ):
        run.losses.append(s.loss)
    assert_same_bits(run, whole)
    assert run.losses == pytest.approx(whole.losses, rel=1e-7)  # kept in float32


def test_same_bits_for_one_and_two_threads(monkeypatch):
    """Two training steps and four of a guided sampler, on 70 rows: three blocks."""
    model, x = UNet(4, width=4, depth=1, labels=3), np.tile(PICTURES, (3, 1))
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


def test_a_run_without_labels_has_none_to_ask_for():
    model = replace(UNET, labels=0)
    run = checkpoint.Run(model, start(model, 0), S, "mine", (4, 4), 8, 1e-3)
    assert run.labels == 0 and a_run(1).labels == 0
    with pytest.raises(
        ValueError, match="label must be left out: this run's unet was trained without labels"
    ):
        run.eps_theta(1, 2.0)
    *_, x_0 = sample(ddim(), run.eps_theta(), S, PICTURES, [50, 0], None)
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


def test_a_run_of_another_network_is_named(tmp_path):
    """Neither a tensor too few, nor one too many, which would be left out in silence."""
    checkpoint.save(tmp_path / "c.npz", a_run(2))
    for changes in ({"params__W_0": None}, {"params__W_last": np.zeros((3, 3), np.float32)}):
        spoil(tmp_path / "c.npz", **changes)
        with pytest.raises(
            ValueError, match=r"run of another network: only one of the two has W_(0|0, W_last|last)"
        ):
            checkpoint.load(tmp_path / "c.npz")


def test_what_a_notebook_prints_is_short():
    run = new_run(load("moons"), "moons", "mlp")
    for thing, lines in ((run, 1), (run.schedule, 2), (data.mixture(), 6)):
        assert len(repr(thing).splitlines()) <= lines and len(repr(thing)) < 300
    assert "MLP(d=2, width=128, depth=3" in repr(run)
    assert "learns v on moons, linear with T = 1000; step 0" in repr(run)
