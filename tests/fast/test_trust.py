"""trust: an engine that differs from the readable code by more than roundings is named, and does not run."""

import numpy as np
import pytest
from support import DTYPES, coarse

from minidiff import fast, gaussian, mlp, optim, sample
from minidiff import train as readable
from minidiff.fast import kernels, noising, trust, unet
from minidiff.fast import mlp as fast_mlp
from minidiff.objective import Denoiser, v_prediction
from minidiff.pictures.unet import UNet

S, MODEL = coarse(), mlp.MLP(3, 16, 2, 8)
X = np.random.default_rng(0).standard_normal((60, 3)).astype(np.float32)


@pytest.mark.parametrize("dtype", DTYPES)
def test_engines_as_they_are_are_trusted(dtype):
    pictures = UNet(8, width=4, depth=1, labels=3)
    assert trust.gradients(MODEL, fast_mlp.Gradients, 6, dtype) is None
    assert trust.gradients(pictures, unet.Gradients, 6, dtype) is None
    assert trust.update(optim.update, fast.update, dtype) is None


def test_what_differs_by_more_than_roundings_is_said():
    a = np.linspace(-3, 4, 50, dtype=np.float32)
    assert trust.disagreement("f and g", a, a * np.float32(1 + 1e-4)) is None
    said = trust.disagreement("f and g", a, a + np.float32(0.4) * (a == a[-1]))
    assert said == "f and g disagree by 0.1 of its size: what is written runs, more slowly"
    assert trust.disagreement("f and g", a, a * np.nan) and trust.disagreement("f and g", 0 * a, a)


def trained(train, model=MODEL, x=X, **how):
    state = readable.start(model, 3)
    for _ in train(model, state, S, x, steps=3, batch=20, **how):
        pass
    return state


@pytest.mark.parametrize("broken", ["gradients", "update"])
def test_a_broken_engine_is_named_and_left_alone(broken, monkeypatch):
    right, said = trained(readable.train), []
    if broken == "gradients":
        real = kernels.turn
        monkeypatch.setattr(kernels, "turn", lambda W, turned: real(np.float32(1.1) * W, turned))
    else:
        real = kernels.adam
        monkeypatch.setattr(kernels, "adam", lambda *a: real(*a[:-1], 0.5))
    state = trained(fast.train, say=said.append)
    assert len(said) == 1 and (
        "mlp.MLP.backward and fast.mlp.Gradients, on W" in said[0] or "optim.update" in said[0]
    )
    assert all(np.mean(np.abs(right.params[k] - w) > 1e-5) < 0.02 for k, w in state.params.items())


def test_sampling_and_noising_follow_the_readable_code(monkeypatch):
    params = {
        k: np.random.default_rng(1).standard_normal(s).astype(np.float32) / 4 for k, s in MODEL.shapes.items()
    }
    eps_theta, said = Denoiser(MODEL.eps_theta(params), v_prediction, S), []
    times = np.array([6, 4, 3, 1, 0])
    draw = lambda say: fast.generate(sample.ddpm(), eps_theta, S, X, times, fast.RowNoise(2), say=say)  # noqa: E731
    law = list(sample.sample(sample.ddpm(), eps_theta, S, X, times, fast.RowNoise(2)))[-1]
    noised = gaussian.noise_chain(S, X, [2, 6], fast.RowNoise(0))
    assert np.abs(draw(said.append) - law).max() < 1e-4 and not said
    real, chain = kernels.mlp_chain, kernels.noise_chain
    monkeypatch.setattr(
        kernels, "mlp_chain", lambda x, time_rows, *rest: real(x, time_rows + np.float32(0.1), *rest)
    )
    monkeypatch.setattr(kernels, "noise_chain", lambda x, *rest: chain(2 * x, *rest))
    assert (
        np.abs(draw(said.append) - law).max() < 1e-4
        and "sample.sample and fast/sampling.py disagree" in said[0]
    )
    assert (
        np.abs(noising.noise_chain(S, X, [2, 6], fast.RowNoise(0), said.append) - noised).max() < 1e-5
        and len(said) == 2
    )


def test_a_unets_engine_is_compared_before_it_draws(monkeypatch):
    model, said = UNet(4, width=4, depth=1, labels=2), []
    params = {
        k: np.random.default_rng(1).standard_normal(s).astype(np.float32) / 4 for k, s in model.shapes.items()
    }
    eps_theta = model.eps_theta(params, 1)
    assert type(fast.denoiser(eps_theta, said.append)) is unet.Denoiser and not said
    real = kernels.gated_add
    monkeypatch.setattr(kernels, "gated_add", lambda out, y, gate: real(out, 2 * y, gate))
    assert (
        fast.denoiser(eps_theta, said.append) is eps_theta
        and "pictures.unet.UNet.forward and fast.unet.Denoiser" in said[0]
    )
