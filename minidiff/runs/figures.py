"""Arrays in, matplotlib figures out; nothing is computed here. Large type for projectors, colours that all
eyes can tell apart.

letter   name    shape      meaning
         rows    (n, d)     pictures or points, as the model sees them
         shape              what a row looks like: (2,) is a point, (H, W) or (H, W, 3) a picture
"""

import io
import itertools
import re
import textwrap
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.animation import PillowWriter
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from .files import folder, replacing

BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#6B6B6B"  # Okabe & Ito, and a grey
LOOKS = {  # of a sampler, the same in every figure
    "ddpm": (ORANGE, "s", "-"), "ddpm(beta)": (ORANGE, "D", "--"), "reverse-sde": ("#CC79A7", "*", "-."),
    "ddim": (BLUE, "o", "-"), "dpm-solver-1": (BLUE, "o", "-"), "dpm-solver++": ("#E69F00", "X", "-."),
    "euler": ("#56B4E9", "v", "--"), "heun": (GREEN, "^", "-"), "rk4": ("#000000", "P", "--"),
    "langevin": (GREY, "d", ":"),
}  # fmt: skip
STYLES = {name: dict(zip(("color", "marker", "ls"), look)) for name, look in LOOKS.items()}
styled = matplotlib.rc_context(
    {"font.size": 15, "axes.titlesize": 16, "axes.spines.top": False, "axes.spines.right": False}
)


class Shown(Figure):
    """A Figure that any notebook shows. Its layout settles before it is drawn: labels move the axes, and
    these the labels."""

    def draw(self, renderer):
        for _ in range(2):
            self.get_layout_engine().execute(self)
        super().draw(renderer)

    @styled
    def _repr_png_(self):
        self.savefig(buffer := io.BytesIO(), format="png")
        return buffer.getvalue()


def figure(width, height, title="", dpi=100):
    """An empty Figure that needs no display. Type is made for a width of 10: a wider figure has smaller type
    on a slide."""
    fig = Shown(figsize=(width, height), layout="constrained", dpi=dpi)
    fig.get_layout_engine().set(h_pad=0.1, w_pad=0.1)
    if title:
        fig.suptitle(textwrap.fill(title, round(7.2 * width)))
    FigureCanvasAgg(fig)
    return fig


def color_of(label, otherwise=BLUE):
    """The colour of the sampler that a label begins with, such as ddim(eta=0)."""
    return STYLES.get(re.split(r"[(,\n]", label.lower().removeprefix("flow "))[0], {}).get("color", otherwise)


@styled
def save(fig, path):
    """Writes the figure as a PNG, whole or not at all; returns the path."""
    folder(Path(path).parent)
    with replacing(path) as beside:
        fig.savefig(beside, format="png")
    return path


def drawable(shape):
    """Is a row a picture (H, W) or (H, W, 3), or a point in the plane, so that there is something to look
    at?"""
    return len(shape) == 2 or shape == (2,) or (len(shape) == 3 and shape[-1] == 3)


