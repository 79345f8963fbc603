"""Lecture 3: the velocity tells the noise and the data, and where diffusion's x_t lies on the straight path."""

import math

import numpy as np

from ...continuous import flow
from .. import oracles
from ..entry import POSITIVE, REAL, SHARE, Formula
from .probability_paths import line_velocity

KNOWN = {"t": (SHARE, "time from noise (0) to data (1)"), "x": (REAL, "a point on the way"),
         "mu": (REAL, "mean of the data"), "sigma": (POSITIVE, "standard deviation of the data"),
         "u": (REAL, "u_t(x), here of data N(mu, sigma^2)"), "score": (REAL, "grad log p_t(x), of the same data"),
         "eps_hat": (REAL, "the guessed noise E[x_0 | x_t = x], of the same data"),
         "g": (POSITIVE, "weight of the fresh noise, dx = f dt + g dW")}  # fmt: skip
TWO = KNOWN | {
    "eps": (REAL, "the noise x_0 that x began at"),
    "eps_hat": (REAL, "the noise that the network guesses"),
}


def _guesses(c):
    """Score, noise and velocity at x for data N(mu, sigma^2): the score of the Gaussian p_t, and what follows from it."""
    score = (c["t"] * c["mu"] - c["x"]) / ((c["t"] * c["sigma"]) ** 2 + (1 - c["t"]) ** 2)
    eps_hat = -(1 - c["t"]) * score
    return {"score": score, "eps_hat": eps_hat, "u": (c["x"] - eps_hat) / c["t"]}


def _data(c, rng):
    """E[x_1 | x_t = x], by Bayes on a grid of data."""
    likely = lambda x_1: (
        oracles.log_bell(x_1, c.mu, c.sigma**2) + oracles.log_bell(c.x, c.t * x_1, (1 - c.t) ** 2)
    )  # noqa: E731
    return oracles.refined_moments(likely, c.mu, 12 * c.sigma + abs(c.x / c.t - c.mu))[0]


def _noise(c, rng):
    """E[x_0 | x_t = x], by Bayes on a grid of noise."""
    likely = lambda x_0: (  # noqa: E731
        oracles.log_bell(x_0, 0.0, 1.0)
        + oracles.log_bell(c.x - (1 - c.t) * x_0, c.t * c.mu, (c.t * c.sigma) ** 2)
    )
    return oracles.refined_moments(likely, 0.0, 12 + abs(c.x - c.t * c.mu) / (1 - c.t))[0]


def _from(start, c):
    """The velocity of the line that began at start and is at x at the time t, by bisection."""
    return oracles.root(lambda u: start + c.t * u - c.x, -1e4, 1e4)


def _drift(c, rng):
    """The f for which noise of weight g lets p_t change as the flow does, by Fokker and Planck: f p - g^2/2 dp/dx = flux.

    The flux to the right is minus the change of P(x_t < x), or the change of P(x_t > x): the smaller one keeps its digits.
    """
    x_1, q = oracles.gaussian_grid(c.mu, c.sigma, 2001)
    side = 1 if c.x > c.t * c.mu else -1
    erfc = np.frompyfunc(math.erfc, 1, 1)
    start = lambda x, t: (x - t * x_1) / (1 - t)  # noqa: E731  the noise that is led to x
    beyond = lambda t: float(q @ erfc(side * start(c.x, t) / math.sqrt(2))) / 2  # noqa: E731
    p = lambda x: q @ np.exp(-(start(x, c.t) ** 2) / 2) / math.sqrt(2 * math.pi) / (1 - c.t)  # noqa: E731
    flux = side * oracles.difference(beyond, c.t, 1e-3 * c.t * (1 - c.t))
    return (flux + c.g**2 / 2 * oracles.difference(p, c.x, 1e-2 * (1 - c.t))) / p(c.x)


def _crossing(c):
    """The k and r for which k times the weights of x_0 and eps in x_t are r and 1 - r; the weights step by step."""
    keep, var = oracles.forward_moments(c.beta, c.t)
    return np.linalg.solve([[keep, -1.0], [math.sqrt(var), 1.0]], [0.0, 1.0])


