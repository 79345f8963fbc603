"""What an entry of the sheet is, and the numbers it is tried on.

A case is one set of numbers: a coarse schedule with large beta (few steps show mistakes that a thousand hide), a time t, and
a value for every letter of the entry. x_t follows from x_0 and eps wherever all three are letters of the entry, and
x_0_hat from x_t and eps_hat.
"""

import functools
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from ..schedule import from_betas
from .language import NETWORKS, Near, evaluate, parse
from .language.reals import sqrt

REAL, POSITIVE, SHARE, COUNT = "a number", "a number above 0", "a number in (0, 1)", "a whole number above 0"
LETTERS = {  # letter: (what it may be, what it means)
    "beta": ("", "beta[t], variance of the noise that step t adds; beta[0] = 0"),
    "alpha": ("", "alpha[t] = 1 - beta[t]"),
    "alpha_bar": ("", "alpha_bar[t] = alpha[1] ... alpha[t]; alpha_bar[0] = 1"),
    "T": ("", "number of steps"),
    "t": ("", "a time, 1..T"),
    "s": ("", "the time before it, t - 1"),
    "tau": ("", "tau[i], the times that are visited; tau[0] = 0, tau[S] = T"),
    "i": ("", "a place in tau, 1..S"),
    "S": ("", "number of visited times"),
    "x_0": (REAL, "clean data"),
    "x_s": (REAL, "the data one step earlier, x_{t-1}"),
    "x_t": (REAL, "noisy data"),
    "eps": (REAL, "the noise in x_t"),
    "eps_hat": (REAL, "what the denoiser answers, eps_theta(x_t, t)"),
    "x_0_hat": ("", "the data that eps_hat implies at t (at tau_i in a subsequence)"),
    "z": (REAL, "fresh noise of a step"),
    "d": (COUNT, "number of coordinates"),
    "sigma": (POSITIVE, "a standard deviation"),
    "eta": (SHARE, "DDIM's share of fresh noise"),
    "w": (POSITIVE, "guidance weight; 1 is conditional"),
    "mu": (REAL, "a mean"),
    "x": (REAL, "a point"),
    "a": (REAL, "a fixed number"),
    "b": (REAL, "a fixed number"),
    "mu_1": (REAL, "mean of the first Gaussian"),
    "mu_2": (REAL, "mean of the second"),
    "sigma_1": (POSITIVE, "standard deviation of the first Gaussian"),
    "sigma_2": (POSITIVE, "standard deviation of the second"),
}
ROUND = {kind: tuple(map(Fraction, numbers.split())) for kind, numbers in
         ((REAL, "2 -1 3 1/2 -2"), (POSITIVE, "2 3 1 1/2 4"), (SHARE, "0.5 0.2 0.8 0.4 0.6"))}  # fmt: skip
ROUND[COUNT] = (3, 2, 4, 5, 6)
TENTHS = [
    (1, 2),
    (2, 5),
    (5, 2),
    (1, 2, 3),
    (2, 5, 4),
    (1, 2, 4, 3),
    (3, 1, 2, 5, 4),
]  # schedules that one can redo by hand
ROUNDED = (
    2.0**-44
)  # of all letters together: more than what a hundred operations lose, or four divided by a small alpha_bar
ELSEWHERE = {"x": 2.3, "x_t": -1.1, "x_tilde": 1.9, "x_0": 1.7, "x_s": -0.6, "eps": 0.9, "x_1": 0.4, "t": 0.37,
             "T": 7}  # fmt: skip  # letters that an entry has not
OTHERS = {"x_tilde": "x", "x_s": "x_t"}  # a place, and what is not just another name of it
COARSE = (0.05, 0.1, 0.2, 0.15, 0.3, 0.25)


class Case(dict):
    """Letter -> number or array, also as attributes: c.beta[c.t]."""

    def __getattr__(self, name):
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"the case has no letter {name!r}; it has {', '.join(self)}") from None

    @property
    def schedule(self):
        """The minidiff Schedule with these beta, to ask the library."""
        return from_betas(self.beta[1:])

    def floats(self):
        """The same case in float64, arrays as NumPy's."""
        return Case({k: _float(v) for k, v in self.items()})


def _float(value):
    if isinstance(value, tuple):
        return np.array(value, dtype=int if all(isinstance(v, int) for v in value) else float)
    return value if isinstance(value, int | np.integer | np.ndarray) else float(value)


