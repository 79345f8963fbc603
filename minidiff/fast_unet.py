"""The U-Net at speed: same answers as unet.py, on buffers that are made once. Not needed on a first reading.

What makes it fast:
- pictures go in blocks, side by side on the cores, each block all the way up and down on one set of buffers;
- a 3 x 3 convolution is Winograd's: 16 products for a tile of 2 x 2 pixels instead of 36 (kernels.tiles_in, tiles_out);
- group_norm, film and SiLU are one kernel each way, and so are the gate and what it is added to.

letter   shape                    meaning
V, M     (16, tiles, channels)    Winograd's tiles before and after the product with
U        (16, C, n)               the weights W (3, 3, C, n): U = (G x G) W
frame    (B, S + 2, S + 2, C)     pictures with zeros around; an odd size gets one more row and column
"""

import numpy as np

from . import kernels
from .fast import views
from .images import embed, embed_backward
from .layers import linear, linear_backward, silu, silu_backward, time_embedding
from .threads import side_by_side, warm_up_blas

ROWS = 16  # pictures in a block: enough for the small products at low resolution, few enough to keep the cores busy
G = np.array([[1, 0, 0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0, 0, 1]])
GG = np.kron(G, G)


def transformed(params):
    """W -> U of every 3 x 3 convolution."""
    return {
        k: (GG.astype(W.dtype) @ W.reshape(9, -1)).reshape(16, *W.shape[2:])
        for k, W in params.items()
        if W.shape[0] == 3 and W.ndim == 4
    }


