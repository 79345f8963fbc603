"""The U-Net at speed: same answers as unet.py, on buffers that are made once. Not needed on a first reading.

What makes it fast:
- pictures go in blocks, side by side on the cores, each block all the way up and down on one set of buffers;
- a 3 x 3 convolution takes a quarter of the products (winograd.py);
- group_norm, film and SiLU are one kernel each way, and so are the gate and what it is added to;
- L pictures stand abreast, (B / L, H, W, L C), which makes the innermost loops of the kernels long: 8 in a
  whole block.
"""

import math

import numpy as np

from ..layers import linear, linear_backward, silu, silu_backward, time_embedding, views
from ..objective import l_simple
from . import kernels
from .threads import Buffers, side_by_side, summed
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
    """Pictures in a block: many for the small products at low resolution, few for memory and cores."""
    return 32 if model.size <= 16 else 16


class _Block:
    """Buffers and caches of one block of pictures."""

    def __init__(self, model, rows, dtype, back=True):
        self.model, self.rows, self.L, self.dtype = model, rows, math.gcd(rows, 8), dtype
        self.blocks, self.out, self.mod_of = model.blocks, model.columns["out"], {}
        for name, (m, n) in self.blocks.items():
            # where the block's scale, shift, scale, shift and gate stand in mod
            edges = model.columns[name].start + np.cumsum([0, m, m, n, n, n])
            self.mod_of[name] = [slice(i, j) for i, j in zip(edges, edges[1:])]
        self.buffers, self.cache = {}, {}  # cache: what each layer's way back will need, by the layer's name
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
            W, dout = self.p["W_" + name].reshape(m, n), dh.reshape(-1, n)
            dh = self.picture("dh_" + name, size, m)
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
        # one time and label may be for all
        self.mod = mod if len(mod) == len(x_t) else np.repeat(mod, len(x_t), axis=0)
        self.convs["W_in"].frame[:, 1 : size + 1, 1 : size + 1] = abreast(x_t, L)
        h = self.conv("W_in")
        for i in range(depth):
            h = self.block(f"down_{i}", h)
            h = _sum_2x2(h, self.picture(f"pool_{i}", h.shape[1] // 2, h.shape[3] // L))
            h *= h.dtype.type(0.25)
        h, self.cache["attention"] = model.attend(p, apart(self.block("mid_0", h), L))
        h = self.block("mid_1", abreast(h, L))
        for i in reversed(range(depth)):
            kept, low = self.picture(f"out_down_{i}", size >> i, model.width << i), h
            h = self.picture(f"concat_{i}", size >> i, (low.shape[3] + kept.shape[3]) // L)
            up, skip = self.parted(h, low.shape[3] // L)
            for u, v in np.ndindex(2, 2):
                up[:, u::2, v::2] = low.reshape(*low.shape[:3], L, -1)
            skip[...] = kept.reshape(skip.shape)
            h = self.block(f"up_{i}", h)
        scale, shift = np.split(self.mod[:, self.out], 2, axis=1)
        return apart(self.act_conv("W_out", h, scale, shift), L)

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
        dscale, dshift = np.split(self.dmod[:, self.out], 2, axis=1)
        self.act_conv_backward("W_out", abreast(deps_hat, L), dh, dscale, dshift)
        for i in range(model.depth):
            dconcat = self.block_backward(f"up_{i}", dh)
            n = dconcat.shape[3] // L - (model.width << i)
            dup, dskip = self.parted(dconcat, n)
            dh = self.picture(f"dlow_{i}", dconcat.shape[1] // 2, n)
            _sum_2x2(dup, dh.reshape(*dh.shape[:3], L, n))
            dkept.append(dskip)
        made = {}
        dh = apart(self.block_backward("mid_1", dh), L)
        dh = model.attend_backward(made, dh, self.cache["attention"])
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
    """objective.loss_and_grads for one model and size of batch, in blocks of so many rows."""

    def __init__(self, model, batch, T, dtype, rows=None):
        self.model, self.batch, self.dtype = model, batch, np.dtype(dtype)
        self.buffers = Buffers(lambda rows: _Block(model, rows, self.dtype))
        self.rows = rows or rows_of(model)

    def few(self):
        """An engine to compare: a block of 8 abreast, and one with a single picture."""
        return Gradients(self.model, min(9, self.batch), None, self.dtype, 8)

    def __call__(self, params, x_t, t, target, label=None, *, weight=None):
        model, n, p = self.model, self.batch, views(params, self.model.shapes)
        U = transformed(model, p)
        turned = {name: np.ascontiguousarray(np.swapaxes(u, -1, -2)) for name, u in U.items()}
        embedding = time_embedding(t, model.time_dim, self.dtype)
        x_t, target, label = model.pictures(x_t), model.pictures(target), model.labels_of(label, n)

        def block(first, last):
            now, share, grads = slice(first, last), (last - first) / n, np.empty_like(params)
            pictures = self.buffers.of(last - first)
            out = pictures.forward(p, U, x_t[now], embedding[now], label[now])
            loss, dout = l_simple(out, target[now], None if weight is None else weight[now])
            pictures.backward(dout * self.dtype.type(share), turned, views(grads, model.shapes))
            return loss * share, grads

        return summed(block, n, self.rows)


class Denoiser:
    """A UNet's Network sooner, with the parameters as they are now, in blocks of so many rows."""

    def __init__(self, eps_theta, rows=None):
        self.model, self.params, self.told = eps_theta.model, eps_theta.params.copy(), eps_theta.told
        self.dtype, self.rows = self.params.dtype, rows or rows_of(self.model)
        self.p = views(self.params, self.model.shapes)
        self.U = transformed(self.model, self.p)
        self.buffers = Buffers(lambda rows: _Block(self.model, rows, self.dtype, back=False))

    def __call__(self, x_t, t):
        model, (label,) = self.model, self.told or (None,)
        if x_t.dtype != self.dtype:
            return model.forward(self.params, x_t, t, label)[0]
        x, eps_hat = model.pictures(x_t), np.empty(x_t.shape, self.dtype)
        labels, answer = model.labels_of(label, len(x)), model.pictures(eps_hat)
        embedding = time_embedding(t, model.time_dim, self.dtype)
        alike = embedding.ndim == 1 and np.ndim(label) == 0
        embedding = np.broadcast_to(embedding, (len(x), model.time_dim))

        def block(first, last):
            now = slice(first, last)
            told = slice(0, 1) if alike else now
            pictures = self.buffers.of(last - first)
            answer[now] = pictures.forward(self.p, self.U, x[now], embedding[told], labels[told])

        side_by_side(block, len(x), self.rows)
        return eps_hat
