"""Lecture 3: other paths than the straight one, from noise x_0 (t = 0) to data x_1 (t = 1).

letter  meaning
a, b    the weights of data and noise at one moment: x_t = a_t x_1 + b_t x_0 (alpha_t and sigma_t in many papers)
da, db  their derivatives by t
"""

import numpy as np

from ... import gaussian
from ...continuous import flow
from .. import oracles
from ..entry import POSITIVE, REAL, SHARE, Formula

TIME = {"t": (SHARE, "time from noise (0) to data (1)")}
ENDS = TIME | {"x_0": (REAL, "noise, where the path starts"), "x_1": (REAL, "data, where the path leads"),
               "sigma_min": (SHARE, "share of the noise that is left at t = 1")}  # fmt: skip
WEIGHTS = ENDS | {"a": (POSITIVE, "weight of the data, a_t"), "b": (POSITIVE, "weight of the noise, b_t"),
                  "da": (REAL, "its change, da_t/dt"), "db": (REAL, "its change, db_t/dt")}  # fmt: skip


def _speed(c, x_0):
    """How fast a_t x_1 + b_t x_0 moves, by finite differences; the weights are parabolas: any step is exact."""
    return oracles.difference(
        lambda h: (c.a + c.da * h + h * h) * c.x_1 + (c.b + c.db * h - h * h) * x_0, 0.0, 0.1
    )


def _speed_at(c, rng):
    """The speed of the path to x_1 that is at x now; its start by bisection."""
    return _speed(c, oracles.root(lambda x_0: c.a * c.x_1 + c.b * x_0 - c.x, -1e4, 1e4))


def _turned(c, t):
    """The first coordinate of (x_0, x_1) after t quarter turns."""
    return ((c.x_0 - 1j * c.x_1) * 1j**t).real


def _blurred(c, x_0, t):
    """The point at t between x_0 and x_1 + sigma_min x_0."""
    return np.interp(t, (0, 1), (x_0, c.x_1 + c.sigma_min * x_0))


def _blurred_speed(c, rng):
    """The slope of the line to x_1 + sigma_min x_0 that is at x at the time t; its start by bisection."""
    start = oracles.root(lambda x_0: _blurred(c, x_0, c.t) - c.x, -1e3, 1e3)
    return _blurred(c, start, 1.0) - start


def _spread(t, std, noise=1.0):
    """Variance of the points at t of all lines between a grid of noise and one of data, N(0, std^2)."""
    (x_0, p), (x_1, q) = oracles.gaussian_grid(0.0, noise, 301), oracles.gaussian_grid(0.0, std, 301)
    return p @ (x_0[:, None] + t * (x_1 - x_0[:, None])) ** 2 @ q


FADED = "(1 - (1-sigma_min)*t)"
SIN, COS = "sin(pi*t/2)", "cos(pi*t/2)"

