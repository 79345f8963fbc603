"""Lecture 1: the forward process. One noising step, all steps at once, how much signal is left."""

import math

import numpy as np

from ... import exact, gaussian, schedule
from .. import oracles
from ..entry import POSITIVE, REAL, Formula

WIDTH = {"sigma": (POSITIVE, "standard deviation of the data")}


def _one_step(c, rng):
    """keep x + add eps: noise add eps has variance beta_t, and keep leaves N(0, 1) data at variance 1. By bisection."""
    x, p = oracles.gaussian_grid(0.0, 1.0)
    unit = p @ x**2
    add = oracles.root(lambda b: b * b * unit - c.beta[c.t], 0.0, 1.0)
    keep = oracles.root(lambda a: a * a * unit + add * add - 1, 0.0, 1.0)
    return keep * c.x_s + add * c.eps


def _merged(c, rng):
    """Var(x_t | x_{t-2}) by two steps, one after the other (at t = 1, by one)."""
    return oracles.forward_moments(c.beta, c.t, c.t - 2, var=0.0)[1]


def _signal_share(c, rng):
    """What the steps up to t leave of a variance of 1 when no noise is added."""
    share = 1.0
    for i in range(1, c.t + 1):
        share -= share * c.beta[i]
    return share


def _closed_form(c, rng):
    """Mean and variance of x_t given x_0: the chain walked step by step."""
    return oracles.forward_moments(c.beta, c.t, mean=c.x_0, var=0.0)


def _noisy(c, rng):
    """x_t for the joint noise eps: mean plus eps standard deviations of the walked chain."""
    mean, var = _closed_form(c, rng)
    return mean + math.sqrt(var) * c.eps


def variance_of(draws):
    """(variance, bound) of n Gaussian draws, off by more once in 1e12: by 2 sqrt(L/n) + 2 L/n (Laurent & Massart 2000)."""
    n, L = len(draws) - 1, math.log(2e12)
    var, stray = float(np.var(draws, ddof=1)), 2 * math.sqrt(L / n) + 2 * L / n
    return var, var * stray / (1 - stray)


def _simulated(c, rng, n=400_000):
    """The variance of x_t over n simulated chains, and its bound."""
    x = np.full(n, c.x_0)
    for i in range(1, c.t + 1):
        x *= math.sqrt(1 - c.beta[i])
        x += math.sqrt(c.beta[i]) * rng.standard_normal(n)
    return variance_of(x)


def _chain_covariance(c):
    """Covariance of (x_0, x_s, x_t) for x_0 of width sigma, from the steps: each is keep x + fresh noise."""
    rows = [np.eye(c.T + 1)[0] * c.sigma]  # x_i as a combination of independent unit noises
    for i in range(1, c.T + 1):
        rows.append(math.sqrt(1 - c.beta[i]) * rows[-1] + math.sqrt(c.beta[i]) * np.eye(c.T + 1)[i])
    A = np.array([rows[0], rows[c.s], rows[c.t]])
    return A @ A.T


def _partial_correlation(cov, i, j, given):
    """Correlation of i and j once `given` is known: cov_ij - cov_ik cov_kj / cov_kk, scaled."""
    left = cov - np.outer(cov[given], cov[given]) / cov[given, given]
    return left[i, j] / math.sqrt(left[i, i] * left[j, j])


FORWARD_VARIANCE_SLIPS = (
    ("sqrt(1 - alpha_bar[t])", "that is the standard deviation; the variance was asked for"),
    (
        "sum(beta[i] for i in 1..t)",
        "earlier noise shrinks with every later step: the betas do not just add up",
    ),
    ("1 - alpha[t]", "that is the last step's noise alone, beta_t; all steps together need alpha_bar"),
    ("alpha_bar[t]", "that is the signal's share; the noise has the rest"),
    ("(1 - alpha_bar[t])**2", "1 - alpha_bar is the variance already"),
    ("1 - alpha_bar[t-1]", "the index is one step early"),
)

