"""Lecture 8: consistency models and progressive distillation."""

import math

import numpy as np

from .. import oracles
from ..entry import POSITIVE, REAL, Formula

PATH = {"t": (POSITIVE, "standard deviation of the noise that was added"), "eps": (POSITIVE, "the smallest t"),
        "sigma": (POSITIVE, "standard deviation of the data"), "F": (REAL, "what the network answers"),
        "x": (REAL, "noisy data"), "mu": (REAL, "mean of the data")}  # fmt: skip
TEACHER = {"x": (REAL, "noisy data at t_2"), "D": (REAL, "the clean picture that the teacher guesses from it"),
           "t_2": (POSITIVE, "standard deviation of its noise"), "t_1": (POSITIVE, "the smaller one to step to")}  # fmt: skip


def _vertex(f):
    """Where a parabola is least, from three of its points."""
    below, at, above = f(-1.0), f(0.0), f(1.0)
    return (below - above) / (below - 2 * at + above) / 2


def _share(c, rng):
    """The factor that makes x_0 + (t - eps) noise the best guess of x_0; both as vectors in independent Gaussians."""
    data, noisy = np.array([c.sigma, 0.0]), np.array([c.sigma, c.t - c.eps])
    return _vertex(lambda k: float(np.sum((data - k * noisy) ** 2)))


def _out(c, rng):
    """t - eps, seen at the angle of the data's width to the noise's."""
    return (c.t - c.eps) * math.sin(math.atan2(c.sigma, c.t))


def _ends(skip, out):
    """How far c_skip x + c_out F is from x at the smallest time."""
    return lambda c, rng: skip(c.eps, c) * c.x + out(c.eps, c) * c.F - c.x


def _downstream(c, rng):
    """The probability-flow ODE dx/dt = -t score from t to 0, by 200 steps of Runge and Kutta; scores by their variance."""
    f = lambda x, t: t * (x - c.mu) / (c.sigma**2 + t**2)  # noqa: E731
    x, h = c.x, -c.t / 200
    for k in range(200):
        t = c.t + k * h
        a = f(x, t)
        b = f(x + h / 2 * a, t + h / 2)
        d = f(x + h / 2 * b, t + h / 2)
        x += h / 6 * (a + 2 * b + 2 * d + f(x + h * d, t + h))
    return x


def _towards(c, rng):
    """The point on the line from x, at t_2, to D, at 0."""
    return float(np.interp(c.t_1, [0.0, c.t_2], [c.D, c.x]))


def _one_step(c, rng):
    """The clean picture with which one DDIM step from x_t ends at x_s, by bisection."""
    (keep, noise), (keep_s, noise_s) = (
        oracles.forward_moments(c.beta, c.t),
        oracles.forward_moments(c.beta, c.s),
    )
    step = lambda x_0: keep_s * x_0 + math.sqrt(noise_s / noise) * (c.x_t - keep * x_0)  # noqa: E731
    return oracles.root(lambda x_0: step(x_0) - c.x_s, -1e4, 1e4)


RATIO = "sqrt((1-alpha_bar[t-1])/(1-alpha_bar[t]))"
CLEAN = "(x_s - {0}*x_t) / (sqrt(alpha_bar[s]) - {0}*sqrt(alpha_bar[t]))"

