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

from dataclasses import dataclass, field

import numpy as np

from .data import circle
from .gaussian import eps_from_score, eps_from_x_0, like
from .protocols import Array, Process, Times


@dataclass(frozen=True, eq=False)
class Mixture:
    """q(x_0) = sum_k w_k N(mu_k, Sigma_k): weights > 0 that sum to 1, symmetric cov with eigenvalues >= 0."""

    weight: Array
    mean: Array
    cov: Array = field(repr=False)
    var: Array = field(init=False, repr=False)  # (K, d), each component's variances along its axes
    axes: Array = field(init=False, repr=False)  # (K, d, d), its axes as columns

    def __post_init__(self):
        weight, mean, cov = (np.asarray(a, np.float64) for a in (self.weight, self.mean, self.cov))
        if np.any(weight <= 0) or abs(weight.sum() - 1) > 1e-9:
            raise ValueError(f"weight must be positive and sum to 1, got {weight}")
        if mean.ndim != 2 or weight.shape != mean.shape[:1] or cov.shape != mean.shape + mean.shape[1:]:
            raise ValueError(
                f"shapes must be (K,), (K, d), (K, d, d), got {weight.shape}, {mean.shape}, {cov.shape}"
            )
        var, axes = np.linalg.eigh(cov)
        if not np.allclose(cov, cov.mT) or var.min() < -1e-9:
            raise ValueError("cov must be symmetric with eigenvalues >= 0")
        vars(self).update(weight=weight, mean=mean, cov=cov, var=np.maximum(var, 0), axes=axes)

    def sample(self, n: int, rng: np.random.Generator, dtype=np.float64) -> Array:
        """x_0 (n, d) drawn from the mixture."""
        k = rng.choice(len(self.weight), size=n, p=self.weight)
        z = rng.standard_normal((n, self.mean.shape[1]))
        along = np.einsum("nij,nj->ni", self.axes[k], np.sqrt(self.var[k]) * z)
        return (self.mean[k] + along).astype(dtype)

    def moments(self, schedule: Process, t: Times):
        """sqrt(ab_t) E x_0 and ab_t Cov x_0 + (1 - ab_t) I, of q(x_t).    [CME296 lecture 1]"""
        signal, noise = schedule.signal_and_noise(t)
        mean = self.weight @ self.mean
        spread = self.mean - mean
        outer = spread[:, :, None] * spread[:, None, :]
        cov = np.einsum("k,kij->ij", self.weight, self.cov + outer)
        return signal * mean, signal**2 * cov + noise**2 * np.eye(len(mean))

    def components(self, schedule: Process, x_t: Array, t: Times):
        """log q(x_t) (B,), r, y and lambda."""
        signal, noise = (np.reshape(share, (-1, 1, 1)) for share in schedule.signal_and_noise(t))
        lam = signal**2 * self.var + noise**2
        from_mean = x_t[:, None, :] - signal * self.mean
        y = np.einsum("kij,bki->bkj", self.axes, from_mean)
        log_density = -0.5 * np.sum(y**2 / lam + np.log(2 * np.pi * lam), axis=-1)
        log_p = np.log(self.weight) + log_density
        top = log_p.max(axis=-1, keepdims=True)  # far away all p_k would be 0
        p = np.exp(log_p - top)
        total = p.sum(axis=-1, keepdims=True)
        return (np.log(total) + top)[:, 0], p / total, y, lam

    def log_prob(self, schedule: Process, x_t: Array, t: Times) -> Array:
        """log q(x_t) = log sum_k w_k N(x_t; sqrt(ab_t) mu_k, ab_t Sigma_k + (1 - ab_t) I), (B,) in nats."""
        log_p, *_ = self.components(schedule, x_t, t)
        return like(x_t[:, 0], log_p)

    def score(self, schedule: Process, x_t: Array, t: Times) -> Array:
        """grad log q(x_t) = -sum_k r_k axes_k (y_k / lambda_k), (B, d).    [CME296 lecture 2]
        Each component pulls towards its own mean, weighted by how likely it made x_t."""
        _, r, y, lam = self.components(schedule, x_t, t)
        return like(x_t, -np.einsum("bk,kij,bkj->bi", r, self.axes, y / lam))

    def eps(self, schedule: Process, x_t: Array, t: Times) -> Array:
        """eps* = E[eps | x_t] = -sqrt(1 - ab_t) grad log q(x_t): the best denoiser.    [CME296 lecture 2]"""
        return eps_from_score(schedule, t, self.score(schedule, x_t, t))

    def x_0_hat(self, schedule: Process, x_t: Array, t: Times) -> Array:
        """E[x_0 | x_t] = sum_k r_k (mu_k + sqrt(ab_t) axes_k (var_k / lambda_k) y_k), (B, d).
        Where x_t came from, on average; finite at ab_t = 0, where x_0_from_eps(eps*) is 0 / 0."""
        _, r, y, lam = self.components(schedule, x_t, t)
        signal = np.reshape(schedule.signal_and_noise(t)[0], (-1, 1, 1))
        shrunk = signal * self.var / lam * y
        x_k = self.mean + np.einsum("kij,bkj->bki", self.axes, shrunk)
        return like(x_t, np.einsum("bk,bki->bi", r, x_k))

    def eps_theta(self, schedule: Process):
        """The denoiser to hand to a sampler: eps_theta(x_t, t) -> eps*."""
        return MixtureDenoiser(self, schedule)


