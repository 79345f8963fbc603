"""Is a student's own formula right? Verdicts, printable in a notebook.

Right means equal on N random schedules, and says N: exactly, where no root or the like is drawn, else within the bound of the
rounding that evaluate keeps. A case is skipped only where the right answer is no finite number, and the verdict says so. Wrong
comes with the smallest counterexample (few steps, round numbers, t >= 2) and what the oracle measures there.
"""

import inspect
import math
import textwrap
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from . import SHEET, find
from .entry import COARSE, LETTERS, Case, Letters, make_case, random_case, round_cases
from .language import ExpressionError, Near, Node, Tree, evaluate, parse, show, used
from .verdict import Verdict, number, written

N, ENOUGH = 200, 20  # random schedules; how many of them must give numbers on both sides
MISTAKE = 1e-9  # the smallest relative mistake that is told from rounding
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
    """A formula as somebody wrote it: real(case) -> its number (nan outside an array), how it was read, its letters.

    tree is None for a Python function.
    """

    real: Callable
    read: str
    letters: set
    tree: Tree | None = None

    def value(self, case):
        """The number as a float."""
        return float(self.real(case))


def version_of(formula, names, notation="ddpm", letters=None):
    """The Version of an expression, or of a Python function of the letters. names: a case, for the names in scope.

    letters: those of the entry, which say what its networks are asked. Raises ExpressionError for what cannot be understood.
    """
    if callable(formula):
        return _function(formula, names)
    if not isinstance(formula, str):
        raise ExpressionError(f"a formula is an expression or a function of the letters, got {formula!r}")
    tree = parse(formula, names, notation, letters.networks if letters else None)
    around = letters.around if letters and _networks(tree.root) else lambda case: case

    def real(case):
        try:
            return evaluate(tree, around(case), work=1000)
        except ExpressionError as error:
            if "indices are" in error.message:  # beta[t+1] at t = T
                return Near(math.nan, 0.0)
            raise

    return Version(real, show(tree.root), used(tree.root), tree)


def _function(f, names):
    """The Version of a Python function. Its operations cannot be counted: a fifth of a MISTAKE counts as rounding."""
    try:
        wanted = list(inspect.signature(f).parameters)
    except ValueError:
        raise ExpressionError(f"the arguments of {f.__name__} have no names; give a function of the letters") from None
    if unknown := [name for name in wanted if name not in names]:
        raise ExpressionError(f"unknown argument {unknown[0]!r}; the letters are {', '.join(names)}")

    def real(case):
        y = _call(f, [case.floats()[name] for name in wanted])
        return Near(y, MISTAKE / 5 * abs(y) + 1e-13)

    return Version(real, getattr(f, "__name__", "a function"), set(wanted))


def _networks(node):
    """The Nodes of networks that are asked somewhere."""
    return ([node] if node.op == "asked" else []) + [n for a in node.args if isinstance(a, Node) for n in _networks(a)]


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
    """Equal to MISTAKE of the number."""
    return math.isfinite(a) and math.isfinite(b) and abs(a - b) <= MISTAKE * max(abs(a), abs(b)) + 1e-12


def agree(a, b):
    """Whether two numbers are equal as far as rounding lets one see: exact ones exactly, floats within their errors."""
    off = a - b
    return abs(off) <= (off.error if isinstance(off, Near) else 0)


def sees(a, b):
    """Whether rounding leaves a MISTAKE to be seen in the numbers."""
    off = a - b
    return not isinstance(off, Near) or off.error <= MISTAKE / 2 * abs(b)


def _same(f, g, cases):
    """Equal wherever both are finite, and often enough to say so."""
    values = [(a, b) for a, b in ((f(c), g(c)) for c in cases) if math.isfinite(a) and math.isfinite(b)]
    return len(values) >= ENOUGH and all(close(a, b) for a, b in values)


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
    for c in cases:
        a, b = f(c), g(c)
        if math.isfinite(b) and not agree(a, b):
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


def _judge(name, letters, yours, right, seed, other, wrong=(), both=False):
    """The Verdict on one Version against another. other(case) -> (the right number, the line that shows it).

    both: a case is skipped only where neither side is finite; else where the right one is not.
    """
    rng, different, skipped, seen = np.random.default_rng([seed, 1]), [], [], 0
    cases = [random_case(letters, rng) for _ in range(N)]
    for c in cases:
        a, b = yours.real(c), right.real(c)
        if not math.isfinite(b) and not (both and math.isfinite(a)):
            skipped.append(c)
        elif not agree(a, b):
            different.append(c)
        else:
            seen += sees(a, b)
    equal = N - len(different) - len(skipped)
    data = {"name": name, "status": "wrong", "read": yours.read}
    data |= {"equal": equal, "skipped": len(skipped), "different": len(different)}
    many, read = "random schedules" if "beta" in letters.scope else "random sets of numbers", f"read as {yours.read}"
    if different and yours.tree and yours.tree.indirect:
        text = f"the right side is not what is asked for; is it for {yours.tree.left}? Give what the one letter is\n  {read}"
        return Verdict("not understood", text, data | {"status": "not understood", "message": text})
    if different:
        case = _counterexample(yours.real, right.real, round_cases(letters)) or different[0]
        return _refuted(letters, yours, right, case, other(case), cases, wrong, data, f"equal on {equal} of {N} {many}")
    if equal < ENOUGH:
        return Verdict("wrong", f"wrong: finite on only {equal} of {N} {many}\n  {read}", data)
    if seen < equal / 2:
        text = f"rounding in your formula hides relative mistakes of {MISTAKE:g}; subtract large numbers by hand\n  {read}"
        return Verdict("not understood", text, data | {"status": "not understood", "message": text})
    times = {c["t"] for c in skipped if "t" in c}
    where = f" (t = {', '.join(map(str, sorted(times)))})" if 0 < len(times) <= 2 else ""
    note = f"; {len(skipped)} more{where} skipped, where the right answer is not finite" if skipped else ""
    return Verdict("right", f"right: equal on {equal} {many}{note}\n  {read}", data | {"status": "right"})


