"""Lecture 1, DDIM: the same marginals without fresh noise."""

import math

import numpy as np

from . import oracles
from .entry import Formula


def _same_noise(c, rng):
    """x_{t-1} of the picture and noise that make x_t: the picture found by halving, then noised anew to t - 1."""

    def noised(x_0, t):
        mean, var = oracles.walk(c.beta, t, mean=x_0)
        return mean + math.sqrt(var) * c.eps_hat

    return noised(oracles.root(lambda x_0: noised(x_0, c.t) - c.x_t, -1e4, 1e4), c.s)


def _ask_step(f, c):
    """The library's step with a denoiser that answers eps_hat."""
    return f()(lambda x_t, t: np.array([[c.eps_hat]]), c.schedule, np.array([[c.x_t]]), c.t, c.s, None)[0, 0]


X_0_HAT = "(x_t - sqrt(1 - alpha_bar[t]) * eps_hat) / sqrt(alpha_bar[t])"

# fmt: off
ENTRIES = [
    Formula(
        name="ddim-step", number=34, lecture=1, title="DDIM's step",
        latex=r"x_{t-1} = \sqrt{\bar\alpha_{t-1}}\,\hat x_0 + \sqrt{1-\bar\alpha_{t-1}}\,\epsilon_\theta",
        why="Guess the picture, then put back the same noise, as much as belongs at t - 1.",
        letters="beta t x_t eps_hat z", answer=f"sqrt(alpha_bar[t-1]) * {X_0_HAT} + sqrt(1 - alpha_bar[t-1]) * eps_hat",
        oracle=_same_noise, measured="halving for the x_0 that eps_hat takes to x_t, noised to t - 1 with the same eps_hat",
        source="sample.ddim", value=_ask_step,
        wrong=(
            (f"sqrt(alpha_bar[t-1]) * {X_0_HAT} + sqrt(1 - alpha_bar[t-1]) * z",
             "fresh noise: the I of DDIM stands for implicit, the step is deterministic and puts back eps_theta itself"),
            (f"sqrt(alpha_bar[t-1]) * {X_0_HAT} + sqrt(1 - alpha_bar[t]) * eps_hat",
             "the noise belongs to t - 1, as the signal does"),
            (f"sqrt(alpha[t-1]) * {X_0_HAT} + sqrt(1 - alpha[t-1]) * eps_hat", "DDIM's alpha is our alpha_bar"),
            ("(x_t - beta[t] / sqrt(1 - alpha_bar[t]) * eps_hat) / sqrt(alpha[t])",
             "that is DDPM's step without its noise (z = 0), which shrinks the samples: another mean"),
            (f"sqrt(alpha_bar[t-1]) * {X_0_HAT}", "the noise is to be put back"),
        ),
    ),
]