def tiles(rows, shape, columns):
    """Pictures side by side on one canvas, `columns` a line, with a pixel of paper between them."""
    (h, w, *colours), lines = shape, -(-len(rows) // columns)
    canvas = np.full((lines * (h + 1) + 1, columns * (w + 1) + 1, *colours), 1.0 if colours else np.nan)
    for i, picture in enumerate(rows):
        y, x = i // columns * (h + 1) + 1, i % columns * (w + 1) + 1
        canvas[y : y + h, x : x + w] = np.reshape(picture, shape)
    return canvas


def _limit(sets):
    """How far the axes reach for these sets of points: a single stray one does not shrink the rest."""
    return 1.3 * max(float(np.quantile(np.abs(rows), 0.995)) for rows in sets)


def _draw(ax, cells, shape, columns, limit=None, colors=(BLUE,), dot=6):
    """Pictures, `columns` a line, -1 is paper and 1 ink, of a colour -1 is black. Or sets of points, each up
    to limit."""
    ax.set_axis_off()
    if shape != (2,):
        canvas = tiles(cells, shape, columns)
        canvas = canvas if canvas.ndim == 2 else np.clip((canvas + 1) / 2, 0, 1)
        ax.imshow(canvas, cmap="gray_r", vmin=-1, vmax=1, interpolation="nearest")
        return
    for k, (rows, color) in enumerate(zip(cells, itertools.cycle(colors))):
        inside = np.where(
            np.abs(rows).max(axis=1, keepdims=True) < limit, rows, np.nan
        )  # not over another set
        ax.scatter(
            *(inside + 2 * limit * np.array([k % columns, -(k // columns)])).T,
            s=dot,
            color=color,
            alpha=0.5,
            lw=0,
        )
    ends = 2 * limit * np.array([columns, -(-len(cells) // columns)])
    ax.set(xlim=(-limit, ends[0] - limit), ylim=(limit - ends[1], limit), aspect="equal")


def say(ax, words, place, shift, ha="center", va="center", on="axes fraction", color="black"):
    """Words at a place, shifted by some points, on white paper that lets through a little of what is
    below."""
    look = {"ha": ha, "va": va, "color": color, "bbox": {"fc": "white", "ec": "none", "alpha": 0.7, "pad": 1}}
    ax.annotate(words, place, shift, on, "offset points", annotation_clip=False, **look)


def _names(ax, names):
    """Names on the left of equally high lines."""
    for k, name in enumerate(names):
        say(ax, name, (0, 1 - (k + 0.5) / len(names)), (-8, 0), "right")


@styled
def side_by_side(panels, shape, title, columns=10, labels=(), colors=(GREY, BLUE, ORANGE, GREEN)):
    """Sets of rows beside each other: panels is {caption: rows}; pictures are drawn `columns` a line, a label
    for each."""
    n, points, limit = len(panels), shape == (2,), _limit(panels.values())
    side, lines = min(5, 10 / n), -(-max(map(len, panels.values())) // columns)  # inches
    captions = [c if "\n" in c else textwrap.fill(c, round(6.5 * side)) for c in panels]
    height = (
        0.7 + 0.3 * max(c.count("\n") for c in captions) + side * (1 if points else min(lines / columns, 1.6))
    )
    fig = figure(n * side, height, title, min(150, 500 / side))
    axes = fig.subplots(1, n, squeeze=False, sharey=points)[0]
    for ax, caption, rows, color in zip(axes, captions, panels.values(), itertools.cycle(colors)):
        _draw(
            ax,
            [rows] if points else rows,
            shape,
            1 if points else columns,
            limit,
            [color_of(caption, color)],
            10,
        )
        ax.set_title(caption)
        if points:
            ax.set_axis_on()
            ticks = MaxNLocator(6, steps=[1, 2, 5, 10]).tick_values(-limit, limit)[1:-1]
            ax.set(xticks=ticks, yticks=ticks, xlabel="first coordinate")
    axes[0].set_ylabel("second coordinate" if points else "")
    _names(axes[0], labels)
    return fig


@styled
def grid(groups, names, captions, shape, title, head="", colors=(BLUE,), limit=None):
    """Groups below each other, each of the same lines of pictures or sets of points, so that columns can be
    compared.

    groups: what stands in each, line after line; names: of a group's lines; captions: above the columns of
    the groups that have some; head stands before them.
    """
    n = len(groups[0]) // len(names)
    size = 9 / max(n, 6) * (1 if shape == (2,) else shape[0] / shape[1])  # of a cell, inches
    tall = 0.7 + sum(0.15 + 0.25 * (1 + above[0].count("\n")) for above in captions)
    fig = figure(10, tall + len(groups) * (len(names) * size + 0.1), title)
    axes = fig.subplots(len(groups), 1, squeeze=False)[:, 0]
    for ax, cells, above in itertools.zip_longest(axes, groups, captions, fillvalue=()):
        _draw(ax, cells, shape, n, limit, [colors[k // n % len(colors)] for k in range(len(cells))], 5)
        _names(ax, names)
        for j, caption in enumerate(above):
            say(ax, caption, ((j + 0.5) / n, 1), (0, 5), va="bottom")
        say(ax, head if above else "", (0, 1), (-8, 5), "right", "bottom")
    return fig


def strip(path, captions, shape, title, head="", hats=(), color=BLUE):
    """How rows (n, d) change along a path: a column for each stage, its caption above; below each x_t its
    x_0_hat of hats."""
    names, stages = (["$x_t$", "$\\hat x_0$"], [*path, *hats]) if len(hats) else ([""], path)
    groups = [stages] if shape == (2,) else [[x[i] for x in stages] for i in range(len(path[0]))]
    return grid(
        groups, names, [captions], shape, title, head, (color, GREEN), _limit([path[0], path[-1]]) / 1.2
    )


@styled
def trajectory(panels, shape, gif, fps=8):
    """Writes panels {name: (stages, their captions, colour)} side by side as a GIF that pauses at its end;
    returns its path."""
    n, one = len(panels), shape == (2,)
    fig = Figure(
        (8, 1 + 8 / n), dpi=100
    )  # no layout: working it out anew for each frame would take most of the time
    fig.subplots_adjust(0.01, 0.01, 0.99, 1 - 0.9 / (1 + 8 / n), 0.03)
    axes, limit = (
        fig.subplots(1, n, squeeze=False)[0],
        _limit([path[k] for path, *_ in panels.values() for k in (0, -1)]),
    )
    writer = PillowWriter(fps=fps)
    with replacing(gif) as unfinished, writer.saving(fig, unfinished, 100):
        for stages in zip(*(zip(path, captions) for path, captions, _ in panels.values())):
            for ax, (rows, caption), (name, (*_, color)) in zip(axes, stages, panels.items()):
                ax.clear()
                _draw(ax, [rows] if one else rows, shape, 1 if one else 6, limit, [color])
                ax.set_title(f"{name}\n{caption}", color=color)
            writer.grab_frame()
        frames = [
            frame.convert("RGB").quantize(64) for frame in writer._frames
        ]  # few colours make a small file
        writer._frames = frames[:1] * (fps // 2) + frames + frames[-1:] * 2 * fps
    return gif


@styled
def training_curve(losses, steps, means, floor=None, looks=(), shape=(2,)):
    """Losses of all steps, their means around some, and looks on the way, [(step, rows)]. 1: answering 0;
    floor: the least."""
    fig = figure(10, 5.6 + 1.3 * bool(looks), "Learning" + ": the same noise, drawn on the way" * bool(looks))
    ax, last, one = fig.subplots(), max(2, len(losses)), shape == (2,)
    ax.plot(steps, means, color=BLUE, lw=3)
    known = [(1, "answering 0", GREY, "--", last, -1, "right", "bottom")]
    known += [(floor, "perfect denoiser: the floor", ORANGE, "-", 1, 1, "left", "top")] * (floor is not None)
    for y, name, color, line, x, side, ha, va in known:
        ax.axhline(y, color=color, lw=2, ls=line)
        say(ax, name, (x, y), (6 * side, -4 * side), ha, va, "data", color)
    say(ax, "network", (steps[-1], means[-1]), (8, 0), "left", on="data", color=BLUE)
    ax.set(xscale="log", xlabel="training step", ylabel="loss (1: the network answers 0)", xlim=(1, last))
    ax.xaxis.set_major_formatter("{x:,.0f}")
    ax.yaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 10]))
    ax.margins(y=0.15)
    if max(*means, 1) > 10 * min(means):
        ax.set_yscale("log")
    ax.set_ylim(ax.get_ylim())  # of the means: single losses may leave it
    ax.plot(np.arange(1, len(losses) + 1), losses, color=BLUE, lw=0.4, alpha=0.25, zorder=1)
    side = min(0.1, 0.65 / np.log(last))  # steps that double do not touch
    for step, rows in looks:
        ax.axvline(max(step, 1), color=GREY, lw=0.8, alpha=0.5)
        inset = ax.inset_axes(
            [np.log(max(step, 1)) / np.log(last) - side / 2, 1.03, side, (2 if one else 4) * side]
        )
        _draw(inset, [rows[:400]] if one else rows[:2], shape, 1, _limit([looks[-1][1]]), dot=2)
    return fig
