"""Printed pages: the formula sheet and a quiz as A4 PDFs. What is on them comes from formulas/; here it is only set.

A block is a list of lines that stay together: (text, size, color, indent), mathtext where it stands between $ signs.
"""

import textwrap

import matplotlib
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure

from ..sheet.verdict import number
from .figures import BLUE, GREEN, GREY, ORANGE
from .files import replacing

WIDTH, HEIGHT, MARGIN = 8.27, 11.69, 0.8  # inches, A4
BLACK = "#000000"
FORMULA = 13


class Paper:
    """Pages that fill from the top; a block that does not fit begins the next one."""

    def __init__(self, pdf, foot):
        self.pdf, self.foot, self.number, self.fig = pdf, foot, 0, None

    def turn(self):
        """Finishes the page and begins another."""
        self.close()
        self.number += 1
        self.fig = Figure(figsize=(WIDTH, HEIGHT))
        self.renderer = FigureCanvasAgg(self.fig).get_renderer()
        self.y = HEIGHT - MARGIN
        self.fig.text(0.5, 0.4 / HEIGHT, f"{self.foot}   {self.number}", ha="center", size=8, color=GREY)

    def close(self):
        """Writes the page that was begun."""
        if self.fig is not None:
            self.pdf.savefig(self.fig)
            self.fig = None

    def _set(self, text, size, color, indent):
        """The text, narrow enough for the page, and its height in inches."""
        drawn = self.fig.text(0, 0, text, size=size, color=color, va="center", family="monospace" if text[:1] == " " else None)
        room, box = WIDTH - 2 * MARGIN - indent, drawn.get_window_extent(self.renderer)
        shrink = min(1.0, room * self.fig.dpi / max(box.width, 1))
        drawn.set_size(size * shrink)
        return drawn, max(size * 1.45 / 72, shrink * box.height / self.fig.dpi + 0.1 * ("$" in text))

    def block(self, lines, space=0.1):
        """Sets the lines below what stands there; wide formulas shrink to the page."""
        if self.fig is None:
            self.turn()
        drawn = [(*self._set(*line), line[3]) for line in lines]
        if self.y - sum(tall for _, tall, _ in drawn) < MARGIN:
            for text, _, _ in drawn:
                text.remove()
            self.turn()
            drawn = [(*self._set(*line), line[3]) for line in lines]
        for text, tall, indent in drawn:
            text.set_position(((MARGIN + indent) / WIDTH, (self.y - tall / 2) / HEIGHT))
            self.y -= tall
        self.y -= space

    def text(self, text, size=9, color=BLACK, indent=0.0, space=0.06):
        """A paragraph."""
        room = int((WIDTH - 2 * MARGIN - indent) * 72 / size / 0.52)
        self.block([(line, size, color, indent) for line in textwrap.wrap(text, room)], space)


def _plain(text):
    """Dollar signs would begin mathematics."""
    return text.replace("$", r"\$")


def _formula(latex):
    return "$" + latex.replace(r"\frac", r"\dfrac") + "$"


def sheet(path, rows, entries):
    """The formula sheet: entries by lecture, each formula with how it was measured. rows {name: verify's dict}."""
    with replacing(path) as beside, matplotlib.rc_context({"mathtext.fontset": "cm"}), PdfPages(beside) as pdf:
        paper = Paper(pdf, "minidiff formula sheet")
        paper.turn()
        paper.text("Diffusion models: the formula sheet", size=20, color=BLUE, space=0.1)
        passed = sum(rows[f.name]["ok"] for f in entries)
        paper.text(
            f"{passed} of {len(entries)} measured, each by a road that does not use the formula, its wrong versions refuted. "
            "t = 0 is clean data, alpha_bar[0] = 1.",
            color=GREY,
        )
        lecture = None
        for f in entries:
            row = rows[f.name]
            head = [] if f.lecture == lecture else [(f"Lecture {f.lecture}", 15, BLUE, 0.0)]
            lecture = f.lecture
            error = f", error {row['error']:.0e}" if f.answer is not None and "error" in row else ""
            refuted = f"; {len(row['wrong'])} wrong version{'s' * (len(row['wrong']) != 1)} refuted" if row["wrong"] else ""
            checked = f"{'measured' if row['ok'] else 'FAILED'}{error}, by {f.measured}{refuted}"
            room = int((WIDTH - 2 * MARGIN) * 72 / 8 / 0.5)
            paper.block([
                *head, (_plain(f"{f.number}  {f.title}   ({f.name})"), 9.5, BLACK, 0.0),
                (_formula(f.latex), FORMULA, BLACK, 0.25),
                *((_plain(line), 8, GREY, 0.0) for line in textwrap.wrap(f.why, room)),
                *((_plain(line), 7, GREEN if row["ok"] else ORANGE, 0.0) for line in textwrap.wrap(checked, int(room * 1.15))),
            ], 0.16)  # fmt: skip
        paper.close()
    return path


def quiz(path, questions, title):
    """The questions with room to write, and the key from a page of its own on."""
    with replacing(path) as beside, matplotlib.rc_context({"mathtext.fontset": "cm"}), PdfPages(beside) as pdf:
        paper = Paper(pdf, title)
        paper.turn()
        paper.text(title, size=18, color=BLUE, space=0.05)
        paper.text("Pen and paper. alpha_t = 1 - beta_t, alpha_bar[0] = 1; give three digits.", color=GREY, space=0.2)
        room = int((WIDTH - 2 * MARGIN) * 72 / 10.5 / 0.5)
        for k, q in enumerate(questions, 1):
            lines = [(_plain(line), 10.5, BLACK, 0.0) for line in textwrap.wrap(f"{k}. {q.text}", room)]
            choices = "      ".join(f"({letter}) {number(v)}" for letter, v in q.options.items())
            paper.block([*lines, (choices or " ", 10.5, BLACK, 0.25)], 0.3 if q.options else 1.1)
        paper.turn()
        paper.text(f"{title}: key", size=18, color=BLUE, space=0.15)
        for k, q in enumerate(questions, 1):
            lines = [(f"{k}. {q.name}   lecture {q.lecture}", 10.5, BLACK, 0.0), (_formula(q.latex), FORMULA, BLACK, 0.25)]
            for line in q.key():
                step = " = " in line and line[:4] not in {f"{letter} = " for letter in q.options}  # leading space: monospaced
                parts = [f" {line}"] if step else textwrap.wrap(line, 115, subsequent_indent="    ")
                lines += [(_plain(part), 7.5 if step else 8.5, GREY if step else BLACK, 0.25) for part in parts]
            paper.block(lines, 0.18)
        paper.close()
    return path
