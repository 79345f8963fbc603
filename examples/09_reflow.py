"""Crossing lines bend a flow, and reflow straightens it.

Left: training pairs noise and data at random, so the lines cross. Middle: a network learns their average; its
own paths bend. Right: another learns from the pairs that the first one made. They do not cross, nor bend.
"""

from functools import partial
from itertools import islice

import numpy as np

from minidiff import MLP, fast, figures, flow, optim
from minidiff.noise import INIT, SAMPLE, stream
from minidiff.runs.batches import batches


def taught(data, noise, steps, seed):
    """A velocity, learnt from pairs of noise and data (or, where noise is None, from all pairs)."""
    model, process = MLP(2), flow.Straight()
    state = optim.start(model.init(stream(seed, INIT)))
    shown = islice(batches(data, process, seed, batch=256, noise=noise), steps)
    how = {"objective": flow.velocity_prediction, "update": partial(optim.update, lr=2e-3)}
    for _ in fast.train(model, state, process, shown, **how):
        pass
    return flow.velocity_of(model.eps_theta(state.ema))


@figures.styled
def main(steps=3000, seed=0, n=4000, out="runs/09_reflow.png"):
    """`steps` of training for each network. Returns the figure's path."""
    rng, u, walks = stream(seed, SAMPLE), [], {}
    ends = np.array([[2.0, 1.2], [2.0, -1.2]])[rng.integers(2, size=n)]  # two places, right of the noise
    x_1 = (ends + 0.12 * rng.standard_normal((n, 2))).astype(np.float32)
    x_0 = rng.standard_normal((n, 2)).astype(np.float32)
    walks["pairs at random cross"] = np.stack([x_0[:40], x_1[:40]])
    for name, noise in (("first flow", None), ("after reflow", x_0)):
        u.append(taught(x_1, noise, steps, seed + len(u)))
        bend = flow.straightness(u[-1], x_0, x_1, (np.arange(20) + 0.5) / 20)
        walked = flow.sample(u[-1], x_0[:40], np.linspace(0, 1, 41))
        walks[f"{name}: bend {bend:.4f}"] = np.stack([x_0[:40], *walked])
        x_1 = flow.reflow(u[-1], x_0, 20)
    fig = figures.figure(11, 4.9, "Reflow straightens the paths: one Euler step goes almost all the way")
    for ax, (title, path) in zip(fig.subplots(1, 3, sharey=True), walks.items()):
        ax.plot(path[:, :, 0], path[:, :, 1], color=figures.BLUE, lw=1)
        for name, k, mark, color in (("noise", 0, "o", figures.GREY), ("data", -1, "s", figures.ORANGE)):
            ax.plot(*path[k].T, mark, color=color, ms=4)
            ax.text(2 if k else -2.8, -2.7, name, color=color)
        ax.set(title=title, xlabel="$x_1$", xlim=(-3, 4), ylim=(-3, 3.2), xticks=[-2, 0, 2])
    look = figures.STYLES["euler"] | {"ls": "", "ms": 7, "mec": "black", "zorder": 3}
    for ax, velocity in zip(fig.axes[1:], u):
        ax.plot(*(x_0[:40] + velocity(x_0[:40], 0.0)).T, **look)
        ax.text(3.9, 2.5, "\N{WHITE DOWN-POINTING TRIANGLE} one Euler step", ha="right")
    fig.axes[0].set_ylabel("$x_2$")
    return figures.save(fig, out)


if __name__ == "__main__":
    print("wrote", main())
