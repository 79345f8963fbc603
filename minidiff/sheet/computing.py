"""A formula with one's own numbers: every intermediate value, as one would write it on paper, exact where it can be."""

import contextlib
import itertools
import math
import re
from dataclasses import dataclass, replace
from fractions import Fraction

from . import find
from .entry import COUNT, POSITIVE, SHARE, Case, make_case
from .language import evaluate, intermediate, parse, used
from .verdict import number

LIMITS = (  # (entry, what must not be below 0, the reason); what a kind of letter allows stands in entry.py
    ("wiener-covariance", "t_2 - t_1", "t_2 is the later time: t_1 <= t_2"),
    ("ve-variance", "sigma_2 - sigma_1", "the noise level grows: sigma_1 <= sigma_2"),
    ("langevin-variance", "4*sigma**2 - a", "larger steps never settle: a < 4 sigma^2"),
    (
        "ddim-family-mean",
        "1 - alpha_bar[t-1] - sigma**2",
        "x_{t-1} holds no more noise: sigma <= sqrt(1 - alpha_bar_{t-1})",
    ),
    ("speed-up", "T - S", "the visited times are some of the T: S <= T"),
    ("nfe", "T - S", "the visited times are some of the T: S <= T"),
    ("conv-output", "P", "zeros are added, not taken away: P >= 0"),
    ("conv-output", "I + 2*P - F", "the filter has to lie within: F <= I + 2 P"),
    ("dit-tokens", "floor(I/p) - I/p", "patches cover the width without a rest: p divides I"),
    ("fid-2d", "c*d - r**2", "no covariance is larger: r^2 <= c d"),
    ("ssim", "sigma_1*sigma_2 - abs(cov)", "no covariance is larger: |cov| <= sigma_1 sigma_2"),
)
NUMBER = re.compile(
    r"[-+]?(\d{1,30}/0*[1-9]\d{0,29}|(\d{1,30}(\.\d{0,30})?|\.\d{1,30})([eE][-+]?\d{1,2})?)", re.A
)


@dataclass(frozen=True)
class Computed:
    """.steps is [(what, its number), ...], the last is the result; str() writes them one a line."""

    name: str
    steps: list

    @property
    def result(self):
        """The last number."""
        return self.steps[-1][1]

    def __str__(self):
        wide = min(44, max(len(what) for what, _ in self.steps))
        return "\n".join(f"{what.ljust(wide)} = {number(value)}" for what, value in self.steps)

    __repr__ = __str__

    def _repr_markdown_(self):
        return f"$${find(self.name).latex}$$\n\n```\n{self}\n```"


def exact(name, value):
    """The number as typed: 0.1 is 1/10. Raises ValueError for what is not a finite number of ordinary size."""
    text = str(value).strip()
    if not NUMBER.fullmatch(text):
        raise ValueError(f"{name} must be a number, got {value!r}")
    return Fraction(text)


def typed(words):
    """{letter: number as typed} of --LETTER VALUE or --LETTER=VALUE. Raises ValueError for anything else."""
    parts = [part for word in words for part in (word.split("=", 1) if word.startswith("--") else [word])]
    if len(parts) % 2 or not all(letter.startswith("--") for letter in parts[::2]):
        raise ValueError(
            f"numbers are given as --LETTER VALUE, such as --beta .1,.2 --t 2, got {' '.join(words)}"
        )
    return {letter[2:].replace("-", "_"): value for letter, value in zip(parts[::2], parts[1::2])}


def _whole(name, value, high):
    value = exact(name, value)
    if value.denominator != 1 or not 1 <= value <= high:
        raise ValueError(f"{name} must be a whole number in 1..{high}, got {value}")
    return int(value)


def _scope(entry):
    """The entry's letters, as parse asks for them: those that take an index are arrays."""
    return dict.fromkeys(entry.scope, 1) | {k: () for k in ("beta", "alpha", "alpha_bar", "tau")}


def _check_limits(entry, case, given):
    """Raises ValueError, with the reason, for numbers that do not go together."""
    for tree, why in [
        (parse(least, _scope(entry)), why) for name, least, why in LIMITS if name == entry.name
    ]:
        letters = used(tree.root)
        if letters <= set(case) and evaluate(tree, case) < 0:
            got = ", ".join(f"{k} = {number(case[k])}" for k in case if k in letters & set(given))
            raise ValueError(f"{why}, got {got}")


