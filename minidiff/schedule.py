"""How much of the picture is left at time t, and how much is noise.

    letter       name       shape     meaning
    beta_t       beta       (T + 1,)  variance of the noise that step t adds; beta[0] = 0
    alpha_t      alpha      (T + 1,)  1 - beta_t, the share of the variance that step t keeps
    alpha-bar_t  alpha_bar  (T + 1,)  alpha_1 ... alpha_t, what is left of x_0's variance; alpha_bar[0] = 1

t = 0 is clean data, t = 1..T are noisy. Because index 0 exists, no formula needs a special first step.
"""

from dataclasses import dataclass, field

import numpy as np

from .protocols import Array, Times


@dataclass(frozen=True, eq=False)
class Schedule:
    """alpha_t = 1 - beta_t,  alpha_bar_t = alpha_1 ... alpha_t.    [CME296 lecture 1]
    Built by linear, linear_scaled, cosine or from_betas; the arrays are read-only float64."""

    beta: Array = field(repr=False)
    alpha: Array = field(repr=False)
    alpha_bar: Array

    @property
    def T(self) -> int:
        return len(self.beta) - 1

    def alpha_bar_at(self, t: Times) -> Array:
        """alpha_bar_t, float64, shaped like t: whole numbers, () or (B,). Raises ValueError outside 0..T."""
        if np.min(t) < 0 or np.max(t) > self.T:  # below 0 an array's index would count from its end
            raise ValueError(f"t must lie in 0..T = {self.T}, got {t}")
        return self.alpha_bar[t]

    def signal_and_noise(self, t: Times) -> tuple[Array, Array]:
        """sqrt(alpha_bar_t) and sqrt(1 - alpha_bar_t): how much of x_0, and of eps, there is in x_t."""
        ab_t = self.alpha_bar_at(t)
        return np.sqrt(ab_t), np.sqrt(1 - ab_t)


def from_betas(betas) -> Schedule:
    """The schedule with beta_1, ..., beta_T = betas, each in (0, 1).    [DDPM eq. 4]"""
    betas = np.asarray(betas, dtype=np.float64)
    if betas.ndim != 1 or betas.size < 1:
        raise ValueError(f"betas must be a list of at least one number, got shape {betas.shape}")
    wrong = ~((betas > 0) & (betas < 1))
    if wrong.any():
        t = wrong.argmax() + 1
        raise ValueError(f"beta must lie in (0, 1), got beta_{t} = {betas[t - 1]:g}")
    beta = np.append(0.0, betas)
    alpha = 1 - beta
    alpha_bar = np.cumprod(alpha)
    for a in (beta, alpha, alpha_bar):
        a.setflags(write=False)
    return Schedule(beta, alpha, alpha_bar)


def linear(T: int = 1000, beta_1: float = 1e-4, beta_T: float = 0.02) -> Schedule:
    """beta_t runs evenly from beta_1 to beta_T.    [DDPM section 4]
    The ends were chosen for T = 1000: with fewer steps, x_T still shows the picture (see linear_scaled)."""
    return from_betas(np.linspace(beta_1, beta_T, T))


def linear_scaled(T: int = 1000) -> Schedule:
    """The linear schedule with both ends multiplied by 1000 / T, so that any T destroys as much.
    Raises ValueError for T <= 20, where beta_T = 0.02 * 1000 / T would reach 1."""
    if T <= 20:
        raise ValueError(f"linear_scaled needs T > 20, got T = {T}: beta_T = 20 / T would not be below 1")
    return linear(T, 0.1 / T, 20 / T)


def cosine(T: int = 1000, offset: float = 0.008) -> Schedule:
    """alpha_bar_t = f(t) / f(0), f(t) = cos((t / T + offset) / (1 + offset) pi / 2)^2. [Improved DDPM eq. 17]
    beta_t = 1 - alpha_bar_t / alpha_bar_{t-1} is cut at 0.999, as in the paper: the last one would be 1."""
    part = (np.arange(T + 1) / T + offset) / (1 + offset)
    f = np.cos(part * np.pi / 2) ** 2
    betas = 1 - f[1:] / f[:-1]
    return from_betas(np.minimum(betas, 0.999))
