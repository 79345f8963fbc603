"""The MLP at speed: same answers as mlp.py, on buffers that are made once. Not needed on a first reading.

What makes it fast:
- a block of rows goes up and down the network in one kernel: threads do not wait for each other's Python
  between the layers;
- matrix products of tiles that stay in registers, activations in pieces that stay in the cache;
- the time embedding of every t is made once, and when sampling its share of the first layer once a step.
"""

import numpy as np

from ..layers import time_embedding, views
from . import kernels
from .threads import Buffers, summed


def _by_layer(vector, model):
    """Parameters as the three `layers` of kernels.mlp_gradients, where b stands under W, as in the vector."""
    width, depth = model.width, model.depth
    n_in = model.d + model.time_dim
    shapes = {"in": (n_in + 1, width), "all": (depth, width + 1, width), "out": (width + 1, model.d)}
    return tuple(views(vector, shapes).values())


class Gradients:
    """objective.loss_and_grads for one model and batch size."""

    def __init__(self, model, batch, T, dtype):
        self.model, self.batch, self.dtype = model, batch, np.dtype(dtype)
        self.embedding = time_embedding(np.arange(T + 1), model.time_dim, dtype)
        self.turned = np.empty((model.depth * model.width + model.d, model.width + kernels.APART), dtype)
        # small blocks spread over more cores, but each brings a gradient of full size to sum
        self.rows = min(128, max(64, -(-batch // 2)))
        self.buffers = Buffers(self._buffers)
        # 64 rows of activations fit the cache; wide ones would not, and each piece reads all the weights
        self.piece = 64 if model.width <= 256 else self.rows

    def _buffers(self, rows):
        """x_in, u (before SiLU) and h (after) of each layer, dh and out."""
        m, wide = self.model, self.model.width + kernels.APART
        shapes = (rows, m.d + m.time_dim), *2 * [(m.depth + 1, rows, wide)], (rows, wide), (rows, m.d)
        return tuple(np.empty(shape, self.dtype) for shape in shapes)

    def few(self):
        """The engine to compare: itself, the readable code takes no long time."""
        return self

    def __call__(self, params, x_t, t, target, *, weight=None):
        model, n = self.model, self.batch
        layers = _by_layer(params, model)
        _, p, p_out = layers
        for i, W in enumerate([*p[:, :-1], p_out[:-1]]):
            kernels.turn(W, self.turned[i * model.width :])
        embedding = self.embedding
        if not (t.dtype.kind in "iu" and 0 <= t.min() and t.max() < len(embedding)):
            embedding, t = time_embedding(t, model.time_dim, self.dtype), np.arange(n)
        weight = np.full(n, 1 / n) if weight is None else weight / n
        weight = weight.astype(self.dtype)

        def block(first, last):
            now, grads = slice(first, last), np.empty_like(params)
            batch = x_t[now], embedding, t[now], target[now], weight[now]
            buffers = self.buffers.of(min(self.piece, last - first))
            loss = kernels.mlp_gradients(layers, self.turned, *batch, buffers, _by_layer(grads, model))
            return loss, grads

        return summed(block, n, self.rows)


def check_rows(x_T, d):
    """Raises ValueError unless x_T is (B, d): a kernel would read beyond its rows."""
    if x_T.shape[1:] != (d,):
        raise ValueError(f"x_T must have the shape (B, {d}), got {x_T.shape}")


def chain(eps_theta, times, c, x_T):
    """steps(x, z, now): x <- c_x x + c_eps eps_theta(x, t) + c_z z for the steps `now` (a slice) of times.

    eps_theta is an MLP's Network; c (S, 3) and the loop are of the dtype `real`. z (draws, *x.shape) has a
    layer for each c_z != 0.
    """
    model, real = eps_theta.model, x_T.dtype
    check_rows(x_T, model.d)
    p_in, *layers = _by_layer(eps_theta.params.astype(real, copy=False), model)
    c = c.astype(real)
    W_x = p_in[: model.d]
    time_rows = time_embedding(times, model.time_dim, real) @ p_in[model.d : -1] + p_in[-1]
    return lambda x, z, now: kernels.mlp_chain(x, time_rows[now], W_x, *layers, c[now], z)
