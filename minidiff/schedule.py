"""How much of the picture is left at time t, and how much is noise.

    letter       name       shape     meaning
    beta_t       beta       (T + 1,)  variance of the noise that step t adds; beta[0] = 0
    alpha_t      alpha      (T + 1,)  1 - beta_t, the share of the variance that step t keeps
    alpha-bar_t  alpha_bar  (T + 1,)  alpha_1 ... alpha_t, what is left of x_0's variance; alpha_bar[0] = 1

t = 0 is clean data, t = 1..T are noisy. Because index 0 exists, no formula needs a special first step.
"""

from dataclasses import dataclass, field

import numpy as np

from .arrays import on_axes_of


@dataclass(frozen=True, eq=False)
class Schedule:
    """alpha_t = 1 - beta_t,  alpha_bar_t = alpha_1 ... alpha_t.    [CME296 lecture 1]
    Built by linear, linear_scaled, cosine or from_betas; the arrays are read-only float64."""

    beta: np.ndarray = field(repr=False)
    alpha: np.ndarray = field(repr=False)
    alpha_bar: np.ndarray

    @property
    def T(self):
        return len(self.beta) - 1

    def at(self, t, x):
        """alpha_bar_t in float64, with axes to multiply x (B, ...); t in 0..T is an int or (B,)."""
        return on_axes_of(x, self.alpha_bar[self.check(t)])

    def check(self, t):
        """t as an array. Raises TypeError if it is not whole and ValueError if it lies outside 0..T."""
        t = np.asarray(t)
        if t.dtype.kind not in "iu":
            raise TypeError(f"t must be whole numbers, got {t.dtype}")
        if t.size and (t.min() < 0 or t.max() > self.T):
            raise ValueError(f"t must lie in 0..T = {self.T}, got {t.min()}..{t.max()}")
        return t

    def time_at(self, u):
        """The step 1..T that a part u in [0, 1] of the way falls into."""
        return np.clip(np.ceil(self.T * np.asarray(u)), 1, self.T).astype(int)


def from_betas(betas):
    """The schedule with beta_1, ..., beta_T = betas, each in (0, 1).    [DDPM eq. 4]"""
    betas = np.asarray(betas, dtype=np.float64)
    if betas.ndim != 1 or betas.size < 1:
        raise ValueError(f"betas must be a list of at least one number, got shape {betas.shape}")
    wrong = np.flatnonzero(~((betas > 0) & (betas < 1)))
    if wrong.size:
        raise ValueError(f"beta must lie in (0, 1), got beta_{wrong[0] + 1} = {betas[wrong[0]]:g}")
    beta = np.append(0.0, betas)
    alpha = 1 - beta
    alpha_bar = np.cumprod(alpha)
    for a in (beta, alpha, alpha_bar):
        a.setflags(write=False)
    return Schedule(beta, alpha, alpha_bar)


def _check_T(T):
    if isinstance(T, bool) or not isinstance(T, int | np.integer):
        raise TypeError(f"T must be a whole number, got {T!r}")
    if T < 1:
        raise ValueError(f"T must be at least 1, got {T}")


def linear(T=1000, beta_1=1e-4, beta_T=0.02):
    """beta_t runs evenly from beta_1 to beta_T.    [DDPM section 4]
    The ends were chosen for T = 1000: with fewer steps, x_T still shows the picture (see linear_scaled)."""
    _check_T(T)
    return from_betas(np.linspace(beta_1, beta_T, T))


def linear_scaled(T=1000):
    """The linear schedule with both ends multiplied by 1000 / T, so that any T destroys as much.
    Raises ValueError for T <= 20, where beta_T = 0.02 * 1000 / T would reach 1."""
    _check_T(T)
    if T <= 20:
        raise ValueError(f"linear_scaled needs T > 20, got T = {T}: beta_T = 20 / T would not be below 1")
    return linear(T, 0.1 / T, 20 / T)


def cosine(T=1000, offset=0.008):
    """alpha_bar_t = f(t) / f(0), f(t) = cos((t / T + offset) / (1 + offset) pi / 2)^2. [Improved DDPM eq. 17]
    beta_t = 1 - alpha_bar_t / alpha_bar_{t-1} is cut at 0.999, as in the paper: the last one would be 1."""
    _check_T(T)
    f = np.cos((np.arange(T + 1) / T + offset) / (1 + offset) * np.pi / 2) ** 2
    return from_betas(np.minimum(1 - f[1:] / f[:-1], 0.999))
