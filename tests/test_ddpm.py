"""The page: algorithm 1 and algorithm 2 are the loops that stand there, and it runs with NumPy alone."""

import copy
import math
import re
import subprocess
import sys
from functools import partial
from itertools import islice
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from support import COARSE, DTYPES, Given, coarse, environment, product_of_alphas

from minidiff import ddpm
from minidiff.ddpm import batches, sample, train
from minidiff.exact import five_gaussians
from minidiff.gaussian import q_sample
from minidiff.mlp import MLP
from minidiff.noise import DATA, INIT, TRAIN, stream
from minidiff.objective import loss_and_grads, v_prediction, x_0_prediction
from minidiff.optim import start, update
from minidiff.sampling import ddim_step, ddpm_step
from minidiff.schedule import linear_scaled

ROOT = Path(__file__).parents[1]
S = coarse()
GROUPS = ("params", "ema", "m", "v")


def a_batch(rng, rows=5, dtype=np.float64, shape=(2,)):
    x_0, eps = rng.standard_normal((2, rows, *shape)).astype(dtype)
    return x_0, rng.integers(1, 7, rows), eps


def test_batches_are_rows_times_and_noises():
    data = np.arange(20, dtype=np.float32).reshape(10, 2)
    x_0, t, eps = next(batches(data, 6, np.random.default_rng(0), 4000))
    assert x_0.shape == eps.shape == (4000, 2) and t.shape == (4000,) and x_0.dtype == eps.dtype == np.float32
    assert np.array_equal(x_0[:, 1], x_0[:, 0] + 1) and set(x_0[:, 0]) == set(range(0, 20, 2))
    assert t.dtype.kind == "i" and set(t) == set(range(1, 7))  # 1 and T are among them, 0 is not
    # each t, and each row, as often: shares of 4000 within 7.2 of their deviations, false alarm 1e-12
    for counts in (np.bincount(t)[1:], np.bincount(x_0[:, 0].astype(int) // 2)):
        p = 1 / len(counts)
        assert np.abs(counts / 4000 - p).max() < 7.2 * math.sqrt(p * (1 - p) / 4000)
    assert abs(eps.mean()) < 7.2 / math.sqrt(8000) and abs(eps.var() - 1) < 7.2 * math.sqrt(2 / 8000)


def test_batches_are_a_function_of_their_rng_and_have_no_end():
    data = np.random.default_rng(0).standard_normal((10, 2))
    a, b = (list(islice(batches(data, 6, np.random.default_rng(1), 3), 40)) for _ in range(2))
    assert all(np.array_equal(u, v) for one, same in zip(a, b) for u, v in zip(one, same))
    assert len({eps.tobytes() for _, _, eps in a}) == 40  # each batch its own noise
    assert len(next(batches(data, 6, np.random.default_rng(1)))[0]) == 128


class Recording:
    """A gradient that notes what it is asked, and answers chosen numbers."""

    def __init__(self, *grads):
        self.grads, self.asked = list(grads), []

    def __call__(self, model, params, x_t, t, target, *label):
        self.asked.append((model, params.copy(), x_t, t, target, *label))
        return 10.0 + len(self.asked), self.grads[min(len(self.asked), len(self.grads)) - 1]


@pytest.mark.parametrize("dtype", DTYPES)
def test_train_is_algorithm_1(dtype):
    """x_t = sqrt(ab_t) x_0 + sqrt(1 - ab_t) eps, row by row from the betas; the target eps; then a step."""
    rng, model, stepped = np.random.default_rng(0), object(), []
    drawn = [a_batch(rng, dtype=dtype) for _ in range(3)]
    gradients, state = Recording(np.full(3, 0.5, dtype)), start(np.arange(3, dtype=dtype))

    def downhill(state, grads):
        stepped.append(grads)
        state.params -= grads
        state.step += 1

    states = train(model, state, S, iter(drawn), gradients=gradients, update=downhill)
    for n, (x_0, t, eps) in enumerate(drawn):
        assert next(states) is state and state.loss == 11.0 + n and state.step == n + 1
        assert len(gradients.asked) == len(stepped) == n + 1  # a step for a batch, none ahead
        asked, params, x_t, times, target = gradients.asked[n]
        assert asked is model and times is t and np.array_equal(target, eps) and target.dtype == dtype
        assert np.array_equal(params, np.arange(3) - 0.5 * n)  # the parameters as they are before the step
        assert x_t.dtype == dtype
        for i, k in enumerate(t):
            ab = product_of_alphas(COARSE, int(k))
            want = math.sqrt(ab) * x_0[i].astype(float) + math.sqrt(1 - ab) * eps[i].astype(float)
            assert np.abs(x_t[i] - want).max() < 4 * 10 * np.finfo(dtype).eps
    assert next(states, None) is None


@pytest.mark.parametrize("objective", [v_prediction, x_0_prediction])
def test_train_asks_for_the_target_of_its_objective(objective):
    x_0, t, eps = a_batch(np.random.default_rng(1), shape=(2, 2))
    gradients = Recording(np.zeros(1))
    list(train(None, start(np.zeros(1)), S, [(x_0, t, eps)], objective=objective, gradients=gradients))
    ((*_, x_t, _, target),) = gradients.asked
    ab = np.array([product_of_alphas(COARSE, int(k)) for k in t])[:, None, None]
    want = np.sqrt(ab) * eps - np.sqrt(1 - ab) * x_0 if objective is v_prediction else x_0
    assert np.abs(target - want).max() < 1e-14
    assert np.abs(x_t - (np.sqrt(ab) * x_0 + np.sqrt(1 - ab) * eps)).max() < 1e-14


def test_labels_pass_through():
    """To the gradients, and from loss_and_grads to the model."""
    x_0, t, eps = a_batch(np.random.default_rng(2))
    label, seen = np.array([0, 2, 1, 1, 0]), []
    gradients = Recording(np.zeros(1))
    list(train(None, start(np.zeros(1)), S, [(x_0, t, eps, label), (x_0, t, eps)], gradients=gradients))
    assert [len(asked) for asked in gradients.asked] == [6, 5] and gradients.asked[0][-1] is label

    class Told:
        def forward(self, params, x_t, t, label=None):
            seen.append(label)
            return params * x_t, x_t

        def backward(self, dout, cache):
            return np.array([np.sum(dout * cache)])

    list(train(Told(), start(np.ones(1)), S, [(x_0, t, eps, label), (x_0, t, eps)]))
    assert seen[0] is label and seen[1] is None


def test_one_step_is_its_pieces():
    """The first update of a network, redone with them: loss and gradient at the old parameters, then Adam."""
    model = MLP(2, 32, 2, 8)
    state = start(model.init(stream(3, INIT), np.float64))
    # W_out is 0 at first: then most gradients are
    state.params += 0.1 * np.random.default_rng(0).standard_normal(state.params.shape)
    params = state.params.copy()
    x_0, t, eps = a_batch(np.random.default_rng(4), 40)
    ab = np.array([product_of_alphas(COARSE, int(k)) for k in t])[:, None]
    loss, grads = loss_and_grads(model, params, np.sqrt(ab) * x_0 + np.sqrt(1 - ab) * eps, t, eps)
    (after,) = train(model, state, S, [(x_0, t, eps)])
    assert after is state and state.step == 1 and math.isclose(state.loss, loss, rel_tol=1e-12)
    # Adam's first step is lr sign(gradient), where the gradient is not tiny
    moved, clear = state.params - params, np.abs(grads) > 1e-4
    assert clear.sum() > 1000 and np.allclose(moved[clear], -1e-3 * np.sign(grads[clear]), rtol=1e-3)


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_a_gradient_that_is_not_finite_stops_before_anything_changes(wrong):
    x_0, t, eps = a_batch(np.random.default_rng(5))
    gradients = Recording(np.ones(3), np.ones(3), np.array([1.0, wrong, 1.0]))
    state = start(np.arange(3.0))
    states = train(None, state, S, [(x_0, t, eps)] * 5, gradients=gradients)
    next(states), next(states)
    before = copy.deepcopy(state)
    with pytest.raises(FloatingPointError, match="not finite at step 3"):
        next(states)
    assert state.step == before.step == 2 and state.loss == before.loss == 12.0
    assert all(np.array_equal(getattr(state, g), getattr(before, g)) for g in GROUPS)


def test_data_that_are_not_finite_stop_training():
    model = MLP(2, 8, 1, 4)
    state = start(model.init(stream(0, INIT)))
    x_0, t, eps = a_batch(np.random.default_rng(5), dtype=np.float32)
    before, x_0[0] = state.params.copy(), np.nan
    with pytest.raises(FloatingPointError, match="not finite at step 1"):
        next(train(model, state, S, [(x_0, t, eps)]))
    assert state.step == 0 and np.array_equal(state.params, before) and math.isnan(state.loss)


@pytest.mark.parametrize("dtype", DTYPES)
def test_training_and_sampling_keep_the_dtype(dtype):
    model = MLP(2, 8, 1, 4)
    state = start(model.init(stream(0, INIT), dtype))
    x = np.random.default_rng(0).standard_normal((20, 2)).astype(dtype)
    for _ in train(model, state, S, islice(batches(x, 6, stream(0, TRAIN), 8), 2)):
        pass
    assert all(getattr(state, g).dtype == dtype for g in GROUPS) and state.step == 2
    assert type(state.loss) is float
    for x_s in sample(ddpm_step(), model.eps_theta(state.ema), S, x, range(6, -1, -1), stream(0, 3)):
        assert x_s.dtype == dtype and x_s.shape == x.shape


def test_training_approaches_the_floor():
    """On a mixture: from 1 a coordinate to within a quarter of what the perfect denoiser loses there."""
    s, mixture = linear_scaled(50), five_gaussians()
    x = mixture.sample(10_000, stream(0, DATA), np.float32)
    drawn = list(islice(batches(x, s.T, stream(0, TRAIN)), 1500))
    model = MLP(2, 64, 2)
    losses = [state.loss for state in train(model, start(model.init(stream(0, INIT))), s, drawn)]
    best = [
        np.sum((mixture.eps(s, q_sample(s, x_0, t, eps), t) - eps) ** 2) / 128 for x_0, t, eps in drawn[-300:]
    ]
    # 0 is answered at first: Q = 128 losses[0] has 256 degrees of freedom,
    # |Q - 256| <= 2 sqrt(256 L) + 2 L with L = log 2e12
    assert abs(losses[0] - 2) < 2 * (math.sqrt(256 * math.log(2e12)) + math.log(2e12)) / 128
    # a loss is the perfect one's and |eps_hat - eps*|^2 but for a product of mean 0: its deviation, about
    # 2 * 0.3 * 0.6 a row, leaves 7.2 * 0.4 / sqrt(300 * 128) = 0.014 open, 0.04 of the floor
    assert 0.96 < np.mean(losses[-300:]) / np.mean(best) < 1.25


def test_the_rate_is_the_updates():
    """Another rate, clipping or average is handed in with the update."""
    model, rng = MLP(2, 8, 1, 4), np.random.default_rng(0)
    drawn, ends = [a_batch(rng)], []
    for lr in (1e-3, 5e-2):
        state = start(model.init(stream(0, INIT), np.float64))
        before = state.params.copy()
        list(train(model, state, S, drawn, update=partial(update, lr=lr)))
        ends.append(np.abs(state.params - before).max())
    assert ends == pytest.approx([1e-3, 5e-2], rel=1e-3)


def test_sample_is_algorithm_2():
    """It asks the step with each pair (t, s), one after another, and yields every x_s; nothing runs ahead."""
    asked, x_T = [], np.zeros((3, 2))

    def step(*args):
        asked.append(args)
        return args[2] + 10.0 ** len(asked)

    for times in ([6, 5, 4, 3, 2, 1, 0], np.array([6, 4, 1, 0]), range(6, -1, -3)):
        asked.clear()
        walk = sample(step, "eps_theta", S, x_T, times, "rng")
        assert not asked
        path = []
        for x in walk:
            path.append(x)
            assert len(asked) == len(path)
        assert [(t, s) for *_, t, s, _ in asked] == list(zip(list(times), list(times)[1:]))
        assert all(args[:2] == ("eps_theta", S) and args[-1] == "rng" for args in asked)
        # each step begins where the one before has ended
        assert asked[0][2] is x_T and all(args[2] is x for args, x in zip(asked[1:], path))
        assert [x[0, 0] for x in path] == [sum(10**k for k in range(1, n + 2)) for n in range(len(path))]
    assert not x_T.any()


@pytest.mark.parametrize("step", [ddpm_step(), ddim_step(0.5)])
def test_sample_ends_at_the_data_of_a_perfect_denoiser(step):
    """Data that are one point: every eps_hat leads there, whatever the noise."""
    point = np.array([0.7, -0.3])

    def eps_theta(x_t, t):
        ab = product_of_alphas(COARSE, int(t))
        return (x_t - math.sqrt(ab) * point) / math.sqrt(1 - ab)

    *_, x_0 = sample(step, eps_theta, S, np.ones((4, 2)), range(6, -1, -1), Given(0.3))
    assert np.abs(x_0 - point).max() < 1e-13


def run(folder, *command, **env):
    out = subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env=environment(folder, **env),
        capture_output=True,
        text=True,
        check=False,
    )
    assert out.returncode == 0, out.stderr
    return SimpleNamespace(lines=out.stdout.splitlines(), errors=out.stderr)


def numbers(line):
    return [float(n) for n in re.findall(r"\d+\.\d+", line)]


def test_the_page_runs_with_numpy_alone(tmp_path):
    """No Numba is imported; two lines say how far it came, and the picture is drawn."""
    out = run(tmp_path, "-m", "minidiff.ddpm", broken=["numba", "llvmlite"])
    assert out.errors == "" and len(out.lines) == 3
    first, last = numbers(out.lines[0])
    distance, floor = numbers(out.lines[1])
    # the perfect denoiser loses about 0.4, an answer of 0 two
    assert out.lines[0].startswith("loss: ") and 0 < last < 0.5 and last < 0.9 * first
    assert out.lines[1].startswith("energy distance to data: ")
    # seeds are fixed, BLAS is not: a sampler that draws noise, or one moon, is farther than 0.05
    assert 0 < floor < 0.02 and distance < 0.05
    assert out.lines[2] == "drawn: runs/ddpm.png"
    assert (tmp_path / "runs" / "ddpm.png").read_bytes()[1:4] == b"PNG"


def test_the_page_runs_without_matplotlib(tmp_path):
    """Training is cut short: what is seen is that it ends with a word instead of the picture."""
    code = (
        "import itertools, minidiff.ddpm as page\n"
        "page.islice = lambda drawn, n: itertools.islice(drawn, 20)\n"
        "page.main()\n"
    )
    out = run(tmp_path, "-c", code, missing=["matplotlib"], broken=["numba", "llvmlite"])
    assert out.lines[2:] == ["no picture: matplotlib is not installed"] and out.errors == ""
    assert len(numbers(out.lines[0])) == len(numbers(out.lines[1])) == 2
    assert not (tmp_path / "runs").exists()


def test_the_page_is_a_page():
    lines = Path(ddpm.__file__).read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 120 and max(map(len, lines)) <= 110


def test_readmes_python_runs_as_it_stands(tmp_path, monkeypatch):
    """Every block, each by itself, in a folder where nothing else is."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", readme, re.S | re.M)
    assert blocks
    for n, block in enumerate(blocks):
        folder = tmp_path / str(n)
        folder.mkdir()
        monkeypatch.chdir(folder)
        exec(compile(block, f"README.md, block {n}", "exec"), {"__name__": "__main__"})
