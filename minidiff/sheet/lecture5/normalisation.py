"""Lecture 5: what keeps numbers in a network of ordinary size, and how a time enters it."""

import math

import numpy as np

from ... import layers as core
from ...pictures import layers
from .. import oracles
from ..entry import COUNT, POSITIVE, REAL, Formula

ROW = {f"x_{i}": (REAL, f"coordinate {i} of one token, or channel {i} of one pixel") for i in (1, 2, 3, 4)} | {
       "gain": (REAL, "gamma, which is learned"), "shift": (REAL, "beta, which is learned"),
       "eps": (POSITIVE, "epsilon under the root, 1e-5 in practice")}  # fmt: skip
CLOCK = {"t": (REAL, "the time"), "d": (COUNT, "length of the embedding, an even number"),
         "k": (COUNT, "place of the sine, from 0 to d/2 - 1")}  # fmt: skip


def _unit(numbers, eps):
    """The positive number s by which to divide so that the mean of (x^2 + eps) / s^2 is 1, by bisection."""
    return oracles.root(lambda s: 1 - np.mean((np.array(numbers) ** 2 + eps) / s**2), 1e-6, 1e3)


def _origin(numbers):
    """The point around which the deviations cancel, by bisection."""
    return oracles.root(lambda m: -np.sum(np.array(numbers) - m), -1e3, 1e3)


def _centred(*names):
    """The first number, seen from an origin and in a unit in which all of them have mean 0 and mean square 1."""

    def first(c, rng):
        x = np.array([c[k] for k in names])
        x -= _origin(x)
        return x[0] / _unit(x, c.eps)

    return first


def _moved(norm):
    """The largest change of norm(x) when all coordinates are doubled and 1 is added."""

    def change(c, rng):
        x = np.array([c.x_1, c.x_2, c.x_3])
        return np.abs(norm(2 * x + 1) - norm(x)).max()

    return change


