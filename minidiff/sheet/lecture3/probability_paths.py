"""Lecture 3: the straight path from noise (t = 0) to data (t = 1), and what a velocity does to a density.

letter  meaning
x_0     noise, N(0, 1)
x_1     data
t       a real time in (0, 1), from noise to data
u       velocity dx/dt
"""

import math

import numpy as np

from ...continuous import flow
from .. import oracles
from ..entry import POSITIVE, REAL, SHARE, Formula

TIME = {"t": (SHARE, "time from noise (0) to data (1)")}
ENDS = TIME | {"x_0": (REAL, "noise, where the line starts"), "x_1": (REAL, "data, where the line ends")}
HUMPS = TIME | {
    "a": (POSITIVE, "the data lie around a and -a"),
    "sigma": (POSITIVE, "standard deviation around either"),
}


def line_velocity(x, t, mean, std):
    """Mean and variance of x_1 - x_0 over all lines t x_1 + (1 - t) x_0 through x: noise x_0, data x_1 ~ N(mean, std^2).

    Bayes on a grid of x_1 for t <= 1/2 and of x_0 for t > 1/2, so that t = 0 and 1 need no case of their own.
    """
    if t <= 0.5:
        likely = lambda y: oracles.log_bell(y, mean, std**2) + oracles.log_bell(x, t * y, (1 - t) ** 2)  # noqa: E731
    else:
        likely = lambda y: (
            oracles.log_bell(y, 0.0, 1.0) + oracles.log_bell(x - (1 - t) * y, t * mean, (t * std) ** 2)
        )  # noqa: E731
    before, here, after = (
        float(likely(y)) for y in (-1.0, 0.0, 1.0)
    )  # log p is a parabola: its peak and width
    bend = 2 * here - before - after
    end, var = oracles.grid_moments(likely, (after - before) / 2 / bend, 12 / math.sqrt(bend), 301)
    return ((end - x) / (1 - t), var / (1 - t) ** 2) if t <= 0.5 else ((x - end) / t, var / t**2)


def _along(x_0, x_1, t):
    """The point whose distance from x_0 is t times that from x_0 to x_1, by bisection."""
    share = lambda x: abs(x - x_0) / (abs(x - x_0) + abs(x_1 - x)) if x_0 != x_1 else 1.0  # noqa: E731
    return oracles.root(lambda x: share(x) - t, x_0, x_1)


def _leaves_zero(c, rng):
    """The solution of x' = sqrt(x) that leaves 0 at t = 0: the x with int_0^x dy / sqrt(y) = t, by bisection."""
    y = np.linspace(1e-12, 1.0, 201)  # x = end y^4: the integrand's pole at 0 vanishes

    def time_to(end):
        return np.trapezoid(4 * end * y**3 / np.sqrt(end * y**4), y)

    return oracles.root(lambda end: time_to(end) - c.t, 1e-12, 100.0)


def _residual_of(curve):
    """|dx/dt - sqrt(x)| at t, by finite differences."""
    return lambda c, rng: abs(oracles.difference(curve, c.t) - math.sqrt(curve(c.t)))


def _both_solve(c, rng):
    """The larger residual of two curves through x(0) = 0."""
    return max(_residual_of(lambda t: 0.0 * t)(c, rng), _residual_of(lambda t: t * t / 4)(c, rng))


def _humps(c, t, x):
    """Density and velocity at x for data a +- and -a +- sigma: each hump moves and widens as x_1 = +-a + sigma z does.

    A line ends at x_1 = +-a + sigma z; the lines of one hump through x have z = b (x -+ t a) on average, by least squares.
    """
    width2 = (1 - t) ** 2 + (t * c.sigma) ** 2
    p, flux = 0.0, 0.0
    for a in (c.a, -c.a):
        share = math.exp(-((x - t * a) ** 2) / (2 * width2)) / math.sqrt(2 * math.pi * width2) / 2
        p += share
        flux += share * (a + (t * c.sigma**2 - (1 - t)) / width2 * (x - t * a))
    return p, flux / p


def _continuity(c, rng, transport=lambda x, p, u, diff: diff(lambda y: p(y) * u(y))):
    """dp/dt + d(p u)/dx, both by finite differences; wrong versions replace the second term by another `transport`."""
    diff = lambda f: oracles.difference(f, c.x, 1e-4)  # noqa: E731
    p, u = (lambda x: _humps(c, c.t, x)[0]), (lambda x: _humps(c, c.t, x)[1])
    return oracles.difference(lambda t: _humps(c, t, c.x)[0], c.t, 1e-4) + transport(c.x, p, u, diff)


