"""Is a student's own formula right? Verdicts, printable in a notebook.

Right means equal on N random schedules, to 1e-9 of the number, and says N. A case where either side is not finite is skipped
and said so. Wrong comes with the smallest counterexample: few steps, round numbers, t >= 2, measured by the entry's oracle.
"""

import inspect
import math
import textwrap

import numpy as np

from ..cli.names import pick
from . import find
from .entry import COARSE, LETTERS, Case, Formula, make_case, random_case, round_cases
from .language import NOTATIONS, ExpressionError, evaluate, parse, show, used
from .verdict import Verdict, number, written

N, ENOUGH = 200, 20  # random schedules; how many of them must give numbers on both sides
SLIPS = (  # of any formula: (right answer at t + k -> what the slip gives, what it is called)
    (lambda right: right(0) ** 2, "the square of the right answer: a variance where a standard deviation was asked for?"),
    (lambda right: right(0) ** 0.5, "the root of the right answer: a standard deviation where a variance was asked for?"),
    (lambda right: -right(0), "the right answer with the opposite sign"),
    (lambda right: 1 / right(0), "the right answer inverted"),
    (lambda right: right(0) / 2, "half of the right answer"),
    (lambda right: right(0) * 2, "twice the right answer"),
    (lambda right: right(-1), "the right answer for t - 1: an index is one step early"),
    (lambda right: right(1), "the right answer for t + 1: an index is one step late"),
)


def close(a, b):
    """Equal to 1e-9 of the number: rounding on coarse schedules stays a thousand times below, a slip is far above."""
    return math.isfinite(a) and math.isfinite(b) and abs(a - b) <= 1e-9 * max(abs(a), abs(b)) + 1e-12


def answer_of(text, names, notation="ddpm"):
    """(case -> number, how it was read, its letters) of an expression or of a Python function of the letters.

    The number is nan where an index leaves its array.
    """
    if callable(text):
        wanted = list(inspect.signature(text).parameters)
        if unknown := [name for name in wanted if name not in names]:
            raise ExpressionError(f"unknown argument {unknown[0]!r}; the letters are {', '.join(names)}")
        return (lambda c: _call(text, [c.floats()[name] for name in wanted])), text.__name__, set(wanted)
    tree = parse(text, names, notation)

    def value(c):
        try:
            return float(evaluate(tree, c, finite=True, work=1000))
        except ExpressionError as error:
            if "does not exist" in error.message:  # beta[t+1] at t = T
                return math.nan
            raise

    return value, show(tree.root), used(tree.root)


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


def _compare(yours, right, cases):
    """The cases on which both are equal, those on which a side is not finite, and those on which they differ."""
    equal, skipped, different = [], [], []
    for c in cases:
        a, b = yours(c), right(c)
        (equal if close(a, b) else different if math.isfinite(a) and math.isfinite(b) else skipped).append(c)
    return equal, skipped, different


def _same(yours, right, cases):
    """Equal wherever both are finite, and often enough to say so."""
    equal = 0
    for c in cases:
        a, b = yours(c), right(c)
        if math.isfinite(a) and math.isfinite(b):
            if not close(a, b):
                return False
            equal += 1
    return equal >= ENOUGH


def _misconception(entry, yours, right, cases):
    """The known slip that gives the same numbers, in words, or an empty string."""
    for version, why in entry.wrong:
        if _same(yours, answer_of(version, cases[0])[0], cases):
            return why

    def slip(f):
        def value(c):
            try:
                y = f(lambda k: right(Case(c | {"t": c["t"] + k, "s": c["s"] + k}) if k else c))
                return y if isinstance(y, float) else math.nan  # a root of a negative number is complex
            except (KeyError, ArithmeticError):
                return math.nan

        return value

    return next((f"your version is {why}" for f, why in SLIPS if _same(yours, slip(f), cases)), "")


def _other_times(entry, case, yours, right):
    """How far yours is off at every t of a coarse schedule, with the counterexample's other numbers."""
    names = entry.scope
    if "beta" not in names or "t" not in names:
        return []
    kept = {k: v for k, v in case.items() if entry.meaning(k)[0]}
    rows = []
    for t in range(1, len(COARSE) + 1):
        c = make_case(entry, COARSE, t, (0, 2, 3, 6), min(t, 3), **kept)
        rows.append({"t": t, "yours": yours(c), "right": right(c)})
    return rows


