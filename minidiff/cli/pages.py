"""Printed pages: the formula sheet and a quiz as A4 PDFs.

A page fills from the top with blocks, which are lists of lines that stay together. A line is (text, size, color, indent);
between $ signs it is mathematics, with a space in front it is monospaced.
"""

import textwrap
from pathlib import Path

import matplotlib
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure

from ..runs.figures import BLUE, GREEN, GREY, ORANGE
from ..runs.files import folder, replacing
from ..sheet import find

WIDTH, HEIGHT, MARGIN, SPACE = 8.27, 11.69, 0.8, 0.16  # inches, A4; SPACE between blocks
BLACK = "#000000"
ROOM = (" ", 45, BLACK, 0.0)  # an empty line, to write on


def pdf(path):
    """The path of a PDF, its folder made. Raises ValueError for another ending."""
    if Path(path).suffix.lower() != ".pdf":
        raise ValueError(f"--pdf needs a file that ends in .pdf, got {path}")
    return folder(Path(path).parent) / Path(path).name


def _text(text, size, color, indent=0.0):
    """The lines of a paragraph. Dollar signs would begin mathematics."""
    room = int((WIDTH - 2 * MARGIN - indent) * 72 / size / 0.57)
    return [(line.replace("$", r"\$"), size, color, indent) for line in textwrap.wrap(text, room)]


def _formula(latex):
    return "$" + latex.replace(r"\frac", r"\dfrac") + "$", 13, BLACK, 0.25


def _set(fig, text, size, color, indent):
    """Puts a line on the page, shrunk to the page's width: its Text and its height in inches."""
    drawn = fig.text(0, 0, text, size=size, color=color, va="center", family="monospace" if text[:1] == " " else None)
    box = drawn.get_window_extent(fig.canvas.get_renderer())
    shrink = min(1.0, (WIDTH - 2 * MARGIN - indent) * fig.dpi / max(box.width, 1))
    drawn.set_size(size * shrink)
    return drawn, max(size * 1.45 / 72, shrink * box.height / fig.dpi + 0.1 * ("$" in text))


def _write(path, foot, blocks):
    """Writes a PDF: each block on the page on which it still fits; None begins a page."""
    with replacing(path) as beside, matplotlib.rc_context({"mathtext.fontset": "cm"}), PdfPages(beside) as printed:
        fig, left = None, 0.0
        for block in [*blocks, None]:
            lines = [(*_set(fig, *line), line[3]) for line in block] if block and fig else []
            if fig and (block is None or left < sum(tall for _, tall, _ in lines)):
                for drawn, _, _ in lines:
                    drawn.remove()
                printed.savefig(fig)
                fig = None
            if block and not fig:
                fig, left = Figure(figsize=(WIDTH, HEIGHT)), HEIGHT - 2 * MARGIN
                FigureCanvasAgg(fig)
                fig.text(0.5, 0.4 / HEIGHT, f"{foot}   {printed.get_pagecount() + 1}", ha="center", size=8, color=GREY)
                lines = [(*_set(fig, *line), line[3]) for line in block]
            for drawn, tall, indent in lines:
                drawn.set_position(((MARGIN + indent) / WIDTH, (MARGIN + left - tall / 2) / HEIGHT))
                left -= tall
            left -= SPACE
    return path


def sheet(path, rows):
    """The formula sheet, by lecture: each formula with how it was measured. rows: verify's dicts."""
    passed = f"{sum(r['ok'] for r in rows)} of {len(rows)} measured, each in a way that does not use the formula, "
    passed += "its wrong versions refuted. t = 0 is clean data, alpha_bar[0] = 1."
    blocks, lecture = [[*_text("Diffusion models: the formula sheet", 20, BLUE), *_text(passed, 9, GREY)]], None
    for r in rows:
        f = find(r["name"])
        error = f", error {r['error']:.0e}" if f.answer is not None and "error" in r else ""
        refuted = f"; {len(r['wrong'])} wrong version{'s' * (len(r['wrong']) != 1)} refuted" if r["wrong"] else ""
        checked = f"{'measured' if r['ok'] else 'FAILED'}{error}, by {f.measured}{refuted}"
        block = _text(f"Lecture {f.lecture}", 15, BLUE) if f.lecture != lecture else []
        block += [*_text(f"{f.number}  {f.title}   ({f.name})", 9.5, BLACK), _formula(f.latex), *_text(f.why, 8, GREY)]
        blocks.append(block + _text(checked, 7, GREEN if r["ok"] else ORANGE))
        lecture = f.lecture
    return _write(path, "minidiff formula sheet", blocks)


def quiz(path, questions, title):
    """The questions with room to write, and the key from a page of its own on."""
    told = "Pen and paper. alpha_t = 1 - beta_t, alpha_bar[0] = 1; give three digits."
    blocks, key = [[*_text(title, 18, BLUE), *_text(told, 9, GREY)]], [None, _text(f"{title}: key", 18, BLUE)]
    for k, q in enumerate(questions, 1):
        blocks.append([*_text(f"{k}. {q.text}", 10.5, BLACK), *_text(q.choices(), 10.5, BLACK, 0.25), ROOM])
        block = [*_text(f"{k}. {q.name}   lecture {q.lecture}", 10.5, BLACK), _formula(q.latex)]
        for i, line in enumerate(q.key()):  # the answer, what is wrong with the other options, the steps
            block += _text(line, 8.5, BLACK, 0.25) if i <= len(q.slips) else [(f" {line}", 7.5, GREY, 0.25)]
        key.append(block)
    return _write(path, title, blocks + key)
