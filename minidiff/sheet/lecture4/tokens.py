"""Lecture 4: what a softmax does, what attention costs, and a loss of pairs without a softmax."""

import itertools
import math

import numpy as np

from .. import oracles
from ..entry import COUNT, POSITIVE, REAL, SHARE, Formula
from .attention import wins

LOGITS = {"a": (REAL, "a logit"), "b": (REAL, "the other logit"), "temp": (POSITIVE, "the temperature that divides them"),
          "p": (SHARE, "a's weight, softmax of both")}  # fmt: skip
SIZES = {"n": (COUNT, "places of the picture, one query each"), "m": (COUNT, "words of the text, one key each"),
         "d": (COUNT, "length of q, k and v"), "r": (COUNT, "how often wider and higher the picture gets")}  # fmt: skip
HEADS = {
    "h": (COUNT, "number of heads"),
    "d": (COUNT, "length of one head's q, k and v; the model's width is h d"),
}
SIMILARITIES = {"s_11": (REAL, "similarity of image 1 and text 1, a pair"), "s_12": (REAL, "of image 1 and text 2"),
                "s_21": (REAL, "of image 2 and text 1"), "s_22": (REAL, "of image 2 and text 2, a pair"),
                "temp": (POSITIVE, "the temperature tau that divides the similarities"),
                "b": (REAL, "bias of all logits, below 0 as most pairs are none")}  # fmt: skip


def _products(*shapes):
    """How many times two numbers are multiplied in matrix products of these shapes (rows, inner, columns), one by one."""
    return sum(1 for shape in shapes for _ in itertools.product(*map(range, shape)))


def _growth(c, rng):
    """Pairs of places of a picture that is r times wider and higher, over those of the first, by counting."""
    places = lambda side: list(itertools.product(range(side), repeat=2))  # noqa: E731
    return sum(1 for _ in itertools.product(places(c.r), places(c.r))) / len(places(1)) ** 2


def _weights(c, rng):
    """The numbers in all heads' W_q, W_k and W_v and in the one matrix that mixes the heads' answers."""
    width = c.h * c.d
    heads = [np.zeros((width, c.d)) for _ in range(c.h) for _ in "qkv"]
    return sum(W.size for W in heads) + np.zeros((width, width)).size


def _shifted(c, rng, change=lambda logits, b: logits + b):
    """The change of the first of three weights when all logits are changed."""
    logits = np.array([c.a, 0.3, -0.7])
    return wins(change(logits, c.b)) - wins(logits)


def _surprise(logit):
    """-log p of the p whose log-odds are this logit, by bisection."""
    return oracles.root(lambda u: logit + u + math.log(-math.expm1(-u)), 1e-300, 1e3)


def _siglip(c, rng):
    """Four yes-no questions: the surprise at two pairs that belong together and at two that do not, for each image."""
    asked = ((c.s_11, 1), (c.s_22, 1), (c.s_12, -1), (c.s_21, -1))
    return sum(_surprise(answer * (s / c.temp + c.b)) for s, answer in asked) / 2


def _asks(s, answer, bias=" + b", temp="/temp"):
    """The surprise as one types it."""
    return f"log(1 + exp({'-' if answer > 0 else ''}({s}{temp}{bias})))"


def _all(answers=(1, -1, -1, 1), **how):
    return " + ".join(_asks(s, answer, **how) for s, answer in zip(("s_11", "s_12", "s_21", "s_22"), answers))


