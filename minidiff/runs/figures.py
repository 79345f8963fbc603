"""Arrays in, matplotlib figures out; nothing is computed here. Large type for projectors, colours that all eyes can tell apart.

letter   name    shape      meaning
         rows    (n, d)     pictures or points, as the model sees them
         shape              what a row looks like: (2,) is a point, (H, W) or (H, W, 3) a picture
"""

import itertools
import textwrap
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.animation import PillowWriter
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from .files import folder, replacing

BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#6B6B6B"  # Okabe & Ito, and a grey
STYLES = {name: dict(zip(("color", "marker", "ls"), look)) for name, look in {  # a sampler's, the same in every figure
    "ddpm": (ORANGE, "s", "-"), "ddpm(beta)": (ORANGE, "D", "--"), "reverse-sde": ("#CC79A7", "*", "-."),
    "ddim": (BLUE, "o", "-"), "dpm-solver-1": (BLUE, "o", "-"), "dpm-solver++": ("#E69F00", "X", "-."),
    "euler": ("#56B4E9", "v", "--"), "heun": (GREEN, "^", "-"), "rk4": ("#000000", "P", "--"), "langevin": (GREY, "d", ":"),
}.items()}  # fmt: skip
styled = matplotlib.rc_context({"font.size": 15, "axes.titlesize": 16, "axes.spines.top": False, "axes.spines.right": False})


def figure(width, height):
    """An empty Figure that needs no display."""
    fig = Figure(figsize=(width, height), layout="constrained", dpi=100)
    fig.get_layout_engine().set(h_pad=0.1, w_pad=0.1)
    FigureCanvasAgg(fig)
    return fig


@styled
def save(fig, path):
    """Writes the figure as a PNG, whole or not at all; returns the path."""
    folder(Path(path).parent)
    with replacing(path) as beside:
        fig.savefig(beside, format="png")
    return path


def drawable(shape):
    """Is a row a picture (H, W) or (H, W, 3), or a point in the plane, so that there is something to look at?"""
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


def _draw(ax, rows, shape, columns, limit=None, color=BLUE):
    """Draws rows as points up to limit, or as pictures `columns` a line: -1 is paper and 1 ink, of a colour -1 is black."""
    if shape == (2,):
        ax.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal", xticks=[], yticks=[])
        ax.scatter(*rows.T, s=8, color=color, alpha=0.5, linewidths=0)
    else:
        canvas = tiles(rows, shape, columns)
        canvas = canvas if canvas.ndim == 2 else np.clip((canvas + 1) / 2, 0, 1)
        ax.set_axis_off()
        ax.imshow(canvas, cmap="gray_r", vmin=-1, vmax=1, interpolation="nearest")


@styled
def beside(panels, shape, title, columns=10, width=5, height=5.7, colors=(GREY, BLUE, ORANGE, GREEN)):
    """Sets of rows beside each other: panels is {caption: rows}; pictures are drawn `columns` a line."""
    fig, limit = figure(width * len(panels), height), _limit(panels.values())
    axes = fig.subplots(1, len(panels), squeeze=False)[0]
    for ax, (caption, rows), color in zip(axes, panels.items(), itertools.cycle(colors)):
        _draw(ax, rows, shape, columns, limit, color)
        ax.set_title(caption)
    fig.suptitle(title)
    return fig


def strip(path, captions, shape, title):
    """How rows change along a path of arrays (n, d): a column for each, from left to right."""
    height = 2.9 if shape == (2,) else 1.2 + 1.35 * len(path[0])
    return beside(dict(zip(captions, path)), shape, title, 1, 1.55, height, (BLUE,))


@styled
def lines(sets, labels, shape, title):
    """Equally large sets of pictures, a line for each with its label on the left, so that columns can be compared."""
    n = len(sets[0])
    fig = figure(2 + 0.75 * n, 0.9 + 0.75 * len(sets))
    ax = fig.subplots()
    _draw(ax, np.concatenate(sets), shape, n)
    for k, label in enumerate(labels):
        ax.text(-1, (k + 0.5) * (shape[0] + 1), label, ha="right", va="center")
    fig.suptitle(title)
    return fig


