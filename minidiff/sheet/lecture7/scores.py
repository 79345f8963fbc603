"""Lecture 7: Inception and CLIP score, precision and recall, bits per dimension, win rates."""

import itertools
import math

import numpy as np

from .. import oracles
from ..entry import COUNT, POSITIVE, REAL, SHARE, Formula

CLASSES = {
    "p_1": (SHARE, "p(class 1 | picture 1); there are two classes"),
    "p_2": (SHARE, "p(class 1 | picture 2)"),
}
PAIR = {f"{v}_{i}": (REAL, f"coordinate {i} of the {what}'s embedding") for v, what in (("u", "picture"), ("v", "caption"))
        for i in (1, 2)}  # fmt: skip
WIDTHS = {
    "a": (POSITIVE, "real pictures are spread evenly over [0, a]"),
    "b": (POSITIVE, "generated ones over [0, b]"),
}
BITS = {"nll": (REAL, "-log p(x), in nats"), "d": (COUNT, "number of pixels times channels"),
        "n": (COUNT, "number of grey levels, K")}  # fmt: skip
VOTES = {"p": (SHARE, "how often a is preferred"), "n": (COUNT, "number of votes")}
GRID = 20_001


def _divergence(p, q):
    """KL of p to q: the slope of the sum of p^s q^(1 - s) at s = 1, by finite differences."""
    return oracles.difference(lambda s: float(np.sum(p**s * q ** (1 - s))), 1.0)


def _inception(c, rng):
    """exp of the mean divergence of a picture's classes from those of all pictures."""
    rows = np.array([[c.p_1, 1 - c.p_1], [c.p_2, 1 - c.p_2]])
    return math.exp(np.mean([_divergence(row, rows.mean(axis=0)) for row in rows]))


def _sure(c, rng):
    """One picture of each of n classes, each picture sure of its class."""
    return math.exp(np.mean([_divergence(row, np.full(c.n, 1 / c.n)) for row in np.eye(c.n)]))


def _likeness(c, rng):
    """2.5 times the cosine of the angle between both; nothing for an obtuse angle."""
    angle = abs(math.atan2(c.u_2, c.u_1) - math.atan2(c.v_2, c.v_1))
    angle = min(angle, 2 * math.pi - angle)
    return 2.5 * math.cos(angle) if angle < math.pi / 2 else 0.0


def _within(inner, outer):
    """(the share of [0, inner] that lies within [0, outer], bound): evenly spread points, counted."""
    points = inner * (np.arange(GRID) + 0.5) / GRID
    return float(np.mean(points <= outer)), 1 / GRID


def _levels(c, rng):
    """Fair coin tosses a dimension that are as unlikely as a picture: a bin of width 2 / K of the density in each dimension."""
    log_mass = -c.nll + sum(math.log(2 / c.n) for _ in range(c.d))
    return oracles.root(lambda b: b * c.d * -math.log(0.5) + log_mass, -1e3, 1e3)


def _gap(c, rng):
    """The rating gap whose odds, tenfold every 400 points, are those of the votes, by bisection."""
    return oracles.root(lambda gap: 10 ** (gap / 400) * (1 - c.p) - c.p, -1e4, 1e4)


def _stray(c, rng):
    """The std of the share of votes for a: every outcome of n votes with its probability."""
    outcomes = list(itertools.product((0, 1), repeat=c.n))
    chance = np.array([math.prod(c.p if vote else 1 - c.p for vote in votes) for votes in outcomes])
    share = np.mean(outcomes, axis=1)
    return math.sqrt(chance @ (share - chance @ share) ** 2)


MEAN = "(p_1+p_2)/2"
SMALLER = "(a + b - abs(a - b))/2"
COSINE = "(u_1*v_1 + u_2*v_2) / sqrt((u_1**2 + u_2**2)*(v_1**2 + v_2**2))"


def _kl(p, q):
    return f"({p})*log(({p})/({q})) + (1-{p})*log((1-{p})/(1-{q}))"


def _entropy(p):
    return f"-({p})*log({p}) - (1-{p})*log(1-{p})"


