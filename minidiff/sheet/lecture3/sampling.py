"""Lecture 3: better steps than Euler's, how dense the samples lie, what pairs cost. The data are N(mu, sigma^2)."""

import math

import numpy as np

from ...continuous import ode
from .. import oracles
from ..entry import POSITIVE, REAL, SHARE, Formula

DATA = {"mu": (REAL, "mean of the data"), "sigma": (POSITIVE, "standard deviation of the data"),
        "t": (SHARE, "time; 0 is noise, 1 is data"), "x_0": (REAL, "noise, where the path starts"),
        "rho": (SHARE, "correlation of noise and data in a pair"),
        "r": (POSITIVE, "how many times stronger the noise is to be, against the signal")}  # fmt: skip
STEP = {"t": (SHARE, "time before the step; 0 is noise"), "h": (SHARE, "length of the step in time"),
        "u": (REAL, "the velocity at x_t, t"), "u_h": (REAL, "the velocity where Euler's step ends, at t + h"),
        "u_m": (REAL, "the velocity where half of Euler's step ends, at t + h/2")}  # fmt: skip
ASKS = {"u_h": ("x_t + h*u", "t + h"), "u_m": ("x_t + h/2 * u", "t + h/2")}


def _way(c, before, after):
    """x_t and the way made in a time h by what has the speed `before` at first and `after` at last, evenly changing."""
    share = np.linspace(0, 1, 101)
    return c.x_t + np.trapezoid(before + (after - before) * share, share * c.h)


def _any_way(c, rng):
    """As _way, whose speed is u_m halfway, however much it changes."""
    change = rng.uniform(-3, 3)
    return _way(c, c.u_m - change, c.u_m + change)


def _divergence(c, t):
    """Slope in x of the average of all lines: straight for Gaussian data, and 0 at x = 0 for mu = 0, by symmetry."""
    return oracles.line_velocity(1.0, t, 0.0, c.sigma)[0]


def _log_likelihood(c, rng):
    """log p_0(x_0) less the divergence, integrated over t by Gauss and Legendre."""
    t, weights = np.polynomial.legendre.leggauss(24)
    spread = weights @ [_divergence(c, s) for s in (t + 1) / 2] / 2
    return oracles.log_density(c.x_0, 0.0, 1.0) - spread


def _two_steps(c, rng):
    """Half a unit of time along the average of all lines through x_0, then half along that where one is."""
    x = c.x_0
    for t in (0.0, 0.5):
        x += oracles.line_velocity(x, t, c.mu, c.sigma)[0] / 2
    return x


def _cost(c, rng):
    """E (x_1 - x_0)^2, where x_1 is the share rho of x_0 and fresh noise: the double integral."""
    (x_0, p), (z, q) = oracles.gaussian_grid(0.0, 1.0, 301), oracles.gaussian_grid(0.0, 1.0, 301)
    x_1 = c.mu + c.sigma * (c.rho * x_0[:, None] + math.sqrt(1 - c.rho**2) * z)
    return p @ (x_1 - x_0[:, None]) ** 2 @ q


WIDTH2 = "(t**2 * sigma**2 + (1-t)**2)"

