"""What the quiz asks about scores, SDEs and solvers: with numbers (ASKED), without (CONCEPTS; see ../concepts.py)."""

import numpy as np

from ...continuous import ode, sde, solvers
from ...continuous.process import continuous
from ...ddpm import sample
from ...exact import Mixture
from ...sampling import ddim_step, trailing
from ..concepts import LINEAR, TWO_BUMPS, T, ask, near, rng, spread


def _sampled(step, seed):
    """Samples from one x_T with the perfect denoiser for two bumps."""
    x_T, eps_theta = rng().standard_normal((4, 1)), TWO_BUMPS.eps_theta(continuous(LINEAR))
    return [*sample(step, eps_theta, LINEAR, x_T, trailing(T, 10), np.random.default_rng(seed))][-1]


def _seen(step):
    """What the seed changes."""
    return abs(_sampled(step, 1) - _sampled(step, 2)).max()


def _walked(z_scale, steps=400, a=0.1):
    """Standard deviation of Langevin's walkers on N(0, 1) data, from N(0, 1)."""
    x, draw = rng().standard_normal(500), rng()
    for _ in range(steps):
        x = sde.langevin_step(-x, x, a, z_scale * draw.standard_normal(500))
    return x.std()


def _settled(a):
    """Where the variance of Langevin's steps of size a settles for N(0, 1) data: one step is c x + sqrt(a) z."""
    c, noise = sde.langevin_step(-1.0, 1.0, a, 0.0), sde.langevin_step(0.0, 0.0, a, 1.0)
    return noise**2 / (1 - c**2)


def _half_pull(eps_theta, *rest):
    """The reverse SDE with half of the score."""
    return solvers.reverse_sde(lambda x, t: eps_theta(x, t) / 2, *rest)


def _stirred(cov):
    """Change of the log density under a velocity that turns, v . score, at a point off the axes."""
    x = np.array([[1.0, 0.5]])
    return float(np.sum(np.array([[-0.5, 1.0]]) * Mixture([1.0], [[0.0, 0.0]], [cov]).score(LINEAR, x, 0)))


def _error(method, steps):
    """Error at t = 1 of dx/dt = -x."""
    *_, x = ode.walk(method, lambda x, t: -x, np.ones(1), np.linspace(0, 1, steps + 1))
    return abs(float(x[0]) - np.exp(-1))


