"""A denoiser for pictures: eps_theta(x_t, t, label), a U-Net of residual blocks.

    c   = silu(time_embedding(t) W_time + b_time + E[label])    (B, time_dim)
    mod = c W_mod + b_mod                                       every block's scales, shifts and gates
    h   = conv(x_t)                                             (B, size, size, width)
    h   = block(h), kept;  h = pool(h)                          for i = 0..depth - 1: half the size,
                                                                width 2^i channels
    h   = block(h);  h = h + attention(group_norm(h));  h = block(h)
    h   = block(join(h, kept))                                  for i = depth - 1..0: twice the size
    eps_hat = conv(act(h))                                      (B, size, size, channels_in)

    block(h) = conv_1x1(h) + gate conv(act(conv(act(h))))       conv_1x1 only where the channels change
    act(h)   = silu(film(group_norm(h), scale, shift))

backward is forward read upwards. At first every gate, scale and shift is 0, attention adds 0 and eps_hat = 0.
(A block's last convolution is not 0 as well: with both 0, neither it nor the gate would ever learn.)
"""

import math
from dataclasses import dataclass

import numpy as np

from ..layers import in_one_vector, linear, linear_backward, silu, silu_backward, time_embedding, views
from ..mlp import Network
from . import layers as images


@dataclass(frozen=True)
class UNet:
    """Sizes only: pictures of size x size pixels with channels_in colours, halved `depth` times.

    width channels at full size, twice as many after each halving; groups of channels in each group_norm.
    size is a multiple of 2^depth, width one of groups, time_dim is even. labels: how many there are, or 0.
    """

    size: int
    channels_in: int = 1
    width: int = 16
    depth: int = 2
    labels: int = 0
    time_dim: int = 64
    groups: int = 4

    @property
    def d(self):
        """Numbers in a picture, which is one row of the data."""
        return self.size**2 * self.channels_in

    @property
    def blocks(self):
        """name -> (channels in, channels out) of every residual block, in forward's order."""
        n = [self.width * 2**i for i in range(self.depth + 1)]
        down = {f"down_{i}": (n[max(i - 1, 0)], n[i]) for i in range(self.depth)}
        middle = {"mid_0": (n[max(self.depth - 1, 0)], n[-1]), "mid_1": (n[-1], n[-1])}
        up = {f"up_{i}": (n[i + 1] + n[i], n[i]) for i in reversed(range(self.depth))}
        return down | middle | up

    @property
    def columns(self):
        """name -> its columns of mod: a block's (scale, shift, scale, shift, gate); "out" (scale, shift)."""
        sizes = {name: 2 * m + 3 * n for name, (m, n) in self.blocks.items()} | {"out": 2 * self.width}
        columns, end = {}, 0
        for name, size in sizes.items():
            start, end = end, end + size
            columns[name] = slice(start, end)
        return columns

    @property
    def shapes(self):
        """name -> shape of every parameter, in forward's order. The last row of E stands for no label."""
        c, all_columns, low = self.time_dim, self.columns["out"].stop, self.width * 2**self.depth
        shapes = {"W_time": (c, c), "b_time": (c,)}
        if self.labels:
            shapes["E"] = (self.labels + 1, c)
        shapes |= {"W_mod": (c, all_columns), "b_mod": (all_columns,)}
        shapes |= {"W_in": (3, 3, self.channels_in, self.width), "b_in": (self.width,)}
        for name, (m, n) in self.blocks.items():
            if m != n:
                shapes |= {f"W_{name}": (1, 1, m, n), f"b_{name}": (n,)}
            shapes |= {f"W1_{name}": (3, 3, m, n), f"b1_{name}": (n,)}
            shapes |= {f"W2_{name}": (3, 3, n, n), f"b2_{name}": (n,)}
            if name == "mid_0":
                shapes |= {"W_qkv": (low, 3 * low), "b_qkv": (3 * low,), "W_att": (low, low), "b_att": (low,)}
        return shapes | {"W_out": (3, 3, self.width, self.channels_in), "b_out": (self.channels_in,)}

    def init(self, rng, dtype=np.float32) -> np.ndarray:
        """W ~ N(0, 1 / n_in) and E ~ N(0, 1), so that a layer keeps the size of what passes.
        b = 0, and W_mod, W_att, W_out = 0."""
        p = {name: np.zeros(shape, dtype) for name, shape in self.shapes.items()}
        for name, W in p.items():
            if W.ndim > 1 and name not in ("W_mod", "W_att", "W_out"):
                n_in = 1 if name == "E" else math.prod(W.shape[:-1])
                W[:] = rng.standard_normal(W.shape) / np.sqrt(n_in)
        return in_one_vector(p, self.shapes)

    def labels_of(self, label, rows):
        """label as (rows,) whole numbers; None and the number `labels` itself mean no label.
        Raises ValueError outside 0..labels, where an index would count from the end."""
        given = np.asarray(self.labels if label is None else label)
        fits = given.dtype.kind in "iu" and given.shape in ((), (rows,))
        if not fits or np.any((given < 0) | (given > self.labels)):
            got = f"{given.dtype} {given.ravel()[:8]}"
            raise ValueError(f"label must be a whole number in 0..{self.labels} or {rows} of them, got {got}")
        return np.broadcast_to(given, (rows,))

    def pictures(self, x_t):
        """x_t, rows (B, d) or pictures (B, size, size[, channels_in]), as pictures with channels.
        Raises ValueError for others, which a reshape might scramble."""
        shape = (self.size, self.size, self.channels_in)
        kinds = (self.d,), shape, shape[:2]
        if x_t.shape[1:] not in kinds or math.prod(x_t.shape[1:]) != self.d:
            wanted = f"pictures of the shape {shape} or rows of {self.d}"
            raise ValueError(f"x_t must hold {wanted}, got {x_t.shape}")
        return x_t.reshape(-1, *shape)

    def _act_conv(self, h, scale, shift, W, b):
        h, norm_cache = images.group_norm(h, self.groups)
        h, film_cache = images.film(h, scale, shift)
        h, silu_cache = silu(h)
        y, conv_cache = images.conv(h, W, b)
        return y, (norm_cache, film_cache, silu_cache, conv_cache)

    def _act_conv_backward(self, dy, cache):
        norm_cache, film_cache, silu_cache, conv_cache = cache
        dh, dW, db = images.conv_backward(dy, conv_cache)
        dh = silu_backward(dh, silu_cache)
        dh, dscale, dshift = images.film_backward(dh, film_cache)
        dh = images.group_norm_backward(dh, norm_cache)
        return dh, dscale, dshift, dW, db

    def _block(self, p, name, h, mod):
        m, n = self.blocks[name]
        mine, ends = mod[:, self.columns[name]], np.cumsum([m, m, n, n])
        scale_1, shift_1, scale_2, shift_2, gate = np.split(mine, ends, axis=1)
        u, cache_1 = self._act_conv(h, scale_1, shift_1, p[f"W1_{name}"], p[f"b1_{name}"])
        u, cache_2 = self._act_conv(u, scale_2, shift_2, p[f"W2_{name}"], p[f"b2_{name}"])
        u, gate_cache = images.gated(u, gate)
        short_cache = None
        if m != n:
            h, short_cache = images.conv(h, p[f"W_{name}"], p[f"b_{name}"])
        return h + u, (cache_1, cache_2, gate_cache, short_cache)

    def _block_backward(self, g, name, dh, dmod, cache):
        cache_1, cache_2, gate_cache, short_cache = cache
        du, dgate = images.gated_backward(dh, gate_cache)  # a sum hands its gradient to both of its parts
        du, dscale_2, dshift_2, g[f"W2_{name}"], g[f"b2_{name}"] = self._act_conv_backward(du, cache_2)
        du, dscale_1, dshift_1, g[f"W1_{name}"], g[f"b1_{name}"] = self._act_conv_backward(du, cache_1)
        if short_cache:
            dh, g[f"W_{name}"], g[f"b_{name}"] = images.conv_backward(dh, short_cache)
        mine = [dscale_1, dshift_1, dscale_2, dshift_2, dgate]
        dmod[:, self.columns[name]] = np.concatenate(mine, axis=1)
        return dh + du

    def attend(self, p, h):
        """h + attention(group_norm(h)) (B, H, W, C) with the tensors p, and what attend_backward needs."""
        B, H, W, C = h.shape
        u, norm_cache = images.group_norm(h, self.groups)
        qkv, qkv_cache = linear(u.reshape(-1, C), p["W_qkv"], p["b_qkv"])  # of each place by itself
        q, k, v = np.split(qkv.reshape(B, H * W, 3 * C), 3, axis=-1)
        y, att_cache = images.attention(q, k, v)
        y, out_cache = linear(y.reshape(-1, C), p["W_att"], p["b_att"])
        return h + y.reshape(h.shape), (norm_cache, qkv_cache, att_cache, out_cache)

    def attend_backward(self, g, dh, cache):
        """The gradient by attend's h; those by its tensors go into g."""
        B, H, W, C = dh.shape
        norm_cache, qkv_cache, att_cache, out_cache = cache
        dy, g["W_att"], g["b_att"] = linear_backward(dh.reshape(-1, C), out_cache)
        dq, dk, dv = images.attention_backward(dy.reshape(B, H * W, C), att_cache)
        dqkv = np.concatenate([dq, dk, dv], axis=-1)
        du, g["W_qkv"], g["b_qkv"] = linear_backward(dqkv.reshape(-1, 3 * C), qkv_cache)
        du = images.group_norm_backward(du.reshape(dh.shape), norm_cache)
        return dh + du

    def forward(self, params, x_t, t, label=None):
        """eps_hat = eps_theta(x_t, t, label), by the formula above, and what backward needs.
        t an int or (B,); label an int, (B,), or None."""
        p, h = views(params, self.shapes), self.pictures(x_t)
        label = self.labels_of(label, len(h))
        cache, kept = {}, []
        # what time and label say: scales, shifts and gates for all blocks
        emb = time_embedding(t, self.time_dim, x_t.dtype)
        emb = np.broadcast_to(emb, (len(h), self.time_dim))
        c, cache["time"] = linear(emb, p["W_time"], p["b_time"])
        if self.labels:
            one_hot = np.eye(self.labels + 1, dtype=x_t.dtype)[label]
            e, cache["label"] = linear(one_hot, p["E"], 0)  # the row of E that belongs to the label
            c = c + e
        c, cache["silu"] = silu(c)
        mod, cache["mod"] = linear(c, p["W_mod"], p["b_mod"])

        h, cache["in"] = images.conv(h, p["W_in"], p["b_in"])
        for name in self.blocks:
            if "up" in name:  # twice the size, joined with what was kept at that size on the way down
                h, cache["join_" + name] = images.join(h, kept.pop())
            h, cache[name] = self._block(p, name, h, mod)
            if name == "mid_0":
                h, cache["attention"] = self.attend(p, h)
            if "down" in name:  # kept, and half the size
                kept.append(h)
                h, _ = images.pool(h)
        scale, shift = np.split(mod[:, self.columns["out"]], 2, axis=1)
        h, cache["out"] = self._act_conv(h, scale, shift, p["W_out"], p["b_out"])
        return h.reshape(x_t.shape), cache

    def backward(self, deps_hat, cache):
        """dLoss/dparams, a vector like params, from dLoss/deps_hat and forward's cache."""
        g, dkept = {}, []
        dh, out = self.pictures(deps_hat), self.columns["out"]
        dmod = np.empty((len(dh), out.stop), deps_hat.dtype)
        dh, dscale, dshift, g["W_out"], g["b_out"] = self._act_conv_backward(dh, cache["out"])
        dmod[:, out] = np.concatenate([dscale, dshift], axis=1)
        for name in reversed(self.blocks):
            if "down" in name:
                dh = images.pool_backward(dh, None) + dkept.pop()
            if name == "mid_0":
                dh = self.attend_backward(g, dh, cache["attention"])
            dh = self._block_backward(g, name, dh, dmod, cache[name])
            if "up" in name:
                dh, dskip = images.join_backward(dh, cache["join_" + name])
                dkept.append(dskip)
        _, g["W_in"], g["b_in"] = images.conv_backward(dh, cache["in"])

        dc, g["W_mod"], g["b_mod"] = linear_backward(dmod, cache["mod"])
        dc = silu_backward(dc, cache["silu"])
        if self.labels:
            _, g["E"], _ = linear_backward(dc, cache["label"])
        _, g["W_time"], g["b_time"] = linear_backward(dc, cache["time"])
        return in_one_vector(g, self.shapes)

    def eps_theta(self, params, label=None):
        """The denoiser to hand to a sampler: of one label, of one for each row, or of none."""
        return Network(self, params, (label,))
