"""Lecture 1: variants of the step back: a learned variance, DDIM with some fresh noise, DDIM reversed, other subsequences."""

import math

import numpy as np

from ... import sampling
from .. import oracles
from ..entry import COUNT, POSITIVE, REAL, SHARE, Case, Formula

FULL = {"sigma": ("", "eta times the posterior's standard deviation"), "z": (REAL, "fresh noise")}
BACK = {
    "x_s": (REAL, "the data at t - 1"),
    "eps_hat": (REAL, "what the denoiser answers at t - 1"),
    "z": (REAL, "fresh noise"),
}
TIMES = {"T": (COUNT, "number of steps in training"), "S": (COUNT, "number of visited times, at most T"),
         "k": (COUNT, "which of them, 1..S")}  # fmt: skip


def _between(c, rng):
    """Where a share v of the way from beta-tilde to beta lies when halves are geometric means: 60 halvings."""
    low, high, at, end = oracles.posterior(c.beta, c.t, c.s, 1.7, 0.6)[1], c.beta[c.t], 0.0, 1.0
    if not low:
        return math.nan  # at t = 1 beta-tilde is 0, which has no logarithm: the paper takes that of t = 2
    for _ in range(60):
        middle, mean = (at + end) / 2, math.sqrt(low * high)
        at, low, end, high = (middle, mean, end, high) if middle < c.v else (at, low, middle, mean)
    return low


def _clean_variance(c, rng):
    """Var(x_0 | x_t) for data of width sigma: Bayes on a grid over x_0."""
    keep, noise = oracles.forward_moments(c.beta, c.t)
    both = lambda x: oracles.log_bell(x, 0.4, c.sigma**2) + oracles.log_bell(0.6, keep * x, noise)  # noqa: E731
    return oracles.refined_moments(both, 0.4, 12 * c.sigma + 12)[1]


def _sigma(c):
    """The sigma of eta, in plain numbers."""
    ab_t, ab_s = (float(c.alpha_bar[i]) for i in (c.t, c.t - 1))
    return {"sigma": float(c.eta) * math.sqrt((1 - ab_s) / (1 - ab_t) * (1 - ab_t / ab_s))}


def _partly_fresh(c, rng):
    """x_{t-1} of the x_0 and eps_hat that make x_t: fresh noise is a share eta of the posterior's width, by Bayes on a grid.

    The old noise gets the weight, by bisection, with which both together have the chain's variance.
    """
    mean, var = oracles.forward_moments(c.beta, c.s, mean=oracles.x_0_from_eps(c.beta, c.t, c.x_t, c.eps_hat))
    fresh = c.eta * math.sqrt(oracles.posterior(c.beta, c.t, c.s, 1.7, 0.6)[1])
    return (
        mean + oracles.root(lambda old: old * old + fresh * fresh - var, 0.0, 1.0) * c.eps_hat + fresh * c.z
    )


def _ask_step(f, c):
    """The library's step with this eps_hat and z."""
    rng = Case(standard_normal=lambda shape, dtype: np.full(shape, c.z, dtype))
    return f(c.eta)(lambda x, t: np.array([c.eps_hat]), c.schedule, np.array([c.x_t]), c.t, c.s, rng)[0]


def _onwards(c, rng):
    """x_t of the x_0 and eps_hat that make x_{t-1}: x_0 by bisection, then noised to t with the same noise."""
    x_0 = oracles.x_0_from_eps(c.beta, c.s, c.x_s, c.eps_hat)
    mean, var = oracles.forward_moments(c.beta, c.t, mean=x_0)
    return mean + math.sqrt(var) * c.eps_hat


def _jump(c, rng):
    """The variance of the noise that the steps from tau_{i-1} to tau_i add, one after the other."""
    return oracles.forward_moments(c.beta, int(c.tau[c.i]), int(c.tau[c.i - 1]), var=0.0)[1]


