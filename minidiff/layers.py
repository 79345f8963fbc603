"""The pieces of a network: each layer f beside its gradient f_backward, pure functions that hide nothing.

f(x, ...) -> (y, cache)             what comes out, and what the way back will need
f_backward(dy, cache) -> dx, ...    dy is dLoss/dy: a gradient has the shape of what it belongs to

letter  shape              meaning
x, y    (B, n_in), (B, n)  a batch, one row each
W, b    (n_in, n), (n,)    weights and bias
t       () or (B,)         the time of each row

The parameters of a whole network are one vector, with a named view of it for each W and b.
"""

import math

import numpy as np

from .protocols import Array, Times


def linear(x: Array, W, b) -> tuple:
    """y = x W + b."""
    return x @ W + b, (x, W)


def linear_backward(dy: Array, cache) -> tuple:
    """dx = dy W^T,  dW = x^T dy,  db = sum over the batch of dy."""
    x, W = cache
    return dy @ W.T, x.T @ dy, dy.sum(axis=0)


def silu(x: Array) -> tuple:
    """y = x sigmoid(x), sigmoid(x) = 1 / (1 + exp(-x)): like max(0, x) with a rounded corner."""
    x = np.maximum(x, np.finfo(x.dtype).min)  # silu(-inf) is 0, but -inf * 0 is NaN
    e = np.exp(-np.abs(x))  # which cannot overflow
    sigmoid = np.where(x >= 0, 1, e) / (1 + e)
    return x * sigmoid, (x, sigmoid)


def silu_backward(dy: Array, cache) -> Array:
    """dx = dy sigmoid(x) (1 + x (1 - sigmoid(x)))."""
    x, sigmoid = cache
    return dy * sigmoid * (1 + x * (1 - sigmoid))


def time_embedding(t: Times, dim: int, dtype=np.float64) -> Array:
    """[sin(t w_i), cos(t w_i)],  w_i = 10000^(-i / (dim / 2)), i = 0..dim/2 - 1.    [Transformer section 3.5]
    t int or (B,) -> (dim,) or (B, dim): clocks of different speeds, from which any t can be read. Nothing is
    learned here, so it has no backward. Raises ValueError for an odd dim."""
    if dim < 2 or dim % 2:
        raise ValueError(f"dim must be an even number of at least 2, got {dim}")
    w = 10000.0 ** (-np.arange(dim // 2) / (dim // 2))
    angle = np.asarray(t, np.float64)[..., None] * w
    both = np.concatenate([np.sin(angle), np.cos(angle)], axis=-1)
    return both.astype(dtype)


def views(vector: Array, shapes) -> dict[str, Array]:
    """name -> its part of the vector in its shape; what is written into the part is written into the vector.
    shapes: name -> shape, in the order in which they stand."""
    parts, start = {}, 0
    for name, shape in shapes.items():
        end = start + math.prod(shape)
        parts[name] = vector[start:end].reshape(shape)
        start = end
    return parts


def in_one_vector(tensors, shapes) -> Array:
    """The vector whose views the tensors (name -> array) are."""
    return np.concatenate([tensors[name].ravel() for name in shapes])
