"""fast/unet: the U-Net at speed is the readable one, in blocks of any size and on any number of threads."""

import numpy as np
import pytest
from support import DTYPES, random_params, unet_case

from minidiff.fast.unet import Denoiser, Gradients, rows_of
from minidiff.layers import views
from minidiff.objective import l_simple, loss_and_grads
from minidiff.pictures.unet import UNet


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
    x_t, t, label, eps = unet_case(model, rng, rows)
    x_t, eps = x_t.astype(dtype), eps.astype(dtype)
    eps_hat, cache = model.forward(params, x_t, t, label)
    loss, deps_hat = l_simple(eps_hat, eps)
    want, fast = model.backward(deps_hat, cache), Gradients(model, rows, 10, dtype)
    bound = rows * model.size**2 * float(np.finfo(dtype).eps)
    _, first = fast(params, x_t[::-1], t, eps, label)
    before = first.copy()
    got_loss, got = fast(params, x_t, t, eps, label)
    assert got_loss == pytest.approx(loss, rel=bound)
    assert got.shape == want.shape and got.dtype == dtype and np.array_equal(first, before)
    assert max(relative(views(got, model.shapes), views(want, model.shapes)).values()) <= bound
    eps_theta = Denoiser(model.eps_theta(params, label))
    for _ in range(2):
        answer = eps_theta(x_t, t)
        assert answer.dtype == dtype and np.abs(answer - eps_hat).max() <= bound * np.abs(eps_hat).max()
    assert (
        np.abs(eps_theta(x_t, 3) - model.forward(params, x_t, 3, label)[0]).max()
        <= bound * np.abs(eps_hat).max()
    )


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_fast_network_knows_weights_and_real_times(dtype):
    """As min-SNR and the flow's clock ask: each row counts as much as it says, and t lies between steps.

    There are two blocks of unequal size. A row's gradient is a sum over size^2 pixels, a tensor's over rows
    as well, and each loses a rounding at worst.
    """
    model, rng, rows = UNet(4, 1, 8, 1, labels=3), np.random.default_rng(0), 35
    params, (x_t, _, label, eps) = random_params(model, rng, dtype), unet_case(model, rng, rows)
    x_t, eps = x_t.astype(dtype), eps.astype(dtype)
    t, weight = rng.uniform(0, 1000, rows), rng.uniform(0, 3, rows)
    want_loss, want = loss_and_grads(model, params, x_t, t, eps, label, weight=weight)
    loss, grads = Gradients(model, rows, 10, dtype)(params, x_t, t, eps, label, weight=weight)
    bound = rows * model.size**2 * float(np.finfo(dtype).eps)
    assert loss == pytest.approx(want_loss, rel=bound) and grads.dtype == dtype
    assert max(relative(views(grads, model.shapes), views(want, model.shapes)).values()) <= bound
    eps_hat = model.forward(params, x_t, t, label)[0]
    assert (
        np.abs(Denoiser(model.eps_theta(params, label))(x_t, t) - eps_hat).max()
        <= bound * np.abs(eps_hat).max()
    )
    for plain in (None, np.ones(rows)):  # weights of 1 are no weights; and the others matter
        same = loss_and_grads(model, params, x_t, t, eps, label, weight=plain)[0]
        got = Gradients(model, rows, 10, dtype)(params, x_t, t, eps, label, weight=plain)
        assert got[0] == pytest.approx(same, rel=bound)
        assert abs(same / want_loss - 1) > 1e-3
    by_hand = np.sum(weight[:, None] * (eps_hat - eps).astype(float) ** 2) / rows
    assert want_loss == pytest.approx(by_hand, rel=bound)


def test_a_whole_block_stands_eight_abreast():
    """With 31 rows a block would be right and 2.5 times slower."""
    assert all(rows_of(UNet(size, width=4)) % 8 == 0 for size in (4, 8, 16, 28, 32))


def test_same_bits_for_any_number_of_threads(monkeypatch):
    model, rng = UNet(8, width=8, labels=3), np.random.default_rng(0)
    params, (x_t, t, label, eps) = random_params(model, rng, np.float32), unet_case(model, rng, 70)
    x_t, eps, answers = x_t.astype(np.float32), eps.astype(np.float32), []
    for n in (1, 2, 3):
        monkeypatch.setenv("MINIDIFF_THREADS", str(n))
        loss, grads = Gradients(model, 70, 10, np.float32)(params, x_t, t, eps, label)
        answers.append([np.array(loss), Denoiser(model.eps_theta(params, label))(x_t, t), grads])
    for other in answers[1:]:
        assert all(np.array_equal(a, b) for a, b in zip(answers[0], other))


def test_a_denoiser_keeps_its_parameters():
    model, rng = UNet(4, width=4), np.random.default_rng(0)
    params, x = random_params(model, rng, np.float32), np.ones((2, 16), np.float32)
    eps_theta = Denoiser(model.eps_theta(params))
    before = eps_theta(x, 3)
    params *= 2
    assert np.array_equal(eps_theta(x, 3), before)
    assert not np.allclose(Denoiser(model.eps_theta(params))(x, 3), before)
    assert np.array_equal(
        eps_theta(x.astype(np.float64), 3), model.forward(eps_theta.params, x.astype(np.float64), 3)[0]
    )
