"""Lecture 2: Heun's step, and DPM-Solver++, which holds the picture still or moves it along a line."""

import math

import numpy as np

from ... import schedule
from ...continuous import ode, solvers
from .. import oracles
from ..entry import POSITIVE, REAL, Formula
from .solvers import half_log_snr, runge_kutta

HEUN = {"x": (REAL, "where the step starts"), "h": (REAL, "its length in time"), "u_1": (REAL, "the velocity at the start"),
        "u_2": (REAL, "the velocity where Euler's step ends")}  # fmt: skip
HALF = {"h": (REAL, "lambda_{t-1} - lambda_t, lambda = log sqrt(alpha_bar / (1 - alpha_bar))"), "x_t": (REAL, "noisy data"),
        "h_b": (POSITIVE, "the same for the step before"), "x_b": (REAL, "the picture guessed in the step before")}  # fmt: skip


def _even_change(c, rng):
    """Where a velocity leads that changes evenly from u_1 to u_2: quadrature over the step."""
    part, weight = np.polynomial.legendre.leggauss(5)
    share = (part + 1) / 2
    return c.x + c.h * (weight @ (c.u_1 + share * (c.u_2 - c.u_1))) / 2


def _held_picture(c, picture, n=120):
    """The probability-flow ODE from t to t - 1 towards one picture all the way, by Runge-Kutta steps.

    The clock is the angle, whose sine is the noise's weight: dx/d angle = cos eps - sin picture.
    """
    if c.s == 0:
        return math.nan  # the angle is 0 there: no noise is left to ask about
    begin, end = (math.asin(math.sqrt(oracles.forward_moments(c.beta, t)[1])) for t in (c.t, c.s))

    def u(x, angle):
        eps = (x - math.cos(angle) * picture) / math.sin(angle)
        return math.cos(angle) * eps - math.sin(angle) * picture

    x, h = c.x_t, (end - begin) / n
    for k in range(n):
        x = runge_kutta(u, x, begin + k * h, h)
    return x


def _implied(c):
    return oracles.x_0_from_eps(c.beta, c.t, c.x_t, c.eps_hat)


def _along_a_line(c, rng):
    """The same ODE towards the picture that a line through the last two guesses reaches in the middle of the step."""
    here, there = (half_log_snr(c.beta, t) for t in (c.t, c.s))
    slope, level = np.linalg.solve([[here - c.h_b, 1.0], [here, 1.0]], [c.x_b, _implied(c)])
    return _held_picture(c, slope * (here + there) / 2 + level)


def _ask_first(f, c):
    """The library's first step, which has no guess before it."""
    return next(f(lambda x, t: np.array([[c.eps_hat]]), c.schedule, np.array([[c.x_t]]), [c.t, c.s], None))[
        0, 0
    ]


def _ask_second(f, c):
    """The library's second step, on a schedule of three steps whose last two are h_b and h, from a start that leads to x_t."""
    if c.s == 0:
        return math.nan
    ab_s, ab_t = c.alpha_bar[c.s], c.alpha_bar[c.t]
    ab_b = 1 / (1 + (1 - ab_t) / ab_t * math.exp(2 * c.h_b))
    three = schedule.from_betas([1 - ab_s, 1 - ab_t / ab_s, 1 - ab_b / ab_t])
    noise = lambda x, t: (
        (x - math.sqrt(ab_b) * c.x_b) / math.sqrt(1 - ab_b) if t == 3 else np.array([[c.eps_hat]])
    )  # noqa: E731
    walk = lambda x: [y[0, 0] for y in f(noise, three, np.array([[x]]), [3, 2, 1], None)]  # noqa: E731
    zero, one = walk(0.0)[0], walk(1.0)[0]  # the first step is a straight line in its start
    return walk((c.x_t - zero) / (one - zero))[1]


STEP = lambda c: {"h": half_log_snr(c.beta, c.t - 1) - half_log_snr(c.beta, c.t)}  # noqa: E731
KEPT, PULL = "sqrt((1 - alpha_bar[t-1]) / (1 - alpha_bar[t])) * x_t", "sqrt(alpha_bar[t-1]) * (exp(-h) - 1)"