def _smallest(f, g, cases):
    """The first case on which the two differ visibly, in four digits; else the first on which they differ."""
    subtle = None
    for c in cases:
        a, b = f(c), g(c)
        if math.isfinite(a) and math.isfinite(b) and not close(a, b):
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


def _judge(entry, yours, right, seed):
    """The Verdict on yours against right, each (case -> number, how it reads, its letters)."""
    (f, reads, letters), (g, other, more) = yours, right
    cases = [random_case(entry, rng) for rng in [np.random.default_rng([seed, 1])] for _ in range(N)]
    equal, skipped, different = _compare(f, g, cases)
    times = sorted({c["t"] for c in skipped if "t" in c})
    where = f" (t = {', '.join(map(str, times))})" if 0 < len(times) <= 2 and "t" in entry.scope else ""
    note = f"; {len(skipped)} more{where} skipped, where a side is not finite" if skipped else ""
    data = {"name": entry.name, "read": reads, "equal": len(equal), "skipped": len(skipped), "different": len(different)}
    many = "random schedules" if "beta" in entry.scope else "random sets of numbers"
    if not different and len(equal) >= ENOUGH:
        return Verdict("right", f"right: equal on {len(equal)} {many}{note}", {**data, "status": "right"})
    if not different:
        return Verdict("wrong", f"wrong: finite on only {len(equal)} of {N} {many}", {**data, "status": "wrong"})
    case = _smallest(f, g, round_cases(entry)) or different[0]
    a, b = f(case), g(case)
    lines = ["wrong", f"  counterexample  {written(case, letters | more)}", f"  yours           {a:.6g}    read as {reads}"]
    if entry.oracle:
        b, _ = measure(entry, case, np.random.default_rng([seed, 2]))
        lines.append(f"  measured        {b:.6g}    by {entry.measured}")
    else:
        lines.append(f"  the other line  {b:.6g}    read as {other}")
    timed = (letters | more) & {"t", "s", "beta", "alpha", "alpha_bar", "x_t", "x_0_hat"}
    rows = _other_times(entry, case, f, g) if timed else []
    if rows:
        lines.append(f"  at other t      with beta_1..beta_{len(COARSE)} = {number(COARSE)}:")
        lines += textwrap.wrap("; ".join(f"t = {r['t']}: {_off(r)}" for r in rows), 100, initial_indent=" " * 18,
                               subsequent_indent=" " * 18)  # fmt: skip
    elif equal:
        lines.append(f"  equal on {len(equal)} of {N} {many}")
    if why := _misconception(entry, f, g, cases):
        lines.append(f"  why             {why}")
    data |= {"status": "wrong", "counterexample": {k: number(v) for k, v in case.items()}, "misconception": why}
    data |= {"yours": a, "measured": b, "times": rows}
    return Verdict("wrong", "\n".join(lines), data)


def _verdict(entry, yours, right, notation, theirs, seed):
    """What _judge says; what cannot be understood is a verdict as well. theirs: the notation of `right`."""
    pick("notation", NOTATIONS, notation)
    names = next(round_cases(entry))
    try:
        return _judge(entry, answer_of(yours, names, notation), answer_of(right, names, theirs), seed)
    except ExpressionError as error:
        data = {"status": "not understood", "message": error.message, "position": error.position}
        return Verdict("not understood", str(error), data)


def check(name, expression, notation="ddpm", seed=0):
    """Judges a student's own version of an entry: an expression, or a function of the entry's letters. Answers a Verdict.

    notation: whose letters were typed (ddpm, ddim, prince). Raises ValueError for a name that is not on the sheet or a
    notation that is not known.
    """
    entry = find(name)
    if entry.answer is None:
        return Verdict("not understood", f"{name} is a statement, there is no expression to compare with: {entry.title}")
    return _verdict(entry, expression, entry.answer, notation, "ddpm", seed)


def equal(left, right, notation="ddpm", seed=0):
    """Are two lines of a derivation equal? Answers a Verdict; all letters of the sheet are in scope."""
    letters = " ".join(n for n in LETTERS if n not in ("alpha", "alpha_bar", "T"))
    return _verdict(Formula("equal", 0, 0, "", "", "", letters, None, ""), left, right, notation, notation, seed)
