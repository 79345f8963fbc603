"""images and unet: gradients by central differences at random parameters, and each layer beside its loops in plain Python."""

import inspect
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import DTYPES, assert_gradient, seeds

from minidiff.fast.noise import RowNoise
from minidiff.fast.sampling import generate
from minidiff.fast.unet import rows_of
from minidiff.objective import eps_prediction, l_simple, loss_and_grads
from minidiff.pictures import layers as images
from minidiff.pictures.unet import UNet
from minidiff.sample import ddim
from minidiff.schedule import linear_scaled
from minidiff.train import Goal, start, train

LABEL = np.array([0, 2, 2, 1])


def example(name, rng):
    """Arrays for each layer that has a backward, and its other arguments."""
    x, y = rng.standard_normal((2, 2, 4, 4, 4))
    per_channel = rng.standard_normal((2, 2, 4))
    return {
        "patches": ([x], (3,)),
        "conv": ([x, rng.standard_normal((3, 3, 4, 5)), rng.standard_normal(5)], ()),
        "pool": ([x], ()),
        "upsample": ([x], ()),
        "concat": ([x, y[..., :3]], ()),
        "group_norm": ([3 * x + 1], (2,)),
        "film": ([x, *per_channel], ()),
        "gated": ([x, per_channel[0]], ()),
        "attention": (list(rng.standard_normal((3, 2, 5, 4))), ()),
        "embed": ([rng.standard_normal((3, 4))], (LABEL,)),
    }[name]


PAIRS = [name for name, f in inspect.getmembers(images, inspect.isfunction) if hasattr(images, f"{name}_backward")]
LAYERS = [name for name in PAIRS if name != "patches"]  # a part of conv: it has no cache


def both(name, inputs, rest):
    """(y, dy -> the gradients by each input)."""
    if name == "patches":
        y, cache = images.patches(*inputs, *rest), None
        return y, lambda dy: [images.patches_backward(dy, inputs[0].shape, *rest)]
    y, cache = getattr(images, name)(*inputs, *rest)

    def backward(dy):
        grads = getattr(images, f"{name}_backward")(dy, cache)
        return grads if isinstance(grads, tuple) else (grads,)

    return y, backward


def test_every_backward_has_an_example():
    assert len([n for n in dir(images) if n.endswith("_backward")]) == len(PAIRS) == 10
    for name in PAIRS:
        example(name, np.random.default_rng(0))


def check_gradients(name, inputs, rest, rng):
    y, backward = both(name, inputs, rest)
    dy = rng.standard_normal(y.shape)
    grads = backward(dy)
    assert len(grads) == len(inputs)
    for x, dx in zip(inputs, grads):
        assert_gradient(dx, lambda: float(np.sum(both(name, inputs, rest)[0] * dy)), x)


@pytest.mark.parametrize("name", PAIRS)
@settings(max_examples=5)
@given(seed=seeds)
def test_gradients_of_layers(name, seed):
    rng = np.random.default_rng(seed)
    check_gradients(name, *example(name, rng), rng)


@pytest.mark.parametrize("k", [1, 3])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("size", [(4, 4), (5, 3)])
def test_gradients_of_conv(k, stride, size):
    rng = np.random.default_rng(0)
    x, W, b = rng.standard_normal((2, *size, 2)), rng.standard_normal((k, k, 2, 3)), rng.standard_normal(3)
    check_gradients("conv", [x, W, b], (stride,), rng)


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_layers_keep_the_dtype(name, dtype):
    inputs, rest = example(name, np.random.default_rng(0))
    y, backward = both(name, [x.astype(dtype) for x in inputs], rest)
    for a in (y, *backward(y)):
        assert a.dtype == dtype


@pytest.mark.parametrize("k", [1, 3])
@pytest.mark.parametrize("stride", [1, 2])
def test_conv_is_its_sum(k, stride):
    """Pixel by pixel; 1e-12 is far above the rounding of 37 numbers of size 1."""
    rng = np.random.default_rng(0)
    x, W, b = rng.standard_normal((2, 5, 6, 4)), rng.standard_normal((k, k, 4, 3)), rng.standard_normal(3)
    y, _ = images.conv(x, W, b, stride)
    assert y.shape == (2, math.ceil(5 / stride), math.ceil(6 / stride), 3)
    for n, i, j in np.ndindex(y.shape[:3]):
        want = b.copy()
        for u, v in np.ndindex(k, k):
            row, column = stride * i + u - k // 2, stride * j + v - k // 2
            if 0 <= row < 5 and 0 <= column < 6:
                want += x[n, row, column] @ W[u, v]
        assert np.abs(y[n, i, j] - want).max() <= 1e-12


