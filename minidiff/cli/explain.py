"""All that is known of an entry, in words and as curves: what `minidiff show` prints and draws."""

import base64
import contextlib
import inspect
import io
import itertools
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..sheet import SHEET
from ..sheet.check import measure, version_of
from ..sheet.compute import worked
from ..sheet.entry import COUNT, SHARE, Case, Formula, make_case, round_cases
from ..sheet.verdict import written
from .readable import readable
from .typeset import formula
from .typeset import words as typeset

BETAS = tuple(
    k / 20 for k in range(1, 11)
)  # ten coarse steps, on which mistakes are seen: a smooth schedule, smooth curves
# formulas whose left side is not what the answer gives: dx = f dt + g dW, and the answer is g
PARTS = "vp-sde ve-diffusion reverse-sde loss-weight non-unique-flow attention-scale lora-parameters".split()


def name_of(source):
    """ "gaussian.posterior" for that function of the library."""
    return f"{source.__module__.rpartition('.')[2]}.{source.__qualname__}"


def test_of(source):
    """The test that fails when this function of the library is wrong, as pytest takes it: tests.txt lists them."""
    lines = (Path(__file__).parents[1] / "sheet" / "tests.txt").read_text(encoding="utf-8").splitlines()
    return dict(line.split() for line in lines)[name_of(source)]


def place(source):
    """("minidiff/gaussian.py:89", its lines) of a function of the library."""
    lines, first = inspect.getsourcelines(source)
    file = Path(inspect.getsourcefile(inspect.unwrap(source)))
    return f"minidiff/{file.relative_to(Path(__file__).parents[1]).as_posix()}:{first}", "".join(
        lines
    ).rstrip()


def examples_of(source):
    """The examples that use this function of the library, where the repository is at hand."""
    module, _, name = name_of(source).rpartition(".")
    uses = re.compile(rf"import (.*\W)?{name}\b|\b(md|{module.rpartition('.')[2]})\.{name}\b")
    files = sorted(Path(__file__).parents[2].glob("examples/[0-9]*.py"))
    return [f"examples/{f.name}" for f in files if uses.search(f.read_text(encoding="utf-8"))]


def versions(entry, most=None):
    """The answer and up to `most` wrong versions, to be asked for numbers."""
    names = next(round_cases(entry))
    return [
        version_of(version, names) for version in (entry.answer, *(wrong for wrong, _ in entry.wrong[:most]))
    ]


def _example(entry):
    """The answer worked for round numbers: of the first few cases, that in which most wrong versions give something else."""
    cases = entry.cases or list(itertools.islice(round_cases(entry), 5))
    read = versions(entry)
    for case in sorted(cases, key=lambda c: -len({f"{version.value(c):.3g}" for version in read})):
        with contextlib.suppress(ValueError):  # numbers that do not go together
            return str(worked(entry, case))
    return ""


def explain(entry):
    """The entry as a dict: formula, symbols, why, a worked example, wrong versions, how it is measured, where the library has
    it with its test and examples, and what comes next."""
    known = {k: entry.meaning(k)[1] for k in entry.scope} | ({"s": "t - 1"} if entry.counts_steps() else {})
    wrong = [{"wrong": v if isinstance(v, str) else None, "misconception": why} for v, why in entry.wrong]
    at = dict.fromkeys(("source", "place", "lines", "test")) | {"examples": []}
    if entry.source:
        values = (
            name_of(entry.source),
            *place(entry.source),
            test_of(entry.source),
            examples_of(entry.source),
        )
        at = dict(zip(at, values))
    told = {
        k: getattr(entry, k)
        for k in ("name", "number", "lecture", "title", "latex", "answer", "why", "measured")
    }
    told |= {"formula": readable(entry.latex), "symbols": known, "wrong": wrong}
    told |= {"worked": _example(entry) if entry.answer else ""}
    told |= {"related": [f.name for f in SHEET if f.number == entry.number and f is not entry]}
    after = SHEET.index(entry) + 1
    return told | at | {"next": [f.name for f in SHEET[after : after + 1]]}