# fmt: off
ENTRIES = [
    Formula(
        name="heun-step", number=56, lecture=2, title="Heun's step",
        latex=r"x' = x + \frac{h}{2}\,(u_1 + u_2),\quad u_1 = u(x, t),\ u_2 = u(x + h\,u_1, t + h)",
        why="Look where Euler's step would end, and go by the average of the velocities at both ends.",
        letters="x h u_1 u_2", own=HEUN, answer="x + h/2 * (u_1 + u_2)",
        oracle=_even_change, measured="quadrature of a velocity that changes evenly from u_1 to u_2",
        source=ode.heun,
        value=lambda f, c: f(lambda x, t: np.array([c.u_2 if t else c.u_1]), np.array([c.x]), 0.0, c.h)[0],
        wrong=(
            ("x + h * (u_1 + u_2)", "the average has a 1/2: two velocities, one step"),
            ("x + h * u_1", "that is Euler's step: the look ahead is not used"),
            ("x + h * u_2", "the velocity at the end alone is of order 1 as well"),
            ("x + h/2 * (u_2 - u_1)", "that is the change of the velocity, not its average"),
            ("x + h * u_1 + h/2 * (u_1 + u_2)", "the look ahead is thrown away again: the step starts at x"),
            ("(x + h * (u_1 + u_2)) / 2", "the 1/2 belongs to the velocities alone"),
        ),
    ),
    Formula(
        name="dpm-solver-pp", number=57, lecture=2, title="DPM-Solver++ of order 1: the picture is held still",
        latex=r"x_s = \sqrt{\frac{1-\bar\alpha_s}{1-\bar\alpha_t}}\,x_t - \sqrt{\bar\alpha_s}\,(e^{-h}-1)\,\hat x_0",
        why="The noise fades as it must, and the guessed picture takes its place: DDIM once more, in x_0's words.",
        letters="beta t x_t eps_hat x_0_hat h", own=HALF, derive=STEP, answer=f"{KEPT} - {PULL} * x_0_hat", bound=1e-8,
        oracle=lambda c, rng: _held_picture(c, _implied(c)),
        measured="the probability-flow ODE from t to t - 1 towards the implied picture, by 120 Runge-Kutta steps",
        source=solvers.dpm_solver_pp_2m, value=_ask_first,
        wrong=(
            (f"{KEPT} - sqrt(alpha_bar[t-1]) * (exp(h) - 1) * x_0_hat", "h's sign: e^h belongs to the form with eps"),
            (f"{KEPT} + {PULL} * x_0_hat", "the sign: e^-h - 1 is negative, so the minus adds picture"),
            (f"{KEPT} - sqrt(alpha_bar[t]) * (exp(-h) - 1) * x_0_hat", "the picture's weight is that of the arrival, s"),
            (f"sqrt(alpha_bar[t-1] / alpha_bar[t]) * x_t - {PULL} * x_0_hat", "before x_t stand the noise's widths"),
            (f"{KEPT} - {PULL} * eps_hat", "this form holds the picture still, not the noise"),
            (f"{KEPT} + sqrt(alpha_bar[t-1]) * h * x_0_hat", "h for 1 - e^-h: that holds for short steps only"),
        ),
    ),
    Formula(
        name="dpm-solver-pp-2m", number=57, lecture=2, title="DPM-Solver++(2M): the picture moves along a line",
        latex=r"x_s = \sqrt{\frac{1-\bar\alpha_s}{1-\bar\alpha_t}}\,x_t - \sqrt{\bar\alpha_s}\,(e^{-h}-1)\,"
              r"[\hat x_0 + \frac{h}{2h_b}(\hat x_0 - x_b)]",
        why="The last two guesses show where the picture is going; its place in the middle of the step serves for the step.",
        letters="beta t x_t eps_hat x_0_hat h h_b x_b", own=HALF, derive=STEP,
        answer=f"{KEPT} - {PULL} * (x_0_hat + h/(2*h_b) * (x_0_hat - x_b))", bound=1e-8,
        oracle=_along_a_line, measured="a line in lambda solved for two guesses; the ODE towards its middle, by Runge-Kutta",
        source=solvers.dpm_solver_pp_2m, value=_ask_second,
        wrong=(
            (f"{KEPT} - {PULL} * (x_0_hat + h/h_b * (x_0_hat - x_b))", "that is the line's end: its middle is meant, h/2"),
            (f"{KEPT} - {PULL} * (x_0_hat - h/(2*h_b) * (x_0_hat - x_b))", "the sign: the line goes on, away from x_b"),
            (f"{KEPT} - {PULL} * (x_0_hat + h_b/(2*h) * (x_0_hat - x_b))", "the ratio is inverted: a longer step goes further"),
            (f"{KEPT} - {PULL} * (x_0_hat + x_b) / 2", "the average of both guesses lies in the past: the line has to go on"),
            (f"{KEPT} - {PULL} * x_0_hat", "that is order 1: the old guess is not used"),
            (f"{KEPT} - {PULL} * (x_0_hat + 1/2 * (x_0_hat - x_b))", "that holds for steps of equal length in lambda"),
        ),
    ),
]
