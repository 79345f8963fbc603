"""Filling in what is missing, by putting back what is known after every step; and how far that is from the truth.

Left: the upper halves of real digits and what a U-Net makes of the lower ones. Right: two correlated Gaussian coordinates,
one known. The exact answer is the conditional Gaussian; replacement does not reach it with any number of steps, as
recursion.py says without drawing a sample.
"""

import numpy as np

from minidiff import data
from minidiff.continuous.solvers import inpainting
from minidiff.fast import RowNoise, generate, train
from minidiff.fast import denoiser as sooner
from minidiff.objective import denoiser, v_prediction
from minidiff.pictures.unet import UNet
from minidiff.recursion import moments
from minidiff.runs import figures
from minidiff.sample import ddpm, trailing
from minidiff.schedule import linear
from minidiff.train import start


@figures.styled
def main(steps=1200, seed=0, n=8, out="runs/13_inpainting.png"):
    """`steps` of training, about a minute for 1200. Returns the figure's path."""
    digits, schedule, model, rng = data.digits().x, linear(), UNet(8), RowNoise(seed)
    state = start(model, seed)
    for _ in train(model, state, schedule, digits, steps=steps, batch=64, lr=2e-3):
        pass
    real, mask = digits[:n], np.tile(np.arange(64) < 32, (n, 1)).astype(int)
    step, times = inpainting(ddpm(), real, mask), trailing(1000, min(250, 5 * steps))
    eps_theta = denoiser(sooner(model.eps_theta(state.ema)), v_prediction, schedule)
    filled = [generate(step, eps_theta, schedule, rng.standard_normal((n, 64), np.float32), times, rng) for _ in range(3)]
    fig = figures.figure(14, 5.6)
    left, right = fig.subplots(1, 2)
    rows = np.stack([real, np.where(mask == 1, real, -1.0), *filled]).reshape(-1, 64)
    left.imshow(figures.tiles(rows, (8, 8), n), cmap="gray_r", vmin=-1, vmax=1)
    left.set_axis_off()
    left.set_title("real, what is known, three fillings")
    mean, cov, known = np.array([0.3, -0.2]), 0.5 * np.array([[1, 0.8], [0.8, 1]]), 1.2
    step, counts = inpainting(ddpm(), np.array([known, 0.0]), np.array([1, 0])), [10, 20, 50, 100, 250, 500, 1000]
    ends = [moments(step, schedule, mean, cov, trailing(1000, S)) for S in counts]
    for name, color, got, true in (
        ("mean", figures.BLUE, [m[-1][1] for m, _ in ends], mean[1] + 0.8 * (known - mean[0])),
        ("standard deviation", figures.ORANGE, [np.sqrt(c[-1][1, 1]) for _, c in ends], np.sqrt(0.5 * (1 - 0.8**2))),
    ):
        right.semilogx(counts, got, "o-", color=color, lw=2, label=f"{name} by replacement")
        right.axhline(true, color=color, ls="--", lw=1.5, label=f"{name}, exact conditional")
    right.set(xlabel="steps", ylim=(0, 0.7), title="the unknown one of two Gaussian coordinates")
    right.legend(frameon=False, fontsize=12)
    return figures.save(fig, out)


if __name__ == "__main__":
    print("wrote", main())
