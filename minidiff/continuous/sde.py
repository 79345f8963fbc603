"""The second lens, the score: noising as a stochastic differential equation, and two ways back.

    dx = f(t) x dt + g(t) dW                        forward: shrink, and add noise       [Score SDE eq. 5]
    dx = [f(t) x - g^2 grad log p_t] dt + g dW      back with fresh noise (dt < 0)       [Score SDE eq. 6]
    dx = [f(t) x - g^2 / 2 grad log p_t] dt         back without: probability-flow ODE   [Score SDE eq. 13]

All three have the same density p_t at every t; their paths differ. A process (process.py) is anything with
.f(t), .g2(t) and .signal_and_noise(t); a score is a callable score(x, t) -> grad log p_t(x).
"""

import math

import numpy as np

from ..gaussian import like, score_from_eps, v_from_eps, x_0_from_eps
from .ode import rk4, walk


def score_of(eps_theta, process):
    """A denoiser as a score: score(x, t) = gaussian.score_from_eps of eps_theta(x, t), t > 0.
    [CME296 lecture 2]"""
    return lambda x, t: score_from_eps(process, t, eps_theta(x, t))


def forward_step(process, x, t, s, z):
    """x_s = x + f x (s - t) + g sqrt(s - t) z, s > t: Euler-Maruyama towards noise.    [Score SDE eq. 5]"""
    drift, spread = process.f(t) * (s - t), np.sqrt(process.g2(t) * (s - t))
    return x + like(x, drift) * x + like(x, spread) * z


def reverse_step(process, score, x, t, s, z):
    """x_s = x - [f x - g^2 score] dt + g sqrt(dt) z, dt = t - s > 0: towards data.    [Score SDE eq. 6]"""
    dt, g2 = np.subtract(t, s), process.g2(t)
    moved = like(x, process.f(t) * dt) * x - like(x, g2 * dt) * score(x, t)
    return x - moved + like(x, np.sqrt(g2 * dt)) * z


def velocity(process, score, x, t):
    """u(x, t) = f x - g^2 / 2 score, of the probability-flow ODE dx/dt = u.    [Score SDE eq. 13]"""
    return like(x, process.f(t)) * x - like(x, process.g2(t) / 2) * score(x, t)


def angle(process, t):
    """theta with cos(theta) = sqrt(ab_t), sin(theta) = sqrt(1 - ab_t): 0 is data, pi/2 noise."""
    return np.arctan(np.sqrt(np.expm1(process.tau(t))))


def velocity_by_angle(process, eps_theta):
    """u(x, theta) = dx/dtheta = cos(theta) eps_hat - sin(theta) x_0_hat = v_hat.
    [Progressive Distillation section 4]

    The same ODE as `velocity`'s with theta for t: on the path x = cos(theta) x_0 + sin(theta) eps nothing
    depends on the schedule. In t it does: a Schedule's beta jumps from step to step, and a solver loses its
    order there.
    """

    def u(x, theta):
        t = process.time(np.log1p(np.tan(theta) ** 2))  # tau = -log ab = -log cos(theta)^2
        eps_hat = eps_theta(x, t)
        return v_from_eps(process, x_0_from_eps(process, x, t, eps_hat), t, eps_hat)

    return u


def langevin_step(score_x, x, step_size, z):
    """x' = x + a/2 grad log p(x) + sqrt(a) z, a = step_size: many leave x ~ p as a -> 0.
    [CME296 lecture 2]"""
    return x + like(x, step_size / 2) * score_x + like(x, np.sqrt(step_size)) * z


def divergence(u, x, t, h=1e-4):
    """div u = sum_i du_i/dx_i at x (B, d): (B,), by 2 d evaluations.
    Central differences, whose error is h^2 / 6 d^3u/dx^3."""
    total = np.zeros(len(x))
    for i in range(x.shape[1]):
        ahead = np.zeros(x.shape[1])
        ahead[i] = h
        total += (u(x + ahead, t) - u(x - ahead, t))[:, i] / (2 * h)
    return total


def hutchinson(u, x, t, z, h=1e-4):
    """z^T (du/dx) z, (B,): its mean over z with E z z^T = I is div u.    [Score SDE appendix D.2]

    Two evaluations for any d, but a random answer. With random signs +-1 as z (B, d) its variance is
    sum_{i<j} (J_ij + J_ji)^2, J = du/dx: none where coordinates do not influence each other.
    """
    return np.sum(z * (u(x + h * z, t) - u(x - h * z, t)), axis=1) / (2 * h)


def log_likelihood(u, x_0, log_p_T, times, div=divergence):
    """log p_0(x_0) = log p_T(x_T) + int_0^T div u(x_t, t) dt along dx/dt = u, in nats.
    [Score SDE appendix D.2]

    Returns (B,) and x_T. x_0 (B, d) in float64; times are u's second argument, ascend from (near) 0 and are
    walked by Runge-Kutta. log_p_T(x_T) is the log-density at the end; div(u, x, t) is the divergence, exact
    or hutchinson with its z.
    """

    def both(state, t):  # the path in the first d columns, the integral of div u along it in the last
        x = state[:, :-1]
        return np.column_stack([u(x, t), div(u, x, t)])

    *_, state = walk(rk4, both, np.column_stack([x_0, np.zeros(len(x_0))]), times)
    return log_p_T(state[:, :-1]) + state[:, -1], state[:, :-1]


def bits_per_dim(nats, d):
    """-nats / (d log 2) of a log-likelihood: bits a coordinate. Negative where a density is above 1."""
    return -nats / (d * math.log(2))
