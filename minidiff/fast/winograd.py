"""The U-Net's 3 x 3 convolutions at speed. Not needed on a first reading.

Four outputs of a filter w of three weights, side by side, come from six inputs x (Lavin & Gray 2015,
F(4 x 4, 3 x 3)):

    y = A^T [(G w) * (B^T x)]                  6 products instead of 12
    Y = A^T [(G W G^T) * (B^T X B)] A          36 instead of 144: X 6 x 6, W 3 x 3 and Y 4 x 4 pixels

(Transposed, it multiplies the polynomials with coefficients w and y: A y are the values of one at 0, 1, -1,
2, -2 and infinity, G w those of the other over Lagrange's denominators, and B makes coefficients of the
products.) With C channels in and n out, each of the 36 products is a matrix product. A and B stand in
kernels.py, written out as sums. The sums with 4, 5 and 8 cost digits: in float32, y and the gradients are off
by 1e-6 to 3e-6 of their size, mostly 5 to 15 times more than the direct sums.

letter   shape                        meaning
V, M     (36, tiles L, channels)      V = B^T X B and M = V U, L pictures side by side
U        (36, C, n)                   (G x G) W of W (3, 3, C, n); of OneMatrix: (size^2 C, size^2 n)
turned   (36, n, C)                   U^T, for the way back
L                                     pictures abreast: (B / L, H, W, L C), see kernels.py
frame    (B / L, S + 2, S + 2, L C)   pictures with zeros around, S = size rounded up to whole tiles
"""

from functools import cache

import numpy as np

from . import kernels

G = np.array([[6, 0, 0], [-4, -4, -4], [-4, 4, -4], [1, 2, 4], [1, -2, 4], [0, 0, 24]]) / 24
GG = np.kron(G, G)
CACHE = 2**19  # bytes for V and M: they are to stay in the second-level cache


def abreast(x, L):
    """(B, H, W, C) -> (B / L, H, W, L C)."""
    B, H, W, C = x.shape
    return np.ascontiguousarray(x.reshape(B // L, L, H, W, C).transpose(0, 2, 3, 1, 4)).reshape(
        B // L, H, W, L * C
    )


def apart(x, L):
    """abreast backwards."""
    rows, H, W, LC = x.shape
    return x.reshape(rows, H, W, L, LC // L).transpose(0, 3, 1, 2, 4).reshape(rows * L, H, W, LC // L)


def conv_of(size):
    """The class that computes convolutions of pictures of that size."""
    return Tiles if size > 2 else OneMatrix


@cache
def where_weights_stand(size):
    """(size^4, 9): 1 where weight uv joins pixel ij of x to pixel kl of y, else 0."""
    pixels = list(np.ndindex(size, size))
    offsets = [(1 + i - k, 1 + j - l) for i, j in pixels for k, l in pixels]
    return np.array([[uv == offset for uv in np.ndindex(3, 3)] for offset in offsets], int)


class Tiles:
    """y = images.conv(x, W, b) for B pictures, L abreast, and the way back.

    buffer(key, *shape) gives an array of zeros, and the same one again for the same key and shape.
    """

    def __init__(self, buffer, name, B, L, size, C, n, back=True):
        self.size, self.beyond = size, -size % 4
        S, rows = size + self.beyond, B // L
        # One frame for all layers of its shape. Its zeros stay: of a size above 2 and its halves, no two
        # round up to one S.
        self.frame, self.dframe = [buffer(key, rows, S + 2, S + 2, L * C) for key in ("frame", "dframe")]
        self.y = buffer("y" + name, rows, S, S, L * n)
        # L more than needed between the 36 matrices: 4 kB apart, all would fall into the same few sets of the
        # cache
        tiles, row = rows * (S // 4) ** 2 * L, S // 4 * L
        few = min(tiles, max(1, CACHE // (144 * (C + n) * row)) * row)  # 36 times C + n numbers of 4 bytes
        self.V = buffer("V" + name, 36, tiles + L, C) if back else buffer("V", 36, few + L, C)
        self.M, self.dV = buffer("M", 36, few + L, n), buffer("dV", 36, few + L, C)
        self.dU = buffer("dU", 36, C, n)

    @staticmethod
    def weights(W, size):
        """U = (G x G) W."""
        return (GG.astype(W.dtype) @ W.reshape(9, -1)).reshape(36, *W.shape[2:])

    def forward(self, U, b):
        """y of what stands in the frame."""
        kernels.conv(self.frame, U, b, self.V, self.M, self.y)
        inside = self.y[:, : self.size, : self.size]
        return np.ascontiguousarray(inside)  # a copy only where the tiles reach beyond

    def backward(self, dy, turned, dW, db):
        """dW and db go to their places; the gradient by x stands in dframe."""
        if self.beyond:
            dy = np.pad(dy, ((0, 0), (0, self.beyond), (0, self.beyond), (0, 0)))
        kernels.conv_backward(dy, turned, self.V, self.M, self.dV, self.dU, db, self.dframe)
        np.matmul(GG.T.astype(dW.dtype), self.dU.reshape(36, -1), out=dW.reshape(9, -1))


class OneMatrix:
    """Tiles for pictures so small, 2 x 2 pixels or one, that each pixel sees every other: one matrix for the
    whole picture."""

    def __init__(self, buffer, name, B, L, size, C, n, back=True):
        self.L, self.size = L, size
        self.frame, self.dframe = [
            buffer(key, B // L, size + 2, size + 2, L * C) for key in ("frame", "dframe")
        ]
        self.V = buffer("V" + name, B, size * size * C)
        self.inside = [f[:, 1 : size + 1, 1 : size + 1] for f in (self.frame, self.dframe)]

    @staticmethod
    def weights(W, size):
        """U, from all the numbers of x to all of y."""
        C, n = W.shape[2:]
        U = where_weights_stand(size).astype(W.dtype) @ W.reshape(9, -1)
        return U.reshape(size**2, size**2, C, n).transpose(0, 2, 1, 3).reshape(size**2 * C, size**2 * n)

    def forward(self, U, b):
        """Tiles.forward, with one product."""
        self.V[...] = apart(self.inside[0], self.L).reshape(self.V.shape)
        return abreast((self.V @ U).reshape(len(self.V), self.size, self.size, len(b)) + b, self.L)

    def backward(self, dy, turned, dW, db):
        """Tiles.backward; each of the nine weights collects from all the places where it stands."""
        dM, p = apart(dy, self.L).reshape(len(self.V), -1), self.size**2
        dM.reshape(-1, len(db)).sum(axis=0, out=db)
        dU = (self.V.T @ dM).reshape(p, -1, p, len(db)).transpose(0, 2, 1, 3).reshape(p * p, -1)
        np.matmul(where_weights_stand(self.size).T.astype(dW.dtype), dU, out=dW.reshape(9, -1))
        self.inside[1][...] = abreast((dM @ turned).reshape(len(dM), self.size, self.size, -1), self.L)
