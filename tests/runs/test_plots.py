"""plots: the pictures of a run."""

from pathlib import Path

import numpy as np
import pytest
from drawn import assert_readable

from minidiff.runs import checkpoint, figures, names, plots
from minidiff.runs.datasets import Dataset
from minidiff.runs.names import load
from minidiff.runs.training import data_of, fit, new_run
from minidiff.schedule import linear

DDIM = names.sampler("ddim")


def steps_of(alpha_bar):
    """The differences of log SNR along what is shown, but for its ends."""
    ab = np.array(alpha_bar[1:-1])
    return np.abs(np.diff(np.log(ab / (1 - ab))))


def captions_of(fig):
    """(t, alpha_bar) of each column of a strip, from left to right."""
    pairs = [text.get_text().split("\n") for text in fig.axes[0].texts]
    return [(int(t), float(ab)) for t, ab in (pair for pair in pairs if len(pair) == 2 and pair[0].isdigit())]


def test_forward_goes_by_equal_steps_of_log_snr(a_run):
    """On the schedule itself, whose captions are rounded: of T = 1000, 9 stages miss by half a step each."""
    run_ = checkpoint.load("r/checkpoint.npz")
    run_.schedule = linear(1000)
    fig = plots.forward(run_, data_of(run_), 0)
    assert_readable(fig)
    t, alpha_bar = zip(*captions_of(fig))
    assert t[0] == 0 and t[-1] == 1000 and len(t) == 9
    exact, least = run_.schedule.alpha_bar, np.log(10**4 * 3) / 8  # from 300 to 1/100 in 8 steps
    assert np.allclose(alpha_bar, exact[list(t)], rtol=0.05)
    log_snr = np.log(exact[1:]) - np.log1p(-exact[1:])
    half = np.abs(np.diff(log_snr)[max(0, min(t[1:-1]) - 2) :]).max() / 2  # to the nearest t
    assert np.abs(steps_of(exact[list(t)]) - least).max() <= 2 * half


@pytest.mark.parametrize("shape", [(2,), (8, 8)])
def test_reverse_shows_x_0_hat_below_x_t_at_equal_steps_of_log_snr(shape):
    name = "moons" if shape == (2,) else "digits"
    run_ = new_run(load(name), name, "mlp", width=16, depth=1)
    times = DDIM.times(1000, 1000, "trailing")
    fig = plots.reverse(run_, DDIM, times, 0)
    assert_readable(fig)
    t, _ = zip(*captions_of(fig))
    assert t[0] == 1000 and t[-1] == 0 and len(t) == 9
    steps = steps_of(run_.schedule.alpha_bar[list(t)])
    assert steps.max() - steps.min() < 0.1 * steps.mean()  # evenly in t they would be as 1 to 20
    names_of_lines = [
        text.get_text() for ax in fig.axes for text in ax.texts if text.get_text() in ("$x_t$", "$\\hat x_0$")
    ]
    assert names_of_lines == ["$x_t$", "$\\hat x_0$"] * (1 if shape == (2,) else 3)


def test_few_times_are_each_shown_once(a_run):
    run_ = checkpoint.load("r/checkpoint.npz")
    for steps in (1, 2, 3):
        fig = plots.reverse(run_, DDIM, DDIM.times(40, steps, "trailing"), 0)
        assert len(captions_of(fig)) == steps + 1
        assert_readable(fig)


def test_the_animation_begins_with_the_same_noise_and_ends_with_data(a_run, monkeypatch):
    """As many frames of each sampler, at nearly the same SNR, however many its steps; alone, with x_0_hat."""
    seen, run_ = [], checkpoint.load("r/checkpoint.npz")
    monkeypatch.setattr(figures, "trajectory", lambda panels, shape, gif: seen.append(panels))
    ddpm = names.sampler("ddpm")
    ways = {"DDPM": (ddpm, ddpm.times(40, None, "trailing")), "DDIM": (DDIM, DDIM.times(40, 20, "trailing"))}
    plots.trajectory("t.gif", run_, ways, 0)
    plots.trajectory("t.gif", run_, {"DDIM": ways["DDIM"]}, 0)
    (one, two), (x_t, hats) = (list(panels.values()) for panels in seen)
    assert np.array_equal(one[0][0], two[0][0]) and not np.array_equal(one[0][-1], two[0][-1])
    assert len(one[0]) == len(two[0]) == len(one[1]) == len(two[1]) and one[2] != two[2]
    assert np.array_equal(x_t[0][-1], hats[0][-1]) and not np.array_equal(x_t[0][0], hats[0][0])
    assert one[1][0].startswith("t = 40, ") and one[1][-1].startswith("t = 0, ")


