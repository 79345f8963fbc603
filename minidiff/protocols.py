"""The shapes of what is passed around, for editors and type checkers: documentation. Skip it at first.

Nothing inherits from these: whatever has the methods of a shape can be handed in.
"""

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

Array = np.ndarray
Times = int | np.ndarray  # one time for all rows, or (B,); real numbers for processes in continuous time


class Process(Protocol):
    """How data become noise: x_t = signal x_0 + noise eps, both float64 and shaped like t."""

    @property
    def T(self) -> Any: ...
    def signal_and_noise(self, t: Any) -> tuple[Array, Array]: ...


class Preserving(Process, Protocol):
    """A process with signal^2 + noise^2 = 1, such as a Schedule: signal^2 is alpha_bar_t."""

    def alpha_bar_at(self, t: Any) -> Array: ...


class Noise(Protocol):
    """Where standard normals come from: a numpy Generator, philox.RowNoise, or a test's stub."""

    def standard_normal(self, shape: Any, dtype: Any = ..., /) -> Array: ...


class Denoiser(Protocol):
    """eps_theta(x_t, t) -> eps_hat, like x_t: a network, the exact mixture, a guided pair."""

    def __call__(self, x_t: Array, t: Any, /) -> Array: ...


class Model(Protocol):
    """A network without its parameters, which are one vector: mlp.MLP, pictures.unet.UNet."""

    @property
    def shapes(self) -> dict[str, tuple]: ...
    def init(self, rng: Any) -> Array: ...
    def forward(self, params: Array, x_t: Array, t: Any, /, *told: Any) -> tuple[Array, Any]: ...
    def backward(self, dout: Array, cache: Any, /) -> Array: ...


Step = Callable[
    [Denoiser, Any, Array, Any, Any, Noise], Array
]  # step(eps_theta, schedule, x_t, t, s, rng) -> x_s
Objective = Callable[[Any, Any], tuple[Any, Any]]  # objective(signal, noise) -> c_0, c_eps
