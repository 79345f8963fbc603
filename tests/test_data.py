"""data: points where they should be, and the digits."""

import numpy as np

from minidiff import data
from minidiff.schedule import linear


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
    for mixture in (data.mixture(), data.eight_gaussians()):
        x = mixture.sample(10_000, rng)
        mean, cov = mixture.moments(linear(10), 0)
        assert np.abs(x.mean(axis=0) - mean).max() < 7.2 * np.sqrt(np.diag(cov).max() / len(x))


def test_digits_are_all_there_and_scale_back_to_grey_levels():
    d = data.digits()
    raw = d.x * d.scale + d.offset
    assert d.x.shape == (1797, 64) and np.array_equal(np.unique(raw), np.arange(17))
    assert np.array_equal(np.unique(d.label), np.arange(10)) and np.bincount(d.label).min() == 174
    assert "CC BY 4.0" in (data.Path(data.__file__).with_name("digits.txt")).read_text()
