"""A denoiser for pictures: eps_theta(x_t, t, label), a U-Net of residual blocks.

    c   = silu(time_embedding(t) W_time + b_time + E[label])       (B, time_dim)
    mod = c W_mod + b_mod                                          every block's scales, shifts and gates
    h   = conv(x_t)                                                (B, size, size, width)
    h   = block(h), kept;  h = pool(h)                             for i = 0..depth - 1: half the size; width 2^i channels
    h   = block(h);  h = h + attention(group_norm(h));  h = block(h)
    h   = block([upsample(h), kept])                               for i = depth - 1..0
    eps_hat = conv(act(h))                                         (B, size, size, channels_in)

    block(h) = conv_1x1(h) + gate conv(act(conv(act(h))))          conv_1x1 only where the number of channels changes
    act(h)   = silu(film(group_norm(h), scale, shift))

backward is forward read upwards; runs use fast_unet.py, which a test compares. At first every gate, scale and shift is 0,
attention adds 0 and eps_hat = 0. (Not a block's last convolution as well: with gate and convolution both 0, neither would ever
have a gradient.)
"""

import math
from dataclasses import dataclass

import numpy as np

from ..layers import add, add_backward, linear, linear_backward, silu, silu_backward, time_embedding
from . import layers as images


@dataclass(frozen=True)
class UNet:
    """Sizes only: pictures of size x size pixels with channels_in colours, halved `depth` times; labels 0..labels - 1.

    width channels at full size, twice as many after each halving; groups: of channels, in each group_norm.
    """

    size: int
    channels_in: int = 1
    width: int = 16
    depth: int = 2
    labels: int = 0
    time_dim: int = 64
    groups: int = 4

    def __post_init__(self):
        for name, least in (("size", 1), ("channels_in", 1), ("width", 1), ("depth", 0), ("labels", 0), ("time_dim", 2)):
            value = getattr(self, name)
            if not isinstance(value, int) or value < least:
                raise ValueError(f"{name} must be a whole number of at least {least}, got {value!r}")
        if self.time_dim % 2:
            raise ValueError(f"time_dim must be even, got {self.time_dim}")
        if self.size % 2**self.depth:
            raise ValueError(
                f"size must be a multiple of 2^depth = {2**self.depth} to be halved {self.depth} times, got {self.size}"
            )
        if not isinstance(self.groups, int) or self.groups < 1 or self.width % self.groups:
            raise ValueError(f"groups must divide width = {self.width}, got {self.groups!r}")

    @classmethod
    def of_shape(cls, shape, **sizes):
        """The UNet for pictures of the shape (H, W) or (H, W, C). Raises ValueError unless H = W."""
        if len(shape) not in (2, 3) or shape[0] != shape[1]:
            raise ValueError(f"shape must be (H, W) or (H, W, C) with H = W, got {tuple(shape)}")
        return cls(shape[0], shape[2] if len(shape) == 3 else 1, **sizes)

    @property
    def d(self):
        """Numbers in a picture, which is one row of the data."""
        return self.size**2 * self.channels_in

    @property
    def blocks(self):
        """name -> (channels in, channels out) of every residual block, in the order in which forward uses them."""
        n = [self.width * 2**i for i in range(self.depth + 1)]
        down = {f"down_{i}": (n[max(i - 1, 0)], n[i]) for i in range(self.depth)}
        middle = {"mid_0": (n[max(self.depth - 1, 0)], n[-1]), "mid_1": (n[-1], n[-1])}
        return down | middle | {f"up_{i}": (n[i + 1] + n[i], n[i]) for i in reversed(range(self.depth))}

    @property
    def columns(self):
        """name -> the columns of mod that belong to each block (scale, shift, scale, shift, gate) and to "out"."""
        sizes, columns, start = {k: 2 * m + 3 * n for k, (m, n) in self.blocks.items()} | {"out": 2 * self.width}, {}, 0
        for name, size in sizes.items():
            columns[name] = slice(start, start + size)
            start += size
        return columns

    @property
    def shapes(self):
        """name -> shape of every parameter, in the order in which forward uses them. The last row of E: no label."""
        c, m, low = self.time_dim, self.columns["out"].stop, self.width * 2**self.depth
        shapes = {"W_time": (c, c), "b_time": (c,)} | ({"E": (self.labels + 1, c)} if self.labels else {})
        shapes |= {"W_mod": (c, m), "b_mod": (m,), "W_in": (3, 3, self.channels_in, self.width), "b_in": (self.width,)}
        for name, (m, n) in self.blocks.items():
            if m != n:
                shapes |= {f"W_{name}": (1, 1, m, n), f"b_{name}": (n,)}
            shapes |= {f"W1_{name}": (3, 3, m, n), f"b1_{name}": (n,), f"W2_{name}": (3, 3, n, n), f"b2_{name}": (n,)}
            if name == "mid_0":
                shapes |= {"W_qkv": (low, 3 * low), "b_qkv": (3 * low,), "W_att": (low, low), "b_att": (low,)}
        return shapes | {"W_out": (3, 3, self.width, self.channels_in), "b_out": (self.channels_in,)}

    def init(self, rng, dtype=np.float32):
        """W ~ N(0, 1 / n_in) and E ~ N(0, 1), so that a layer keeps the size of what passes; b = 0; W_mod, W_att, W_out = 0."""
        params = {name: np.zeros(shape, dtype) for name, shape in self.shapes.items()}
        for name, W in params.items():
            if W.ndim > 1 and name not in ("W_mod", "W_att", "W_out"):
                n_in = 1 if name == "E" else math.prod(W.shape[:-1])
                W[:] = rng.standard_normal(W.shape) / np.sqrt(n_in)
        return params

    def labels_of(self, label, rows):
        """label as (rows,) of whole numbers 0..labels; None, and the number `labels` itself, mean: no label."""
        if label is None:
            label = self.labels
        elif not self.labels:
            raise ValueError(f"label must be None for a UNet without labels, got {label!r}")
        label = np.asarray(label)
        if label.dtype.kind not in "iu" or label.shape not in ((), (rows,)):
            raise ValueError(f"label must be a whole number or {rows} of them, got {label.dtype} {label.shape}")
        if label.size and not 0 <= label.min() <= label.max() <= self.labels:
            raise ValueError(
                f"label must lie in 0..{self.labels}, where {self.labels} is no label; got {label.min()}..{label.max()}"
            )
        return np.broadcast_to(label, (rows,))

    def pictures(self, x_t):
        """x_t (B, d), (B, size, size) or (B, size, size, channels_in) as the last of these. Raises ValueError for others."""
        if x_t.ndim < 2 or x_t[0].size != self.d or (x_t.ndim > 2 and x_t.shape[1:3] != (self.size, self.size)):
            wanted = (self.size, self.size, self.channels_in)
            raise ValueError(f"x_t must hold pictures of the shape {wanted} or rows of {self.d}, got {x_t.shape}")
        return x_t.reshape(-1, self.size, self.size, self.channels_in)

    def _act(self, h, scale, shift):
        h, norm_cache = images.group_norm(h, self.groups)
        h, film_cache = images.film(h, scale, shift)
        h, silu_cache = silu(h)
        return h, (norm_cache, film_cache, silu_cache)

    def _act_backward(self, dh, cache):
        norm_cache, film_cache, silu_cache = cache
        dh, dscale, dshift = images.film_backward(silu_backward(dh, silu_cache), film_cache)
        return images.group_norm_backward(dh, norm_cache), dscale, dshift

    def _block(self, p, name, h, mod):
        m, n = self.blocks[name]
        scale_1, shift_1, scale_2, shift_2, gate = np.split(mod[:, self.columns[name]], [m, 2 * m, 2 * m + n, 2 * m + 2 * n], 1)
        u, act_1 = self._act(h, scale_1, shift_1)
        u, conv_1 = images.conv(u, p[f"W1_{name}"], p[f"b1_{name}"])
        u, act_2 = self._act(u, scale_2, shift_2)
        u, conv_2 = images.conv(u, p[f"W2_{name}"], p[f"b2_{name}"])
        u, gate_cache = images.gated(u, gate)
        h, short = images.conv(h, p[f"W_{name}"], p[f"b_{name}"]) if m != n else (h, None)
        return add(h, u)[0], (act_1, conv_1, act_2, conv_2, gate_cache, short)

    def _block_backward(self, g, name, dh, dmod, cache):
        act_1, conv_1, act_2, conv_2, gate_cache, short = cache
        dh, du = add_backward(dh, None)
        if short:
            dh, g[f"W_{name}"], g[f"b_{name}"] = images.conv_backward(dh, short)
        du, dgate = images.gated_backward(du, gate_cache)
        du, g[f"W2_{name}"], g[f"b2_{name}"] = images.conv_backward(du, conv_2)
        du, dscale_2, dshift_2 = self._act_backward(du, act_2)
        du, g[f"W1_{name}"], g[f"b1_{name}"] = images.conv_backward(du, conv_1)
        du, dscale_1, dshift_1 = self._act_backward(du, act_1)
        dmod[:, self.columns[name]] = np.concatenate([dscale_1, dshift_1, dscale_2, dshift_2, dgate], axis=1)
        return dh + du

    def _attend(self, p, h):
        B, H, W, C = h.shape
        u, norm_cache = images.group_norm(h, self.groups)
        qkv, qkv_cache = linear(u.reshape(-1, C), p["W_qkv"], p["b_qkv"])  # at each place
        y, att_cache = images.attention(*np.split(qkv.reshape(B, H * W, 3 * C), 3, axis=-1))
        y, out_cache = linear(y.reshape(-1, C), p["W_att"], p["b_att"])
        return add(h, y.reshape(h.shape))[0], (norm_cache, qkv_cache, att_cache, out_cache)

    def _attend_backward(self, g, dh, cache):
        B, H, W, C = dh.shape
        norm_cache, qkv_cache, att_cache, out_cache = cache
        dh, dy = add_backward(dh, None)
        dy, g["W_att"], g["b_att"] = linear_backward(dy.reshape(-1, C), out_cache)
        dqkv = np.concatenate(images.attention_backward(dy.reshape(B, H * W, C), att_cache), axis=-1)
        du, g["W_qkv"], g["b_qkv"] = linear_backward(dqkv.reshape(-1, 3 * C), qkv_cache)
        return dh + images.group_norm_backward(du.reshape(dh.shape), norm_cache)

    def forward(self, params, x_t, t, label=None):
        """eps_hat = eps_theta(x_t, t, label): the formula above.    t an int or (B,), label too or None -> eps_hat, cache."""
        p, h, caches, kept = params, self.pictures(x_t), [], []
        emb = np.broadcast_to(time_embedding(t, self.time_dim, x_t.dtype), (len(h), self.time_dim))
        c, time_cache = linear(emb, p["W_time"], p["b_time"])
        label = self.labels_of(label, len(h))
        e, label_cache = images.embed(p["E"], label) if self.labels else (0, None)
        c, silu_cache = silu(c + e)
        mod, mod_cache = linear(c, p["W_mod"], p["b_mod"])

        h, in_cache = images.conv(h, p["W_in"], p["b_in"])
        for i in range(self.depth):
            h, cache = self._block(p, f"down_{i}", h, mod)
            kept.append(h)
            h, _ = images.pool(h)
            caches.append(cache)
        h, mid_0 = self._block(p, "mid_0", h, mod)
        h, att_cache = self._attend(p, h)
        h, mid_1 = self._block(p, "mid_1", h, mod)
        caches += [mid_0, att_cache, mid_1]
        for i in reversed(range(self.depth)):
            h, _ = images.upsample(h)
            h, concat_cache = images.concat(h, kept.pop())
            h, cache = self._block(p, f"up_{i}", h, mod)
            caches.append((cache, concat_cache))
        h, act_cache = self._act(h, *np.split(mod[:, self.columns["out"]], 2, axis=1))
        h, out_cache = images.conv(h, p["W_out"], p["b_out"])
        ends = time_cache, label_cache, silu_cache, mod_cache, in_cache, act_cache, out_cache
        return h.reshape(x_t.shape), (h.shape, len(mod), caches, ends)

    def backward(self, deps_hat, cache):
        """dLoss/d(every parameter), given dLoss/d(eps_hat) and forward's cache. Same keys and shapes as params."""
        shape, B, caches, (time_cache, label_cache, silu_cache, mod_cache, in_cache, act_cache, out_cache) = cache
        g, caches, dkept, columns = {}, list(caches), [], self.columns
        dmod = np.empty((B, columns["out"].stop), deps_hat.dtype)
        dh, g["W_out"], g["b_out"] = images.conv_backward(deps_hat.reshape(shape), out_cache)
        dh, *dfilm = self._act_backward(dh, act_cache)
        dmod[:, columns["out"]] = np.concatenate(dfilm, axis=1)
        for i in range(self.depth):
            block_cache, concat_cache = caches.pop()
            dh = self._block_backward(g, f"up_{i}", dh, dmod, block_cache)
            dh, dskip = images.concat_backward(dh, concat_cache)
            dkept.append(dskip)
            dh = images.upsample_backward(dh, None)
        dh = self._block_backward(g, "mid_1", dh, dmod, caches.pop())
        dh = self._attend_backward(g, dh, caches.pop())
        dh = self._block_backward(g, "mid_0", dh, dmod, caches.pop())
        for i in reversed(range(self.depth)):
            dh = images.pool_backward(dh, None) + dkept.pop()
            dh = self._block_backward(g, f"down_{i}", dh, dmod, caches.pop())
        _, g["W_in"], g["b_in"] = images.conv_backward(dh, in_cache)

        dc, g["W_mod"], g["b_mod"] = linear_backward(dmod, mod_cache)
        dc = silu_backward(dc, silu_cache)
        if self.labels:
            g["E"] = images.embed_backward(dc, label_cache)
        _, g["W_time"], g["b_time"] = linear_backward(dc, time_cache)
        return {name: g[name] for name in self.shapes}

    def eps_theta(self, params, label=None):
        """The denoiser to hand to a sampler: eps_theta(x_t, t) -> eps_hat, of one label, of one for each row, or of none."""
        return UNetDenoiser(self, params, label)


@dataclass(frozen=True, eq=False)
class UNetDenoiser:
    """eps_theta(x_t, t) of a UNet with its parameters, of one label, of one for each row, or of none."""

    model: UNet
    params: dict
    label: object = None

    def __call__(self, x_t, t):
        return self.model.forward(self.params, x_t, t, self.label)[0]