# fmt: off
ENTRIES = [
    Formula(
        name="softmax-temperature", number=72, lecture=4, title="Softmax of two logits at a temperature",
        latex=r"p_a = \frac{e^{a/\tau}}{e^{a/\tau} + e^{b/\tau}} = \frac{1}{1 + e^{(b-a)/\tau}}",
        why="Cold, the larger logit takes all; hot, both get the same.",
        letters="a b temp", own=LOGITS, answer="1 / (1 + exp((b-a)/temp))",
        oracle=lambda c, rng: wins([c.a / c.temp, c.b / c.temp]),
        measured="how often a / tau wins a race with Gumbel noise, by quadrature",
        wrong=(
            ("1 / (1 + exp((b-a)*temp))", "the temperature divides: high temperatures make weights alike"),
            ("1 / (1 + exp((a-b)/temp))", "that is b's weight: the larger logit has the larger one"),
            ("1 / (1 + exp(b-a))", "the temperature is missing"),
            ("1 / (1 + exp(b-a)) / temp", "the temperature belongs inside: outside, the weights no longer add up to 1"),
            ("exp(a/temp)", "to be divided by the total"),
            ("a / (a + b)", "the exponentials are missing: logits may be below 0"),
        ),
    ),
    Formula(
        name="softmax-gradient", number=72, lecture=4, title="How a softmax weight changes with its own logit",
        latex=r"p = \frac{1}{1 + e^{b-a}}:\quad \frac{\partial p}{\partial a} = p\,(1 - p)",
        why="A softmax that has made up its mind, p near 0 or 1, learns nothing: so logits are to stay small.",
        letters="a b p", own=LOGITS, derive=lambda c: {"p": 1 / (1 + math.exp(c["b"] - c["a"]))}, answer="p * (1-p)",
        oracle=lambda c, rng: oracles.difference(lambda a: wins([a, c.b]), c.a, 1e-2),
        measured="finite differences of how often a wins a race with Gumbel noise",
        wrong=(
            ("p", "that is the weight itself; its slope has the factor 1 - p as well"),
            ("1 - p", "that is the slope of log p"),
            ("-p * (1-p)", "that is the other weight's change: what one gains the other loses"),
            ("p**2", "the second factor is what is left for the others, 1 - p"),
            ("1", "the logit goes through exp and is divided by the total"),
        ),
    ),
    Formula(
        name="softmax-shift", number=72, lecture=4, title="A softmax does not notice what is added to all logits",
        latex=r"\mathrm{softmax}(l + b) = \mathrm{softmax}(l)",
        why="Only differences count, so programs take the largest logit off before exp, which then cannot overflow.",
        letters="a b", own={"a": (REAL, "a logit"), "b": (REAL, "what is added to all of them")},
        oracle=_shifted, measured="how often one of three wins a race with Gumbel noise, before and after",
        wrong=(
            (lambda c, rng: _shifted(c, rng, lambda logits, b: logits * b), "a factor is noticed: it is a temperature"),
            (lambda c, rng: _shifted(c, rng, lambda logits, b: logits + np.array([b, 0, 0])), "to be added to all of them"),
        ),
    ),
    Formula(
        name="attention-cost", number=72, lecture=4, title="Multiplications of self-attention, n places",
        latex=r"N = n^2 d + n^2 d = 2 n^2 d",
        why="Each place looks at each place: twice as many places cost four times as much.",
        letters="n d", own=SIZES, answer="2 * n**2 * d",
        oracle=lambda c, rng: _products((c.n, c.d, c.n), (c.n, c.n, c.d)), measured="counting them one by one",
        wrong=(
            ("n**2 * d", "that is q k alone: averaging the values costs as much again"),
            ("2 * n * d", "each query meets each of n keys"),
            ("2 * n * d**2", "the number of places is squared, not the length: that is what two linear layers cost"),
            ("n**2", "that counts pairs, and each pair's product has d terms"),
            ("2 * n**2 * d**2", "the product of two vectors of length d has d terms"),
        ),
    ),
    Formula(
        name="attention-layer-cost", number=72, lecture=4, title="Multiplications of a whole self-attention layer of width d",
        latex=r"N = 4 n d^2 + 2 n^2 d",
        why="For few places the four linear layers cost most, for n above 2 d the looking does.",
        letters="n d", own=SIZES, answer="4*n*d**2 + 2*n**2*d",
        oracle=lambda c, rng: _products(*[(c.n, c.d, c.d)] * 4, (c.n, c.d, c.n), (c.n, c.n, c.d)),
        measured="counting them one by one",
        wrong=(
            ("3*n*d**2 + 2*n**2*d", "the output has a linear layer of its own, the fourth"),
            ("2*n**2*d", "that is without the linear layers that make q, k, v and the output"),
            ("4*d**2 + 2*n**2*d", "the linear layers work at each of the n places"),
            ("4*n*d**2 + n**2*d", "averaging the values costs as much as comparing"),
            ("4*n**2*d + 2*n*d**2", "linear layers cost d^2 for each place, looking d for each pair"),
        ),
    ),
    Formula(
        name="cross-attention-cost", number=72, lecture=4, title="Multiplications of cross-attention, n places and m words",
        latex=r"N = 2\,n\,m\,d",
        why="Places look at words only, and words are few: a caption costs little beside the picture itself.",
        letters="n m d", own=SIZES, answer="2 * n * m * d",
        oracle=lambda c, rng: _products((c.n, c.d, c.m), (c.n, c.m, c.d)), measured="counting them one by one",
        wrong=(
            ("2 * (n+m)**2 * d", "that is joint attention, where words and places look at both"),
            ("2 * n**2 * d", "that is self-attention, where places look at places"),
            ("n * m * d", "averaging the values costs as much as comparing"),
            ("2 * (n+m) * d", "each place meets each word: a product"),
            ("2 * m**2 * d", "the queries come from the picture"),
        ),
    ),
    Formula(
        name="attention-resolution", number=72, lecture=4, title="Growth of attention's cost with the picture's sides",
        latex=r"\frac{N(r W,\,r H)}{N(W,\,H)} = r^4",
        why="Twice the width is four times the places and 16 times the pairs: hence latents, patches, few layers of attention.",
        letters="r", own=SIZES, answer="r**4",
        oracle=_growth, measured="counting pairs of places",
        wrong=(
            ("r**2", "that is the growth of the number of places, of whose square there are pairs"),
            ("r", "that is the growth of one side"),
            ("2 * r**2", "the number of places is to be squared, not doubled"),
            ("r**3", "both places of a pair have two coordinates: four factors r"),
        ),
    ),
    Formula(
        name="attention-parameters", number=72, lecture=4, title="Weights of an attention layer with h heads, without biases",
        latex=r"N = 4\,(h\,d)^2",
        why="Heads share the width among them: more heads cost no more weights.",
        letters="h d", own=HEADS, answer="4 * (h*d)**2",
        oracle=_weights, measured="counting the weights of every head and of the output",
        wrong=(
            ("3 * (h*d)**2", "the output has a matrix as well"),
            ("4 * h * (h*d)**2", "each head answers in its share d of the width, not in all of it"),
            ("4 * h * d**2", "each head reads the whole width h d"),
            ("4 * d**2", "d is one head's length: the width is h d"),
            ("(h*d)**2", "that is one matrix: queries, keys, values and the output have one each"),
        ),
    ),
    Formula(
        name="siglip-loss", number=73, lecture=4, title="SigLIP's loss of two pairs",
        latex=r"z_{ii} = 1,\ z_{i\neq j} = -1:\quad L = \frac{1}{N}\sum_{i,j}\,\log(1 + e^{-z_{ij}\,(s_{ij}/\tau + b)})",
        why="Each picture and each caption are asked whether they belong together: a yes or no for which no other pair counts.",
        letters="s_11 s_12 s_21 s_22 temp b", own=SIMILARITIES, answer=f"({_all()}) / 2",
        oracle=_siglip, measured="the surprise of four yes-no questions with these log-odds, by bisection",
        wrong=(
            (f"({_all()}) / 4", "the sum of all N^2 questions is divided by N, the pictures"),
            (f"({_all(bias='')}) / 2", "the bias is missing: at first most of the questions have the answer no"),
            (f"({_all(answers=(1, 1, 1, 1))}) / 2", "off the diagonal the answer is no: z = -1"),
            (f"({_all(answers=(-1, 1, 1, -1))}) / 2", "the sign: pairs are to be alike"),
            (f"({_asks('s_11', 1)} + {_asks('s_22', 1)}) / 2", "without captions that do not belong all would be called pairs"),
            (f"({_all(temp='*temp')}) / 2", "the temperature divides"),
            (f"({_all(bias=' - b')}) / 2", "the bias is added to the logit"),
        ),
    ),
]
