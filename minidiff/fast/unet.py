"""The U-Net at speed: same answers as unet.py, on buffers that are made once. Not needed on a first reading.

What makes it fast:
- pictures go in blocks, side by side on the cores, each block all the way up and down on one set of buffers;
- a 3 x 3 convolution takes a quarter of the products (winograd.py);
- group_norm, film and SiLU are one kernel each way, and so are the gate and what it is added to;
- L pictures stand abreast, (B / L, H, W, L C), which makes the innermost loops of the kernels long: 8 in a whole block.
"""

import math

import numpy as np

from ..layers import linear, linear_backward, silu, silu_backward, time_embedding
from ..objective import l_simple
from . import kernels
from .mlp import views
from .threads import Buffers, side_by_side
from .winograd import abreast, apart, conv_of


def convs_of(model):
    """name -> (size, C, n) of every 3 x 3 convolution."""
    halved = {"W_in": 0, "W_out": 0}
    for name in model.blocks:
        kind, i = name.split("_")
        halved |= {f"W{k}_{name}": model.depth if kind == "mid" else int(i) for k in (1, 2)}
    return {name: (model.size >> times, *model.shapes[name][2:]) for name, times in halved.items()}


def transformed(model, params):
    """W -> U of every 3 x 3 convolution."""
    return {name: conv_of(size).weights(params[name], size) for name, (size, _, _) in convs_of(model).items()}


def rows_of(model):
    """Pictures in a block: many for the small products at low resolution, few for the memory and for the cores."""
    return 32 if model.size <= 16 else 16