def _ask_jump(f, c):
    """The library's variance of the jump; at tau_0 = 0 it adds no noise by choice."""
    return f(c.schedule, int(c.tau[c.i]), int(c.tau[c.i - 1])) if c.tau[c.i - 1] else math.nan


def _leading(c, rng):
    """The k-th time from below: the longest stride of which S fit into T, counted, then k - 1 of them from 1 on."""
    stride = max(n for n in range(1, c.T + 1) if c.S * n <= c.T)
    return range(1, c.T + 1, stride)[c.k - 1]


def _fitting(c):
    """T at least S and k at most S; where the drawn T is less, one that S does not divide."""
    T = c.T if c.T >= c.S else c.T * c.S + 1
    return {"T": T, "k": min(c.k, c.S)}


TILDE = "((1 - alpha_bar[t-1]) / (1 - alpha_bar[t]) * beta[t])"
X_0_HAT = "((x_t - sqrt(1 - alpha_bar[t]) * eps_hat) / sqrt(alpha_bar[t]))"
X_0_OF_S = "((x_s - sqrt(1 - alpha_bar[t-1]) * eps_hat) / sqrt(alpha_bar[t-1]))"

# fmt: off
ENTRIES = [
    Formula(
        name="learned-variance", number=29, lecture=1, title="A learned variance: between beta-tilde and beta",
        latex=r"\sigma_t^2 = \exp(v\log\beta_t + (1-v)\log\tilde\beta_t),\quad"
              r"\tilde\beta_t = \frac{1-\bar\alpha_{t-1}}{1-\bar\alpha_t}\beta_t",
        why="Near the data the two differ by orders of magnitude, so the network chooses a place between their logarithms.",
        letters="beta t v", own={"v": (SHARE, "what the network answers beside the noise")},
        answer=f"exp(v * log(beta[t]) + (1 - v) * log{TILDE})",
        oracle=_between, measured="beta-tilde by Bayes on a grid, then halving the way by geometric means",
        wrong=(
            (f"v * beta[t] + (1 - v) * {TILDE}", "the logarithms are mixed, not the variances"),
            (f"exp((1 - v) * log(beta[t]) + v * log{TILDE})", "v and 1 - v are swapped: v = 1 is beta"),
            (f"v * log(beta[t]) + (1 - v) * log{TILDE}", "that is the logarithm of the variance"),
            (f"exp((v * log(beta[t]) + (1 - v) * log{TILDE}) / 2)", "that is the standard deviation"),
            (f"beta[t]**v + {TILDE}**(1 - v)", "a sum of logarithms is a product"),
            ("v * beta[t]", "v is a place between the two, not a share of beta"),
        ),
    ),
    Formula(
        name="clean-variance", number=30, lecture=1, title="Doubt about x_0 at x_t, N(mu, sigma^2) data",
        latex=r"\mathrm{Var}(x_0\,|\,x_t) = \frac{\sigma^2\,(1-\bar\alpha_t)}{\bar\alpha_t\,\sigma^2 + 1 - \bar\alpha_t}",
        why="The prior and x_t are two measurements of the picture: with much noise the prior's width is left.",
        letters="beta t sigma", own={"sigma": (POSITIVE, "standard deviation of the data")},
        answer="sigma**2 * (1 - alpha_bar[t]) / (alpha_bar[t] * sigma**2 + 1 - alpha_bar[t])",
        oracle=_clean_variance, measured="Bayes on a grid over x_0",
        wrong=(
            ("(1 - alpha_bar[t]) / alpha_bar[t]", "that is what x_t tells alone: the data's own width is known as well"),
            ("alpha_bar[t] * sigma**2 / (alpha_bar[t] * sigma**2 + 1 - alpha_bar[t])", "that is the doubt about eps"),
            ("sigma**2", "that is the doubt before x_t is seen"),
            ("1 - alpha_bar[t]", "that is Var(x_t | x_0), the other way round"),
            ("sigma * (1 - alpha_bar[t]) / (alpha_bar[t] * sigma + 1 - alpha_bar[t])", "sigma stands where sigma^2 belongs"),
            ("sigma**2 * (1 - alpha[t]) / (alpha[t] * sigma**2 + 1 - alpha[t])", "alpha_t is one step's; x_0 is t steps away"),
        ),
    ),
    Formula(
        name="ddim-inversion", number=34, lecture=1, title="DDIM reversed: from a picture to its noise",
        latex=r"x_t = \sqrt{\bar\alpha_t}\,\frac{x_{t-1} - \sqrt{1-\bar\alpha_{t-1}}\,\epsilon_\theta}{\sqrt{\bar\alpha_{t-1}}}"
              r" + \sqrt{1-\bar\alpha_t}\,\epsilon_\theta,\quad \epsilon_\theta = \epsilon_\theta(x_{t-1}, t-1)",
        why="The same step towards noise; x_t is not known yet, so the denoiser is asked at x_{t-1}, which is nearly right.",
        letters="beta t x_s eps_hat z", own=BACK, asks={"eps_hat": ("x_s", "t - 1")},
        answer=f"sqrt(alpha_bar[t]) * {X_0_OF_S} + sqrt(1 - alpha_bar[t]) * eps_hat",
        oracle=_onwards, measured="bisection for the x_0 that eps_hat takes to x_{t-1}, noised to t with the same eps_hat",
        wrong=(
            ("sqrt(alpha[t]) * x_s + sqrt(beta[t]) * z", "fresh noise: that is a forward step, from which no way leads back"),
            ("sqrt(alpha[t]) * x_s + sqrt(beta[t]) * eps_hat",
             "variances add for fresh noise; here more of one and the same noise comes in, so its weights add"),
            (f"sqrt(alpha_bar[t]) * {X_0_OF_S} + sqrt(1 - alpha_bar[t-1]) * eps_hat", "the noise belongs to t"),
            ("sqrt(alpha_bar[t-1]) * (x_s - sqrt(1 - alpha_bar[t]) * eps_hat) / sqrt(alpha_bar[t])"
             " + sqrt(1 - alpha_bar[t-1]) * eps_hat", "that is DDIM's step towards data: the two times are exchanged"),
            ("sqrt(alpha_bar[t]) * x_s + sqrt(1 - alpha_bar[t]) * eps_hat", "that noises x_{t-1} as if it were clean"),
            (f"sqrt(alpha_bar[t]) * {X_0_OF_S} - sqrt(1 - alpha_bar[t]) * eps_hat", "the sign: the noise is put back"),
        ),
    ),
    Formula(
        name="leading-times", number=35, lecture=1, title="A subsequence from below: its k-th time",
        latex=r"\tau_k = 1 + (k-1)\,\lfloor T/S\rfloor,\quad k = 1..S",
        why="Even strides from 1 on: it visits t = 1 but not T, and yet sampling starts there from pure noise.",
        letters="T S k", own=TIMES, derive=_fitting, answer="1 + (k-1) * floor(T/S)",
        oracle=_leading, measured="the longest stride of which S fit into T, counted; strides added from 1 on",
        source=sampling.leading, value=lambda f, c: f(c.T, c.S)[c.S - c.k],
        wrong=(
            ("k * T/S", "that are the times from above, which end at T"),
            ("(k-1) * floor(T/S)", "the first visited time is 1: at 0 there is no noise to take away"),
            ("1 + (k-1) * T/S", "the stride is rounded down to whole steps"),
            ("k * floor(T/S)", "it starts at 1, not a stride later"),
            ("1 + k * floor(T/S)", "k counts from 1, so the first time has no stride before it"),
            ("1 + (k-1) * S", "S is the number of times, not the stride"),
        ),
    ),
    Formula(
        name="respaced-beta", number=36, lecture=1, title="beta of a jump on a subsequence",
        latex=r"\beta_i' = 1 - \frac{\bar\alpha_{\tau_i}}{\bar\alpha_{\tau_{i-1}}}",
        why="A jump keeps the product of its steps' alphas; with these betas the subsequence is a schedule of its own.",
        letters="beta tau i", answer="1 - alpha_bar[tau[i]] / alpha_bar[tau[i-1]]",
        oracle=_jump, measured="the noise that the steps from tau_{i-1} to tau_i add, one after the other",
        source=sampling.beta_of_step, value=_ask_jump,
        wrong=(
            ("beta[tau[i]]", "that is the jump's last step alone"),
            ("sum(beta[j] for j in tau[i-1]+1..tau[i])", "earlier noise of the jump shrinks with its later steps"),
            ("prod(beta[j] for j in tau[i-1]+1..tau[i])", "the shares of signal multiply, not those of noise"),
            ("1 - alpha_bar[tau[i]]", "that is all the noise from 0 on; the jump starts at tau_{i-1}"),
            ("alpha_bar[tau[i]] / alpha_bar[tau[i-1]]", "that is the jump's alpha"),
            ("alpha_bar[tau[i-1]] - alpha_bar[tau[i]]", "the share lost is relative to what was left at tau_{i-1}"),
        ),
    ),
    Formula(
        name="ddim-full-step", number=37, lecture=1, title="DDIM's step with fresh noise",
        latex=r"x_{t-1} = \sqrt{\bar\alpha_{t-1}}\,\hat x_0 + \sqrt{1-\bar\alpha_{t-1}-\sigma_t^2}\,\epsilon_\theta"
              r" + \sigma_t z,\quad \sigma_t = \eta\sqrt{\tilde\beta_t}",
        why="Fresh noise takes the place of some of the old, so that together they are as much as belongs at t - 1.",
        letters="beta t x_t eps_hat x_0_hat eta sigma z", own=FULL, derive=_sigma,
        answer=f"sqrt(alpha_bar[t-1]) * {X_0_HAT} + sqrt(1 - alpha_bar[t-1] - sigma**2) * eps_hat + sigma * z",
        oracle=_partly_fresh, measured="the posterior's width by Bayes on a grid; x_0 and the old noise's weight by bisection",
        source=sampling.ddim_step, value=_ask_step,
        wrong=(
            (f"sqrt(alpha_bar[t-1]) * {X_0_HAT} + sqrt(1 - alpha_bar[t-1]) * eps_hat + sigma * z",
             "-sigma^2 is missing under the root: fresh noise on top of all the old is too much"),
            (f"sqrt(alpha_bar[t-1]) * {X_0_HAT} + (sqrt(1 - alpha_bar[t-1]) - sigma) * eps_hat + sigma * z",
             "variances subtract, not standard deviations"),
            (f"sqrt(alpha_bar[t-1]) * {X_0_HAT} + sqrt(1 - alpha_bar[t-1] - sigma**2) * eps_hat + sigma**2 * z",
             "the weight of z is a standard deviation"),
            (f"sqrt(alpha_bar[t-1]) * {X_0_HAT} + sqrt(1 - alpha_bar[t-1] - eta**2) * eps_hat + eta * z",
             "eta is a share of the posterior's width, not a standard deviation"),
            (f"sqrt(alpha_bar[t-1]) * {X_0_HAT} + sqrt(1 - alpha_bar[t] - sigma**2) * eps_hat + sigma * z",
             "the noise belongs to t - 1, as the signal does"),
            (f"sqrt(alpha_bar[t-1]) * {X_0_HAT} + sqrt(1 - alpha_bar[t-1] - sigma**2) * eps_hat",
             "the fresh noise is missing: room was made for it"),
            (f"sqrt(alpha_bar[t-1]) * {X_0_HAT} + sqrt(1 - alpha_bar[t-1]) * eps_hat", "that is DDIM with eta = 0"),
        ),
    ),
]
