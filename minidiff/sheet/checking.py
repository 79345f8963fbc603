"""Is a student's own formula right? Verdicts, printable in a notebook.

Right means equal on N random schedules, and says N: exactly, where no root or the like is drawn, else within the bound of the
rounding that evaluate keeps. A case is skipped only where the right answer is no finite number, and the verdict says so. Wrong
comes with the smallest counterexample (few steps, round numbers, t >= 2) and what the oracle measures there.
"""

import functools
import math
import textwrap
from collections import Counter

import numpy as np

from . import SHEET, find
from .entry import COARSE, LETTERS, Case, Letters, make_case, random_case, round_cases
from .language import ExpressionError
from .verdict import Verdict, number, written
from .version import MISTAKE, agree, sees, version_of

N, ENOUGH = 200, 20  # random schedules; how many of them must give numbers on both sides
SLIPS = (  # mistakes in any formula: (right(k), the right answer at t + k -> what the mistake gives; what it is called)
    (
        lambda right: right(0) ** 2,
        "the square of the right answer: a variance where a standard deviation was asked for?",
    ),
    (
        lambda right: right(0) ** 0.5,
        "the root of the right answer: a standard deviation where a variance was asked for?",
    ),
    (lambda right: -right(0), "the right answer with the opposite sign"),
    (lambda right: 1 / right(0), "the right answer inverted"),
    (lambda right: right(0) / 2, "half of the right answer"),
    (lambda right: right(0) * 2, "twice the right answer"),
    (lambda right: right(-1), "the right answer for t - 1: an index is one step early"),
    (lambda right: right(1), "the right answer for t + 1: an index is one step late"),
)


def measure(entry, case, rng):
    """(number, bound) by the entry's oracle."""
    with np.errstate(all="ignore"):
        found = entry.oracle(case.floats(), rng)
    value, bound = found if isinstance(found, tuple) else (found, entry.bound * max(1.0, abs(found)))
    return float(value), float(bound)


def close(a, b):
    """Equal to MISTAKE of the number."""
    return math.isfinite(a) and math.isfinite(b) and abs(a - b) <= MISTAKE * max(abs(a), abs(b)) + 1e-12


def _same(numbers, g, cases):
    """Equal wherever g is finite, and often enough to say so."""
    often = 0
    for a, c in zip(numbers, cases):
        if math.isfinite(b := g(c)):
            if not close(a, b):
                return False
            often += 1
    return often >= ENOUGH


def _misconception(wrong, yours, right, cases):
    """The known mistake that gives the same numbers, in words, or an empty string."""
    numbers, timed = [yours(c) for c in cases], right.letters & {"t", "s"}
    for expression, why in wrong:
        if _same(numbers, version_of(expression, cases[0]).value, cases):
            return why

    def slipped(slip, c):
        try:
            y = slip(lambda k: right.value(Case(c | {"t": c["t"] + k, "s": c["s"] + k}) if k else c))
            return y if isinstance(y, float) else math.nan  # a root of a negative number is complex
        except (KeyError, ArithmeticError):
            return math.nan

    like = (
        why
        for slip, why in SLIPS[: None if timed else -2]
        if _same(numbers, functools.partial(slipped, slip), cases)
    )
    return next((f"your version is {why}" for why in like), "")


def _at_other_times(letters, case, yours, right):
    """Both at every t of a coarse schedule, with the counterexample's other numbers."""
    if not {"beta", "t"} <= set(letters.scope):
        return []
    kept = {k: v for k, v in case.items() if letters.meaning(k)[0]}
    cases = [
        make_case(letters, COARSE, t, (0, 2, 3, 6), min(t, 3), **kept) for t in range(1, len(COARSE) + 1)
    ]
    return [{"t": c["t"], "yours": yours(c), "right": right(c)} for c in cases]


