"""Lecture 2: solving the ODE in few steps. Orders of error; DPM-Solver, which solves the linear part exactly."""

import functools
import math
from fractions import Fraction

import numpy as np

from ...continuous import solvers
from .. import oracles
from ..entry import COUNT, REAL, Formula
from .sde import limit

ORDER = {"p": (COUNT, "the method's order: 1 for Euler, 2 for Heun, 4 for the classical Runge-Kutta")}
HALF = {"h": (REAL, "lambda_{t-1} - lambda_t, lambda = log sqrt(alpha_bar / (1 - alpha_bar))"),
        "x_t": (REAL, "noisy data"), "eps_hat": (REAL, "what the denoiser answers")}  # fmt: skip


def half_log_snr(betas, t):
    """log(mean / standard deviation) of x_t for x_0 = 1, step by step; infinite at t = 0."""
    mean, var = oracles.forward_moments(betas, t)
    return math.log(mean) - math.log(var) / 2 if var else math.inf


def runge_kutta(u, x, t, h):
    """x after a step h of dx/dt = u(x, t), with an error of order h^5."""
    a = u(x, t)
    b = u(x + h / 2 * a, t + h / 2)
    c = u(x + h / 2 * b, t + h / 2)
    return x + h * (a + 2 * b + 2 * c + u(x + h * c, t + h)) / 6


def _exp(x, terms=60):
    """exp(x) of a fraction in (-1, 0): the series, cut where terms are below 1e-80."""
    return sum(x**k / Fraction(math.factorial(k)) for k in range(terms))


def _error(p, h, n):
    """Error after n steps of the length h of a method of order p on dx/dt = -x, x = 1: its step is the series cut after h^p."""
    step = sum((-h) ** k / Fraction(math.factorial(k)) for k in range(p + 1))
    return abs(step**n - _exp(-h) ** n)


def _halved(p, over):
    """Error with half the step over error with the whole, as steps get short. over(n): how many steps of 1/n are taken."""
    return limit(
        lambda n: float(_error(p, Fraction(1, 2 * n), over(2 * n)) / _error(p, Fraction(1, n), over(n))), 4, 4
    )


def _euler(u, x, t, h):
    return x + h * u(x, t)


def _heun(u, x, t, h):
    ahead = x + h * u(x, t)
    return (x + ahead + h * u(ahead, t + h)) / 2


@functools.lru_cache(maxsize=32)
def _measured_orders(x_0):
    """The orders of Euler, Heun and Runge-Kutta on a bent flow, from errors at h, h/2 and h/4, extrapolated to short steps."""
    u = lambda x, t: np.sin(x + t) - x  # noqa: E731
    start, found = x_0 + np.linspace(-2, 2, 9), []

    def end(step, n):
        x = start
        for k in range(n):
            x = step(u, x, k / n, 1 / n)
        return x

    exact = end(runge_kutta, 160)
    for step in (_euler, _heun, runge_kutta):
        one, two, four = (np.abs(end(step, n) - exact).sum() for n in (10, 20, 40))
        found.append(2 * math.log2(two / four) - math.log2(one / two))
    return found


def _orders(c, claimed=(1, 2, 4)):
    """The largest distance of the measured orders from those claimed."""
    return max(abs(found - order) for found, order in zip(_measured_orders(c.x), claimed))


def _lead(n):
    """Error of Euler's method in 2 n steps minus that of Heun's in n steps: both ask for the velocity 2 n times."""
    return float(_error(1, Fraction(1, 2 * n), 2 * n) - _error(2, Fraction(1, n), n))


def _held_noise(c, rng, n=300):
    """The probability-flow ODE from t to t - 1 with eps_theta held still: 300 Runge-Kutta steps.

    The clock is y = log(1 - alpha_bar), with d alpha_bar = -beta alpha_bar dt and g^2 score = -beta eps / sqrt(1 - alpha_bar).
    """
    begin, end = (math.log(oracles.forward_moments(c.beta, t)[1]) if t else -math.inf for t in (c.t, c.s))
    if end == -math.inf:
        return math.nan  # no noise is left to hold at s = 0

    def u(x, y):
        var = math.exp(y)
        return var / (1 - var) * (c.eps_hat / math.sqrt(var) - x) / 2

    x, h = c.x_t, (end - begin) / n
    for k in range(n):
        x = runge_kutta(u, x, begin + k * h, h)
    return x


