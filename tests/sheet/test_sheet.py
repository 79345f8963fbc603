"""The sheet: every file of a lecture is on it, names are found, no oracle sees the formula it judges."""

import ast
from pathlib import Path

import pytest

from minidiff.sheet import ALIASES, LECTURES, SECTIONS, SHEET, find, of_lecture, oracles

NAMES = [f.name for f in SHEET]
PURE = {"numpy", "math", "fractions", "itertools", "functools", "statistics"}


def test_the_tables_name_all_lectures_and_their_files_and_so_do_the_docstrings():
    folder = Path(oracles.__file__).parent
    for lecture in LECTURES:
        told = [line.split()[0] for line in lecture.__doc__.splitlines() if line.startswith("    ")]
        assert told == lecture.SECTIONS and lecture.__doc__.startswith(f"{lecture.TITLE}.\n")
    assert [lecture.__name__.split(".")[-1] for lecture in LECTURES] == sorted(
        p.name for p in folder.glob("lecture*")
    )
    listed = {Path(section.__file__) for section in SECTIONS}
    assert listed == {p for p in folder.glob("lecture*/*.py") if p.stem not in ("__init__", "concepts")}
    for section in SECTIONS:
        assert {f"lecture{f.lecture}" for f in section.ENTRIES} == {Path(section.__file__).parent.name}
    assert [f.number for f in SHEET] == sorted(f.number for f in SHEET)
    assert {f.number for f in SHEET} == set(range(1, 81))


def test_names_are_unique_and_found():
    assert len(set(NAMES)) == len(NAMES)
    assert all(find(name).name == name for name in NAMES)
    for typed, near in (
        ("posterior-varience", "posterior-variance"),
        ("posterior_std", "posterior-variance"),
        ("xyz", "minidiff show lists them"),
    ):
        with pytest.raises(ValueError, match=near):
            find(typed)


def test_a_lecture_has_its_entries():
    assert {f.lecture for f in of_lecture(3)} == {3} and of_lecture() == SHEET
    with pytest.raises(ValueError, match=r"lecture must be in 1..8, got 0"):
        of_lecture(0)


def seen(tree):
    """The library's names outside source=... and value=..., and where a case's schedule is asked for."""
    library = {
        a.name for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.level == 3 for a in n.names
    }

    def outside(node):
        if isinstance(node, ast.keyword) and node.arg in ("source", "value"):
            return
        if isinstance(node, ast.FunctionDef) and node.args.args and node.args.args[0].arg in ("f", "step"):
            return  # asks the library's function, which it is handed
        if isinstance(node, ast.Name | ast.Attribute):
            name = node.id if isinstance(node, ast.Name) else node.attr
            if name in (library if isinstance(node, ast.Name) else {"schedule"}):
                yield name
        for child in ast.iter_child_nodes(node):
            yield from outside(child)

    return set(outside(tree))


def tools(section):
    """What other sections may use of one: public functions that this test has judged, no answer, no entry."""
    tree = ast.parse(Path(section.__file__).read_text(encoding="utf-8"))
    functions = [n for n in tree.body if isinstance(n, ast.FunctionDef) and not n.name.startswith("_")]
    return {
        n.name for n in functions if n.args.args[0].arg not in ("f", "step")
    }  # these are handed the library's


@pytest.mark.parametrize(
    "module", [oracles, *SECTIONS], ids=lambda m: m.__name__.removeprefix("minidiff.sheet.")
)
def test_no_oracle_sees_the_formula_that_it_judges(module):
    """Oracles import numbers and tools; the library is named as the source and in value, which asks it."""
    tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            assert {a.name for a in node.names} <= PURE
        elif isinstance(node, ast.ImportFrom) and node.level == 2:
            assert node.module == "entry" or [a.name for a in node.names] == ["oracles"]
        elif isinstance(node, ast.ImportFrom) and node.level == 1:
            above = {m.__name__: m for m in SECTIONS[: SECTIONS.index(module)]}
            assert {a.name for a in node.names} <= tools(above[f"{module.__package__}.{node.module}"])
        elif isinstance(node, ast.ImportFrom):
            assert node.module in PURE or (node.level == 3 and module is not oracles)
    assert seen(tree) == set()


def test_sections_lend_each_other_tools_only():
    """solvers holds answers, entries and functions handed the library's own: none of these is lent."""
    solvers = next(m for m in SECTIONS if m.__name__.endswith("lecture2.solvers"))
    assert tools(solvers) == {"half_log_snr", "runge_kutta"}
    assert {"ENTRIES", "STEP", "SHRUNK"} <= set(vars(solvers))


@pytest.mark.parametrize(
    "planted", ["def _oracle(c, rng):\n    return gaussian.kl(c.mu, 1)", "ask = lambda c: c.schedule.T"]
)
def test_an_oracle_that_sees_the_library_is_seen(planted):
    allowed = "from ... import gaussian\nFormula(source=gaussian.kl, value=lambda f, c: f(c.schedule))\n"
    assert seen(ast.parse(allowed + planted)) and not seen(ast.parse(allowed))


@pytest.mark.parametrize(
    ("name", "found"),
    [("CFG", "cfg"), ("DDIM", "ddim-step"), ("L_0", "elbo-decomposition"), ("L_simple", "l-simple"),
     ("Tweedie", "tweedie-vp"), ("classifier free", "cfg"), ("radial velocity", None),
     ("Elo new rating", "elo-update"), ("x_0_hat", "clean-estimate")],
)  # fmt: skip
def test_entries_are_found_by_what_people_call_them(name, found):
    if found:
        assert find(name).name == found
    else:
        with pytest.raises(ValueError, match="there is no formula named"):
            find(name)


def test_every_alias_leads_somewhere_and_hides_no_name():
    names = {f.name for f in SHEET}
    assert set(ALIASES.values()) <= names and not {k for k, v in ALIASES.items() if k in names and k != v}


def test_words_that_several_titles_have_are_not_guessed():
    with pytest.raises(ValueError, match=r"did you mean .*classifier-guidance"):
        find("guidance")
