"""Forward noising: simulate the chain step by step, and compare it with the closed form.

Dots: the mean and the standard deviation of x_t over many chains. Lines: sqrt(ab_t) x_0 and sqrt(1 -
ab_t), with a band of two standard errors, sqrt(1 - ab_t) / sqrt(n) for the mean and 1 / sqrt(2) of that
for the other. Dots lie within it 19 times of 20, but neighbours leave together: they are the same
chains, a few steps later.
"""

import numpy as np

from minidiff.fast import RowNoise, noise_chain
from minidiff.runs import figures
from minidiff.schedule import cosine, linear


@figures.styled
def main(steps=1000, seed=0, chains=2000, out="runs/01_forward_noising.png"):
    """`steps` is T. Returns the figure's path."""
    fig, x_0 = figures.figure(11, 5.4), 1.7
    axes = fig.subplots(1, 2, sharey=True)
    times = np.unique(np.linspace(0, steps, 21).astype(int))
    for ax, build in zip(axes, (linear, cosine)):
        schedule = build(steps)
        x = noise_chain(schedule, np.full((chains, 1), x_0), times, RowNoise(seed))[:, :, 0]
        t, std = np.arange(steps + 1), np.sqrt(1 - schedule.alpha_bar)
        for line, error, dots, color, marker in (
            (np.sqrt(schedule.alpha_bar) * x_0, std / np.sqrt(chains), x.mean(axis=1), figures.BLUE, "o"),
            (std, std / np.sqrt(2 * chains), x.std(axis=1), figures.ORANGE, "s"),
        ):
            ax.plot(t, line, color=color, lw=1.5)
            ax.fill_between(t, line - 2 * error, line + 2 * error, color=color, alpha=0.3, lw=0)
            ax.plot(times, dots, marker, color=color, ms=5)
        ax.set(title=f"{build.__name__} schedule", xlabel="t, steps")
        ax.set(xticks=[0, steps // 2, steps], yticks=[0, 0.5, 1, 1.5])
    axes[0].text(0.25 * steps, 1.45, "mean", color=figures.BLUE)
    axes[0].text(steps, 1.08, "standard deviation", color=figures.ORANGE, ha="right")
    axes[0].set_ylabel("mean, standard deviation of $x_t$")
    fig.suptitle(f"Step by step ({chains:,} chains) or in one jump (lines): the same distribution")
    return figures.save(fig, out)


if __name__ == "__main__":
    print("wrote", main())
