"""All that is known of an entry, in words and as curves: what `minidiff show` prints and draws."""

import inspect
import math
from pathlib import Path

import numpy as np

from .check import measure, version_of
from .entry import COUNT, SHARE, Case, make_case, round_cases
from .verdict import written

BETAS = (0.05, 0.1, 0.2, 0.15, 0.3, 0.25, 0.1, 0.4, 0.2, 0.3)  # ten coarse steps, on which mistakes are seen


def name_of(source):
    """ "gaussian.posterior" for that function of the library."""
    return f"{source.__module__.rpartition('.')[2]}.{source.__qualname__}"


def test_of(source):
    """The test that fails when this function of the library is wrong, as pytest takes it: tests.txt lists them."""
    lines = Path(__file__).with_name("tests.txt").read_text(encoding="utf-8").splitlines()
    return dict(line.split() for line in lines)[name_of(source)]


def place(source):
    """("minidiff/gaussian.py:89", its lines) of a function of the library."""
    lines, first = inspect.getsourcelines(source)
    file = Path(inspect.getsourcefile(inspect.unwrap(source)))
    return f"minidiff/{file.relative_to(Path(__file__).parents[1]).as_posix()}:{first}", "".join(lines).rstrip()


def explain(entry):
    """The entry as a dict: formula, symbols, why, wrong versions, how it is measured, where the library has it and its test."""
    known = {k: entry.meaning(k)[1] for k in entry.scope} | ({"s": "t - 1"} if entry.counts_steps() else {})
    wrong = [{"wrong": v if isinstance(v, str) else None, "misconception": why} for v, why in entry.wrong]
    at = dict.fromkeys(("source", "place", "lines", "test"))
    if entry.source:
        at = dict(zip(at, (name_of(entry.source), *place(entry.source), test_of(entry.source))))
    told = {k: getattr(entry, k) for k in ("name", "number", "lecture", "title", "latex", "answer", "why", "measured")}
    return told | {"symbols": known, "wrong": wrong} | at


def as_text(e):
    """explain's dict, as one reads it."""
    wide = max(map(len, e["symbols"]), default=0)
    head = f"{e['title']}   (lecture {e['lecture']}, item {e['number']})"
    lines = [head, "", f"  {e['answer'] or e['latex']}", "", e["why"], ""]
    lines += [f"  {k.ljust(wide)}  {meaning}" for k, meaning in e["symbols"].items()]
    lines += ["", "wrong versions:"]
    for w in e["wrong"]:
        lines += [f"  {w['wrong']}", f"      {w['misconception']}"] if w["wrong"] else [f"  {w['misconception']}"]
    lines += ["", f"measured by {e['measured']}"]
    if e["source"]:
        lines += ["", f"in the library: {e['source']}, {e['place']}", f"its test: {e['test']}", "", e["lines"]]
    return "\n".join(lines)


def curves(entry, most=4):
    """(curves, points, xlabel) for a picture: the answer and up to `most` wrong versions along t, or along the first free
    letter; points are measured. xlabel says what else was chosen. Raises ValueError for a statement, which has no curve."""
    if entry.answer is None:
        raise ValueError(f"{entry.name} is a statement, it has no curve to draw")
    base = next(round_cases(entry))
    along, x, cases = _along(entry, base)
    right = version_of(entry.answer, base)
    drawn = {entry.answer: (x, [right.value(c) for c in cases], False)}
    for wrong, why in entry.wrong[:most]:
        drawn[f"wrong: {wrong}    ({why})"] = (x, [version_of(wrong, base).value(c) for c in cases], True)
    follow = {"alpha": "beta", "alpha_bar": "beta", "x_t": "x_0 eps"}  # the same chosen numbers, others at each point
    chosen = right.letters.union(*(follow[k].split() for k in right.letters & set(follow)))
    chosen &= {*entry.free, "beta", "tau"} - {along}
    xlabel = "; ".join(filter(None, [along, written(cases[0], chosen)]))
    if (others := len(entry.wrong) - most) > 0:
        xlabel += f"; {others} more wrong versions: minidiff show {entry.name}"
    rng = np.random.default_rng(0)
    measured = [measure(entry, c, rng)[0] for c in cases]
    return drawn, tuple(zip(*((a, m) for a, m in zip(x, measured) if math.isfinite(m)))), xlabel


def _along(entry, base):
    """(the letter to draw along, its numbers, the case of each): a whole t or i if there is one, else the first free letter."""
    tau, kept = (0, 2, 3, 6, 10), {k: base[k] for k in entry.free}
    if entry.counts_steps():
        times = list(range(1, len(BETAS) + 1))
        return "t", times, [make_case(entry, BETAS, t, tau, 1 + t % 4, **kept).floats() for t in times]
    if entry.counts_steps("i"):
        return "i", [1, 2, 3, 4], [make_case(entry, BETAS, 2, tau, i, **kept).floats() for i in (1, 2, 3, 4)]
    along = next((k for k, kind in entry.free.items() if kind != COUNT), next(iter(entry.free)))
    kind = entry.free[along]
    x = [1, 2, 3, 4, 5, 6] if kind == COUNT else np.linspace(0.1, 0.9, 17) if kind == SHARE else np.linspace(0.25, 3, 12)
    cases = [Case(base | {along: v if kind == COUNT else float(v)}) for v in x]
    return along, x, [Case(c | (entry.derive(c) if entry.derive else {})).floats() for c in cases]
