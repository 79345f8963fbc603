"""Lecture 2: how a density flows (Fokker-Planck), the reverse SDE, the probability-flow ODE."""

import math

import numpy as np

from ...continuous import sde
from .. import oracles
from ..entry import POSITIVE, REAL, SHARE, Case, Formula
from .sde import limit

SDE = {"f": (REAL, "the drift f(x, t)"), "g": (POSITIVE, "the noise's weight g(t)"), "score": (REAL, "grad log p_t(x)"),
       "x": (REAL, "the data at time t"), "dt": (SHARE, "the step's length, above 0"),
       "z": (REAL, "fresh noise")}  # fmt: skip
BUMPS = {"b": (POSITIVE, "beta(t), so f = -b x / 2 and g^2 = b"), "B": (POSITIVE, "the integral of beta from 0 to t"),
         "x": (REAL, "a point")}  # fmt: skip
PLANE = {"a": (REAL, "first coordinate of the point"), "b": (REAL, "second coordinate"), "w": (POSITIVE, "strength of v_0"),
         "sigma": (POSITIVE, "the Gaussian's standard deviation, which grows at rate 1")}  # fmt: skip


def _density(B, x):
    """p_t(x) of two data bumps when the integral of beta is B: noised by one step of that strength."""
    p = 0.0
    for w, m in ((0.4, -1.0), (0.6, 1.5)):
        mean, var = oracles.forward_moments([0, -math.expm1(-B)], 1, mean=m, var=0.3)
        p += w * math.exp(oracles.log_bell(x, mean, var)) / math.sqrt(var)
    return p


def _flow(c, pull, smear, shrink=-0.5, g2=lambda b: b):
    """dp/dt + d/dx(drift p) - smear g^2 d^2p/dx^2 with drift = shrink b x - pull g^2 score, all by finite differences."""
    slope = lambda f, x: oracles.difference(f, x, 4e-3)  # noqa: E731
    p = lambda x: _density(c.B, x)  # noqa: E731
    flux = lambda x: shrink * c.b * x * p(x) - pull * g2(c.b) * slope(lambda y: math.log(p(y)), x) * p(x)  # noqa: E731
    p_t = c.b * slope(lambda B: _density(B, c.x), c.B)
    return p_t + slope(flux, c.x) - smear * g2(c.b) * slope(lambda x: slope(p, x), c.x)


def _bayes_drift(c):
    """(x_t - E[x_{t-dt} | x_t]) / dt as dt -> 0, by Bayes on a grid: p(x_{t-dt}) has this score, then one step of the SDE."""

    def drift(n):
        dt = 0.02 / (1 + c.g**2) / n
        log_p = lambda x: c.score * x - x**2 / 2 + 0.2 * np.cos(x)  # noqa: E731
        likely = lambda x: log_p(x) + oracles.log_bell(0.0, x + c.f * dt, c.g**2 * dt)  # noqa: E731
        return -oracles.grid_moments(likely, -c.f * dt, 13 * c.g * math.sqrt(dt), 401)[0] / dt

    return limit(drift)


def _back(c, rng):
    """The step by dt towards data: Bayes' drift, and the forward process's noise."""
    noise = oracles.root(lambda w: w * w - c.g * c.g * c.dt, 0.0, 100.0)
    return c.x - _bayes_drift(c) * c.dt + noise * c.z


def _quantile_speed(c, rng):
    """The speed of a quantile of p under the SDE as dt -> 0: the ODE's paths keep the mass to their left."""
    k = 2 * abs(c.score) + 1  # a bump with the distribution function 1 / (1 + exp(-k x - shift))
    left = (1 - c.score / k) / 2
    shift = math.log(left / (1 - left))
    eps, p = oracles.gaussian_grid(0.0, 1.0, 301)

    def speed(n):
        dt = 0.02 / (1 + (c.g * k) ** 2 + abs(c.f) * k) / n
        moved = c.f * dt + c.g * math.sqrt(dt) * eps
        mass = lambda x: p @ np.tanh((k * (x - moved) + shift) / 2) / 2 + 0.5  # noqa: E731
        return oracles.root(lambda x: mass(x) - left, -0.1, 0.1) / dt

    return limit(speed, levels=4)


def _memory(c, rng):
    """1 - the correlation of x_0 and x_t under the SDE: 1 is the ODE's, which maps Gaussian data by a straight line."""
    mean, var = oracles.forward_moments(c.beta, c.t, var=c.sigma**2)
    return 1 - mean * c.sigma / math.sqrt(var)


def _planar(c, v):
    """dp/dt + div(p (u + v)) of a widening Gaussian in the plane, u its own radial velocity, by finite differences."""
    p = lambda a, b, s: math.exp(oracles.log_bell(a, 0, s * s) + oracles.log_bell(b, 0, s * s)) / s**2  # noqa: E731
    flux = lambda i, a, b: p(a, b, c.sigma) * ((a, b)[i] / c.sigma + v(a, b)[i])  # noqa: E731
    h = 3e-3 * c.sigma
    div = oracles.difference(lambda a: flux(0, a, c.b), c.a, h) + oracles.difference(
        lambda b: flux(1, c.a, b), c.b, h
    )
    return oracles.difference(lambda s: p(c.a, c.b, s), c.sigma, h) + div


