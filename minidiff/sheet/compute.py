"""A formula with one's own numbers: every intermediate value, as one would write it on paper, exact where it can be."""

import contextlib
import re
from dataclasses import dataclass, replace
from fractions import Fraction

from . import find
from .entry import COUNT, SHARE, Case, make_case
from .language import evaluate, intermediate, parse, used
from .verdict import number

NUMBER = re.compile(r"[-+]?(\d{1,30}/0*[1-9]\d{0,29}|(\d{1,30}(\.\d{0,30})?|\.\d{1,30})([eE][-+]?\d{1,2})?)", re.A)


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
        wide = max(len(what) for what, _ in self.steps)
        return "\n".join(f"{what.ljust(wide)} = {number(value)}" for what, value in self.steps)

    __repr__ = __str__


def exact(name, value):
    """The number as typed: 0.1 is 1/10. Raises ValueError for what is not a finite number of ordinary size."""
    if not NUMBER.fullmatch(str(value)):
        raise ValueError(f"{name} must be a number, got {value!r}")
    return Fraction(str(value))


def _whole(name, value, high):
    value = exact(name, value)
    if value.denominator != 1 or not 1 <= value <= high:
        raise ValueError(f"{name} must be a whole number in 1..{high}, got {value}")
    return int(value)


def compute(name, **numbers):
    """A Computed: the entry's answer for these numbers; beta=[...] lists beta_1..beta_T, tau=[...] tau_1..tau_S.

    Of x_0, eps and x_t any two are enough. Raises ValueError for a missing, an unknown or an impossible number.
    """
    entry = find(name)
    if entry.answer is None:
        raise ValueError(f"{name} is a statement, there is nothing to compute")
    letters = [k for k in entry.scope if entry.meaning(k)[0] or k in ("beta", "t", "tau", "i")]
    if unknown := sorted(set(numbers) - set(letters)):
        raise ValueError(f"{name} takes no {unknown[0]!r}; it takes {', '.join(letters)}")
    given, betas = {k: v for k, v in numbers.items() if v is not None}, ()
    tree = parse(entry.answer, dict.fromkeys(entry.scope, 1) | {k: () for k in ("beta", "alpha", "alpha_bar", "tau")})
    needed = used(tree.root)
    needed |= {"beta"} if needed & {"alpha", "alpha_bar", "T"} and "beta" in entry.scope else set()
    if missing := [k for k in ("beta", "t") if k in needed and k not in given]:
        raise ValueError(f"{name} needs {' and '.join(missing)}")
    if "beta" in given:
        betas = [exact("beta", b) for b in given.pop("beta")]
        if not betas or not all(0 < b < 1 for b in betas) or len(betas) > 1000:
            raise ValueError(f"beta must list 1 to 1000 numbers in (0, 1), got {number(tuple(betas)) or 'none'}")
    if "t" in given and not entry.meaning("t")[0]:
        given["t"] = _whole("t", given["t"], max(1, len(betas)))
    if "tau" in given:
        given["tau"] = (0, *(_whole("tau", v, max(1, len(betas))) for v in given["tau"]))
        given["i"] = _whole("i", given.get("i", len(given["tau"]) - 1), len(given["tau"]) - 1)
    for k, v in given.items():
        kind = entry.meaning(k)[0]
        given[k] = _whole(k, v, 1000) if kind == COUNT else exact(k, v) if kind else v
        if kind == SHARE and not 0 <= given[k] <= 1:
            raise ValueError(f"{k} must lie in [0, 1], got {v}")
    case = _complete(entry, betas, given)
    if missing := [k for k in entry.scope if k in needed and k not in case]:
        raise ValueError(f"{name} needs {', '.join(missing)}")
    steps = [(f"{k}[1..{len(betas)}]", case[k][1:]) for k in ("beta", "alpha", "alpha_bar") if k in case]
    steps += [(k, case[k]) for k in entry.scope if k in case and k in needed and not isinstance(case[k], tuple)]
    steps += [(what, v) for what, v in intermediate(tree, case) if what not in dict(steps)]
    return Computed(name, steps or [(entry.answer, evaluate(tree, case))])


def _complete(entry, betas, given):
    """The case with what follows from the given numbers; any two of x_0, eps and x_t give the third."""
    bare, trio = replace(entry, derive=None), {"x_0", "eps", "x_t"}
    if betas and trio <= set(entry.scope) and "x_t" in given and len(trio & set(given)) == 2:
        x_t = given.pop("x_t")
        units = ({"x_0": Fraction(1), "eps": Fraction(0)}, {"x_0": Fraction(0), "eps": Fraction(1)})
        signal, noise = (make_case(bare, betas, **(given | unit))["x_t"] for unit in units)
        if "x_0" in given:
            given["eps"] = (x_t - signal * given["x_0"]) / noise
        else:
            given["x_0"] = (x_t - noise * given["eps"]) / signal
    case = make_case(bare, betas, **given) if betas else Case(given)
    with contextlib.suppress(AttributeError, KeyError):  # not all letters that others follow from were given
        case = Case((entry.derive(case) if entry.derive else {}) | case)
    return case