def test_growing_draws_the_same_noise_from_step_0_on(capsys):
    """The stages of a run of 200 steps are step 0 and, four times, twice as many; the curve has them too."""
    looks, data = [], names.load("moons")
    run_ = new_run(data, "moons", "mlp", width=16, depth=1, batch=16, schedule="linear-scaled", T=40)
    fit(run_, data, 200, Path("g/checkpoint.npz"), plots.growing(looks, Path("g/progress.png")))
    assert [step for step, _ in looks] == [0, 25, 50, 100, 200] and Path("g/progress.png").exists()
    assert len({rows.shape for _, rows in looks}) == 1 and not np.array_equal(looks[0][1], looks[-1][1])
    fig = plots.curve(run_, data, looks)
    assert_readable(fig)
    curve = fig.axes[0].get_lines()[0].get_xydata()
    assert len(fig.axes[0].child_axes) == 5 and curve[0, 0] == 1 and curve[-1, 0] <= 200
    whole = np.mean(run_.losses) / run_.loss_of_0()
    assert curve[:, 1].min() <= whole <= curve[:, 1].max()
    assert np.isclose(curve[0, 1], run_.losses[0] / run_.loss_of_0())


def test_each_sample_says_how_far_the_nearest_picture_is():
    x_0, near = np.zeros((50, 16)), np.zeros((40, 16))
    near[:, 0] = np.arange(40)
    fig = plots.nearest(x_0, near, (4, 4))
    words = [text.get_text() for ax in fig.axes for text in ax.texts if text.get_text()[0].isdigit()]
    assert words == [f"{k}.0" for k in range(40)]
    assert_readable(fig)


def test_samples_stand_on_the_line_of_their_label():
    """Data of the label beside them, as many; without data, or without data of that label, alone."""
    shape, label = (1, 2), np.array([2, 0, 1, 0, 2, 0, 1, 1, 2])
    data = Dataset("d", np.stack([label, np.arange(9)], axis=1) / 10, shape, label=label)
    asked = np.array([0, 2, 0, 2, 0])
    fig = plots.against(
        data, {"ddim": np.stack([asked, 5 + 0 * asked], axis=1) / 10}, shape, "title", 0, asked
    )
    assert [ax.get_title() for ax in fig.axes] == ["data", "ddim"]
    assert [text.get_text() for text in fig.axes[0].texts] == ["0", "2"]
    for ax in fig.axes:
        shown = np.ma.filled(ax.images[0].get_array(), np.nan)
        assert np.allclose(shown[1::2, 1::3], [[0, 0], [0.2, 0.2]])
    assert [
        ax.get_title()
        for ax in plots.against(None, {"ddim": asked[:, None] + np.zeros(2)}, shape, "", 0, asked).axes
    ] == ["ddim"]
    strange = np.array([7, 7])
    assert len(plots.against(data, {"ddim": np.ones((2, 2))}, shape, "title", 0, strange).axes) == 1


def test_samples_stand_beside_as_many_data_or_alone():
    moons, drawn = load("moons"), np.random.default_rng(0).standard_normal((6000, 2))
    fig = plots.against(moons, {"few": drawn[:30], "many": drawn}, (2,), "title", 0)
    assert [(ax.get_title(), len(ax.collections[0].get_offsets())) for ax in fig.axes] == [
        ("data", 30),
        ("few", 30),
        ("many", 30),
    ]
    fig = plots.against(None, {"many": drawn}, (2,), "title", 0)
    assert [(ax.get_title(), len(ax.collections[0].get_offsets())) for ax in fig.axes] == [("many", 5000)]