# fmt: off
ENTRIES = [
    Formula(
        name="flow-variance", number=61, lecture=3, title="Variance of x_t on the straight path: data of width sigma",
        latex=r"\mathrm{Var}(x_t) = t^2\sigma^2 + (1-t)^2",
        why="Noise fades before the data have come far, and both are independent: at first the crowd narrows.",
        letters="t sigma", own=TIME | {"sigma": (POSITIVE, "standard deviation of the data")},
        answer="t**2 * sigma**2 + (1-t)**2",
        oracle=lambda c, rng: _spread(c.t, c.sigma), measured="quadrature over noise and data",
        wrong=(
            ("1", "that is for variance-preserving diffusion: this path narrows in the middle, even for sigma = 1"),
            ("(t*sigma + 1 - t)**2", "variances add, standard deviations do not"),
            ("t*sigma**2 + 1 - t", "the weights are to be squared"),
            ("(1-t)**2", "that is for one known picture: the data vary as well"),
            ("(1-t)**2 * sigma**2 + t**2", "that is diffusion's direction of time"),
            ("t**2 * sigma + (1-t)**2", "sigma stands where sigma^2 belongs"),
        ),
    ),
    Formula(
        name="flow-snr", number=61, lecture=3, title="Signal-to-noise ratio of the straight path",
        latex=r"\mathrm{SNR}(t) = \frac{t^2}{(1-t)^2}",
        why="From nothing but noise to nothing but signal: halfway both are equally strong.",
        letters="t", own=TIME, answer="t**2 / (1-t)**2",
        oracle=lambda c, rng: _spread(c.t, 1.0, 1e-12) / _spread(c.t, 1e-12), bound=1e-8,
        measured="variance over the data with next to no noise, over that of the noise with next to no data",
        source=gaussian.snr, value=lambda f, c: f(flow.Straight(), flow.Straight.T * (1 - c.t)),
        wrong=(
            ("t / (1-t)", "that is the ratio of standard deviations; the ratio of variances is its square"),
            ("(1-t)**2 / t**2", "that is diffusion's direction of time: here t = 1 is data"),
            ("t**2 / (1-t**2)", "that is for a variance-preserving path; here the noise's weight is 1 - t"),
            ("t**2", "that is the signal's variance, to be divided by the noise's"),
            ("t**2 / (t**2 + (1-t)**2)", "that is the signal's share of all variance, which alpha_bar is"),
        ),
    ),
    Formula(
        name="sigma-min-path", number=61, lecture=3, title="The path that ends a little blurred",
        latex=r"x_t = t\,x_1 + (1 - (1-\sigma_{min})\,t)\,x_0",
        why="A picture is a point, and a density on points has no logarithm: a little noise is kept to the end.",
        letters="t x_0 x_1 sigma_min", own=ENDS, answer=f"t*x_1 + {FADED}*x_0",
        oracle=lambda c, rng: _blurred(c, c.x_0, c.t), measured="linear interpolation from x_0 to x_1 + sigma_min x_0",
        wrong=(
            ("t*x_1 + (1-t)*x_0", "that ends at x_1 itself, which is sigma_min = 0"),
            ("t*x_1 + (1 - t + sigma_min)*x_0", "that starts at (1 + sigma_min) x_0: at t = 0 there is x_0"),
            ("t*x_1 + (1 - sigma_min*t)*x_0", "the noise falls to sigma_min, not by sigma_min"),
            ("t*x_1 + (1-sigma_min)*(1-t)*x_0", "that ends at x_1 itself, and starts with too little noise"),
            ("t*x_1 + sqrt(1 - (1-sigma_min**2)*t)*x_0", "the standard deviation falls at constant speed, not the variance"),
        ),
    ),
    Formula(
        name="path-velocity", number=62, lecture=3, title="Velocity on any path: the target of training",
        latex=r"x_t = a_t x_1 + b_t x_0:\quad u_t = \dot a_t\,x_1 + \dot b_t\,x_0",
        why="Both ends stand still, only their weights change: flow matching and diffusion differ in these weights alone.",
        letters="x_0 x_1 a b da db", own=WEIGHTS, answer="da*x_1 + db*x_0",
        oracle=lambda c, rng: _speed(c, c.x_0), measured="finite differences of the place a_t x_1 + b_t x_0",
        wrong=(
            ("a*x_1 + b*x_0", "that is the place x_t, not its velocity"),
            ("x_1 - x_0", "that is for the straight path, a_t = t and b_t = 1 - t"),
            ("da*x_1 - db*x_0", "db is below 0 where the noise fades: no further minus"),
            ("db*x_1 + da*x_0", "the weights are swapped: a_t belongs to the data x_1"),
            ("da*x_1", "the noise's weight changes as well"),
        ),
    ),
    Formula(
        name="path-velocity-from-x", number=62, lecture=3, title="Velocity of any path through x that leads to x_1",
        latex=r"u_t(x\,|\,x_1) = \frac{\dot b_t}{b_t}\,x + \left(\dot a_t - a_t\,\frac{\dot b_t}{b_t}\right)\,x_1",
        why="All in x that is not data is noise, so x and x_1 tell x_0, and then the velocity.",
        letters="x x_1 a b da db", own=WEIGHTS, answer="db/b * x + (da - a*db/b) * x_1",
        oracle=_speed_at, measured="bisection for the noise that leads through x, then finite differences of its path",
        wrong=(
            ("da*x_1 + db*x", "x is not the noise, which is (x - a x_1) / b"),
            ("db/b * x + da*x_1", "x holds a x_1, which does not fade with the noise: a db / b comes off"),
            ("db*x + (da - a*db) * x_1", "the noise in x is b times x_0: db is to be divided by b"),
            ("db/b * x + (da + a*db/b) * x_1", "the sign: x - a x_1 is what is left for the noise"),
            ("da/a * x + (db - b*da/a) * x_1", "that takes x_1 for the noise: a_t belongs to the data"),
            ("(x_1 - x) / b", "that is for the straight path, where da = 1, db = -1 and a + b = 1"),
        ),
    ),
    Formula(
        name="circle-velocity", number=62, lecture=3, title="Velocity on the circle, the path that keeps unit variance",
        latex=r"x_t = \sin\frac{\pi t}{2}\,x_1 + \cos\frac{\pi t}{2}\,x_0:\quad"
              r" u_t = \frac{\pi}{2}\,\left(\cos\frac{\pi t}{2}\,x_1 - \sin\frac{\pi t}{2}\,x_0\right)",
        why="Diffusion's path is a quarter of a circle, so its velocity turns: it is v, up to the sign and the factor pi/2.",
        letters="t x_0 x_1", own=ENDS, answer=f"pi/2 * ({COS}*x_1 - {SIN}*x_0)",
        oracle=lambda c, rng: oracles.difference(lambda t: _turned(c, t), c.t),
        measured="finite differences of the point (x_0, x_1) as it is turned",
        wrong=(
            (f"{COS}*x_1 - {SIN}*x_0", "the angle pi t / 2 runs at the speed pi/2: the chain rule"),
            ("x_1 - x_0", "that is for the straight path"),
            (f"{SIN}*x_1 + {COS}*x_0", "that is the place, not its velocity"),
            (f"pi/2 * ({COS}*x_1 + {SIN}*x_0)", "the sign: the cosine falls"),
            (f"pi/2 * ({COS}*x_0 - {SIN}*x_1)", "the ends are swapped: at t = 0 there is noise"),
        ),
    ),
    Formula(
        name="sigma-min-velocity", number=62, lecture=3, title="Velocity of the path that ends a little blurred",
        latex=r"u_t(x\,|\,x_1) = \frac{x_1 - (1-\sigma_{min})\,x}{1 - (1-\sigma_{min})\,t}",
        why="With noise left at t = 1 the denominator never comes to 0: the velocity stays finite everywhere.",
        letters="t x x_1 sigma_min", own=ENDS, answer=f"(x_1 - (1-sigma_min)*x) / {FADED}",
        oracle=_blurred_speed, measured="bisection for the line's start, then the line's slope",
        wrong=(
            ("(x_1 - x) / (1-t)", "that is for sigma_min = 0, where the line ends at x_1 itself"),
            (f"(x_1 - x) / {FADED}", "the line ends at x_1 + sigma_min x_0: x counts less by sigma_min"),
            ("(x_1 - (1-sigma_min)*x) / (1-t)", "the noise's weight at t is 1 - (1 - sigma_min) t"),
            ("x_1 - (1-sigma_min)*x", "that is for x at t = 0, where it is x_0"),
            (f"((1-sigma_min)*x - x_1) / {FADED}", "the sign: the flow goes to the data"),
        ),
    ),
]
