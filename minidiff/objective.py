"""What a network is asked: eps, x_0, v or a velocity, and how each answer becomes eps_hat.

    objective       it sees       should answer (target)              eps_hat = a x_t + b out
    eps_prediction  x_t, t        eps                                 out
    x_0_prediction  x_t, t        x_0                                 (x_t - sqrt(ab_t) out) / sqrt(1 - ab_t)
    v_prediction    x_t, t        sqrt(ab_t) eps - sqrt(1 - ab_t) x_0 sqrt(1 - ab_t) x_t + sqrt(ab_t) out
    a flow's        kappa x_t, r  x_0 - eps                           kappa x_t - r out

All samplers ask for eps_hat, so any answer serves all of them. What differs is the harm of an error: at t = T
a wrong eps_hat is divided by sqrt(alpha_bar_T) on its way to x_0_hat (157 times larger on linear), a wrong v
or x_0 is not.
"""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from .arrays import keeps_dtype, on_axes_of
from .gaussian import q_sample, snr, v_from_eps
from .schedule import Schedule


def x_t_and_t(schedule, t):
    """kappa = 1 and t: the network sees x_t and t as they are."""
    return 1.0, t


def the_schedule(schedule):
    """The schedule itself."""
    return schedule


@dataclass(frozen=True, eq=False)
class Objective:
    """target(schedule, x_0, t, eps): what the network should answer, a weighted sum of x_0 and eps.
    A flow also sees(schedule, t) -> (kappa, t_in), kappa x_t in place of x_t, and has its own process."""

    target: Callable
    sees: Callable = x_t_and_t
    process: Callable = the_schedule

    def weights(self, schedule, t):
        """c_0, c_eps of target = c_0 x_0 + c_eps eps, shaped like t: read off at (1, 0) and (0, 1)."""
        one, zero = np.ones(np.shape(t)), np.zeros(np.shape(t))
        return self.target(schedule, one, t, zero), self.target(schedule, zero, t, one)

    def as_eps(self, schedule, t):
        """a, b of eps_hat = a x_t + b out, each shaped like t; t > 0.
        x_t = sqrt(ab_t) x_0 + sqrt(1 - ab_t) eps and out = c_0 x_0 + c_eps eps are solved for eps."""
        (c_0, c_eps), ab_t = self.weights(schedule, t), schedule.at(t, t)
        determinant = np.sqrt(ab_t) * c_eps - np.sqrt(1 - ab_t) * c_0
        return -c_0 / determinant, np.sqrt(ab_t) / determinant

    def example(self, schedule, x_0, t, eps):
        """(x_in, t_in, target): what the network sees and what it should answer; x_0, eps (B, d), t (B,)."""
        kappa, t_in = self.sees(schedule, t)
        x_in = (on_axes_of(x_0, kappa) * q_sample(schedule, x_0, t, eps)).astype(x_0.dtype)
        return x_in, t_in, self.target(schedule, x_0, t, eps)


eps_prediction = Objective(lambda schedule, x_0, t, eps: eps)
x_0_prediction = Objective(lambda schedule, x_0, t, eps: x_0)
v_prediction = Objective(v_from_eps)


def l_simple(eps_hat, eps, weight=None):
    """L_simple = 1/B sum_b ||eps_b - eps_hat_b||^2,  dL/deps_hat = 2/B (eps_hat - eps).    [DDPM eq. 14]
    eps_hat, eps (B, ...) -> loss (a float), deps_hat. eps may be any other target; row b counts weight_b
    times, if given. The least loss is not 0 but exact.Mixture.loss_floor: x_t does not determine eps. Raises
    ValueError for unequal shapes."""
    if eps_hat.shape != eps.shape:
        raise ValueError(f"eps_hat and eps must have one shape, got {eps_hat.shape} and {eps.shape}")
    error = eps_hat - eps
    weighted = error if weight is None else on_axes_of(error, weight).astype(error.dtype) * error
    loss = float(np.sum(weighted.astype(np.float64) * error)) / len(eps)
    return loss, (2 / len(eps)) * weighted


def loss_and_grads(model, params, x_t, t, eps, weight=None, **label):
    """L_simple of the model on (x_t, t, eps), and its gradient by every parameter."""
    eps_hat, cache = model.forward(params, x_t, t, **label)
    loss, deps_hat = l_simple(eps_hat, eps, weight)
    return loss, model.backward(deps_hat, cache)


def simple(schedule, t):
    """No weight (None): errors count alike at every t, as in L_simple."""


def derived(schedule, t):
    """w = beta_t^2 / (2 var alpha_t (1 - ab_t)), var = beta_t: eps's error in the ELBO.    [DDPM eq. 12]"""
    if not isinstance(schedule, Schedule):
        raise ValueError("the weight derived needs a schedule's steps, which a flow has none of; use simple")
    return schedule.beta[t] / (2 * schedule.alpha[t] * (1 - schedule.alpha_bar[t]))


def min_snr(schedule, t, gamma=5.0):
    """w = min(SNR_t, gamma) / SNR_t: x_0's error counts min(SNR_t, gamma).    [Min-SNR section 3.4]"""
    ratio = snr(schedule, t)
    return np.minimum(ratio, gamma) / ratio


def weight_of(weight, objective, schedule, t):
    """What the answer's squared error counts at t (B,): w b^2, as eps_hat's error is b times larger."""
    w = weight(schedule, t)
    return None if w is None else w * objective.as_eps(schedule, t)[1] ** 2


@dataclass(frozen=True, eq=False)
class Times:
    """Which times training sees, as parts u = t / T of the way: draw(rng, shape) -> u, and cdf(u)."""

    draw: Callable
    cdf: Callable


def logit_normal(mean=0.0, std=1.0):
    """u = sigmoid(mean + std z): the middle, which is hardest, comes most often.    [SD3 section 3.1]"""

    def cdf(u):
        inner = np.clip(u, 1e-300, 1 - 1e-16)
        return np.vectorize(NormalDist(mean, std).cdf)(np.log(inner) - np.log1p(-inner))

    return Times(lambda rng, shape: 1 / (1 + np.exp(-mean - std * rng.standard_normal(shape))), cdf)


uniform = Times(lambda rng, shape: rng.random(shape), lambda u: u)


@dataclass(frozen=True, eq=False)
class Denoiser:
    """eps_theta(x_t, t) of a network that was trained on `objective`; network(x, t) -> its answer."""

    network: object
    objective: Objective
    schedule: object

    @keeps_dtype
    def __call__(self, x_t, t):
        """eps_hat = a x_t + b out, (B, ...)."""
        (a, b), (kappa, t_in) = self.objective.as_eps(self.schedule, t), self.objective.sees(self.schedule, t)
        x_in = (on_axes_of(x_t, kappa) * x_t).astype(x_t.dtype)
        return on_axes_of(x_t, a) * x_t + on_axes_of(x_t, b) * self.network(x_in, t_in)


def denoiser(network, objective, schedule):
    """The network as eps_theta: itself if it learnt eps."""
    return network if objective is eps_prediction else Denoiser(network, objective, schedule)
