"""Noising in continuous time: alpha_bar(t) for every real t, of its own (VP) or between the steps of a Schedule.

letter     name  meaning
beta(t)    beta  the rate at which variance is replaced by noise
tau        tau   -log alpha_bar(t) = int_0^t beta: how much noise has come in until t
"""

import functools
from dataclasses import dataclass

import numpy as np

from ..arrays import on_axes_of
from ..schedule import Schedule


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


@functools.lru_cache(maxsize=64)
def _between(schedule):
    return Between(schedule)


def continuous(schedule):
    """The process in continuous time: Between for a Schedule, anything else as it is."""
    return _between(schedule) if isinstance(schedule, Schedule) else schedule
