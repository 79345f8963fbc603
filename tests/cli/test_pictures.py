"""The figures of numbers that only a command prints."""

import numpy as np
import pytest
from command_line import SMALL, run
from drawn import assert_readable

import minidiff as md
from minidiff.cli import pictures
from minidiff.cli.explain import curves
from minidiff.runs import checkpoint
from minidiff.sheet import find

NAMES = "posterior-variance ddim-step cfg karras-sigmas posterior-mean product-mean ssim clip-loss".split()


@pytest.mark.parametrize("name", NAMES)
def test_a_formula_s_picture_can_be_shown_on_a_slide(name):
    """Among them are the longest formulas and captions. Code, and numbers that stay, are told in the text."""
    entry = find(name)
    *drawn, chosen = curves(entry)
    fig = pictures.claimed_and_measured(*drawn, entry.title, entry.latex)
    assert_readable(fig)
    ((ax,), (legend,)) = fig.axes, fig.legends
    said = [text.get_text() for text in legend.get_texts()]
    assert len(said) <= 5 and said[0] == "the formula" and said[-1].startswith("measured")
    assert chosen and chosen not in ax.get_xlabel()
    assert not any("minidiff" in text or "**" in text for text in said)
    shown = [(line.get_color(), line.get_linestyle(), line.get_marker()) for line in ax.lines]
    assert len({color for color, _, _ in shown}) == len({mark for _, _, mark in shown}) == len(said)
    assert [text.get_color() for text in legend.get_texts()] == [color for color, _, _ in shown]


def test_a_wrong_version_that_runs_away_does_not_flatten_the_formula():
    lines = {"the formula": ([0, 1], [0, 1], False), "wrong: far": ([0, 1], [0, 1e9], True)}
    axes = {"xlabel": "x", "ylabel": "y", "ylim": (-2, 3)}
    ax = pictures.claimed_and_measured(lines, ([0, 1], [0, 1]), axes, "title", "y = x").axes[0]
    assert ax.get_ylim() == (-2, 3)


def test_elbo_shows_all_terms_and_what_the_network_loses_more():
    """T = 3, two coordinates: 2 log 2 nats are a bit each; L_0 is below 0, so the log axis has minus L_0."""
    bit = 2 * np.log(2)
    found = {"network": {"terms": [-4 * bit, 2 * bit, 1 * bit, 0.5 * bit]}}
    (ax,) = pictures.elbo_by_t(found, 2).axes
    line, ends = ax.get_lines()
    assert np.array_equal(line.get_xdata(), [1, 2]) and np.allclose(line.get_ydata(), [2, 1])
    assert np.array_equal(ends.get_xdata(), [0, 3]) and np.allclose(ends.get_ydata(), [4, 0.5])
    assert [text.get_text() for text in ax.texts] == ["$-L_0$ = 4", "$L_T$ = 0.5"] and ax.get_xlabel() == "k"
    found["exact"] = {"terms": [-5 * bit, 1.5 * bit, 1 * bit, 0.5 * bit], "gap": [0.1 * bit] * 4}
    fig = pictures.elbo_by_t(found, 2)
    above, below = fig.axes
    assert [text.get_text() for text in above.get_legend().get_texts()][:2] == ["network", "perfect denoiser"]
    assert len(above.get_lines()) == 6 and np.allclose(below.get_lines()[0].get_ydata(), [1, 1.5, 1.5, 1.5])
    assert np.array_equal(below.get_lines()[0].get_xdata(), [0, 1, 2, 3]) and below.get_xlabel() == "k"
    assert_readable(fig)


def test_things_draw_themselves(tmp_path, monkeypatch):
    """A schedule's two shares are a right angle's sides, a mixture shows its samples, a run its losses."""
    monkeypatch.chdir(tmp_path)
    fig = md.draw(md.linear(40, 0.001, 0.3))
    assert_readable(fig)
    picture, noise = (line.get_ydata() for line in fig.axes[0].lines)
    assert np.allclose(picture**2 + noise**2, 1) and picture[0] == 1 and noise[0] == 0
    assert_readable(md.draw(md.exact.five_gaussians()))
    assert run("train", "--data", "moons", "--steps", "5", "--out", "r", *SMALL) == 0
    assert_readable(md.draw(checkpoint.load("r/checkpoint.npz")))
    with pytest.raises(TypeError, match="a schedule, a mixture or a run, got int"):
        md.draw(3)
