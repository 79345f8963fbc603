"""The perfect learner can only draw its training set.

With N pictures as data, the function that minimises L_simple is known: eps* of a mixture of N points.
Sampling it, exactly and without training, gives back training pictures. What a real network makes that is new
comes from learning imperfectly.
"""

import numpy as np

from minidiff import data
from minidiff.evaluation.metrics import distances
from minidiff.exact import DataDenoiser
from minidiff.fast import RowNoise, generate
from minidiff.runs import figures
from minidiff.sampling import ddim_step, trailing
from minidiff.schedule import linear


@figures.styled
def main(steps=100, seed=0, n=24, out="runs/10_memorisation.png"):
    """`steps` of DDIM. Returns the figure's path."""
    (digits, _), schedule, rng = data.digits(), linear(), RowNoise(seed)
    x_T = rng.standard_normal((n, 64), np.float32)
    x_0 = generate(ddim_step(), DataDenoiser(digits, schedule), schedule, x_T, trailing(1000, steps), rng)
    D = distances(x_0, digits)
    apart = distances(digits, digits) + 1e9 * np.eye(len(digits), dtype=np.float32)
    panels = {"drawn from noise": x_0, "the nearest in the training set": digits[D.argmin(axis=1)]}
    fig = figures.side_by_side(panels, (8, 8), "A perfect score memorises: it draws the training set", 6)
    far, usual = D.min(axis=1).max(), np.median(apart.min(axis=1))
    fig.supxlabel(
        f"between left and right at most {far:.2f}; from a digit to its nearest {usual:.1f}", fontsize=15
    )
    return figures.save(fig, out)


if __name__ == "__main__":
    print("wrote", main())
