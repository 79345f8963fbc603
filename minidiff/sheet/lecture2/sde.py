"""Lecture 2: noising in continuous time. The Wiener process, VP and VE."""

import math

import numpy as np

from ... import gaussian
from ...continuous import process, sde
from .. import oracles
from ..entry import POSITIVE, REAL, SHARE, Formula

RATE = {"b": (POSITIVE, "beta(t), the rate at which noise comes in"), "x": (REAL, "the data at time t"),
        "dt": (SHARE, "a short time"), "z": (REAL, "fresh noise")}  # fmt: skip
TOTAL = {"B": (POSITIVE, "the integral of beta from 0 to t"), "x_0": (REAL, "clean data")}
CLOCK = {"t_1": (POSITIVE, "a time"), "t_2": (POSITIVE, "a later time"), "dt": (POSITIVE, "t_2 - t_1")}
LEVEL = {"sigma": (POSITIVE, "the noise level sigma_t"), "dsigma": (POSITIVE, "its rate of growth, d sigma_t / dt"),
         "sigma_1": (POSITIVE, "the noise level at the start"), "sigma_2": (POSITIVE, "the noise level later")}  # fmt: skip


def limit(of, n=1, levels=6):
    """lim of(n) for n -> infinity, from n, 2 n, 4 n, ...: Richardson extrapolation cancels the errors in 1/n, 1/n^2, ..."""
    row = [of(n * 2**k) for k in range(levels)]
    for k in range(1, levels):
        row = [(2**k * b - a) / (2**k - 1) for a, b in zip(row, row[1:])]
    return row[-1]


def _coins(time, n=64):
    """The sums of n fair coin tosses with variance 1 per unit of time, and their probabilities."""
    heads = np.arange(n + 1)
    return (2 * heads - n) * math.sqrt(time / n), np.array([math.comb(n, k) / 2**n for k in heads])


def _spread(time):
    """Standard deviation of the sum of coin tosses over this time."""
    x, p = _coins(time)
    return math.sqrt(p @ x**2)


def _covariance(c, rng):
    """E W(t_1) W(t_2): tosses up to t_1, and others from there to t_2."""
    (x, p), (y, q) = _coins(c.t_1), _coins(c.t_2 - c.t_1)
    return np.sum(p[:, None] * q * x[:, None] * (x[:, None] + y))


def _drift(c, rng):
    """How fast DDPM's step of variance b dt shrinks x, as dt -> 0."""
    return oracles.difference(lambda dt: oracles.forward_moments([0, c.b * dt], 1, mean=c.x)[0], 0.0)


def _diffusion(c, rng):
    """How fast that step adds variance to a known x, as dt -> 0: g^2."""
    return oracles.difference(lambda dt: oracles.forward_moments([0, c.b * dt], 1)[1], 0.0)


def _vp_step(c, rng):
    """x after the drift of dt, plus noise with the variance that coin tosses have after dt."""
    return c.x + _drift(c, rng) * c.dt + _spread(_diffusion(c, rng) * c.dt) * c.z


def _many_steps(c, what):
    """Mean (what = 0) or variance (1) of x_t in the limit of ever more DDPM steps, whose betas rise and add up to B."""
    return limit(
        lambda n: oracles.forward_moments(
            [0, *(c.B * (2 * i - 1) / n**2 for i in range(1, n + 1))], n, mean=c.x_0
        )[what],
        32,
    )


def _too_little(c, rng):
    """exp(-sum beta) - alpha_bar, the latter step by step."""
    return math.exp(-sum(c.beta[: c.t + 1])) - oracles.forward_moments(c.beta, c.t)[0] ** 2


def _ve_rate(c, rng):
    """g for a noise level with this value and slope: the root of d sigma^2 / dt."""
    return math.sqrt(
        oracles.difference(lambda u: (c.sigma + c.dsigma * u + 0.3 * u * u) ** 2, 0.0, 1e-3 * c.sigma)
    )


