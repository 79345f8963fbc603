"""winograd: the convolutions at speed beside images.conv, and how much of a float32 they lose."""

import numpy as np
import pytest
from test_kernels import A_T, B_T

from minidiff import images
from minidiff.winograd import GG, G, OneMatrix, Tiles, abreast, apart, conv_of


def buffers(dtype):
    made = {}
    return lambda *key_and_shape: made.setdefault(key_and_shape, np.zeros(key_and_shape[1:], dtype))


def case(size, dtype, B=4, C=3, n=2):
    rng = np.random.default_rng(size)
    x, W, b = rng.standard_normal((B, size, size, C)), rng.standard_normal((3, 3, C, n)), rng.standard_normal(n)
    return [a.astype(dtype) for a in (x, W, b, rng.standard_normal((B, size, size, n)))]


@pytest.mark.parametrize("L", [1, 2, 4])
@pytest.mark.parametrize("size", range(1, 11))
def test_conv_there_and_back(size, L):
    """Twice with the same buffers: the second time they are full of the first."""
    x, W, b, dy = case(size, np.float64)
    y, cache = images.conv(x, W, b)
    wanted = [y, *images.conv_backward(dy, cache)]
    conv, U = conv_of(size)(buffers(float), "W", len(x), L, size, 3, 2), conv_of(size).weights(W, size)
    for sign in (-1, 1):
        conv.frame[:, 1 : size + 1, 1 : size + 1] = abreast(sign * x, L)
        y = apart(conv.forward(U, b), L).copy()
        dW, db = np.empty_like(W), np.empty_like(b)
        conv.backward(abreast(sign * dy, L), U, dW, db)
    got = y, apart(conv.dframe, L)[:, 1 : size + 1, 1 : size + 1], dW, db
    # Each number is a sum of products. In one direction the terms of a tile, without their signs, add up to 16 times those of
    # the direct sum for y (48 instead of 3), 12.8 for dx (38.5 instead of 3: a pixel may lie in two tiles) and 13.3 for dW
    # (53.3 instead of 4). None goes through more roundings than there are terms, and 30 in the transforms.
    terms = np.array([9 * 3 + 1, 9 * 2, len(x) * size**2, len(x) * size**2])
    factors = [(x, W), (dy, W), (x, dy), (dy, np.ones(1))]
    paths = np.einsum("im,mu,mj->iuj", abs(A_T), abs(G), abs(B_T))
    more = (paths.sum(axis=(1, 2)).max() / 3) ** 2
    for a, want, n, (f, g) in zip(got, wanted, terms, factors):
        assert a.shape == want.shape
        bound = (n + 30) * np.finfo(float).eps * more * n * abs(f).max() * abs(g).max()
        assert bound < 1e-8 * abs(want).max() and np.abs(a - want).max() <= bound


def test_small_pictures_take_one_matrix():
    assert [conv_of(size) for size in (1, 2, 3, 28)] == [OneMatrix, OneMatrix, Tiles, Tiles]


def test_a_tile_has_the_worked_values():
    """A filter that hands on the pixel itself, of a picture of ones; and G's row of the point 1: minus half the mean of w."""
    assert np.allclose(GG.sum(axis=1).reshape(6, 6)[1, 1], (3 / 6) ** 2) and GG.shape == (36, 9)
    W = np.zeros((3, 3, 1, 1))
    W[1, 1] = 1
    conv = Tiles(buffers(float), "W", 1, 1, 4, 1, 1)
    conv.frame[:, 1:5, 1:5] = 1
    assert np.allclose(conv.forward(Tiles.weights(W, 4), np.zeros(1)), 1)


def test_float32_loses_a_few_roundings_only():
    """At 64 channels y's root-mean-square error is about 6 times that of the direct sum: 2e-6 of y."""
    exact_case = case(16, np.float64, 8, 64, 8)
    x, W, b, _ = [a.astype(np.float32) for a in exact_case]
    exact, (direct, _) = images.conv(*exact_case[:3])[0], images.conv(x, W, b)
    conv, U = Tiles(buffers(np.float32), "W", 8, 8, 16, 64, 8), Tiles.weights(W, 16)
    conv.frame[:, 1:17, 1:17] = abreast(x, 8)
    tiles = apart(conv.forward(U, b), 8)
    assert tiles.dtype == U.dtype == np.float32
    # the direct sum's own error depends on the order in which BLAS adds: 5.6 to 8.9 with OpenBLAS's kernels for several CPUs
    assert 4 < np.std(tiles - exact) / np.std(direct - exact) < 12
    assert np.std(tiles - exact) < 3e-6 * np.std(exact)
