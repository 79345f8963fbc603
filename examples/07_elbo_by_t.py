"""The ELBO, term by term: where the bits are, and what the bound loses although the denoiser is perfect.

Bars: the bits a coordinate of each term of the ELBO for a five-step schedule and for a forty-step one. Orange is what the bound
loses at that step against log q(x_0): a reverse step is not a Gaussian of variance beta-tilde, least of all a long one.
"""

import math

import numpy as np

from minidiff import data, elbo, figures
from minidiff.noise import JUDGE, stream
from minidiff.schedule import linear_scaled


@figures.styled
def main(steps=40, seed=0, rows=4000, out="runs/07_elbo_by_t.png"):
    """`steps` is the larger T, above 20. Returns the figure's path."""
    mixture, rng = data.mixture(), stream(seed, JUDGE)
    fig = figures.figure(14, 5.6)
    for ax, T in zip(fig.subplots(1, 2), (21, steps)):
        schedule = linear_scaled(T)
        x_0, eps_star = mixture.sample(rows, rng), mixture.eps_theta(schedule)
        L = elbo.terms(eps_star, schedule, x_0, rng)
        lost = elbo.gap(mixture, eps_star, schedule, rows, rng).mean(axis=1)
        truth, bits = mixture.log_prob(schedule, x_0, 0), 2 * math.log(2)
        at = np.arange(T + 1)
        ax.bar(at, L.mean(axis=1) / bits, color=figures.BLUE, label="term of -ELBO")
        ax.bar(at, lost / bits, color=figures.ORANGE, width=0.45, label="lost against log q(x_0)")
        ax.axhline(0, color=figures.GREY, lw=1)
        ax.set(xlabel="s of the step to x_s (T: the end)", ylabel="bits a coordinate")
        bound, true = -L.sum(axis=0).mean() / bits, truth.mean() / bits
        ax.set_title(f"T = {T}: -ELBO {-bound:.2f}, -log q {-true:.2f} bits/dim")
        ax.legend(frameon=False)
    fig.suptitle("-ELBO = L_T + sum of L_{t-1} + L_0, with the perfect denoiser of five Gaussians")
    return figures.save(fig, out)


if __name__ == "__main__":
    print("wrote", main())