def _clock(c, rng):
    """A unit arrow turned t times by an angle; every angle is the one before times the number whose d/2-th power is 1/10000."""
    rate = oracles.root(lambda r: math.prod([r] * (c.d // 2)) - 1e-4, 0.0, 1.0)
    angle = 1.0
    for _ in range(c.k):
        angle *= rate
    return (np.exp(1j * angle) ** c.t).imag


def _apart(c, rng):
    """The variance of a residual stream: one block of unit variance after the other is added, independent of it."""
    var = 1.0
    for _ in range(c.n):
        z, p = oracles.gaussian_grid(0.0, 1.0, 301)
        var = p @ (math.sqrt(var) * z[:, None] + z) ** 2 @ p
    return var


ALL = "(x_1 + x_2 + x_3)/3"
VAR = f"((x_1 - {ALL})**2 + (x_2 - {ALL})**2 + (x_3 - {ALL})**2)"

# fmt: off
ENTRIES = [
    Formula(
        name="layer-norm", number=77, lecture=5, title="Layer norm of three coordinates: the first",
        latex=r"\mathrm{LN}(x)_1 = \gamma\,\frac{x_1-m}{\sqrt{v+\epsilon}} + \beta,"
              r"\quad m = \frac{x_1+x_2+x_3}{3},\ v = \frac{(x_1-m)^2+(x_2-m)^2+(x_3-m)^2}{3}",
        why="Each token is measured in its own units, so no batch and no other token is needed.",
        letters="x_1 x_2 x_3 gain shift eps", own=ROW, answer=f"gain * (x_1 - {ALL}) / sqrt({VAR}/3 + eps) + shift",
        oracle=lambda c, rng: c.gain * _centred("x_1", "x_2", "x_3")(c, rng) + c.shift,
        measured="bisection for an origin and a unit in which the token has sum 0 and mean square 1",
        wrong=(
            (f"gain * x_1 / sqrt({VAR}/3 + eps) + shift", "the token's mean is to be taken off"),
            (f"gain * (x_1 - {ALL}) / ({VAR}/3 + eps) + shift", "the standard deviation divides, not the variance"),
            (f"gain * (x_1 - {ALL}) / sqrt({VAR}/2 + eps) + shift", "the variance divides by n coordinates, not n - 1"),
            (f"(x_1 - {ALL}) / sqrt({VAR}/3 + eps)", "gamma and beta are missing: they let the network undo the norm"),
            (f"gain * (x_1 - {ALL}) / (sqrt({VAR}/3) + eps) + shift", "the small number stands under the root"),
            (f"gain * ((x_1 - {ALL}) / sqrt({VAR}/3 + eps) + shift)", "beta is added at the end, it is not scaled"),
            ("gain * x_1 / sqrt((x_1**2 + x_2**2 + x_3**2)/3 + eps) + shift", "that is RMS norm: the mean stays in it"),
        ),
    ),
    Formula(
        name="rms-norm", number=77, lecture=5, title="RMS norm of three coordinates: the first",
        latex=r"\mathrm{RMSNorm}(x)_1 = \gamma\,\frac{x_1}{\sqrt{(x_1^2+x_2^2+x_3^2)/3+\epsilon}}",
        why="Layer norm without the mean: only the size is set, and that turns out to be enough.",
        letters="x_1 x_2 x_3 gain eps", own=ROW, answer="gain * x_1 / sqrt((x_1**2 + x_2**2 + x_3**2)/3 + eps)",
        oracle=lambda c, rng: c.gain * c.x_1 / _unit([c.x_1, c.x_2, c.x_3], c.eps),
        measured="bisection for the unit in which the token has mean square 1",
        wrong=(
            ("gain * x_1 / sqrt(x_1**2 + x_2**2 + x_3**2 + eps)", "the mean of the squares, not their sum"),
            ("gain * x_1 / ((x_1**2 + x_2**2 + x_3**2)/3 + eps)", "the root is missing"),
            (f"gain * (x_1 - {ALL}) / sqrt({VAR}/3 + eps)", "that is layer norm: RMS norm takes no mean off"),
            (f"gain * x_1 / sqrt({VAR}/3 + eps)", "the mean square divides, not the variance"),
            ("gain * x_1 / ((abs(x_1) + abs(x_2) + abs(x_3))/3 + eps)", "the root mean square, not the mean size"),
            ("x_1 / sqrt((x_1**2 + x_2**2 + x_3**2)/3 + eps)", "the learned gamma is missing"),
        ),
    ),
    Formula(
        name="group-norm", number=76, lecture=5, title="Group norm of one pixel, four channels in two groups: the first",
        latex=r"\mathrm{GN}(x)_1 = \frac{x_1-m}{\sqrt{v+\epsilon}},\quad m = \frac{x_1+x_2}{2},\ v = \frac{(x_1-x_2)^2}{4}",
        why="A U-Net is trained with few pictures a step, so the numbers of one picture have to do.",
        letters="x_1 x_2 x_3 x_4 eps", own=ROW, answer="(x_1 - x_2)/2 / sqrt((x_1 - x_2)**2/4 + eps)",
        oracle=_centred("x_1", "x_2"), measured="bisection for an origin and a unit of the first group",
        source=layers.group_norm,
        value=lambda f, c: f(np.array([c.x_1, c.x_2, c.x_3, c.x_4]).reshape(1, 1, 1, 4), 2, c.eps)[0][0, 0, 0, 0],
        wrong=(
            ("(x_1 - (x_1+x_2+x_3+x_4)/4) / sqrt((x_1**2+x_2**2+x_3**2+x_4**2)/4 - ((x_1+x_2+x_3+x_4)/4)**2 + eps)",
             "that is one group of all channels, a layer norm"),
            ("(x_1 - x_3)/2 / sqrt((x_1 - x_3)**2/4 + eps)", "neighbouring channels make a group, not every second one"),
            ("0", "that is instance norm: a channel alone, which is one number here"),
            ("(x_1 - x_2)/2 / ((x_1 - x_2)**2/4 + eps)", "the root is missing"),
            ("x_1 / sqrt((x_1 - x_2)**2/4 + eps)", "the group's mean is to be taken off"),
            ("(x_1 - x_2)/2 / sqrt((x_1 - x_2)**2/2 + eps)", "the variance is a mean over the group, n and not n - 1"),
        ),
    ),
    Formula(
        name="layer-norm-invariance", number=77, lecture=5, title="Layer norm does not see a token's scale and offset",
        latex=r"\mathrm{LN}(a x + b) = \mathrm{LN}(x)\quad(a > 0,\ \epsilon = 0)",
        why="However large the stream of a deep network grows, each block sees numbers of the same size.",
        letters="x_1 x_2 x_3", own=ROW,
        oracle=_moved(lambda x: (x - x.mean()) / x.std()), measured="a token, and the same doubled with 1 added",
        wrong=(
            (_moved(lambda x: x / np.sqrt(np.mean(x**2))), "RMS norm does not see the scale, but it sees the offset"),
            (_moved(lambda x: x - x.mean()), "without a division the scale is seen"),
            (_moved(lambda x: (x - x.mean()) / x.var()), "divided by the variance, twice as large becomes half as large"),
            (_moved(lambda x: (x - x.mean()) / np.sqrt(np.mean(x**2))), "the size is to be measured around the mean"),
        ),
    ),
    Formula(
        name="time-embedding", number=77, lecture=5, title="Sinusoidal embedding of the time: the sine at place k",
        latex=r"\gamma(t)_k = \sin(t\,\omega_k),\quad \omega_k = 10000^{-2k/d}",
        why="Clock hands of many speeds: the fast ones tell near times apart, the slow ones far times.",
        letters="t d k", own=CLOCK, derive=lambda c: {"d": 2 * (c.d + c.k)}, answer="sin(t * 10000**(-2*k/d))",
        oracle=_clock, measured="an arrow turned t times, each speed a fixed share of the one before, found by bisection",
        source=core.time_embedding, value=lambda f, c: f(c.t, c.d)[c.k],
        wrong=(
            ("sin(t * 10000**(-k/d))", "the 2 is missing: d/2 sines have to reach 1/10000"),
            ("cos(t * 10000**(-2*k/d))", "that is the cosine, at place k + d/2 of this library"),
            ("sin(t * 10000**(2*k/d))", "inverted: the hands become slower with k"),
            ("sin(2*pi * t * 10000**(-2*k/d))", "no 2 pi: the periods are 2 pi to 2 pi 10000"),
            ("sin(t * k / 10000)", "the speeds are a geometric series, not multiples of one"),
            ("sin(t) * 10000**(-2*k/d)", "the factor belongs inside: it is a speed, not a height"),
        ),
    ),
    Formula(
        name="residual-variance", number=77, lecture=5, title="Variance of a residual stream after n blocks of unit variance",
        latex=r"\mathrm{Var}(x_n) = 1 + n,\quad x_k = x_{k-1} + f_k",
        why="A sum that only grows is why deep transformers put a norm before each block, or start the blocks at 0.",
        letters="n", own={"n": (COUNT, "number of blocks; x_0 has variance 1, independent of the blocks")}, answer="1 + n",
        oracle=_apart, measured="one block after the other, each by a double integral",
        wrong=(
            ("2**n", "variances of independent terms add up: each block brings 1, it does not double what is there"),
            ("1", "nothing takes the size away again: the norm is inside the block"),
            ("sqrt(1 + n)", "that is the standard deviation"),
            ("(1 + n)**2", "that would be if all were the same number: independent ones add their variances"),
            ("n", "the variance of what came in counts as well"),
        ),
    ),
]
