"""All that is known of an entry, in words and as curves: what `minidiff show` prints and draws."""

import base64
import contextlib
import inspect
import io
import itertools
import math
import re
import textwrap
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..sheet import SHEET
from ..sheet.checking import measure, version_of
from ..sheet.computing import worked
from ..sheet.entry import COUNT, SHARE, Case, Formula, make_case, round_cases
from ..sheet.verdict import written
from .readable import readable
from .typeset import formula
from .typeset import words as typeset

BETAS = tuple(k / 20 for k in range(1, 11))  # ten coarse steps, on which mistakes are seen
# formulas whose left side is not what the answer gives: dx = f dt + g dW, and the answer is g
PARTS = "vp-sde ve-diffusion reverse-sde loss-weight non-unique-flow attention-scale lora-parameters".split()


def name_of(source):
    """ "gaussian.posterior" for that function of the library."""
    return f"{source.__module__.rpartition('.')[2]}.{source.__qualname__}"


def test_of(source):
    """The test that fails when this function of the library is wrong, as pytest takes it, from tests.txt."""
    lines = (Path(__file__).parents[1] / "sheet" / "tests.txt").read_text(encoding="utf-8").splitlines()
    return dict(line.split() for line in lines)[name_of(source)]


def place(source):
    """("minidiff/gaussian.py:89", its lines) of a function of the library."""
    lines, first = inspect.getsourcelines(source)
    file = Path(inspect.getsourcefile(inspect.unwrap(source)))
    inside = file.relative_to(Path(__file__).parents[1]).as_posix()
    return f"minidiff/{inside}:{first}", "".join(lines).rstrip()


def examples_of(source):
    """The examples that use this function of the library, where the repository is at hand."""
    module, _, name = name_of(source).rpartition(".")
    uses = re.compile(rf"import (.*\W)?{name}\b|\b(md|{module.rpartition('.')[2]})\.{name}\b")
    files = sorted(Path(__file__).parents[2].glob("examples/[0-9]*.py"))
    return [f"examples/{f.name}" for f in files if uses.search(f.read_text(encoding="utf-8"))]


def versions(entry):
    """The answer and the wrong versions, to be asked for numbers."""
    names = next(round_cases(entry))
    return [version_of(version, names) for version in (entry.answer, *(wrong for wrong, _ in entry.wrong))]


def _example(entry):
    """The answer worked for round numbers: of a few cases, that in which most wrong versions differ."""
    cases = entry.cases or list(itertools.islice(round_cases(entry), 5))
    read = versions(entry)
    for case in sorted(cases, key=lambda c: -len({f"{version.value(c):.3g}" for version in read})):
        with contextlib.suppress(ValueError):  # numbers that do not go together
            return str(worked(entry, case))
    return ""


def explain(entry):
    """The entry as a dict: formula, symbols, why, a worked example, wrong versions, how it is measured, where
    the library has it with its test and examples, and what comes next."""
    copied = ("name", "number", "lecture", "title", "latex", "answer", "why", "measured")
    told = {key: getattr(entry, key) for key in copied} | {"formula": readable(entry.latex)}
    told["symbols"] = {k: entry.meaning(k)[1] for k in entry.scope}
    if entry.counts_steps():
        told["symbols"]["s"] = "t - 1"
    told["wrong"] = [
        {"wrong": version if isinstance(version, str) else None, "misconception": why}
        for version, why in entry.wrong
    ]
    told["worked"] = _example(entry) if entry.answer else ""
    told["related"] = [f.name for f in SHEET if f.number == entry.number and f is not entry]
    told |= dict.fromkeys(("source", "place", "lines", "test")) | {"examples": []}
    if source := entry.source:
        told["place"], told["lines"] = place(source)
        told |= {"source": name_of(source), "test": test_of(source), "examples": examples_of(source)}
    after = SHEET.index(entry) + 1
    return told | {"next": [f.name for f in SHEET[after : after + 1]]}


def as_text(e, encoding="utf-8"):
    """explain's dict, as one reads it; the formula in LaTeX where the terminal has no such signs."""
    readable_here = e["formula"].encode(encoding, "replace").decode(encoding) == e["formula"]
    formula = "  " + (e["formula"] if readable_here else e["latex"])
    wide = max(map(len, e["symbols"]), default=0)
    symbols = "\n".join(f"  {k.ljust(wide)}  {meaning}" for k, meaning in e["symbols"].items())
    worked = "with numbers:\n" + textwrap.indent(e["worked"], "  ") if e["worked"] else ""
    wrong = ["wrong versions:"]
    for w in e["wrong"]:
        wrong += [f"  {w['wrong']}\n      {w['misconception']}" if w["wrong"] else f"  {w['misconception']}"]
    library = []
    if e["source"]:
        examples = f"\nexamples: {', '.join(e['examples'])}" if e["examples"] else ""
        library = ["in the library: {source}, {place}\nits test: {test}".format(**e) + examples, e["lines"]]
    after = [f"related: {', '.join(e['related'])}"] if e["related"] else []
    after += [f"next: minidiff show {name}" for name in e["next"]]
    if e["answer"]:
        formula += f"\n  typed: {e['answer']}"
        after = [f'your own version: minidiff check {e["name"]} "..."', *after]
    title = f"{e['title']}   (lecture {e['lecture']}, item {e['number']}: {e['name']})"
    parts = [title, formula, e["why"], symbols, worked, "\n".join(wrong), f"measured by {e['measured']}"]
    return "\n\n".join(filter(None, [*parts, *library, "\n".join(after)]))


