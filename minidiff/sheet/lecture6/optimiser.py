"""Lecture 6: from a gradient to a step: Adam, weight decay, clipping, the learning rate."""

import math

import numpy as np

from ... import optim
from .. import oracles
from ..entry import COUNT, POSITIVE, REAL, SHARE, Case, Formula

STEP = {"w": (REAL, "a weight"), "g": (REAL, "its gradient"), "m": (REAL, "running mean of g before the step"),
        "v": (POSITIVE, "running mean of g^2 before the step"), "n": (COUNT, "number of the step, 1 for the first"),
        "lr": (POSITIVE, "learning rate, eta"), "beta_1": (SHARE, "decay of m"), "beta_2": (SHARE, "decay of v"),
        "eps": (POSITIVE, "epsilon, 1e-8 in practice"), "decay": (SHARE, "weight decay, lambda"),
        "u": (REAL, "Adam's direction m_hat / (sqrt(v_hat) + eps)")}  # fmt: skip
CLIP = {
    "g_1": (REAL, "gradient of the first weight"),
    "g_2": (REAL, "of the second"),
    "c": (POSITIVE, "largest norm"),
}
RATE = {
    "lr": (POSITIVE, "largest learning rate, eta"),
    "n": (COUNT, "number of the step"),
    "N": (COUNT, "see the title"),
}


def _weights(decay, n):
    """The weights that a running mean gives to the last n numbers, newest first, walked back one by one."""
    weights, left = [], 1.0
    for _ in range(n):
        weights.append(left * (1 - decay))
        left -= weights[-1]
    return np.array(weights)


def _mean_of_equals(c, rng):
    """The running mean of n equal gradients, from 0, step by step."""
    m = 0.0
    for _ in range(c.n):
        m += (1 - c.beta_1) * (c.g - m)
    return m


def _average(old, new, decay, n):
    """A running mean moved towards the new number, over the sum of all weights that it gave so far."""
    return (old + (1 - decay) * (new - old)) / _weights(decay, n).sum()


def _adam(c, rng):
    """Downhill by the average gradient, in units of the root of the average square."""
    size = oracles.root(lambda s: s**2 - _average(c.v, c.g**2, c.beta_2, c.n), 0.0, 1e3)
    return c.w - c.lr * _average(c.m, c.g, c.beta_1, c.n) / (size + c.eps)


def _first(c, rng):
    """Adam's rule at step 1, both means from 0."""
    size = oracles.root(lambda s: s**2 - _average(0.0, c.g**2, c.beta_2, 1), 0.0, 1e3)
    return -c.lr * _average(0.0, c.g, c.beta_1, 1) / (size + c.eps)


def _downhill(c, rng):
    """A plain gradient step on u w + decay w^2 / 2, its slope by finite differences."""
    return c.w - c.lr * oracles.difference(lambda w: c.u * w + c.decay * w**2 / 2, c.w)


def _shortened(c, rng):
    """The point of the ray to (g_1, g_2) that is as far out as the ball of radius c allows, by bisection."""
    return c.g_1 * oracles.root(lambda s: math.hypot(s * c.g_1, s * c.g_2) - c.c, 0.0, 1.0)


def _climb(c, rng):
    """N equal rises, one a step, then none."""
    rises = [c.lr / c.N] * c.N + [0.0] * c.n
    return sum(rises[: c.n])


def _half_turn(c, rng):
    """The height of a point that goes down a half circle in N equal turns, between lr and 0."""
    point = 1 + 0j
    for _ in range(c.n):
        point *= _turn(c.N)
    return c.lr / 2 * (1 + point.real)


def _turn(n):
    """The unit arrow whose n-th power is -1, by bisection for its angle."""
    return np.exp(1j * oracles.root(lambda a: n * a - math.pi, 0.0, 4.0))


M_HAT, V_HAT = "(beta_1*m + (1-beta_1)*g)", "(beta_2*v + (1-beta_2)*g**2)"
ADAM = "w - lr * ({0}/(1-beta_1**n)) / (sqrt({1}/(1-beta_2**n)) + eps)"
NORM = "sqrt(g_1**2 + g_2**2)"