def _ve_added(c, rng):
    """The variance that g dW adds for a level whose logarithm is linear in t: g^2 by finite differences, then quadrature."""
    u, weight = np.polynomial.legendre.leggauss(20)
    level = lambda t: c.sigma_1 * (c.sigma_2 / c.sigma_1) ** t  # noqa: E731
    return weight @ oracles.difference(lambda t: level(t) ** 2, (u + 1) / 2) / 2


# fmt: off
ENTRIES = [
    Formula(
        name="wiener-increment", number=47, lecture=2, title="Wiener's noise over a time dt",
        latex=r"W_{t+dt} - W_t = \sqrt{dt}\,\epsilon,\qquad \epsilon\sim\mathcal{N}(0, I)",
        why="Independent shoves add their variances, so twice the time is twice the variance.",
        letters="dt eps", own=CLOCK, answer="sqrt(dt) * eps",
        oracle=lambda c, rng: _spread(c.dt) * c.eps,
        measured="a walk of coin tosses of variance 1 in a unit of time, all paths counted",
        wrong=(
            ("dt * eps", "the variance is dt, the standard deviation its root"),
            ("eps", "that is the noise of a whole unit of time"),
            ("eps / sqrt(dt)", "longer times bring more noise: that would be the increment's rate, dW/dt, which has no limit"),
            ("dt**2 * eps", "the standard deviation is to be sqrt(dt): nothing is squared"),
            ("sqrt(2*dt) * eps", "the 2 belongs to Langevin's sqrt(2 eta), where the step is eta"),
        ),
    ),
    Formula(
        name="wiener-covariance", number=47, lecture=2, title="Covariance of a Wiener path at two times, t_1 < t_2",
        latex=r"\mathrm{Cov}(W_{t_1}, W_{t_2}) = \min(t_1, t_2) = t_1",
        why="Both contain the shoves up to t_1; what comes later is independent.",
        letters="t_1 t_2", own=CLOCK, derive=lambda c: {"t_2": c["t_1"] + c["t_2"]}, answer="t_1",
        oracle=_covariance, measured="coin tosses up to t_1 and others up to t_2, all paths counted",
        wrong=(
            ("0", "the increments are independent, not the values: both contain the path up to t_1"),
            ("t_2 - t_1", "that is the variance of the increment"),
            ("t_2", "only the time that both have passed through counts: min(t_1, t_2)"),
            ("sqrt(t_1 * t_2)", "that would be a correlation of 1: the later shoves are new"),
            ("t_1 * t_2", "the product of times is no covariance: variance grows like the time itself"),
        ),
    ),
    Formula(
        name="vp-drift", number=48, lecture=2, title="DDPM in continuous time: the drift",
        latex=r"f(x, t) = -\frac{1}{2}\beta(t)\,x",
        why="sqrt(1 - beta dt) is 1 - beta dt / 2 for a short step: the root brings the half.",
        letters="b x", own=RATE, answer="-b*x/2",
        oracle=_drift, measured="finite differences of the mean after one DDPM step with beta_t = beta(t) dt",
        source=process.VP, value=lambda f, c: f(c.b, c.b).f(0.0) * c.x,
        wrong=(
            ("-b*x", "the 1/2 is missing, which the root in sqrt(1 - beta) brings"),
            ("b*x/2", "the sign: data shrink towards 0"),
            ("-b/2", "the drift is proportional to x"),
            ("-sqrt(b)*x", "sqrt(beta) is the noise's weight"),
            ("sqrt(1 - b)*x", "that is where a whole step of size beta ends, not how fast it goes"),
            ("(1 - b/2)*x", "that is the new x, not its rate of change"),
        ),
    ),
    Formula(
        name="vp-diffusion", number=48, lecture=2, title="DDPM in continuous time: the noise's weight",
        latex=r"g(t) = \sqrt{\beta(t)}",
        why="beta dt of variance in dt is what sqrt(beta) dW brings: shrinking and stirring keep variance 1.",
        letters="b", own=RATE, answer="sqrt(b)",
        oracle=lambda c, rng: math.sqrt(_diffusion(c, rng)),
        measured="finite differences of the variance that one DDPM step adds",
        source=process.VP, value=lambda f, c: math.sqrt(f(c.b, c.b).g2(0.0)),
        wrong=(
            ("b", "that is g^2: beta is a variance a time"),
            ("sqrt(b/2)", "the 1/2 belongs to the drift alone"),
            ("sqrt(2*b)", "no 2 here: that is Langevin's form"),
            ("b**2", "the root is missing, and nothing is squared"),
            ("sqrt(1 - b)", "that is what is left of the signal"),
        ),
    ),
    Formula(
        name="vp-sde", number=48, lecture=2, title="DDPM as an SDE, one short step",
        latex=r"x_{t+dt} = x - \frac{1}{2}\beta(t)\,x\,dt + \sqrt{\beta(t)\,dt}\,z",
        why="A thousand small steps look like one smooth process, for which calculus has tools.",
        letters="x b dt z", own=RATE, answer="x - b*x/2*dt + sqrt(b*dt)*z",
        oracle=_vp_step, measured="drift and diffusion by finite differences of a DDPM step, dW by coin tosses",
        source=sde.forward_step, value=lambda f, c: f(process.VP(c.b, c.b), np.array([c.x]), 0.0, c.dt, np.array([c.z]))[0],
        wrong=(
            ("x - b*x*dt + sqrt(b*dt)*z", "the drift's 1/2 is missing"),
            ("x + b*x/2*dt + sqrt(b*dt)*z", "the sign: noising shrinks x"),
            ("x - b*x/2*dt + b*sqrt(dt)*z", "the noise's weight is sqrt(beta)"),
            ("x - b*x/2*dt + sqrt(b)*dt*z", "dW is sqrt(dt) z, not dt z"),
            ("x - b*x/2 + sqrt(b)*z", "dt is missing: beta_t = beta(t) dt"),
            ("-b*x/2*dt + sqrt(b*dt)*z", "that is dx; x is still to be added"),
            ("x - b*x/2*dt", "the noise is missing"),
        ),
    ),
    Formula(
        name="vp-marginal-mean", number=49, lecture=2, title="VP in continuous time: the mean given x_0",
        latex=r"\mathrm{E}[x_t\,|\,x_0] = e^{-B/2}\,x_0,\qquad B = \int_0^t \beta",
        why="sqrt(alpha_bar), with the product of many factors near 1 become an exponential.",
        letters="B x_0", own=TOTAL, answer="exp(-B/2) * x_0",
        oracle=lambda c, rng: _many_steps(c, 0), measured="chains of 32 to 1024 DDPM steps, extrapolated to infinitely many",
        source=gaussian.q_sample, value=lambda f, c: f(process.VP(c.B, c.B), np.array([c.x_0]), 1.0, np.zeros(1))[0],
        wrong=(
            ("exp(-B) * x_0", "that is alpha_bar: the mean has its root"),
            ("exp(B/2) * x_0", "the sign: the mean fades"),
            ("(1 - B/2) * x_0", "that holds for small B only"),
            ("sqrt(1 - B) * x_0", "that is a single step of size B"),
            ("x_0", "the mean fades with time"),
            ("exp(-B**2/2) * x_0", "B is the integral already"),
        ),
    ),
    Formula(
        name="vp-marginal-variance", number=49, lecture=2, title="VP in continuous time: the variance given x_0",
        latex=r"\mathrm{Var}(x_t\,|\,x_0) = 1 - e^{-B},\qquad B = \int_0^t \beta",
        why="What the signal loses, the noise gains: 1 - alpha_bar.",
        letters="B x_0", own=TOTAL, answer="1 - exp(-B)",
        oracle=lambda c, rng: _many_steps(c, 1), measured="chains of 32 to 1024 DDPM steps, extrapolated to infinitely many",
        source=gaussian.q_sample, value=lambda f, c: f(process.VP(c.B, c.B), np.zeros(1), 1.0, np.ones(1))[0] ** 2,
        wrong=(
            ("B", "earlier noise shrinks with everything else: it does not just add up"),
            ("exp(-B)", "that is the signal's share"),
            ("1 - exp(-B/2)", "the 1/2 belongs to the mean; the variance has its square"),
            ("1 - exp(-2*B)", "alpha_bar is exp(-B), it is not squared again"),
            ("sqrt(1 - exp(-B))", "that is the standard deviation"),
        ),
    ),
    Formula(
        name="discrete-vs-continuous", number=49, lecture=2, title="DDPM's chain keeps a little less signal than its SDE",
        latex=r"\bar\alpha_t = \prod_i\,(1-\beta_i) < e^{-\Sigma_i \beta_i}",
        why="1 - beta lies below exp(-beta), so alpha_bar agrees with the SDE only for small steps.",
        letters="beta t", relation=">",
        oracle=_too_little, measured="exp(-sum of betas) minus the signal's share followed step by step",
        wrong=((lambda c, rng: -_too_little(c, rng), "the product lies below the exponential: 1 - beta < exp(-beta)"),),
    ),
    Formula(
        name="ve-diffusion", number=50, lecture=2, title="Variance exploding: the noise's weight",
        latex=r"g = \sqrt{2\,\sigma_t\,\frac{d\sigma_t}{dt}},\qquad dx = g\,dW",
        why="Variances add, so the noise to come is the growth of the variance, not of the standard deviation.",
        letters="sigma dsigma", own=LEVEL, answer="sqrt(2 * sigma * dsigma)",
        oracle=_ve_rate, measured="finite differences of the variance of a level with this value and slope",
        source=process.VE, value=lambda f, c: math.sqrt(f(c.sigma, c.sigma * math.exp(c.dsigma / c.sigma)).g2(0.0)),
        wrong=(
            ("sigma", "sigma_t is what was added in all, not the rate"),
            ("dsigma", "standard deviations do not add: differentiate the variance"),
            ("sqrt(dsigma)", "the derivative is that of sigma^2, which brings 2 sigma"),
            ("2 * sigma * dsigma", "that is g^2"),
            ("sqrt(sigma * dsigma)", "the derivative of a square brings a 2"),
        ),
    ),
    Formula(
        name="ve-variance", number=50, lecture=2, title="Variance exploding: the variance that was added",
        latex=r"\mathrm{Var}(x_2\,|\,x_1) = \sigma_2^2 - \sigma_1^2",
        why="Nothing shrinks, so all the noise that came is still there.",
        letters="sigma_1 sigma_2", own=LEVEL, derive=lambda c: {"sigma_2": c["sigma_1"] + c["sigma_2"]},
        answer="sigma_2**2 - sigma_1**2",
        oracle=_ve_added, measured="quadrature of g^2, itself by finite differences",
        source=process.VE, value=lambda f, c: f(c.sigma_1, c.sigma_2).sigma2(1.0),
        wrong=(
            ("(sigma_2 - sigma_1)**2", "standard deviations do not add: subtract the squares"),
            ("sigma_2 - sigma_1", "that is the difference of standard deviations"),
            ("sigma_2**2", "what was there at the start is not counted as added"),
            ("(sigma_2**2 - sigma_1**2) / (2*log(sigma_2/sigma_1))",
             "that is what sigma_t dW would add: g^2 is d(sigma^2)/dt, not sigma^2"),
            ("sigma_2**2 + sigma_1**2", "later levels contain the earlier ones: subtract"),
        ),
    ),
]