@dataclass(frozen=True, eq=False, kw_only=True)
class Letters:
    """The letters of an expression: which there are, what each may be, and which follow from others."""

    letters: str  # "beta t x_0", in the order in which one would write them down; beta brings alpha, alpha_bar and T
    own: dict = field(
        default_factory=dict
    )  # letters that mean something else here, or are new: name: (kind, meaning)
    derive: Callable | None = (
        None  # (drawn case) -> letters that follow from others, or must stay within limits
    )
    asks: dict = field(
        default_factory=dict
    )  # a network's letter: (place, time) that it is given; of all others x_t and t

    def meaning(self, letter):
        """(what it may be, what it means) of one letter."""
        return self.own.get(letter) or LETTERS[letter]

    @functools.cached_property
    def scope(self):
        """All letters in scope, with those that come with beta."""
        return [
            name
            for k in self.letters.split()
            for name in (("beta", "alpha", "alpha_bar", "T") if k == "beta" else (k,))
        ]

    @functools.cached_property
    def free(self):
        """{letter: what it may be} of those whose numbers are chosen; the others follow from them."""
        follows = {"x_t"} if {"x_0", "eps", "x_t"} <= set(self.scope) else set()
        return {k: self.meaning(k)[0] for k in self.scope if self.meaning(k)[0] and k not in follows}

    @functools.cached_property
    def networks(self):
        """{a network's letter: (place, time) that it is given}"""
        asks = dict.fromkeys(NETWORKS, ("x_t", "t")) | self.asks
        return {k: asks[k] for k in self.scope if asks.get(k)}

    def around(self, case):
        """The case with all letters that may stand where a network is asked: x_t = sqrt(alpha_bar_t) x_0 + ... holds."""
        place, time = next(iter(self.networks.values()))
        c, same = (
            Case(ELSEWHERE | case),
            {"x", "x_tilde", "x_t"} - {*case, OTHERS.get(place)},
        )  # names of the place
        place = "x" if place in same and "x" in case else place
        at = c[place] if place in c else evaluate(parse(place, c), c)
        c |= dict.fromkeys(same, at)
        if "t" not in case and time != "t":
            c["t"] = evaluate(parse(time, c), c)
        c["s"] = c["t"] - 1
        if "beta" in case:
            signal, noise = sqrt(c.alpha_bar[int(c.t)]), sqrt(1 - c.alpha_bar[int(c.t)])
            known = ("eps", noise, "x_0", signal) if "eps" in case else ("x_0", signal, "eps", noise)
        else:
            known = (
                ("x_1", c["t"], "x_0", 1 - c["t"]) if "x_1" in case else ("x_0", 1 - c["t"], "x_1", c["t"])
            )
        one, weight, other, by = known
        if other not in case and by:
            c[other] = (c["x_t"] - weight * c[one]) / by
        return c

    def counts_steps(self, letter="t"):
        """Whether t (or i) is in scope and a whole number; flow matching's t is a number in (0, 1), no step precedes it."""
        return letter in self.scope and not self.meaning(letter)[0]


@dataclass(frozen=True, eq=False, kw_only=True)
class Formula(Letters):
    """One entry of the sheet; the comments tell how each field is used."""

    name: str
    number: int  # in the course's list of 80
    lecture: int
    title: str
    latex: str  # what matplotlib's mathtext can draw
    why: str  # one sentence of intuition
    oracle: Callable  # (case in floats, rng) -> the number, or (number, bound), without the formula
    measured: str  # how the oracle gets there, in a few words
    answer: str | None = None  # in the language of language/; None for a statement
    relation: str = "="  # of a statement: the oracle's number is =, >= or > 0, or somewhere != 0
    bound: float = 1e-9  # error of a deterministic oracle, relative to numbers above 1
    wrong: tuple = ()  # ((expression, or for a statement an oracle of the wrong statement; the misconception), ...)
    source: Callable | None = None  # the library's own function or class
    explains: str = ""  # letters that an answer must not use, because it says what they are
    needs: str = ""  # letters that an answer must use, where others that follow from them would do
    value: Callable | None = None  # (that function, case in floats) -> its number
    cases: tuple = ()  # cases to verify beside the standard ones


