"""drawing: samples that are looked at, in parts, by the readable code alone or by the engine."""

import numpy as np
import pytest
from command_line import run
from hypothesis import given
from hypothesis import strategies as st

from minidiff.layers import views
from minidiff.runs import checkpoint, drawing, training
from minidiff.runs.names import load, sampler
from minidiff.runs.training import data_of, gradient_steps, new_run


def test_samples_far_out_are_counted(capsys, a_run):
    """Four times -1..3 is -7..9, around 1; a constant column counts as one of 2: four times it is 3..11."""
    run_ = checkpoint.load("r/checkpoint.npz")
    assert run_.low.shape == (2,) and np.all(run_.low < run_.high)
    run_.low, run_.high = np.array([-1, 7]), np.array([3, 7])
    run_.scale, run_.offset = np.array([10, 1]), np.array([100, 0])
    x_0 = np.array([[-7.0, 7], [9, 3], [0, 11]])
    drawing.warn_beyond(run_, x_0)
    assert capsys.readouterr().err == ""
    # 1 of 100 is not worth a word
    drawing.warn_beyond(run_, np.concatenate([np.zeros((99, 2)), [[9.5, 0]]]) + [0, 7])
    assert capsys.readouterr().err == ""
    drawing.warn_beyond(run_, np.concatenate([np.zeros((98, 2)), [[9.5, 0], [9.5, 0]]]) + [0, 7])
    assert capsys.readouterr().err.startswith("2 of 100 samples hold values")
    drawing.warn_beyond(run_, np.concatenate([x_0, [[-7.01, 7], [9.01, 7], [10, 11.01]]]))
    said = "3 of 6 samples hold values beyond four times the data's range, most in column 1\n"
    assert capsys.readouterr().err == said
    views(run_.state.ema, run_.model.shapes)["b_out"][:] = 1e3
    run_.scale, run_.offset = 1.0, 0.0  # moons
    checkpoint.save("r/checkpoint.npz", run_)
    for command in ("sample", "eval"):
        assert run(command, "r", "--n", "9", "--steps", "4", "--out", "o") == 0
        assert capsys.readouterr().err.startswith(
            "9 of 9 samples hold values beyond four times the data's range, most in column "
        )


def test_plain_trains_and_draws_the_same_by_the_readable_code(a_run, monkeypatch):
    """To the rounding of float32; and nothing of the engine is called."""
    run_ = checkpoint.load("r/checkpoint.npz")
    data, ddim = data_of(run_), sampler("ddim")
    times = ddim.times(run_.schedule.T, 8, "trailing")
    fast = drawing.draw(run_, ddim, times, 20, 0)[0]
    for module in (checkpoint, drawing, training):
        monkeypatch.setattr(module, "engine", None)
    plain = drawing.draw(run_, ddim, times, 20, 0, plain=True)[0]
    # 8 steps, each some thousand roundings of numbers no larger than the largest result: trust.py's bound
    assert np.abs(plain - fast).max() <= 8 * 2**14 * np.finfo(np.float32).eps * np.abs(fast).max()
    step = run_.state.step
    assert [state.step for state in gradient_steps(run_, data, step + 2, plain=True)] == [
        step + 1,
        step + 2,
    ]


MANY = {"mlp": 4700, "unet": 520}  # rows that take more than one block