def _cnf(c, rng, sign=1, carried=True):
    """d/dt log p_t(x_t) + du/dx, where x_t moves along u (or, carried=False, stays)."""
    u = lambda t, x: _humps(c, t, x)[1]  # noqa: E731

    def log_p(t):
        x, h = c.x, (t - c.t)
        if carried:  # one step of Runge and Kutta over at most 1e-4: its error is below 1e-20
            a = u(c.t, x)
            b = u(c.t + h / 2, x + h / 2 * a)
            d = u(c.t + h / 2, x + h / 2 * b)
            x = x + h / 6 * (a + 2 * b + 2 * d + u(t, x + h * d))
        return math.log(_humps(c, t, x)[0])

    divergence = oracles.difference(lambda x: u(c.t, x), c.x, 1e-4)
    return oracles.difference(log_p, c.t, 1e-4) + sign * divergence


def _path_variance(c, rng):
    """Variance of the points at t of all lines that end at x_1, over a grid of starts."""
    x_0, p = oracles.gaussian_grid(0.0, 1.0, 101)
    x_t = [_along(x, c.x_1, c.t) for x in x_0]
    return p @ (x_t - p @ x_t) ** 2


def _through(c, rng):
    """The slope of the line that ends at x_1 and is at x when the time is t; its start by bisection."""
    start = oracles.root(lambda x_0: _along(x_0, c.x_1, c.t) - c.x, -1e3, 1e3)
    return oracles.difference(lambda t: _along(start, c.x_1, t), c.t, 1e-2)


def _on_line(c):
    """x_t of a drawn line."""
    return {"x_t": c["t"] * c["x_1"] + (1 - c["t"]) * c["x_0"]}


