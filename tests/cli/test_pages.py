"""pages: read as they are printed."""

import itertools
import re
from dataclasses import replace

import pytest
from matplotlib.backends.backend_pdf import PdfPages

from minidiff.cli import pages
from minidiff.sheet import SHEET, find, of_lecture
from minidiff.sheet.quizzing import quiz

ROWS = [{"name": f.name, "ok": True, "error": 1e-9, "wrong": [1] * len(f.wrong)} for f in SHEET]


@pytest.fixture
def printed(monkeypatch, tmp_path):
    """(where to write, the figures of the pages that are written)."""
    figs, write = [], PdfPages.savefig
    monkeypatch.setattr(PdfPages, "savefig", lambda pdf, fig: (figs.append(fig), write(pdf, fig)))
    yield tmp_path / "p.pdf", figs
    assert (tmp_path / "p.pdf").read_bytes()[:5] == b"%PDF-"


def boxes_of(fig, columns, margin):
    """(text, its box in points) of a page: no two overlap, each lies in one column, but for the foot."""
    page = [72 * inches for inches in fig.get_size_inches()]
    assert page == pytest.approx([595.3, 841.9])  # A4: 210 by 297 mm
    points, renderer = 72 / fig.dpi, fig.canvas.get_renderer()  # not the PDF's, which counts 72 dots an inch
    drawn = [(text, text.get_window_extent(renderer)) for text in fig.texts]
    drawn = [(text, [points * v for v in (box.x0, box.x1, box.y0, box.y1)]) for text, box in drawn]
    for (text, (x0, x1, y0, y1)), (other, (u0, u1, v0, v1)) in itertools.combinations(drawn, 2):
        assert x1 <= u0 or u1 <= x0 or y1 <= v0 or v1 <= y0, (text.get_text(), other.get_text())
    wide = (595.3 - 2 * margin) / columns
    for text, (x0, x1, y0, y1) in drawn[:-1]:
        column = int((x0 + 1 - margin) // wide)  # hinting moves a glyph by less than a point
        edges = margin + column * wide, margin + (column + 1) * wide
        assert edges[0] - 1 <= x0 and x1 <= edges[1] + 1 and margin - 1 <= y0 and y1 <= 841.9 - margin + 1, (
            text.get_text()
        )
    foot, (x0, x1, y0, y1) = drawn[-1]
    assert y0 >= 0 and y1 <= margin and 0 <= x0 < x1 <= 595.3 and foot.get_size() >= 6.5
    return drawn


def lines_of(fig, columns, margin):
    return [text.get_text() for text, _ in boxes_of(fig, columns, margin)]


def latex_of(entry):
    return pages.formula(entry.latex)


def test_an_exam_takes_four_pages_with_all_formulas_in_readable_type(printed):
    path, figs = printed
    pages.sheet(path, SHEET)
    assert len(figs) <= 4
    lines = {line for fig in figs for line in lines_of(fig, 2, pages.MARGIN)}
    for f in SHEET:  # a wide one is broken in two
        assert (
            latex_of(f) in lines or {pages.formula(part) for part in f.latex.split(r"\quad", 1)} <= lines
        ), f.name
    assert not {f.measured for f in SHEET} & lines
    assert sum(line.startswith("Lecture ") for line in lines) == 8
    assert min(text.get_size() for fig in figs for text in fig.texts) >= 6.5


def test_one_lecture_is_set_in_the_largest_type(printed):
    path, figs = printed
    pages.sheet(path, of_lecture(6))
    sizes = {text.get_text(): text.get_size() for text in figs[0].texts}
    assert len(figs) == 1 and sizes["78"] == max(pages.SIZES)
    assert sizes[latex_of(of_lecture(6)[0])] > sizes["78"]


def test_a_long_title_and_a_wide_formula_stay_in_their_column(printed):
    path, figs = printed
    f = find("posterior-variance")
    long = replace(
        f, title="the variance of the posterior given x_0 and x_t " * 9, latex=f.latex + " + " + f.latex[10:]
    )
    wide = replace(f, latex=" + ".join([f.latex] * 9))
    pages.sheet(path, [long, wide, long, f])
    (fig,) = figs
    boxes_of(fig, 2, pages.MARGIN)


def test_the_booklet_holds_every_formula_with_its_reason(printed):
    path, figs = printed
    pages.booklet(path, [r for r in ROWS if find(r["name"]).lecture in (4, 7)])
    lines = [line for fig in figs for line in lines_of(fig, 1, 48)]
    for f in of_lecture(4):
        assert latex_of(f) in lines and any(line.endswith(f"({f.name})") for line in lines)
    assert sum(line.startswith("measured, ") for line in lines) == len(of_lecture(4)) + len(of_lecture(7))


def test_the_booklet_says_what_failed(printed):
    """Which formula failed, in another colour, and how many did not."""
    path, figs = printed
    rows = [{"name": "ddim-step", "ok": False, "error": 0.25, "wrong": []}]
    pages.booklet(path, [*rows, {"name": "snr", "ok": True, "error": 1e-9, "wrong": [1, 2]}])
    colors = {text.get_text(): text.get_color() for fig in figs for text in fig.texts}
    assert any(text.startswith("1 of 2 measured") for text in colors)
    (failed,) = [text for text in colors if text.startswith("FAILED, error 2e-01, by ")]
    (held,) = [text for text in colors if text.startswith("measured, error 1e-09, by ")]
    assert "refuted" not in failed and held.endswith("2 wrong versions refuted")
    assert colors[failed] != colors[held]


def test_the_quiz_has_room_and_its_key_begins_a_page(printed):
    path, figs = printed
    questions = quiz(12, seed=2)
    pages.quiz(path, questions, "nine questions")
    sheets = [boxes_of(fig, 1, 54) for fig in figs]
    texts = [[text.get_text() for text, _ in drawn] for drawn in sheets]
    (key,) = [k for k, lines in enumerate(texts) if lines[0] == "nine questions: key"]
    asked, told = ([line for lines in part for line in lines] for part in (texts[:key], texts[key:]))
    for k, q in enumerate(questions, 1):
        assert (
            sum(line.startswith(f"{k}. ") for line in asked)
            == 1
            == sum(line.startswith(f"{k}. ") for line in told)
        )
        # the question does not give it away
        assert pages.formula(q.latex) in told and pages.formula(q.latex) not in asked
        assert all(any(line.startswith(f"({letter}) ") for line in asked) for letter in q.options)
    key_lines = [text for drawn in sheets[key:] for text, _ in drawn[:-1] if text.get_text()[0] != "$"][1:]
    assert {text.get_size() for text in key_lines} == {10.5}  # as large as the questions
    for drawn in sheets[:key]:  # 4 cm free below the last line of each question
        tops = [box[3] for text, box in drawn if re.match(r"\d+\. ", text.get_text())]
        for top, following in zip(tops, [*tops[1:], 54]):
            assert (
                min(box[2] for _, box in drawn[:-1] if following < box[3] <= top) - following
                >= 40 * 72 / 25.4 - 12
            )


def test_a_step_that_is_wider_than_the_page_is_broken(printed):
    path, figs = printed
    (question,) = quiz(1, seed=0)
    steps = [("beta[t]", 0.25), (" + ".join(["alpha_bar[t]"] * 40), 1.0), ("t", 2)]
    pages.quiz(path, [replace(question, steps=steps)], "one question")
    lines = [line for fig in figs for line in lines_of(fig, 1, 54)]
    assert any(line.startswith("$\\beta_{t}$\xa0=\xa00.25;") for line in lines)
    assert lines[-2].endswith("=\xa02")


def test_every_formula_says_of_what_it_is_one():
    """An = outside all brackets, with something in front of it; a statement may have another sign."""
    for f in SHEET:
        bare = f.latex
        while bare != (bare := re.sub(r"{[^{}]*}|\([^()]*\)|\[[^\[\]]*\]", "", bare)):
            pass
        assert f.answer is None or re.match(r"\s*\S.*=", bare), f.name
