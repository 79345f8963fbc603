"""Forward noising: simulate the chain step by step, and compare it with the closed form.

Dots: the mean and the standard deviation of x_t over many chains. Lines: sqrt(ab_t) x_0 and sqrt(1 - ab_t).
"""

import numpy as np

from minidiff.fast import noise_chain
from minidiff.fast.noise import RowNoise
from minidiff.runs import figures
from minidiff.schedule import cosine, linear


@figures.styled
def main(steps=1000, seed=0, chains=2000, out="runs/01_forward_noising.png"):
    """`steps` is T. Returns the figure's path."""
    fig = figures.figure(11, 4.8)
    axes = fig.subplots(1, 2, sharey=True)
    x_0 = 1.7
    for ax, build in zip(axes, (linear, cosine)):
        schedule = build(steps)
        times = np.unique(np.linspace(0, steps, 21).astype(int))
        x = noise_chain(schedule, np.full((chains, 1), x_0), times, RowNoise(seed))[:, :, 0]
        t, ab = np.arange(steps + 1), schedule.alpha_bar
        ax.plot(t, np.sqrt(ab) * x_0, color=figures.BLUE, lw=2, label="mean: sqrt(ab_t) x_0")
        ax.plot(t, np.sqrt(1 - ab), color=figures.ORANGE, lw=2, label="std: sqrt(1 - ab_t)")
        ax.plot(times, x.mean(axis=1), "o", color=figures.BLUE)
        ax.plot(times, x.std(axis=1), "o", color=figures.ORANGE)
        ax.set(title=f"{build.__name__} schedule", xlabel="t")
    axes[0].legend(frameon=False)
    fig.suptitle(f"{chains} simulated chains (dots) and the closed form (lines), x_0 = {x_0}")
    return figures.save(fig, out)


if __name__ == "__main__":
    print("wrote", main())