STEP = lambda c: {"h": half_log_snr(c.beta, c.t - 1) - half_log_snr(c.beta, c.t)}  # noqa: E731
SHRUNK = "sqrt(alpha_bar[t-1] / alpha_bar[t]) * x_t"

# fmt: off
ENTRIES = [
    Formula(
        name="solver-orders", number=56, lecture=2, title="Orders of the solvers: Euler 1, Heun 2, Runge-Kutta 4",
        latex=r"\mathrm{global\ error:}\ O(\Delta t),\ O(\Delta t^2),\ O(\Delta t^4)",
        why="Looking ahead cancels the error's first terms, so halving the step gains far more.",
        letters="x", own={"x": (REAL, "where the flow starts")}, bound=0.05,
        oracle=lambda c, rng: _orders(c), measured="errors of 10, 20, 40 steps on a bent flow",
        wrong=(
            (lambda c, rng: _orders(c, (1, 2, 5)), "5 is Runge-Kutta's local order, of one step; over a path one is lost"),
            (lambda c, rng: _orders(c, (2, 3, 5)), "those are the errors of one step; a path has 1/dt of them"),
            (lambda c, rng: _orders(c, (1, 1, 4)), "Heun's look ahead gains an order over Euler's step"),
        ),
    ),
    Formula(
        name="solver-global-error", number=56, lecture=2, title="Error at the end with half the step, over that with the whole",
        latex=r"\lim_{\Delta t\rightarrow 0}\,\frac{e(\Delta t/2)}{e(\Delta t)} = 2^{-p}",
        why="This is how an order is measured: half the step, and look what is left of the error.",
        letters="p", own=ORDER, answer="2**-p", bound=1e-5,
        oracle=lambda c, rng: _halved(c.p, over=lambda n: n),
        measured="steps of order p for dx/dt = -x until t = 1 in exact fractions, extrapolated",
        wrong=(
            ("2**-(p+1)", "that is the local error, of one step: at half the step there are twice as many of them"),
            ("1/2", "that holds for order 1"),
            ("1/(2*p)", "the order is a power of the step"),
            ("2**p", "inverted: shorter steps leave less error"),
            ("2**-(p-1)", "local error has p + 1, and only one is lost over the path"),
        ),
    ),
    Formula(
        name="solver-local-error", number=56, lecture=2, title="Error of one step of half the length, over that of the whole",
        latex=r"\lim_{\Delta t\rightarrow 0}\,\frac{e_1(\Delta t/2)}{e_1(\Delta t)} = 2^{-(p+1)}",
        why="A method of order p is right up to dt^p, so one step misses by dt^(p+1).",
        letters="p", own=ORDER, answer="2**-(p+1)", bound=1e-5,
        oracle=lambda c, rng: _halved(c.p, over=lambda n: 1),
        measured="one step of order p for dx/dt = -x in exact fractions, extrapolated",
        wrong=(
            ("2**-p", "that is the global error: one step is better by one order"),
            ("1/2", "the order is missing"),
            ("2**-(p+2)", "one order more than p, not two"),
            ("2**(p+1)", "inverted: shorter steps leave less error"),
        ),
    ),
    Formula(
        name="equal-nfe", number=56, lecture=2, title="At equal cost, dx/dt = -x: n > 1 steps of Heun against 2 n of Euler",
        latex=r"e_{Euler}(2n) > e_{Heun}(n)",
        why="What costs is the network's evaluations (NFE): 1, 2, 4 a step, so compare at equal NFE.",
        letters="n", own={"n": (COUNT, "steps of Heun")}, derive=lambda c: {"n": c["n"] + 1}, relation=">",
        oracle=lambda c, rng: _lead(c.n), measured="both errors for dx/dt = -x until t = 1, in exact fractions",
        wrong=((lambda c, rng: _lead(1), "a higher order does not always win: one step of Heun loses to two of Euler"),),
    ),
    Formula(
        name="half-log-snr", number=57, lecture=2, title="DPM-Solver's clock: half the log of the signal-to-noise ratio",
        latex=r"\lambda_t = \frac{1}{2}\log\frac{\bar\alpha_t}{1-\bar\alpha_t}",
        why="In this clock the ODE's linear half is solved exactly and the network's answers change evenly.",
        letters="beta t", answer="log(alpha_bar[t] / (1 - alpha_bar[t])) / 2",
        oracle=lambda c, rng: half_log_snr(c.beta, c.t),
        measured="a unit signal followed step by step, log of mean over std",
        wrong=(
            ("log(alpha_bar[t] / (1 - alpha_bar[t]))", "that is the log-SNR: DPM-Solver takes half of it"),
            ("log((1 - alpha_bar[t]) / alpha_bar[t]) / 2", "inverted: lambda grows towards data"),
            ("sqrt(alpha_bar[t] / (1 - alpha_bar[t]))", "the logarithm is missing"),
            ("log(alpha_bar[t]) / 2", "that is the signal alone, not over the noise"),
            ("log(alpha[t] / (1 - alpha[t])) / 2", "alpha_t is one step's share; t steps need alpha_bar_t"),
        ),
    ),
    Formula(
        name="dpm-solver", number=57, lecture=2, title="DPM-Solver-1, which is DDIM",
        latex=r"x_s = \sqrt{\frac{\bar\alpha_s}{\bar\alpha_t}}\,x_t - \sqrt{1-\bar\alpha_s}\,(e^h-1)\,\epsilon_\theta",
        why="Shrinking is solved exactly; only the noise is held still, which is all that DDIM assumes.",
        letters="beta t x_t eps_hat h", own=HALF, derive=STEP,
        answer=f"{SHRUNK} - sqrt(1 - alpha_bar[t-1]) * (exp(h) - 1) * eps_hat",
        oracle=_held_noise, measured="the probability-flow ODE from t to t - 1, eps_theta held still, by 300 Runge-Kutta steps",
        source=solvers.dpm_solver_1,
        value=lambda f, c: f(lambda x_t, t: np.array([[c.eps_hat]]), c.schedule, np.array([[c.x_t]]), c.t, c.s, None)[0, 0],
        wrong=(
            (f"{SHRUNK} - sqrt(1 - alpha_bar[t-1]) * (exp(-h) - 1) * eps_hat", "h's sign: lambda grows towards data, so h > 0"),
            (f"{SHRUNK} - sqrt(1 - alpha_bar[t-1]) * (exp(2*h) - 1) * eps_hat", "lambda is half the log-SNR, not the whole"),
            (f"{SHRUNK} - sqrt(1 - alpha_bar[t]) * (exp(h) - 1) * eps_hat", "the noise's weight is that of the arrival, s"),
            (f"{SHRUNK} + sqrt(1 - alpha_bar[t-1]) * (exp(h) - 1) * eps_hat", "the sign: noise is taken out"),
            (f"{SHRUNK} - sqrt(1 - alpha_bar[t-1]) * h * eps_hat", "h for exp(h) - 1: that holds for short steps only"),
            (f"{SHRUNK} - sqrt(1 - alpha_bar[t-1]) * exp(h) * eps_hat", "the -1 is missing: at h = 0 nothing may happen"),
            ("x_t - sqrt(1 - alpha_bar[t-1]) * (exp(h) - 1) * eps_hat", "x_t is to be scaled up as well"),
            ("sqrt(alpha_bar[t] / alpha_bar[t-1]) * x_t - sqrt(1 - alpha_bar[t-1]) * (exp(h) - 1) * eps_hat",
             "the ratio is inverted: towards data the signal grows"),
        ),
    ),
]
