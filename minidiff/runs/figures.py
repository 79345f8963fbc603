"""Arrays in, matplotlib figures out; nothing is computed here. Large type for projectors, colours that all eyes can tell apart.

letter   name    shape      meaning
         rows    (n, d)     pictures or points, as the model sees them
         shape              what a row looks like: (2,) is a point, (H, W) or (H, W, 3) a picture
"""

import io
import itertools
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
STYLES = {name: dict(zip(("color", "marker", "ls"), look)) for name, look in {  # a sampler's, the same in every figure
    "ddpm": (ORANGE, "s", "-"), "ddpm(beta)": (ORANGE, "D", "--"), "ddim": (BLUE, "o", "-"), "dpm-solver-1": (BLUE, "o", "-"),
    "euler": ("#56B4E9", "v", "--"), "heun": (GREEN, "^", "-"), "rk4": ("#000000", "P", "--"), "dpm-solver++": ("#E69F00", "X", "-."),
    "reverse-sde": ("#CC79A7", "*", "-."), "langevin": (GREY, "d", ":"),
}.items()}  # fmt: skip
styled = matplotlib.rc_context({"font.size": 15, "axes.titlesize": 16, "axes.spines.top": False, "axes.spines.right": False})


class Shown(Figure):
    """A Figure that any notebook shows, without a word about matplotlib."""

    @styled
    def _repr_png_(self):
        self.savefig(buffer := io.BytesIO(), format="png")
        return buffer.getvalue()


def figure(width, height, dpi=100):
    """An empty Figure that needs no display. Type is made for a width of 10: a wider one has smaller type on a slide."""
    fig = Shown(figsize=(width, height), layout="constrained", dpi=dpi)
    fig.get_layout_engine().set(h_pad=0.1, w_pad=0.1)
    FigureCanvasAgg(fig)
    return fig


def color_of(label):
    """The colour of a sampler, by its label, such as ddim(eta=0)."""
    return STYLES.get(label, STYLES[label.split("(")[0].removeprefix("flow ")])["color"]


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


def _draw(ax, rows, shape, columns, limit=None, color=BLUE, dot=10):
    """Draws rows as points up to limit, or as pictures `columns` a line: -1 is paper and 1 ink, of a colour -1 is black."""
    if shape == (2,):
        ax.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal", xticks=[], yticks=[])
        return ax.scatter(*rows.T, s=dot, color=color, alpha=0.5, linewidths=0)
    canvas = tiles(rows, shape, columns)
    canvas = canvas if canvas.ndim == 2 else np.clip((canvas + 1) / 2, 0, 1)
    ax.set_axis_off()
    return ax.imshow(canvas, cmap="gray_r", vmin=-1, vmax=1, interpolation="nearest")


def _title(fig, title):
    fig.suptitle(textwrap.fill(title, round(7.5 * fig.get_figwidth())))


def _names(ax, names, shape):
    """Names on the left of lines of pictures."""
    for k, name in enumerate(names):
        ax.text(-1, (k + 0.5) * (shape[0] + 1), name, ha="right", va="center")


