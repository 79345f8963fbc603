"""A formula as somebody wrote it, an expression or a function; numbers are compared as exactly as they are known."""

import inspect
import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from .entry import Case
from .language import ExpressionError, Near, Node, Tree, evaluate, parse, show, used

OUTSIDE = "indices are 0.."  # what evaluate says where a whole number leaves its array
MISTAKE = 1e-9  # the smallest relative mistake that is told from rounding


def agree(a, b):
    """Whether two numbers are equal as far as rounding lets one see: exact ones exactly, floats within their errors."""
    off = a - b
    return abs(off) <= (off.error if isinstance(off, Near) else 0)


def sees(a, b):
    """Whether rounding leaves a MISTAKE to be seen in the numbers."""
    off = a - b
    return not isinstance(off, Near) or off.error <= MISTAKE / 2 * abs(b)


class Version(NamedTuple):
    """A formula as somebody wrote it: number(case), which may raise ExpressionError, how it was read, its letters.

    networks are the Nodes of those that are asked somewhere, left is what stood before = where that is no single letter: 1/v.
    """

    number: Callable
    read: str
    letters: set
    networks: tuple = ()
    left: str = ""

    def real(self, case):
        """The number, exact or with its error; nan outside an array, as beta[t+1] at t = T."""
        try:
            return self.number(case)
        except ExpressionError as error:
            if OUTSIDE in error.message:
                return Near(math.nan, 0.0)
            raise

    def value(self, case):
        """The number as a float."""
        return float(self.real(case))

    def outside(self, case):
        """Which index leaves its array there, in words, or an empty string."""
        try:
            self.number(case)
        except ExpressionError as error:
            return error.message
        return ""

    def depends_on(self, letter, cases):
        """Whether another number for the letter gives another number somewhere: not so with 0*score."""
        both = ((self.real(c), self.real(Case(c | {letter: c[letter] + 1}))) for c in cases)
        return any(math.isfinite(a) and not agree(a, b) for a, b in both)

    def asked_elsewhere(self, letters, cases):
        """Where a network is asked that it is not given there, in words, or an empty string."""
        for name, *pairs in (node.args for node in self.networks):
            for asked, given in zip(pairs[::2], pairs[1::2]):
                sides = (
                    [evaluate(Tree("", n), letters.around(c)) for n in (asked, given)] for c in cases if asked
                )
                if not all(agree(*both) for both in sides):
                    return f"{name} is asked at {show(asked)}; it is given {show(given)}"
        return ""


def version_of(formula, names, notation="ddpm", letters=None):
    """The Version of an expression, or of a Python function of the letters. names: a case, for the names in scope.

    letters: those of the entry, which say what its networks are asked. Raises ExpressionError for what cannot be understood.
    """
    if callable(formula):
        return _function(formula, names)
    if not isinstance(formula, str):
        raise ExpressionError(f"a formula is an expression or a function of the letters, got {formula!r}")
    tree = parse(formula, names, notation, letters.networks if letters else None)
    networks = _networks(tree.root) if letters else ()
    around = letters.around if networks else lambda case: case
    read = show(tree.root) + (f"    (without {tree.left} =)" if tree.left else "")
    left = tree.left if tree.indirect else ""
    return Version(lambda c: evaluate(tree, around(c), work=1000), read, used(tree.root), networks, left)


def _function(f, names):
    """The Version of a Python function. Its operations cannot be counted: a fifth of a MISTAKE counts as rounding."""
    name = f.__name__ if inspect.isroutine(f) else type(f).__name__
    try:
        wanted = list(inspect.signature(f).parameters)
    except ValueError:
        raise ExpressionError(
            f"the arguments of {name} have no names; give a function of the letters"
        ) from None
    if unknown := [name for name in wanted if name not in names]:
        raise ExpressionError(f"unknown argument {unknown[0]!r}; the letters are {', '.join(names)}")

    def number(case):
        given = case.floats()
        y = _call(f, [given[name] for name in wanted])
        return Near(y, MISTAKE / 5 * abs(y) + 1e-13)

    return Version(number, name, set(wanted))


def _networks(node):
    """The Nodes of networks that are asked somewhere."""
    return ([node] if node.op == "asked" else []) + [
        n for a in node.args if isinstance(a, Node) for n in _networks(a)
    ]


def _call(f, arguments):
    """A student's function; what it raises is told in one line."""
    try:
        with np.errstate(all="ignore"):
            return float(f(*arguments))
    except ZeroDivisionError:
        return math.nan
    except Exception as error:
        raise ExpressionError(f"the function failed: {type(error).__name__}: {error}") from error
