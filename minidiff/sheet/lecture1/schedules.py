"""Lecture 1: alpha_bar by the cosine, from the log-SNR, with no signal at T; what it makes of norms and of two times."""

import math

import numpy as np

from ... import schedule
from .. import oracles
from ..entry import POSITIVE, REAL, SHARE, Formula

CLOCK = {
    "t": (SHARE, "time as a share of the way, t / T"),
    "delta": (SHARE, "a small offset, s = 0.008 in the paper"),
}


def _pointer(angle, n=64):
    """The cosine of an angle: a pointer turned by n small steps, each a rotation's series."""
    step = sum((1j * angle / n) ** k / math.factorial(k) for k in range(18))
    return (step**n).real


def _cosine(c, rng):
    """The squared cosine of an angle that grows evenly and is upright at t = 1, over that at t = 0; its speed by bisection."""
    speed = oracles.root(lambda w: -_pointer(w * (1 + c.delta)), 0.0, 3 / (1 + c.delta))
    return (_pointer(speed * (c.t + c.delta)) / _pointer(speed * c.delta)) ** 2


def _ask_cosine(f, c):
    """The library's alpha_bar where t is a step of a schedule of 10."""
    return f(10, c.delta).alpha_bar[round(10 * c.t)] if abs(10 * c.t % 1) < 1e-9 else math.nan


def _signal_without_end(c, rng):
    """The weight of x_0 at t when all weights are shifted and scaled so that the first stays and the last is 0."""
    first, last, here = (oracles.forward_moments(c.beta, i)[0] for i in (1, c.T, c.t))
    if c.T == 1:
        return math.nan
    scale, shift = np.linalg.solve([[first, 1.0], [last, 1.0]], [first, 0.0])
    return scale * here + shift


def _two_times(c, rng):
    """Cov(x_{t-1}, x_t) given x_0: both as combinations of the steps' independent unit noises."""
    rows = [np.zeros(c.T + 1)]
    for i in range(1, c.T + 1):
        rows.append(math.sqrt(1 - c.beta[i]) * rows[-1] + math.sqrt(c.beta[i]) * np.eye(c.T + 1)[i])
    return rows[c.s] @ rows[c.t]


def _norm(c, rng):
    """E ||x_t||^2, coordinate by coordinate, by quadrature; x_0 has unequal coordinates."""
    x_0 = np.arange(1.0, c.d + 1)
    x_0 *= c.x_0 / math.sqrt(sum(x_0**2))
    total = 0.0
    for start in x_0:
        mean, var = oracles.forward_moments(c.beta, c.t, mean=start)
        x, p = oracles.gaussian_grid(mean, math.sqrt(var), 401)
        total += p @ x**2
    return total


def _share(c, rng):
    """The share of signal at which the log of signal over noise is lambda, by bisection on its log."""
    log_odds = lambda u: math.log(u) - math.log1p(-u)  # noqa: E731
    return oracles.root(lambda u: log_odds(u) - c["lambda"], 1e-9, 1 - 1e-9)


UPRIGHT = "cos((t + delta) / (1 + delta) * pi/2)"
START = "cos(delta / (1 + delta) * pi/2)"
ROOT_1, ROOT_T = "sqrt(alpha_bar[1])", "sqrt(alpha_bar[T])"