# fmt: off
ASKED = {  # by the quiz, instead of the entry's title
    "langevin": "Langevin's step with a/2 before the score",
    "langevin-eta": "Langevin's step with eta before the score",
    "langevin-variance": "The variance at which steps x + a/2 score + sqrt(a) eps settle for Gaussian data",
    "dsm-floor": "The least E(s + eps/sigma)^2 over all s(x_tilde), for data N(mu, sigma_1^2)",
    "kernel-score": "grad log q(x_t | x_0)",
    "vp-diffusion": "g in VP's dx = f dt + g dW",
    "vp-drift": "f in VP's dx = f dt + g dW",
    "vp-sde": "x a short time dt later, by the VP SDE",
    "ve-diffusion": "g in VE's dx = g dW",
    "reverse-sde": "The factor of dt in the reverse SDE (t from T to 0, dt < 0)",
    "pf-ode": "dx/dt of the probability-flow ODE",
    "dsm-target": "The target of denoising score matching, grad log q_sigma(x_tilde | x)",
    "wiener-increment": "W_{t+dt} - W_t for the standard normal eps",
    "karras-sigmas": "Karras' noise level k of n for sampling: level 0 is sigma_max, level n - 1 is sigma_min",
}
CONCEPTS = [
    ask("score", lambda: TWO_BUMPS.score(LINEAR, np.array([[0.0], [0.1]]), 100).ravel(),
        "Two equal bumps at -1 and 1, little noise. What is the score exactly between them?",
        ("0: both pull alike", lambda s: abs(s[0]) < 1e-9 < s[1], "a saddle: a little to one side it pulls to that side"),
        ("large: the density is tiny there", lambda s: abs(s[0]) > 1, "it is the slope of the logarithm, not its height"),
        ("undefined", lambda s: not np.isfinite(s[0]), "the density is small, not 0")),
    ask("langevin", lambda: _walked(0.0),
        "You leave out Langevin's noise. Where do 400 steps take samples of N(0, 1)?",
        ("all to the peak", lambda s: s < 0.01, "the score alone climbs the density"),
        ("they stay N(0, 1)", near(1, 0.2), "noise and pull balance each other; now only the pull is left"),
        ("away from the data", lambda s: s > 1.5, "the score points towards likelier places")),
    ask("langevin-variance", lambda: _settled(1.0),
        "Langevin's steps x + a/2 score + sqrt(a) z have the size a = 1, data N(0, 1). The samples settle",
        ("too wide", lambda v: v > 1.05, "the noise of a long step is more than its pull takes back"),
        ("at the data's variance", near(1, 0.01), "that holds for a -> 0 only"),
        ("too narrow", lambda v: v < 0.95, "the pull is too weak for its noise, not too strong")),
    ask("pf-ode-paths", lambda: [_seen(step) for step in (solvers.pf_ode(ode.euler), solvers.reverse_sde)],
        "Two runs from the same x_T with different seeds, one sampler the ODE's, one the SDE's. Whose agree?",
        ("the ODE's only", lambda d: d[0] == 0 < d[1], "the ODE is a map from noise to data; the SDE draws anew at each step"),
        ("the SDE's only", lambda d: d[1] == 0 < d[0], "the SDE adds fresh noise on the way"),
        ("both: their densities agree", lambda d: d[0] == d[1] == 0, "densities agree, paths do not")),
    ask("reverse-sde", lambda: spread(_half_pull, 30, 0.6) / spread(solvers.reverse_sde, 30, 0.6),
        "In the reverse SDE somebody writes g^2 / 2 before the score, as in the ODE, but keeps the noise. The samples are",
        ("too wide", lambda r: r > 1.1, "half of the pull cannot take back all of the noise"),
        ("right: only the paths differ", near(1, 0.05), "the half belongs to the ODE, which adds no noise"),
        ("too narrow", lambda r: r < 0.9, "the pull is weaker, not stronger")),
    ask("solver-orders", lambda: _error(ode.heun, 20) / _error(ode.heun, 40),
        "Heun's method with twice as many steps: the error at the end becomes",
        ("about a quarter", near(4, 0.4), "order 2: the error goes with the square of the step"),
        ("about half", near(2, 0.4), "that is Euler"),
        ("about a sixteenth", near(16, 2), "that is Runge-Kutta 4")),
    ask("dpm-solver", lambda: abs(_sampled(solvers.dpm_solver_1, 0) - _sampled(ddim_step(), 0)).max(),
        "DPM-Solver-1 and DDIM (eta = 0), the same network, the same times. Their samples",
        ("are the same", lambda d: d < 1e-9, "one step in lambda is DDIM's step, written otherwise"),
        ("differ: one is an exponential integrator", lambda d: d > 1e-3, "DDIM is that integrator"),
        ("agree only for many steps", lambda d: 1e-9 < d < 1e-3, "they agree for ten, too")),
    ask("null-velocity", lambda: (_stirred(np.eye(2)), _stirred(np.diag([4.0, 1.0]))),
        "A velocity that turns everything around 0 has divergence 0. Which densities does it leave as they are?",
        ("the round ones", lambda c: abs(c[0]) < 1e-9 < abs(c[1]), "the condition is div(p v) = 0: p must not change along v"),
        ("all", lambda c: max(map(abs, c)) < 1e-9, "an oval turns, and is another density"),
        ("none", lambda c: min(map(abs, c)) > 1e-9, "a round one looks the same after a turn")),
]