def _counterexample(f, g, cases, both=False):
    """The first case on which the two differ in four digits; else the first on which they differ at all, or None."""
    subtle = None
    for c in cases:
        a, b = f(c), g(c)
        if (math.isfinite(b) or (both and math.isfinite(a))) and not agree(a, b):
            if abs(a - b) > 1e-3 * max(abs(a), abs(b)):
                return c
            subtle = subtle or c
    return subtle


def _off(row):
    a, b = row["yours"], row["right"]
    if abs(a - b) <= 1e-11 * abs(b):
        return "agrees"
    if not (math.isfinite(a) and math.isfinite(b)):
        return "not finite"
    if a * b <= 0:
        return f"{a:.4g}, not {b:.4g}"
    return f"{abs(a / b - 1):.{2 if abs(a / b - 1) > 1e-4 else 8}%} too {'large' if abs(a) > abs(b) else 'small'}"


@functools.lru_cache(8)
def _drawn(letters, seed):
    """The N random cases."""
    rng = np.random.default_rng([seed, 1])
    return [random_case(letters, rng) for _ in range(N)]


def _judge(name, letters, yours, right, seed, other, wrong=(), both=False):
    """The Verdict on one Version against another. other(case) -> (the right number, the line that shows it).

    both: a case is skipped only where neither side is finite; else where the right one is not.
    """
    different, skipped, seen, cases = [], [], 0, _drawn(letters, seed)
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
    many, read = (
        "random schedules" if "beta" in letters.scope else "random sets of numbers",
        f"read as {yours.read}",
    )
    if different and yours.left:
        text = (
            f"left of = stands {yours.left}: is that what is asked for? Give what the one letter is\n  {read}"
        )
        return Verdict("not understood", text, data | {"status": "not understood", "message": text})
    if different:
        case = _counterexample(yours.real, right.real, round_cases(letters), both) or different[0]
        why = yours.asked_elsewhere(letters, cases[:ENOUGH]) or _gap(yours, different, equal, many)
        why = why or (both and _gap(right, different, equal, many, written(case, right.letters)))
        data["misconception"] = why = why or _misconception(wrong, yours.value, right, cases)
        return _refuted(
            letters, yours, right, case, other(case), why, data, f"equal on {equal} of {N} {many}"
        )
    if equal < ENOUGH:
        return Verdict("wrong", f"wrong: finite on only {equal} of {N} {many}\n  {read}", data)
    if seen < ENOUGH:
        text = f"rounding in your formula hides relative mistakes of {MISTAKE:g}; subtract large numbers by hand\n  {read}"
        return Verdict("not understood", text, data | {"status": "not understood", "message": text})
    note = (
        f"; {len(skipped)} more{_times(skipped)} skipped, where the right answer is not finite"
        if skipped
        else ""
    )
    return Verdict("right", f"right: equal on {equal} {many}{note}\n  {read}", data | {"status": "right"})


def _times(cases):
    """(t = 1), where these are all the times of the cases; an empty string where there are many."""
    times = sorted({c["t"] for c in cases if "t" in c})
    return f" (t = {', '.join(map(str, times))})" if 0 < len(times) <= 2 else ""


def _gap(version, different, equal, many, at=""):
    """Where one of two formulas, equal elsewhere, gives no number, in words or "". at: such a place, for the other line."""
    found = version.value(different[0])
    if (
        equal < ENOUGH
        or version.outside(different[0])
        or any(math.isfinite(version.value(c)) for c in different)
    ):
        return ""
    if at:
        return f"equal wherever both are numbers ({equal} of {N}); elsewhere `{version.read}` is {found} (e.g. at {at})"
    like = "0/0, or the root or logarithm of a negative number" if math.isnan(found) else "1/0, or too large"
    agrees = f"it agrees wherever it is finite, on {equal} of {N} {many}"
    return f"{agrees}; elsewhere{_times(different)} it is {found} ({like}) and a number is expected"