# fmt: off
ENTRIES = [
    Formula(
        name="cosine-alpha-bar", number=12, lecture=1, title="The cosine schedule, t from 0 to 1",
        latex=r"\bar\alpha(t) = \cos^2\left(\frac{t+\delta}{1+\delta}\cdot\frac{\pi}{2}\right)/"
              r"\cos^2\left(\frac{\delta}{1+\delta}\cdot\frac{\pi}{2}\right)",
        why="The angle between picture and noise grows evenly, so little time is spent where hardly any signal is left.",
        letters="t delta", own=CLOCK, answer=f"({UPRIGHT} / {START})**2",
        oracle=_cosine, measured="a pointer turned in small steps, its speed by bisection so that it is upright at t = 1",
        source=schedule.cosine, value=_ask_cosine,
        wrong=(
            (f"{UPRIGHT} / {START}", "that is sqrt(alpha_bar): the cosine is the weight of x_0"),
            (f"{UPRIGHT}**2", "divided by f(0) is missing: alpha_bar is 1 at t = 0"),
            ("cos(t * pi/2)**2", "the offset is missing, without which the first steps add hardly any noise"),
            ("(cos((t + delta) / (1 + delta) * pi) / cos(delta / (1 + delta) * pi))**2",
             "the angle ends upright, at pi/2: at pi the signal would be back"),
            (f"(cos((t + delta) * pi/2) / {START})**2", "divided by 1 + delta is missing: the angle would pass pi/2"),
            (f"1 - ({UPRIGHT} / {START})**2", "that is the noise's share"),
        ),
    ),
    Formula(
        name="expected-norm", number=13, lecture=1, title="Mean squared length of x_t",
        latex=r"\mathrm{E}[\|x_t\|^2\,|\,x_0] = \bar\alpha_t\,\|x_0\|^2 + (1-\bar\alpha_t)\,d",
        why="The picture's length fades and every coordinate's noise adds to it: data of length sqrt(d) keep theirs.",
        letters="beta t x_0 d", own={"x_0": (POSITIVE, "the length of the clean data")},
        answer="alpha_bar[t] * x_0**2 + (1 - alpha_bar[t]) * d",
        oracle=_norm, measured="quadrature of every coordinate's square, the chain followed step by step",
        wrong=(
            ("alpha_bar[t] * x_0**2 + 1 - alpha_bar[t]", "every one of the d coordinates has noise"),
            ("(sqrt(alpha_bar[t]) * x_0 + sqrt((1 - alpha_bar[t]) * d))**2", "the cross term averages to 0"),
            ("alpha_bar[t] * x_0**2", "the noise's length is missing"),
            ("sqrt(alpha_bar[t]) * x_0**2 + sqrt(1 - alpha_bar[t]) * d", "the weights are squared as the length is"),
            ("d", "that holds for data of squared length d only"),
            ("x_0**2", "the length is kept only if it is sqrt(d)"),
        ),
    ),
    Formula(
        name="forward-covariance", number=14, lecture=1, title="Covariance of two neighbouring times given x_0",
        latex=r"\mathrm{Cov}(x_{t-1}, x_t\,|\,x_0) = \sqrt{\alpha_t}\,(1-\bar\alpha_{t-1})",
        why="They share the noise of t - 1, which one more step shrinks; the last step's noise is new.",
        letters="beta t", answer="sqrt(alpha[t]) * (1 - alpha_bar[t-1])",
        oracle=_two_times, measured="both times written in the steps' independent noises, the products added up",
        wrong=(
            ("0", "the steps' noises are independent; x_{t-1} and x_t share the earlier ones"),
            ("1 - alpha_bar[t-1]", "the shared noise has been shrunk once more in x_t"),
            ("alpha[t] * (1 - alpha_bar[t-1])", "one of the two has been shrunk: one factor sqrt(alpha_t)"),
            ("sqrt(alpha[t]) * (1 - alpha_bar[t])", "x_t's last noise is not in x_{t-1}"),
            ("sqrt((1 - alpha_bar[t-1]) * (1 - alpha_bar[t]))", "that would be a correlation of 1, one joint noise for both"),
            ("sqrt(alpha[t])", "that is the slope; the covariance is it times the variance of x_{t-1}"),
        ),
    ),
    Formula(
        name="alpha-bar-from-log-snr", number=15, lecture=1, title="The share of signal at a log-SNR",
        latex=r"\bar\alpha = \frac{1}{1 + e^{-\lambda}},\quad \lambda = \log\mathrm{SNR}",
        why="Signal and noise share a variance of 1, so odds of e^lambda to 1 are a sigmoid.",
        letters="lambda", own={"lambda": (REAL, "the log of the signal-to-noise ratio")}, answer="1 / (1 + exp(-lambda))",
        oracle=_share, measured="bisection for the share whose log of signal over noise is lambda",
        wrong=(
            ("1 / (1 + exp(lambda))", "that is the noise's share, 1 - alpha_bar"),
            ("exp(lambda)", "that is the SNR; the share of the whole is SNR / (1 + SNR)"),
            ("1 / (1 + exp(-2*lambda))", "that is for DPM-Solver's lambda, half the log-SNR"),
            ("1 / sqrt(1 + exp(-lambda))", "that is the weight of x_0, sqrt(alpha_bar)"),
            ("1 - exp(-lambda)", "1 + SNR stands below: at equal signal and noise the share is 1/2"),
        ),
    ),
    Formula(
        name="zero-terminal-snr", number=15, lecture=1, title="A schedule rescaled to no signal at T",
        latex=r"\sqrt{\bar\alpha_t'} = \sqrt{\bar\alpha_1}\,\frac{\sqrt{\bar\alpha_t}-\sqrt{\bar\alpha_T}}"
              r"{\sqrt{\bar\alpha_1}-\sqrt{\bar\alpha_T}}",
        why="Samples start from pure noise, so training has to end there too, or the samples' brightness is wrong.",
        letters="beta t", answer=f"{ROOT_1} * (sqrt(alpha_bar[t]) - {ROOT_T}) / ({ROOT_1} - {ROOT_T})",
        oracle=_signal_without_end, measured="the shift and scale of the weights that keep the first and make the last 0",
        wrong=(
            (f"sqrt(alpha_bar[t]) - {ROOT_T}", "the shift alone: the first step would lose signal as well"),
            (f"(sqrt(alpha_bar[t]) - {ROOT_T}) / ({ROOT_1} - {ROOT_T})", "then x_1 would hold no noise"),
            (f"(sqrt(alpha_bar[t]) - {ROOT_T}) / (1 - {ROOT_T})", "that keeps the weight 1 at t = 0; t = 1 is kept"),
            ("sqrt(alpha_bar[1] * (alpha_bar[t] - alpha_bar[T]) / (alpha_bar[1] - alpha_bar[T]))",
             "the weights are shifted, which are roots, not alpha_bar"),
            ("sqrt(alpha_bar[t])", "that is the schedule as it was: some signal is left at T"),
            (f"({ROOT_1} * (sqrt(alpha_bar[t]) - {ROOT_T}) / ({ROOT_1} - {ROOT_T}))**2", "that is alpha_bar, its square"),
        ),
    ),
]
