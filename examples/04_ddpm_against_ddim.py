"""DDPM against DDIM with the perfect denoiser: what the number of steps costs, with no network to blame.

The data are N(0.8, 0.6^2), so evaluation/recursion.py gives the standard deviation of the samples exactly:
nothing is sampled.
"""

import numpy as np

from minidiff.evaluation.recursion import moments
from minidiff.learn.ideas import curves
from minidiff.runs.figures import save, styled
from minidiff.sampling import beta_of_step, ddim_step, ddpm_step, trailing
from minidiff.schedule import linear


@styled
def main(steps=1000, seed=0, out="runs/04_ddpm_against_ddim.png"):
    """`steps` is T; there is nothing random, so the seed changes nothing. Returns the figure's path."""
    schedule, std = linear(steps), 0.6
    counts = [S for S in (5, 10, 20, 50, 100, 200, 500, 1000) if S <= steps]
    made = {"ddpm(beta)": ddpm_step(beta_of_step), "ddpm": ddpm_step(), "ddim": ddim_step()}
    lines = {}
    for name, step in made.items():
        covs = [moments(step, schedule, [0.8], [[std**2]], trailing(steps, S))[1][-1] for S in counts]
        lines[name] = counts, np.sqrt(np.ravel(covs))
    fig = curves(
        lines,
        "Even a perfect denoiser misses the data's spread in few steps",
        "steps, each one evaluation of the denoiser",
        "standard deviation of the samples",
        xscale="log", xticks=counts, xticklabels=counts,
    )  # fmt: skip
    fig.axes[0].plot(counts, [std] * len(counts), color="black", lw=1.5)
    fig.axes[0].text(counts[0], std + 0.005, "the data's", va="bottom")
    return save(fig, out)


if __name__ == "__main__":
    print("wrote", main())
