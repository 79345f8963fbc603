"""train and checkpoint."""

import json
import math
from itertools import islice

import numpy as np
import pytest
from support import DTYPES

from minidiff import data
from minidiff.cli import checkpoint
from minidiff.cli.checkpoint import goal_of, names_of
from minidiff.gaussian import q_sample
from minidiff.mlp import MLP
from minidiff.objective import loss_and_grads
from minidiff.schedule import linear_scaled
from minidiff.train import CHUNK, batches, start, train

S = linear_scaled(50)
EPS = goal_of("eps", "simple", "uniform")
MODEL = MLP(2, 32, 2, 8)
X = data.load("moons").x[:500]


def a_run(steps, batch=40, dtype=np.float32, **settings):
    state, losses = start(MODEL, 3, dtype), []
    for s in train(MODEL, state, S, X.astype(dtype), steps=steps, batch=batch, **settings):
        losses.append(s.loss)
    return checkpoint.Run(MODEL, state, S, "moons", (2,), batch, 1e-3, losses=losses)


def assert_equal_runs(a, b):
    assert a.state.step == b.state.step and a.losses == pytest.approx(b.losses, rel=1e-7)  # losses are kept in float32
    for group in ("params", "ema", "m", "v"):
        for k in MODEL.shapes:
            assert np.array_equal(getattr(a.state, group)[k], getattr(b.state, group)[k])


def test_training_approaches_the_floor():
    """On a mixture: from 1 a coordinate to within a quarter of what the perfect denoiser loses in the same batches."""
    toy = data.load("mixture")
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
    for (x_0, t, eps, _), (same_x, same_t, fresh, _) in zip(batches(3, 5, S, X, 8, noise=noise), batches(3, 5, S, X, 8)):
        assert np.array_equal(eps, 100 * x_0 + 7)
        assert np.array_equal(x_0, same_x) and np.array_equal(t, same_t) and not np.array_equal(eps, fresh)
        if t[0] > 40:
            break


def test_reflow_can_be_learnt_to_nothing():
    """Pairs (x_0, 0.8 + 0.6 x_0) lie on lines that never cross: the floor is 0, not the 0.6 pi / 2 of fresh noise."""
    model, rng = MLP(1, 32, 1, 8), np.random.default_rng(0)
    noise = rng.standard_normal((2000, 1)).astype(np.float32)
    ends = []
    for pairs in (noise, None):
        state, goal = start(model, 0), goal_of("flow", "simple", "uniform")
        losses = [
            s.loss for s in train(model, state, S, 0.8 + 0.6 * noise, steps=500, batch=128, goal=goal, noise=pairs, lr=5e-3)
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
        "min-snr": lambda: np.minimum(ab / (1 - ab), 5) / (ab / (1 - ab)) * ab,  # v's error times sqrt(ab) is eps's
    }[names["weight"]]()
    assert math.isclose(state.loss, np.sum(weight * target**2) / 40, rel_tol=1e-12)


@pytest.mark.parametrize("goal", [goal_of("v", "min-snr", "logit-normal"), goal_of("flow", "simple", "logit-normal")])
def test_a_resumed_goal_is_the_same_goal(goal, tmp_path):
    whole, half = a_run(30, goal=goal), a_run(CHUNK + 1, goal=goal)
    half.goal = goal
    checkpoint.save(tmp_path / "c.npz", half)
    run = checkpoint.load(tmp_path / "c.npz")
    assert run.goal == goal
    for s in train(run.model, run.state, run.schedule, X, steps=30, batch=run.batch, lr=run.lr, goal=run.goal):
        run.losses.append(s.loss)
    assert_equal_runs(run, whole)


def test_a_run_answers_in_its_goals_own_way():
    """eps_theta turns a velocity into eps_hat = y - r u, y on the line; velocity gives u itself, and only for flow."""
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


def test_a_checkpoint_holds_everything(tmp_path):
    run = a_run(4)
    run.scale, run.offset = np.array([2.0, 3.0]), np.array([1.0, -1.0])
    checkpoint.save(tmp_path / "c.npz", run)
    back = checkpoint.load(tmp_path / "c.npz")
    assert_equal_runs(run, back)
    assert back.model == MODEL and back.data == "moons" and back.shape == (2,) and back.batch == 40 and back.lr == 1e-3
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
        ({"goal": {"objective": "sigma", "weight": "simple", "times": "uniform"}}, "unknown objective 'sigma'"),
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
    monkeypatch.setattr("minidiff.cli.files.MAX_BYTES", 2**20)
    np.savez_compressed(tmp_path / "bomb.npz", x=np.zeros(2**20))
    with pytest.raises(ValueError, match="would expand to"):
        checkpoint.load(tmp_path / "bomb.npz")
