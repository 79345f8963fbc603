"""The sheet and a quiz on paper, A4: `sheet` for an exam, `booklet` with every reason, `quiz` with its key.

All lengths are points. A block stays together: (height, marks), a mark is (x, y of the baseline below the
block's top, text, size, color). A column is filled from the top with blocks. Between $ signs is mathematics.
"""

import functools
import re

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

from ..runs.figures import BLUE, GREEN, GREY, ORANGE
from ..sheet import LECTURES, find
from ..sheet.verdict import number
from .typeset import formula, words

WIDTH, HEIGHT, FONT = 595.3, 841.9, "stix"  # A4
PAGES, MARGIN, SIZES = 4, 26, [k / 4 for k in range(36, 25, -1)]  # of the sheet for an exam: 9, 8.75, ... 6.5
BLACK = "#000000"
# what the letters mean: words, then the letters behind the last |
LEGEND = r"""
clean data, noisy data, almost pure noise | x_0,\ x_t,\ x_T
variance of the noise that step t adds | \beta_t
share of the variance that a step keeps | \alpha_t = 1-\beta_t
share of x_0's variance that is left at t | \bar\alpha_t = \alpha_1\alpha_2\cdots\alpha_t,\ \ \bar\alpha_0 = 1
the noise in x_t; fresh noise of a step | \epsilon,\ z \sim \mathcal{N}(0, I)
the network's guess of that noise, and the picture it implies | \epsilon_\theta,\ \hat x_0
mean, variance of q(x_{t-1} | x_t, x_0), of p_theta | \tilde\mu_t, \tilde\beta_t;\quad \mu_\theta, \sigma_t^2
chosen noising; learned step back | q,\ p_\theta
score; the network's guess of it | \nabla\log p = \nabla_x\log p(x),\ s_\theta
times that a sampler visits | 0 = \tau_0 < \tau_1 < \cdots < \tau_S = T
flow matching (lecture 3) turns time: noise at t = 0, data at t = 1 | x_t = (1-t)\,x_0 + t\,x_1
""".strip().splitlines()


@functools.cache
def _extent(text):
    """(width, height above the baseline, below it) at size 1; no less than a line of words."""
    font = FontProperties(size=1, math_fontfamily=FONT)
    width, height, below = text_to_path.get_text_width_height_descent(text, font, "$" in text)
    return width, max(height - below, 0.77), max(below, 0.24)


def _lines(text, size, width):
    """The text, broken into lines; at its \xa0 only where it must."""
    lines, left = [], 0.0
    for word in re.findall(r"(?:\$[^$]*\$|[^ $])+", words(text)):
        for part in [word] if size * _extent(word)[0] <= width else word.split("\xa0"):
            wide = size * (_extent(part)[0] + 0.32)
            if not lines or left < wide:
                lines, left = [*lines, []], width + 0.32 * size
            lines[-1].append(part)
            left -= wide
    return [" ".join(line) for line in lines]


def _paragraph(text, size, color, width, x=0.0, lead=1.3):
    """A block of lines."""
    lines = _lines(text, size, width - x)
    marks = [(x, lead * size * (k + 0.75), line, size, color) for k, line in enumerate(lines)]
    return lead * size * len(lines), marks


def _display(latex, size, width, x=0.0):
    """A block: the formula in a line of its own; if it is too wide, broken at its \\quad, or else shrunk."""
    text = formula(latex)
    wide, above, below = _extent(text)
    if size * wide > width - x and r"\quad" in latex:
        return _stacked(*(_display(part, size, width, x) for part in latex.split(r"\quad", 1)))
    size *= min(1.0, (width - x) / (size * wide))
    return size * (above + below + 0.3), [(x, size * (above + 0.15), text, size, BLACK)]


def _stacked(*blocks):
    """One block of several, from top to bottom."""
    height, marks = 0.0, []
    for tall, lines in blocks:
        marks += [(x, y + height, *rest) for x, y, *rest in lines]
        height += tall
    return height, marks


def _entry(number, title, latex, size, width):
    """A block: the title, and the formula at its right if there is room, else below."""
    x, large, text = 2.1 * size, 1.1 * size, formula(latex)
    wide, above, below = (large * v for v in _extent(text))
    room = width - x - wide - size
    best = _stacked(_paragraph(title, size, BLACK, width - x, lead=1.2), _display(latex, large, width - x))
    said = _paragraph(title, size, BLACK, room, lead=1.2) if room > 9 * size else best
    if max(said[0], above + below) < best[0]:
        # one line of words stands on the formula's line, more at its middle
        down = above - said[1][0][1] if len(said[1]) == 1 else (above + below - said[0]) / 2
        beside = (above + below, [(width - x - wide, above, text, large, BLACK)])
        left, right = _stacked((max(0.0, down), []), said), _stacked((max(0.0, -down), []), beside)
        best = max(left[0], right[0]), left[1] + right[1]
    marks = [(x + indent, *rest) for indent, *rest in best[1]]
    return best[0] + 0.3 * size, [(0.0, marks[0][1], number, size, GREY)] * bool(number) + marks


