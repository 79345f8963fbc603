"""Where the answer is known: for a mixture of Gaussians, the perfect denoiser has a closed form.

    letter       name     shape      meaning
    w_k          weight   (K,)       probability of component k
    mu_k         mean     (K, d)     its mean
    Sigma_k      cov      (K, d, d)  its covariance = axes_k diag(var_k) axes_k^T
    r_k          r        (B, K)     probability that x_t came from component k
    lambda_k     lam      (K, d)     ab_t var_k + 1 - ab_t, the component's variance along its axes at time t
    y_k          y        (B, K, d)  axes_k^T (x_t - sqrt(ab_t) mu_k), how far x_t is along them

Noise turns component k into N(sqrt(ab_t) mu_k, ab_t Sigma_k + (1 - ab_t) I): same axes, other variances.
No network enters, so a sampler that fails with this denoiser is wrong by itself.
"""

import math
from dataclasses import dataclass, field

import numpy as np

from .arrays import keeps_dtype
from .gaussian import eps_from_score, q_sample


@dataclass(frozen=True, eq=False)
class Mixture:
    """q(x_0) = sum_k w_k N(mu_k, Sigma_k): weights > 0 that sum to 1, symmetric cov with eigenvalues >= 0."""

    weight: np.ndarray
    mean: np.ndarray
    cov: np.ndarray = field(repr=False)
    var: np.ndarray = field(init=False, repr=False)  # (K, d), each component's variances along its axes
    axes: np.ndarray = field(init=False, repr=False)  # (K, d, d), its axes as columns

    def __post_init__(self):
        K, d = np.shape(self.mean) if np.ndim(self.mean) == 2 else (0, 0)
        for name, shape in (("weight", (K,)), ("mean", (K, d)), ("cov", (K, d, d))):
            a = np.asarray(getattr(self, name), np.float64)
            if a.shape != shape or not a.size:
                raise ValueError(f"{name} must have the shape {shape}, K and d as in mean, got {a.shape}")
            object.__setattr__(self, name, a)
        if np.any(self.weight <= 0) or abs(self.weight.sum() - 1) > 1e-9:
            raise ValueError(f"weight must be positive and sum to 1, got {self.weight}")
        var, axes = np.linalg.eigh(self.cov)
        if not np.allclose(self.cov, self.cov.mT) or var.min() < -1e-9:
            raise ValueError("cov must be symmetric with eigenvalues >= 0")
        object.__setattr__(self, "var", np.maximum(var, 0))
        object.__setattr__(self, "axes", axes)

    def sample(self, n, rng, dtype=np.float64):
        """x_0 (n, d) drawn from the mixture."""
        k = rng.choice(len(self.weight), size=n, p=self.weight)
        z = np.sqrt(self.var[k]) * rng.standard_normal((n, self.mean.shape[1]))
        return (self.mean[k] + np.einsum("nij,nj->ni", self.axes[k], z)).astype(dtype)

    def moments(self, schedule, t):
        """sqrt(ab_t) E x_0 and ab_t Cov x_0 + (1 - ab_t) I, of q(x_t).    [CME296 lecture 1]"""
        ab_t = float(schedule.at(t, 0.0))
        mean = self.weight @ self.mean
        spread = self.mean - mean
        cov = np.einsum("k,kij->ij", self.weight, self.cov + spread[:, :, None] * spread[:, None, :])
        return math.sqrt(ab_t) * mean, ab_t * cov + (1 - ab_t) * np.eye(len(mean))

    def _components(self, schedule, x_t, t):
        """log q(x_t) (B,), r, y and lambda."""
        if x_t.ndim != 2 or x_t.shape[1] != self.mean.shape[1]:
            raise ValueError(f"x_t must have the shape (B, {self.mean.shape[1]}), got {x_t.shape}")
        ab_t = np.reshape(schedule.at(t, 0.0), (-1, 1, 1))
        lam = ab_t * self.var + 1 - ab_t
        y = np.einsum("kij,bki->bkj", self.axes, x_t[:, None, :] - np.sqrt(ab_t) * self.mean)
        log_p = np.log(self.weight) - 0.5 * np.sum(y**2 / lam + np.log(2 * np.pi * lam), axis=-1)
        top = log_p.max(axis=-1, keepdims=True)  # far away all p_k would be 0
        p = np.exp(log_p - top)
        total = p.sum(axis=-1, keepdims=True)
        return (np.log(total) + top)[:, 0], p / total, y, lam

    @keeps_dtype
    def log_prob(self, schedule, x_t, t):
        """log q(x_t) = log sum_k w_k N(x_t; sqrt(ab_t) mu_k, ab_t Sigma_k + (1 - ab_t) I), (B,) in nats."""
        return self._components(schedule, x_t, t)[0]

    @keeps_dtype
    def score(self, schedule, x_t, t):
        """grad log q(x_t) = -sum_k r_k axes_k (y_k / lambda_k), (B, d).    [CME296 lecture 2]
        Each component pulls towards its own mean, weighted by how likely it made x_t."""
        _, r, y, lam = self._components(schedule, x_t, t)
        return -np.einsum("bk,kij,bkj->bi", r, self.axes, y / lam)

    def eps(self, schedule, x_t, t):
        """eps* = E[eps | x_t] = -sqrt(1 - ab_t) grad log q(x_t): the best denoiser.    [CME296 lecture 2]"""
        return eps_from_score(schedule, t, self.score(schedule, x_t, t))

    @keeps_dtype
    def x_0_hat(self, schedule, x_t, t):
        """E[x_0 | x_t] = sum_k r_k (mu_k + sqrt(ab_t) axes_k (var_k / lambda_k) y_k), (B, d).
        Where x_t came from, on average; finite at ab_t = 0, where x_0_from_eps(eps*) is 0 / 0."""
        _, r, y, lam = self._components(schedule, x_t, t)
        root = np.reshape(np.sqrt(schedule.at(t, 0.0)), (-1, 1, 1))
        x_k = self.mean + np.einsum("kij,bkj->bki", self.axes, root * self.var / lam * y)
        return np.einsum("bk,bki->bi", r, x_k)

    def eps_theta(self, schedule):
        """The denoiser to hand to a sampler: eps_theta(x_t, t) -> eps*."""
        return MixtureDenoiser(self, schedule)

    def loss_floor(self, schedule, t, n, rng):
        """min over all denoisers of E ||eps - eps_hat||^2 = E tr Cov(eps | x_t), and its standard error.
        No network gets below it: x_t does not determine eps. An average over n x_t of the exact trace,
            sum_k r_k [sum_j ab_t var_kj / lambda_kj + ||eps_k - eps*||^2],    eps_k = E[eps | x_t, k]."""
        x_0 = self.sample(n, rng)
        x_t, ab_t = q_sample(schedule, x_0, t, rng.standard_normal(x_0.shape)), float(schedule.at(t, 0.0))
        _, r, y, lam = self._components(schedule, x_t, t)
        eps_k = math.sqrt(1 - ab_t) * np.einsum("kij,bkj->bki", self.axes, y / lam)
        eps_star = np.einsum("bk,bki->bi", r, eps_k)
        # total variance = the mean of the components' variances + the variance of their means
        within = np.sum(ab_t * self.var / lam, axis=-1)
        trace = np.sum(r * (within + np.sum((eps_k - eps_star[:, None]) ** 2, axis=-1)), axis=-1)
        return trace.mean(), trace.std(ddof=1) / math.sqrt(n)


@dataclass(frozen=True, eq=False)
class MixtureDenoiser:
    """eps*(x_t, t) as a callable."""

    mixture: Mixture
    schedule: object

    def __call__(self, x_t, t):
        return self.mixture.eps(self.schedule, x_t, t)