def make_case(letters, betas=None, t=None, tau=None, i=None, **numbers):
    """The case with these numbers; betas are beta_1..beta_T. alpha, alpha_bar, T, s, S, x_t and x_0_hat follow."""
    case, names = Case(), letters.scope
    if "beta" in names:
        beta = (betas[0] * 0, *betas)
        alpha = tuple(1 - b for b in beta)
        alpha_bar = tuple(itertools.accumulate(alpha, lambda p, a: p * a))
        case |= {"beta": beta, "alpha": alpha, "alpha_bar": alpha_bar, "T": len(betas)}
    if "tau" in names and tau:
        case |= {"tau": tuple(tau), "i": i, "S": len(tau) - 1}
    if "t" in names and t is not None:
        case |= {"t": t, "s": t - 1} if letters.counts_steps() else {"t": t}
    case |= numbers
    if {"x_0", "eps", "x_t"} <= set(names) and {"x_0", "eps", "t"} <= set(case):
        ab_t = case.alpha_bar[t]
        case["x_t"] = sqrt(ab_t) * case["x_0"] + sqrt(1 - ab_t) * case["eps"]
    at = case.get("t", case["tau"][case["i"]] if case.get("tau") else None)
    if "x_0_hat" in names and {"x_t", "eps_hat"} <= set(case) and at:
        case["x_0_hat"] = (case["x_t"] - sqrt(1 - case.alpha_bar[at]) * case["eps_hat"]) / sqrt(
            case.alpha_bar[at]
        )
    case = Case(case | (letters.derive(case) if letters.derive else {}))
    size = 1 + sum(abs(float(v)) for v in case.values() if not isinstance(v, tuple))
    case |= {k: Near(v, ROUNDED * size) for k, v in case.items() if isinstance(v, float)}
    return Case({k: case[k] for k in [*names, *(k for k in case if k not in names)] if k in case})


def _round_numbers(letters, k):
    """The k-th choice of round numbers for the free letters."""
    return {name: ROUND[kind][(j + k) % 5] for j, (name, kind) in enumerate(letters.free.items())}


def round_cases(letters):
    """Cases to redo by hand, t >= 2, the shortest schedule and the roundest numbers first; all in exact fractions."""
    for betas in TENTHS if "beta" in letters.scope else TENTHS[:1]:
        T, betas = len(betas), [Fraction(b, 10) for b in betas]
        tau = (0, *range(2 - T % 2, T + 1, 2)) if T > 2 else (0, 1, 2)
        for k in range(5):
            for t in range(2, T + 1) if "t" in letters.scope else (2,):
                at = {"t": t, "tau": tau, "i": min(t, len(tau) - 1)}
                yield make_case(letters, betas, **at | _round_numbers(letters, k))


def random_case(letters, rng):
    """A case with everything drawn, in short fractions, which are exact: T in 2..8, beta in (0.02, 0.6), t in 1..T."""
    T, short = int(rng.integers(2, 9)), lambda value: Fraction(round(1000 * value), 1000)
    draw = {REAL: lambda: short(1.5 * rng.standard_normal()), POSITIVE: lambda: short(rng.uniform(0.3, 2.5)),
            SHARE: lambda: short(rng.uniform(0.05, 0.95)), COUNT: lambda: int(rng.integers(1, 7))}  # fmt: skip
    numbers = {name: draw[kind]() for name, kind in letters.free.items()}
    inner = sorted(rng.choice(np.arange(1, T), size=int(rng.integers(0, T)), replace=False).tolist())
    tau = (0, *inner, T)
    betas = [short(b) for b in rng.uniform(0.02, 0.6, T)]
    times = {"t": int(rng.integers(1, T + 1)), "tau": tau, "i": int(rng.integers(1, len(tau)))}
    return make_case(letters, betas, **times | numbers)


def standard_cases(entry, rng):
    """What verify measures: a coarse schedule at t = 2, 4, 6, one case to redo by hand, two random ones, the entry's own."""
    coarse = []
    for k, t in enumerate((2, 4, 6)):
        numbers = _round_numbers(entry, k)  # made less round, which would hide mistakes
        numbers = {
            name: n * 17 / 20 if entry.free[name] in (REAL, POSITIVE) else n for name, n in numbers.items()
        }
        coarse.append(make_case(entry, COARSE, **{"t": t, "tau": (0, 2, 3, 6), "i": 1 + k, **numbers}))
    drawn = [random_case(entry, rng) for _ in range(2)]
    return [c.floats() for c in (*coarse, next(round_cases(entry)), *drawn, *entry.cases)]
