"""Figures of numbers, curves with their names; nothing is computed here."""

import itertools
import re
import textwrap

import numpy as np

from ..exact import Mixture
from ..noise import SAMPLE, stream
from ..runs.checkpoint import Run
from ..runs.figures import BLUE, GREEN, GREY, ORANGE, STYLES, figure, say, side_by_side, styled
from ..runs.plots import curve
from ..runs.training import data_of
from ..schedule import Schedule
from . import typeset

LOOKS = [
    {"color": color, "marker": marker, "ls": line}
    for color, marker, line in zip((BLUE, ORANGE, GREEN, GREY), "osD^", ("-", "--", "-.", ":"))
]


def named(ax, lines, **axes):
    """Draws the curves {name: (x, y)} with their names at their right ends, apart where they would touch.

    Where all end in one place below their highest points, these have the names. Curves of many points have 8
    markers. A name that is a sampler's, up to a colon, gets its look, others get looks in order.
    axes: what ax.set takes.
    """
    looks = iter(LOOKS)
    for name, (x, y) in lines.items():
        look = STYLES.get(name.split(":")[0]) or next(looks)
        ax.plot(x, y, label=name, lw=2.5, ms=8, markevery=1 if len(x) <= 30 else len(x) // 8, **look)
    ax.set(**axes)
    ax.minorticks_off()
    curves = ax.lines[-len(lines) :]
    at_end, at_top = [-1] * len(lines), [np.nanargmax(line.get_ydata()) for line in curves]
    ends, tops = _on_paper(ax, curves, at_end), _on_paper(ax, curves, at_top)
    near = 0.05 * ax.bbox.height * 72 / ax.figure.dpi
    one_end = np.ptp(ends[:, 1]) < near < min(tops[:, 1] - ends[:, 1])
    top = one_end and np.ptp(tops, axis=0).max() > 20
    if top:
        ax.margins(y=0.15)
        ends = _on_paper(ax, curves, at_top)
    heights, order = ends[:, 1].copy(), np.argsort(ends[:, 1])
    for _ in range(100):
        for low, high in itertools.combinations(order, 2):
            overlap = 20 - (heights[high] - heights[low])
            if overlap > 0 and not (top and abs(ends[high, 0] - ends[low, 0]) > 120):
                heights[low] -= overlap / 2
                heights[high] += overlap / 2
    right, up, *side = (0, 8, "center", "bottom") if top else (12, 0, "left", "center")
    for line, k, up_to in zip(curves, at_top if top else at_end, up + heights - ends[:, 1]):
        say(ax, line.get_label(), line.get_xydata()[k], (right, up_to), *side, "data", line.get_color())


def _on_paper(ax, curves, where):
    """Where a point of each curve lies on paper, in typographic points: known when the layout is done."""
    ax.figure.draw_without_rendering()
    points = [line.get_xydata()[k] for line, k in zip(curves, where)]
    return ax.transData.transform(points) * 72 / ax.figure.dpi


@styled
def elbo_by_t(found, d):
    """L_0, ..., L_T in bits a coordinate, network and perfect denoiser, and what of the latter's is lost.

    Below, where there is a perfect denoiser: the bits that the network's bound loses more.
    """
    wanted = [("network", "terms"), ("exact", "terms"), ("exact", "gap")][: 1 + 2 * ("exact" in found)]
    L, *exact = bits = [np.array(found[who][key]) / (d * np.log(2)) for who, key in wanted]
    fig, at, T = figure(10, 9 if exact else 5.6), np.arange(len(L)), len(L) - 1
    ax, *below = fig.subplots(1 + bool(exact), 1, sharex=True, squeeze=False)[:, 0]
    names = ("network", "perfect denoiser", "lost by the perfect denoiser")
    for y, name, color, line, z in zip(bits, names, (BLUE, ORANGE, GREEN), ("--", "-", "-."), (3, 2, 2)):
        ax.plot(at[1:-1], np.where(y > 0, y, np.nan)[1:-1], line, color=color, lw=2.5, label=name, zorder=z)
        ax.plot([0, T], np.abs(y[[0, T]]), "o", color=color, ms=8, mfc="none")
    for k, name in ((0, "L_0"), (T, "L_T")):  # L_0 of a density may be below 0, where a log axis ends
        words = f"${'-' * bool(L[k] < 0)}{name}$ = {abs(L[k]):.2g}"
        say(ax, words, (k, abs(L[k])), (10, 0), "left", on="data", color=BLUE)
    most = np.abs(L).max()
    ax.set(yscale="log", ylim=(1e-9 * most, 5 * most), ylabel="bits a coordinate")
    ax.set_title("Where the bits are: the ELBO's terms $L_k$")
    ax.set_xscale("symlog", linthresh=1)
    ax.set(xlim=(-0.3, 10 * T), xticks=[0] + [10**k for k in range(8) if 10**k <= T])
    ax.xaxis.set_major_formatter("{x:,.0f}")
    ax.legend(frameon=False, labelcolor="linecolor", loc="lower left")
    for ax in below:
        more = np.cumsum(L - exact[0])
        ax.plot(at, more, color=BLUE, lw=2.5)
        say(ax, f"{more[-1]:+.2g} in all", (T, more[-1]), (10, 0), "left", on="data", color=BLUE)
        ax.axhline(0, color=ORANGE, lw=2.5)
        title = "Network minus perfect denoiser, added up from $L_0$ to $L_k$"
        ax.set(ylabel="bits a coordinate", title=title)
    ax.set_xlabel("k")
    return fig


def _wrapped(text, width):
    """Plain text with its letters as mathematics, each counted as a short word, in lines of so many signs."""
    text = typeset.words(text)
    letters = iter(re.findall(r"\$[^$]*\$", text))
    lines = textwrap.fill(re.sub(r"\$[^$]*\$", "\0" * 3, text), width)
    return re.sub("\0+", lambda _: next(letters), lines)


@styled
def claimed_and_measured(curves, points, axes, title, latex):
    """A formula against its oracle: curves {caption: (x, y, wrong?)}, points (x, y) measured without it.

    axes: their labels, and ylim: the heights that a wrong version may leave. The captions stand below.
    """
    captions = [_wrapped(caption, 90) for caption in curves]
    fig = figure(10, 5.6 + 0.25 * sum(1 + caption.count("\n") for caption in captions))
    ax, looks = fig.subplots(), iter(LOOKS[1:])
    for caption, (x, y, wrong) in zip(captions, curves.values()):
        look = next(looks) if wrong else {"color": BLUE, "lw": 3, "zorder": 3}
        ax.plot(x, y, label=caption, **look)
    look = {"color": "black", "ms": 11, "mfc": "none", "mew": 2, "zorder": 4}
    ax.plot(*points, "o", label="measured, without the formula", **look)
    ax.set(**axes | {"ylim": np.clip(ax.get_ylim(), *axes["ylim"])}, title=_wrapped(title, 70))
    ax.locator_params(axis="y", nbins=5, steps=[1, 2, 5, 10])
    look = {"fontsize": 14, "labelcolor": "linecolor", "handlelength": 3, "borderpad": 0, "frameon": False}
    fig.legend(loc="outside lower left", **look)
    head = fig.suptitle(typeset.formula(latex), fontsize=22)
    fig.draw_without_rendering()
    head.set_size(min(22, 22 * 0.97 * fig.bbox.width / head.get_window_extent().width))
    return fig


@styled
def limits_reached(shares, title):
    """A bar for each piece of work, as long as its share of its limit: {name: (share, in words)}."""
    fig = figure(10, 1.6 + 0.5 * len(shares), title)
    ax = fig.subplots()
    for k, (name, (share, words)) in enumerate(shares.items()):
        color = ORANGE if "training" in name else GREY if "noising" in name else BLUE
        ax.barh(-k, share, color=color)
        say(ax, words or "no limit is known", (share, -k), (6, 0), "left", on="data")
    ax.axvline(1, color=GREY, ls="--")
    ax.set(yticks=range(0, -len(shares), -1), yticklabels=shares, ylabel="work", xlabel="share of the limit")
    ax.set_xlim(0, 1.9 * max(1, *(share for share, _ in shares.values())))
    ax.tick_params(axis="y", labelsize=13)
    return fig


@styled
def draw(thing):
    """A schedule's shares of picture and noise, samples of a mixture, or a run's training curve."""
    if isinstance(thing, Schedule):
        t, ab, title = np.arange(thing.T + 1), thing.alpha_bar, f"What $x_t$ is made of, T = {thing.T}"
        shares = {"of the picture": (t, np.sqrt(ab)), "of the noise": (t, np.sqrt(1 - ab))}
        fig = figure(10, 5.6)
        named(fig.subplots(), shares, title=title, xlabel="t", ylabel="share")
        return fig
    if isinstance(thing, Mixture):
        x_0 = thing.sample(2000, stream(0, SAMPLE))
        return side_by_side({"2,000 samples": x_0}, (2,), "A mixture of Gaussians")
    if isinstance(thing, Run):
        return curve(thing, data_of(thing))
    raise TypeError(f"what is drawn is a schedule, a mixture or a run, got {type(thing).__name__}")
