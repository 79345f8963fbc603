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
        """W ~ N(0, 1 / n_in), which keeps the size of what passes; b = 0; W_out = 0: at first eps_hat = 0."""
        params = {name: np.zeros(shape, dtype) for name, shape in self.shapes.items()}
        for name, W in params.items():
            if W.ndim == 2 and name != "W_out":
                W[:] = rng.standard_normal(W.shape) / np.sqrt(W.shape[0])
        return params

    def forward(self, params, x_t, t):
        """eps_hat = eps_theta(x_t, t) (B, d), and what backward needs.    x_t (B, d), t an int or (B,)."""
        if x_t.ndim != 2 or x_t.shape[1] != self.d:
            raise ValueError(f"x_t must have the shape (B, {self.d}), got {x_t.shape}")
        p, caches = params, []

        def keep(y_and_cache):
            caches.append(y_and_cache[1])
            return y_and_cache[0]

        emb = np.broadcast_to(time_embedding(t, self.time_dim, x_t.dtype), (len(x_t), self.time_dim))
        h = keep(silu(keep(linear(np.concatenate([x_t, emb], axis=1), p["W_in"], p["b_in"]))))
        for i in range(self.depth):
            h = keep(add(h, keep(silu(keep(linear(h, p[f"W_{i}"], p[f"b_{i}"]))))))
        return keep(linear(h, p["W_out"], p["b_out"])), caches

    def backward(self, deps_hat, caches):
        """dLoss/d(every parameter), keys and shapes as params, from dLoss/d(eps_hat) and forward's caches."""
        g, back = {}, reversed(caches)
        dh, g["W_out"], g["b_out"] = linear_backward(deps_hat, next(back))
        for i in reversed(range(self.depth)):
            dh, dy = add_backward(dh, next(back))
            du = silu_backward(dy, next(back))
            dx, g[f"W_{i}"], g[f"b_{i}"] = linear_backward(du, next(back))
            dh = dh + dx  # h went both past the layer and through it
        _, g["W_in"], g["b_in"] = linear_backward(silu_backward(dh, next(back)), next(back))
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