@styled
def beside(panels, shape, title, columns=10, labels=(), colors=(GREY, BLUE, ORANGE, GREEN)):
    """Sets of rows beside each other: panels is {caption: rows}; pictures are drawn `columns` a line, a label for each."""
    n, points, limit = len(panels), shape == (2,), _limit(panels.values())
    width, lines = min(5 * n, 10), -(-max(map(len, panels.values())) // columns)
    side = width / n  # of a panel
    fig = figure(width, 1.2 + (side + 0.2 if points else min(lines / columns, 1.6) * side), 100 * max(1, n / 2))
    axes = fig.subplots(1, n, squeeze=False, sharey=points)[0]
    for ax, (caption, rows), color in zip(axes, panels.items(), itertools.cycle(colors)):
        _draw(ax, rows, shape, columns, limit, color)
        ax.set_title(caption if "\n" in caption else textwrap.fill(caption, round(6.5 * side)))
        if points:
            ticks = MaxNLocator(4, steps=[1, 2, 5, 10]).tick_values(-limit, limit)[1:-1]
            ax.set(xticks=ticks, yticks=ticks, xlabel="first coordinate")
    axes[0].set_ylabel("second coordinate" if points else "")
    _names(axes[0], labels, shape)
    _title(fig, title)
    return fig


@styled
def strip(path, captions, shape, title, head="", hats=None, color=BLUE):
    """How rows (n, d) change along a path: a column for each stage, its caption above; below it its x_0_hat, if there are hats.

    head stands before the captions. Each picture has a line of its own, with its x_0_hat directly below.
    """
    both, names = ([path], [""]) if hats is None else ([path, hats], ["$x_t$", "$\\hat x_0$"])
    n, m = len(path), len(path[0])
    above = {"textcoords": "offset points", "ha": "center", "va": "bottom", "annotation_clip": False}
    if shape == (2,):
        fig = figure(10, 1.5 + len(both) * 9.5 / n)
        axes = fig.subplots(len(both), n, squeeze=False)
        limit = _limit([path[0], path[-1]])
        for line, stages, name, shade in zip(axes, both, names, (color, GREEN)):
            for ax, rows in zip(line, stages):
                _draw(ax, rows, shape, 1, limit, shade, 5)
                ax.spines[:].set_visible(False)
            line[0].annotate(name, (0, 0.5), (-8, 0), xycoords="axes fraction", **above | {"ha": "right", "va": "center"})
        places = [(ax, (0.5, 1)) for ax in axes[0]]
    else:
        fig = figure(10, 1.5 + m * (len(both) * 9 / n + 0.15))
        axes = fig.subplots(m, 1, squeeze=False)
        for i, ax in enumerate(axes[:, 0]):
            _draw(ax, [stage[i] for stages in both for stage in stages], shape, n)
            _names(ax, names, shape)
        places = [(axes[0, 0], ((j + 0.5) / n, 1)) for j in range(n)]
    for (ax, place), caption in zip(places, captions):
        ax.annotate(caption, place, (0, 5), xycoords="axes fraction", **above)
    places[0][0].annotate(head, (0, 1), (-8, 5), xycoords="axes fraction", **above | {"ha": "right"})
    _title(fig, title)
    return fig


@styled
def lines(sets, names, shape, title):
    """Equally large sets of pictures, a line for each with its name on the left, so that columns can be compared.

    A set may also be words, one a column.
    """
    n, paper = len(sets[0]), -np.ones(shape) if len(shape) == 2 else np.ones(shape)
    fig = figure(10, 0.9 + 8.3 / max(n, 10) * len(sets) * shape[0] / shape[1])
    ax = fig.subplots()
    words = [isinstance(rows[0], str) for rows in sets]
    _draw(ax, [x for rows, said in zip(sets, words) for x in ([paper] * n if said else rows)], shape, n)
    for k, (rows, said) in enumerate(zip(sets, words)):
        for j, word in enumerate(rows if said else ()):
            ax.text((j + 0.5) * (shape[1] + 1), (k + 0.3) * (shape[0] + 1), word, ha="center", va="center")
    _names(ax, names, shape)
    _title(fig, title)
    return fig


class _Pausing(PillowWriter):
    """Few colours, which keeps the file small, and a pause at both ends."""

    def finish(self):
        frames = [frame.convert("RGB").quantize(48) for frame in self._frames]
        times = [700, *[round(1000 / self.fps)] * (len(frames) - 2), 2500]
        frames[0].save(self.outfile, save_all=True, append_images=frames[1:], duration=times[-len(frames) :], loop=0)


@styled
def trajectory(panels, shape, gif, seconds=5):
    """Writes panels {name: (stages, their captions, colour)} side by side as a GIF that pauses at its end; returns where it is."""
    n, frames = len(panels), len(next(iter(panels.values()))[0])
    fig = Figure(figsize=(8, 1 + 8 / n), dpi=100)  # no layout: working it out anew for each frame would take most of the time
    axes, limit = (
        fig.subplots(1, n, squeeze=False)[0],
        _limit([ends for path, *_ in panels.values() for ends in path[:: len(path) - 1]]),
    )
    fig.subplots_adjust(0.01, 0.01, 0.99, 1 - 0.9 / (1 + 8 / n), 0.03)
    writer = _Pausing(fps=frames / seconds)
    for ax, (name, (path, _, color)) in zip(axes, panels.items()):
        _draw(ax, path[0], shape, 6, limit, color)
        ax.spines[:].set_visible(False)
    with replacing(gif) as unfinished, writer.saving(fig, unfinished, 100):
        for k in range(frames):
            for ax, (name, (path, captions, color)) in zip(axes, panels.items()):
                ax.set_title(f"{name}\n{captions[k]}", color=color if shape == (2,) or n > 1 else "black")
                if shape == (2,):
                    ax.collections[0].set_offsets(path[k])
                else:
                    ax.images[0].set_data(tiles(path[k], shape, 6))
            writer.grab_frame()
    return gif


@styled
def training_curve(losses, steps, means, floor=None, looks=(), shape=None):
    """Losses of all steps, and their means around some; 1 is a network that answers 0, floor the least, where it is known.

    Above the curve what was drawn [(step, rows)] on the way, where there is something to look at.
    """
    seen = [(max(step, 1), rows) for step, rows in looks if drawable(shape)]
    fig = figure(10, 5.6 + bool(seen))
    ax, last = fig.subplots(), len(losses)
    ax.plot(np.arange(1, last + 1), losses, color=BLUE, lw=0.5, alpha=0.35)
    ax.plot(steps, means, color=BLUE, lw=3)
    ends = [min([*means, floor or 1]), max(*means, 1)]
    ratio = ends[1] / ends[0]
    ax.set(xscale="log", xlim=(1, max(last, 2)), xlabel="training step", ylabel="loss (1: the network answers 0)")
    if ratio > 10:
        ax.set(yscale="log", ylim=(ends[0] / ratio**0.15, ends[1] * ratio**0.15))
    else:
        ax.set_ylim(1.15 * ends[0] - 0.15 * ends[1], 1.15 * ends[1] - 0.15 * ends[0])
    ax.annotate("network", (last, means[-1]), (8, 0), textcoords="offset points", va="center", color=BLUE)
    known = [(1, "answering 0", GREY, "--", "bottom")] + [(floor, "perfect denoiser: the floor", ORANGE, "-", "top")] * (
        floor is not None
    )
    for y, name, color, line, side in known:
        ax.axhline(y, color=color, lw=2, ls=line)
        ax.annotate(name, (1, y), (6, 4 if side == "bottom" else -4), textcoords="offset points", va=side, color=color)
    limit = _limit([rows for _, rows in seen]) if seen and shape == (2,) else None
    for step, rows in seen:
        at = np.log(step) / np.log(max(last, 2))
        inset = ax.inset_axes([at - 0.05, 1.04, 0.1, 0.2])
        _draw(inset, rows[:4] if len(shape) > 1 else rows[:300], shape, 2, limit, dot=2)
        inset.set_anchor("S")
        ax.axvline(step, color=GREY, lw=0.8, alpha=0.5)
    _title(fig, "Learning: the same noise, drawn on the way" if seen else "Learning")
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