class _Pictures:
    """Some pictures on their way down and up the network."""

    def __init__(self, model, rows, dtype):
        self.model, self.rows, self.dtype = model, rows, dtype
        self.buffers, self.came_in = {}, {}
        self.embedding = np.empty((rows, model.time_dim), dtype)

    def buffer(self, *key_and_shape):
        """Zeros at first, and the same array again for the same key."""
        if key_and_shape not in self.buffers:
            self.buffers[key_and_shape] = np.zeros(key_and_shape[1:], self.dtype)
        return self.buffers[key_and_shape]

    def picture(self, key, size, channels):
        return self.buffer(key, self.rows, size, size, channels)

    def frame(self, key, size, channels):
        return self.picture(key, size + size % 2 + 2, channels)

    def tiles(self, key, size, channels):
        """One tile more than needed between the 16 matrices: at a distance of 4 kB all would fall on the same cache lines."""
        n = self.rows * ((size + 1) // 2) ** 2
        return self.buffer(key, 16, n + 1, channels)[:, :n]

    def conv(self, name, frame, size):
        """y of a 3 x 3 convolution of what stands in the frame."""
        U = self.U[name]
        V, M = self.tiles("V" + name, size, U.shape[1]), self.tiles("M", size, U.shape[2])
        kernels.tiles_in(frame, V)
        np.matmul(V, U, out=M)
        y = self.picture("y" + name, size, U.shape[2])
        kernels.tiles_out(M, self.p["b" + name[1:]], y)
        return y

    def conv_backward(self, name, dy):
        """The gradient by the frame; those by W and b go to their places."""
        U, size = self.U[name], dy.shape[1]
        V, dM, dU = self.tiles("V" + name, size, U.shape[1]), self.tiles("M", size, U.shape[2]), self.buffer("dU", *U.shape)
        kernels.tiles_out_backward(dy, dM, self.g["b" + name[1:]])
        np.matmul(V.transpose(0, 2, 1), dM, out=dU)
        np.matmul(GG.T.astype(dU.dtype), dU.reshape(16, -1), out=self.g[name].reshape(9, -1))
        dV, dframe = self.tiles("dV", size, U.shape[1]), self.frame("dframe", size, U.shape[1])
        np.matmul(dM, U.transpose(0, 2, 1), out=dV)
        kernels.tiles_in_backward(dV, dframe)
        return dframe

    def act(self, name, h, scale, shift):
        size, C = h.shape[2:]
        frame, (mean, rstd) = self.frame("frame", size, C), self.buffer("moments" + name, 2, self.rows, C)
        kernels.act(h, scale, shift, self.model.groups, mean, rstd, frame)
        return frame

    def act_backward(self, name, h, scale, shift, dframe, dh, dscale, dshift):
        mean, rstd = self.buffer("moments" + name, 2, self.rows, h.shape[3])
        kernels.act_backward(h, scale, shift, self.model.groups, mean, rstd, dframe, dh, dscale, dshift)

    def parts(self, mod, name):
        """scale, shift, scale, shift, gate of a block."""
        m, n = self.model.blocks[name]
        return np.split(mod[:, self.model.columns[name]], [m, 2 * m, 2 * m + n, 2 * m + 2 * n], axis=1)

    def block(self, name, h):
        (m, n), size = self.model.blocks[name], h.shape[1]
        scale_1, shift_1, scale_2, shift_2, gate = self.parts(self.mod, name)
        self.came_in[name] = h
        y = self.conv("W1_" + name, self.act("1_" + name, h, scale_1, shift_1), size)
        y = self.conv("W2_" + name, self.act("2_" + name, y, scale_2, shift_2), size)
        out = self.picture("out_" + name, size, n)
        if m != n:
            np.matmul(h.reshape(-1, m), self.p["W_" + name].reshape(m, n), out=out.reshape(-1, n))
            kernels.gated_add(out, self.p["b_" + name], y, gate)
        else:
            np.copyto(out, h)
            kernels.gated_add(out, self.buffer("no bias", n), y, gate)
        return out

    def block_backward(self, name, dh):
        (m, n), size, h = self.model.blocks[name], dh.shape[1], self.came_in[name]
        scale_1, shift_1, scale_2, shift_2, gate = self.parts(self.mod, name)
        dscale_1, dshift_1, dscale_2, dshift_2, dgate = self.parts(self.dmod, name)
        y_1, y_2, du = self.picture("yW1_" + name, size, n), self.picture("yW2_" + name, size, n), self.picture("du", size, n)
        kernels.gated_backward(dh, y_2, gate, du, dgate, self.g["b_" + name] if m != n else self.buffer("unused", n))
        dframe = self.conv_backward("W2_" + name, du)
        du[...] = 0
        self.act_backward("2_" + name, y_1, scale_2, shift_2, dframe, du, dscale_2, dshift_2)
        dframe = self.conv_backward("W1_" + name, du)
        if m != n:
            W, dout, dh = self.p["W_" + name].reshape(m, n), dh.reshape(-1, n), self.picture("dh_" + name, size, m)
            np.matmul(h.reshape(-1, m).T, dout, out=self.g["W_" + name].reshape(m, n))
            np.matmul(dout, W.T, out=dh.reshape(-1, m))
        self.act_backward("1_" + name, h, scale_1, shift_1, dframe, dh, dscale_1, dshift_1)
        return dh

    def forward(self, params, U, x_t, embedding, label):
        """unet.UNet.forward: eps_hat (rows, size, size, channels_in), in a buffer."""
        model, p, self.p, self.U = self.model, params, params, U
        size, depth, width = model.size, model.depth, model.width
        c, self.time_cache = linear(embedding, p["W_time"], p["b_time"])
        e, self.label_cache = embed(p["E"], label) if model.labels else (0, None)
        c, self.silu_cache = silu(c + e)
        self.mod, self.mod_cache = linear(c, p["W_mod"], p["b_mod"])
        frame = self.frame("x_t", size, model.channels_in)
        frame[:, 1 : size + 1, 1 : size + 1] = x_t
        h = self.conv("W_in", frame, size)
        for i in range(depth):
            h = self.block(f"down_{i}", h)
            pixels = _squares(h)
            h = self.picture(f"pool_{i}", h.shape[1] // 2, h.shape[3])
            np.add(pixels[:, :, 0, :, 0], pixels[:, :, 0, :, 1], out=h)
            h += pixels[:, :, 1, :, 0]
            h += pixels[:, :, 1, :, 1]
            h *= h.dtype.type(0.25)
        h, self.att_cache = model._attend(p, self.block("mid_0", h))
        h = self.block("mid_1", h)
        for i in reversed(range(depth)):
            kept, low = self.picture(f"out_down_{i}", size >> i, width << i), h
            h = self.picture(f"concat_{i}", size >> i, low.shape[3] + kept.shape[3])
            _squares(h)[..., : low.shape[3]] = low[:, :, None, :, None]
            h[..., low.shape[3] :] = kept
            h = self.block(f"up_{i}", h)
        self.came_in["out"] = h
        scale, shift = np.split(self.mod[:, model.columns["out"]], 2, axis=1)
        return self.conv("W_out", self.act("out", h, scale, shift), size)

    def backward(self, deps_hat, grads):
        """unet.UNet.backward, into the arrays of grads."""
        model, g, self.g = self.model, grads, grads
        self.dmod, dkept = np.empty_like(self.mod), []
        (scale, shift), (dscale, dshift) = (np.split(a[:, model.columns["out"]], 2, axis=1) for a in (self.mod, self.dmod))
        dh = self.picture("dh_out", model.size, model.width)
        dh[...] = 0
        self.act_backward("out", self.came_in["out"], scale, shift, self.conv_backward("W_out", deps_hat), dh, dscale, dshift)
        for i in range(model.depth):
            dconcat = self.block_backward(f"up_{i}", dh)
            low = dconcat.shape[3] - (model.width << i)
            pixels = _squares(dconcat)[..., :low]
            dh = pixels[:, :, 0, :, 0] + pixels[:, :, 0, :, 1] + pixels[:, :, 1, :, 0] + pixels[:, :, 1, :, 1]
            dkept.append(dconcat[..., low:])
        made = {}
        dh = model._attend_backward(made, self.block_backward("mid_1", dh), self.att_cache)
        dh = self.block_backward("mid_0", dh)
        for i in reversed(range(model.depth)):
            quarter = dh * dh.dtype.type(0.25)
            dh = np.ascontiguousarray(dkept.pop())
            _squares(dh)[...] += quarter[:, :, None, :, None]
            dh = self.block_backward(f"down_{i}", dh)
        self.conv_backward("W_in", dh)
        dc, made["W_mod"], made["b_mod"] = linear_backward(self.dmod, self.mod_cache)
        dc = silu_backward(dc, self.silu_cache)
        if model.labels:
            made["E"] = embed_backward(dc, self.label_cache)
        _, made["W_time"], made["b_time"] = linear_backward(dc, self.time_cache)
        for name, dw in made.items():
            g[name][...] = dw


def _squares(x):
    """x (B, H, W, C) as (B, H / 2, 2, W / 2, 2, C): a view in which a 2 x 2 square has two axes of its own."""
    B, H, W, C = x.shape
    return x.reshape(B, H // 2, 2, W // 2, 2, C)


class _Workshop:
    """One set of buffers for each thread that is at work, by the number of pictures."""

    def __init__(self, model, dtype):
        self.model, self.dtype, self.idle = model, dtype, {}

    def run(self, f, rows):
        """f(buffers for so many pictures)."""
        idle = self.idle.setdefault(rows, [])
        try:
            pictures = idle.pop()
        except IndexError:
            pictures = _Pictures(self.model, rows, self.dtype)
        answer = f(pictures)
        idle.append(pictures)
        return answer


class LossAndGrads:
    """loss.loss_and_grads for one size of batch: (params, x_t, t, eps, label) -> loss, grads, which the next call overwrites."""

    def __init__(self, model, batch, T, dtype):
        self.model, self.batch, self.workshop = model, batch, _Workshop(model, dtype)
        self.embedding = time_embedding(np.arange(T + 1), model.time_dim, dtype)
        size = sum(int(np.prod(s)) for s in model.shapes.values())
        self.flat = {first: np.empty(size, dtype) for first in range(0, batch, ROWS)}
        warm_up_blas()

    def __call__(self, params, x_t, t, eps, label=None):
        model, U = self.model, transformed(params)
        x_t, eps, label = model.pictures(x_t), model.pictures(eps), model.labels_of(label, self.batch)

        def block(first, last):
            def there_and_back(pictures):
                eps_hat = pictures.forward(params, U, x_t[first:last], self.embedding[t[first:last]], label[first:last])
                error = np.subtract(eps_hat, eps[first:last], out=eps_hat)
                loss = float(np.vdot(error, error))
                error *= error.dtype.type(2 / self.batch)  # now dLoss/deps_hat
                pictures.backward(error, views(self.flat[first], model.shapes))
                return loss

            return self.workshop.run(there_and_back, last - first)

        loss = sum(side_by_side(block, self.batch, ROWS)) / self.batch
        total = self.flat[0]
        for first in list(self.flat)[1:]:
            total += self.flat[first]
        return loss, views(total, model.shapes)


class UNetDenoiser:
    """eps_theta(x_t, t) of a UNet with its parameters as they are now, for one label, one for each row, or none."""

    def __init__(self, model, params, label):
        self.model, self.params, self.label = model, {k: w.copy() for k, w in params.items()}, label
        self.dtype = params["W_in"].dtype
        self.U, self.workshop = transformed(params), _Workshop(model, self.dtype)
        warm_up_blas()

    def __call__(self, x_t, t):
        model = self.model
        if x_t.dtype != self.dtype:
            return model.forward(self.params, x_t, t, self.label)[0]
        x, label, eps_hat = model.pictures(x_t), model.labels_of(self.label, len(x_t)), np.empty_like(x_t)
        embedding = np.broadcast_to(time_embedding(t, model.time_dim, self.dtype), (len(x), model.time_dim))
        answer = model.pictures(eps_hat)

        def block(first, last):
            def there(pictures):
                answer[first:last] = pictures.forward(
                    self.params, self.U, x[first:last], embedding[first:last], label[first:last]
                )

            self.workshop.run(there, last - first)

        side_by_side(block, len(x), ROWS)
        return eps_hat
