"""The pictures: what they show, read from the axes, and that they are written whole; looks are for eyes."""

import numpy as np
import pytest
from drawn import assert_readable
from matplotlib.colors import to_hex

from minidiff.runs import figures
from minidiff.runs.names import SAMPLERS

POINTS = [np.random.default_rng(i).standard_normal((30, 2)) for i in range(3)]
PICTURES = [np.random.default_rng(i).uniform(-1, 1, (5, 16)) for i in range(3)]
COLOURS = [np.random.default_rng(i).uniform(-1.5, 1.5, (5, 48)) for i in range(3)]


def words_of(fig):
    """What is written near axes."""
    return [text.get_text() for ax in fig.axes for text in ax.texts if text.get_text()]


@pytest.mark.parametrize(("path", "shape"), [(POINTS, (2,)), (PICTURES, (4, 4)), (COLOURS, (4, 4, 3))])
def test_strip_beside_and_trajectory(path, shape, tmp_path):
    captions = ["1000\n4e-05", "500\n0.08", "0\n1"]
    fig = figures.strip(path, captions, shape, "title", "$t$\n$x$", path[::-1])
    groups = 1 if shape == (2,) else len(path[0])
    assert sorted(words_of(fig)) == sorted([*captions, "$t$\n$x$"] + ["$x_t$", "$\\hat x_0$"] * groups)
    assert len(fig.axes) == groups
    assert_readable(fig)
    assert figures.save(fig, tmp_path / "s.png") == tmp_path / "s.png"
    fig = figures.side_by_side(
        {"data": path[0], "ddim(eta=0)\n50 evaluations": path[1], "a caption of many words": path[2]},
        shape,
        "title",
    )
    assert [ax.get_title() for ax in fig.axes] == [
        "data",
        "ddim(eta=0)\n50 evaluations",
        "a caption of many\nwords",
    ]
    assert_readable(fig)
    figures.save(fig, tmp_path / "b.png")
    figures.trajectory(
        {"a": (path, captions, "red"), "b": (path[::-1], captions, "blue")}, shape, tmp_path / "t.gif"
    )
    assert sorted(p.name for p in tmp_path.iterdir()) == ["b.png", "s.png", "t.gif"]
    assert (tmp_path / "s.png").read_bytes()[1:4] == b"PNG"
    gif = (tmp_path / "t.gif").read_bytes()
    # its width, where the format has it
    assert gif[:4] == b"GIF8" and int.from_bytes(gif[6:8], "little") == 800


def test_the_animation_shows_every_stage_and_pauses_at_its_end(tmp_path):
    """The durations as they stand in the file, in hundredths of a second, after 21 F9 04 and some flags."""
    figures.trajectory({"a": (POINTS, ["1", "2", "3"], "red")}, (2,), tmp_path / "t.gif")
    parts = (tmp_path / "t.gif").read_bytes().split(b"\x21\xf9\x04")[1:]
    waits = [int.from_bytes(part[1:3], "little") for part in parts]
    assert len(waits) == 3 and waits[1] <= 13 and waits[2] >= 200


def test_points_of_a_strip_stay_in_their_column_and_lines_have_colours():
    """A stray point would lie among those of another stage: it is left out."""
    stages = [
        np.array([[0.0, 0], [1, 1], [-1, -1]] * 300),
        np.array([[0.0, 0], [50, 0], [0, -50]] + [[1, 0]] * 897),
    ]
    fig = figures.strip(stages, ["a", "b"], (2,), "title", "", stages)
    drawn = [np.ma.getdata(found.get_offsets()) for found in fig.axes[0].collections]
    middles = [np.nanmean(rows, axis=0) for rows in drawn]
    assert middles[0][0] < middles[1][0] and middles[0][1] == middles[1][1] and middles[2][1] < middles[0][1]
    assert np.nanmax(drawn[0][:, 0]) < np.nanmin(drawn[1][:, 0]) and np.isnan(drawn[1]).any(axis=1).sum() == 2
    colors = [tuple(found.get_facecolor()[0][:3]) for found in fig.axes[0].collections]
    assert colors[0] == colors[1] != colors[2] == colors[3]


def test_a_sampler_has_one_colour_everywhere():
    assert figures.color_of("DDPM, 1000 steps") == figures.color_of("ddpm\n50 evaluations") == figures.ORANGE
    assert figures.color_of("ddim(eta=0.5)") == figures.BLUE and figures.color_of("data", "none") == "none"
    assert (
        figures.color_of("flow euler")
        == figures.STYLES["euler"]["color"]
        == figures.color_of("euler, asked for 3")
    )
    fig = figures.side_by_side({"data": POINTS[0], "ddpm(beta)": POINTS[1]}, (2,), "title")
    assert to_hex(fig.axes[1].collections[0].get_facecolor()[0]).upper() == figures.ORANGE
    assert {name for name in SAMPLERS} <= set(figures.STYLES)