@styled
def trajectory(path, labels, shape, gif, seconds=5):
    """Writes the path as a GIF that ends with a pause on the last frame; returns where it is."""
    fig = Figure(figsize=(5, 5.4), dpi=64)  # no layout: working it out anew for each frame would take most of the time
    ax, limit = fig.subplots(), _limit([path[0], path[-1]])
    fig.subplots_adjust(0.02, 0.02, 0.98, 0.92)
    writer = PillowWriter(fps=max(1, round(len(path) / seconds)))
    with replacing(gif) as unfinished, writer.saving(fig, unfinished, 64):
        for rows, label in [*zip(path, labels), *[(path[-1], labels[-1])] * writer.fps]:
            ax.clear()
            _draw(ax, rows, shape, 6, limit)
            ax.set_title(label)
            writer.grab_frame()
    return gif


@styled
def training_curve(steps, losses, floor=None):
    """Loss against the step, 1 for a network that answers 0; under it the exact floor, where the data's law is known."""
    fig = figure(9, 5)
    ax = fig.subplots()
    ax.plot(steps, losses, color=BLUE, lw=2, label="network")
    ax.axhline(1, color=GREY, lw=1.5, ls="--", label="answering 0")
    if floor is not None:
        ax.axhline(floor, color=ORANGE, lw=2, label="perfect denoiser")
    ax.set(xlabel="training step", ylabel="loss (1: the network answers 0)", ylim=(0, 1.15))
    ax.set_title("Training" if floor is None else "What is left to learn")
    fig.legend(frameon=False, loc="outside right center")
    return fig


@styled
def elbo_by_t(found, d):
    """L_0, ..., L_T in bits a coordinate, network and perfect denoiser, and what of the latter's is lost, not needed.

    Below, where there is a perfect denoiser: the bits that the network's bound loses more, which its curve is too near to show.
    """
    T = len(found["network"]["terms"]) - 1
    bits = lambda who, key: np.array(found[who][key]) / (d * np.log(2))  # noqa: E731
    fig, L = figure(10, 9 if "exact" in found else 5.6), bits("network", "terms")
    ax, *below = fig.subplots(1 + ("exact" in found), 1, sharex=True, squeeze=False)[:, 0]
    for who, label, key, color, line in (
        ("exact", "perfect denoiser", "terms", ORANGE, "-"),
        ("network", "network", "terms", BLUE, "--"),
        ("exact", "lost by the perfect denoiser", "gap", GREEN, "-"),
    ):
        if who in found:
            y = bits(who, key)
            ax.plot(np.arange(1, T), np.where(y > 0, y, np.nan)[1:-1], line, color=color, lw=2.5, label=label)
            ax.plot([0, T], np.abs(y[[0, T]]), "o", color=color, ms=8, mfc="none")
    for k, name in ((0, "L_0"), (T, "L_T")):  # L_0 of a density may be below 0, where a log axis ends
        label = f"{'-' * bool(L[k] < 0)}{name} = {abs(L[k]):.3g}"
        ax.annotate(label, (k, abs(L[k])), (10, 0), textcoords="offset points", va="center", color=BLUE)
    ax.set(yscale="log", ylabel="bits a coordinate", title="Where the bits are: the ELBO's terms L_k")
    ax.set_xscale("symlog", linthresh=1)
    ax.set_xlim(-0.3, 10 * T)
    ax.legend(frameon=False)
    for ax in below:
        ax.plot(np.arange(T + 1), np.cumsum(L - bits("exact", "terms")), color=BLUE, lw=2.5)
        ax.axhline(0, color=ORANGE, lw=2.5)
        ax.set(ylabel="bits a coordinate", title="Network minus perfect denoiser, added up from L_0 to L_k")
    ax.set_xlabel("k")
    return fig


@styled
def claimed_and_measured(curves, points, xlabel, ylabel, title, latex):
    """A formula against its oracle: curves {caption: (x, y, wrong?)}, points (x, y) measured without the formula."""
    fig = figure(10, 8)
    ax = fig.subplots()
    wrong_colors = itertools.cycle(("#CC79A7", "#E69F00", GREEN, GREY))
    for caption, (x, y, wrong) in curves.items():
        color, wrapped = next(wrong_colors) if wrong else BLUE, textwrap.fill(caption, 105)
        ax.plot(x, y, "--" if wrong else "-", color=color, lw=1.5 if wrong else 2.5, label=wrapped)
    ax.plot(*points, "o", color=ORANGE, ms=9, label="measured")
    ax.set(title=title, ylabel=ylabel)
    ax.set_xlabel(textwrap.fill(xlabel, 105), fontsize=12)
    fig.legend(frameon=False, fontsize=11, loc="outside lower left")
    fig.suptitle(f"${latex}$")
    return fig