def compute(name, **numbers):
    """A Computed: the entry's answer for these numbers; beta=[...] lists beta_1..beta_T, tau=[...] tau_1..tau_S.

    Lists may be typed, "0.1, 0.2"; x0 is x_0. Of x_0, eps and x_t any two are enough. Raises ValueError for a missing, an
    unknown or an impossible number, and where the formula gives none.
    """
    entry = find(name)
    name = entry.name
    if entry.answer is None:
        raise ValueError(f"{name} is a statement, there is nothing to compute")
    letters = [k for k in entry.scope if entry.meaning(k)[0] or k in ("beta", "t", "tau", "i")]
    short = {k.replace("_", ""): k for k in letters}
    numbers = {k if k in letters else short.get(k, k): v for k, v in numbers.items()}
    if unknown := sorted(set(numbers) - set(letters)):
        raise ValueError(f"{name} takes no {unknown[0]!r}; it takes {', '.join(letters)}")
    given, betas = {k: v for k, v in numbers.items() if v is not None}, ()
    tree = parse(entry.answer, _scope(entry))
    needed = used(tree.root)
    needed |= {"beta"} if needed & {"alpha", "alpha_bar", "T"} and "beta" in entry.scope else set()
    if missing := [k for k in ("beta", "t") if k in needed and k not in given]:
        raise ValueError(f"{name} needs {' and '.join(missing)}")
    given |= {k: given[k].split(",") for k in ("beta", "tau") if isinstance(given.get(k), str)}
    if "beta" in given:
        betas = [exact("beta", b) for b in given.pop("beta")]
        if not betas or not all(0 < b < 1 for b in betas) or len(betas) > 1000:
            raise ValueError(
                f"beta must list 1 to 1000 numbers in (0, 1), got {number(tuple(betas)) or 'none'}"
            )
    if "t" in given and not entry.meaning("t")[0]:
        given["t"] = _whole("t", given["t"], max(1, len(betas)))
    if "tau" in given:
        given["tau"] = (0, *(_whole("tau", v, max(1, len(betas))) for v in given["tau"]))
        if any(a >= b for a, b in itertools.pairwise(given["tau"])):
            raise ValueError(f"tau must ascend, each time once, got {number(given['tau'][1:])}")
        given["i"] = _whole("i", given.get("i", len(given["tau"]) - 1), len(given["tau"]) - 1)
    for k, v in given.items():
        kind = entry.meaning(k)[0]
        given[k] = _whole(k, v, 10**9) if kind == COUNT else exact(k, v) if kind else v
        if kind == SHARE and not 0 <= given[k] <= 1:
            raise ValueError(f"{k} must lie in [0, 1], got {v}")
        if kind == POSITIVE and given[k] < 0:
            raise ValueError(f"{k} must not be below 0, got {v} ({entry.meaning(k)[1]})")
    case = _complete(entry, betas, given)
    _check_limits(entry, case, given)
    if missing := [k for k in entry.scope if k in needed and k not in case]:
        raise ValueError(f"{name} needs {', '.join(missing)}")
    steps = [(f"{k}[1..{len(betas)}]", case[k][1:]) for k in ("beta", "alpha", "alpha_bar") if k in case]
    steps += [
        (k, case[k]) for k in entry.scope if k in case and k in needed and not isinstance(case[k], tuple)
    ]
    steps += [(what, v) for what, v in intermediate(tree, case) if what not in dict(steps)]
    steps = steps or [(entry.answer, evaluate(tree, case))]
    if undefined := next((what for what, v in steps if not isinstance(v, tuple) and math.isnan(v)), None):
        raise ValueError(f"{name} has no value for these numbers: {undefined} is not defined")
    return Computed(name, steps)


def worked(entry, case):
    """The Computed of the entry's answer for the numbers of a case."""
    given = {k: case[k] for k in {**entry.free, "t": 0, "i": 0} if k in case}
    return compute(entry.name, **given, **{k: case[k][1:] for k in ("beta", "tau") if k in case})


def _complete(entry, betas, given):
    """The case with what follows from the given numbers; any two of x_0, eps and x_t give the third."""
    bare, trio = replace(entry, derive=None), {"x_0", "eps", "x_t"}
    if betas and trio <= set(entry.scope) and "x_t" in given and len(trio & set(given)) == 2:
        x_t = given.pop("x_t")
        known, other = ("x_0", "eps") if "x_0" in given else ("eps", "x_0")
        without = make_case(bare, betas, **given | {other: Fraction(0)})["x_t"]
        factor = make_case(bare, betas, **given | {known: Fraction(0), other: Fraction(1)})["x_t"]
        given[other] = (x_t - without) / factor
    case = make_case(bare, betas, **given) if betas else Case(given)
    with contextlib.suppress(AttributeError, KeyError):  # not all letters that others follow from were given
        case = Case((entry.derive(case) if entry.derive else {}) | case)
    return case
