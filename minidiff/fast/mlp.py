"""The MLP at speed: same answers as mlp.py, on buffers that are made once. Not needed on a first reading.

What makes it fast:
- a block of rows goes up and down the network in one kernel: threads do not wait for each other's Python between the layers;
- matrix products of tiles that stay in registers, activations in pieces that stay in the cache;
- the time embedding of every t is made once, and when sampling its share of the first layer once for each step.
"""

import math

import numpy as np

from ..layers import time_embedding
from . import kernels
from .threads import Buffers, side_by_side


def views(row, shapes):
    """name -> the part of the vector `row` that belongs to it, in that shape."""
    parts, start = {}, 0
    for name, shape in shapes.items():
        size = math.prod(shape)
        parts[name] = row[start : start + size].reshape(shape)
        start += size
    return parts


def in_a_row(tensors, shapes):
    """One vector of all the tensors, in the order of shapes."""
    return np.concatenate([tensors[k].ravel() for k in shapes])


def _by_layer(row, model):
    """The parameters in a row as p_in, p and p_out of kernels.mlp_gradients: in each layer, b stands under W."""
    width, depth = model.width, model.depth
    shapes = {
        "in": (model.d + model.time_dim + 1, width),
        "all": (depth, width + 1, width),
        "out": (width + 1, model.d),
    }
    return tuple(views(row, shapes).values())


class Gradients:
    """objective.loss_and_grads for one model and batch size; parameters and gradients in a row, kept until the next call."""

    def __init__(self, model, batch, T, dtype):
        self.model, self.batch, self.dtype = model, batch, np.dtype(dtype)
        self.embedding = time_embedding(np.arange(T + 1), model.time_dim, dtype)
        self.turned = np.empty((model.depth * model.width + model.d, model.width + kernels.APART), dtype)
        # small blocks spread over more cores, but each brings a gradient of full size to sum
        self.rows, size = min(128, max(64, -(-batch // 2))), sum(math.prod(s) for s in model.shapes.values())
        self.grads = {first: np.empty(size, dtype) for first in range(0, batch, self.rows)}
        self.layers_of = {first: _by_layer(g, model) for first, g in self.grads.items()}
        self.buffers = Buffers(self._buffers)

    def _buffers(self, rows):
        """x_in, u (before SiLU) and h (after) of each layer, dh and out."""
        m, wide = self.model, self.model.width + kernels.APART
        shapes = (rows, m.d + m.time_dim), *2 * [(m.depth + 1, rows, wide)], (rows, wide), (rows, m.d)
        return tuple(np.empty(shape, self.dtype) for shape in shapes)

    def __call__(self, row, x_t, t, eps, weight=None):
        model, n = self.model, len(t)
        layers = _, p, p_out = _by_layer(row, model)
        for i, W in enumerate([*p[:, :-1], p_out[:-1]]):
            kernels.turn(W, self.turned[i * model.width :])
        whole = t.dtype.kind in "iu" and 0 <= t.min() and t.max() < len(self.embedding)
        embedding, t = (
            (self.embedding, t) if whole else (time_embedding(t, model.time_dim, self.dtype), np.arange(n))
        )
        weight = np.ones(n, self.dtype) if weight is None else weight.astype(self.dtype)
        share = self.dtype.type(1 / self.batch)

        def block(first, last):
            now = slice(first, last)
            batch = x_t[now], embedding, t[now], eps[now], weight[now], share
            # 64 rows of activations fit the cache; wide ones would not, and each piece reads all weights: there it is the block
            buffers = self.buffers.of(min(64 if model.width <= 256 else self.rows, last - first))
            return kernels.mlp_gradients(*layers, self.turned, *batch, buffers, *self.layers_of[first])

        loss = sum(side_by_side(block, self.batch, self.rows)) / self.batch
        total, *others = self.grads.values()
        for g in others:
            total += g
        return loss, total


def chain(eps_theta, times, c_x, c_eps, c_z, real):
    """walk(x, z, now): x <- c_x x + c_eps eps_theta(x, t) + c_z z for the steps `now` of times, eps_theta an MLPDenoiser.

    In the dtype `real`. z (draws, *x.shape) has a layer for each c_z != 0.
    """
    model, c = eps_theta.model, [u.astype(real) for u in (c_x, c_eps, c_z)]
    p_in, *layers = _by_layer(in_a_row(eps_theta.params, model.shapes).astype(real), model)
    W_x, time_rows = (
        p_in[: model.d],
        time_embedding(times, model.time_dim, real) @ p_in[model.d : -1] + p_in[-1],
    )
    return lambda x, z, now: kernels.mlp_chain(x, time_rows[now], W_x, *layers, *(u[now] for u in c), z)