def test_pool_and_upsample():
    x = np.arange(16.0).reshape(1, 4, 4, 1)
    assert np.array_equal(images.pool(x)[0][0, ..., 0], [[2.5, 4.5], [10.5, 12.5]])
    assert np.array_equal(images.upsample(x)[0][0, :2, :4, 0], [[0, 0, 1, 1], [0, 0, 1, 1]])
    assert np.array_equal(images.pool(images.upsample(x)[0])[0], x)


def test_group_norm_takes_mean_and_size_of_each_group_away():
    x = np.random.default_rng(0).standard_normal((3, 4, 4, 6)) * 5 + 2
    y, _ = images.group_norm(x, 3)
    for n, k in np.ndindex(3, 3):
        group, before = y[n, :, :, 2 * k : 2 * k + 2], x[n, :, :, 2 * k : 2 * k + 2]
        var = before.var()
        assert abs(group.mean()) < 1e-14 and abs(group.var() - var / (var + 1e-5)) < 1e-13
        assert np.corrcoef(group.ravel(), before.ravel())[0, 1] > 1 - 1e-13
    assert np.isfinite(images.group_norm(np.ones((1, 2, 2, 4)), 2)[0]).all()  # a flat picture has no size to divide by


def test_attention_picks_the_place_whose_key_fits():
    """Keys 1,000 apart: the softmax is 0 and 1 to all digits, also where exp(1000) would overflow."""
    q, v = 1000 * np.eye(3)[None], np.random.default_rng(0).standard_normal((1, 3, 3))
    assert np.array_equal(images.attention(q, np.eye(3)[None][:, [2, 0, 1]], v)[0], v[:, [1, 2, 0]])
    assert np.allclose(images.attention(0 * q, q, v)[0], v.mean(axis=1, keepdims=True), rtol=1e-14)  # nothing fits better


def random_params(model, rng, dtype=np.float64):
    """No gate and no last layer at 0, and what passes keeps its size."""
    n_in = {k: math.prod(s[:-1]) if len(s) > 1 else 4 for k, s in model.shapes.items()}
    return {k: (rng.standard_normal(s) / math.sqrt(n_in[k])).astype(dtype) for k, s in model.shapes.items()}


def case(model, rng, rows=2):
    label = rng.integers(0, model.labels + 1, rows) if model.labels else None
    return rng.standard_normal((rows, model.d)), rng.integers(1, 11, rows), label, rng.standard_normal((rows, model.d))


@pytest.mark.parametrize(
    "model",
    [UNet(4, 2, 2, 1, labels=2, time_dim=2, groups=1), UNet(3, 1, 2, 0, time_dim=2, groups=1)],
    ids=["two colours and labels", "odd and never halved"],
)
def test_gradient_of_a_tiny_network_by_every_parameter(model):
    rng = np.random.default_rng(0)
    params, (x_t, t, label, deps_hat) = random_params(model, rng), case(model, rng)
    grads = model.backward(deps_hat, model.forward(params, x_t, t, label)[1])
    assert list(grads) == list(params)

    def dot():
        return float(np.vdot(model.forward(params, x_t, t, label)[0], deps_hat))

    for name in params:
        assert_gradient(grads[name], dot, params[name])


def test_gradient_of_the_default_network_by_200_parameters():
    """Drawn tensor by tensor, so that the small ones have their turn.

    Four points: off by h^4 f^(5) / 30 and a few 1e-16 f / h, where two would lose a bias that the next norm takes away.
    """
    model, rng = UNet(8, labels=10), np.random.default_rng(0)
    params, (x_t, t, label, deps_hat) = random_params(model, rng), case(model, rng, 1)
    grads = model.backward(deps_hat, model.forward(params, x_t, t, label)[1])
    h = 1e-3
    for name in rng.choice(list(params), 200):
        w = params[name].reshape(-1)
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
    params, (x_t, t, _, eps) = random_params(model, rng), case(model, rng)
    loss, grads = loss_and_grads(model, params, x_t, t, eps)
    error = model.forward(params, x_t, t)[0] - eps
    assert loss == pytest.approx(np.sum(error**2) / 2, rel=1e-12)
    assert list(grads) == list(model.shapes) and all(grads[k].shape == s for k, s in model.shapes.items())


