"""Ideas that one picture shows. Each function takes things of the library and returns a figure."""

import numpy as np

from ..cli.pictures import named
from ..runs.figures import BLUE, GREY, ORANGE, figure, styled


@styled
def right_angle(schedule, times):
    """x_t for x_0 and eps of length 1 at a right angle: sqrt(ab_t) along x_0, sqrt(1 - ab_t) along eps."""
    fig = figure(6.6, 6.2)
    ax, turn = fig.subplots(), np.linspace(0, np.pi / 2, 100)
    ax.plot(np.cos(turn), np.sin(turn), color=GREY, lw=1.5)
    for k, t in enumerate(times):
        x, y = np.sqrt(schedule.alpha_bar[t]), np.sqrt(1 - schedule.alpha_bar[t])
        ax.annotate(
            "",
            (x, y),
            (0, 0),
            arrowprops={"arrowstyle": "-|>", "color": BLUE, "lw": 2.5, "shrinkA": 0, "shrinkB": 0},
        )
        ax.text(1.05 * x, 1.05 * y, f"t = {t}", color=BLUE, va="center")
        if k == len(times) // 2:
            ax.plot([x, x], [0, y], "--", color=ORANGE, lw=2)
            ax.plot([0, x], [0, 0], color=GREY, lw=5, solid_capstyle="butt")
            ax.text(x / 2, -0.05, r"$\sqrt{\bar\alpha_t}$", ha="center", va="top", color=GREY, fontsize=18)
            ax.text(x + 0.03, y / 2, r"$\sqrt{1-\bar\alpha_t}$", va="center", color=ORANGE, fontsize=18)
    ax.set(xlim=(-0.02, 1.3), ylim=(-0.16, 1.12), aspect="equal", xticks=[0, 1], yticks=[0, 1])
    title = "Two sides of a right angle: the length stays 1"
    ax.set(xlabel="share of the picture x_0", ylabel="share of the noise eps", title=title)
    return fig


@styled
def compass(mixture, schedule, times, limit=3.2):
    """The score at each time as arrows over the density: they point to where data are likelier."""
    fig = figure(11, 1 + 10.8 / len(times))
    x = np.linspace(-limit, limit, 120)
    fine = np.stack(np.meshgrid(x, x), axis=-1).reshape(-1, 2)
    coarse = np.stack(np.meshgrid(x[4::8], x[4::8]), axis=-1).reshape(-1, 2)
    for ax, t in zip(fig.subplots(1, len(times), sharey=True), times):
        p = np.exp(mixture.log_prob(schedule, fine, t)).reshape(len(x), len(x))
        ax.contourf(x, x, p, levels=np.linspace(0.02, 1.02, 9) * p.max(), cmap="Blues")
        s = mixture.score(schedule, coarse, t)
        size = np.linalg.norm(s, axis=1, keepdims=True)
        ax.quiver(*coarse.T, *(s / size * np.minimum(size, 3) ** 0.5).T, color=ORANGE, width=0.007, scale=24)
        ax.set(
            xlim=(-limit, limit),
            ylim=(-limit, limit),
            aspect="equal",
            xlabel="$x_1$",
            xticks=[-2, 0, 2],
            yticks=[-2, 0, 2],
        )
        ax.set_title(f"t = {t}: noise {np.sqrt(1 - schedule.alpha_bar[t]):.2f}")
    fig.axes[0].set_ylabel("$x_2$")
    fig.suptitle("The score is a compass: wherever you stand, it points to where data are likelier")
    return fig


@styled
def paths(panels, title, names=("noise", "data")):
    """Walks in one dimension against time: panels is {caption: x (times, walkers)}; the ends are marked."""
    fig = figure(5.2 * len(panels), 5)
    for ax, (caption, x) in zip(fig.subplots(1, len(panels), sharey=True, squeeze=False)[0], panels.items()):
        ax.plot(np.linspace(0, 1, len(x)), x, color=BLUE, lw=1, alpha=0.6)
        ax.plot(np.zeros(x.shape[1]), x[0], "o", color=GREY, ms=4)
        ax.plot(np.ones(x.shape[1]), x[-1], "s", color=ORANGE, ms=4)
        ax.set(title=caption, xlabel="time", xticks=[0, 1], xticklabels=names)
    fig.axes[0].set_ylabel("x")
    fig.suptitle(title)
    return fig


@styled
def curves(lines, title, xlabel, ylabel, **axes):
    """Curves {name: (x, y)}, told apart by colour, marker and line, with their names at their ends."""
    fig = figure(10, 5.6)
    named(fig.subplots(), lines, title=title, xlabel=xlabel, ylabel=ylabel, **axes)
    return fig


@styled
def side_by_side(right, wrong, title, below):
    """Two sets of points on the axes of the first; what lies outside them is counted."""
    fig, limit = figure(10, 5.9), 1.15 * np.abs(right).max()
    for ax, caption, x, color, marker in zip(
        fig.subplots(1, 2), ("right", "wrong"), (right, wrong), (BLUE, ORANGE), "ox"
    ):
        outside = np.sum(~np.all(np.abs(x) <= limit, axis=1))
        ax.scatter(*x.T, s=14, color=color, marker=marker, lw=0 if marker == "o" else 1, alpha=0.6)
        ax.set(
            xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal", xticks=[-1, 0, 1], yticks=[-1, 0, 1]
        )
        ax.set(
            xlabel="$x_1$",
            ylabel="$x_2$",
            title=caption + (f": {outside} of {len(x)} lie outside" if outside else ""),
        )
    fig.suptitle(title)
    fig.supxlabel(below, fontsize=13, family="monospace")
    return fig
