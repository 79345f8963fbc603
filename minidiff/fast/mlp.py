"""The MLP at speed: same answers as mlp.py, on buffers that are made once. Not needed on a first reading.

What makes it fast, besides one call of BLAS for each matrix product:
- rows go in blocks whose activations stay in the second-level cache, and blocks go side by side on the cores;
- nothing is allocated on the way (`out=`), and each pass over a block does all it can (bias + SiLU + residual);
- the time embedding of every t is made once, and when sampling its share of the first layer once for each step.
"""

import numpy as np

from ..layers import time_embedding
from . import kernels
from .threads import side_by_side, warm_up_blas

FEW_ROWS = 16  # up to here the kernel that runs all steps beats one BLAS call a layer


def views(flat, shapes):
    """name -> the part of the vector `flat` that belongs to it, in that shape."""
    parts, start = {}, 0
    for name, shape in shapes.items():
        size = int(np.prod(shape))
        parts[name] = flat[start : start + size].reshape(shape)
        start += size
    return parts


class _Block:
    """Buffers for some rows on their way up and down the network. u: before SiLU, h: after; layer by layer."""

    def __init__(self, model, rows, dtype):
        self.x_in = np.empty((rows, model.d + model.time_dim), dtype)
        self.u, self.h = (np.empty((model.depth + 1, rows, model.width), dtype) for _ in range(2))
        self.dh, self.du, self.back = (np.empty((rows, model.width), dtype) for _ in range(3))
        self.eps_hat = np.empty((rows, model.d), dtype)
        self.flat = np.empty(sum(int(np.prod(s)) for s in model.shapes.values()), dtype)
        self.grads = views(self.flat, model.shapes)


class Gradients:
    """objective.loss_and_grads for one model and size of batch; the gradients are kept until the next call."""

    def __init__(self, model, batch, T, dtype):
        self.model, self.batch = model, batch
        self.embedding = time_embedding(np.arange(T + 1), model.time_dim, dtype)
        # small blocks spread over more cores, but each packs the weights anew and brings a gradient of full size to sum
        self.rows = min(128, max(64, -(-batch // 2)))
        starts = range(0, batch, self.rows)
        self.blocks = {i: _Block(model, min(self.rows, batch - i), dtype) for i in starts}
        warm_up_blas()

    def __call__(self, model, params, x_t, t, eps, weight=None):
        whole = t.dtype.kind in "iu"
        emb = self.embedding if whole else time_embedding(t, self.model.time_dim, self.embedding.dtype)
        weight = None if weight is None else weight.astype(emb.dtype)[:, None]

        def block(first, last):
            rows = slice(first, last)
            times = emb[t[rows]] if whole else emb[rows]
            w = None if weight is None else weight[rows]
            return self._block(self.blocks[first], params, x_t[rows], times, eps[rows], w)

        loss = sum(side_by_side(block, self.batch, self.rows)) / self.batch
        total = self.blocks[0]
        for first in list(self.blocks)[1:]:
            total.flat += self.blocks[first].flat
        return loss, total.grads

    def _block(self, k, params, x_t, emb, eps, weight):
        """sum ||eps - eps_hat||^2 of the rows, and their share of the gradient into k.grads."""
        model, p, g = self.model, params, k.grads
        k.x_in[:, : model.d] = x_t
        k.x_in[:, model.d :] = emb
        np.matmul(k.x_in, p["W_in"], out=k.u[0])
        kernels.bias_silu(k.u[0], p["b_in"], k.h[0])
        for i in range(model.depth):
            np.matmul(k.h[i], p[f"W_{i}"], out=k.u[i + 1])
            np.copyto(k.h[i + 1], k.h[i])
            kernels.bias_silu_add(k.u[i + 1], p[f"b_{i}"], k.h[i + 1])
        np.matmul(k.h[-1], p["W_out"], out=k.eps_hat)
        k.eps_hat += p["b_out"]

        error = np.subtract(k.eps_hat, eps, out=k.eps_hat)
        loss = float(np.vdot(error, error) if weight is None else np.vdot(error, weight * error))
        if weight is not None:
            error *= weight
        error *= 2 / self.batch  # now dLoss/deps_hat
        np.matmul(k.h[-1].T, error, out=g["W_out"])
        error.sum(axis=0, out=g["b_out"])
        np.matmul(error, p["W_out"].T, out=k.dh)
        for i in reversed(range(model.depth)):
            kernels.silu_backward(k.u[i + 1], k.dh, k.du, g[f"b_{i}"])
            np.matmul(k.h[i].T, k.du, out=g[f"W_{i}"])
            k.dh += np.matmul(k.du, p[f"W_{i}"].T, out=k.back)
        kernels.silu_backward(k.u[0], k.dh, k.du, g["b_in"])
        np.matmul(k.x_in.T, k.du, out=g["W_in"])
        return loss


def chain(eps_theta, x_T, times, c_x, c_eps, c_z, z):
    """x <- c_x x + c_eps eps_theta(x, t) + c_z z for each time, eps_theta an MLPDenoiser.

    z (steps, *x.shape) has a layer for each c_z != 0.
    """
    model, p, real = eps_theta.model, eps_theta.params, x_T.dtype
    time_rows = time_embedding(times, model.time_dim, real) @ p["W_in"][model.d :] + p["b_in"]
    c_x, c_eps, c_z = (np.asarray(u, real) for u in (c_x, c_eps, c_z))
    W_x, depth = p["W_in"][: model.d], range(model.depth)
    if len(x_T) <= FEW_ROWS:
        W = np.array([p[f"W_{i}"] for i in depth]).reshape(-1, model.width, model.width)
        bias = np.array([p[f"b_{i}"] for i in depth]).reshape(-1, model.width)
        return kernels.mlp_chain(x_T, time_rows, W_x, W, bias, p["W_out"], p["b_out"], c_x, c_eps, c_z, z)
    x, eps_hat, drawn = x_T.copy(), np.empty_like(x_T), 0
    u, h = (np.empty((len(x), model.width), real) for _ in range(2))
    for k in range(len(c_x)):
        np.matmul(x, W_x, out=u)
        kernels.bias_silu(u, time_rows[k], h)
        for i in depth:
            np.matmul(h, p[f"W_{i}"], out=u)
            kernels.bias_silu_add(u, p[f"b_{i}"], h)
        np.matmul(h, p["W_out"], out=eps_hat)
        drawn = kernels.affine_step(x, eps_hat, p["b_out"], c_x[k], c_eps[k], c_z[k], z, drawn)
    return x