def as_text(e, encoding="utf-8"):
    """explain's dict, as one reads it; the formula in LaTeX where the terminal's encoding has no such signs."""
    readable_here = e["formula"].encode(encoding, "replace").decode(encoding) == e["formula"]
    formula = e["formula"] if readable_here else e["latex"]
    wide = max(map(len, e["symbols"]), default=0)
    lines = [f"{e['title']}   (lecture {e['lecture']}, item {e['number']}: {e['name']})", "", f"  {formula}"]
    lines += [f"  typed: {e['answer']}"] if e["answer"] else []
    lines += ["", e["why"], "", *(f"  {k.ljust(wide)}  {meaning}" for k, meaning in e["symbols"].items())]
    lines += ["", "with numbers:", *(f"  {line}" for line in e["worked"].splitlines())] if e["worked"] else []
    lines += ["", "wrong versions:"]
    for w in e["wrong"]:
        lines += (
            [f"  {w['wrong']}", f"      {w['misconception']}"] if w["wrong"] else [f"  {w['misconception']}"]
        )
    lines += ["", f"measured by {e['measured']}"]
    if e["source"]:
        lines += ["", f"in the library: {e['source']}, {e['place']}", f"its test: {e['test']}"]
        lines += [f"examples: {', '.join(e['examples'])}"] if e["examples"] else []
        lines += ["", e["lines"]]
    related = f"related: {', '.join(e['related'])}" if e["related"] else ""
    judge = f'your own version: minidiff check {e["name"]} "..."' if e["answer"] else ""
    after = [f"next: minidiff show {name}" for name in e["next"]]
    return "\n".join([*lines, "", *filter(None, [judge, related, *after])])


@dataclass(frozen=True, eq=False)
class Shown:
    """An entry for people: str() as in a terminal, in a notebook typeset and with its picture, a Figure of draw(entry)."""

    entry: Formula
    draw: Callable

    def __repr__(self):
        return as_text(explain(self.entry))

    def _repr_markdown_(self):
        e = explain(self.entry)
        parts = [f"**{e['title']}** (lecture {e['lecture']}, `{e['name']}`)", f"$${e['latex']}$$", e["why"]]
        parts += ["\n".join(f"- `{k}`: {meaning}" for k, meaning in e["symbols"].items())]
        parts += [
            "\n".join(
                [
                    "Wrong versions:",
                    "",
                    *(f"- `{w['wrong']}`: {w['misconception']}" for w in e["wrong"] if w["wrong"]),
                ]
            )
        ]
        if e["answer"]:
            file = io.BytesIO()
            self.draw(self.entry).savefig(file, format="png", dpi=60)
            drawn = base64.b64encode(file.getvalue()).decode()
            parts += [f"```\n{e['worked']}\n```", f"![{e['name']}](data:image/png;base64,{drawn})"]
        return "\n\n".join(parts)


