"""Crossing lines bend a flow, and reflow straightens it.

Left: training pairs noise and data at random, so the lines cross. Middle: where lines cross the network learns their
average, so its own paths bend. Right: a second network learns from the pairs that the first one made. They do not cross,
its paths hardly bend (bend is flow.straightness, 0 for straight lines), and one Euler step goes almost all the way.
"""

import numpy as np

from minidiff.continuous import flow
from minidiff.fast import train
from minidiff.mlp import MLP
from minidiff.noise import SAMPLE, stream
from minidiff.runs import figures
from minidiff.schedule import linear
from minidiff.train import Goal, start

ENDS = np.array([[2.0, 1.2], [2.0, -1.2]])  # two places, right of two others


def taught(data, noise, steps, seed):
    """A velocity, learnt from pairs of noise and data (or, where noise is None, from all pairs)."""
    model, goal = MLP(2), Goal(flow.velocity_prediction)
    *_, state = train(
        model, start(model, seed), linear(), data, steps=steps, batch=256, lr=2e-3, goal=goal, noise=noise
    )
    return flow.velocity_of(model.eps_theta(state.ema))


@figures.styled
def main(steps=3000, seed=0, n=4000, out="runs/09_reflow.png"):
    """`steps` of training for each network. Returns the figure's path."""
    rng = stream(seed, SAMPLE)
    x_1 = (ENDS[rng.integers(2, size=n)] + 0.12 * rng.standard_normal((n, 2))).astype(np.float32)
    x_0 = rng.standard_normal((n, 2)).astype(np.float32)
    first = taught(x_1, None, steps, seed)
    made = flow.reflow(first, x_0, 20)
    second = taught(made, x_0, steps, seed + 1)
    fig = figures.figure(11, 4.9)
    axes, panels = fig.subplots(1, 3, sharey=True), {"pairs at random cross": np.stack([x_0[:40], x_1[:40]])}
    for name, u, pairs in (("first flow", first, x_1), ("after reflow", second, made)):
        bend = flow.straightness(u, x_0, pairs, (np.arange(20) + 0.5) / 20)
        panels[f"{name}: bend {bend:.4f}"] = np.stack(
            [x_0[:40], *flow.sample(u, x_0[:40], np.linspace(0, 1, 41))]
        )
    for ax, (title, path) in zip(axes, panels.items()):
        ax.plot(path[:, :, 0], path[:, :, 1], color=figures.BLUE, lw=1)
        for name, where, color, marker, x in (
            ("noise", 0, figures.GREY, "o", -2.8),
            ("data", -1, figures.ORANGE, "s", 2),
        ):
            ax.plot(*path[where].T, marker, color=color, ms=4)
            ax.text(x, -2.7, name, color=color)
        ax.set(
            title=title, xlim=(-3, 4), ylim=(-3, 3.2), xticks=[-2, 0, 2], yticks=[-2, 0, 2], xlabel="$x_1$"
        )
    look = figures.STYLES["euler"] | {"ls": "", "ms": 7, "mec": "black", "mew": 0.7, "zorder": 3}
    for ax, u in zip(axes[1:], (first, second)):
        ax.plot(*(x_0[:40] + u(x_0[:40], 0.0)).T, **look)
        ax.text(3.9, 2.5, "\N{WHITE DOWN-POINTING TRIANGLE} one Euler step", ha="right")
    axes[0].set_ylabel("$x_2$")
    fig.suptitle("Reflow straightens the paths: one Euler step goes almost all the way")
    return figures.save(fig, out)


if __name__ == "__main__":
    print("wrote", main())
