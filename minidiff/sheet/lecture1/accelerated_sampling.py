"""Lecture 1: DDIM and DDPM on a subsequence tau of the times, DDIM's eta, and how many evaluations that saves."""

import math

import numpy as np

from ... import gaussian, sampling
from .. import oracles
from ..entry import COUNT, REAL, Case, Formula

HERE = {"x_t": (REAL, "noisy data at tau_i"), "eps_hat": (REAL, "what the denoiser answers there")}


def _times(c):
    return int(c.tau[c.i]), int(c.tau[c.i - 1])


def _clean(c, t):
    """The x_0 that eps_hat takes to x_t, found by bisection."""
    return oracles.x_0_from_eps(c.beta, t, c.x_t, c.eps_hat)


def _same_noise(c, rng):
    """x at tau_{i-1} of the picture and noise that make x at tau_i."""
    t, s = _times(c)
    mean, var = oracles.forward_moments(c.beta, s, mean=_clean(c, t))
    return mean + math.sqrt(var) * c.eps_hat


def _bayes(c, rng):
    """Mean and variance of x at tau_{i-1} given x_t and the x_0 that eps_hat implies: Bayes on a grid."""
    t, s = _times(c)
    return oracles.posterior(c.beta, t, s, _clean(c, t) if "x_t" in c else 1.7, c.get("x_t", 0.6))


def _ask(step, c, t, s, x_t=0.0, eps_hat=0.0, z=0.0):
    """What the library's step makes of these numbers."""
    rng = Case(standard_normal=lambda shape, dtype: np.full(shape, z, dtype))
    return step(lambda x, t: np.array([eps_hat]), c.schedule, np.array([x_t]), t, s, rng)[0]


def _calls(times):
    """How often DDIM asks the denoiser along these times: the calls, counted."""
    calls, t = 0, times[0]
    for s in times[1:]:
        calls, t = calls + 1, s
    return calls if t == 0 else math.nan


def _speed_up(c, rng):
    """Calls of a run over all T times divided by calls of a run over S of them."""
    few = [round(k * c.T / c.S) for k in range(c.S, -1, -1)]
    return _calls(range(c.T, -1, -1)) / _calls(few)


X_0_HAT = "((x_t - sqrt(1 - alpha_bar[tau[i]]) * eps_hat) / sqrt(alpha_bar[tau[i]]))"
A = "(alpha_bar[tau[i]] / alpha_bar[tau[i-1]])"
SPEED = {"own": {"T": (COUNT, "number of steps in training"), "S": (COUNT, "number of visited times, at most T")},
         "derive": lambda c: {"S": min(c.S, c.T)}}  # fmt: skip
IMPLIED = "Bayes on a grid from tau_i to tau_{i-1}, for the x_0 that eps_hat takes to x_t"