# fmt: off
ENTRIES = [
    Formula(
        name="forward-step", number=9, lecture=1, title="One noising step",
        latex=r"x_t = \sqrt{1-\beta_t}\,x_{t-1} + \sqrt{\beta_t}\,\epsilon",
        why="Shrink a little and add a little noise, so that unit variance stays unit variance.",
        letters="beta t x_s eps", own={"eps": (REAL, "the fresh noise of this step")},
        answer="sqrt(1 - beta[t]) * x_s + sqrt(beta[t]) * eps",
        oracle=_one_step, measured="bisection for the two weights: noise of variance beta_t, and N(0, 1) data keep variance 1",
        source=gaussian.q_step, value=lambda f, c: f(c.schedule, np.array([c.x_s]), c.t, np.array([c.eps]))[0],
        wrong=(
            ("(1 - beta[t]) * x_s + beta[t] * eps",
             "the roots are missing: beta is a variance, the weights are standard deviations"),
            ("sqrt(beta[t]) * x_s + sqrt(1 - beta[t]) * eps", "the weights are swapped: that keeps little and adds much"),
            ("sqrt(1 - beta[t]) * x_s + beta[t] * eps", "beta_t is the noise's variance, so its weight is sqrt(beta_t)"),
            ("(1 - beta[t]) * x_s + sqrt(beta[t]) * eps", "the signal's weight needs a root, or the variance shrinks"),
            ("x_s + sqrt(beta[t]) * eps", "without shrinking, the variance grows with every step"),
            ("sqrt(1 - beta[t-1]) * x_s + sqrt(beta[t-1]) * eps", "the step to x_t uses beta_t"),
            ("sqrt(alpha_bar[t]) * x_s + sqrt(1 - alpha_bar[t]) * eps", "alpha_bar jumps from x_0; one step uses alpha_t"),
        ),
    ),
    Formula(
        name="forward-variance", number=10, lecture=1, title="Variance of x_t over all data",
        latex=r"\mathrm{Var}(x_t) = \bar\alpha_t\,\sigma^2 + 1 - \bar\alpha_t",
        why="Data of variance 1 keep it at every t; any other variance drifts towards 1.",
        letters="beta t sigma", own=WIDTH, answer="alpha_bar[t] * sigma**2 + 1 - alpha_bar[t]",
        oracle=lambda c, rng: oracles.forward_moments(c.beta, c.t, var=c.sigma**2)[1],
        measured="the variance followed step by step",
        source=exact.Mixture,
        value=lambda f, c: f(np.ones(1), np.zeros((1, 1)), np.full((1, 1, 1), c.sigma**2)).moments(c.schedule, c.t)[1][0, 0],
        wrong=(
            ("1", "that holds for data of variance 1 only"),
            ("sigma**2", "the data's variance is kept only if it is 1"),
            ("(sqrt(alpha_bar[t]) * sigma + sqrt(1 - alpha_bar[t]))**2", "standard deviations do not add: square first"),
            ("sqrt(alpha_bar[t]) * sigma + sqrt(1 - alpha_bar[t])", "the coefficients are to be squared before they are added"),
            ("alpha_bar[t] * sigma + 1 - alpha_bar[t]", "sigma stands where sigma^2 belongs"),
            ("alpha[t] * sigma**2 + 1 - alpha[t]", "alpha_t is one step's share; t steps keep alpha_bar_t"),
            ("1 - alpha_bar[t]", "that is the variance given x_0; the data's own is missing"),
        ),
    ),
    Formula(
        name="two-step-merge", number=11, lecture=1, title="Two steps merged: the variance of the noise",
        latex=r"\alpha_t\,(1-\alpha_{t-1}) + (1-\alpha_t) = 1 - \alpha_t\,\alpha_{t-1}",
        why="Two Gaussian noises are one, so t steps can be jumped at once.",
        letters="beta t", answer="1 - alpha[t] * alpha[t-1]",
        oracle=_merged, measured="two steps followed one after the other from a known x_{t-2}",
        wrong=(
            ("(1 - alpha[t]) * (1 - alpha[t-1])", "the shares of signal multiply, not the shares of noise"),
            ("(1 - alpha[t]) + (1 - alpha[t-1])", "the earlier noise shrinks by alpha_t before the later one joins"),
            ("sqrt(alpha[t]) * (1 - alpha[t-1]) + (1 - alpha[t])",
             "a factor sqrt(alpha_t) on the data is alpha_t on its variance"),
            ("alpha[t] * alpha[t-1]", "that is the signal's share"),
            ("1 - alpha_bar[t]", "that is all t steps, not the last two"),
        ),
    ),
    Formula(
        name="alpha-bar", number=12, lecture=1, title="Cumulative product: the share of signal left",
        latex=r"\bar\alpha_t = \prod_{i=1}^t \alpha_i,\qquad \bar\alpha_0 = 1",
        why="Each step keeps a share of what is left, and shares of shares multiply.",
        letters="beta t", explains="alpha_bar", answer="prod(alpha[i] for i in 1..t)",
        oracle=_signal_share, measured="each step takes beta of what is left",
        source=schedule.from_betas, value=lambda f, c: f(c.beta[1:]).alpha_bar[c.t],
        wrong=(
            ("sum(alpha[i] for i in 1..t)", "shares multiply, they do not add"),
            ("prod(beta[i] for i in 1..t)", "the product is over alpha = 1 - beta"),
            ("1 - sum(beta[i] for i in 1..t)", "that is the first-order approximation for small beta"),
            ("exp(-sum(beta[i] for i in 1..t))", "that is the continuous limit, for small beta: 1 - beta < exp(-beta)"),
            ("1 - prod(beta[i] for i in 1..t)", "1 - beta comes before the product"),
            ("prod(alpha[i] for i in 1..t-1)", "the product runs to t: with alpha_bar[0] = 1 nothing shifts"),
            ("alpha[t]", "that is the last step's share alone"),
            ("alpha[t]**t", "the alphas differ from step to step"),
            ("sqrt(prod(alpha[i] for i in 1..t))", "that is the weight of x_0; alpha_bar is its square"),
        ),
    ),
    Formula(
        name="forward-closed-form", number=13, lecture=1, title="All steps at once",
        latex=r"x_t = \sqrt{\bar\alpha_t}\,x_0 + \sqrt{1-\bar\alpha_t}\,\epsilon",
        why="Training can jump to any t without walking there.",
        letters="beta t x_0 eps", answer="sqrt(alpha_bar[t]) * x_0 + sqrt(1 - alpha_bar[t]) * eps",
        oracle=_noisy, measured="mean and variance followed step by step",
        source=gaussian.q_sample, value=lambda f, c: f(c.schedule, np.array([c.x_0]), c.t, np.array([c.eps]))[0],
        wrong=(
            ("alpha_bar[t] * x_0 + (1 - alpha_bar[t]) * eps", "the roots are missing: alpha_bar is a share of variance"),
            ("sqrt(alpha_bar[t]) * x_0 + (1 - alpha_bar[t]) * eps",
             "1 - alpha_bar is the noise's variance; its weight is the root"),
            ("alpha_bar[t] * x_0 + sqrt(1 - alpha_bar[t]) * eps", "the weight of x_0 is sqrt(alpha_bar)"),
            ("sqrt(1 - alpha_bar[t]) * x_0 + sqrt(alpha_bar[t]) * eps", "the weights are swapped"),
            ("sqrt(alpha[t]) * x_0 + sqrt(1 - alpha[t]) * eps", "alpha_t is one step from x_{t-1}; from x_0 it is alpha_bar_t"),
            ("sqrt(alpha_bar[t]) * x_0 + sqrt(beta[t]) * eps", "beta_t is the last step's noise alone"),
            ("sqrt(alpha_bar[t-1]) * x_0 + sqrt(1 - alpha_bar[t-1]) * eps", "the index is one step early: that is x_{t-1}"),
            ("sqrt(alpha_bar[t]) * (x_0 + sqrt(1 - alpha_bar[t]) * eps)", "the bracket shrinks the noise as well"),
        ),
    ),
    Formula(
        name="forward-closed-form-mean", number=13, lecture=1, title="All steps at once: the mean given x_0",
        latex=r"\mathrm{E}[x_t\,|\,x_0] = \sqrt{\bar\alpha_t}\,x_0",
        why="The picture fades to the middle grey 0, whatever x_0 was, as the noise rises.",
        letters="beta t x_0", answer="sqrt(alpha_bar[t]) * x_0",
        oracle=lambda c, rng: _closed_form(c, rng)[0], measured="the mean followed step by step",
        wrong=(
            ("alpha_bar[t] * x_0", "every step multiplies by sqrt(alpha), so t steps by sqrt(alpha_bar)"),
            ("sqrt(alpha[t]) * x_0", "that is the last step alone"),
            ("sqrt(1 - alpha_bar[t]) * x_0", "that is the noise's weight"),
            ("x_0", "the mean shrinks with every step"),
            ("sqrt(alpha_bar[t-1]) * x_0", "the index is one step early"),
        ),
    ),
    Formula(
        name="forward-closed-form-variance", number=13, lecture=1, title="All steps at once: the variance given x_0",
        latex=r"\mathrm{Var}(x_t\,|\,x_0) = 1 - \bar\alpha_t",
        why="What the signal loses, the noise gains.",
        letters="beta t x_0", answer="1 - alpha_bar[t]",
        oracle=_simulated, measured="400,000 simulated chains",
        wrong=FORWARD_VARIANCE_SLIPS,
    ),
    Formula(
        name="forward-closed-form-std", number=13, lecture=1, title="All steps at once: the standard deviation given x_0",
        latex=r"\mathrm{std}(x_t\,|\,x_0) = \sqrt{1-\bar\alpha_t}",
        why="The weight of epsilon is a standard deviation, not a variance.",
        letters="beta t", answer="sqrt(1 - alpha_bar[t])",
        oracle=lambda c, rng: math.sqrt(oracles.forward_moments(c.beta, c.t, var=0.0)[1]),
        measured="the variance followed step by step, and its root",
        wrong=(
            ("1 - alpha_bar[t]", "that is the variance; the standard deviation was asked for"),
            ("sqrt(beta[t])", "that is the last step's noise alone, sqrt(1 - alpha_t); t steps need alpha_bar_t"),
            ("1 - sqrt(alpha_bar[t])", "squares add up to 1, not the weights themselves"),
            ("sqrt(sum(beta[i] for i in 1..t))", "earlier noise shrinks with every later step"),
            ("sum(sqrt(beta[i]) for i in 1..t)", "standard deviations do not add"),
            ("sqrt(alpha_bar[t])", "that is the weight of x_0"),
            ("sqrt(1 - alpha_bar[t-1])", "the index is one step early"),
        ),
    ),
    Formula(
        name="markov", number=14, lecture=1, title="The forward process forgets: q(x_t | x_{t-1}, x_0) = q(x_t | x_{t-1})",
        latex=r"q(x_{1:T}\,|\,x_0) = \prod_{t=1}^T q(x_t\,|\,x_{t-1})",
        why="Each step looks at the step before only, so the joint law is a product of steps.",
        letters="beta t sigma", own=WIDTH, bound=1e-9,
        oracle=lambda c, rng: _partial_correlation(_chain_covariance(c), 0, 2, given=1) if c.s else 0.0,
        measured="the partial correlation of x_t and x_0 given x_{t-1}, from the chain's covariance",
        wrong=(
            (lambda c, rng: _partial_correlation(_chain_covariance(c), 0, 1, given=2) if c.s else 0.0,
             "backwards it does not forget: q(x_{t-1} | x_t, x_0) is not q(x_{t-1} | x_t)"),
            (lambda c, rng: _chain_covariance(c)[0, 2], "x_t and x_0 are not independent, only given what lies between"),
        ),
    ),
    Formula(
        name="snr", number=15, lecture=1, title="Signal-to-noise ratio",
        latex=r"\mathrm{SNR}_t = \frac{\bar\alpha_t}{1-\bar\alpha_t}",
        why="The one number by which schedules can be compared, whatever their T.",
        letters="beta t", answer="alpha_bar[t] / (1 - alpha_bar[t])",
        oracle=lambda c, rng: oracles.forward_moments(c.beta, c.t)[0] ** 2 / oracles.forward_moments(c.beta, c.t)[1],
        measured="squared mean over variance of a unit signal followed step by step",
        source=gaussian.snr, value=lambda f, c: f(c.schedule, c.t),
        wrong=(
            ("sqrt(alpha_bar[t]) / sqrt(1 - alpha_bar[t])", "SNR is a ratio of variances, not of standard deviations"),
            ("(1 - alpha_bar[t]) / alpha_bar[t]", "inverted: that is noise over signal"),
            ("alpha_bar[t]", "that is the signal's share of the whole, not over the noise"),
            ("alpha[t] / (1 - alpha[t])", "alpha_t is one step's share; t steps need alpha_bar_t"),
            ("log(alpha_bar[t] / (1 - alpha_bar[t]))", "that is the log-SNR"),
        ),
    ),
]