@pytest.mark.parametrize("dtype", DTYPES)
def test_init(dtype):
    """Answers 0, blocks hand on what they get; other layers keep the size of what passes: std within 5 standard errors."""
    model, rng = UNet(8, 1, 32, labels=3), np.random.default_rng(0)
    params = model.init(rng, dtype)
    assert {k: w.shape for k, w in params.items()} == model.shapes
    assert all(w.dtype == dtype for w in params.values())
    x = rng.standard_normal((2, 8, 8, 1)).astype(dtype)
    assert not model.forward(params, x, 3, 1)[0].any()
    mod = np.zeros((2, model.columns["out"].stop), dtype)
    h = rng.standard_normal((2, 8, 8, 32)).astype(dtype)
    low = rng.standard_normal((2, 2, 2, 128)).astype(dtype)
    assert np.array_equal(model._block(params, "down_0", h, mod)[0], h)
    assert np.array_equal(model._attend(params, low)[0], low)
    zero = {"W_mod", "W_att", "W_out"}
    for name, W in params.items():
        if W.ndim == 1 or name in zero:
            assert not W.any()
        else:
            n_in = 1 if name == "E" else W[..., 0].size
            assert abs(W.std() * math.sqrt(n_in) - 1) < 5 / math.sqrt(2 * W.size), name


def test_every_parameter_learns():
    """After three steps of plain descent from init no gradient is 0: nothing is switched off for good."""
    model, rng = UNet(4, 1, 8, 1, labels=2), np.random.default_rng(0)
    params = model.init(rng, np.float64)
    x_t, t, label, eps = case(model, rng, 8)
    for _ in range(4):
        eps_hat, cache = model.forward(params, x_t, t, label)
        grads = model.backward(eps_hat - eps, cache)
        for k, dw in grads.items():
            params[k] -= 0.01 * dw
    assert all(dw.any() for dw in grads.values())


def test_the_network_sees_time_and_label():
    model, rng = UNet(8, labels=3), np.random.default_rng(0)
    params, x = random_params(model, rng), np.ones((4, 64))
    answers = model.forward(params, x, np.array([3, 4, 3, 3]), np.array([0, 0, 1, 3]))[0]
    for i in range(4):
        for j in range(i):
            assert np.abs(answers[i] - answers[j]).max() > 1e-3
    for label in (None, 3):  # no label, in two spellings
        assert np.allclose(model.eps_theta(params, label)(x, 3)[0], answers[3], rtol=1e-9, atol=1e-12)
    assert np.allclose(model.eps_theta(params, np.array([3, 3, 1, 0]))(x, 3)[::-1][:2], answers[[0, 2]], rtol=1e-9, atol=1e-12)


def test_rows_and_pictures_are_the_same():
    model, rng = UNet(4, 3, 8, 1), np.random.default_rng(0)
    params, x = random_params(model, rng), rng.standard_normal((2, 4, 4, 3))
    eps_theta = model.eps_theta(params)
    assert eps_theta(x, 3).shape == x.shape
    assert np.array_equal(eps_theta(x.reshape(2, 48), 3), eps_theta(x, 3).reshape(2, 48))
    grey = UNet.of_shape((8, 8))
    assert grey == UNet(8) and UNet.of_shape((4, 4, 3), width=8, depth=1) == model and grey.d == 64
    assert grey.eps_theta(grey.init(rng))(np.ones((2, 8, 8), np.float32), 3).shape == (2, 8, 8)