# fmt: off
ENTRIES = [
    Formula(
        name="flow-divergence", number=60, lecture=3, title="Divergence of the average velocity: data of width sigma, 1-D",
        latex=r"\nabla\cdot u_t = \frac{t\,\sigma^2 - (1-t)}{t^2\sigma^2 + (1-t)^2}",
        why="At first the crowd is drawn together, later it spreads to the data's width: half the growth of log variance.",
        letters="t sigma", own=DATA, answer=f"(t*sigma**2 - (1-t)) / {WIDTH2}",
        oracle=lambda c, rng: _divergence(c, c.t), measured="the slope in x of the average over all lines, by Bayes on a grid",
        wrong=(
            ("0", "only a flow that keeps all volumes has divergence 0"),
            ("-1 / (1-t)", "that is for the lines to one picture: their average spreads less inwards"),
            (f"2 * (t*sigma**2 - (1-t)) / {WIDTH2}", "that is the growth of log variance, of which a width has half"),
            (f"(t*sigma**2 + (1-t)) / {WIDTH2}", "the noise shrinks while the data grow: x_0 enters with a minus"),
            (f"(t*sigma - (1-t)) / {WIDTH2}", "sigma stands where sigma^2 belongs"),
            (f"((1-t) - t*sigma**2) / {WIDTH2}", "the sign: a crowd that widens has divergence above 0"),
        ),
    ),
    Formula(
        name="flow-likelihood", number=60, lecture=3, title="A sample's log density from its noise: data of width sigma, 1-D",
        latex=r"\log p_1(x_1) = \log p_0(x_0) - \int_0^1\nabla\cdot u_t\,dt"
              r" = -\frac{x_0^2}{2} - \frac{1}{2}\log(2\pi) - \log\sigma",
        why="Follow a picture back to its noise and add up all the spreading on the way: what is left is its likelihood.",
        letters="x_0 sigma", own=DATA, answer="-x_0**2/2 - log(2*pi)/2 - log(sigma)",
        oracle=_log_likelihood,
        measured="log p_0 by Fourier inversion, less the slope of the average of all lines, integrated over t",
        wrong=(
            ("-x_0**2/2 - log(2*pi)/2", "that is the noise's log density: the flow spreads it on its way"),
            ("-x_0**2/2 - log(2*pi)/2 + log(sigma)", "the sign: what spreads gets thinner"),
            ("-x_0**2/2 - log(2*pi)/2 - log(sigma**2)", "the divergence adds up to log sigma, a width, not a variance"),
            ("-x_0**2/2 - log(2*pi)/2 - sigma", "log densities change by the log of the stretch"),
            ("-x_0**2/(2*sigma**2) - log(2*pi)/2 - log(sigma)", "x_0 is noise of width 1: it was not stretched yet"),
        ),
    ),
    Formula(
        name="flow-heun-step", number=66, lecture=3, title="Heun's step along a flow",
        latex=r"u_h = u_{t+h}(x_t + h\,u):\quad x_{t+h} = x_t + \frac{h}{2}\,(u + u_h)",
        why="Look where Euler's step would lead, and go by the average of both directions.",
        letters="t h x_t u u_h u_m", own=STEP, asks=ASKS, answer="x_t + h/2 * (u + u_h)",
        oracle=lambda c, rng: _way(c, c.u, c.u_h), measured="quadrature of a speed that changes evenly from u to u_h",
        source=ode.heun,
        value=lambda f, c: f(lambda x, t: np.array([c.u if t == c.t else c.u_h]), np.array([c.x_t]), c.t, c.t + c.h)[0],
        wrong=(
            ("x_t + h*u", "that is Euler's step, which never looks ahead"),
            ("x_t + h*u_h", "only the direction at the far end: the average of both counts"),
            ("x_t + h * (u + u_h)", "the average, not the sum"),
            ("x_t + h*u_m", "that is the midpoint step, of the same order"),
            ("x_t + h*u + h/2*u_h", "both directions count alike"),
            ("x_t - h/2 * (u + u_h)", "that walks from data to noise: sampling starts at t = 0 and time rises"),
        ),
    ),
    Formula(
        name="flow-midpoint-step", number=66, lecture=3, title="The midpoint step along a flow",
        latex=r"u_m = u_{t+h/2}(x_t + \frac{h}{2}\,u):\quad x_{t+h} = x_t + h\,u_m",
        why="The direction halfway stands for the whole step better than that at its start.",
        letters="t h x_t u u_h u_m", own=STEP, asks=ASKS, answer="x_t + h*u_m",
        oracle=_any_way, measured="quadrature of any evenly changing speed that is u_m halfway",
        wrong=(
            ("x_t + h*u", "that is Euler's step, with the direction at the start"),
            ("x_t + h/2*u_m", "half a step only looks: the step itself has the length h, from x_t"),
            ("x_t + h/2*u + h/2*u_m", "the first half was a trial: the whole step goes by u_m, from x_t"),
            ("x_t + h/2 * (u + u_h)", "that is Heun's step, of the same order"),
            ("x_t + h*u_h", "the direction halfway, not that at the end"),
        ),
    ),
    Formula(
        name="time-shift", number=66, lecture=3, title="Times moved towards noise: t = 1 is data",
        latex=r"t' = \frac{t}{t + r\,(1-t)}",
        why="Large pictures need more noise to be hidden, so a sampler spends more of its steps there.",
        letters="t r", own=DATA, answer="t / (t + r*(1-t))",
        oracle=lambda c, rng: oracles.root(lambda v: c.r * (1 - c.t) / c.t - (1 - v) / v, 1e-9, 1.0),
        measured="bisection for the time whose noise is r times as strong against the signal",
        wrong=(
            ("r*t / (1 + (r-1)*t)", "that is for t = 1 noise; with t = 1 data the noise's time is 1 - t"),
            ("t / r", "the odds (1 - t) / t are multiplied: t = 1 has to stay t = 1"),
            ("1 - r*(1-t)", "the odds are multiplied, not the share: this leaves (0, 1)"),
            ("t / (t + r**2*(1-t))", "r multiplies the ratio of standard deviations: squared, it is that of variances"),
            ("r * (1-t) / t", "those are the odds of noise against data, not the time"),
            ("t", "only r = 1 leaves the times alone"),
        ),
    ),
    Formula(
        name="two-euler-steps", number=67, lecture=3, title="Where two Euler steps of 1/2 land: data N(mu, sigma^2)",
        latex=r"x_1 = \mu + \frac{\sigma^2}{1 + \sigma^2}\,x_0",
        why="One step gives the mean, two give some of the spread: few steps make samples too much alike.",
        letters="x_0 mu sigma", own=DATA, answer="mu + sigma**2 / (1 + sigma**2) * x_0",
        oracle=_two_steps, measured="two steps along the average of all lines, by Bayes on a grid",
        wrong=(
            ("mu", "that is one step; the second one starts where the lines have begun to part"),
            ("mu + sigma*x_0", "that is the exact flow, which takes many steps"),
            ("mu + x_0/2", "the second step's direction depends on the place: it is not mu - x_0 again"),
            ("mu + sigma/2 * x_0", "half of the steps are not half of the spread"),
            ("mu + sigma**2 * x_0", "the variance of x_1/2 divides: (1 + sigma^2) / 4"),
        ),
    ),
    Formula(
        name="transport-cost-coupled", number=68, lecture=3, title="Transport cost of pairs whose ends are correlated",
        latex=r"\mathrm{E}[(x_1-x_0)^2] = \mu^2 + \sigma^2 + 1 - 2\rho\,\sigma",
        why="The more a start foretells its end, the shorter the lines and the less they cross.",
        letters="rho mu sigma", own=DATA, answer="mu**2 + sigma**2 + 1 - 2*rho*sigma",
        oracle=_cost, measured="the double integral over noise and what the data add to it",
        wrong=(
            ("mu**2 + sigma**2 + 1", "that is for independent pairs, rho = 0"),
            ("mu**2 + (sigma - 1)**2", "that is for pairs of equal rank, rho = 1"),
            ("mu**2 + sigma**2 + 1 + 2*rho*sigma", "the sign: ends that go along with their starts are closer"),
            ("mu**2 + sigma**2 + 1 - rho*sigma", "the square of a difference has the cross term twice"),
            ("mu**2 + sigma**2 + 1 - 2*rho", "the covariance is rho times both standard deviations"),
            ("mu**2 + (1-rho) * (sigma**2 + 1)", "rho takes off the covariance, not the variances"),
        ),
    ),
]