def _refuted(letters, yours, right, case, found, why, data, often):
    """The Verdict wrong, with its counterexample. found: (right number, the line that shows it); often: equal on how many."""
    both, a, (b, origin), rows = yours.letters | right.letters, yours.value(case), found, []
    shown = f"{a:.6g}" if math.isfinite(a) else yours.outside(case) or f"{a}, which is no number"
    lines = [
        "wrong",
        f"  counterexample  {written(case, both)}",
        f"  yours           {shown}    read as {yours.read}",
        origin,
    ]
    if both & {"t", "s", "beta", "alpha", "alpha_bar", "x_t", "x_0_hat"}:
        rows = _at_other_times(letters, case, yours.value, right.value)
    if 0 < (off := abs(1 - a / (right.value(case) or math.nan))) < 1e-5:
        lines.append(f"  off by          {off:.1e} of the number, which is more than rounding")
    if rows:
        lines.append(f"  at other t      with beta_1..beta_{len(COARSE)} = {number(COARSE)}:")
        lines.append(
            textwrap.indent(textwrap.fill("; ".join(f"t = {r['t']}: {_off(r)}" for r in rows), 82), " " * 18)
        )
    elif data["equal"]:
        lines.append(f"  {often}")
    lines += [f"  why             {why}"] if why else []
    data |= {
        "counterexample": {k: number(v) for k, v in case.items()},
        "yours": a,
        "measured": b,
        "times": rows,
    }
    return Verdict("wrong", "\n".join(lines), data)


def _not_understood(error):
    return Verdict("not understood", str(error), {"message": error.message, "position": error.position})


def check(name, formula, notation="ddpm", seed=0):
    """The Verdict on a student's own version of an entry: an expression, or a Python function of the entry's letters.

    notation: whose letters were typed (ddpm, ddim, prince). Raises ValueError for a name that is not on the sheet or a
    notation that is not known.
    """
    entry = find(name)
    if entry.answer is None:
        return Verdict(
            "not understood", f"{name} is a statement, there is no expression to compare with: {entry.title}"
        )

    def measured(case):
        found, _ = measure(entry, case, np.random.default_rng([seed, 2]))
        return found, f"  measured        {found:.6g}    by {entry.measured}"

    names = next(round_cases(entry))
    try:
        yours, right = version_of(formula, names, notation, entry), version_of(entry.answer, names)
        verdict = _judge(entry.name, entry, yours, right, seed, measured, entry.wrong)
        return _circle(entry, yours, verdict, _drawn(entry, seed)[:ENOUGH]) if verdict else verdict
    except ExpressionError as error:
        return _not_understood(error)


def _circle(entry, yours, verdict, cases):
    """A right Verdict, unless the formula uses what it should explain, or goes round what the entry is about."""
    uses = yours.letters & set(entry.explains.split())
    needs = [k for k in entry.needs.split() if not yours.depends_on(k, cases)]
    why = (
        f"uses {', '.join(uses)}, which it should explain"
        if uses
        else needs and f"does not use {', '.join(needs)}"
    )
    if not why:
        return verdict
    text = f"wrong: its numbers are right, but it {why} ({entry.title})\n  read as {yours.read}"
    return Verdict("wrong", text, verdict.data | {"status": "wrong", "misconception": why})


@functools.cache
def _all_letters():
    """The letters of all entries: one that has two meanings has the sheet's, or the commoner one's kind."""
    meant = Counter((k, about) for f in SHEET for k, about in f.own.items() if k not in LETTERS)
    known = dict(about for about, _ in reversed(meant.most_common()))
    names = [k for k in LETTERS if k not in ("alpha", "alpha_bar", "T")]  # these come with beta
    return Letters(letters=" ".join([*names, *known]), own=known)


def equal(left, right, notation="ddpm", seed=0):
    """The Verdict on two lines of a derivation: are they equal? All letters of the sheet are in scope."""
    names = next(round_cases(letters := _all_letters()))

    def other(case):
        return right.value(case), f"  the other line  {right.value(case):.6g}    read as {right.read}"

    try:
        left, right = (version_of(side, names, notation, letters) for side in (left, right))
        return _judge("equal", letters, left, right, seed, other, both=True)
    except ExpressionError as error:
        return _not_understood(error)
