"""How much of the picture is left at time t, and how much is noise.

    letter       name       shape     meaning
    beta_t       beta       (T + 1,)  variance of the noise that step t adds; beta[0] = 0
    alpha_t      alpha      (T + 1,)  1 - beta_t, the share of the variance that step t keeps
    alpha-bar_t  alpha_bar  (T + 1,)  alpha_1 alpha_2 ... alpha_t, the share of x_0's variance left at t; alpha_bar[0] = 1

t = 0 is clean data, t = 1..T are noisy. Because index 0 exists, no formula needs a special first step.
"""

import difflib
import functools
from dataclasses import dataclass

import numpy as np


def in_data_dtype(f):
    """f with its answer in the dtype of the data it was given.

    Coefficients are always float64: in float32, 1 - alpha_bar[1] = 1e-4 would keep 4 of its 7 digits. Data are the
    arrays with the most axes: real times, one for each row, have fewer.
    """

    @functools.wraps(f)
    def wrapped(*args, **kwargs):
        data = [a for a in (*args, *kwargs.values()) if isinstance(a, np.ndarray) and a.dtype.kind == "f"]
        y = f(*args, **kwargs)
        if not data:
            return y
        axes = max(a.ndim for a in data)
        dtype = np.result_type(*(a.dtype for a in data if a.ndim == axes))
        return tuple(np.asarray(part, dtype) for part in y) if isinstance(y, tuple) else np.asarray(y, dtype)

    return wrapped


def on_axes_of(x, values):
    """One value for each row of x, with axes of length 1 behind it, so that it multiplies x; a scalar stays one."""
    values = np.asarray(values)
    return values.reshape(values.shape + (1,) * (np.ndim(x) - values.ndim)) if values.ndim else values[()]


@dataclass(frozen=True, eq=False)
class Schedule:
    """alpha_t = 1 - beta_t,  alpha_bar_t = alpha_1 ... alpha_t.    [CME296 lecture 1]

    Built by linear, linear_scaled, cosine or from_betas; the arrays are read-only float64 of shape (T + 1,).
    """

    beta: np.ndarray
    alpha: np.ndarray
    alpha_bar: np.ndarray

    @property
    def T(self):
        return len(self.beta) - 1

    def at(self, t, x):
        """alpha_bar_t in float64, with axes to multiply x (B, ...); t is an int or an int array (B,) in 0..T.

        Raises TypeError for a t that is not whole and ValueError for one outside 0..T.
        """
        t = np.asarray(t)
        if t.dtype.kind not in "iu":
            raise TypeError(f"t must be whole numbers, got {t.dtype}")
        if t.size and (t.min() < 0 or t.max() > self.T):
            raise ValueError(f"t must lie in 0..T = {self.T}, got {t.min()}..{t.max()}")
        return on_axes_of(x, self.alpha_bar[t])

    def time_at(self, u):
        """The time t in 1..T a part u in [0, 1] of the way: the step that holds it."""
        return np.clip(np.ceil(self.T * np.asarray(u)), 1, self.T).astype(int)

    @functools.cached_property
    def between(self):
        """This schedule with real times between its steps."""
        return Between(self)


