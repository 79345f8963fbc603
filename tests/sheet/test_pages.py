"""pages: read as they are printed."""

from pathlib import Path

import pytest
from command_line import run
from matplotlib.backends.backend_pdf import PdfPages

from minidiff.cli import pages


@pytest.fixture
def printed(monkeypatch):
    """The figures of the pages that are written meanwhile."""
    figs, write = [], PdfPages.savefig
    monkeypatch.setattr(PdfPages, "savefig", lambda pdf, fig: (figs.append(fig), write(pdf, fig)))
    return figs


def lines_of(fig):
    """(text, its box) of a page from top to bottom, each inside the page and below the one before; the foot is the first."""
    lines = [(text.get_text(), text.get_window_extent()) for text in fig.texts]
    assert all(box.x0 >= 0 and box.x1 <= fig.bbox.x1 and box.y0 >= 0 and box.y1 <= fig.bbox.y1 for _, box in lines)
    middles = [(box.y0 + box.y1) / 2 for _, box in lines]
    assert middles[1:] == sorted(middles[1:], reverse=True) and middles[0] == min(middles)
    return [text for text, _ in lines]


def test_the_quiz_has_room_and_its_key_begins_a_page(printed):
    assert run("quiz", "--n", "9", "--pdf", "out/quiz.pdf") == 0
    assert Path("out/quiz.pdf").read_bytes()[:5] == b"%PDF-" and [p.name for p in Path("out").iterdir()] == ["quiz.pdf"]
    sheets = [lines_of(fig) for fig in printed]
    (key,) = [k for k, lines in enumerate(sheets) if lines[1] == "minidiff quiz, seed 0: key"]
    asked, told = ([line for lines in part for line in lines] for part in (sheets[:key], sheets[key:]))
    for k in range(1, 10):
        assert sum(line.startswith(f"{k}. ") for line in asked) == 1 == sum(line.startswith(f"{k}. ") for line in told)
    assert [lines[0] for lines in sheets] == [f"minidiff quiz, seed 0   {k + 1}" for k in range(len(sheets))]


def test_the_sheet_holds_every_formula_of_its_lecture(printed):
    assert run("sheet", "--pdf", "out/sheet.pdf", "--lecture", "4") == 0
    assert Path("out/sheet.pdf").read_bytes()[:5] == b"%PDF-" and [p.name for p in Path("out").iterdir()] == ["sheet.pdf"]
    lines = [line for fig in printed for line in lines_of(fig)]
    assert "Lecture 4" in lines and any(line.endswith("(cfg)") for line in lines)
    assert sum(line.startswith("measured, ") for line in lines) == int(
        next(x for x in lines if " measured, each" in x).split()[0]
    )


def test_the_printed_sheet_says_what_failed(printed):
    """Which formula failed, in another colour, and how many did not."""
    rows = [{"name": "ddim-step", "ok": False, "error": 0.25, "wrong": []}]
    rows += [{"name": "snr", "ok": True, "error": 1e-9, "wrong": [1, 2]}]
    assert pages.sheet(Path("bad.pdf"), rows).read_bytes()[:5] == b"%PDF-"
    colors = {text.get_text(): text.get_color() for fig in printed for text in fig.texts}
    assert any(text.startswith("1 of 2 measured") for text in colors)
    (failed,) = [text for text in colors if text.startswith("FAILED, error 2e-01, by ")]
    (held,) = [text for text in colors if text.startswith("measured, error 1e-09, by ")]
    assert "refuted" not in failed and held.endswith("2 wrong versions refuted") and colors[failed] != colors[held]
