"""Lecture 8: rewards from preferences, low-rank fine-tuning, distillation, masked tokens."""

import math

import numpy as np

from .. import oracles
from ..entry import COUNT, REAL, SHARE, Formula

REWARDS = {"r_w": (REAL, "reward of the one that was preferred"), "r_l": (REAL, "reward of the other")}
GROUP = {f"r_{i}": (REAL, f"reward of answer {i}") for i in (1, 2, 3)}
LOW_RANK = {"d": (COUNT, "rows of the weight"), "k": (COUNT, "its columns"), "r": (COUNT, "the rank")}


def chance(log_odds):
    """The probability with these log-odds, by bisection for the logarithm of the smaller side, which keeps its digits."""
    small = math.exp(
        oracles.root(lambda u: u - math.log1p(-math.exp(u)) + abs(log_odds), -800.0, math.log(0.5))
    )
    return small if log_odds < 0 else 1 - small


def _standing(c, rng):
    """r_1 after a shift and a scaling that give the group mean 0 and mean square 1, both by bisection."""
    r = np.array([c.r_1, c.r_2, c.r_3])
    origin = oracles.root(lambda m: -np.sum(r - m), -100.0, 100.0)
    unit = oracles.root(lambda s: 1 - np.mean(((r - origin) / s) ** 2), 1e-12, 100.0)
    return (c.r_1 - origin) / unit


def _rounds(c, rng):
    """How often a number of steps can be halved until one is left: counted."""
    rounds, steps = 0, c.n
    while steps > 1:
        rounds, steps = rounds + 1, steps // 2
    return float(rounds)


def _weight(c, rng):
    """What makes the expected number of masked tokens d: every way to mask d tokens, counted with its probability."""
    masked = sum(math.comb(c.d, k) * c.t**k * (1 - c.t) ** (c.d - k) * k for k in range(c.d + 1))
    return c.d / masked


MEAN = "(r_1 + r_2 + r_3)/3"
VAR = f"((r_1 - {MEAN})**2 + (r_2 - {MEAN})**2 + (r_3 - {MEAN})**2)"

# fmt: off
ENTRIES = [
    Formula(
        name="bradley-terry", number=80, lecture=8, title="Bradley and Terry: how often the better reward is preferred",
        latex=r"P(w \succ l) = \frac{1}{1 + e^{-(r_w - r_l)}}",
        why="People say which of two they like better; a reward is what explains their answers.",
        letters="r_w r_l", own=REWARDS, answer="1 / (1 + exp(r_l - r_w))",
        oracle=lambda c, rng: chance(c.r_w - c.r_l),
        measured="bisection for the probability whose log-odds are the difference of the rewards",
        wrong=(
            ("1 / (1 + exp(r_w - r_l))", "the sign: that is how often the other one is preferred"),
            ("exp(r_w - r_l)", "those are the odds, not the chance"),
            ("1 / (1 + 10**((r_l - r_w)/400))", "that is Elo's scale: rewards count in natural logarithms"),
            ("r_w / (r_w + r_l)", "the difference of rewards counts, not their share"),
            ("r_w - r_l", "those are the log-odds"),
        ),
    ),
    Formula(
        name="group-advantage", number=80, lecture=8, title="Advantage of the first answer in a group of three",
        latex=r"A_1 = \frac{r_1 - m}{\sqrt{v}},\quad m = \frac{r_1+r_2+r_3}{3},\ v = \frac{(r_1-m)^2+(r_2-m)^2+(r_3-m)^2}{3}",
        why="Better than one's siblings is what counts: easy and hard questions teach alike.",
        letters="r_1 r_2 r_3", own=GROUP, answer=f"(r_1 - {MEAN}) / sqrt({VAR}/3)",
        oracle=_standing, measured="bisection for an origin and a unit in which the group has sum 0 and mean square 1",
        wrong=(
            (f"r_1 - {MEAN}", "to be divided by the group's standard deviation"),
            (f"(r_1 - {MEAN}) / ({VAR}/3)", "the standard deviation divides, not the variance"),
            (f"(r_1 - {MEAN}) / sqrt({VAR})", "the mean of the squares belongs under the root, not their sum"),
            (f"(r_1 - {MEAN}) / sqrt({VAR}/2)", "that divides by n - 1, as some libraries do: here n = 3 does"),
            (f"r_1 / sqrt({VAR}/3)", "the group's mean is to be taken off"),
            (f"({MEAN} - r_1) / sqrt({VAR}/3)", "the sign: better than the mean is an advantage"),
        ),
    ),
    Formula(
        name="lora-parameters", number=80, lecture=8, title="Parameters of a low-rank update (LoRA)",
        latex=r"N = r\,(d + k),\quad \Delta W = B A",
        why="A change that needs few directions needs few numbers.",
        letters="d k r", own=LOW_RANK, answer="r * (d + k)",
        oracle=lambda c, rng: float(np.zeros((c.d, c.r)).size + np.zeros((c.r, c.k)).size), measured="counting both factors",
        wrong=(
            ("d * k", "that is the full matrix"),
            ("r * d * k", "the factors are (d, r) and (r, k): their sizes add up"),
            ("r + d + k", "each of the r directions has d + k numbers"),
            ("2 * r * d", "the second factor has k columns"),
            ("d * k + r * (d + k)", "the full matrix stays frozen"),
        ),
    ),
    Formula(
        name="distillation-rounds", number=80, lecture=8, title="Rounds of progressive distillation from n steps to 1",
        latex=r"\mathrm{rounds} = \log_2 n",
        why="Each student takes two of its teacher's steps in one.",
        letters="n", own={"n": (COUNT, "steps of the first teacher, a power of 2")}, derive=lambda c: {"n": 2**c.n},
        answer="log(n) / log(2)",
        oracle=_rounds, measured="halving the steps until one is left, counted",
        wrong=(
            ("n / 2", "that is the first student's number of steps"),
            ("log(n)", "the base is 2"),
            ("log(n) / log(10)", "the base is 2, not 10"),
            ("n - 1", "each round halves the steps, it does not take one away"),
            ("sqrt(n)", "a number that is halved again and again falls like 2^-k"),
        ),
    ),
    Formula(
        name="masked-weight", number=80, lecture=8, title="Weight of masked diffusion's loss at t",
        latex=r"w(t) = \frac{1}{t},\quad \mathrm{E}[\#\mathrm{masked}/t] = d",
        why="With few tokens masked there is little to guess: each guess counts more, and every t counts the same.",
        letters="t d", own={"t": (SHARE, "chance that a token is masked"), "d": (COUNT, "number of tokens")}, answer="1 / t",
        oracle=_weight, measured="every number of masked tokens counted with its probability",
        wrong=(
            ("1", "without a weight large t, with many masks, count more"),
            ("t", "inverted"),
            ("1 / (1-t)", "that belongs to the tokens that are left"),
            ("1 / t**2", "the expected number of masks is t d, not t^2 d"),
            ("1 / (t*d)", "the total is d, one for each token"),
        ),
    ),
]