def _refuted(letters, yours, right, case, found, cases, wrong, data, often):
    """The Verdict wrong, with its counterexample. found: (the right number, the line that shows it); often: equal on how many."""
    both, a, (b, origin), rows = yours.letters | right.letters, yours.value(case), found, []
    shown = f"{a:.6g}" if math.isfinite(a) else _missing(yours.tree, case) or f"{a}, which is no number"
    lines = ["wrong", f"  counterexample  {written(case, both)}", f"  yours           {shown}    read as {yours.read}", origin]
    if both & {"t", "s", "beta", "alpha", "alpha_bar", "x_t", "x_0_hat"}:
        rows = _at_other_times(letters, case, yours.value, right.value)
    if rows:
        lines.append(f"  at other t      with beta_1..beta_{len(COARSE)} = {number(COARSE)}:")
        lines.append(textwrap.indent(textwrap.fill("; ".join(f"t = {r['t']}: {_off(r)}" for r in rows), 82), " " * 18))
    elif data["equal"]:
        lines.append(f"  {often}")
    if why := _asked_elsewhere(letters, yours.tree, cases) or _misconception(wrong, yours.value, right.value, cases):
        lines.append(f"  why             {why}")
    data |= {"counterexample": {k: number(v) for k, v in case.items()}, "misconception": why}
    return Verdict("wrong", "\n".join(lines), data | {"yours": a, "measured": b, "times": rows})


def _missing(tree, case):
    """Which index leaves its array, in words, or an empty string."""
    try:
        return tree and evaluate(tree, case) * 0 and ""
    except ExpressionError as error:
        return error.message


def _asked_elsewhere(letters, tree, cases):
    """Where a network is asked that it is not given there, in words, or an empty string."""
    for node in _networks(tree.root) if tree else ():
        name, *pairs = node.args
        for asked, given in zip(pairs[::2], pairs[1::2]):
            at = [[evaluate(Tree("", n), letters.around(c)) for n in (asked, given)] for c in cases[:ENOUGH] if asked]
            if not all(agree(*both) for both in at):
                return f"{name} is asked at {show(asked)}; it is given {show(given)}"
    return ""


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
        yours, right = version_of(formula, names, notation, entry), version_of(entry.answer, names)
        verdict = _judge(entry.name, entry, yours, right, seed, measured, entry.wrong)
        return _circle(entry, yours, verdict) if verdict else verdict
    except ExpressionError as error:
        return _not_understood(error)


def _circle(entry, yours, verdict):
    """A right Verdict, unless the formula uses what it should explain, or goes round what the entry is about."""
    uses, needs = yours.letters & set(entry.explains.split()), set(entry.needs.split()) - yours.letters
    why = f"uses {', '.join(uses)}, which it should explain" if uses else needs and f"does not use {', '.join(needs)}"
    if not why:
        return verdict
    text = f"wrong: its numbers are right, but it {why} ({entry.title})\n  read as {yours.read}"
    return Verdict("wrong", text, verdict.data | {"status": "wrong", "misconception": why})


def _all_letters():
    """The letters of all entries: one that has two meanings has the sheet's, or the commoner one's kind."""
    known = {k: Counter(f.own[k] for f in SHEET if k in f.own).most_common(1)[0][0] for f in SHEET for k in f.own}
    known = {k: about for k, about in known.items() if k not in LETTERS}
    names = [k for k in LETTERS if k not in ("alpha", "alpha_bar", "T")]  # these come with beta
    return Letters(letters=" ".join([*names, *known]), own=known)


def equal(left, right, notation="ddpm", seed=0):
    """The Verdict on two lines of a derivation: are they equal? All letters of the sheet are in scope."""
    letters = _all_letters()
    names = next(round_cases(letters))

    def other(case):
        return right.value(case), f"  the other line  {right.value(case):.6g}    read as {right.read}"

    try:
        left, right = (version_of(side, names, notation, letters) for side in (left, right))
        return _judge("equal", letters, left, right, seed, other, both=True)
    except ExpressionError as error:
        return _not_understood(error)