@given(st.sampled_from([(4, 1), (8, 2), (8, 3), (12, 2), (6, 1), (5, 0)]), st.integers(1, 3))
@settings(max_examples=8)
def test_every_size_that_can_be_halved_works(size, channels):
    model = UNet(size[0], channels, 4, size[1])
    params = model.init(np.random.default_rng(0))
    x = np.ones((1, model.d), np.float32)
    eps_hat, cache = model.forward(params, x, 1)
    grads = model.backward(eps_hat + 1, cache)
    assert eps_hat.shape == x.shape and {k: dw.shape for k, dw in grads.items()} == model.shapes


@pytest.mark.parametrize(
    ("sizes", "words"),
    [((0,), "size must"), ((8, 0), "channels_in must"), ((8, 1, 0), "width must"), ((8, 1, 16, -1), "depth must"),
     ((8, 1, 16, 4), "size must be a multiple of 2\\^depth = 16 to be halved 4 times, got 8"), ((7, 1, 16, 1), "got 7"),
     ((8, 1, 16, 1, -1), "labels must"), ((8, 1, 16, 1, 0, 3), "even"), ((8, 1, 16, 1, 0, 4, 3), "groups must divide width"),
     ((8.0,), "size must"), ((8, 1, 16, 1, 0, 0), "time_dim must")],
)  # fmt: skip
def test_bad_sizes_are_named(sizes, words):
    with pytest.raises(ValueError, match=words):
        UNet(*sizes)


@pytest.mark.parametrize("shape", [(8, 6), (8,), (8, 6, 3), (2, 8, 8, 3)])
def test_pictures_that_are_not_square_are_refused(shape):
    with pytest.raises(ValueError, match="H = W"):
        UNet.of_shape(shape)


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
    plain = UNet(4, width=4)
    with pytest.raises(ValueError, match="without labels"):
        plain.forward(plain.init(np.random.default_rng(0)), np.ones((2, 16), np.float32), 1, label)


@pytest.mark.parametrize("shape", [(2, 15), (16,), (2, 2, 8), (2, 4, 4, 2), (2, 8, 2, 1)])
def test_bad_pictures_are_named(shape):
    model = UNet(4, width=4)
    with pytest.raises(ValueError, match="rows of 16"):
        model.forward(model.init(np.random.default_rng(0)), np.ones(shape, np.float32), 1)


def relative(got, want):
    return {k: float(np.abs(got[k] - want[k]).max() / np.abs(want[k]).max()) for k in want}


FAST = [UNet(8, labels=10), UNet(14, 3, 8, 1), UNet(7, 1, 8, 0), UNet(20, 1, 8, 2), UNet(4, 1, 8, 2)]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("model", FAST, ids=str)
def test_the_fast_network_is_the_readable_one(model, dtype):
    """Two blocks of unequal size, twice: buffers that were used before.

    A bias collects rows size^2 numbers of its own size, and loses a rounding with each at worst.
    """
    rng, rows = np.random.default_rng(0), 35
    params = random_params(model, rng, dtype)
    x_t, t, label, eps = case(model, rng, rows)
    x_t, eps = x_t.astype(dtype), eps.astype(dtype)
    eps_hat, cache = model.forward(params, x_t, t, label)
    loss, deps_hat = l_simple(eps_hat, eps)
    want, fast = model.backward(deps_hat, cache), Gradients(model, rows, 10, dtype)
    bound = rows * model.size**2 * float(np.finfo(dtype).eps)
    fast(params, x_t[::-1], t, eps, label=label)
    got_loss, got = fast(params, x_t, t, eps, label=label)
    assert got_loss == pytest.approx(loss, rel=bound) and list(got) == list(want)
    assert all(got[k].shape == want[k].shape and got[k].dtype == dtype for k in want)
    assert max(relative(got, want).values()) <= bound
    eps_theta = model.eps_theta(params, label)
    for _ in range(2):
        answer = eps_theta(x_t, t)
        assert answer.dtype == dtype and np.abs(answer - eps_hat).max() <= bound * np.abs(eps_hat).max()
    assert np.abs(eps_theta(x_t, 3) - model.forward(params, x_t, 3, label)[0]).max() <= bound * np.abs(eps_hat).max()


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_fast_network_knows_weights_and_real_times(dtype):
    """As min-SNR and the flow's clock ask: each row counts as much as it says, in two blocks of unequal size; t between steps.

    A row's gradient is a sum over size^2 pixels, a tensor's over rows as well, and each loses a rounding at worst.
    """
    model, rng, rows = UNet(4, 1, 8, 1, labels=3), np.random.default_rng(0), 35
    params, (x_t, _, label, eps) = random_params(model, rng, dtype), case(model, rng, rows)
    x_t, eps, t, weight = x_t.astype(dtype), eps.astype(dtype), rng.uniform(0, 1000, rows), rng.uniform(0, 3, rows)
    want_loss, want = loss_and_grads(model, params, x_t, t, eps, weight, label=label)
    loss, grads = Gradients(model, rows, 10, dtype)(model, params, x_t, t, eps, weight, label=label)
    bound = rows * model.size**2 * float(np.finfo(dtype).eps)
    assert loss == pytest.approx(want_loss, rel=bound) and max(relative(grads, want).values()) <= bound
    assert all(dw.dtype == dtype for dw in grads.values())
    eps_hat = model.forward(params, x_t, t, label)[0]
    assert np.abs(model.eps_theta(params, label)(x_t, t) - eps_hat).max() <= bound * np.abs(eps_hat).max()
    for plain in (None, np.ones(rows)):  # weights of 1 are no weights; and the others matter
        same = loss_and_grads(model, params, x_t, t, eps, plain, label=label)[0]
        assert Gradients(model, rows, 10, dtype)(model, params, x_t, t, eps, plain, label=label)[0] == pytest.approx(
            same, rel=bound
        )
        assert abs(same / want_loss - 1) > 1e-3
    by_hand = np.sum(weight[:, None] * (eps_hat - eps).astype(float) ** 2) / rows
    assert want_loss == pytest.approx(by_hand, rel=bound)