@dataclass(frozen=True, eq=False)
class MixtureDenoiser:
    """eps*(x_t, t) as a callable."""

    mixture: Mixture
    schedule: Process

    def __call__(self, x_t: Array, t: Times) -> Array:
        return self.mixture.eps(self.schedule, x_t, t)


@dataclass(frozen=True, eq=False)
class DataDenoiser:
    """eps*(x_t, t) when the data are the rows of x (N, d), a mixture of N points:    [CME296 lecture 2]

        r = softmax_i(-||x_t - sqrt(ab_t) x_i||^2 / (2 (1 - ab_t))),    x_0_hat = sum_i r_i x_i

    The minimum of L_simple over all functions: a perfect learner, which can only draw its training set."""

    x: Array
    schedule: Process

    def __call__(self, x_t: Array, t: Times):
        """eps* (B, d), for t > 0."""
        signal, noise = (like(self.x, share) for share in self.schedule.signal_and_noise(t))
        # ||x_t||^2 is the same for all i and drops out of the softmax
        lengths = np.sum(self.x**2, axis=1)
        log_r = signal / noise**2 * (x_t @ self.x.T - signal / 2 * lengths)
        r = np.exp(log_r - log_r.max(axis=1, keepdims=True))
        x_0_hat = r @ self.x / r.sum(axis=1, keepdims=True)
        return eps_from_x_0(self.schedule, x_t, t, x_0_hat)


def on_a_circle(weight, cov) -> Mixture:
    """K Gaussians evenly on a circle of radius 1.4, from their K weights and covariances."""
    angle = np.arange(len(weight)) * 2 * np.pi / len(weight)
    return Mixture(weight, 1.4 * circle(angle), cov)


def five_gaussians() -> Mixture:
    """Five Gaussians of unequal weight, width and direction."""
    weight = np.array([0.3, 0.1, 0.25, 0.15, 0.2])
    along = circle(3 * np.arange(5) * 2 * np.pi / 5)
    outer = along[:, :, None] * along[:, None, :]
    return on_a_circle(weight, 0.01 * np.eye(2) + 0.08 * outer)


def eight_gaussians() -> Mixture:
    """Eight equal narrow Gaussians."""
    cov = np.tile(0.01 * np.eye(2), (8, 1, 1))
    return on_a_circle(np.full(8, 1 / 8), cov)
