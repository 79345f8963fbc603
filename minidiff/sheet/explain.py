"""All that is known of an entry, in words and as curves: what `minidiff show` prints and draws."""

import inspect
import math
from pathlib import Path

import numpy as np

from .check import answer_of, measure
from .entry import COUNT, make_case, round_cases
from .verdict import written
from .verify import library

BETAS = (0.05, 0.1, 0.2, 0.15, 0.3, 0.25, 0.1, 0.4, 0.2, 0.3)  # ten coarse steps, on which slips are seen


def place(source):
    """("minidiff/gaussian.py:89", its lines) of the library's function."""
    f = library(source)
    lines, first = inspect.getsourcelines(f)
    file = Path(inspect.getsourcefile(inspect.unwrap(f)))
    return f"minidiff/{file.relative_to(Path(__file__).parents[1]).as_posix()}:{first}", "".join(lines).rstrip()


def explain(entry):
    """The entry as a dict: formula, symbols, why, wrong versions, where it is used, how it is measured."""
    known = {k: entry.meaning(k)[1] for k in entry.scope}
    if "t" in known and not entry.meaning("t")[0]:
        known["s"] = "t - 1"
    wrong = [{"wrong": v if isinstance(v, str) else None, "misconception": why} for v, why in entry.wrong]
    at, lines = place(entry.source) if entry.source else (None, None)
    return {"name": entry.name, "number": entry.number, "lecture": entry.lecture, "title": entry.title, "latex": entry.latex,
            "answer": entry.answer, "why": entry.why, "symbols": known, "wrong": wrong, "measured": entry.measured,
            "source": entry.source, "place": at, "lines": lines}  # fmt: skip


def as_text(e):
    """explain's dict, as one reads it."""
    lines = [
        f"{e['title']}   (lecture {e['lecture']}, item {e['number']})",
        "",
        f"  {e['answer'] or e['latex']}",
        "",
        e["why"],
        "",
    ]
    wide = max((len(k) for k in e["symbols"]), default=0)
    lines += [f"  {k.ljust(wide)}  {meaning}" for k, meaning in e["symbols"].items()]
    if e["wrong"]:
        lines += ["", "wrong versions:"]
        lines += [
            f"  {w['wrong']}\n      {w['misconception']}" if w["wrong"] else f"  {w['misconception']}" for w in e["wrong"]
        ]
    lines += ["", f"measured by {e['measured']}"]
    if e["place"]:
        lines += ["", f"in the library: {e['source']}, {e['place']}", "", e["lines"]]
    return "\n".join(lines)


def curves(entry, most=4):
    """(curves, points, xlabel) for a picture: the answer and up to `most` wrong versions along t, or along the first free
    letter; points are measured. xlabel says what else was chosen. Raises ValueError for a statement, which has no curve."""
    if entry.answer is None:
        raise ValueError(f"{entry.name} is a statement, it has no curve to draw")
    base = next(round_cases(entry))
    times, tau = range(1, len(BETAS) + 1), (0, 2, 3, 6, 10)
    kept = {k: v for k, v in base.items() if entry.meaning(k)[0] and not (k == "x_t" and {"x_0", "eps"} <= set(entry.scope))}
    if "t" in entry.scope and not entry.meaning("t")[0]:
        x, along = list(times), "t"
        cases = [make_case(entry, BETAS, t, tau, 1 + t % 4, **kept).floats() for t in times]
    elif "i" in entry.scope and not entry.meaning("i")[0]:
        x, along = [1, 2, 3, 4], "i"
        cases = [make_case(entry, BETAS, 2, tau, i, **kept).floats() for i in x]
    else:
        free = [k for k in entry.scope if entry.meaning(k)[0]]
        if not free:
            raise ValueError(f"{entry.name} has no letter to draw it along")
        along = next((k for k in free if entry.meaning(k)[0] != COUNT), free[0])
        kind = entry.meaning(along)[0]
        x = [1, 2, 3, 4, 5, 6] if kind == COUNT else np.linspace(0.1, 0.9, 17) if "(0, 1)" in kind else np.linspace(0.25, 3, 12)
        cases = [_with(entry, base, along, v) for v in x]
    rng = np.random.default_rng(0)
    right, _, letters = answer_of(entry.answer, cases[0])
    drawn = {entry.answer: (x, [right(c) for c in cases], False)}
    for version, why in entry.wrong[:most]:
        drawn[f"wrong: {version}    ({why})"] = (x, [answer_of(version, c)[0](c) for c in cases], True)
    follow = {"alpha": "beta", "alpha_bar": "beta", "x_t": "x_0 eps"}  # the same chosen numbers, others at each point
    chosen = letters | {name for k in letters & set(follow) for name in follow[k].split()}
    chosen &= {*kept, "beta", "tau"} - {along}
    others = len(entry.wrong) - most
    xlabel = "; ".join(filter(None, [along, written(cases[0], chosen)]))
    xlabel += f"; {others} more wrong versions: minidiff show {entry.name}" if others > 0 else ""
    measured = [measure(entry, c, rng)[0] for c in cases]
    shown = [(a, m) for a, m in zip(x, measured) if math.isfinite(m)]
    return drawn, tuple(zip(*shown)), xlabel


def _with(entry, base, letter, value):
    """The case with another value of one letter, and what follows from it."""
    case = type(base)(base | {letter: float(value)} if not isinstance(value, int) else base | {letter: value})
    return type(base)(case | (entry.derive(case) if entry.derive else {})).floats()
