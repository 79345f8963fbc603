"""explain: all that is known of an entry, in words and as curves."""

import ast
import itertools
import re
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from minidiff.cli import explain as words
from minidiff.sheet import SHEET, find
from minidiff.sheet.entry import random_case, round_cases

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
    drawn, (x, y), axes, _ = words.curves(entry)
    claimed = dict(zip(*drawn["the formula"][:2]))
    assert len(drawn) == 1 + min(3, len(entry.wrong)) and axes["xlabel"] and axes["ylabel"]
    low, high = axes["ylim"]
    # none is outside its picture
    assert all(any(low <= v <= high for v in line) for _, line, _ in drawn.values())
    off = [abs(claimed[a] - m) / max(1, abs(m)) for a, m in zip(x, y)]
    assert len(off) >= 4 and max(off) < 0.05  # Monte Carlo oracles are good to a few per cent


def test_every_source_has_a_test_that_exists():
    text = (Path(words.__file__).parents[1] / "sheet" / "tests.txt").read_text(encoding="utf-8")
    listed = [line.split() for line in text.splitlines()]
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
    _, _, axes, chosen = words.curves(find("posterior-mean"))
    assert axes["xlabel"] == "$t$" and "eps = " in chosen and "x_t = " not in chosen  # x_t follows at every t


def test_pictures_show_the_idea():
    """Guidance at w = 1 is a flat line, whatever eps_u: the numbers are chosen so that the curves differ."""
    for name in ("cfg", "classifier-guidance", "elo-update", "psnr", "flow-path"):
        drawn, *_ = words.curves(find(name))
        lines = [y for _, y, _ in drawn.values()]
        size = max(lines[0]) - min(lines[0])
        assert size > 0
        assert all(max(abs(a - b) for a, b in zip(y, lines[0])) > 0.05 * size for y in lines[1:]), name
    assert words.curves(find("cfg"))[2]["xlabel"] == "$w$"
    assert "R_a = 1200; R_b = 900" in words.curves(find("elo-update"))[3]  # ratings of the usual size


def test_pictures_show_a_smooth_schedule():
    """A posterior variance that rises at every step, not a zig-zag."""
    y = words.curves(find("posterior-variance"))[0]["the formula"][1]
    assert all(b > a for a, b in zip(y, y[1:]))


def test_the_label_beside_the_curve_is_what_the_curve_shows():
    assert words.curves(find("posterior-variance"))[2]["ylabel"] == r"$\tilde\beta_t$"
    # the formula is dx = ..., the curve is g
    assert words.curves(find("ve-diffusion"))[2]["ylabel"] == "ve-diffusion"
    assert words.PARTS == [name for name in words.PARTS if find(name).answer]


def test_show_is_a_hub():
    e = words.explain(find("ddim-step"))
    text = words.as_text(e)
    assert "  xₜ₋₁ = √ᾱₜ₋₁ x̂₀ + √(1-ᾱₜ₋₁) ε_θ" in text and "with numbers:" in text
    assert "examples/04_ddpm_against_ddim.py" in e["examples"]
    assert "next: minidiff show ddim-inversion" in text
    assert all((ROOT / f).exists() for f in e["examples"])
    assert "related: forward-closed-form-mean, " in words.as_text(words.explain(find("forward-closed-form")))
    assert "minidiff check ddim-step" in text
    assert "minidiff check" not in words.as_text(words.explain(find("markov")))
    assert find("ddim-step").latex in words.as_text(e, "cp1252")  # a terminal that has no such signs


def test_the_worked_numbers_tell_the_wrong_versions_apart():
    """At w = 1 half of guidance's wrong versions are right."""
    assert not re.search(r"^w += 1$", words.explain(find("cfg"))["worked"], re.M)


@pytest.mark.parametrize(
    "name, low, high, along",
    (
        ("vp-linear-alpha-bar", "beta_min = 0.1", "beta_max = 20", "t"),
        ("karras-sigmas", "sigma_min = 0.002", "sigma_max = 80", "k"),
    ),
)
def test_levels_are_worked_and_drawn_with_the_papers_numbers(name, low, high, along):
    entry, (drawn, (_, measured), axes, chosen) = find(name), words.curves(find(name))
    assert axes["xlabel"] == f"${along}$" and chosen.startswith(f"{low}; {high}")
    assert re.sub(" +", " ", words.explain(entry)["worked"]).count(low)
    assert measured == pytest.approx(drawn["the formula"][1], rel=1e-5)
    letters = low.split()[0], high.split()[0]
    cases = [
        *itertools.islice(round_cases(entry), 30),
        *(random_case(entry, np.random.default_rng(k)) for k in range(30)),
    ]
    assert all(c[letters[0]] < c[letters[1]] for c in cases)


def test_a_notebook_shows_formula_words_and_picture():
    shown = words.Shown(find("cfg"), lambda entry: Figure())
    page = shown._repr_markdown_()
    assert f"$${find('cfg').latex}$$" in page and "data:image/png;base64," in page and "- `w`: " in page
    assert repr(shown) == words.as_text(words.explain(find("cfg")))
    assert "base64" not in words.Shown(find("markov"), None)._repr_markdown_()
