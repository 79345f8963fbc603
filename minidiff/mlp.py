"""A denoiser for vectors: eps_theta(x_t, t), a multilayer perceptron with residual SiLU layers.

    u = [x_t, time_embedding(t)]          (B, d + time_dim)
    h = silu(u W_in + b_in)               (B, width)
    h = h + silu(h W_i + b_i)             for i = 0..depth - 1
    eps_hat = h W_out + b_out             (B, d)

backward is forward read upwards. The parameters are a dict of arrays, owned by the caller.
"""

from dataclasses import dataclass

import numpy as np

from .layers import add, add_backward, linear, linear_backward, silu, silu_backward, time_embedding


@dataclass(frozen=True)
class MLP:
    """Sizes only: d coordinates, `depth` residual layers of `width`, `time_dim` numbers to tell the time."""

    d: int
    width: int = 128
    depth: int = 3
    time_dim: int = 32
    labels = 0  # it takes none

    def __post_init__(self):
        for name, least in (("d", 1), ("width", 1), ("depth", 0), ("time_dim", 2)):
            value = getattr(self, name)
            if not isinstance(value, int) or value < least:
                raise ValueError(f"{name} must be a whole number of at least {least}, got {value!r}")
        if self.time_dim % 2:
            raise ValueError(f"time_dim must be even, got {self.time_dim}")

    @property
    def shapes(self):
        """name -> shape of every parameter, in the order in which forward uses them."""
        shapes = {"W_in": (self.d + self.time_dim, self.width), "b_in": (self.width,)}
        for i in range(self.depth):
            shapes |= {f"W_{i}": (self.width, self.width), f"b_{i}": (self.width,)}
        return shapes | {"W_out": (self.width, self.d), "b_out": (self.d,)}

    def init(self, rng, dtype=np.float32):
        """W ~ N(0, 1 / n_in), so that a layer keeps the size of what passes; b = 0; W_out = 0: at first eps_hat = 0."""
        params = {name: np.zeros(shape, dtype) for name, shape in self.shapes.items()}
        for name, W in params.items():
            if W.ndim == 2 and name != "W_out":
                W[:] = rng.standard_normal(W.shape) / np.sqrt(W.shape[0])
        return params

    def forward(self, params, x_t, t):
        """eps_hat = eps_theta(x_t, t): the formula above.    x_t (B, d), t an int or (B,) -> eps_hat (B, d), cache."""
        if x_t.ndim != 2 or x_t.shape[1] != self.d:
            raise ValueError(f"x_t must have the shape (B, {self.d}), got {x_t.shape}")
        p = params
        emb = np.broadcast_to(time_embedding(t, self.time_dim, x_t.dtype), (len(x_t), self.time_dim))
        u, in_cache = linear(np.concatenate([x_t, emb], axis=1), p["W_in"], p["b_in"])
        h, act_cache = silu(u)
        layers = []
        for i in range(self.depth):
            u, linear_cache = linear(h, p[f"W_{i}"], p[f"b_{i}"])
            y, silu_cache = silu(u)
            h, _ = add(h, y)
            layers.append((linear_cache, silu_cache))
        eps_hat, out_cache = linear(h, p["W_out"], p["b_out"])
        return eps_hat, (in_cache, act_cache, layers, out_cache)

    def backward(self, deps_hat, cache):
        """dLoss/d(every parameter), given dLoss/d(eps_hat) and forward's cache. Same keys and shapes as params."""
        in_cache, act_cache, layers, out_cache = cache
        g = {}
        dh, g["W_out"], g["b_out"] = linear_backward(deps_hat, out_cache)
        for i in reversed(range(self.depth)):
            linear_cache, silu_cache = layers[i]
            dh, dy = add_backward(dh, None)
            du = silu_backward(dy, silu_cache)
            dx, g[f"W_{i}"], g[f"b_{i}"] = linear_backward(du, linear_cache)
            dh = dh + dx
        du = silu_backward(dh, act_cache)
        _, g["W_in"], g["b_in"] = linear_backward(du, in_cache)
        return {name: g[name] for name in self.shapes}

    def eps_theta(self, params):
        """The denoiser to hand to a sampler: eps_theta(x_t, t) -> eps_hat."""
        return MLPDenoiser(self, params)


@dataclass(frozen=True, eq=False)
class MLPDenoiser:
    """eps_theta(x_t, t) of an MLP with its parameters."""

    model: MLP
    params: dict

    def __call__(self, x_t, t):
        return self.model.forward(self.params, x_t, t)[0]
