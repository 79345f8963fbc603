"""Lecture 6: averages of parameters and of gradients, and what a training costs."""

import functools
import itertools
from statistics import NormalDist

import numpy as np

from ... import optim
from .. import oracles
from ..entry import COUNT, POSITIVE, REAL, SHARE, Formula

EMA = {"decay": (SHARE, "decay d of the average"), "n": (COUNT, "steps since then"),
       "sigma": (POSITIVE, "std of one step's weights")}  # fmt: skip
BATCH = {"g_1": (REAL, "mean gradient of the first part of the batch"), "g_2": (REAL, "of the second"),
         "n_1": (COUNT, "examples in the first"), "n_2": (COUNT, "in the second"),
         "B": (COUNT, "batch size"), "sigma": (POSITIVE, "std of one example's gradient")}  # fmt: skip
COST = {"N": (COUNT, "parameters"), "D": (COUNT, "tokens, or pixels, that are trained on")}
LOW_RANK = {"y": (REAL, "W x, from the frozen weights"), "u": (REAL, "B A x, from the low-rank factors"),
            "a": (POSITIVE, "LoRA's alpha"), "r": (COUNT, "the rank")}  # fmt: skip
TIMES = {"mu": (REAL, "mean of logit t"), "sigma": (POSITIVE, "std of logit t")}


def _impulse(c, rng):
    """The average n steps after a single 1."""
    ema = 1 - c.decay
    for _ in range(c.n):
        ema -= (1 - c.decay) * ema
    return ema


def _half(c, rng):
    """The number of steps, not always whole, after which half is left, by bisection."""
    return oracles.root(lambda n: 0.5 - c.decay**n, 0.0, 1e3)


def _age(c, rng):
    """Ages 0, 1, 2, ... with the weights that are given to them, added up."""
    weight = (1 - c.decay) * np.cumprod(np.r_[1.0, np.full(2000, c.decay)])
    return weight @ np.arange(len(weight))


def _settled(c, rng):
    """The variance of the average, step by step until it stays."""
    var = 0.0
    for _ in range(400):  # 0.95^800 is below 1e-17
        var = c.decay**2 * var + (1 - c.decay) ** 2 * c.sigma**2
    return var


def _all_examples(c, rng):
    """The mean of all examples' gradients; those of a part lie around its mean."""
    parts = [g + np.arange(n) - np.arange(n).mean() for g, n in ((c.g_1, c.n_1), (c.g_2, c.n_2))]
    return float(np.concatenate(parts).mean())


def _outcomes(c, rng):
    """The std of the mean of B gradients that are +sigma or -sigma: all 2^B batches, each as likely."""
    return float(np.std([np.mean(signs) for signs in itertools.product((-c.sigma, c.sigma), repeat=c.B)]))


def _operations(c, rng):
    """A layer from N numbers to one and its way back, for D tokens: each multiplication and each addition, counted."""
    count = 0
    for _ in range(c.D):
        for _ in range(c.N):
            count += 2  # y += x w
            count += 2  # dx += dy w, added to what comes back from other layers
            count += 2  # dw += dy x, added to those of other tokens
    return float(count)


def _between(c, rng):
    """A line in alpha: at 0 the frozen layer, at alpha = r the whole product is added."""
    at_0, at_r = c.y, c.y + c.u
    return at_0 + (at_r - at_0) * c.a / c.r


def _middle(c, rng):
    """The time that half of all draws lie below, by bisection."""
    return oracles.root(
        lambda t: NormalDist(c.mu, c.sigma).cdf(2 * np.arctanh(2 * t - 1)) - 0.5, 1e-16, 1 - 1e-16
    )