# fmt: off
ENTRIES = [
    Formula(
        name="adam-bias", number=78, lecture=6, title="Adam's running mean after n equal gradients",
        latex=r"m_n = (1-\beta_1^n)\,g",
        why="The mean starts at 0 and has not yet forgotten it, so Adam divides by 1 - beta_1^n.",
        letters="g n beta_1", own=STEP, answer="(1 - beta_1**n) * g",
        oracle=_mean_of_equals, measured="the running mean from 0, step by step",
        wrong=(
            ("g", "that is after the correction, or after many steps"),
            ("beta_1**n * g", "that is the share of the start, 0, that is left"),
            ("(1 - beta_1) * g", "that is the first step's"),
            ("(1 - beta_1)**n * g", "what is left of the start shrinks by beta_1 a step, not by 1 - beta_1"),
            ("n * (1 - beta_1) * g", "older gradients are forgotten, they do not just add up"),
            ("g / (1 - beta_1**n)", "that is the correction applied to what needs none"),
        ),
    ),
    Formula(
        name="adam-step", number=78, lecture=6, title="Adam's step",
        latex=r"w' = w - \eta\,\frac{\hat m}{\sqrt{\hat v}+\epsilon},\quad"
              r"\ \hat m = \frac{\beta_1 m+(1-\beta_1)g}{1-\beta_1^n},\ \hat v = \frac{\beta_2 v+(1-\beta_2)g^2}{1-\beta_2^n}",
        why="Divided by its usual size a gradient has no unit: every weight moves about the learning rate a step.",
        letters="w g m v n lr beta_1 beta_2 eps", own=STEP, answer=ADAM.format(M_HAT, V_HAT),
        oracle=_adam, measured="running means over the sum of their weights, walked back one by one; the root by bisection",
        source=optim.adam, value=lambda f, c: f(c.w, c.g, c.m, c.v, c.n, c.lr, c.beta_1, c.beta_2, c.eps)[0],
        wrong=(
            (f"w - lr * {M_HAT} / (sqrt({V_HAT}) + eps)", "both means started at 0: divide them by 1 - beta^n"),
            (ADAM.format("(beta_1*g + (1-beta_1)*m)", V_HAT), "beta_1 is what is kept of the old mean"),
            (f"w - lr * ({M_HAT}/(1-beta_1**n)) / ({V_HAT}/(1-beta_2**n) + eps)", "the root is missing"),
            (ADAM.format(M_HAT, "(beta_2*v + (1-beta_2)*g)"), "the second mean is that of the squares"),
            (ADAM.format(M_HAT, V_HAT).replace("w - lr", "w + lr"), "the sign: a step goes down the slope"),
            (f"w - lr * ({M_HAT}/(1-beta_1**n)) / sqrt({V_HAT}/(1-beta_2**n) + eps)",
             "the small number stands outside the root"),
            (ADAM.format("g*(1-beta_1**n)", V_HAT), "the direction is the average gradient, not the last one"),
        ),
    ),
    Formula(
        name="adam-first-step", number=78, lecture=6, title="How far Adam's first step moves a weight",
        latex=r"\Delta w = -\eta\,\frac{g}{|g|+\epsilon}",
        why="At first the average is one gradient, and divided by its own size only its sign is left.",
        letters="g lr beta_1 beta_2 eps", own=STEP, answer="-lr * g / (abs(g) + eps)",
        oracle=_first, measured="Adam's rule from empty means, which are divided by their weights' sum",
        source=optim.adam, value=lambda f, c: f(0.0, c.g, 0.0, 0.0, 1, c.lr, c.beta_1, c.beta_2, c.eps)[0],
        wrong=(
            ("-lr * g", "that is plain gradient descent: Adam divides by the gradient's size"),
            ("-lr * (1-beta_1)*g / (sqrt(1-beta_2)*abs(g) + eps)", "corrected by 1 - beta^1 both means have no beta left"),
            ("-lr * (1-beta_1) * g / (abs(g) + eps)", "the mean is corrected as well"),
            ("lr * g / (abs(g) + eps)", "the sign: downhill"),
            ("-lr * g / (g**2 + eps)", "the root of the mean square divides"),
            ("-lr * g / sqrt(g**2 + eps)", "the small number stands outside the root"),
        ),
    ),
    Formula(
        name="adamw", number=78, lecture=6, title="AdamW's step: weight decay past Adam",
        latex=r"w' = w - \eta\,(u + \lambda w)",
        why="Decay that went through Adam would be divided by the gradient's size, and weights with large gradients be spared.",
        letters="w u lr decay", own=STEP, asks={"u": None}, answer="w - lr * (u + decay*w)",
        oracle=_downhill, measured="a gradient step on u w + decay w^2 / 2, its slope by finite differences",
        wrong=(
            ("w - lr*u - decay*w", "the learning rate scales the decay as well"),
            ("w - lr * (u + decay*w**2/2)", "the slope of the penalty is decay w"),
            ("w - lr * (u - decay*w)", "the sign: weights shrink"),
            ("w - lr * (1 - decay) * u", "the weight decays, not the step"),
            ("(1 - lr*decay) * (w - lr*u)", "w before the step shrinks, not w after it"),
            ("w - lr * (u + 2*decay*w)", "the penalty is decay w^2 / 2"),
            ("w - lr * (u + decay*abs(w))", "w with its sign: negative weights shrink to 0, too"),
        ),
    ),
    Formula(
        name="gradient-clipping", number=78, lecture=6, title="A gradient clipped to the norm c: the first coordinate",
        latex=r"g_1' = g_1\,\min(1,\ \frac{c}{\sqrt{g_1^2+g_2^2}})",
        why="One bad batch may not throw the weights away; the direction is kept, the length is limited.",
        letters="g_1 g_2 c", own=CLIP, answer=f"g_1 * 2*c / ({NORM} + c + abs({NORM} - c))",
        oracle=_shortened, measured="bisection for the last point of the ray within a ball of radius c",
        source=optim.clip, value=lambda f, c: f(np.array([c.g_1, c.g_2]), c.c)[0],
        wrong=(
            (f"g_1 * c / {NORM}", "short gradients stay as they are"),
            ("g_1 * 2*c / (abs(g_1) + c + abs(abs(g_1) - c))", "that clips each coordinate: the direction turns"),
            ("g_1", "long gradients are shortened"),
            (f"g_1 * 2*c / (({NORM})**2 + c + abs(({NORM})**2 - c))", "the norm, not its square"),
            (f"g_1 * ({NORM} + c + abs({NORM} - c)) / (2*{NORM})", "that is at least g: the smaller of both counts"),
            (f"2*c / ({NORM} + c + abs({NORM} - c))", "that is the factor"),
        ),
    ),
    Formula(
        name="warmup", number=78, lecture=6, title="Learning rate at step n with N steps of linear warm-up",
        latex=r"\eta_n = \eta\,\min(1,\ \frac{n}{N})",
        why="Adam's averages are poor at first, so the first steps are short.",
        letters="lr n N", own=RATE | {"N": (COUNT, "steps of warm-up")}, answer="lr * (1 + n/N - abs(1 - n/N)) / 2",
        oracle=_climb, measured="adding up equal rises, N of them", cases=(Case(lr=0.7, n=5, N=2),),
        wrong=(
            ("lr * n / N", "after N steps the rate stays"),
            ("lr", "the rate rises at first"),
            ("lr * (1 + N/n - abs(1 - N/n)) / 2", "inverted: the rate rises with n"),
            ("lr * (1 + n/N + abs(1 - n/N)) / 2", "that is the larger of both"),
            ("lr * (1 + (n/N)**2 - abs(1 - (n/N)**2)) / 2", "linear: half the steps, half the rate"),
        ),
    ),
    Formula(
        name="cosine-rate", number=78, lecture=6, title="Learning rate at step n of N, falling like a cosine to 0",
        latex=r"\eta_n = \frac{\eta}{2}\,(1 + \cos\frac{\pi n}{N})",
        why="Long at full speed, and flat at the end, where the weights have to settle.",
        letters="lr n N", own=RATE | {"N": (COUNT, "steps in all")}, derive=lambda c: {"N": c.N + c.n},
        answer="lr/2 * (1 + cos(pi*n/N))",
        oracle=_half_turn, measured="the height of a point on a half circle, turned step by step",
        wrong=(
            ("lr * cos(pi*n/N)", "that falls to -lr: shifted up and halved it ends at 0"),
            ("lr * cos(pi*n/(2*N))", "that is a quarter turn, which ends steeply"),
            ("lr/2 * (1 - cos(pi*n/N))", "the sign: that rises from 0"),
            ("lr/2 * (1 + cos(2*pi*n/N))", "half a turn in N steps: this comes back up"),
            ("lr * (1 - n/N)", "that is a linear decay"),
            ("lr * (1 + cos(pi*n/N))", "the half is missing: it starts at twice lr"),
        ),
    ),
]
