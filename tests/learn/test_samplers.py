"""Samplers beside each other: where the error, the guidance and flow's clock go."""

import numpy as np
import pytest

from minidiff import gaussian, schedule
from minidiff.continuous import flow
from minidiff.continuous.process import continuous
from minidiff.learn import samplers


@pytest.mark.parametrize(
    ("asked", "shift"),
    [("eps", lambda ab: np.sqrt((1 - ab) / ab)), ("x0", lambda ab: 1.0), ("v", lambda ab: np.sqrt(1 - ab))],
)
def test_an_error_moves_x_0_hat_as_the_objectives_algebra_says(asked, shift):
    """From x_0 = (x_t - sqrt(1 - ab) eps) / sqrt(ab) and x_0 = sqrt(ab) x_t - sqrt(1 - ab) v, by hand."""
    play, process = samplers.play_of("mixture"), continuous(schedule.linear(1000))
    x = np.random.default_rng(0).standard_normal((400, 2))
    best = play.whole(process)
    wrong = samplers.off(play.whole, samplers.OBJECTIVES[asked], 0.1)(process)
    for t in (30, 400, 900):
        off, right = (gaussian.x_0_from_eps(process, x, t, f(x, t)) for f in (wrong, best))
        z = np.abs(off - right) / (0.1 * shift(process.alpha_bar_at(t)))
        # 800 standard normal numbers: their mean square is off by sqrt(2 / 800) = 0.05; 7 of them, false
        # alarm 1e-11
        assert abs(np.mean(z**2) - 1) < 0.35


def test_velocity_is_flows_own_and_finite_at_both_ends():
    """flow.marginal_velocity works without dividing by r.

    At r = 0 ours is asked at 1e-6: the velocity's slope is below 10.
    """
    play = samplers.play_of("mixture")
    u, exact = samplers.velocity(play.whole(flow.Straight())), flow.marginal_velocity(play.density)
    x = np.random.default_rng(1).standard_normal((50, 2))
    for r in (0.0, 0.2, 0.7, 1 - 1e-6):
        # the slope times 1e-6, and 1e-16 / 1e-6 of rounding
        assert np.abs(u(x, r) - exact(x, r)).max() < 1e-4


def test_shown_times_are_visited_by_every_number_of_steps():
    for s in samplers.SCHEDULES.values():
        all_of_them = samplers.shown(s.T, 100)
        assert s.T // 100 in all_of_them
        for n in samplers.STEPS:
            shown = samplers.shown(s.T, n)
            assert set(shown) <= set(all_of_them) and shown[0] == s.T and shown[-1] == 0
            assert len(shown) == min(n, 20) + 1 + (n == 100)


def test_digits_and_points_have_what_the_page_needs():
    moons, digits = samplers.play_of("moons"), samplers.play_of("digits")
    assert moons.x_0.shape == (200, 2) and moons.data.shape == (300, 2) and moons.part is None
    assert digits.x_0.shape == (9, 64) and digits.density is None
    # guided to digit 3 at almost no noise, what it takes a picture for is one of the 3s, wherever it starts
    found, process = samplers.load("digits"), continuous(schedule.linear(1000))
    x_0_hat = samplers.x_0_hat(process, digits.part(process), 1000, 10, digits.x_0)
    threes = found.x[found.label == 3].astype(float)
    assert np.abs(x_0_hat[:, None] - threes).max(axis=2).min(axis=1).max() < 1e-6
