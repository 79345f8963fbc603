"""The ELBO, term by term: where the bits are, and what the bound loses although the denoiser is perfect.

    -log q(x_0) <= -ELBO = L_0 + L_1 + ... + L_T      (averages over x_0, here in bits a coordinate)

Blue bars: the terms, for five Gaussians in the plane and their perfect denoiser. L_0 may lie below 0: it is
of a density. Orange: what that term loses against -log q(x_0). Blue minus orange adds up to the truth, but
for the luck of the draws. The loss is not the denoiser's: a reverse step is no Gaussian of variance
beta-tilde, least of all the last ones, where a step is long beside what noise is left.
"""

import math

import numpy as np

from minidiff import elbo
from minidiff.evaluation.gap import gap
from minidiff.evaluation.metrics import JUDGE
from minidiff.exact import five_gaussians
from minidiff.noise import stream
from minidiff.runs import figures
from minidiff.schedule import linear_scaled


@figures.styled
def main(steps=24, seed=0, rows=20_000, out="runs/07_elbo_by_t.png"):
    """`steps` is T, above 20. Returns the figure's path."""
    mixture, rng, bits = five_gaussians(), stream(seed, JUDGE), 2 * math.log(2)
    schedule = linear_scaled(steps)
    x_0, eps_star = mixture.sample(rows, rng), mixture.eps_theta(schedule)
    L = elbo.terms(eps_star, schedule, x_0, rng).mean(axis=1) / bits
    lost = gap(mixture, eps_star, schedule, rows, rng).mean(axis=1) / bits
    truth = -mixture.log_prob(schedule, x_0, 0).mean() / bits
    ax, at = (fig := figures.figure(11, 5.8)).subplots(), np.arange(steps + 1)
    ax.bar(at, L, color=figures.BLUE)
    ax.bar(at, lost, color=figures.ORANGE, width=0.45)
    ax.axhline(0, color=figures.GREY, lw=1)
    for k, say in ((0, "{:.1f}"), (1, "{:.1f}"), (steps, "{:.0e}")):
        look = {"textcoords": "offset points", "ha": "center", "color": figures.BLUE}
        ax.annotate(say.format(L[k]), (k, max(L[k], 0)), (0, 4), **look)
    named = [0, 1, 2, *range(4, steps, math.ceil(steps / 6)), steps]
    ax.set_xticks(named, [f"$L_{{{k}}}$" for k in named])
    ax.set(xlabel="term of -ELBO", ylabel="bits a coordinate", ylim=(1.15 * L.min(), 1.15 * L.max()))
    ax.text(3, 0.7 * L[1], "the term: what has to be said at this step", color=figures.BLUE)
    ax.text(3, 0.5 * L[1], "lost at this step: a shorter message would do", color=figures.ORANGE)
    luck = L.sum() - truth - lost.sum()
    words = (
        f"-ELBO {L.sum():.2f} = truth {truth:.2f} + lost {lost.sum():.2f} (luck of the draws: {luck:+.2f})"
    )
    ax.text(3, 0.5 * L[0], words)
    ax.set_title(f"Of {lost.sum():.1f} bits lost by a perfect denoiser, {lost[1]:.1f} are lost in $L_1$")
    return figures.save(fig, out)


if __name__ == "__main__":
    print("wrote", main())
