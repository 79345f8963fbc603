"""Noising in continuous time, for every real t: variance-preserving, variance-exploding, along a Schedule.

letter   name   meaning
beta(t)  beta   the rate at which variance is replaced by noise
tau      tau    -log alpha_bar(t) = int_0^t beta: how much noise has come in until t
signal, noise   shares of x_0 and eps in x_t = signal x_0 + noise eps
f, g^2   f, g2  drift and squared diffusion of dx = f(t) x dt + g(t) dW
"""

import math
from dataclasses import dataclass

import numpy as np

from ..schedule import Schedule


class _Preserving:
    """dx = -beta(t) / 2 x dt + sqrt(beta(t)) dW: noise comes in as fast as x shrinks, variance 1 stays 1.

    A subclass has T, beta(t), tau(t) = int_0^t beta and time(tau), the t that belongs to a tau.
    """

    def alpha_bar_at(self, t):
        """alpha_bar(t) = exp(-tau(t)), float64, shaped like t in [0, T]."""
        return np.exp(-self.tau(t))

    def signal_and_noise(self, t):
        """sqrt(alpha_bar(t)) and sqrt(1 - alpha_bar(t)), both from tau: the second is exact near t = 0."""
        tau = self.tau(t)
        return np.exp(-tau / 2), np.sqrt(-np.expm1(-tau))

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
class VP(_Preserving):
    """alpha_bar(t) = exp(-int_0^t beta),  beta(t) = beta_min + t (beta_max - beta_min).
    [Score SDE appendix C]

    The variance-preserving process, t in [0, 1]: what a Schedule of T steps beta_t = beta(t / T) / T becomes
    for large T.
    """

    beta_min: float = 0.1
    beta_max: float = 20.0
    T = 1

    def beta(self, t):
        """beta_min + t (beta_max - beta_min)."""
        return self.beta_min + t * (self.beta_max - self.beta_min)

    def tau(self, t):
        """-log alpha_bar(t) = int_0^t beta = t beta_min + t^2 / 2 (beta_max - beta_min)."""
        t = self._checked(t)
        return t * self.beta_min + t**2 / 2 * (self.beta_max - self.beta_min)

    def time(self, tau):
        """The t at which -log alpha_bar(t) = tau: the quadratic's root, at most 1 even when rounded."""
        root = np.sqrt(self.beta_min**2 + 2 * tau * (self.beta_max - self.beta_min))
        return np.minimum(2 * tau / (self.beta_min + root), 1)


@dataclass(frozen=True, eq=False)
class AtRealTimes(_Preserving):
    """A Schedule at real times in [0, T]: -log alpha_bar is a straight line from each step to the next.

    At whole times it is the Schedule; beta(t) jumps there. For solvers that ask between two steps.
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
    """The process in continuous time: AtRealTimes for a Schedule, anything else as it is."""
    return AtRealTimes(schedule) if isinstance(schedule, Schedule) else schedule


@dataclass(frozen=True)
class VE:
    """x_t = x_0 + sqrt(sigma_t^2 - sigma_0^2) eps,  sigma_t = sigma_min (sigma_max / sigma_min)^t.
    [Score SDE appendix C]    The variance-exploding process, t in [0, 1]: nothing shrinks."""

    sigma_min: float = 0.01
    sigma_max: float = 50.0
    T = 1

    def sigma2(self, t):
        """sigma_t^2 - sigma_0^2, the variance that was added until t."""
        growth = (self.sigma_max / self.sigma_min) ** (2 * np.asarray(t, np.float64))
        return self.sigma_min**2 * (growth - 1)

    def signal_and_noise(self, t):
        """1 and sqrt(sigma_t^2 - sigma_0^2)."""
        return np.ones(np.shape(t)), np.sqrt(self.sigma2(t))

    def f(self, t):
        """0: VE has no drift."""
        return 0.0

    def g2(self, t):
        """d(sigma_t^2)/dt = 2 log(sigma_max / sigma_min) sigma_t^2.    [Score SDE eq. 9]"""
        rate = 2 * math.log(self.sigma_max / self.sigma_min)
        return rate * (self.sigma2(t) + self.sigma_min**2)
