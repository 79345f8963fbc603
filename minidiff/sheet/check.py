"""Is a student's own formula right? Verdicts, printable in a notebook.

Right means equal on N random schedules, to 1e-9 of the number, and says N. A case where either side is not finite is skipped,
and the verdict says so. Wrong comes with the smallest counterexample (few steps, round numbers, t >= 2) and what the oracle
measures there.
"""

import inspect
import math
import textwrap
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from . import find
from .entry import COARSE, LETTERS, Case, Letters, make_case, random_case, round_cases
from .language import ExpressionError, evaluate, parse, show, used
from .verdict import Verdict, number, written

N, ENOUGH = 200, 20  # random schedules; how many of them must give numbers on both sides
SLIPS = (  # mistakes in any formula: (right(k), the right answer at t + k -> what the mistake gives; what it is called)
    (lambda right: right(0) ** 2, "the square of the right answer: a variance where a standard deviation was asked for?"),
    (lambda right: right(0) ** 0.5, "the root of the right answer: a standard deviation where a variance was asked for?"),
    (lambda right: -right(0), "the right answer with the opposite sign"),
    (lambda right: 1 / right(0), "the right answer inverted"),
    (lambda right: right(0) / 2, "half of the right answer"),
    (lambda right: right(0) * 2, "twice the right answer"),
    (lambda right: right(-1), "the right answer for t - 1: an index is one step early"),
    (lambda right: right(1), "the right answer for t + 1: an index is one step late"),
)


class Version(NamedTuple):
    """A formula as somebody wrote it: value(case) -> its number, how it was read, and the letters in it."""

    value: Callable
    read: str
    letters: set


def version_of(formula, names, notation="ddpm"):
    """The Version of an expression, or of a Python function of the letters. names: a case, for the names in scope.

    Its value is nan where an index leaves its array. Raises ExpressionError for what cannot be understood.
    """
    if callable(formula):
        wanted = list(inspect.signature(formula).parameters)
        if unknown := [name for name in wanted if name not in names]:
            raise ExpressionError(f"unknown argument {unknown[0]!r}; the letters are {', '.join(names)}")
        return Version(lambda c: _call(formula, [c.floats()[name] for name in wanted]), formula.__name__, set(wanted))
    tree = parse(formula, names, notation)

    def value(c):
        try:
            return float(evaluate(tree, c, finite=True, work=1000))
        except ExpressionError as error:
            if "does not exist" in error.message:  # beta[t+1] at t = T
                return math.nan
            raise

    return Version(value, show(tree.root), used(tree.root))


def _call(f, arguments):
    """A student's function; what it raises is told in one line."""
    try:
        with np.errstate(all="ignore"):
            return float(f(*arguments))
    except ZeroDivisionError:
        return math.nan
    except Exception as error:
        raise ExpressionError(f"the function failed: {type(error).__name__}: {error}") from error


def measure(entry, case, rng):
    """(number, bound) by the entry's oracle."""
    with np.errstate(all="ignore"):
        found = entry.oracle(case.floats(), rng)
    value, bound = found if isinstance(found, tuple) else (found, entry.bound * max(1.0, abs(found)))
    return float(value), float(bound)


def close(a, b):
    """Equal to 1e-9 of the number: rounding on coarse schedules is a thousand times less, a mistake far more."""
    return math.isfinite(a) and math.isfinite(b) and abs(a - b) <= 1e-9 * max(abs(a), abs(b)) + 1e-12


def _finite(f, g, cases):
    """(case, f, g) of the cases in which both are finite."""
    values = ((c, f(c), g(c)) for c in cases)
    return ((c, a, b) for c, a, b in values if math.isfinite(a) and math.isfinite(b))


def _same(f, g, cases):
    """Equal wherever both are finite, and often enough to say so."""
    equal = 0
    for _, a, b in _finite(f, g, cases):
        if not close(a, b):
            return False
        equal += 1
    return equal >= ENOUGH


def _misconception(wrong, yours, right, cases):
    """The known mistake that gives the same numbers, in words, or an empty string."""
    for expression, why in wrong:
        if _same(yours, version_of(expression, cases[0]).value, cases):
            return why

    def of(slip):
        def value(c):
            try:
                y = slip(lambda k: right(Case(c | {"t": c["t"] + k, "s": c["s"] + k}) if k else c))
                return y if isinstance(y, float) else math.nan  # a root of a negative number is complex
            except (KeyError, ArithmeticError):
                return math.nan

        return value

    return next((f"your version is {why}" for slip, why in SLIPS if _same(yours, of(slip), cases)), "")


def _at_other_times(letters, case, yours, right):
    """Both at every t of a coarse schedule, with the counterexample's other numbers."""
    if not {"beta", "t"} <= set(letters.scope):
        return []
    kept, rows = {k: v for k, v in case.items() if letters.meaning(k)[0]}, []
    for t in range(1, len(COARSE) + 1):
        c = make_case(letters, COARSE, t, (0, 2, 3, 6), min(t, 3), **kept)
        rows.append({"t": t, "yours": yours(c), "right": right(c)})
    return rows