# fmt: off
ENTRIES = [
    Formula(
        name="ema-weight", number=78, lecture=6, title="Weight of the parameters n steps ago in their running average",
        latex=r"c_n = (1-d)\,d^n,\quad \bar w_k = d\,\bar w_{k-1} + (1-d)\,w_k",
        why="Each step a fixed share of the past is given up for the present.",
        letters="decay n", own=EMA, answer="(1 - decay) * decay**n",
        oracle=_impulse, measured="the average of a single 1, n steps later",
        source=optim.ema_update,
        value=lambda f, c: functools.reduce(lambda ema, w: f(ema, w, c.decay), [1.0] + [0.0] * c.n, 0.0),
        wrong=(
            ("decay**n", "the parameters came in with the weight 1 - decay"),
            ("(1 - decay)**n * decay", "decay is what is kept a step, 1 - decay what comes in"),
            ("(1 - decay) * decay**(n-1)", "the present has n = 0"),
            ("1 - decay**n", "that is the weight of all of the last n steps together"),
            ("1 / (n + 1)", "that is the plain mean"),
        ),
    ),
    Formula(
        name="ema-half-life", number=78, lecture=6, title="Half-life of a running average, in steps",
        latex=r"n_{1/2} = \frac{\log(1/2)}{\log d}",
        why="With 0.999 it is 693 steps: what one samples from is made of the last few thousand.",
        letters="decay", own=EMA, answer="log(1/2) / log(decay)",
        oracle=_half, measured="bisection for the steps after which half is left",
        wrong=(
            ("1 / (1 - decay)", "that is the memory in which 1/e is left, nearly"),
            ("log(decay) / log(1/2)", "inverted"),
            ("log(2) / log(decay)", "the sign: decay is below 1, its log negative"),
            ("1/2 / (1 - decay)", "the past falls like a power, not along a line"),
            ("log(1/2) / log(1 - decay)", "decay is what is kept a step"),
            ("-1 / log(decay)", "that is until 1/e is left"),
        ),
    ),
    Formula(
        name="ema-age", number=78, lecture=6, title="Mean age of the parameters in a running average",
        latex=r"\bar n = \sum_n n\,(1-d)\,d^n = \frac{d}{1-d}",
        why="The average lags so many steps behind, which is the price of a quiet one.",
        letters="decay", own=EMA, answer="decay / (1 - decay)",
        oracle=_age, measured="adding up ages with their weights",
        wrong=(
            ("1 / (1 - decay)", "the present has age 0: one step less"),
            ("(1 - decay) / decay", "inverted"),
            ("decay / (1 - decay)**2", "the weights have to add up to 1: a factor 1 - decay"),
            ("log(1/2) / log(decay)", "that is the median age, nearly"),
            ("decay", "that is what is kept in one step"),
        ),
    ),
    Formula(
        name="ema-variance", number=78, lecture=6, title="Variance of a running average of independent weights",
        latex=r"\mathrm{Var}(\bar w) = \frac{1-d}{1+d}\,\sigma^2",
        why="As quiet as the mean of (1 + d) / (1 - d) steps: that is why samples from it are better.",
        letters="decay sigma", own=EMA, answer="(1 - decay) / (1 + decay) * sigma**2",
        oracle=_settled, measured="the variance step by step until it stays",
        wrong=(
            ("(1 - decay)**2 * sigma**2", "that is the present's share: the past moves as well"),
            ("(1 - decay) * sigma**2", "weights are squared in a variance: 1 - decay^2 divides"),
            ("(1 - decay) / (1 + decay) * sigma", "variances go with sigma^2"),
            ("(1 + decay) / (1 - decay) * sigma**2", "inverted: averages are quieter"),
            ("(1 - decay)**2 / (1 + decay**2) * sigma**2", "the sum of d^2k is 1 / (1 - d^2)"),
            ("sigma**2", "an average is quieter than one step"),
        ),
    ),
    Formula(
        name="gradient-accumulation", number=78, lecture=6, title="Gradient of a batch from two parts of it",
        latex=r"g = \frac{n_1 g_1 + n_2 g_2}{n_1 + n_2}",
        why="The parts need not fit into memory together, but every example has to count the same.",
        letters="g_1 n_1 g_2 n_2", own=BATCH, answer="(n_1*g_1 + n_2*g_2) / (n_1 + n_2)",
        oracle=_all_examples, measured="the mean over all examples",
        wrong=(
            ("g_1 + g_2", "the mean over the batch, not the sum over its parts: the step would grow with their number"),
            ("(g_1 + g_2) / 2", "examples of a small part would count more"),
            ("n_1*g_1 + n_2*g_2", "that is the sum over examples"),
            ("(n_2*g_1 + n_1*g_2) / (n_1 + n_2)", "a large part counts more, not less"),
            ("(g_1 + g_2) / (n_1 + n_2)", "g_1 and g_2 are means already: multiply by their sizes"),
        ),
    ),
    Formula(
        name="gradient-noise", number=78, lecture=6, title="Standard deviation of the gradient of a batch of B examples",
        latex=r"\mathrm{std}(\hat g) = \frac{\sigma}{\sqrt{B}}",
        why="Four times the work for half the noise: that is why batches stop growing at some size.",
        letters="sigma B", own=BATCH, answer="sigma / sqrt(B)",
        oracle=_outcomes, measured="all 2^B batches of examples that are +sigma or -sigma",
        wrong=(
            ("sigma / B", "the variance falls with B, its root slower"),
            ("sigma**2 / B", "that is the variance"),
            ("sigma * sqrt(B)", "that is the sum's: a batch's gradient is a mean"),
            ("sigma", "that is one example's"),
            ("sigma / sqrt(B - 1)", "n - 1 is for an estimate of sigma, not for the error of a mean"),
        ),
    ),
    Formula(
        name="training-flops", number=78, lecture=6, title="Operations of training N parameters on D tokens",
        latex=r"C = 6\,N D",
        why="A multiplication and an addition per weight forward, and twice that back: for the input and for the weight.",
        letters="N D", own=COST, answer="6 * N * D",
        oracle=_operations, measured="a loop forward and back that counts",
        wrong=(
            ("2 * N * D", "that is forward only"),
            ("4 * N * D", "that is the way back only, or forward and one of its two halves"),
            ("3 * N * D", "each is a multiplication and an addition"),
            ("6 * N * D**2", "every token costs the same"),
            ("6 * (N + D)", "every weight works on every token"),
        ),
    ),
    Formula(
        name="lora-scale", number=78, lecture=6, title="Output of a layer with a low-rank update (LoRA)",
        latex=r"h = y + \frac{a}{r}\,u,\quad y = W x,\ u = B A x,\ a = \alpha",
        why="Divided by the rank the update keeps its size when the rank is changed, and the learning rate can stay.",
        letters="y u a r", own=LOW_RANK, asks={"u": None}, answer="y + a/r * u",
        oracle=_between, measured="a line in alpha, from the frozen layer at 0 to the whole product at alpha = r",
        wrong=(
            ("y + a * u", "to be divided by the rank"),
            ("y + r/a * u", "inverted"),
            ("y + u", "that is for alpha = r"),
            ("(y + u) * a/r", "the frozen layer is not scaled"),
            ("y + u/r", "alpha is missing"),
            ("a/r * u", "the frozen layer stays in the sum"),
            ("y + a/sqrt(r) * u", "that is rank-stabilised LoRA, another rule"),
        ),
    ),
    Formula(
        name="logit-normal-median", number=78, lecture=6, title="Median of logit-normal training times",
        latex=r"t_{1/2} = \frac{1}{1+e^{-\mu}}",
        why="Half of all draws lie on either side, whatever the width: mu shifts training to noise or to data.",
        letters="mu sigma", own=TIMES, answer="1 / (1 + exp(-mu))",
        oracle=_middle, measured="bisection for the time that half of all draws lie below",
        wrong=(
            ("1 / (1 + exp(mu))", "the sign: that is the median of 1 - t"),
            ("mu", "mu is the logit's median, times lie in (0, 1)"),
            ("1/2", "that is for mu = 0"),
            ("exp(mu)", "those are the odds t / (1 - t)"),
            ("1 / (1 + exp(-mu - sigma**2/2))", "a median goes through the sigmoid as it is, without the width"),
            ("1 / (1 + exp(-mu/sigma))", "the width does not move the median"),
        ),
    ),
]