def test_a_whole_block_stands_eight_abreast():
    """With 31 rows a block would be right and 2.5 times slower."""
    assert all(rows_of(UNet(size, width=4)) % 8 == 0 for size in (4, 8, 16, 28, 32))


def test_same_bits_for_any_number_of_threads(monkeypatch):
    model, rng = UNet(8, width=8, labels=3), np.random.default_rng(0)
    params, (x_t, t, label, eps) = random_params(model, rng, np.float32), case(model, rng, 70)
    x_t, eps, answers = x_t.astype(np.float32), eps.astype(np.float32), []
    for n in (1, 2, 3):
        monkeypatch.setenv("MINIDIFF_THREADS", str(n))
        loss, grads = Gradients(model, 70, 10, np.float32)(model, params, x_t, t, eps, label=label)
        answers.append([np.array(loss), model.eps_theta(params, label)(x_t, t), *grads.values()])
    for other in answers[1:]:
        assert all(np.array_equal(a, b) for a, b in zip(answers[0], other))


def test_a_denoiser_keeps_its_parameters():
    model, rng = UNet(4, width=4), np.random.default_rng(0)
    params, x = random_params(model, rng, np.float32), np.ones((2, 16), np.float32)
    eps_theta = model.eps_theta(params)
    before = eps_theta(x, 3)
    for w in params.values():
        w *= 2
    assert np.array_equal(eps_theta(x, 3), before) and not np.allclose(model.eps_theta(params)(x, 3), before)
    assert np.array_equal(eps_theta(x.astype(np.float64), 3), model.forward(eps_theta.params, x.astype(np.float64), 3)[0])


def test_training_a_unet_lowers_the_loss():
    model, schedule = UNet(4, width=8, depth=1), linear_scaled(50)
    data = np.where(np.random.default_rng(0).random((100, 1)) < 0.5, -1, 1) * np.ones((1, 16))
    state, losses = start(model, 0), []
    for s in train(model, state, schedule, data.astype(np.float32), steps=150, batch=32, lr=3e-3, goal=Goal(eps_prediction)):
        losses.append(s.loss)
    assert np.mean(losses[-20:]) < 0.5 * np.mean(losses[:5])  # 16 coordinates that agree: the noise shows against them
    x_T = RowNoise(0).standard_normal((40, 16), np.float32)
    x_0 = generate(ddim(), model.eps_theta(state.params), schedule, x_T, range(50, -1, -1), RowNoise(1))
    assert x_0.shape == x_T.shape and np.isfinite(x_0).all()