# fmt: off
ENTRIES = [
    Formula(
        name="consistency-c-skip", number=80, lecture=8, title="Consistency models: the share of the input that is let past",
        latex=r"c_\mathrm{skip}(t) = \frac{\sigma^2}{(t-\epsilon)^2+\sigma^2},\quad"
              r"\ f(x,t) = c_\mathrm{skip}(t)\,x + c_\mathrm{out}(t)\,F(x,t)",
        why="With little noise the answer is the input itself, with much noise the network has to find it alone.",
        letters="sigma t eps", own=PATH, derive=lambda c: {"t": c.t + c.eps}, answer="sigma**2 / ((t-eps)**2 + sigma**2)",
        oracle=_share, measured="the vertex of the squared error of k (x_0 + (t - eps) noise), a parabola in k",
        wrong=(
            ("sigma**2 / (t**2 + sigma**2)", "at t = eps the input has to be the answer: t - eps, not t"),
            ("(t-eps)**2 / ((t-eps)**2 + sigma**2)", "that is 1 less it: the network's part"),
            ("sigma / sqrt((t-eps)**2 + sigma**2)", "the squares, no root"),
            ("sigma / (t - eps + sigma)", "variances, not standard deviations"),
            ("1", "with much noise the input is no answer"),
            ("sigma**2 / ((t-eps)**2 - sigma**2)", "variances of independent parts add up"),
        ),
    ),
    Formula(
        name="consistency-c-out", number=80, lecture=8, title="Consistency models: the factor of the network's answer",
        latex=r"c_\mathrm{out}(t) = \frac{\sigma\,(t-\epsilon)}{\sqrt{\sigma^2+t^2}}",
        why="It is 0 at the smallest time, where nothing is left to do, and the data's width at large ones.",
        letters="sigma t eps", own=PATH, derive=lambda c: {"t": c.t + c.eps}, answer="sigma * (t-eps) / sqrt(sigma**2 + t**2)",
        oracle=_out, measured="t - eps times the sine of the angle of sigma to t",
        wrong=(
            ("sigma * t / sqrt(sigma**2 + t**2)", "at t = eps the network may not count: t - eps"),
            ("sigma * (t-eps) / (sigma**2 + t**2)", "the root is missing: the answer would die away with t"),
            ("(t-eps) / sqrt(sigma**2 + t**2)", "the data's width sigma is missing"),
            ("(t-eps)**2 / ((t-eps)**2 + sigma**2)", "that is 1 - c_skip: the network answers in units of its own"),
            ("sigma * (t-eps) / (sigma + t)", "the root of the sum of squares"),
            ("sigma**2 / sqrt(sigma**2 + t**2)", "this is largest where nothing is left to do"),
        ),
    ),
    Formula(
        name="consistency-boundary", number=80, lecture=8, title="A consistency model leaves clean data as they are",
        latex=r"f(x, \epsilon) = c_\mathrm{skip}(\epsilon)\,x + c_\mathrm{out}(\epsilon)\,F(x, \epsilon) = x",
        why="All points of a path have to give the same answer; this end says which one, else a constant would do.",
        letters="sigma eps x F", own=PATH,
        oracle=_ends(lambda t, c: c.sigma**2 / ((t - c.eps) ** 2 + c.sigma**2),
                     lambda t, c: c.sigma * (t - c.eps) / math.sqrt(c.sigma**2 + t**2)),
        measured="both factors at the smallest time",
        wrong=(
            (_ends(lambda t, c: c.sigma**2 / (t**2 + c.sigma**2), lambda t, c: c.sigma * t / math.sqrt(c.sigma**2 + t**2)),
             "EDM's factors give x back at t = 0 only, the smallest time is eps"),
            (_ends(lambda t, c: 1.0, lambda t, c: c.sigma), "c_skip = 1 is not enough: the network has to fall silent, too"),
            (_ends(lambda t, c: 0.0, lambda t, c: 1.0), "a network by itself keeps nothing fixed"),
            (_ends(lambda t, c: 0.0, lambda t, c: 0.0), "with both factors 0 the answer is 0: c_skip has to be 1 there"),
        ),
    ),
    Formula(
        name="consistency-gaussian", number=80, lecture=8,
        title="The perfect consistency function: data N(mu, sigma^2), eps 0",
        latex=r"f(x, t) = \mu + \frac{\sigma\,(x-\mu)}{\sqrt{\sigma^2+t^2}}",
        why="Where the ODE's path through x ends: a sample of the data, as wide as they are, and no average.",
        letters="x t mu sigma", own=PATH, answer="mu + sigma * (x-mu) / sqrt(sigma**2 + t**2)", bound=1e-7,
        oracle=_downstream, measured="the probability-flow ODE from t to 0, by Runge and Kutta",
        wrong=(
            ("mu + sigma**2 * (x-mu) / (sigma**2 + t**2)", "that is the denoiser, the mean of all data that fit x: too narrow"),
            ("mu + sigma * x / sqrt(sigma**2 + t**2)", "distances from the mean shrink"),
            ("mu + (x-mu) * sqrt(sigma**2 + t**2) / sigma", "inverted: that is the way from data to noise"),
            ("mu + sigma * (x-mu) / (sigma + t)", "widths add up as squares"),
            ("mu + sigma * (x-mu)", "x is to be divided by its own width first"),
            ("x", "that is for t = 0"),
        ),
    ),
    Formula(
        name="consistency-teacher", number=80, lecture=8, title="Consistency distillation: the teacher's step from t_2 to t_1",
        latex=r"\hat x_{t_1} = x + (t_1-t_2)\,\frac{x-D}{t_2},\quad D = D(x,t_2)",
        why="Two neighbours of one path: the student's answer at the first is drawn to its own at the second.",
        letters="x D t_2 t_1", own=TEACHER, derive=lambda c: {"t_1": c.t_2 * c.t_1 / (1 + c.t_1)},
        answer="x + (t_1 - t_2) * (x - D) / t_2",
        oracle=_towards, measured="the point at t_1 of the line from x at t_2 to the teacher's guess at 0",
        wrong=(
            ("x + (t_2 - t_1) * (x - D) / t_2", "the sign: towards the clean picture"),
            ("x + (t_1 - t_2) * (x - D)", "the slope is (x - D) / t_2"),
            ("D + (t_1 - t_2) * (x - D) / t_2", "the step begins at x"),
            ("x + (t_1 - t_2) * (x - D) / t_1", "the slope at t_2, where the teacher was asked"),
            ("D", "that is the whole way in one step"),
            ("x + (t_1 - t_2) * D / t_2", "the slope is the noise in x, x - D, over t_2"),
        ),
    ),
    Formula(
        name="consistency-noise", number=80, lecture=8, title="Width of the noise that takes a consistent answer back to t",
        latex=r"\mathrm{std}(x_t - f) = \sqrt{t^2-\epsilon^2},\quad x_t = f + \sqrt{t^2-\epsilon^2}\,z",
        why="The answer has the smallest noise in it already; more steps of answering and noising give better pictures.",
        letters="t eps", own=PATH, derive=lambda c: {"t": c.t + c.eps}, answer="sqrt(t**2 - eps**2)",
        oracle=lambda c, rng: oracles.root(lambda s: math.hypot(c.eps, s) - c.t, 0.0, 1e3),
        measured="bisection for the second leg of a right triangle",
        wrong=(
            ("t - eps", "variances add up, not standard deviations"),
            ("t", "eps is in the answer already"),
            ("t**2 - eps**2", "that is the variance"),
            ("sqrt(t**2 + eps**2)", "what is there already is taken off"),
            ("sqrt(t - eps)", "t is a standard deviation: squares"),
        ),
    ),
    Formula(
        name="progressive-target", number=80, lecture=8, title="Progressive distillation: the target, two steps end at x_{t-1}",
        latex=r"\tilde x_0 = \frac{x_{t-1} - \rho\,x_t}{\sqrt{\bar\alpha_{t-1}} - \rho\,\sqrt{\bar\alpha_t}},\quad"
              r" \rho = \sqrt{\frac{1-\bar\alpha_{t-1}}{1-\bar\alpha_t}}",
        why="The clean picture with which one step of the student ends where two of its teacher's did.",
        letters="beta t x_t x_s",
        answer=CLEAN.format(RATIO),
        oracle=_one_step, measured="bisection for the clean picture with which one DDIM step ends there",
        wrong=(
            ("x_s / sqrt(alpha_bar[t-1])", "x_{t-1} has noise in it, too"),
            (CLEAN.replace("-", "+").format(RATIO), "the sign: the noise of both cancels"),
            (CLEAN.format(f"1/{RATIO}"), "x_t has more noise: it is scaled down to that of x_{t-1}"),
            (CLEAN.format(f"{RATIO}**2"), "standard deviations: the root"),
            (f"(x_s - {RATIO}*x_t) / (alpha_bar[t-1] - {RATIO}*alpha_bar[t])", "the factors are roots of alpha_bar"),
            (f"(x_s - {RATIO}*x_t) / sqrt(alpha_bar[t-1])", "a part of x_0 goes with x_t"),
            (CLEAN.format("1"), "both have unequal noise: scale it first"),
        ),
    ),
]
