"""Lecture 2: noise levels in continuous time. The linear VP, sigma as a clock, Karras' levels for sampling."""

import math

import numpy as np

from ...continuous import process
from .. import oracles
from ..entry import COUNT, POSITIVE, SHARE, Case, Formula
from .sde import limit

LINE = {
    "t": (SHARE, "a time in (0, 1)"),
    "beta_min": (POSITIVE, "beta(0)"),
    "beta_max": (POSITIVE, "beta(1)"),
}
STEPS = {"sigma_min": (POSITIVE, "the last level"), "sigma_max": (POSITIVE, "the first level"), "n": (COUNT, "how many levels"),
         "rho": (POSITIVE, "7 in the paper"), "k": (COUNT, "which level, 0..n-1")}  # fmt: skip


def _many_steps(c, rng):
    """The signal's share after ever more DDPM steps until t, whose betas follow the line."""

    def share(n):
        times = ((2 * i - 1) / (2 * n) * c.t for i in range(1, n + 1))
        betas = [0, *((c.beta_min * (1 - t) + c.beta_max * t) * c.t / n for t in times)]
        return oracles.forward_moments(betas, n)[0] ** 2

    return limit(share, 16)


def _level(c, rng):
    """Noise over signal of x_t, step by step."""
    mean, var = oracles.forward_moments(c.beta, c.t)
    return math.sqrt(var) / mean


def _spaced(c, rng):
    """The level with a share k / (n - 1) of all levels above it, whose density is sigma^(1/rho - 1): quadrature, bisection."""
    u, weight = np.polynomial.legendre.leggauss(40)

    def above(share):  # of the way from the first level to the last, in sigma
        end = c.sigma_max + share * (c.sigma_min - c.sigma_max)
        middle, half = (
            math.log(c.sigma_max * end) / 2,
            math.log(end / c.sigma_max) / 2,
        )  # in log sigma, over many sizes
        return half * (weight @ np.exp((middle + half * u) / c.rho))

    whole = above(1.0)
    share = oracles.root(lambda share: above(share) / whole - c.k / (c.n - 1), 0.0, 1.0)
    return c.sigma_max + share * (c.sigma_min - c.sigma_max)


def _fitting(c):
    """Levels that fall, and k < n."""
    return {
        "sigma_max": c.sigma_max + (c.sigma_min >= c.sigma_max) * c.sigma_min,
        "n": c.n + (c.k >= c.n) * c.k,
    }


FIRST, LAST = "sigma_max**(1/rho)", "sigma_min**(1/rho)"

# fmt: off
ENTRIES = [
    Formula(
        name="vp-linear-alpha-bar", number=49, lecture=2, title="VP with a linear beta(t): the share of signal left",
        latex=r"\bar\alpha(t) = \exp\left(-\beta_{\min}\,t - \frac{1}{2}(\beta_{\max}-\beta_{\min})\,t^2\right)",
        why="The exponent is the area under beta: a rectangle, and a triangle on it.",
        letters="t beta_min beta_max", own=LINE,
        derive=lambda c: {"beta_max": c.beta_max + (c.beta_min >= c.beta_max) * c.beta_min},
        cases=(Case(t=0.5, beta_min=0.1, beta_max=20.0),),
        answer="exp(-beta_min * t - (beta_max - beta_min) * t**2 / 2)",
        oracle=_many_steps, measured="chains of 16 to 512 DDPM steps, extrapolated to infinitely many",
        source=process.VP, value=lambda f, c: float(f(c.beta_min, c.beta_max).alpha_bar_at(c.t)),
        wrong=(
            ("exp(-beta_min * t - (beta_max - beta_min) * t**2)", "the area of a triangle has a 1/2"),
            ("exp(-(beta_min + (beta_max - beta_min) * t))", "that has beta(t) itself in place of its integral"),
            ("exp(-beta_min * t / 2 - (beta_max - beta_min) * t**2 / 4)", "that is the weight of x_0, sqrt(alpha_bar)"),
            ("1 - exp(-beta_min * t - (beta_max - beta_min) * t**2 / 2)", "that is the noise's variance"),
            ("1 - beta_min * t - (beta_max - beta_min) * t**2 / 2", "that holds for a small integral only"),
            ("exp(-beta_max * t**2 / 2)", "beta starts at beta_min: its rectangle is missing"),
        ),
    ),
    Formula(
        name="sigma-of-alpha-bar", number=50, lecture=2, title="A noise level as VE counts it",
        latex=r"\sigma_t = \sqrt{\frac{1-\bar\alpha_t}{\bar\alpha_t}}",
        why="x_t divided by sqrt(alpha_bar_t) is x_0 plus noise of this width: VP and VE are one process in two units.",
        letters="beta t", answer="sqrt((1 - alpha_bar[t]) / alpha_bar[t])",
        oracle=_level, measured="standard deviation over mean of a unit signal followed step by step",
        wrong=(
            ("sqrt(1 - alpha_bar[t])", "that is the noise in x_t, where x_0 has shrunk"),
            ("(1 - alpha_bar[t]) / alpha_bar[t]", "that is sigma^2, 1/SNR"),
            ("sqrt(alpha_bar[t] / (1 - alpha_bar[t]))", "inverted: sigma grows with t"),
            ("sqrt(1 - alpha_bar[t]) / alpha_bar[t]", "x_0 has the weight sqrt(alpha_bar_t)"),
            ("sqrt((1 - alpha[t]) / alpha[t])", "alpha_t is one step's share; t steps need alpha_bar_t"),
            ("sqrt(sum(beta[i] for i in 1..t))", "earlier noise shrinks, and so does the picture"),
        ),
    ),
    Formula(
        name="karras-sigmas", number=56, lecture=2, title="Karras' noise levels for sampling, k = 0..n-1",
        latex=r"\sigma_k = \left(\sigma_{\max}^{1/\rho} + \frac{k}{n-1}(\sigma_{\min}^{1/\rho}"
              r" - \sigma_{\max}^{1/\rho})\right)^{\rho}",
        why="Steps are even in the rho-th root: short where the noise is small, and errors there stay in the picture.",
        letters="sigma_min sigma_max rho k n", own=STEPS, derive=_fitting,
        cases=(Case(sigma_min=0.002, sigma_max=80.0, rho=7.0, k=3, n=7),),
        answer=f"({FIRST} + k/(n-1) * ({LAST} - {FIRST}))**rho", bound=1e-8,
        oracle=_spaced, measured="the level that has this share of a density sigma^(1/rho - 1) above it: quadrature, bisection",
        wrong=(
            ("sigma_max + k/(n-1) * (sigma_min - sigma_max)", "those are even steps in sigma, rho = 1"),
            ("sigma_max * (sigma_min/sigma_max)**(k/(n-1))", "that is the limit of large rho, even steps in log sigma"),
            ("(sigma_max**rho + k/(n-1) * (sigma_min**rho - sigma_max**rho))**(1/rho)",
             "rho and 1/rho are exchanged: that has short steps where the noise is large"),
            (f"({LAST} + k/(n-1) * ({FIRST} - {LAST}))**rho", "that runs from the least level to the largest"),
            (f"({FIRST} + k/n * ({LAST} - {FIRST}))**rho", "n levels have n - 1 steps: k/n would not reach sigma_min"),
            (f"{FIRST} + k/(n-1) * ({LAST} - {FIRST})", "the power rho at the end is missing"),
        ),
    ),
]
