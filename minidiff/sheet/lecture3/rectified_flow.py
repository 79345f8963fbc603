"""Lecture 3: sampling a flow by Euler steps, how straight its paths are, reflow. The data are N(mu, sigma^2)."""

import math

import numpy as np

from ...continuous import ode
from .. import oracles
from ..entry import POSITIVE, REAL, SHARE, Formula

DATA = {"mu": (REAL, "mean of the data"), "sigma": (POSITIVE, "standard deviation of the data")}
START = DATA | {"x_0": (REAL, "noise, where the path starts")}
STEP = {"t": (SHARE, "time before the step; 0 is noise"), "h": (SHARE, "length of the step in time"),
        "u": (REAL, "the velocity u_t(x_t)"), "u_h": (REAL, "the velocity at t + h"), "z": (REAL, "fresh noise")}  # fmt: skip


def _walk(c, end=1.0, steps=20):
    """Where x_0 is at t = end: Runge and Kutta's steps along the average velocity of all lines, by Bayes on a grid.

    The error is of order 1 / steps^4: with 20 steps some 1e-7, as halving the steps shows, and the entries allow 1e-5.
    """
    u = lambda x, t: oracles.line_velocity(x, t, c.mu, c.sigma)[0]  # noqa: E731
    x, h = c.x_0, end / steps
    for t in np.arange(steps) * h:
        a = u(x, t)
        b = u(x + h / 2 * a, t + h / 2)
        d = u(x + h / 2 * b, t + h / 2)
        x += h / 6 * (a + 2 * b + 2 * d + u(x + h * d, min(t + h, 1.0)))
    return x


def _tangent(c, rng):
    """The x that is reached from x_t after the time h at the mean speed u, by bisection."""
    return oracles.root(lambda x: (x - c.x_t) / c.h - c.u, -1e3, 1e3)


def _one_step(c, rng):
    """x_0 and the average direction of all lines that start there."""
    return c.x_0 + oracles.line_velocity(c.x_0, 0.0, c.mu, c.sigma)[0]


def _straightness(c, rng):
    """The variance of x_1 - x_0 given x_t by Bayes on a grid, integrated over t by Gauss and Legendre."""
    t, weights = np.polynomial.legendre.leggauss(48)
    return weights @ [oracles.line_velocity(0.3, s, 0.0, c.sigma)[1] for s in (t + 1) / 2] / 2


def _independent_cost(c, rng):
    """E (x_1 - x_0)^2 over all pairs of a grid of noise and a grid of data."""
    (x_0, p), (x_1, q) = oracles.gaussian_grid(0.0, 1.0, 301), oracles.gaussian_grid(c.mu, c.sigma, 301)
    return p @ (x_1 - x_0[:, None]) ** 2 @ q


def _ordered_cost(c, rng):
    """E (x_1 - x_0)^2 where each quantile of the noise goes to the same quantile of the data: in 1-D paths do not cross."""
    (x_0, p), (x_1, _) = oracles.gaussian_grid(0.0, 1.0), oracles.gaussian_grid(c.mu, c.sigma)
    return p @ (x_1 - x_0) ** 2


def _least_gap(ends):
    """The least distance, over t, of neighbouring lines whose starts are 1 apart; below 0 they have crossed."""

    def gap(c, rng):
        x_0, t = np.arange(-3.0, 4.0), np.linspace(0, 1, 101)[:, None]
        x_1 = np.array([ends(c, x) for x in x_0])
        return np.diff(x_0 + t * (x_1 - x_0), axis=1).min()

    return gap


def _led(c, x_0):
    """x_1, where the flow takes this x_0."""
    return _walk(type(c)(c | {"x_0": x_0}), steps=10)


def _bent(c, rng):
    """The distance of the flow's path from the straight line between its ends, at t = 1/2."""
    return _walk(c, 0.5, 10) - (c.x_0 + _walk(c, steps=10)) / 2


