"""explain: all that is known of an entry, in words and as curves."""

import ast
import re
from pathlib import Path

import pytest

from minidiff.sheet import SHEET, find
from minidiff.sheet import explain as words

ROOT = Path(__file__).parents[2]
EXPRESSIONS = [f for f in SHEET if f.answer is not None]
SOURCES = {words.name_of(f.source): f.source for f in SHEET if f.source}


@pytest.mark.parametrize("entry", SHEET, ids=lambda f: f.name)
def test_show_tells_all_that_is_known(entry):
    e = words.explain(entry)
    assert e["why"] and e["symbols"] and e["measured"]
    if entry.source:
        file, line = e["place"].split(":")
        lines = (ROOT / file).read_text(encoding="utf-8").splitlines()[int(line) - 1 :]
        defined = rf"(def|class) {entry.source.__name__}\b"
        assert any(re.match(defined, text) for text in lines[:3])  # decorators may stand above
        assert e["test"] in words.as_text(e) and e["place"] in words.as_text(e)


@pytest.mark.parametrize("entry", EXPRESSIONS, ids=lambda f: f.name)
def test_every_expression_can_be_drawn(entry):
    drawn, (x, y), xlabel, ylabel = words.curves(entry, most=2)
    claimed = dict(zip(drawn[entry.answer][0], drawn[entry.answer][1]))
    off = [abs(claimed[a] - m) / max(1, abs(m)) for a, m in zip(x, y)]
    assert len(off) >= 4 and max(off) < 0.05 and xlabel  # Monte Carlo oracles are good to a few per cent


def test_every_source_has_a_test_that_exists():
    listed = [line.split() for line in Path(words.__file__).with_name("tests.txt").read_text(encoding="utf-8").splitlines()]
    names = [name for name, _ in listed]
    assert names == sorted(set(names)) and set(SOURCES) <= set(names)
    for name, test in listed:
        file, function = test.split("::")
        tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
        assert function in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, test
        assert name not in SOURCES or words.test_of(SOURCES[name]) == test


def test_a_statement_has_no_curve_and_numbers_that_were_chosen_are_said():
    with pytest.raises(ValueError, match="markov is a statement"):
        words.curves(find("markov"))
    _, _, xlabel, _ = words.curves(find("posterior-mean"))
    assert "eps = " in xlabel and "more wrong" in xlabel and "x_t = " not in xlabel  # x_t follows at every t
