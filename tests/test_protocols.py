"""protocols: what is handed around has the shapes that they name."""

import inspect

import numpy as np
import pytest

from minidiff import protocols
from minidiff.continuous.flow import FlowDenoiser, Straight
from minidiff.continuous.process import VE, VP, continuous
from minidiff.exact import five_gaussians
from minidiff.mlp import MLP
from minidiff.objective import Denoiser, v_prediction
from minidiff.philox import RowNoise
from minidiff.pictures.unet import UNet
from minidiff.schedule import linear

S = linear(10)
NETWORK = MLP(2).eps_theta(MLP(2).init(np.random.default_rng(0)))
SHAPES = {
    protocols.Process: [S, VP(), VE(), continuous(S), Straight()],
    protocols.Preserving: [S, VP(), continuous(S)],
    protocols.Noise: [np.random.default_rng(0), RowNoise(0)],
    protocols.Denoiser: [
        NETWORK, five_gaussians().eps_theta(S), Denoiser(NETWORK, v_prediction, S), FlowDenoiser(NETWORK, S)
    ],
    protocols.Model: [MLP(2), UNet(4)],
}  # fmt: skip


def test_every_shape_is_tried():
    found = [
        p for _, p in inspect.getmembers(protocols, inspect.isclass) if p.__module__ == protocols.__name__
    ]
    assert set(found) == set(SHAPES)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_what_is_handed_around_has_its_shape(shape):
    names = [n for n in dir(shape) if not n.startswith("_") or n == "__call__"]
    for thing in SHAPES[shape]:
        assert all(n in dir(thing) for n in names), thing


def test_a_process_says_how_data_become_noise():
    """signal and noise at t, shaped like t; their squares add up to 1 where the variance is preserved."""
    for process in SHAPES[protocols.Process]:
        for t in (process.T, np.array([0, process.T])):
            shares = process.signal_and_noise(t)
            assert [np.shape(share) for share in shares] == [np.shape(t)] * 2
    for process in SHAPES[protocols.Preserving]:
        signal, noise = process.signal_and_noise(process.T)
        # two roots, two squares and a sum
        assert (
            abs(signal**2 + noise**2 - 1) < 1e-15 and abs(signal**2 - process.alpha_bar_at(process.T)) < 1e-15
        )