def test_a_notebook_shows_a_figure_without_being_told_how():
    assert figures.side_by_side({"data": POINTS[0]}, (2,), "title")._repr_png_()[1:4] == b"PNG"


def test_tiles_place_pictures_by_rows():
    canvas = figures.tiles(np.arange(12).reshape(3, 4), (2, 2), 2)
    assert canvas.shape == (7, 7)
    assert np.array_equal(canvas[1:3, 4:6], [[4, 5], [6, 7]])
    assert np.array_equal(canvas[4:6, 1:3], [[8, 9], [10, 11]])
    assert np.isnan(canvas[0]).all() and np.isnan(canvas[4:, 4:]).all()


@pytest.mark.parametrize(("floor", "least"), [(None, 0.5), (0.3, 0.5), (0.96, 0.97), (0.01, 0.02)])
def test_training_curve_shows_the_floor_where_it_is_known(floor, least):
    """Losses that fall to `least`; above the curve three looks, at their steps on a logarithmic axis."""
    losses = np.geomspace(1.01, least, 3000)
    looks = [(step, POINTS[0]) for step in (0, 55, 3000)]
    fig = figures.training_curve(losses, [1, 55, 2900], losses[[0, 54, 2899]], floor, looks, (2,))
    ax, *insets = [fig.axes[0], *fig.axes[0].child_axes]
    curve, *_, raw = (line.get_xydata() for line in ax.get_lines() if len(line.get_xdata()) > 2)
    assert np.array_equal(curve[:, 0], [1, 55, 2900]) and np.array_equal(raw[:, 1], losses)
    levels = {
        line.get_ydata()[0] for line in ax.get_lines() if line.get_xdata()[0] == 0 != line.get_xdata()[1]
    }
    assert {1} | ({floor} if floor else set()) <= levels
    assert ("perfect denoiser: the floor" in words_of(fig)) == (floor is not None)
    assert ax.get_xscale() == "log" and ax.get_yscale() == ("log" if least < 0.1 else "linear")
    assert_readable(fig)
    marks = ax.transData.transform([[max(step, 1), 1] for step, _ in looks])[:, 0]
    middles = [(box.x0 + box.x1) / 2 for box in (inset.get_window_extent() for inset in insets)]
    assert np.abs(marks - middles).max() < 1  # a pixel


def test_what_can_be_drawn():
    assert all(figures.drawable(shape) for shape in ((2,), (8, 8), (8, 8, 3)))
    assert not any(figures.drawable(shape) for shape in ((3,), (8, 8, 2), (8, 8, 3, 1)))


def test_tiles_of_colour_lie_on_white_paper():
    canvas = figures.tiles(COLOURS[0], (4, 4, 3), 2)
    assert canvas.shape == (16, 11, 3)
    assert np.array_equal(canvas[1:5, 6:10], COLOURS[0][1].reshape(4, 4, 3))
    assert np.all(canvas[0] == 1) and np.all(canvas[:, 5] == 1) and np.all(canvas[11:, 6:] == 1)


def test_colours_beyond_their_range_are_cut():
    """-1 is black and 1 is white; what a sampler draws beyond brings neither a warning nor other colours."""
    fig = figures.side_by_side({"data": COLOURS[0], "samples": COLOURS[1]}, (4, 4, 3), "title")
    shown = fig.axes[0].images[0].get_array()
    assert shown.min() == 0 and shown.max() == 1
    assert np.allclose(shown[1:5, 1:5], np.clip((COLOURS[0][0].reshape(4, 4, 3) + 1) / 2, 0, 1))


def test_a_grid_compares_columns():
    """Two groups of two lines: each picture stands where its line's name and its column's caption say."""
    groups = [[*PICTURES[0], *PICTURES[1]], [*PICTURES[1], *PICTURES[2]]]
    fig = figures.grid(
        groups, ["sample", "nearest"], [list("abcde"), list("fghij")], (4, 4), "title", "distance"
    )
    assert_readable(fig)
    for ax, cells, above in zip(fig.axes, groups, ("abcde", "fghij")):
        shown = np.asarray(ax.images[0].get_array())
        at = {
            text.get_text(): ax.transData.inverted().transform(text.get_window_extent().p0)
            for text in ax.texts
        }
        for k, picture in enumerate(cells):
            y, x = k // 5 * 5 + 1, k % 5 * 5 + 1
            assert np.allclose(shown[y : y + 4, x : x + 4], picture.reshape(4, 4))
            assert x - 1 < at[above[k % 5]][0] < x + 4
            assert y - 1 < at[("sample", "nearest")[k // 5]][1] < y + 5


def test_labels_stand_left_of_their_lines():
    kinds = {"data": PICTURES[0][:4], "samples": PICTURES[1][:4]}
    fig = figures.side_by_side(kinds, (4, 4), "title", 2, [3, 7])
    assert_readable(fig)
    assert words_of(fig) == ["3", "7"]
    three, seven = (text.get_window_extent() for text in fig.axes[0].texts)
    assert three.y0 > seven.y1 and three.x1 < fig.axes[0].get_window_extent().x0
