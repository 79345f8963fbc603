"""What a network is asked: eps, x_0 or v; what its errors cost: L_simple; and how an answer becomes eps_hat.

    objective       the network should answer (target)     eps_hat = a x_t + b out
    eps_prediction  eps                                     out
    x_0_prediction  x_0                                     (x_t - sqrt(ab_t) out) / sqrt(1 - ab_t)
    v_prediction    sqrt(ab_t) eps - sqrt(1 - ab_t) x_0     sqrt(1 - ab_t) x_t + sqrt(ab_t) out

An objective is two numbers at each t: objective(signal, noise) -> c_0, c_eps of target = c_0 x_0 + c_eps eps,
from the shares of x_0 and eps in x_t (gaussian.py). All samplers ask for eps_hat, so any answer serves all of
them. What differs is the harm of an error: at t = T a wrong eps_hat is divided by sqrt(alpha_bar_T) on its
way to x_0_hat (157 times larger on linear), a wrong v or x_0 is not.
"""

from dataclasses import dataclass

import numpy as np

from . import protocols
from .gaussian import like, shares, snr
from .protocols import Array, Model, Objective, Process, Times
from .schedule import Schedule


def eps_prediction(signal, noise):
    """target = eps.    [DDPM eq. 14]"""
    return 0.0, 1.0


def x_0_prediction(signal, noise):
    """target = x_0."""
    return 1.0, 0.0


def v_prediction(signal, noise):
    """target = v = sqrt(ab_t) eps - sqrt(1 - ab_t) x_0.    [Progressive Distillation section 4]"""
    return -noise, signal


def target_of(objective: Objective, schedule: Process, x_0: Array, t: Times, eps: Array) -> Array:
    """target = c_0 x_0 + c_eps eps (B, ...): what the network should answer about x_t."""
    c_0, c_eps = objective(*shares(schedule, t, x_0))
    return c_0 * x_0 + c_eps * eps


def as_eps(objective: Objective, schedule: Process, t: Times):
    """a, b of eps_hat = a x_t + b out, float64, each shaped like t; t > 0.
    x_t = signal x_0 + noise eps and out = c_0 x_0 + c_eps eps are solved for eps."""
    signal, noise = schedule.signal_and_noise(t)
    c_0, c_eps = objective(signal, noise)
    determinant = signal * c_eps - noise * c_0
    return -c_0 / determinant, signal / determinant


@dataclass(frozen=True, eq=False)
class Denoiser:
    """eps_theta(x_t, t) of a network that was trained on `objective`; network(x_t, t) -> out."""

    network: protocols.Denoiser
    objective: Objective
    schedule: Process

    def __call__(self, x_t: Array, t: Times) -> Array:
        """eps_hat = a x_t + b out, (B, ...)."""
        a, b = as_eps(self.objective, self.schedule, t)
        return like(x_t, a) * x_t + like(x_t, b) * self.network(x_t, t)


def l_simple(eps_hat: Array, eps: Array, weight=None):
    """L_simple = 1/B sum_b ||eps_b - eps_hat_b||^2,  dL/deps_hat = 2/B (eps_hat - eps).    [DDPM eq. 14]
    eps_hat, eps (B, ...) -> loss (a float), deps_hat. eps may be any other target; row b counts weight_b
    times, if given. The least loss is not 0: x_t does not determine eps. Raises ValueError for unequal
    shapes, which would broadcast."""
    if eps_hat.shape != eps.shape:
        raise ValueError(f"eps_hat and eps must have one shape, got {eps_hat.shape} and {eps.shape}")
    error = eps_hat - eps
    weighted = error if weight is None else like(error, weight) * error
    loss = float(np.sum(weighted.astype(np.float64) * error)) / len(eps)
    return loss, (2 / len(eps)) * weighted


def loss_and_grads(model: Model, params: Array, x_t: Array, t: Times, target: Array, *label, weight=None):
    """L_simple of the model's answers about x_t, and its gradient by params. A label is handed on to it."""
    out, cache = model.forward(params, x_t, t, *label)
    loss, dout = l_simple(out, target, weight)
    return loss, model.backward(dout, cache)


def derived(schedule: Schedule, t: Times) -> Array:
    """w = beta_t^2 / (2 var alpha_t (1 - ab_t)), var = beta_t: eps's error in the ELBO.    [DDPM eq. 12]"""
    variance = 1 - schedule.alpha_bar[t]
    return schedule.beta[t] / (2 * schedule.alpha[t] * variance)


def min_snr(schedule: Process, t: Times, gamma=5.0) -> Array:
    """w = min(SNR_t, gamma) / SNR_t: x_0's error counts min(SNR_t, gamma).    [Min-SNR section 3.4]"""
    ratio = snr(schedule, t)
    return np.minimum(ratio, gamma) / ratio


def weight_of(weight, objective: Objective, schedule: Process, t: Times) -> Array:
    """What the answer's squared error counts at t, w b^2: eps_hat's error is b times as large.
    weight is a function like derived: w of eps_hat's squared error."""
    _, b = as_eps(objective, schedule, t)
    return weight(schedule, t) * b**2