@dataclass(frozen=True, eq=False)
class Shown:
    """An entry for people: str() as in a terminal; in a notebook typeset, with the Figure of draw(entry)."""

    entry: Formula
    draw: Callable

    def __repr__(self):
        return as_text(explain(self.entry))

    def _repr_markdown_(self):
        e = explain(self.entry)
        parts = [f"**{e['title']}** (lecture {e['lecture']}, `{e['name']}`)", f"$${e['latex']}$$", e["why"]]
        parts.append("\n".join(f"- `{k}`: {meaning}" for k, meaning in e["symbols"].items()))
        wrong = [f"- `{w['wrong']}`: {w['misconception']}" for w in e["wrong"] if w["wrong"]]
        parts.append("\n".join(["Wrong versions:", "", *wrong]))
        if e["answer"]:
            file = io.BytesIO()
            self.draw(self.entry).savefig(file, format="png", dpi=60)
            drawn = base64.b64encode(file.getvalue()).decode()
            parts += [f"```\n{e['worked']}\n```", f"![{e['name']}](data:image/png;base64,{drawn})"]
        return "\n\n".join(parts)


def curves(entry, most=3):
    """(curves, points, axes, chosen) for a picture: the answer and `most` wrong versions along a letter.

    A wrong version stands under its misconception; points are measured; chosen: the other numbers, as text.
    Raises ValueError for a statement: no curve.
    """
    if entry.answer is None:
        raise ValueError(f"{entry.name} is a statement, it has no curve to draw")
    read = versions(entry)
    bases = entry.cases or itertools.islice(round_cases(replace(entry, derive=None)), 5)
    walks = []
    for base in bases:
        for along, x, cases in _walks(entry, base):
            lines = np.array([[version.value(c) for c in cases] for version in read], float)
            claimed = _finite(lines[0])
            rises = bool(np.ptp(claimed) > 1e-9 * abs(claimed).max())
            much = (bool(entry.cases) and along in ("t", "k"), rises, sum(_seen(lines)))  # to see
            walks.append((much, along, x, cases, lines))
    _, along, x, cases, lines = max(walks, key=lambda walk: walk[0])
    inside, seen = _inside(lines), _seen(lines)
    drawn = {"the formula": (x, lines[0], False)}
    for k in sorted(range(1, len(read)), key=lambda k: (not seen[k], not inside[k]))[:most]:
        drawn[f"wrong: {entry.wrong[k - 1][1]}"] = (x, lines[k], True)
    # the same chosen numbers, others at each point
    follow = {"alpha": "beta", "alpha_bar": "beta", "x_t": "x_0 eps"}
    letters = set().union(*(version.letters for version in read))
    letters = letters.union(*(follow[k].split() for k in letters & set(follow)))
    chosen = written(cases[0], letters & {*entry.free, "beta", "tau"} - {along})
    left = entry.latex.partition("=")[0].rpartition(":")[2].strip()
    whole = entry.name not in PARTS and "quad" not in left and left != entry.latex  # it is what is drawn
    axes = {"xlabel": f"${along}$" if len(along) == 1 else typeset(along)}
    axes |= {"ylabel": formula(left) if whole else entry.name, "ylim": _view(lines[0])}
    rng = np.random.default_rng(0)
    measured = ((a, measure(entry, c, rng)[0]) for a, c in zip(x, cases))
    points = tuple(zip(*((a, m) for a, m in measured if math.isfinite(m))))
    return drawn, points, axes, chosen


def _finite(lines):
    return np.nan_to_num(lines, posinf=1e9, neginf=-1e9)


def _view(y):
    """The least and the largest height in the picture of a line: a wrong version may leave it."""
    y = y[np.isfinite(y)] if np.isfinite(y).any() else np.zeros(1)
    size = np.ptp(y) or max(1.0, abs(y).max())
    return y.min() - 2 * size, y.max() + 2 * size


def _inside(lines):
    """What share of each line is in the picture of the first."""
    low, high = _view(lines[0])
    return ((low <= lines) & (lines <= high)).mean(axis=1)


def _seen(lines):
    """Which lines are seen: at least a third in the picture of the first, and unlike all before them."""
    y = _finite(lines)
    size = np.ptp(y[0]) or abs(y[0]).max() or 1.0
    new = [all(abs(a - b).max() > 0.05 * size for b in y[:i]) for i, a in enumerate(y)]
    return [share > 1 / 3 and differs for share, differs in zip(_inside(lines), new)]


def _walks(entry, base):
    """[(a letter to draw along, its numbers, the case of each)].

    A whole t or i if there is one, else each free letter, those first that one turns while sampling.
    """
    tau, kept = (0, 2, 3, 6, 10), {k: base[k] for k in entry.free}
    if entry.counts_steps():
        times = list(range(1, len(BETAS) + 1))
        return [("t", times, [make_case(entry, BETAS, t, tau, 1 + t % 4, **kept).floats() for t in times])]
    if entry.counts_steps("i"):
        steps = [1, 2, 3, 4]
        return [("i", steps, [make_case(entry, BETAS, 2, tau, i, **kept).floats() for i in steps])]
    numbers = {COUNT: [1, 2, 3, 4, 5, 6], SHARE: np.linspace(0.1, 0.9, 17).tolist()}
    walks = []
    for along in sorted(entry.free, key=lambda k: (k not in ("t", "w", "k"), entry.free[k] == COUNT)):
        x = numbers.get(entry.free[along], np.linspace(0.25, 3, 12).tolist())
        cases = [Case(base | {along: number}) for number in x]
        if entry.derive:
            cases = [Case(c | entry.derive(c)) for c in cases]
        walks.append((along, x, [c.floats() for c in cases]))
    return walks
