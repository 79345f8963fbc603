"""The pictures: what they show, read from the axes, and that they are written whole. Their looks are for eyes."""

import numpy as np
import pytest

from minidiff import figures

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
    assert (
        figures.drawable((2,)) and figures.drawable((8, 8)) and not figures.drawable((3,)) and not figures.drawable((8, 8, 3))
    )
