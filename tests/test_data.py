"""data: points where they should be, and the digits."""

import inspect

import numpy as np
import pytest

from minidiff import data

TOYS = ["moons", "ring", "swiss_roll", "checkerboard"]


def test_toys_lie_where_they_should():
    rng = np.random.default_rng(0)
    ring, board = data.ring(10_000, rng), data.checkerboard(10_000, rng)
    assert np.abs(np.linalg.norm(ring, axis=1) - 1.4).max() < 0.5
    column, row = (np.floor(board / 0.85).astype(int)).T
    assert np.all((column + row) % 2 == 0) and column.min() == -2 and column.max() == 1
    moons, roll = data.moons(10_000, rng) / 1.3 + np.array([0.5, 0.25]), data.swiss_roll(10_000, rng) * 7
    on_a_moon = np.minimum(abs(np.hypot(*moons.T) - 1), abs(np.hypot(*(moons - [1, 0.5]).T) - 1))
    assert on_a_moon.max() < 0.35
    assert 1.5 * np.pi - 2 < np.hypot(*roll.T).min() and np.hypot(*roll.T).max() < 4.5 * np.pi + 2


@pytest.mark.parametrize("name", TOYS)
def test_toys_are_rows_that_their_rng_names(name):
    toy = getattr(data, name)
    assert list(inspect.signature(toy).parameters) == ["n", "rng"]
    x = toy(50, np.random.default_rng(3))
    assert x.shape == (50, 2) and x.dtype == np.float64
    assert np.array_equal(x, toy(50, np.random.default_rng(3)))
    assert not np.isin(x, toy(50, np.random.default_rng(4))).any()
    assert 0.5 < toy(5000, np.random.default_rng(5)).std() < 1.5  # about as large as the noise


def test_circle():
    got = data.circle(np.array([0, np.pi / 2, np.pi]))
    assert got.shape == (3, 2) and np.abs(got - [[1, 0], [0, 1], [-1, 0]]).max() < 3e-16


def test_digits_are_all_there_and_scale_back_to_grey_levels():
    x, label = data.digits()
    raw = 8 * (x + 1)
    assert x.shape == (1797, 64) and x.dtype == np.float32 and np.array_equal(np.unique(raw), np.arange(17))
    assert label.shape == (1797,) and np.array_equal(np.unique(label), np.arange(10))
    assert np.bincount(label).min() == 174
    assert "CC BY 4.0" in (data.Path(data.__file__).with_name("digits.txt")).read_text()
