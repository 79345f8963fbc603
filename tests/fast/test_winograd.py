"""winograd: the convolutions at speed beside images.conv, and how much of a float32 they lose."""

import numpy as np
import pytest
from support import A_T, B_T

from minidiff.fast import winograd
from minidiff.fast.winograd import GG, G, OneMatrix, Tiles, abreast, apart, conv_of
from minidiff.pictures import layers as images

# from x_j and w_u to y_i in one direction, signs left out
PATHS = np.einsum("im,mu,mj->iuj", abs(A_T), abs(G), abs(B_T))


def buffers(dtype):
    made = {}
    return lambda *key_and_shape: made.setdefault(key_and_shape, np.zeros(key_and_shape[1:], dtype))


def case(size, dtype, B=4, C=3, n=2):
    rng = np.random.default_rng(size)
    x, W = rng.standard_normal((B, size, size, C)), rng.standard_normal((3, 3, C, n))
    b = rng.standard_normal(n)
    return [a.astype(dtype) for a in (x, W, b, rng.standard_normal((B, size, size, n)))]


@pytest.mark.parametrize("cache", [0, 2**19])
@pytest.mark.parametrize("L", [1, 2, 4])
@pytest.mark.parametrize("size", range(1, 11))
def test_conv_there_and_back(size, L, cache, monkeypatch):
    """Twice with the same buffers, the second time full of the first; tiles by the row, and all at once."""
    monkeypatch.setattr(winograd, "CACHE", cache)
    x, W, b, dy = case(size, np.float64)
    y, cache = images.conv(x, W, b)
    wanted = [y, *images.conv_backward(dy, cache)]
    conv, U = conv_of(size)(buffers(float), "W", len(x), L, size, 3, 2), conv_of(size).weights(W, size)
    for sign in (-1, 1):
        conv.frame[:, 1 : size + 1, 1 : size + 1] = abreast(sign * x, L)
        y = apart(conv.forward(U, b), L).copy()
        dW, db = np.empty_like(W), np.empty_like(b)
        conv.backward(abreast(sign * dy, L), np.ascontiguousarray(np.swapaxes(U, -1, -2)), dW, db)
    got = y, apart(conv.dframe, L)[:, 1 : size + 1, 1 : size + 1], dW, db
    # Each number is a sum of products. In one direction the terms of a tile, without their signs, add up to
    # 16 times those of the direct sum for y (48 instead of 3), 12.8 for dx (38.5 instead of 3: a pixel may
    # lie in two tiles) and 13.3 for dW (53.3 instead of 4). None goes through more roundings than there are
    # terms, and 30 in the transforms.
    terms = np.array([9 * 3 + 1, 9 * 2, len(x) * size**2, len(x) * size**2])
    factors = [(x, W), (dy, W), (x, dy), (dy, np.ones(1))]
    more = (PATHS.sum(axis=(1, 2)).max() / 3) ** 2
    for a, want, n, (f, g) in zip(got, wanted, terms, factors):
        assert a.shape == want.shape
        bound = (n + 30) * np.finfo(float).eps * more * n * abs(f).max() * abs(g).max()
        assert bound < 1e-8 * abs(want).max() and np.abs(a - want).max() <= bound
    # without room for the way back
    once = conv_of(size)(buffers(float), "W", len(x), L, size, 3, 2, back=False)
    once.frame[:, 1 : size + 1, 1 : size + 1] = abreast(x, L)
    assert np.array_equal(apart(once.forward(U, b), L), y)  # the same tiles in the same order


def test_small_pictures_take_one_matrix():
    assert [conv_of(size) for size in (1, 2, 3, 28)] == [OneMatrix, OneMatrix, Tiles, Tiles]


def test_a_tile_has_the_worked_values():
    """A filter that hands on the pixel itself, of ones; G's row of the point 1: minus half the mean of w."""
    assert np.allclose(GG.sum(axis=1).reshape(6, 6)[1, 1], (3 / 6) ** 2) and GG.shape == (36, 9)
    W = np.zeros((3, 3, 1, 1))
    W[1, 1] = 1
    conv = Tiles(buffers(float), "W", 1, 1, 4, 1, 1)
    conv.frame[:, 1:5, 1:5] = 1
    assert np.allclose(conv.forward(Tiles.weights(W, 4), np.zeros(1)), 1)


def test_float32_loses_no_more_than_its_roundings():
    """Few channels and numbers of one size: a sum in float16 would be 6 times beyond the bound.

    A coefficient off by 1 % would be 9 times beyond it.
    """
    rng, C = np.random.default_rng(0), 4
    x, W, b = (rng.uniform(-1, 1, s).astype(np.float32) for s in ((8, 16, 16, C), (3, 3, C, 8), 8))
    conv, U = Tiles(buffers(np.float32), "W", 8, 8, 16, C, 8), Tiles.weights(W, 16)
    conv.frame[:, 1:17, 1:17] = abreast(x, 8)
    y = apart(conv.forward(U, b), 8)
    assert y.dtype == U.dtype == np.float32
    # A term goes through 10 roundings in U (G x G itself, a product and 8 sums), 3 in each direction of B and
    # of A (times 2, 4 or 8 is exact), C in the channels' sum and 1 with b: in any order it is off by gamma_n
    # of itself, gamma_n = n u / (1 - n u), u = eps / 2.
    n, u = 10 + 6 + 6 + C + 1, np.finfo(np.float32).eps / 2
    terms = C * PATHS.sum(axis=(1, 2)).max() ** 2 * abs(x).max() * abs(W).max() + abs(b).max()
    assert (
        np.abs(y - images.conv(*(a.astype(float) for a in (x, W, b)))[0]).max() <= n * u / (1 - n * u) * terms
    )