# fmt: off
ENTRIES = [
    Formula(
        name="flow-euler-step", number=66, lecture=3, title="Euler's step along a flow",
        latex=r"x_{t+h} = x_t + h\,u_t(x_t)",
        why="Ask for the direction, go a little that way, ask again: from noise at t = 0 to data at t = 1.",
        letters="t h x_t u u_h z", own=STEP, asks={"u_h": ("x_t + h*u", "t + h")}, answer="x_t + h*u",
        oracle=_tangent, measured="bisection for the place whose mean speed since x_t is u",
        source=ode.euler, value=lambda f, c: f(lambda x, t: np.array([c.u]), np.array([c.x_t]), c.t, c.t + c.h)[0],
        wrong=(
            ("x_t - h*u", "that walks from data to noise: sampling starts at t = 0 and time rises"),
            ("x_t + h*u_h", "the velocity is that at the step's start"),
            ("x_t + h*u + sqrt(h)*z", "a flow adds no noise: all chance is in the start"),
            ("x_t + u", "that moves on by a whole unit of time: a step takes the share h of it"),
            ("x_t + (t+h)*u", "the step's length is h, not the time reached"),
            ("(1-h)*x_t + h*u", "u is a direction, not a place: nothing of x_t is taken away"),
            ("x_t + sqrt(h)*u", "only noise goes with the root of the time"),
        ),
    ),
    Formula(
        name="flow-exact-map", number=66, lecture=3, title="Where the flow leads a start: data N(mu, sigma^2)",
        latex=r"x_1 = \mu + \sigma\,x_0",
        why="In one dimension paths do not overtake: the start's rank among the noise is the end's rank among the data.",
        letters="x_0 mu sigma", own=START, answer="mu + sigma*x_0", bound=1e-5,
        oracle=lambda c, rng: _walk(c),
        measured="Runge and Kutta's steps along the average of all lines, by Bayes on a grid",
        wrong=(
            ("mu", "that is where one Euler step leads: all starts to one place"),
            ("mu + x_0", "the data have their own width sigma"),
            ("mu + sigma**2 * x_0", "the variance stands where the standard deviation belongs"),
            ("sigma * x_0", "the data's mean is missing"),
            ("mu - sigma*x_0", "paths on a line do not cross: a high start ends high"),
            ("(x_0 - mu) / sigma", "that is the way back, from data to noise"),
        ),
    ),
    Formula(
        name="flow-exact-path", number=66, lecture=3, title="The sampled path: data N(mu, sigma^2)",
        latex=r"x_t = t\,\mu + \sqrt{t^2\sigma^2 + (1-t)^2}\,\,x_0",
        why="Each start keeps its rank while the whole crowd moves and changes its width.",
        letters="t x_0 mu sigma", own=START | {"t": STEP["t"]},
        answer="t*mu + sqrt(t**2*sigma**2 + (1-t)**2) * x_0", bound=1e-5,
        oracle=lambda c, rng: _walk(c, c.t),
        measured="Runge and Kutta's steps along the average of all lines, by Bayes on a grid",
        wrong=(
            ("t*mu + (t*sigma + 1 - t) * x_0", "that is the chord: straight training lines do not make sampled paths straight"),
            ("t*mu + (t**2*sigma**2 + (1-t)**2) * x_0", "the variance stands where the standard deviation belongs"),
            ("t*mu + (1-t)*x_0", "that is the line to the data's mean"),
            ("mu + sqrt(t**2*sigma**2 + (1-t)**2) * x_0", "the mean moves as well, t mu"),
            ("(1-t)*mu + sqrt((1-t)**2*sigma**2 + t**2) * x_0", "that is diffusion's direction of time"),
        ),
    ),
    Formula(
        name="one-euler-step", number=67, lecture=3, title="Where one Euler step from t = 0 lands: data N(mu, sigma^2)",
        latex=r"x_0 + u_0(x_0) = \mathrm{E}[x_1] = \mu",
        why="Noise knows nothing of the picture it will become: its average direction is to the average picture.",
        letters="x_0 mu sigma", own=START, answer="mu",
        oracle=_one_step, measured="Bayes on a grid of all lines that start at x_0",
        wrong=(
            ("mu + sigma*x_0", "that is the exact flow, which takes many steps"),
            ("mu + x_0", "the result does not depend on the start: u_0(x_0) is E[x_1] - x_0"),
            ("mu - x_0", "that is the velocity; the step adds it to x_0"),
            ("x_0", "that is where the step starts"),
            ("(mu + x_0) / 2", "that is halfway: the step has length 1"),
        ),
    ),
    Formula(
        name="straightness", number=68, lecture=3, title="Straightness of independent pairs: data N(mu, sigma^2)",
        latex=r"S = \int_0^1 \mathrm{E}[(x_1-x_0 - \mathrm{E}[x_1-x_0\,|\,x_t])^2]\,dt = \frac{\pi}{2}\,\sigma",
        why="Where lines cross, the average turns away from each: S says how much, so how far few steps go astray.",
        letters="sigma", own=DATA, answer="pi/2 * sigma",
        oracle=_straightness, measured="Bayes on a grid of all lines through a point, integrated over t",
        wrong=(
            ("0", "the lines of training are straight, but cross: only pairs that do not cross make S = 0"),
            ("pi/2 * sigma**2", "one sigma goes into the time for which the lines stay close"),
            ("pi/2", "that is for data of standard deviation 1"),
            ("pi * sigma", "t runs from 0 to 1, half of the arc"),
            ("1 + sigma**2", "that is the variance of x_1 - x_0 when x_t is not known"),
            ("sigma", "the integral over t is an angle, pi/2"),
        ),
    ),
    Formula(
        name="paths-curve", number=68, lecture=3, title="Straight training lines do not make sampled paths straight",
        latex=r"x_{1/2} \neq \frac{x_0 + x_1}{2}",
        why="A network learns the average of crossing lines, and the average of straight lines bends.",
        letters="x_0 mu sigma", own=START, relation="!=",
        oracle=_bent, measured="Runge and Kutta's steps along the average velocity, against the chord", bound=1e-4,
        wrong=((_bent, "sampled paths bend: halfway they are not in the middle"),),
    ),
    Formula(
        name="reflow-untangles", number=68, lecture=3, title="On a line, paths between a flow's own ends do not cross",
        latex=r"x_0 < x_0' \Rightarrow x_t < x_t'",
        why="Pairs made by the flow (reflow) do not cross in 1-D, so one Euler step will do; in more dimensions fewer cross.",
        letters="mu sigma", own=DATA, relation=">", bound=1e-4,
        oracle=_least_gap(_led), measured="Runge and Kutta's ends, and the least gap between neighbouring lines over t",
        wrong=(
            (_least_gap(lambda c, x_0: c.mu - c.sigma * x_0), "pairs that are matched in the opposite order cross"),
            (_least_gap(lambda c, x_0: c.mu + c.sigma * math.sin(40 * x_0)), "independent pairs cross"),
        ),
    ),
    Formula(
        name="transport-cost", number=68, lecture=3, title="Transport cost of independent pairs",
        latex=r"\mathrm{E}[(x_1-x_0)^2] = \mu^2 + \sigma^2 + 1",
        why="Drawing noise and data apart from each other makes lines longer than they have to be.",
        letters="mu sigma", own=DATA, answer="mu**2 + sigma**2 + 1",
        oracle=_independent_cost, measured="the double integral over noise and data",
        wrong=(
            ("mu**2 + (sigma - 1)**2", "that is after reflow, where the ranks are matched"),
            ("mu**2 + sigma**2", "the noise's own variance is missing"),
            ("mu**2 + sigma**2 - 1", "variances add, of a difference as well"),
            ("mu**2 + (sigma + 1)**2", "standard deviations add only if high starts go to low ends"),
            ("mu + sigma**2 + 1", "the distance between the means is to be squared"),
        ),
    ),
    Formula(
        name="transport-cost-reflow", number=68, lecture=3, title="Transport cost after reflow",
        latex=r"\mathrm{E}[(x_1-x_0)^2] = \mu^2 + (\sigma-1)^2",
        why="Reflow never makes the lines longer; in one dimension they become as short as can be.",
        letters="mu sigma", own=DATA, answer="mu**2 + (sigma - 1)**2",
        oracle=_ordered_cost, measured="quadrature with equal ranks of noise and data paired",
        wrong=(
            ("mu**2 + sigma**2 + 1", "that is for independent pairs, before reflow"),
            ("mu**2 + (sigma + 1)**2", "that pairs high starts with low ends"),
            ("mu**2 + sigma**2 - 1", "the cross term 2 sigma is missing"),
            ("mu**2", "the widths are to be matched as well"),
            ("abs(mu) + abs(sigma - 1)", "the distances are to be squared"),
        ),
    ),
]