# fmt: off
ENTRIES = [
    Formula(
        name="inception-score", number=80, lecture=7, title="Inception score of two pictures, two classes",
        latex=r"\mathrm{IS} = \exp(\frac{1}{n}\sum_i \mathrm{KL}(p(y|x_i)\,\|\,p(y))),\quad p(y) = \frac{1}{n}\sum_i p(y|x_i)",
        why="High when each picture is clearly something and all together are many things; real pictures are never looked at.",
        letters="p_1 p_2", own=CLASSES, answer=f"exp(({_kl('p_1', MEAN)} + {_kl('p_2', MEAN)})/2)",
        oracle=_inception, measured="slopes of the sum of p^s q^(1 - s), by finite differences",
        wrong=(
            (f"({_kl('p_1', MEAN)} + {_kl('p_2', MEAN)})/2", "the exponential is missing: the score counts classes, from 1 on"),
            (f"exp({_kl('p_1', MEAN)} + {_kl('p_2', MEAN)})", "the mean over pictures, not the sum"),
            (f"exp(({_kl(MEAN, 'p_1')} + {_kl(MEAN, 'p_2')})/2)", "a picture's divergence from all, not the other way round"),
            (f"exp(-({_kl('p_1', MEAN)} + {_kl('p_2', MEAN)})/2)", "the sign: larger is better, at least 1"),
            (f"exp(({_entropy('p_1')} + {_entropy('p_2')})/2)", "a sure picture has little entropy: that one is to be low"),
            (f"exp({_entropy(MEAN)})", "that is how many classes there are, whether or not the pictures are clear"),
        ),
    ),
    Formula(
        name="inception-best", number=80, lecture=7, title="Inception score of n classes, equally often and always sure",
        latex=r"\mathrm{IS}_\mathrm{max} = n",
        why="It counts classes, so one picture of each, repeated for ever, is perfect to it.",
        letters="n", own={"n": (COUNT, "number of classes")}, answer="n",
        oracle=_sure, measured="the divergence of one sure picture of each class, by finite differences",
        wrong=(
            ("log(n)", "that is the mean divergence, before the exponential"),
            ("1", "that is the least score, of pictures that all look alike"),
            ("exp(n)", "the divergence is log n, not n"),
            ("1/n", "that is each class's share"),
            ("n**2", "each picture has one class"),
        ),
    ),
    Formula(
        name="clip-score", number=80, lecture=7, title="CLIP score of a picture and its caption, as it was first defined",
        latex=r"\mathrm{CLIPScore} = 2.5\,\max(\frac{u_1v_1 + u_2v_2}{\sqrt{u_1^2 + u_2^2}\,\sqrt{v_1^2 + v_2^2}},\ 0)",
        why="Does the picture show what was asked for, says a network that has seen many captions; beauty it does not judge.",
        letters="u_1 u_2 v_1 v_2", own=PAIR, answer=f"2.5 * max({COSINE}, 0)",
        oracle=_likeness, measured="the angle between both",
        wrong=(
            (f"2.5 * {COSINE}", "nothing below 0"),
            (f"({COSINE} + abs({COSINE}))/2", "the factor 2.5 is missing, which spreads it over 0 to 1"),
            ("2.5 * (u_1*v_1 + u_2*v_2 + abs(u_1*v_1 + u_2*v_2))/2", "the cosine is of directions: divide by both lengths"),
            (f"2.5 * abs({COSINE})", "opposite directions give 0, not 2.5"),
            (f"2.5 * (1 + {COSINE})/2", "unrelated pairs give 0, not 1.25"),
        ),
    ),
    Formula(
        name="precision", number=80, lecture=7, title="Precision: real pictures in [0, a], generated ones in [0, b]",
        latex=r"\mathrm{precision} = P(x_\mathrm{gen} \in \mathrm{supp}\,p_\mathrm{real}) = \frac{\min(a, b)}{b}",
        why="How many generated pictures could be real: low for artefacts, and blind to what is never drawn.",
        letters="a b", own=WIDTHS, answer=f"{SMALLER} / b",
        oracle=lambda c, rng: _within(c.b, c.a), measured="evenly spread generated pictures, counted in [0, a]",
        wrong=(
            (f"{SMALLER} / a", "that is recall: which share of the real ones could be generated"),
            ("a / b", "never above 1"),
            ("b / a", "inverted, and never above 1"),
            (f"{SMALLER} / (a + b - {SMALLER})", "the share of what is generated, not of all"),
            (f"2*{SMALLER} / (a + b)", "that is F1, the harmonic mean of precision and recall"),
        ),
    ),
    Formula(
        name="recall", number=80, lecture=7, title="Recall: real pictures in [0, a], generated ones in [0, b]",
        latex=r"\mathrm{recall} = P(x_\mathrm{real} \in \mathrm{supp}\,p_\mathrm{gen}) = \frac{\min(a, b)}{a}",
        why="How many real pictures could be generated: low when modes are missing, and blind to artefacts.",
        letters="a b", own=WIDTHS, answer=f"{SMALLER} / a",
        oracle=lambda c, rng: _within(c.a, c.b), measured="evenly spread real pictures, counted in [0, b]",
        wrong=(
            (f"{SMALLER} / b", "that is precision: which share of the generated ones could be real"),
            ("b / a", "never above 1"),
            ("a / b", "inverted, and never above 1"),
            (f"{SMALLER} / (a + b - {SMALLER})", "the share of what is real, not of all"),
            (f"2*{SMALLER} / (a + b)", "that is F1, the harmonic mean of precision and recall"),
        ),
    ),
    Formula(
        name="bits-of-levels", number=80, lecture=7, title="Bits per dimension of grey levels scaled to [-1, 1]",
        latex=r"b = \frac{-\log p(x)}{d\,\log 2} + \log_2\frac{K}{2}",
        why="A density in [-1, 1] counts per unit of length; a grey level is 2 / K of that: 7 bits for 256 levels.",
        letters="nll d n", own=BITS, answer="nll / (d * log(2)) + log(n/2) / log(2)",
        oracle=_levels, measured="the mass of a bin of width 2 / K in each dimension, as coin tosses by bisection",
        wrong=(
            ("nll / (d * log(2))", "that is the density's: a level is a bin of width 2 / K"),
            ("nll / (d * log(2)) + log(n) / log(2)", "[-1, 1] is 2 wide: that is for [0, 1]"),
            ("nll / (d * log(2)) - log(n/2) / log(2)", "the sign: a narrow bin is less likely, which takes more bits"),
            ("(nll + log(n/2)) / (d * log(2))", "each dimension has a bin of its own"),
            ("nll / (d * log(2)) + n/2", "the logarithm of the width counts"),
            ("nll / (d * log(2)) + log(n/2)", "in bits: base 2"),
        ),
    ),
    Formula(
        name="elo-gap", number=80, lecture=7, title="Elo: the rating gap of a model that is preferred with chance p",
        latex=r"R_a - R_b = 400\,\log_{10}\frac{p}{1-p}",
        why="Three of four votes are 191 points, whatever the other ratings in the arena.",
        letters="p", own=VOTES, answer="400 * log(p/(1-p)) / log(10)",
        oracle=_gap, measured="bisection for the gap whose odds are p to 1 - p",
        wrong=(
            ("400 * log((1-p)/p) / log(10)", "the sign: who is preferred has the higher rating"),
            ("400 * log(p/(1-p))", "the base is 10"),
            ("400 * log(p) / log(10)", "the odds p / (1 - p) count, which are 1 for equals"),
            ("400 * p/(1-p)", "the logarithm of the odds"),
            ("400 * (2*p - 1)", "no line: the gap grows without end as p comes near 1"),
            ("200 * log(p/(1-p)) / log(10)", "ten to one takes 400 points"),
        ),
    ),
    Formula(
        name="win-rate-error", number=80, lecture=7, title="Standard error of a win rate from n votes",
        latex=r"\mathrm{std}(\hat p) = \sqrt{\frac{p\,(1-p)}{n}}",
        why="A hundred votes leave 5 points either way, so most differences between good models take thousands.",
        letters="p n", own=VOTES, answer="sqrt(p*(1-p)/n)",
        oracle=_stray, measured="all outcomes of n votes with their probabilities",
        wrong=(
            ("p*(1-p)/n", "that is the variance"),
            ("sqrt(p*(1-p))", "that is one vote's"),
            ("sqrt(n*p*(1-p))", "that is the number of wins', not the share's"),
            ("sqrt(p/n)", "a sure win has no error: a factor 1 - p"),
            ("sqrt(p*(1-p))/n", "n stands under the root"),
            ("1/sqrt(n)", "a vote is 0 or 1: its deviation is at most one half"),
        ),
    ),
]
