"""The museum: each mistake finds its line and its test, and its experiment shows it."""

from pathlib import Path

import numpy as np
import pytest

from minidiff.learn.experiments import EXPERIMENTS
from minidiff.learn.mistakes import MISTAKES, PACKAGE, find, outcomes

ROOT = Path(__file__).parents[2]


def test_each_mistake_is_one_line_with_an_experiment():
    assert len(MISTAKES) >= 24 and len({m.name for m in MISTAKES}) == len(MISTAKES)
    for m in MISTAKES:
        assert (PACKAGE / f"{m.file}.py").read_text(encoding="utf-8").count(m.right) == 1, m.name
        assert m.experiment in EXPERIMENTS and "\n" not in m.wrong and m.noticed.endswith(".")


@pytest.mark.parametrize("name", ["adam-uncorrected", "range-not-squared"])
def test_the_outcome_differs_where_the_mistake_is(name):
    """The others are drawn by examples/mistakes/draw.py, whose README lists what came of each."""
    right, wrong = outcomes(find(name))
    assert right.keys() == wrong.keys() and any(not np.allclose(right[k], wrong[k], rtol=0.05) for k in right)


def test_the_list_of_the_museum_is_complete():
    listed = (ROOT / "examples" / "mistakes" / "README.md").read_text(encoding="utf-8")
    assert [m.name for m in MISTAKES] == [
        line.split("`")[1] for line in listed.splitlines() if line.startswith("| `")
    ]
    for m in MISTAKES:
        assert f"`{m.wrong}` in {m.file}.py" in listed and f"`{m.test}`" in listed


def test_an_unknown_mistake_is_one_line():
    with pytest.raises(ValueError, match="unknown mistake 'x'; known are alpha-bar-for-its-root"):
        find("x")