class _Block:
    """Buffers and caches of one block of pictures."""

    def __init__(self, model, rows, dtype, back=True):
        self.model, self.rows, self.L, self.dtype = model, rows, math.gcd(rows, 8), dtype
        self.blocks, self.out, self.mod_of = model.blocks, model.columns["out"], {}
        for name, (
            m,
            n,
        ) in self.blocks.items():  # where the block's scale, shift, scale, shift and gate stand in mod
            edges = model.columns[name].start + np.cumsum([0, m, m, n, n, n])
            self.mod_of[name] = [slice(i, j) for i, j in zip(edges, edges[1:])]
        self.buffers, self.cache = {}, {}  # cache: what each layer's way back will need, by the layer's name
        # the call's parameters, their transforms and those turned, gradients, modulation
        self.p = self.U = self.turned = self.g = self.mod = self.dmod = None
        self.convs = {
            k: conv_of(s[0])(self.buffer, k, rows, self.L, *s, back) for k, s in convs_of(model).items()
        }

    def buffer(self, *key_and_shape):
        """Zeros at first, and the same array again for the same key and shape."""
        if key_and_shape not in self.buffers:
            self.buffers[key_and_shape] = np.zeros(key_and_shape[1:], self.dtype)
        return self.buffers[key_and_shape]

    def picture(self, key, size, channels):
        return self.buffer(key, self.rows // self.L, size, size, self.L * channels)

    def conv(self, name):
        """y of what stands in the convolution's frame."""
        return self.convs[name].forward(self.U[name], self.p["b" + name[1:]])

    def conv_backward(self, name, dy):
        """The gradient by the frame; those by W and b go to their places."""
        self.convs[name].backward(dy, self.turned[name], self.g[name], self.g["b" + name[1:]])
        return self.convs[name].dframe

    def act_conv(self, name, h, scale, shift):
        """conv(silu(film(group_norm(h), scale, shift)))."""
        mean, rstd = self.buffer("moments" + name, 2, len(h), h.shape[3])
        self.cache[name] = h, scale, shift, self.L * self.model.groups, mean, rstd
        kernels.act(*self.cache[name], self.convs[name].frame)
        return self.conv(name)

    def act_conv_backward(self, name, dy, dh, dscale, dshift):
        """dh += the gradient by h; those by scale and shift go to their places."""
        kernels.act_backward(*self.cache[name], self.conv_backward(name, dy), dh, dscale, dshift)

    def block(self, name, h):
        (m, n), size = self.blocks[name], h.shape[1]
        scale_1, shift_1, scale_2, shift_2, gate = [self.mod[:, c] for c in self.mod_of[name]]
        y = self.act_conv("W1_" + name, h, scale_1, shift_1)
        y = self.act_conv("W2_" + name, y, scale_2, shift_2)
        out = self.picture("out_" + name, size, n)
        if m != n:
            np.matmul(h.reshape(-1, m), self.p["W_" + name].reshape(m, n), out=out.reshape(-1, n))
            out.reshape(-1, n)[:] += self.p["b_" + name]
        else:
            np.copyto(out, h)
        kernels.gated_add(out, y, gate)
        self.cache[name] = h, y, gate
        return out

    def block_backward(self, name, dh):
        (m, n), size, (h, y, gate) = self.blocks[name], dh.shape[1], self.cache[name]
        dscale_1, dshift_1, dscale_2, dshift_2, dgate = [self.dmod[:, c] for c in self.mod_of[name]]
        dy, du = self.picture("dy", size, n), self.picture("du", size, n)
        kernels.gated_backward(dh, y, gate, dy, dgate)
        du[...] = 0
        self.act_conv_backward("W2_" + name, dy, du, dscale_2, dshift_2)
        if m != n:
            W, dout, dh = (
                self.p["W_" + name].reshape(m, n),
                dh.reshape(-1, n),
                self.picture("dh_" + name, size, m),
            )
            np.matmul(h.reshape(-1, m).T, dout, out=self.g["W_" + name].reshape(m, n))
            dout.sum(axis=0, out=self.g["b_" + name])
            np.matmul(dout, W.T, out=dh.reshape(-1, m))
        self.act_conv_backward("W1_" + name, du, dh, dscale_1, dshift_1)
        return dh

    def forward(self, params, U, x_t, embedding, label):
        """unet.UNet.forward: eps_hat (rows, size, size, channels_in), perhaps a view of a buffer."""
        model, p, self.p, self.U = self.model, params, params, U
        size, depth, L = model.size, model.depth, self.L
        c, self.cache["time"] = linear(embedding, p["W_time"], p["b_time"])
        self.cache["label"] = label
        c, self.cache["silu"] = silu(c + (p["E"][label] if model.labels else 0))
        mod, self.cache["mod"] = linear(c, p["W_mod"], p["b_mod"])
        self.mod = (
            mod if len(mod) == len(x_t) else np.repeat(mod, len(x_t), axis=0)
        )  # one time and label for all
        self.convs["W_in"].frame[:, 1 : size + 1, 1 : size + 1] = abreast(x_t, L)
        h = self.conv("W_in")
        for i in range(depth):
            h = self.block(f"down_{i}", h)
            h = _sum_2x2(h, self.picture(f"pool_{i}", h.shape[1] // 2, h.shape[3] // L))
            h *= h.dtype.type(0.25)
        h, self.cache["attention"] = model._attend(p, apart(self.block("mid_0", h), L))
        h = self.block("mid_1", abreast(h, L))
        for i in reversed(range(depth)):
            kept, low = self.picture(f"out_down_{i}", size >> i, model.width << i), h
            h = self.picture(f"concat_{i}", size >> i, (low.shape[3] + kept.shape[3]) // L)
            up, skip = self.parted(h, low.shape[3] // L)
            for u, v in np.ndindex(2, 2):
                up[:, u::2, v::2] = low.reshape(*low.shape[:3], L, -1)
            skip[...] = kept.reshape(skip.shape)
            h = self.block(f"up_{i}", h)
        return apart(self.act_conv("W_out", h, *np.split(self.mod[:, self.out], 2, axis=1)), L)

    def parted(self, h, n):
        """[u, v] of a concatenation, u with n channels: views (B / L, H, W, L, channels)."""
        h = h.reshape(*h.shape[:3], self.L, -1)
        return h[..., :n], h[..., n:]

    def backward(self, deps_hat, turned, grads):
        """unet.UNet.backward, into the arrays of grads."""
        model, L, g, self.g, self.turned = self.model, self.L, grads, grads, turned
        self.dmod, dkept = np.empty_like(self.mod), []
        dh = self.picture("dh_out", model.size, model.width)
        dh[...] = 0
        self.act_conv_backward(
            "W_out", abreast(deps_hat, L), dh, *np.split(self.dmod[:, self.out], 2, axis=1)
        )
        for i in range(model.depth):
            dconcat = self.block_backward(f"up_{i}", dh)
            n = dconcat.shape[3] // L - (model.width << i)
            dup, dskip = self.parted(dconcat, n)
            dh = self.picture(f"dlow_{i}", dconcat.shape[1] // 2, n)
            _sum_2x2(dup, dh.reshape(*dh.shape[:3], L, n))
            dkept.append(dskip)
        made = {}
        dh = model._attend_backward(made, apart(self.block_backward("mid_1", dh), L), self.cache["attention"])
        dh = self.block_backward("mid_0", abreast(dh, L))
        for i in reversed(range(model.depth)):
            quarter = dh * dh.dtype.type(0.25)
            dh = np.ascontiguousarray(dkept.pop())
            dh = dh.reshape(*dh.shape[:3], -1)
            for u, v in np.ndindex(2, 2):
                dh[:, u::2, v::2] += quarter
            dh = self.block_backward(f"down_{i}", dh)
        self.conv_backward("W_in", dh)
        dc, made["W_mod"], made["b_mod"] = linear_backward(self.dmod, self.cache["mod"])
        dc = silu_backward(dc, self.cache["silu"])
        if model.labels:
            made["E"] = np.zeros_like(self.p["E"])
            np.add.at(made["E"], self.cache["label"], dc)
        _, made["W_time"], made["b_time"] = linear_backward(dc, self.cache["time"])
        for name, dw in made.items():
            g[name][...] = dw


def _sum_2x2(x, y):
    """y = x summed over each 2 x 2 square."""
    np.add(x[:, ::2, ::2], x[:, ::2, 1::2], out=y)
    y += x[:, 1::2, ::2]
    y += x[:, 1::2, 1::2]
    return y


class Gradients:
    """objective.loss_and_grads for one model and size of batch; the gradients are kept until the next call."""

    def __init__(self, model, batch, T, dtype):
        self.model, self.batch, self.buffers = model, batch, Buffers(lambda rows: _Block(model, rows, dtype))
        self.rows, size = rows_of(model), sum(int(np.prod(s)) for s in model.shapes.values())
        self.flat = {first: np.empty(size, dtype) for first in range(0, batch, self.rows)}
        self.grads = {first: views(flat, model.shapes) for first, flat in self.flat.items()}

    def __call__(self, row, x_t, t, eps, weight=None, label=None):
        model, params = self.model, views(row, self.model.shapes)
        U = transformed(model, params)
        turned = {name: np.ascontiguousarray(np.swapaxes(u, -1, -2)) for name, u in U.items()}
        emb = time_embedding(t, model.time_dim, self.grads[0]["W_in"].dtype)
        x_t, eps, label = model.pictures(x_t), model.pictures(eps), model.labels_of(label, self.batch)

        def block(first, last):
            pictures = self.buffers.of(last - first)
            eps_hat = pictures.forward(params, U, x_t[first:last], emb[first:last], label[first:last])
            w, share = None if weight is None else weight[first:last], (last - first) / self.batch
            loss, deps_hat = l_simple(eps_hat, eps[first:last], w)
            pictures.backward(deps_hat * eps_hat.dtype.type(share), turned, self.grads[first])
            return loss * share

        loss = sum(side_by_side(block, self.batch, self.rows))
        total = self.flat[0]
        for first in list(self.flat)[1:]:
            total += self.flat[first]
        return loss, total


class Denoiser:
    """A UNetDenoiser sooner, with the parameters as they are now."""

    def __init__(self, eps_theta):
        self.model, self.label = eps_theta.model, eps_theta.label
        self.params = {k: w.copy() for k, w in eps_theta.params.items()}
        self.dtype = self.params["W_in"].dtype
        self.U = transformed(self.model, self.params)
        self.buffers = Buffers(lambda rows: _Block(self.model, rows, self.dtype, back=False))

    def __call__(self, x_t, t):
        model = self.model
        if x_t.dtype != self.dtype:
            return model.forward(self.params, x_t, t, self.label)[0]
        x, label, eps_hat = (
            model.pictures(x_t),
            model.labels_of(self.label, len(x_t)),
            np.empty(x_t.shape, self.dtype),
        )
        embedding, answer = time_embedding(t, model.time_dim, self.dtype), model.pictures(eps_hat)
        alike = embedding.ndim == 1 and np.ndim(self.label) == 0
        embedding = np.broadcast_to(embedding, (len(x), model.time_dim))

        def block(first, last):
            now = slice(first, last)
            told = slice(0, 1) if alike else now
            inputs = self.params, self.U, x[now], embedding[told], label[told]
            answer[now] = self.buffers.of(last - first).forward(*inputs)

        side_by_side(block, len(x), rows_of(model))
        return eps_hat