def _told(f, c):
    """Point and time that the library's denoiser of a flow network shows to that network, for x_t = 1."""
    told = []
    f(lambda x, t: told.append((x, t)) or x, c.schedule)(np.ones((1, 1)), c.t)
    return told[0]


SIGNAL, NOISE = "sqrt(alpha_bar[t])", "sqrt(1 - alpha_bar[t])"

# fmt: off
ENTRIES = [
    Formula(
        name="data-from-velocity", number=64, lecture=3, title="The data that a velocity implies, straight path",
        latex=r"\hat x_1 = x + (1-t)\,u_t(x)",
        why="Go on as you go for all the time that is left: there lies the average of all pictures x may become.",
        letters="t x u mu sigma", needs="u", own=KNOWN, derive=lambda c: {"u": _guesses(c)["u"]}, answer="x + (1-t)*u",
        oracle=_data, measured="Bayes on a grid of data",
        wrong=(
            ("x + t*u", "t is the time gone by; 1 - t is left"),
            ("x - t*u", "that is the noise, where the line began"),
            ("x + u", "only from t = 0 does a whole unit of time remain"),
            ("(x + (1-t)*u) / t", "x is a place on the line, nothing is to be scaled: that was diffusion's x_0_hat"),
            ("x - (1-t)*u", "the sign: u points to the data"),
        ),
    ),
    Formula(
        name="noise-from-velocity", number=64, lecture=3, title="The noise that a velocity implies, straight path",
        latex=r"\hat x_0 = x - t\,u_t(x)",
        why="Back along the line for the time that has gone by.",
        letters="t x u mu sigma", needs="u", own=KNOWN, derive=lambda c: {"u": _guesses(c)["u"]}, answer="x - t*u",
        oracle=_noise, measured="Bayes on a grid of noise",
        source=flow.eps_from_velocity, value=lambda f, c: f(np.array([c.x]), c.t, np.array([c.u]))[0],
        wrong=(
            ("x - (1-t)*u", "1 - t is the time left; t has gone by since the noise"),
            ("x + t*u", "the sign: the noise lies behind, u points ahead"),
            ("x + (1-t)*u", "that is the data, where the line ends"),
            ("(x - t*u) / (1-t)", "x is a place on the line, nothing is to be scaled"),
            ("x - u", "that is for t = 1, where a whole unit of time has gone by"),
        ),
    ),
    Formula(
        name="velocity-from-noise", number=64, lecture=3, title="Velocity from a guess of the noise, straight path",
        latex=r"u_t(x) = \frac{x - \hat\epsilon}{t}",
        why="The way gone by over the time gone by.",
        letters="t x eps_hat mu sigma", needs="eps_hat", own=KNOWN, derive=lambda c: {"eps_hat": _guesses(c)["eps_hat"]},
        answer="(x - eps_hat) / t",
        oracle=lambda c, rng: line_velocity(c.x, c.t, c.mu, c.sigma)[0],
        measured="Bayes on a grid of all lines through x",
        source=flow.velocity_from_eps, value=lambda f, c: f(np.array([c.x]), c.t, np.array([c.eps_hat]))[0],
        wrong=(
            ("(x - eps_hat) / (1-t)", "the way from the noise to x took t"),
            ("(eps_hat - x) / t", "the sign: the flow leaves the noise"),
            ("x - eps_hat", "x is the data at t = 1 only: the way from the noise to x took the time t"),
            ("(x - (1-t)*eps_hat) / t", "that is the data: the noise in x taken off, the rest scaled up"),
            ("-eps_hat / (1-t)", "that is the score"),
        ),
    ),
    Formula(
        name="velocity-error", number=64, lecture=3, title="From an error of the noise to one of the velocity",
        latex=r"\|\hat u - u\|^2 = \frac{\|\hat\epsilon - \epsilon\|^2}{t^2}",
        why="Close to the start a small error of the noise turns the line far: networks that learn u are spared that.",
        letters="t x eps eps_hat", own=TWO, answer="(eps_hat - eps)**2 / t**2",
        oracle=lambda c, rng: (_from(c.eps_hat, c) - _from(c.eps, c)) ** 2,
        measured="the squared gap between the slopes of two lines through x, each by bisection",
        wrong=(
            ("(eps_hat - eps)**2", "the losses differ: the same network is trained with other weights over t"),
            ("(eps_hat - eps)**2 / t", "u has 1 / t, its square 1 / t^2"),
            ("(eps_hat - eps)**2 * t**2", "the inverse: x - eps is divided by t"),
            ("(eps_hat - eps)**2 * (1-t)**2 / t**2", "that is the error of the data x_1"),
            ("(eps_hat - eps)**2 / (1-t)**2", "the line from the noise to x took t, not 1 - t"),
        ),
    ),
    Formula(
        name="flow-noisy-drift", number=64, lecture=3, title="Sampling a flow with fresh noise: the drift",
        latex=r"dx = f\,dt + g\,dW:\quad f = u_t(x) + \frac{g^2}{2}\,\nabla\log p_t(x)",
        why="Noise spreads the crowd, the score gathers it: with both in balance the densities stay those of the flow.",
        letters="t x u score g mu sigma", needs="u", own=KNOWN, answer="u + g**2/2 * score", bound=1e-6,
        derive=lambda c: {k: v for k, v in _guesses(c).items() if k != "eps_hat"},
        oracle=_drift, measured="Fokker and Planck's flux, from finite differences of P(x_t < x) over data and noise",
        wrong=(
            ("u", "with noise alone the crowd spreads: the score has to hold it together"),
            ("u + g**2 * score", "g^2 is for the reverse SDE's drift: here the flow does half of it already"),
            ("u - g**2/2 * score", "the sign: up the density, against the spreading"),
            ("u + g/2 * score", "the noise spreads with its variance g^2"),
            ("u + score", "the more noise, the more of the score"),
        ),
    ),
    Formula(
        name="flow-time", number=64, lecture=3, title="The straight path's time of diffusion's alpha_bar_t",
        latex=r"r = \frac{\sqrt{\bar\alpha_t}}{\sqrt{\bar\alpha_t} + \sqrt{1-\bar\alpha_t}}",
        why="Two noisy pictures are the same but for their brightness if signal and noise have the same ratio.",
        letters="beta t", answer=f"{SIGNAL} / ({SIGNAL} + {NOISE})",
        oracle=lambda c, rng: _crossing(c)[1], measured="weights step by step, then two linear equations",
        source=flow.FlowDenoiser, value=lambda f, c: 1 - _told(f, c)[1] / flow.Straight.T,
        wrong=(
            (SIGNAL, "diffusion's weights do not add up to 1, those of the straight path do"),
            ("alpha_bar[t]", "that is the share of the variance; the path's weights are of standard deviations"),
            (f"{NOISE} / ({SIGNAL} + {NOISE})", "here 0 is noise and 1 is data: the time is the signal's share"),
            (f"{SIGNAL} / {NOISE}", "that is r / (1 - r), not r"),
            (f"1 - {NOISE}", "the noise's weight has to be scaled as well"),
            ("t / T", "where x_t lies is told by its noise, not by the count of steps"),
        ),
    ),
    Formula(
        name="flow-scale", number=64, lecture=3, title="What puts diffusion's x_t on the straight path",
        latex=r"\kappa = \frac{1}{\sqrt{\bar\alpha_t} + \sqrt{1-\bar\alpha_t}}",
        why="On a straight path the weights add up to 1, in diffusion their squares do: between them is a factor.",
        letters="beta t", answer=f"1 / ({SIGNAL} + {NOISE})",
        oracle=lambda c, rng: _crossing(c)[0], measured="weights step by step, then two linear equations",
        source=flow.FlowDenoiser, value=lambda f, c: _told(f, c)[0].item(),
        wrong=(
            ("1", "the paths differ: x_t has unit variance, the straight path is narrower in the middle"),
            (f"{SIGNAL} + {NOISE}", "that is the way back, from the straight path to diffusion"),
            (f"1 / {SIGNAL}", "that gives the signal the weight 1; signal and noise together have it"),
            (f"1 / (alpha_bar[t] + {NOISE})", "the signal's weight is sqrt(alpha_bar_t)"),
            (f"{SIGNAL} / ({SIGNAL} + {NOISE})", "that is the time, the signal's share"),
        ),
    ),
]