# fmt: off
ENTRIES = [
    Formula(
        name="non-unique-flow", number=58, lecture=3, title="x' = sqrt(x) from x(0) = 0: the solution that leaves",
        latex=r"x(t) = \frac{t^2}{4},\quad \dot x = \sqrt{x},\ x(0) = 0",
        why="A flow needs a field that is not too steep (Lipschitz): at 0 the root is, and two paths leave one point.",
        letters="t", own={"t": (POSITIVE, "time")}, answer="t**2 / 4",
        oracle=_leaves_zero, measured="bisection for the x whose travel time, int dx / sqrt(x) by quadrature, is t",
        wrong=(
            ("t**2 / 2", "its derivative is t, its root t / sqrt(2)"),
            ("0", "that is the other solution, which never leaves: that there are two is the point"),
            ("t**2", "its derivative is 2 t, its root t"),
            ("2 * sqrt(t)", "that is the time at which x is reached, not the place reached at a time"),
            ("t / 2", "that is the velocity sqrt(x) = t / 2"),
            ("exp(t) - 1", "that belongs to a velocity x + 1, where solutions are unique"),
        ),
    ),
    Formula(
        name="two-solutions", number=58, lecture=3, title="x = 0 and x = t^2 / 4 both solve x' = sqrt(x), x(0) = 0",
        latex=r"\dot x = \sqrt{x},\ x(0) = 0:\quad x = 0\ \mathrm{and}\ x = t^2/4",
        why="Without a Lipschitz field a start does not fix the path, and there is no flow to speak of.",
        letters="t", own={"t": (POSITIVE, "time")},
        oracle=_both_solve, measured="finite differences: dx/dt - sqrt(x) of both",
        wrong=(
            (_residual_of(lambda t: t * t / 2), "t^2 / 2 has the derivative t, but the root t / sqrt(2)"),
            (_residual_of(lambda t: t * t), "t^2 has the derivative 2 t, but the root t"),
        ),
    ),
    Formula(
        name="continuity-equation", number=59, lecture=3, title="Continuity equation",
        latex=r"\partial_t p_t = -\nabla\cdot(p_t\,u_t)",
        why="Probability is neither made nor lost: what a place loses flows out of it.",
        letters="t x a sigma", own=HUMPS, bound=1e-7,
        oracle=_continuity, measured="finite differences of the density and of the flux of two humps",
        wrong=(
            (lambda c, rng: _continuity(c, rng, lambda x, p, u, diff: diff(u)), "div u alone: the flux p u flows, not u"),
            (lambda c, rng: _continuity(c, rng, lambda x, p, u, diff: -diff(lambda y: p(y) * u(y))),
             "the sign: an outflow lowers p"),
            (lambda c, rng: _continuity(c, rng, lambda x, p, u, diff: u(x) * diff(p)),
             "u grad p alone: where the flow spreads, p thins by p div u as well"),
            (lambda c, rng: _continuity(c, rng, lambda x, p, u, diff: p(x) * diff(u)),
             "p div u alone: the density is carried along as well, u grad p"),
        ),
    ),
    Formula(
        name="log-density-along-flow", number=60, lecture=3, title="Change of the log density along a flow",
        latex=r"\frac{d}{dt}\log p_t(x_t) = -\nabla\cdot u_t(x_t)",
        why="A crowd that spreads out thins: a flow model's likelihood is the start's less all the spreading on the way.",
        letters="t x a sigma", own=HUMPS, bound=1e-7,
        oracle=_cnf, measured="finite differences along a path that follows u",
        wrong=(
            (lambda c, rng: _cnf(c, rng, sign=-1), "the sign: spreading thins"),
            (lambda c, rng: _cnf(c, rng, carried=False), "at a fixed x the density also changes because the crowd moves past"),
            (lambda c, rng: _cnf(c, rng, sign=0), "the density is not simply carried along: it thins where the flow spreads"),
        ),
    ),
    Formula(
        name="flow-path", number=61, lecture=3, title="The straight path from noise to data",
        latex=r"x_t = t\,x_1 + (1-t)\,x_0",
        why="The simplest way from noise (t = 0) to data (t = 1) is a line at constant speed.",
        letters="t x_0 x_1", own=ENDS, answer="t*x_1 + (1-t)*x_0",
        oracle=lambda c, rng: _along(c.x_0, c.x_1, c.t), measured="bisection for the point that is the share t of the way",
        source=flow.path, value=lambda f, c: f(np.array([c.x_0]), np.array([c.x_1]), c.t)[0],
        wrong=(
            ("(1-t)*x_1 + t*x_0", "that is diffusion's direction of time: here t = 0 is noise and t = 1 is data"),
            ("sqrt(t)*x_1 + sqrt(1-t)*x_0", "the roots belong to variance-preserving diffusion; this path is a straight line"),
            ("t*x_1 + sqrt(1-t)*x_0", "a variance 1 - t instead of a standard deviation"),
            ("t*x_1 + sqrt(1-t**2)*x_0", "that keeps unit variance, but leaves the straight line"),
            ("x_0 + t*x_1", "the noise has to fade as well"),
            ("x_0 + t*(x_0 - x_1)", "the direction is from x_0 to x_1, data minus noise"),
        ),
    ),
    Formula(
        name="flow-path-variance", number=61, lecture=3, title="Variance of the path given the data",
        latex=r"\mathrm{Var}(x_t\,|\,x_1) = (1-t)^2",
        why="All lines to one picture close in on it at constant speed, and so does their spread.",
        letters="t x_1", own=ENDS, answer="(1-t)**2",
        oracle=_path_variance, measured="quadrature over the starts of all lines to x_1",
        wrong=(
            ("1 - t", "that is the standard deviation; the variance is its square"),
            ("t**2", "time runs from noise to data: at t = 1 nothing is left to doubt"),
            ("1 - t**2", "that is the variance-preserving path's, not the line's"),
            ("t**2 + (1-t)**2", "that is the variance over data of variance 1 as well, x_1 not being known"),
            ("t", "time runs from noise to data, and the standard deviation is no variance"),
        ),
    ),
    Formula(
        name="conditional-velocity", number=62, lecture=3, title="Velocity of the line through x that ends at x_1",
        latex=r"u_t(x\,|\,x_1) = \frac{x_1 - x}{1-t}",
        why="What is left of the way over what is left of the time.",
        letters="t x x_1", own=ENDS, answer="(x_1 - x) / (1-t)",
        oracle=_through, measured="bisection for the line's start, then its slope by finite differences",
        source=flow.conditional_velocity, value=lambda f, c: f(np.array([c.x]), np.array([c.x_1]), c.t)[0],
        wrong=(
            ("(x - x_1) / (1-t)", "the sign: the flow goes to the data"),
            ("(x_1 - x) / t", "t is the time gone by; the way left takes 1 - t"),
            ("x_1 - x", "x is on its way already: the rest takes 1 - t only. Only at t = 0 is x the noise"),
            ("t*(x_1 - x)", "the rest of the way is to be divided by the rest of the time"),
            ("(x_1 - x) / (1-t)**2", "the variance of the path stands where its standard deviation belongs"),
        ),
    ),
    Formula(
        name="velocity-target", number=62, lecture=3, title="Velocity on the path: the target of training",
        latex=r"u_t(x_t\,|\,x_1) = x_1 - x_0",
        why="On a line the velocity is the same everywhere: no clock, and nothing blows up at t = 1.",
        letters="t x_0 x_1 x_t", own=ENDS, answer="x_1 - x_0", derive=_on_line,
        oracle=lambda c, rng: oracles.difference(lambda t: _along(c.x_0, c.x_1, t), c.t),
        measured="the line's slope by finite differences",
        wrong=(
            ("x_0 - x_1", "the sign: the flow runs from noise to data"),
            ("t * (x_1 - x_0)", "that is the way gone by so far, not the velocity"),
            ("(x_1 - x_0) / (1-t)", "x_0 is where the line starts: only x_1 - x_t has to be divided, and nothing blows up"),
            ("(x_1 - x_t) / t", "the rest of the way takes 1 - t"),
            ("x_1 - x_t", "to be divided by the time left, 1 - t"),
            ("x_1", "that is the end of the line, not its direction"),
            ("x_1 + x_0", "the direction is a difference"),
        ),
    ),
]
