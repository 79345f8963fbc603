"""The score of a noisy mixture: arrows that point to more likely places, and the perfect denoiser eps*, against them.

Left to right the noise grows: at first each arrow points to the nearest cluster, in the end all point to the middle.
"""

import numpy as np

from minidiff import data
from minidiff.cli import figures
from minidiff.gaussian import q_sample
from minidiff.noise import DATA, stream
from minidiff.schedule import linear


@figures.styled
def main(steps=1000, seed=0, points=600, out="runs/02_exact_score.png"):
    """`steps` is T. Returns the figure's path."""
    schedule, rng = linear(steps), stream(seed, DATA)
    mixture = data.mixture()
    x_0 = mixture.sample(points, rng)
    axis = np.linspace(-2.4, 2.4, 12)
    grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    fig = figures.figure(13, 5.2)
    for ax, t in zip(fig.subplots(1, 3), (steps // 20, steps // 5, steps // 2)):
        x_t = q_sample(schedule, x_0, t, rng.standard_normal(x_0.shape))
        score, eps_star = mixture.score(schedule, grid, t), mixture.eps(schedule, grid, t)
        ax.scatter(*x_t.T, s=4, color=figures.GREY, alpha=0.5, linewidths=0)
        ax.quiver(*grid.T, *(score / np.linalg.norm(score, axis=1, keepdims=True)).T, color=figures.BLUE, scale=22, width=0.007)
        ax.quiver(*grid.T, *eps_star.T, color=figures.ORANGE, scale=50, width=0.004)
        ax.set(title=f"t = {t}, {schedule.alpha_bar[t]:.0%} left", xticks=[], yticks=[], aspect="equal")
        ax.set(xlim=(-2.7, 2.7), ylim=(-2.7, 2.7))
    fig.suptitle("Score (blue, its direction) and eps* = -sqrt(1 - ab_t) score (orange, its size too)")
    return figures.save(fig, out)


if __name__ == "__main__":
    print("wrote", main())
