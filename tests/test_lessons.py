"""The lessons run from top to bottom, print what is stored in them, and judge exercises as they say."""

import base64
import json
import re
from pathlib import Path

import pytest
from lessons import LESSONS, cells_of, in_fresh_interpreter, same, texts

ROOT = Path(__file__).parents[1]
EXERCISES = 5  # at least, in each
BYTES = 400_000  # at most


@pytest.fixture(scope="module", params=LESSONS, ids=lambda p: p.stem)
def lesson(request):
    return request.param, in_fresh_interpreter(request.param)


def test_cells_print_what_is_stored(lesson):
    path, found = lesson
    for cell, (outputs, _) in zip(cells_of(path, "code"), found, strict=True):
        assert same(texts(cell["outputs"]), texts(outputs)), f"cell {cell['execution_count']}"
        assert ["image/png" in o.get("data", {}) for o in cell["outputs"]] == [
            "image/png" in o.get("data", {}) for o in outputs
        ]


def test_exercises_accept_the_solution_and_refuse_what_is_wrong(lesson):
    _, found = lesson
    judged = [accepted for _, accepted in found if accepted]
    assert len(judged) >= EXERCISES and all(len(accepted) >= 3 for accepted in judged)
    assert [accepted for accepted in judged if accepted != [True] + [False] * (len(accepted) - 1)] == []


def test_solutions_stand_in_the_last_part(lesson):
    path, _ = lesson
    last = "".join(cells_of(path, "markdown")[-1]["source"])
    assert last.startswith("## Solutions")
    for cell in cells_of(path, "code"):
        if exercise := cell["metadata"].get("exercise"):
            assert exercise["solution"] in last


def test_a_formulas_line_and_test_exist(lesson):
    path, _ = lesson
    rows = re.findall(r"^\|.*\| `([\w.]+)` \| `([\w/]+\.py)::(\w+)` \|$", "\n".join(
        "".join(cell["source"]) for cell in cells_of(path, "markdown")), re.M)  # fmt: skip
    assert len(rows) >= 3
    for function, file, test in rows:
        module, _, name = function.partition(".")
        sources = "".join(p.read_text(encoding="utf-8") for p in (ROOT / "minidiff").rglob(f"{module}.py"))
        assert re.search(rf"^\s*(def|class) {name.split('.')[-1]}\b", sources, re.M), function
        assert f"def {test}(" in (ROOT / "tests" / file).read_text(encoding="utf-8"), test


def test_lessons_are_small_and_whole():
    assert [p.stem[:1] for p in LESSONS] == list("12345678")
    for path in LESSONS:
        assert path.stat().st_size <= BYTES, path.name
        book = json.loads(path.read_text(encoding="utf-8"))
        assert (book["nbformat"], book["nbformat_minor"]) == (4, 5)
        assert all(len(c["id"]) for c in book["cells"])
        for cell in cells_of(path, "code"):
            for data in (o["data"] for o in cell["outputs"] if "data" in o):
                assert (
                    base64.b64decode(data.get("image/png", "")).startswith(b"\x89PNG")
                    or "image/png" not in data
                )


@pytest.mark.parametrize(
    "other, equal", [("x = 0.125", True), ("x = 0.126", True), ("x = 0.127", False), ("y = 0.125", False)]
)
def test_printed_numbers_may_differ_in_their_last_digit_only(other, equal):
    assert same("x = 0.125", other) == equal
    assert not same("1 of 3", "1 of 3 of 4")
