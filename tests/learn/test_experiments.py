"""Each experiment finds, without a mistake, what is right."""

import numpy as np
import pytest

from minidiff.evaluation.metrics import energy_distance
from minidiff.exact import five_gaussians
from minidiff.learn import experiments
from minidiff.learn.experiments import EXPERIMENTS

SAMPLERS = ("ddpm", "probability_flow", "reverse_sde", "dpm_solver")


@pytest.mark.parametrize("name", SAMPLERS)
def test_samplers_draw_the_clouds(name):
    """Two sets of 800 points of the clouds are 0.0009 to 0.0184 apart (200 pairs, mean 0.0046).

    The samplers' few steps add a little: 0.001 to 0.021. One Gaussian with the clouds' mean and covariance is
    0.062 away, four of these samplers' mistakes 0.11 and more. Two are too small for this test (0.018,
    0.006): those that mistakes.toml names see them.
    """
    other = five_gaussians().sample(800, np.random.default_rng(1))
    assert energy_distance(EXPERIMENTS[name](), other) < 0.03


def test_numbers_are_what_is_known():
    assert EXPERIMENTS["decibels"]()["dB"] == pytest.approx(40)
    assert experiments.gradient()["off by"] < 1e-6  # central differences, h = 1e-5
    assert all(moved == pytest.approx(0.01, rel=1e-6) for moved in experiments.adam().values())
    coarse, fine = experiments.order().values()
    assert coarse > 3 * fine
    bound = experiments.bound()
    assert bound["-ELBO"] > bound["-log q(x_0)"]