def _columns(blocks, columns, margin):
    """The blocks placed: a list of pages, each a list of marks with x and y on it. None begins a page."""
    pages, column, left, wide = [], 0, 0.0, (WIDTH - 2 * margin) / columns
    for block in blocks:
        if block is None or block[0] > left:
            column, left = (0 if block is None else (column + 1) % columns), HEIGHT - 2 * margin
            pages += [[]] * (column == 0)
        if block:
            corner = margin + column * wide, HEIGHT - margin - left
            pages[-1] = pages[-1] + [(corner[0] + x, corner[1] + y, *rest) for x, y, *rest in block[1]]
            left -= block[0]
    return pages


def _write(path, foot, pages):
    with PdfPages(path) as printed:
        for k, marks in enumerate(pages, 1):
            fig = Figure(figsize=(WIDTH / 72, HEIGHT / 72), dpi=288)
            FigureCanvasAgg(fig)
            below = (WIDTH / 2 - 40, HEIGHT - 12, f"{foot}, page {k}", 6.5, GREY)
            for x, y, text, size, color in [*marks, below]:
                fig.text(x / WIDTH, 1 - y / HEIGHT, text, size=size, color=color, math_fontfamily=FONT)
            printed.savefig(fig)
    return path


def _heading(lecture, size, width):
    return _paragraph(LECTURES[lecture - 1].TITLE, size, BLUE, width, lead=1.8)


def sheet(path, entries):
    """What one takes into an exam: all formulas in two columns, in the largest type that PAGES pages hold."""
    margin, width = MARGIN, (WIDTH - 2 * MARGIN) / 2 - 8
    for size in SIZES:
        legend = [line.rpartition(" | ") for line in LEGEND]
        legend = [_entry("", meaning, latex, size, width) for meaning, _, latex in legend]
        blocks = [None, _stacked(_paragraph("Diffusion models: the formula sheet", 14, BLUE, width), *legend)]
        lecture = item = None
        for f in entries:
            number = str(f.number) if (f.lecture, f.number) != (lecture, item) else ""
            block = _entry(number, f.title, f.latex, size, width)
            if f.lecture != lecture:
                block = _stacked(_heading(f.lecture, 10.5, width), block)
            blocks.append(block)
            lecture, item = f.lecture, f.number
        pages = _columns(blocks, 2, margin)
        if len(pages) <= PAGES:
            break
    return _write(path, "minidiff formula sheet", pages)


def booklet(path, rows):
    """The sheet with its reasons, by lecture: each formula, why, how it was measured. rows: of verify."""
    margin, width = 48, WIDTH - 96
    title = _paragraph("Diffusion models: the formula sheet", 20, BLUE, width)
    passed = (
        f"{sum(r['ok'] for r in rows)} of {len(rows)} measured, each in a way that does not use the formula, "
    )
    passed += "its wrong versions refuted. t = 0 is clean data, alpha_bar[0] = 1."
    blocks, lecture = [None, _stacked(title, _paragraph(passed, 9, GREY, width))], None
    for r in rows:
        f, count = find(r["name"]), len(r["wrong"])
        checked, color = ("measured", GREEN) if r["ok"] else ("FAILED", ORANGE)
        if f.answer is not None and "error" in r:
            checked += f", error {r['error']:.0e}"
        checked += f", by {f.measured}"
        if count:
            checked += f"; {count} wrong version{'s' * (count != 1)} refuted"
        block = _stacked(
            _paragraph(f"{f.number}  {f.title}   ({f.name})", 9.5, BLACK, width),
            _display(f.latex, 12, width, 18),
            _paragraph(f.why, 9, GREY, width),
            _paragraph(checked, 8, color, width),
            (11, []),
        )
        if f.lecture != lecture:
            block = _stacked(_heading(f.lecture, 15, width), block)
        blocks.append(block)
        lecture = f.lecture
    return _write(path, "minidiff formula sheet", _columns(blocks, 1, margin))


def quiz(path, questions, title):
    """The questions with room to write, and the key from a page of its own on."""
    margin, width, size = 54, WIDTH - 108, 10.5
    told = "Pen and paper. alpha[t] = 1 - beta[t], alpha_bar[0] = 1; give three digits."
    head = _paragraph(title, 18, BLUE, width)
    blocks = [None, _stacked(head, _paragraph(told, size, GREY, width), (12, []))]
    key = [None, _stacked(_paragraph(f"{title}: key", 18, BLUE, width), (12, []))]
    for k, q in enumerate(questions, 1):
        asked, options = _paragraph(f"{k}. {q.text}", size, BLACK, width), []
        for i, (letter, value) in enumerate(q.options.items()):
            is_number = not isinstance(value, str)
            said = f"({letter}) {number(value) if is_number else value}"
            options.append(_paragraph(said, size, BLACK, width, 18 + is_number * i * width / 4))
        if options and is_number:  # words stand below each other, numbers in a row
            options = [(1.5 * size, [mark for _, marks in options for mark in marks])]
        blocks.append(_stacked(asked, *options, (115, [])))
        slips, steps = q.key()[: 1 + len(q.slips)], q.key()[1 + len(q.slips) :]
        head = _paragraph(f"{k}. {q.name}, lecture {q.lecture}", size, BLACK, width)
        said = [head, _display(q.latex, 12, width, 18)]
        said += [_paragraph(line, size, BLACK, width, 18) for line in slips]
        steps = "; ".join(words(re.sub(" +", " ", step)).replace(" ", "\xa0") for step in steps)
        key.append(_stacked(*said, _paragraph(steps, size, GREY, width, 18), (12, [])))
    return _write(path, title, _columns(blocks + key, 1, margin))
