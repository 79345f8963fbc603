"""Filling in what is missing, by putting back what is known after every step; and how far that is from the truth.

Above: the upper halves of real digits and what a U-Net makes of the lower ones. Below: two correlated Gaussian coordinates,
one known. The exact answer is the conditional Gaussian; replacement does not reach it with any number of steps, as
recursion.py says without drawing a sample.
"""

import numpy as np

from minidiff import data
from minidiff.cli.pictures import named
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
def main(steps=1200, seed=0, n=10, out="runs/13_inpainting.png"):
    """`steps` of training, about a minute for 1200. Returns the figure's path."""
    digits, schedule, model, rng = data.digits().x, linear(), UNet(8), RowNoise(seed)
    state = start(model, seed)
    for _ in train(model, state, schedule, digits, steps=steps, batch=64, lr=2e-3):
        pass
    real, mask = digits[:n], np.tile(np.arange(64) < 32, (n, 1)).astype(int)
    step, times = inpainting(ddpm(), real, mask), trailing(1000, min(250, 5 * steps))
    eps_theta = denoiser(sooner(model.eps_theta(state.ema)), v_prediction, schedule)
    filled = [
        generate(step, eps_theta, schedule, rng.standard_normal((n, 64), np.float32), times, rng)
        for _ in range(3)
    ]
    above, below = (fig := figures.figure(10, 10)).subplots(2, 1)
    rows = np.stack([real, np.where(mask == 1, real, -0.5), *filled]).reshape(-1, 64)
    above.imshow(figures.tiles(rows, (8, 8), n), cmap="gray_r", vmin=-1, vmax=1)
    above.set(title="Putting back what is known after every step: it looks right ...", xticks=[])
    above.spines[:].set_visible(False)
    above.set_yticks(4.5 + 9 * np.arange(5), ["real", "known", "filled 1", "filled 2", "filled 3"])
    above.set_ylabel("digits")
    mean, cov, known = np.array([0.3, -0.2]), 0.5 * np.array([[1, 0.8], [0.8, 1]]), 1.2
    step, counts = (
        inpainting(ddpm(), np.array([known, 0.0]), np.array([1, 0])),
        [10, 20, 50, 100, 200, 500, 1000],
    )
    means, covs = zip(*[moments(step, schedule, mean, cov, trailing(1000, S)) for S in counts])
    lines = {"mean": [m[-1][1] for m in means], "standard deviation": [np.sqrt(c[-1][1, 1]) for c in covs]}
    true = mean[1] + 0.8 * (known - mean[0]), np.sqrt(0.5 * (1 - 0.8**2))
    title = "... but neither mean nor spread come right, however many steps"
    axes = {"xscale": "log", "xticks": counts, "xticklabels": counts, "ylim": (0, 0.65), "xlabel": "steps"}
    named(
        below,
        {k: (counts, v) for k, v in lines.items()},
        title=title,
        ylabel="of one coordinate, given the other",
        **axes,
    )
    for value, line in zip(true, below.lines):
        below.axhline(value, color=line.get_color(), ls=":", lw=2)
        below.text(counts[0], value + 0.01, "the truth", color=line.get_color())
    return figures.save(fig, out)


if __name__ == "__main__":
    print("wrote", main())
