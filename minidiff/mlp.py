"""A denoiser for vectors: eps_theta(x_t, t), a multilayer perceptron with residual SiLU layers.

    u = [x_t, time_embedding(t)]          (B, d + time_dim)
    h = silu(u W_in + b_in)               (B, width)
    h = h + silu(h W_i + b_i)             for i = 0..depth - 1
    eps_hat = h W_out + b_out             (B, d)

backward is forward read upwards. The parameters are one vector, owned by the caller.
"""

from dataclasses import dataclass

import numpy as np

from .layers import in_one_vector, linear, linear_backward, silu, silu_backward, time_embedding, views
from .protocols import Array, Model, Noise, Times


@dataclass(frozen=True)
class MLP:
    """Sizes only: d coordinates, `depth` residual layers of `width`, `time_dim` numbers to tell the time."""

    d: int
    width: int = 128
    depth: int = 3
    time_dim: int = 32

    @property
    def shapes(self) -> dict[str, tuple]:
        """name -> shape of every parameter, in the order in which forward uses them."""
        n = self.width
        shapes = {"W_in": (self.d + self.time_dim, n), "b_in": (n,)}
        for i in range(self.depth):
            shapes |= {f"W_{i}": (n, n), f"b_{i}": (n,)}
        return shapes | {"W_out": (n, self.d), "b_out": (self.d,)}

    def init(self, rng: Noise, dtype=np.float32) -> Array:
        """W ~ N(0, 1 / n_in), which keeps the size of what passes; b = 0; W_out = 0: at first eps_hat = 0."""
        p = {name: np.zeros(shape, dtype) for name, shape in self.shapes.items()}
        for name, W in p.items():
            if W.ndim == 2 and name != "W_out":
                W[:] = rng.standard_normal(W.shape) / np.sqrt(len(W))
        return in_one_vector(p, self.shapes)

    def forward(self, params: Array, x_t: Array, t: Times):
        """eps_hat = eps_theta(x_t, t) (B, d), and what backward needs.    x_t (B, d), t an int or (B,)."""
        p, caches = views(params, self.shapes), []
        emb = time_embedding(t, self.time_dim, x_t.dtype)
        emb = np.broadcast_to(emb, (len(x_t), self.time_dim))  # one t may be that of all rows
        u = np.concatenate([x_t, emb], axis=1)
        u, linear_cache = linear(u, p["W_in"], p["b_in"])
        h, silu_cache = silu(u)
        caches.append((linear_cache, silu_cache))
        for i in range(self.depth):
            u, linear_cache = linear(h, p[f"W_{i}"], p[f"b_{i}"])
            y, silu_cache = silu(u)
            h = h + y  # a residual connection: the layer learns only what to change
            caches.append((linear_cache, silu_cache))
        eps_hat, out_cache = linear(h, p["W_out"], p["b_out"])
        return eps_hat, (caches, out_cache)

    def backward(self, deps_hat: Array, cache) -> Array:
        """dLoss/dparams, a vector like params, from dLoss/deps_hat and forward's cache."""
        g, (caches, out_cache) = {}, cache
        dh, g["W_out"], g["b_out"] = linear_backward(deps_hat, out_cache)
        for i in reversed(range(self.depth)):
            linear_cache, silu_cache = caches[i + 1]
            du = silu_backward(dh, silu_cache)
            dx, g[f"W_{i}"], g[f"b_{i}"] = linear_backward(du, linear_cache)
            dh = dh + dx  # h went both past the layer and through it
        linear_cache, silu_cache = caches[0]
        du = silu_backward(dh, silu_cache)
        _, g["W_in"], g["b_in"] = linear_backward(du, linear_cache)
        return in_one_vector(g, self.shapes)

    def eps_theta(self, params: Array):
        """The denoiser to hand to a sampler: eps_theta(x_t, t) -> eps_hat."""
        return Network(self, params)


@dataclass(frozen=True, eq=False)
class Network:
    """eps_theta(x_t, t): a model with its parameters, and what else it is told (pictures: a label)."""

    model: Model
    params: Array
    told: tuple = ()

    def __call__(self, x_t: Array, t: Times) -> Array:
        eps_hat, _ = self.model.forward(self.params, x_t, t, *self.told)
        return eps_hat