@pytest.mark.parametrize(
    "drawn", ["mlp ddpm", "mlp dpm-solver++", "mlp ddpm plain", "unet ddpm", "unet ddim plain"]
)
def test_parts_of_a_run_are_the_bits_of_the_whole(drawn):
    """Parts that begin and end inside a block, one of a single row, one of a few rows."""
    model, how, *plain = drawn.split()
    pictures, plain, n = model == "unet", bool(plain), MANY[model]
    data = load("digits" if pictures else "moons")
    run_ = new_run(data, data.name, model, pictures, T=40, width=8, depth=1)
    rng = np.random.default_rng(0)
    # what a network has not learnt yet is the same for all labels
    run_.state.ema += 0.1 * rng.standard_normal(run_.state.ema.shape).astype(np.float32)
    how, condition = sampler(how), (np.arange(10), 1.0) if pictures else ()
    times = how.times(40, 4, "trailing")
    whole = drawing.draw(run_, how, times, n, 3, condition, plain)[0]
    edges = [0, 100, 101, n - 205, n - 7, n]
    parts = [
        drawing.draw(run_, how, times, n, 3, condition, plain, rows)[0] for rows in zip(edges, edges[1:])
    ]
    assert [len(x) for x in parts] == np.diff(edges).tolist()
    # no noise comes twice
    assert np.array_equal(np.concatenate(parts), whole) and len(np.unique(whole, axis=0)) == n
    few = drawing.draw(run_, how, times, 101, 3, condition, plain)[
        0
    ]  # another n: the same rows, to fast/trust.py's bound a step
    assert np.abs(few - whole[:101]).max() <= 4 * 2**14 * np.finfo(np.float32).eps * np.abs(whole).max()


def test_a_row_is_told_the_label_of_its_number():
    labels, w = drawing.for_rows((np.array([3, 5, 8]), 2.0), (7, 12))
    assert labels.tolist() == [5, 8, 3, 5, 8] and w == 2.0 and drawing.for_rows((), (7, 12)) == ()


@pytest.mark.parametrize(
    ("objective", "name"), [("v", "ddim"), ("eps", "ddim"), ("flow", "ddim"), ("flow", "euler")]
)
def test_the_last_x_0_hat_is_where_a_step_without_noise_ends(objective, name):
    """From the last time to 0, DDIM and a straight flow's Euler step go to x_0_hat itself, in float32."""
    data = load("moons")
    run_ = new_run(
        data, "moons", "mlp", width=16, depth=1, T=40, schedule="linear-scaled", objective=objective
    )
    # it is 0 at first
    W_out = views(run_.state.ema, run_.model.shapes)["W_out"]
    W_out[:] = np.random.default_rng(0).standard_normal(W_out.shape)
    how = sampler(name, straight=objective == "flow")
    stages = drawing.draw_path(run_, how, how.times(40, 4, "trailing"), 20, 9, 0)
    t, alpha_bar, x_t, x_0_hat = zip(*stages)
    assert t[0] == 40 and t[-2] == 10 and t[-1] == 0 and alpha_bar[-1] == 1
    assert np.all(np.diff(alpha_bar) >= 0)
    assert np.array_equal(x_0_hat[-1], x_t[-1])
    largest = max(np.abs(x).max() for x in (*x_t, *x_0_hat))
    assert np.abs(x_0_hat[-2] - x_t[-1]).max() <= 100 * np.finfo(np.float32).eps * largest  # a few operations
    assert np.abs(x_0_hat[0] - x_t[-1]).max() > 1e-3 * largest  # as this shows, they do not agree everywhere


@given(st.integers(2, 1000), st.integers(2, 60), st.integers(0, 9))
def test_spread_keeps_both_ends_and_steps_of_log_snr(T, count, seed):
    """Where three alpha_bars lie close to what is wanted, none is farther from it than its neighbours."""
    alpha_bar = np.append(np.sort(np.random.default_rng(seed).uniform(0.001, 0.999, T)), 1.0)
    at = drawing.spread(alpha_bar, count)
    assert len(at) == count and at[0] == 0 and at[-1] == T and at == sorted(at)
    log_snr = np.log(alpha_bar[:-1] / (1 - alpha_bar[:-1]))
    low, high = max(log_snr[0], -np.log(100)), np.log(300)
    for k in range(1, count - 1):
        wanted = low + (high - low) * k / (count - 1)
        assert np.abs(log_snr - wanted).min() >= np.abs(log_snr[min(at[k], T - 1)] - wanted) - 1e-9
