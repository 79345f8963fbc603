"""unet: the gradient by every parameter, and that time, label and pictures of every kind reach the answer."""

import math
from functools import partial
from itertools import islice

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import DTYPES, assert_gradient, random_params, unet_case

from minidiff.ddpm import batches, sample, train
from minidiff.layers import views
from minidiff.noise import INIT, SAMPLE, TRAIN, stream
from minidiff.objective import loss_and_grads
from minidiff.optim import start, update
from minidiff.pictures.unet import UNet
from minidiff.runs.names import network_of
from minidiff.sampling import ddim_step
from minidiff.schedule import linear_scaled


@pytest.mark.parametrize(
    "model",
    [UNet(4, 2, 2, 1, labels=2, time_dim=2, groups=1), UNet(3, 1, 2, 0, time_dim=2, groups=1)],
    ids=["two colours and labels", "odd and never halved"],
)
def test_gradient_of_a_tiny_network_by_every_parameter(model):
    rng = np.random.default_rng(0)
    params, (x_t, t, label, deps_hat) = random_params(model, rng), unet_case(model, rng)
    grads = model.backward(deps_hat, model.forward(params, x_t, t, label)[1])
    assert grads.shape == params.shape == (sum(math.prod(shape) for shape in model.shapes.values()),)

    def dot():
        return float(np.vdot(model.forward(params, x_t, t, label)[0], deps_hat))

    by_name, tensors = views(grads, model.shapes), views(params, model.shapes)
    for name in model.shapes:
        assert_gradient(by_name[name], dot, tensors[name])


def test_gradient_of_the_default_network_by_200_parameters():
    """Drawn tensor by tensor, so that the small ones have their turn.

    Four points: off by h^4 f^(5) / 30 and a few 1e-16 f / h, where two would lose a bias that
    the next norm takes away.
    """
    model, rng = UNet(8, labels=10), np.random.default_rng(0)
    params, (x_t, t, label, deps_hat) = random_params(model, rng), unet_case(model, rng, 1)
    grads = views(model.backward(deps_hat, model.forward(params, x_t, t, label)[1]), model.shapes)
    h, tensors = 1e-3, views(params, model.shapes)
    for name in rng.choice(list(model.shapes), 200):
        w = tensors[name].reshape(-1)
        i = rng.integers(w.size)
        before, f = w[i], []
        for w[i] in before + h * np.array([-2, -1, 1, 2]):
            f.append(np.vdot(model.forward(params, x_t, t, label)[0], deps_hat))
        w[i] = before
        numerical = (f[0] - 8 * f[1] + 8 * f[2] - f[3]) / (12 * h)
        largest = np.abs(grads[name]).max()
        assert largest > 0 and abs(numerical - grads[name].reshape(-1)[i]) <= 1e-6 * largest, name


def test_loss_and_grads_of_a_unet_is_that_of_its_forward():
    model, rng = UNet(4, width=4), np.random.default_rng(0)
    params, (x_t, t, _, eps) = random_params(model, rng), unet_case(model, rng)
    loss, grads = loss_and_grads(model, params, x_t, t, eps)
    error = model.forward(params, x_t, t)[0] - eps
    assert loss == pytest.approx(np.sum(error**2) / 2, rel=1e-12)
    _, cache = model.forward(params, x_t, t)
    assert np.array_equal(grads, model.backward(2 / len(eps) * error, cache))


@pytest.mark.parametrize("dtype", DTYPES)
def test_init(dtype):
    """Answers 0, blocks hand on what they get, other layers keep its size: std within 5 standard errors."""
    model, rng = UNet(8, 1, 32, labels=3), np.random.default_rng(0)
    params = model.init(rng, dtype)
    tensors = views(params, model.shapes)
    assert params.dtype == dtype and params.size == sum(w.size for w in tensors.values())
    x = rng.standard_normal((2, 8, 8, 1)).astype(dtype)
    assert not model.forward(params, x, 3, 1)[0].any()
    mod = np.zeros((2, model.columns["out"].stop), dtype)
    h = rng.standard_normal((2, 8, 8, 32)).astype(dtype)
    low = rng.standard_normal((2, 2, 2, 128)).astype(dtype)
    assert np.array_equal(model._block(tensors, "down_0", h, mod)[0], h)
    assert np.array_equal(model.attend(tensors, low)[0], low)
    zero = {"W_mod", "W_att", "W_out"}
    for name, W in tensors.items():
        if W.ndim == 1 or name in zero:
            assert not W.any()
        else:
            n_in = 1 if name == "E" else W[..., 0].size
            assert abs(W.std() * math.sqrt(n_in) - 1) < 5 / math.sqrt(2 * W.size), name


def test_every_parameter_learns():
    """After three steps of plain descent from init no gradient is 0: nothing is switched off for good."""
    model, rng = UNet(4, 1, 8, 1, labels=2), np.random.default_rng(0)
    params = model.init(rng, np.float64)
    x_t, t, label, eps = unet_case(model, rng, 8)
    for _ in range(4):
        eps_hat, cache = model.forward(params, x_t, t, label)
        grads = model.backward(eps_hat - eps, cache)
        params = params - 0.01 * grads
    assert all(dw.any() for dw in views(grads, model.shapes).values())


