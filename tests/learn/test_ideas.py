"""Pictures of ideas: axes have names, what is drawn is what was given."""

import numpy as np
import pytest
from drawn import assert_readable

from minidiff.exact import five_gaussians
from minidiff.learn import ideas
from minidiff.schedule import linear

T = linear(1000)
FIGURES = {
    "right_angle": lambda: ideas.right_angle(T, [0, 100, 300, 1000]),
    "compass": lambda: ideas.compass(five_gaussians(), T, [500, 50]),
    "paths": lambda: ideas.paths({"one": np.zeros((3, 4)), "two": np.ones((3, 4))}, "title"),
    "curves": lambda: ideas.curves(
        {name: ([0.2, 1], [k, 9]) for k, name in enumerate("abcd")}, "title", "x", "y"
    ),  # one end
    "side_by_side": lambda: ideas.side_by_side(np.eye(2), 9 * np.eye(2), "title", "line"),
}


@pytest.mark.parametrize("name", FIGURES)
def test_it_can_be_read(name):
    fig = FIGURES[name]()
    assert_readable(fig)
    assert fig.axes[0].get_ylabel() and all(ax.get_xlabel() for ax in fig.axes)


def test_arrows_of_the_right_angle_have_length_1():
    tips = [a.xy for a in ideas.right_angle(T, [0, 100, 300, 1000]).axes[0].texts if a.get_text() == ""]
    assert len(tips) == 4 and np.allclose(np.linalg.norm(tips, axis=1), 1)


def test_the_compass_points_along_the_score():
    ax = ideas.compass(five_gaussians(), T, [500, 50]).axes[0]
    (arrows,) = [c for c in ax.collections if hasattr(c, "U")]
    score = five_gaussians().score(T, arrows.XY, 500)
    cosine = (
        (arrows.U * score[:, 0] + arrows.V * score[:, 1])
        / np.hypot(arrows.U, arrows.V)
        / np.linalg.norm(score, axis=1)
    )
    assert np.all(cosine > 1 - 1e-9)


def test_curves_that_end_in_one_place_have_their_names_at_the_top_and_few_markers():
    """Three bells, 0 at both ends, 1,001 points each: a marker on each point would be a thick band."""
    x = np.linspace(-6, 6, 1001)
    bells = {f"bell {m}": (x, h * np.exp(-2 * (x - m) ** 2)) for m, h in ((-2, 1), (1.4, 3), (2, 2))}
    fig = ideas.curves(bells, "title", "x", "y")
    assert_readable(fig)
    (ax,) = fig.axes
    assert [round(name.xy[0], 1) for name in ax.texts] == [-2, 1.4, 2]
    assert all(1001 / line.get_markevery() <= 9 for line in ax.lines)
    few = ideas.curves({"a": ([0, 1, 2], [5, 1, 0]), "b": ([0, 1, 2], [5, 3, 0])}, "title", "x", "y").axes[
        0
    ]  # one start
    assert [name.xy[0] for name in few.texts] == [2, 2] and few.lines[0].get_markevery() == 1


def test_what_lies_outside_is_counted():
    assert "2 of 2 lie outside" in FIGURES["side_by_side"]().axes[1].get_title()
