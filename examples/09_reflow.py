"""Crossing lines bend a flow, and reflow straightens it.

Left: training pairs noise and data at random, so the lines cross. Middle: where lines cross the network learns their
average, so its own paths bend. Right: a second network learns from the pairs that the first one made. They do not cross,
its paths are nearly straight, and one Euler step goes almost all the way.
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
    model = MLP(2)
    state = start(model, seed)
    goal = Goal(flow.velocity_prediction)
    for _ in train(model, state, linear(), data, steps=steps, batch=256, lr=2e-3, goal=goal, noise=noise):
        pass
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
    middle = (np.arange(20) + 0.5) / 20
    fig = figures.figure(15, 5.4)
    axes = fig.subplots(1, 3, sharey=True)
    for a, b in zip(x_0[:60], x_1[:60]):
        axes[0].plot(*np.stack([a, b]).T, color=figures.GREY, lw=1)
    axes[0].set_title("the training pairs cross")
    for ax, u, pairs, name in ((axes[1], first, x_1, "first flow"), (axes[2], second, made, "after reflow")):
        path = np.stack([x_0[:60], *flow.sample(u, x_0[:60], np.linspace(0, 1, 41))])
        ax.plot(path[:, :, 0], path[:, :, 1], color=figures.BLUE, lw=1)
        ax.plot(*flow.reflow(u, x_0[:60], 1, lambda u, x, t, s: x + (s - t) * u(x, t)).T, "o", color=figures.ORANGE, ms=4)
        ax.set_title(f"{name}: straightness {flow.straightness(u, x_0, pairs, middle):.2f}")
    for ax in axes:
        ax.set(xlim=(-3, 3.2), ylim=(-3, 3), xticks=[], yticks=[])
    fig.suptitle("Flow matching: blue are the learnt paths, orange the ends of one Euler step (straightness: 0 is straight)")
    return figures.save(fig, out)


if __name__ == "__main__":
    print("wrote", main())