def curves(entry, most=3):
    """(curves, points, axes, chosen) for a picture: the answer and up to `most` wrong versions along a letter, each under its
    misconception; points are measured; chosen: the other numbers, as text. Raises ValueError for a statement: no curve."""
    if entry.answer is None:
        raise ValueError(f"{entry.name} is a statement, it has no curve to draw")
    right, *wrong = versions(entry)
    bases = entry.cases or itertools.islice(round_cases(replace(entry, derive=None)), 5)
    walks = [walk for base in bases for walk in _walks(entry, base)]
    valued = [[[v.value(c) for c in cases] for v in (right, *wrong)] for _, _, cases in walks]
    best = max(
        range(len(walks)), key=lambda k: (bool(entry.cases) and walks[k][0] in ("t", "k"), _apart(valued[k]))
    )
    (along, x, cases), (claimed, *others) = walks[best], valued[best]
    inside, seen = _inside(valued[best])[1:], _seen(valued[best])[1:]
    drawn = {"the formula": (x, claimed, False)}
    for k in sorted(range(len(wrong)), key=lambda k: (not seen[k], not inside[k]))[:most]:
        drawn[f"wrong: {entry.wrong[k][1]}"] = (x, others[k], True)
    follow = {
        "alpha": "beta",
        "alpha_bar": "beta",
        "x_t": "x_0 eps",
    }  # the same chosen numbers, others at each point
    letters = right.letters.union(*(version.letters for version in wrong))
    chosen = letters.union(*(follow[k].split() for k in letters & set(follow)))
    chosen = written(cases[0], chosen & {*entry.free, "beta", "tau"} - {along})
    left = (
        entry.latex.partition("=")[0].rpartition(":")[2].strip()
    )  # what the curve shows, unless it is a part of that
    ylabel = entry.name if entry.name in PARTS or "quad" in left or left == entry.latex else formula(left)
    axes = {
        "xlabel": f"${along}$" if len(along) == 1 else typeset(along),
        "ylabel": ylabel,
        "ylim": _view(claimed),
    }
    rng = np.random.default_rng(0)
    measured = [measure(entry, c, rng)[0] for c in cases]
    points = tuple(zip(*((a, m) for a, m in zip(x, measured) if math.isfinite(m))))
    return drawn, points, axes, chosen


def _apart(lines):
    """How much there is to see: does the first line bend or rise at all, and how many lines are seen?"""
    y = np.nan_to_num(lines[0], posinf=1e9, neginf=-1e9)
    return bool(np.ptp(y) > 1e-9 * abs(y).max()), sum(_seen(lines))


def _view(y):
    """The least and the largest height in the picture of a line: a wrong version may leave it."""
    y = [v for v in y if math.isfinite(v)] or [0.0]
    size = np.ptp(y) or max(1.0, max(map(abs, y)))
    return min(y) - 2 * size, max(y) + 2 * size


def _inside(lines):
    """What share of each line is in the picture of the first."""
    low, high = _view(lines[0])
    return [np.mean([low <= v <= high for v in y]) for y in lines]


def _seen(lines):
    """Which lines are seen: at least a third in the picture of the first, and differing from all before them."""
    y = np.nan_to_num(np.array(lines, float), posinf=1e9, neginf=-1e9)
    size = np.ptp(y[0]) or abs(y[0]).max() or 1.0
    new = [all(abs(a - b).max() > 0.05 * size for b in y[:i]) for i, a in enumerate(y)]
    return [share > 1 / 3 and differs for share, differs in zip(_inside(lines), new)]


def _walks(entry, base):
    """[(a letter to draw along, its numbers, the case of each)]: a whole t or i if there is one, else each free letter, those
    first that one turns while sampling."""
    tau, kept = (0, 2, 3, 6, 10), {k: base[k] for k in entry.free}
    if entry.counts_steps():
        times = list(range(1, len(BETAS) + 1))
        return [("t", times, [make_case(entry, BETAS, t, tau, 1 + t % 4, **kept).floats() for t in times])]
    if entry.counts_steps("i"):
        return [
            ("i", [1, 2, 3, 4], [make_case(entry, BETAS, 2, tau, i, **kept).floats() for i in (1, 2, 3, 4)])
        ]
    walks = []
    for along in sorted(entry.free, key=lambda k: (k not in ("t", "w", "k"), entry.free[k] == COUNT)):
        kind = entry.free[along]
        x = (
            [1, 2, 3, 4, 5, 6]
            if kind == COUNT
            else np.linspace(0.1, 0.9, 17)
            if kind == SHARE
            else np.linspace(0.25, 3, 12)
        )
        cases = [Case(base | {along: v if kind == COUNT else float(v)}) for v in x]
        walks.append(
            (along, x, [Case(c | (entry.derive(c) if entry.derive else {})).floats() for c in cases])
        )
    return walks
