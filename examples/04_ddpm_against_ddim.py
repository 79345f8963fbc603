"""DDPM against DDIM with the perfect denoiser: what the number of steps costs, with no network to blame.

The data are N(0.8, 0.6^2), so recursion.py gives the standard deviation of the samples exactly: nothing is sampled.
"""

import numpy as np

from minidiff.recursion import moments
from minidiff.runs import figures
from minidiff.sample import beta, beta_tilde, ddim, ddpm, trailing
from minidiff.schedule import linear


@figures.styled
def main(steps=1000, seed=0, out="runs/04_ddpm_against_ddim.png"):
    """`steps` is T; there is nothing random, so the seed changes nothing. Returns the figure's path."""
    schedule, std = linear(steps), 0.6
    counts = [S for S in (5, 10, 20, 50, 100, 200, 500, 1000) if S <= steps]
    samplers = {
        "ddpm, sigma^2 = beta": (ddpm(beta), figures.ORANGE, "s-"),
        "ddpm, sigma^2 = beta-tilde": (ddpm(beta_tilde), figures.GREEN, "^-"),
        "ddim, eta = 0": (ddim(), figures.BLUE, "o-"),
    }
    fig = figures.figure(10, 5.6)
    ax = fig.subplots()
    for name, (step, color, mark) in samplers.items():
        covs = [moments(step, schedule, [0.8], [[std**2]], trailing(steps, S))[1][-1] for S in counts]
        ax.plot(counts, np.sqrt(np.ravel(covs)), mark, color=color, lw=2, ms=8, label=name)
    ax.axhline(std, color=figures.GREY, ls="--", lw=2, label="the data's")
    ax.set(xscale="log", xlabel="steps (network evaluations)", ylabel="standard deviation of the samples", ylim=(0.3, 0.75))
    ax.legend(frameon=False)
    ax.set_title("A perfect denoiser in few steps: exact bias of each sampler")
    return figures.save(fig, out)


if __name__ == "__main__":
    print("wrote", main())