def _step_of(f, c):
    """The library's reverse step for a process with this drift and noise at x."""
    process = Case(f=lambda t: c.f / c.x, g2=lambda t: c.g**2)
    return f(process, lambda x, t: c.score, np.array([c.x]), 1.0, 1.0 - c.dt, np.array([c.z]))[0]


# fmt: off
ENTRIES = [
    Formula(
        name="fokker-planck", number=51, lecture=2, title="Fokker-Planck: how the density flows",
        latex=r"\partial_t p = -\nabla\cdot(f\,p) + \frac{1}{2}g^2\,\Delta p",
        why="Drift carries the density along, noise smears it out.",
        letters="x b B", own=BUMPS, bound=1e-7,
        oracle=lambda c, rng: _flow(c, 0.0, 0.5), measured="finite differences of a noised density of two bumps",
        wrong=(
            (lambda c, rng: _flow(c, 0.0, -0.5), "the sign: noise smears out, + Delta p"),
            (lambda c, rng: _flow(c, 0.0, 1.0), "the 1/2 before g^2 is missing"),
            (lambda c, rng: _flow(c, 0.0, 0.5, g2=math.sqrt), "g stands where g^2 belongs"),
            (lambda c, rng: _flow(c, 0.0, 0.5, shrink=0.5), "the sign of the drift's term: what flows away is lost here"),
            (lambda c, rng: _flow(c, 0.0, 0.0), "without its second term it is the equation of a flow without noise"),
        ),
    ),
    Formula(
        name="reverse-sde", number=52, lecture=2, title="The reverse SDE: its drift",
        latex=r"\bar f = f - g^2\,\nabla\log p_t(x),\qquad dx = \bar f\,dt + g\,d\bar W,\quad dt < 0",
        why="Run backwards, noise alone would go on smearing: the score's pull undoes its smearing twice over.",
        letters="f g score", own=SDE, answer="f - g**2 * score", bound=1e-8,
        oracle=lambda c, rng: _bayes_drift(c), measured="Bayes on a grid for where x_t came from dt ago, dt -> 0",
        source=sde.reverse_step, value=lambda f, c: 1 - _step_of(f, Case(c, x=1.0, dt=1.0, z=0.0)),
        wrong=(
            ("f - g**2/2 * score", "that is the probability-flow ODE's: with fresh noise the whole g^2 is needed"),
            ("f + g**2 * score", "the sign: with dt < 0 the score is subtracted, or samples flee the data"),
            ("f - g * score", "g stands where g^2 belongs"),
            ("f", "the forward drift backwards does not undo the noise: the score is missing"),
            ("-f + g**2 * score", "that is for a clock that runs from noise to data: the sheet's dt is below 0"),
            ("-g**2 * score", "the forward drift f is to be undone as well"),
            ("f - g**2", "the score is missing"),
        ),
    ),
    Formula(
        name="reverse-sde-density", number=52, lecture=2, title="The reverse SDE passes through the same densities",
        latex=r"-\partial_t p = \nabla\cdot([f - g^2\,\nabla\log p]\,p) + \frac{1}{2}g^2\,\Delta p",
        why="Fokker-Planck with the clock reversed: its Laplacian turns into the score's pull.",
        letters="x b B", own=BUMPS, bound=1e-7,
        oracle=lambda c, rng: _flow(c, 1.0, -0.5), measured="finite differences of a noised density of two bumps",
        wrong=(
            (lambda c, rng: _flow(c, 0.5, -0.5), "with half the score the samples stay too wide"),
            (lambda c, rng: _flow(c, -1.0, -0.5), "the score's sign: samples flee the data"),
            (lambda c, rng: _flow(c, 1.0, -0.5, g2=math.sqrt), "g stands where g^2 belongs"),
            (lambda c, rng: _flow(c, 1.0, 0.0), "without fresh noise the whole score collapses the samples: it needs half"),
        ),
    ),
    Formula(
        name="reverse-step", number=53, lecture=2, title="Euler-Maruyama backwards, with dt > 0",
        latex=r"x_{t-\Delta t} = x_t - [f - g^2\,\nabla\log p_t]\,\Delta t + g\sqrt{\Delta t}\,z",
        why="A step into the past subtracts the drift; noise has no direction and is always added.",
        letters="x f g score dt z", own=SDE, answer="x - (f - g**2 * score)*dt + g*sqrt(dt)*z", bound=1e-7,
        oracle=_back, measured="Bayes on a grid for the drift, dt -> 0; noise of variance g^2 dt by bisection",
        source=sde.reverse_step, value=_step_of,
        wrong=(
            ("x + (f - g**2 * score)*dt + g*sqrt(dt)*z", "with dt > 0 the bracket is subtracted: the step leads into the past"),
            ("x - (f - g**2 * score)*dt + g*dt*z", "the noise's weight is g sqrt(dt): as dt -> 0 noise g dt z dies out"),
            ("x - (f - g**2/2 * score)*dt + g*sqrt(dt)*z", "half the score belongs to the ODE, which adds no noise"),
            ("x - (f + g**2 * score)*dt + g*sqrt(dt)*z", "the score's sign: back means towards likelier data"),
            ("x - (f - g**2 * score)*dt", "the noise is missing: with the whole score the samples collapse"),
            ("x - (f - g**2 * score)*dt + g**2*sqrt(dt)*z", "g^2 dt is the variance; the noise's weight is its root"),
            ("x - (f - g**2 * score) + g*z", "the step's length dt is missing"),
        ),
    ),
    Formula(
        name="pf-ode", number=54, lecture=2, title="The probability-flow ODE",
        latex=r"\frac{dx}{dt} = f - \frac{1}{2}g^2\,\nabla\log p_t(x)",
        why="Smearing is a flow down the score: moving every point that way, no noise is needed.",
        letters="f g score", own=SDE, answer="f - g**2/2 * score", bound=1e-7,
        oracle=_quantile_speed, measured="the speed of the point with the same mass to its left under the SDE, dt -> 0",
        source=sde.velocity,
        value=lambda f, c: f(Case(f=lambda t: c.f, g2=lambda t: c.g**2), lambda x, t: c.score, np.ones(1), 1.0)[0],
        wrong=(
            ("f - g**2 * score", "the 1/2 is missing: without the reverse SDE's noise samples collapse"),
            ("f + g**2/2 * score", "the sign: noise carries the density away from its peaks"),
            ("f - g/2 * score", "g stands where g^2 belongs"),
            ("f", "without the score the noise's smearing is lost"),
            ("-g**2/2 * score", "the drift f is missing"),
            ("f - g**2/2", "the score is missing"),
        ),
    ),
    Formula(
        name="pf-ode-density", number=54, lecture=2, title="The probability-flow ODE passes through the same densities",
        latex=r"\partial_t p = -\nabla\cdot([f - \frac{1}{2}g^2\,\nabla\log p]\,p)",
        why="p grad log p = grad p, so Fokker-Planck's Laplacian is a flow like any other.",
        letters="x b B", own=BUMPS, bound=1e-7,
        oracle=lambda c, rng: _flow(c, 0.5, 0.0), measured="finite differences of a noised density of two bumps",
        wrong=(
            (lambda c, rng: _flow(c, 1.0, 0.0), "with the whole score and no noise the samples collapse"),
            (lambda c, rng: _flow(c, -0.5, 0.0), "the score's sign"),
            (lambda c, rng: _flow(c, 0.5, 0.5), "the noise's smearing counted twice: as the score's flow and as noise"),
            (lambda c, rng: _flow(c, 0.5, 0.0, g2=math.sqrt), "g stands where g^2 belongs"),
        ),
    ),
    Formula(
        name="pf-ode-paths", number=54, lecture=2, title="The ODE's paths are not the SDE's",
        latex=r"p_t^{\,ODE} = p_t^{\,SDE}\ \mathrm{for\ every}\ t,\quad (x_0, x_t)^{ODE} \neq (x_0, x_t)^{SDE}",
        why="Each time's density agrees; how two times hang together does not, for the ODE is a map.",
        letters="beta t sigma", own={"sigma": (POSITIVE, "standard deviation of the data")}, relation="!=",
        oracle=_memory, measured="1, the ODE's correlation of x_0 and x_t for Gaussian data, minus the SDE's",
        wrong=((_memory, "same densities are not same trajectories: the SDE forgets x_0, the ODE never does"),),
    ),
    Formula(
        name="null-velocity", number=55, lecture=2, title="A velocity that no density sees",
        latex=r"\nabla\cdot(p\,v_0) = 0\ \Rightarrow\ u + v_0\ \mathrm{has\ the\ same}\ p_t",
        why="Stirring a round cup of coffee moves every drop and changes nothing: many flows share one p_t.",
        letters="a b w sigma", own=PLANE, bound=1e-8,
        oracle=lambda c, rng: _planar(c, lambda a, b: (-c.w * b, c.w * a)),
        measured="a rotation added to a widening Gaussian: dp/dt + div(p (u + v_0)) by finite differences",
        wrong=(
            (lambda c, rng: _planar(c, lambda a, b: (c.w, c.w)), "div v_0 = 0 is not enough: a shift has it and moves p"),
            (lambda c, rng: _planar(c, lambda a, b: (-c.w * (b - 1), c.w * (a - 2))),
             "a rotation about another point has div v_0 = 0 as well, but div(p v_0) is not 0"),
            (lambda c, rng: _planar(c, lambda a, b: (c.w * a, c.w * b)), "a radial velocity widens the density"),
        ),
    ),
]