# fmt: off
ENTRIES = [
    Formula(
        name="ddim-skip", number=35, lecture=1, title="DDIM's step on a subsequence",
        latex=r"x_{\tau_{i-1}} = \sqrt{\bar\alpha_{\tau_{i-1}}}\,\hat x_0 + \sqrt{1-\bar\alpha_{\tau_{i-1}}}\,\epsilon_\theta,"
              r"\quad\bar\alpha_{\tau_0} = 1",
        why="The step knows t only through alpha_bar, so any earlier time will do.",
        letters="beta tau i x_t eps_hat x_0_hat", own=HERE, asks={"eps_hat": ("x_t", "tau[i]")},
        answer=f"sqrt(alpha_bar[tau[i-1]]) * {X_0_HAT} + sqrt(1 - alpha_bar[tau[i-1]]) * eps_hat",
        oracle=_same_noise, measured="bisection for the x_0 that eps_hat takes to x_t, noised to tau_{i-1} with eps_hat",
        source=sampling.ddim_step, value=lambda f, c: _ask(f(), c, *_times(c), c.x_t, c.eps_hat),
        wrong=(
            (f"sqrt(alpha_bar[tau[i]-1]) * {X_0_HAT} + sqrt(1 - alpha_bar[tau[i]-1]) * eps_hat",
             "tau_i - 1 is the time before, tau_{i-1} the one visited next"),
            (f"sqrt(alpha_bar[i-1]) * {X_0_HAT} + sqrt(1 - alpha_bar[i-1]) * eps_hat",
             "i counts the visited times; alpha_bar wants tau_i"),
            (f"sqrt(alpha[tau[i-1]]) * {X_0_HAT} + sqrt(1 - alpha[tau[i-1]]) * eps_hat",
             "alpha is one step's; here it is alpha_bar"),
            ("sqrt(alpha_bar[tau[i-1]]) * (x_t - sqrt(1 - alpha[tau[i]]) * eps_hat) / sqrt(alpha[tau[i]])"
             " + sqrt(1 - alpha_bar[tau[i-1]]) * eps_hat", "x_0-hat needs alpha_bar at tau_i: alpha undoes a single step"),
            (f"sqrt(alpha_bar[tau[i-1]]) * {X_0_HAT} + sqrt(1 - alpha_bar[tau[i]]) * eps_hat",
             "the noise belongs to tau_{i-1}, as the signal does"),
            ("x_t", "that stays where it is"),
            (X_0_HAT, "that jumps to the guessed picture at once"),
        ),
    ),
    Formula(
        name="ddim-skip-end", number=35, lecture=1, title="DDIM's last step on a subsequence",
        latex=r"x_0 = \frac{x_t - \sqrt{1-\bar\alpha_{\tau_1}}\,\epsilon_\theta}{\sqrt{\bar\alpha_{\tau_1}}},\quad t = \tau_1",
        why="alpha_bar at tau_0 = 0 is 1: the last step keeps the guessed picture and puts no noise back.",
        letters="beta tau x_t eps_hat", asks={"eps_hat": ("x_t", "tau[1]")},
        own={**HERE, "x_t": (REAL, "noisy data at tau_1, the last noisy time")},
        answer="(x_t - sqrt(1 - alpha_bar[tau[1]]) * eps_hat) / sqrt(alpha_bar[tau[1]])",
        oracle=lambda c, rng: _clean(c, int(c.tau[1])), measured="bisection for the x_0 that eps_hat takes to x_t at tau_1",
        source=sampling.ddim_step, value=lambda f, c: _ask(f(), c, int(c.tau[1]), 0, c.x_t, c.eps_hat),
        wrong=(
            ("x_t", "that stops at tau_1: one more step leads to tau_0 = 0"),
            ("(x_t - sqrt(1 - alpha[tau[1]]) * eps_hat) / sqrt(alpha[tau[1]])",
             "alpha undoes one step, but tau_1 may be many steps from 0"),
            ("(x_t - beta[tau[1]] / sqrt(1 - alpha_bar[tau[1]]) * eps_hat) / sqrt(alpha[tau[1]])",
             "that is DDPM's mean, one step of the many below tau_1"),
            ("(x_t - sqrt(1 - alpha_bar[1]) * eps_hat) / sqrt(alpha_bar[1])", "the last visited time is tau_1, not 1"),
            ("(x_t - sqrt(1 - alpha_bar[tau[1]]) * eps_hat) / sqrt(alpha_bar[tau[1]]) + sqrt(1 - alpha_bar[1]) * eps_hat",
             "at tau_0 = 0 no noise is put back"),
        ),
    ),
    Formula(
        name="skipped-ddpm-mean", number=36, lecture=1, title="DDPM's step on a subsequence: the mean",
        latex=r"\mu_i = \frac{1}{\sqrt{a}}\left(x_t - \frac{1-a}{\sqrt{1-\bar\alpha_{\tau_i}}}\,\epsilon_\theta\right),"
              r"\quad a = \bar\alpha_{\tau_i}/\bar\alpha_{\tau_{i-1}}",
        why="Several steps merge into one whose alpha is the product of theirs.",
        letters="beta tau i x_t eps_hat x_0_hat", own=HERE, asks={"eps_hat": ("x_t", "tau[i]")},
        answer=f"(x_t - (1 - {A}) / sqrt(1 - alpha_bar[tau[i]]) * eps_hat) / sqrt({A})",
        oracle=lambda c, rng: _bayes(c, rng)[0], measured=IMPLIED,
        source=sampling.ddpm_step, value=lambda f, c: _ask(f(), c, *_times(c), c.x_t, c.eps_hat),
        wrong=(
            ("(x_t - (1 - alpha[tau[i]]) / sqrt(1 - alpha_bar[tau[i]]) * eps_hat) / sqrt(alpha[tau[i]])",
             "alpha at tau_i is that of one step; the jump is over tau_i - tau_{i-1} of them"),
            (f"(x_t - (1 - {A}) / sqrt(1 - {A}) * eps_hat) / sqrt({A})",
             "below stands all the noise in x, sqrt(1 - alpha_bar at tau_i)"),
            (f"(x_t - (1 - {A}) / sqrt(1 - alpha_bar[tau[i-1]]) * eps_hat) / sqrt({A})", "the noise in x is that of tau_i"),
            (f"(x_t - (1 - {A}) / sqrt(1 - alpha_bar[tau[i]]) * eps_hat) / {A}", "the jump shrank by sqrt(a)"),
            (f"x_t - (1 - {A}) / sqrt(1 - alpha_bar[tau[i]]) * eps_hat", "1/sqrt(a) is missing"),
            (f"(x_t - (1 - {A}) / sqrt(1 - alpha_bar[tau[i]]) * eps_hat) / sqrt(alpha_bar[tau[i]])",
             "that undoes the shrinking all the way to 0, not to tau_{i-1}"),
            (f"sqrt(alpha_bar[tau[i-1]]) * {X_0_HAT} + sqrt(1 - alpha_bar[tau[i-1]]) * eps_hat",
             "that is DDIM's step: DDPM's mean leaves room for fresh noise"),
        ),
    ),
    Formula(
        name="skipped-ddpm-variance", number=36, lecture=1, title="DDPM's step on a subsequence: the variance",
        latex=r"\sigma_i^2 = \frac{1-\bar\alpha_{\tau_{i-1}}}{1-\bar\alpha_{\tau_i}}\,(1-a),"
              r"\quad a = \bar\alpha_{\tau_i}/\bar\alpha_{\tau_{i-1}}",
        why="A longer jump leaves more doubt, so it adds more fresh noise.",
        letters="beta tau i", answer=f"(1 - alpha_bar[tau[i-1]]) / (1 - alpha_bar[tau[i]]) * (1 - {A})",
        oracle=lambda c, rng: _bayes(c, rng)[1], measured="Bayes on a grid from tau_i to tau_{i-1}",
        source=gaussian.posterior,
        value=lambda f, c: f(c.schedule, np.array([1.7]), np.array([0.6]), *_times(c))[1].item(),
        wrong=(
            ("(1 - alpha_bar[tau[i-1]]) / (1 - alpha_bar[tau[i]]) * beta[tau[i]]",
             "beta at tau_i is the noise of one step; the jump has 1 - a"),
            ("(1 - alpha_bar[tau[i]-1]) / (1 - alpha_bar[tau[i]]) * beta[tau[i]]", "that is the variance of a single step"),
            ("(1 - alpha_bar[tau[i-1]]) / (1 - alpha_bar[tau[i]]) * sum(beta[j] for j in tau[i-1]+1..tau[i])",
             "the betas of the jump do not add: earlier noise shrinks"),
            (f"1 - {A}", "that is the other choice, beta of the jump: right for N(0, 1) data"),
            (f"(1 - alpha_bar[tau[i]]) / (1 - alpha_bar[tau[i-1]]) * (1 - {A})", "the ratio is inverted"),
            (f"sqrt((1 - alpha_bar[tau[i-1]]) / (1 - alpha_bar[tau[i]]) * (1 - {A}))", "that is the standard deviation"),
            ("0", "that is DDIM: no fresh noise"),
        ),
    ),
    Formula(
        name="ddim-eta", number=37, lecture=1, title="DDIM's eta",
        latex=r"\sigma_t = \eta\,\sqrt{\frac{1-\bar\alpha_{t-1}}{1-\bar\alpha_t}}\,"
              r"\sqrt{1-\frac{\bar\alpha_t}{\bar\alpha_{t-1}}}",
        why="One knob from DDIM (0) to DDPM (1); the paper's alpha is our alpha_bar.",
        letters="beta t eta",
        answer="eta * sqrt((1 - alpha_bar[t-1]) / (1 - alpha_bar[t])) * sqrt(1 - alpha_bar[t] / alpha_bar[t-1])",
        oracle=lambda c, rng: c.eta * math.sqrt(oracles.posterior(c.beta, c.t, c.s, 1.7, 0.6)[1]),
        measured="that share of the posterior's standard deviation, by Bayes on a grid",
        source=sampling.ddim_step, value=lambda f, c: _ask(f(c.eta), c, c.t, c.s, z=1.0),
        wrong=(
            ("eta * (1 - alpha_bar[t-1]) / (1 - alpha_bar[t]) * (1 - alpha_bar[t] / alpha_bar[t-1])",
             "both roots are missing: sigma is a standard deviation"),
            ("eta**2 * (1 - alpha_bar[t-1]) / (1 - alpha_bar[t]) * (1 - alpha_bar[t] / alpha_bar[t-1])",
             "that is sigma^2"),
            ("eta**2 * sqrt((1 - alpha_bar[t-1]) / (1 - alpha_bar[t])) * sqrt(1 - alpha_bar[t] / alpha_bar[t-1])",
             "eta is squared in the variance; sigma has eta itself"),
            ("sqrt(eta) * sqrt((1 - alpha_bar[t-1]) / (1 - alpha_bar[t])) * sqrt(1 - alpha_bar[t] / alpha_bar[t-1])",
             "eta is a share of sigma, not of the variance"),
            ("eta * sqrt(beta[t])", "eta = 1 is DDPM with beta-tilde, not with beta"),
            ("eta * sqrt((1 - alpha[t-1]) / (1 - alpha[t])) * sqrt(1 - alpha[t] / alpha[t-1])",
             "the paper's alpha is our alpha_bar"),
            ("eta * sqrt(1 - alpha_bar[t-1])", "that is a share of the widest sigma; eta = 1 is DDPM's"),
            ("eta", "eta is a share, not a standard deviation"),
        ),
    ),
    Formula(
        name="nfe", number=38, lecture=1, title="Evaluations of the denoiser on a subsequence",
        latex=r"\mathrm{NFE} = S",
        why="The network is nearly all the cost, and each step asks it once.",
        letters="T S", **SPEED, answer="S",
        oracle=lambda c, rng: _calls([round(k * c.T / c.S) for k in range(c.S, -1, -1)]),
        measured="the calls counted",
        source=sampling.trailing, value=lambda f, c: len(f(c.T, c.S)) - 1,
        wrong=(
            ("S + 1", "there are S + 1 times with tau_0 = 0, but S steps between them"),
            ("S - 1", "the step from tau_1 to tau_0 = 0 asks the denoiser too"),
            ("T", "that is without skipping"),
            ("T / S", "that is the speed-up"),
            ("T - S", "that is what is saved"),
            ("2 * S", "DDIM asks once a step; twice is Heun's solver, or guidance"),
        ),
    ),
    Formula(
        name="speed-up", number=38, lecture=1, title="Speed-up of a subsequence",
        latex=r"\mathrm{speedup} = \frac{T}{S}",
        why="A sampler of S steps asks the same network S times instead of T.",
        letters="T S", **SPEED, answer="T / S",
        oracle=_speed_up, measured="the calls counted, over all T times and over S of them",
        source=sampling.trailing, value=lambda f, c: c.T / (len(f(c.T, c.S)) - 1),
        wrong=(
            ("S / T", "inverted: fewer steps are faster"),
            ("S", "that is the number of steps: S = 100 of 1000 is 10 times as fast"),
            ("T - S", "that is the number of steps saved; a speed-up is a ratio"),
            ("T / (S + 1)", "there are S + 1 times with tau_0 = 0, but S steps between them"),
            ("(T / S)**2", "the cost is proportional to the steps"),
            ("1 - S / T", "that is the share saved"),
        ),
    ),
]
