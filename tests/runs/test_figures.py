"""The pictures: what they show, read from the axes, and that they are written whole. Their looks are for eyes."""

import numpy as np
import pytest

from minidiff.runs import figures

POINTS = [np.random.default_rng(i).standard_normal((30, 2)) for i in range(3)]
PICTURES = [np.random.default_rng(i).uniform(-1, 1, (5, 16)) for i in range(3)]


@pytest.mark.parametrize(("path", "shape"), [(POINTS, (2,)), (PICTURES, (4, 4))])
def test_strip_and_beside(path, shape, tmp_path):
    fig = figures.strip(path, ["a", "b", "c"], shape, "title")
    assert [ax.get_title() for ax in fig.axes] == ["a", "b", "c"]
    assert figures.save(fig, tmp_path / "s.png") == tmp_path / "s.png"
    fig = figures.beside({"data": path[0], "samples": path[1]}, shape, "title")
    assert [ax.get_title() for ax in fig.axes] == ["data", "samples"]
    figures.save(fig, tmp_path / "b.png")
    figures.trajectory(path, ["a", "b", "c"], shape, tmp_path / "t.gif")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["b.png", "s.png", "t.gif"]
    assert (tmp_path / "s.png").read_bytes()[1:4] == b"PNG" and (tmp_path / "t.gif").read_bytes()[:4] == b"GIF8"


def test_tiles_place_pictures_by_rows():
    canvas = figures.tiles(np.arange(12).reshape(3, 4), (2, 2), 2)
    assert canvas.shape == (7, 7)
    assert np.array_equal(canvas[1:3, 4:6], [[4, 5], [6, 7]]) and np.array_equal(canvas[4:6, 1:3], [[8, 9], [10, 11]])
    assert np.isnan(canvas[0]).all() and np.isnan(canvas[4:, 4:]).all()


@pytest.mark.parametrize("floor", [None, 0.3])
def test_training_curve_shows_the_floor_where_it_is_known(floor, tmp_path):
    fig = figures.training_curve([10, 20, 30], [0.9, 0.6, 0.5], floor)
    lines = fig.axes[0].get_lines()
    assert np.array_equal(lines[0].get_ydata(), [0.9, 0.6, 0.5]) and np.array_equal(lines[0].get_xdata(), [10, 20, 30])
    assert len(lines) == (2 if floor is None else 3)
    if floor:
        assert set(lines[2].get_ydata()) == {0.3}
    figures.save(fig, tmp_path / "c.png")


def test_what_can_be_drawn():
    assert all(figures.drawable(shape) for shape in ((2,), (8, 8), (8, 8, 3)))
    assert not any(figures.drawable(shape) for shape in ((3,), (8, 8, 2), (8, 8, 3, 1)))


COLOURS = [np.random.default_rng(i).uniform(-1.5, 1.5, (5, 48)) for i in range(2)]


def test_tiles_of_colour_lie_on_white_paper():
    canvas = figures.tiles(COLOURS[0], (4, 4, 3), 2)
    assert canvas.shape == (16, 11, 3)
    assert np.array_equal(canvas[1:5, 6:10], COLOURS[0][1].reshape(4, 4, 3))
    assert np.all(canvas[0] == 1) and np.all(canvas[:, 5] == 1) and np.all(canvas[11:, 6:] == 1)


def test_colours_beyond_their_range_are_cut(tmp_path):
    """-1 is black and 1 is white; what a sampler draws beyond is no reason for a warning, nor for other colours."""
    fig = figures.beside({"data": COLOURS[0], "samples": COLOURS[1]}, (4, 4, 3), "title")
    shown = fig.axes[0].images[0].get_array()
    assert shown.min() == 0 and shown.max() == 1
    assert np.allclose(shown[1:5, 1:5], np.clip((COLOURS[0][0].reshape(4, 4, 3) + 1) / 2, 0, 1))
    figures.save(fig, tmp_path / "b.png")
    figures.trajectory(COLOURS, ["a", "b"], (4, 4, 3), tmp_path / "t.gif")
    assert (tmp_path / "t.gif").read_bytes()[:4] == b"GIF8"


@pytest.mark.parametrize(("stages", "shape"), [(POINTS, (2,)), (PICTURES, (4, 4)), (COLOURS, (4, 4, 3))])
def test_stages_stand_below_each_other(stages, shape, tmp_path):
    labels = [f"step {k}" for k in range(len(stages))]
    fig = (figures.strip if shape == (2,) else figures.lines)(stages, labels, shape, "title")
    if shape == (2,):
        assert [ax.get_title() for ax in fig.axes] == labels
    else:
        (ax,) = fig.axes
        assert [text.get_text() for text in ax.texts] == labels
        shown = np.asarray(ax.images[0].get_array())
        for k, rows in enumerate(stages):
            first, wanted = shown[5 * k + 1 : 5 * k + 5, 1:5], rows[0].reshape(shape)
            assert np.allclose(first, wanted if len(shape) == 2 else np.clip((wanted + 1) / 2, 0, 1))
            assert 5 * k + 1 < ax.texts[k].get_position()[1] < 5 * k + 5
        assert shown.shape[1] == 5 * len(stages[0]) + 1
    assert figures.save(fig, tmp_path / "g.png").read_bytes()[1:4] == b"PNG"


def test_elbo_shows_all_terms_and_what_the_network_loses_more(tmp_path):
    """T = 3, two coordinates: 2 log 2 nats are a bit a coordinate. L_0 lies below 0, so minus L_0 stands on the log axis."""
    bit = 2 * np.log(2)
    found = {"network": {"terms": [-4 * bit, 2 * bit, 1 * bit, 0.5 * bit]}}
    (ax,) = figures.elbo_by_t(found, 2).axes
    line, ends = ax.get_lines()
    assert np.array_equal(line.get_xdata(), [1, 2]) and np.allclose(line.get_ydata(), [2, 1])
    assert np.array_equal(ends.get_xdata(), [0, 3]) and np.allclose(ends.get_ydata(), [4, 0.5])
    assert [text.get_text() for text in ax.texts] == ["-L_0 = 4", "L_T = 0.5"] and ax.get_xlabel() == "k"
    found["exact"] = {"terms": [-5 * bit, 1.5 * bit, 1 * bit, 0.5 * bit], "gap": [0.1 * bit] * 4}
    fig = figures.elbo_by_t(found, 2)
    above, below = fig.axes
    assert [text.get_text() for text in above.get_legend().get_texts()][:2] == ["perfect denoiser", "network"]
    assert len(above.get_lines()) == 6 and np.allclose(below.get_lines()[0].get_ydata(), [1, 1.5, 1.5, 1.5])
    assert np.array_equal(below.get_lines()[0].get_xdata(), [0, 1, 2, 3]) and below.get_xlabel() == "k"
    figures.save(fig, tmp_path / "e.png")