def from_betas(betas):
    """The schedule with beta_1, ..., beta_T = betas, each in (0, 1).    [DDPM eq. 4]"""
    betas = np.asarray(betas, dtype=np.float64)
    if betas.ndim != 1 or betas.size < 1:
        raise ValueError(f"betas must be a list of at least one number, got shape {betas.shape}")
    wrong = np.flatnonzero(~((betas > 0) & (betas < 1)))
    if wrong.size:
        raise ValueError(f"beta must lie in (0, 1), got beta_{wrong[0] + 1} = {betas[wrong[0]]:g}")
    beta = np.concatenate([[0.0], betas])
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

    The end points were chosen for T = 1000: fewer steps leave signal at x_T (`minidiff doctor` says how much).
    """
    _check_T(T)
    return from_betas(np.linspace(beta_1, beta_T, T))


def linear_scaled(T=1000):
    """The linear schedule with both ends multiplied by 1000 / T, so that any T destroys as much.

    Raises ValueError for T <= 20, where beta_T = 0.02 * 1000 / T would reach 1.
    """
    _check_T(T)
    if T <= 20:
        raise ValueError(f"linear_scaled needs T > 20, got T = {T}: beta_T = 20 / T would be {20 / T:g}, not below 1")
    return linear(T, 0.1 / T, 20 / T)


def cosine(T=1000, offset=0.008):
    """alpha_bar_t = f(t) / f(0), f(t) = cos((t / T + offset) / (1 + offset) * pi / 2)^2.    [Improved DDPM eq. 17]

    beta_t = 1 - alpha_bar_t / alpha_bar_{t-1} is clipped at 0.999, as in the paper: the last one would be 1.
    """
    _check_T(T)
    f = np.cos((np.arange(T + 1) / T + offset) / (1 + offset) * np.pi / 2) ** 2
    return from_betas(np.minimum(1 - f[1:] / f[:-1], 0.999))


def unknown(kind, known, name):
    """The ValueError for a name that is not known: it says the most similar one, and lists them."""
    near = difflib.get_close_matches(str(name).lower(), known, n=1, cutoff=0.7)
    meant = f"did you mean {near[0]}? " if near else ""
    return ValueError(f"unknown {kind} {name!r}; {meant}known are {', '.join(known)}")


def pick(kind, known, name):
    """known[name]. Raises ValueError for another one: see unknown."""
    if name not in known:
        raise unknown(kind, known, name)
    return known[name]


SCHEDULES = {"linear": linear, "linear-scaled": linear_scaled, "cosine": cosine}


class _Continuous:
    """dx = f(t) x dt + sqrt(g2(t)) dW with f = -beta(t) / 2, g2 = beta(t): shrinking and stirring keep a variance of 1.

    A subclass has T, beta(t), tau(t) = int_0^t beta and time(tau), the t that belongs to a tau.
    """

    def at(self, t, x):
        """alpha_bar(t) = exp(-tau(t)) in float64, with axes to multiply x (B, ...); t is a number or (B,) in [0, T]."""
        return on_axes_of(x, np.exp(-self.tau(t)))

    def f(self, t):
        """-beta(t) / 2, the drift's factor.    [Score SDE eq. 11]"""
        return -0.5 * self.beta(t)

    def g2(self, t):
        """beta(t), the diffusion's square.    [Score SDE eq. 11]"""
        return self.beta(t)

    def _checked(self, t):
        t = np.asarray(t, dtype=np.float64)
        if t.size and not (t.min() >= 0 and t.max() <= self.T):
            raise ValueError(f"t must lie in [0, {self.T}], got {t.min()}..{t.max()}")
        return t


@dataclass(frozen=True)
class VP(_Continuous):
    """alpha_bar(t) = exp(-int_0^t beta),  beta(t) = beta_min + t (beta_max - beta_min),  t in [0, 1].    [Score SDE appendix C]

    The variance-preserving process in continuous time: Schedule's limit of many small steps (beta_t = beta(t / T) / T).
    """

    beta_min: float = 0.1
    beta_max: float = 20.0
    T = 1

    def beta(self, t):
        """beta_min + t (beta_max - beta_min), the rate at which variance is replaced by noise."""
        return self.beta_min + t * (self.beta_max - self.beta_min)

    def tau(self, t):
        """-log alpha_bar(t) = int_0^t beta = t beta_min + t^2 / 2 (beta_max - beta_min)."""
        t = self._checked(t)
        return t * self.beta_min + t**2 / 2 * (self.beta_max - self.beta_min)

    def time(self, tau):
        """The t in [0, 1] at which -log alpha_bar(t) = tau: the quadratic's root, at most 1 even when rounded."""
        root = np.sqrt(self.beta_min**2 + 2 * tau * (self.beta_max - self.beta_min))
        return np.minimum(2 * tau / (self.beta_min + root), 1)


@dataclass(frozen=True, eq=False)
class Between(_Continuous):
    """A Schedule at real times in [0, T]: tau = -log alpha_bar runs straight from each step to the next.

    At whole times it is the Schedule, and beta(t) jumps. Solvers that look between the steps live here.
    """

    schedule: Schedule

    @property
    def T(self):
        return self.schedule.T

    def beta(self, t):
        """-log alpha of the step that ends at ceil(t)."""
        return -np.log(self.schedule.alpha[np.maximum(np.ceil(self._checked(t)).astype(int), 1)])

    def tau(self, t):
        """-log alpha_bar(t)."""
        return np.interp(self._checked(t), np.arange(self.T + 1), -np.log(self.schedule.alpha_bar))

    def time(self, tau):
        """The t in [0, T] at which -log alpha_bar(t) = tau."""
        return np.interp(tau, -np.log(self.schedule.alpha_bar), np.arange(self.T + 1))


def continuous(schedule):
    """The process in continuous time: a Schedule's `between`, anything else as it is."""
    return schedule.between if isinstance(schedule, Schedule) else schedule
