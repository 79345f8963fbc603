"""The perfect learner can only draw its training set.

With N pictures as data, the function that minimises L_simple is known: eps* of a mixture of N points. Sampling it, exactly
and without training, gives back training pictures. What a real network makes that is new comes from learning imperfectly.
"""

import numpy as np

from minidiff import data
from minidiff.continuous.sde import DataDenoiser
from minidiff.fast.distances import distances
from minidiff.fast.noise import RowNoise
from minidiff.fast.sampling import generate
from minidiff.runs import figures
from minidiff.sample import ddim, trailing
from minidiff.schedule import linear


@figures.styled
def main(steps=100, seed=0, n=24, out="runs/10_memorisation.png"):
    """`steps` of DDIM. Returns the figure's path."""
    digits, schedule, rng = data.digits(), linear(), RowNoise(seed)
    x_T = rng.standard_normal((n, 64), np.float32)
    x_0 = generate(ddim(), DataDenoiser(digits.x, schedule), schedule, x_T, trailing(1000, steps), rng)
    D = distances(x_0, digits.x)
    nearest = D.argmin(axis=1)
    apart = distances(digits.x, digits.x) + 1e9 * np.eye(len(digits.x), dtype=np.float32)
    fig = figures.figure(12, 5)
    for ax, rows, title in zip(
        fig.subplots(1, 2),
        (x_0, digits.x[nearest]),
        ("drawn with the perfect score of the data set", "nearest training pictures"),
    ):
        ax.imshow(figures.tiles(rows, (8, 8), 6), cmap="gray_r", vmin=-1, vmax=1)
        ax.set_axis_off()
        ax.set_title(title)
    far = f"distance to the nearest: at most {D.min(axis=1).max():.2f}"
    fig.suptitle(f"{far} (between real digits {np.median(apart.min(axis=1)):.1f})")
    return figures.save(fig, out)


if __name__ == "__main__":
    print("wrote", main())