def _counterexample(f, g, cases):
    """The first case on which the two differ in four digits; else the first on which they differ at all, or None."""
    subtle = None
    for c, a, b in _finite(f, g, cases):
        if not close(a, b):
            if abs(a - b) > 1e-3 * max(abs(a), abs(b)):
                return c
            subtle = subtle or c
    return subtle


def _off(row):
    a, b = row["yours"], row["right"]
    if close(a, b):
        return "agrees"
    if not (math.isfinite(a) and math.isfinite(b)):
        return "not finite"
    if a * b <= 0:
        return f"{a:.4g}, not {b:.4g}"
    return f"{abs(a / b - 1):.2%} too {'large' if abs(a) > abs(b) else 'small'}"


def _judge(name, letters, yours, right, seed, other, wrong=()):
    """The Verdict on one Version against another. other(case) -> (the right number, the line that shows it)."""
    rng = np.random.default_rng([seed, 1])
    cases = [random_case(letters, rng) for _ in range(N)]
    finite = list(_finite(yours.value, right.value, cases))
    different = [c for c, a, b in finite if not close(a, b)]
    equal, skipped = len(finite) - len(different), N - len(finite)
    data = {"name": name, "status": "wrong", "read": yours.read}
    data |= {"equal": equal, "skipped": skipped, "different": len(different)}
    many = "random schedules" if "beta" in letters.scope else "random sets of numbers"
    if not different and equal >= ENOUGH:
        kept = {id(c) for c, _, _ in finite}
        times = {c["t"] for c in cases if "t" in c and id(c) not in kept}
        where = f" (t = {', '.join(map(str, sorted(times)))})" if 0 < len(times) <= 2 else ""
        note = f"; {skipped} more{where} skipped, where a side is not finite" if skipped else ""
        return Verdict("right", f"right: equal on {equal} {many}{note}", data | {"status": "right"})
    if not different:
        return Verdict("wrong", f"wrong: finite on only {equal} of {N} {many}", data)
    case = _counterexample(yours.value, right.value, round_cases(letters)) or different[0]
    both, a, (b, origin) = yours.letters | right.letters, yours.value(case), other(case)
    lines = ["wrong", f"  counterexample  {written(case, both)}", f"  yours           {a:.6g}    read as {yours.read}", origin]
    rows = []
    if both & {"t", "s", "beta", "alpha", "alpha_bar", "x_t", "x_0_hat"}:
        rows = _at_other_times(letters, case, yours.value, right.value)
    if rows:
        lines.append(f"  at other t      with beta_1..beta_{len(COARSE)} = {number(COARSE)}:")
        lines.append(textwrap.indent(textwrap.fill("; ".join(f"t = {r['t']}: {_off(r)}" for r in rows), 82), " " * 18))
    elif equal:
        lines.append(f"  equal on {equal} of {N} {many}")
    if why := _misconception(wrong, yours.value, right.value, cases):
        lines.append(f"  why             {why}")
    data |= {"counterexample": {k: number(v) for k, v in case.items()}, "misconception": why}
    return Verdict("wrong", "\n".join(lines), data | {"yours": a, "measured": b, "times": rows})


def _not_understood(error):
    return Verdict("not understood", str(error), {"message": error.message, "position": error.position})


def check(name, formula, notation="ddpm", seed=0):
    """The Verdict on a student's own version of an entry: an expression, or a Python function of the entry's letters.

    notation: whose letters were typed (ddpm, ddim, prince). Raises ValueError for a name that is not on the sheet or a
    notation that is not known.
    """
    entry = find(name)
    if entry.answer is None:
        return Verdict("not understood", f"{name} is a statement, there is no expression to compare with: {entry.title}")

    def measured(case):
        found, _ = measure(entry, case, np.random.default_rng([seed, 2]))
        return found, f"  measured        {found:.6g}    by {entry.measured}"

    names = next(round_cases(entry))
    try:
        yours, right = version_of(formula, names, notation), version_of(entry.answer, names)
        return _judge(entry.name, entry, yours, right, seed, measured, entry.wrong)
    except ExpressionError as error:
        return _not_understood(error)


def equal(left, right, notation="ddpm", seed=0):
    """The Verdict on two lines of a derivation: are they equal? All letters of the sheet are in scope."""
    letters = Letters(letters=" ".join(k for k in LETTERS if k not in ("alpha", "alpha_bar", "T")))  # these come with beta
    names = next(round_cases(letters))

    def other(case):
        return right.value(case), f"  the other line  {right.value(case):.6g}    read as {right.read}"

    try:
        left, right = version_of(left, names, notation), version_of(right, names, notation)
        return _judge("equal", letters, left, right, seed, other)
    except ExpressionError as error:
        return _not_understood(error)