def test_the_network_sees_time_and_label():
    model, rng = UNet(8, labels=3), np.random.default_rng(0)
    params, x = random_params(model, rng), np.ones((4, 64))
    answers = model.forward(params, x, np.array([3, 4, 3, 3]), np.array([0, 0, 1, 3]))[0]
    for i in range(4):
        for j in range(i):
            assert np.abs(answers[i] - answers[j]).max() > 1e-3
    for label in (None, 3):  # no label, in two spellings
        assert np.allclose(model.eps_theta(params, label)(x, 3)[0], answers[3], rtol=1e-9, atol=1e-12)
    assert np.allclose(
        model.eps_theta(params, np.array([3, 3, 1, 0]))(x, 3)[::-1][:2],
        answers[[0, 2]],
        rtol=1e-9,
        atol=1e-12,
    )


def test_rows_and_pictures_are_the_same():
    model, rng = UNet(4, 3, 8, 1), np.random.default_rng(0)
    params, x = random_params(model, rng), rng.standard_normal((2, 4, 4, 3))
    eps_theta = model.eps_theta(params)
    assert eps_theta(x, 3).shape == x.shape
    assert np.array_equal(eps_theta(x.reshape(2, 48), 3), eps_theta(x, 3).reshape(2, 48))
    grey = UNet(8)
    assert grey.d == 64
    assert grey.eps_theta(grey.init(rng))(np.ones((2, 8, 8), np.float32), 3).shape == (2, 8, 8)


@given(st.sampled_from([(4, 1), (8, 2), (8, 3), (12, 2), (6, 1), (5, 0)]), st.integers(1, 3))
@settings(max_examples=8)
def test_every_size_that_can_be_halved_works(size, channels):
    model = UNet(size[0], channels, 4, size[1])
    params = model.init(np.random.default_rng(0))
    x = np.ones((1, model.d), np.float32)
    eps_hat, cache = model.forward(params, x, 1)
    grads = model.backward(eps_hat + 1, cache)
    assert eps_hat.shape == x.shape and grads.shape == params.shape and grads.dtype == np.float32


@pytest.mark.parametrize(
    ("sizes", "words"),
    [({"size": 0}, "size must"), ({"size": 8, "channels_in": 0}, "channels_in must"),
     ({"size": 8, "width": 0}, "width must"), ({"size": 8, "depth": -1}, "depth must"),
     ({"size": 8, "depth": 4}, r"size must be a multiple of 16 \(2\^depth\), got 8"),
     ({"size": 7, "depth": 1}, "got 7"), ({"size": 8, "labels": -1}, "labels must"),
     ({"size": 8, "time_dim": 3}, "time_dim must be a multiple of 2"),
     ({"size": 8, "time_dim": 0}, "time_dim must"), ({"size": 8.0}, "size must"),
     ({"size": 8, "groups": 3}, r"width must be a multiple of 3 \(groups\), got 16")],
)  # fmt: skip
def test_bad_sizes_are_named_where_a_run_begins(sizes, words):
    with pytest.raises(ValueError, match=words):
        network_of("unet", **sizes)
    assert network_of("unet", size=8, labels=3) == UNet(8, labels=3)


@pytest.mark.parametrize(
    ("label", "words"),
    [
        (4, "0..3"),
        (-1, "0..3"),
        ([0, 4], "0..3"),
        ([0], "2 of them"),
        ([0, 1, 2], "2 of them"),
        (1.0, "whole number"),
        ("1", "whole"),
    ],
)
def test_bad_labels_are_named(label, words):
    model = UNet(4, width=4, labels=3)
    with pytest.raises(ValueError, match=words):
        model.eps_theta(model.init(np.random.default_rng(0)), label)(np.ones((2, 16), np.float32), 1)


def test_a_network_without_labels_knows_only_none():
    model = UNet(4, width=4)
    params, x = model.init(np.random.default_rng(0)), np.ones((2, 16), np.float32)
    assert np.array_equal(model.forward(params, x, 1, 0)[0], model.forward(params, x, 1)[0])
    with pytest.raises(ValueError, match=r"label must be a whole number in 0..0 or 2 of them, got int"):
        model.forward(params, x, 1, 1)


@pytest.mark.parametrize("shape", [(2, 15), (16,), (2, 2, 8), (2, 4, 4, 2), (2, 8, 2, 1)])
def test_bad_pictures_are_named(shape):
    model = UNet(4, width=4)
    with pytest.raises(ValueError, match="rows of 16"):
        model.forward(model.init(np.random.default_rng(0)), np.ones(shape, np.float32), 1)


def test_training_a_unet_lowers_the_loss():
    model, schedule = UNet(4, width=8, depth=1), linear_scaled(50)
    data = np.where(np.random.default_rng(0).random((100, 1)) < 0.5, -1, 1) * np.ones((1, 16))
    state = start(model.init(stream(0, INIT)))
    drawn = islice(batches(data.astype(np.float32), schedule.T, stream(0, TRAIN), 32), 150)
    losses = [s.loss for s in train(model, state, schedule, drawn, update=partial(update, lr=3e-3))]
    # 16 coordinates that agree: the noise shows against them
    assert np.mean(losses[-20:]) < 0.5 * np.mean(losses[:5])
    x_T = stream(0, SAMPLE).standard_normal((40, 16), np.float32)
    *_, x_0 = sample(ddim_step(), model.eps_theta(state.params), schedule, x_T, range(50, -1, -1), None)
    assert x_0.shape == x_T.shape and np.isfinite(x_0).all()
