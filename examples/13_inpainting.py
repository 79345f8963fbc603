"""Filling in what is missing, by putting back what is known after every step; and how far that is off.

Above: the upper halves of real digits and what a U-Net makes of the lower ones. Below: two correlated
Gaussian coordinates, one known. The exact answer is the conditional Gaussian; replacement does not reach it
with any number of steps, as evaluation/recursion.py says without drawing a sample.
"""

from functools import partial
from itertools import islice

import numpy as np

from minidiff import UNet, data, ddpm_step, fast, figures, guidance, linear, moments, optim
from minidiff.cli.pictures import named
from minidiff.noise import INIT, stream
from minidiff.objective import Denoiser, v_prediction
from minidiff.runs.batches import batches
from minidiff.sampling import trailing


@figures.styled
def main(steps=1200, seed=0, n=10, out="runs/13_inpainting.png"):
    """`steps` of training, about a minute for 1200. Returns the figure's path."""
    (digits, _), schedule, model, rng = data.digits(), linear(), UNet(8), fast.RowNoise(seed)
    state = optim.start(model.init(stream(seed, INIT)))
    shown = islice(batches(digits, schedule, seed, batch=64), steps)
    how = {"objective": v_prediction, "update": partial(optim.update, lr=2e-3)}
    for _ in fast.train(model, state, schedule, shown, **how):
        pass
    real, mask, times = digits[:n], (np.arange(64) < 32).astype(int), trailing(1000, min(250, 5 * steps))
    step = guidance.inpainting(ddpm_step(), real, np.tile(mask, (n, 1)))
    eps_theta = Denoiser(fast.denoiser(model.eps_theta(state.ema)), v_prediction, schedule)
    x_T = [rng.standard_normal((n, 64), np.float32) for _ in range(3)]
    filled = [fast.generate(step, eps_theta, schedule, x, times, rng) for x in x_T]
    above, below = (fig := figures.figure(10, 10)).subplots(2, 1)
    rows = np.stack([real, np.where(mask == 1, real, -0.5), *filled]).reshape(-1, 64)
    above.imshow(figures.tiles(rows, (8, 8), n), cmap="gray_r", vmin=-1, vmax=1)
    above.set(title="Putting back what is known after every step: it looks right ...", xticks=[])
    above.spines[:].set_visible(False)
    above.set_yticks(4.5 + 9 * np.arange(5), ["real", "known", "filled 1", "filled 2", "filled 3"])
    above.set_ylabel("digits")
    mean, cov, known = np.array([0.3, -0.2]), 0.5 * np.array([[1, 0.8], [0.8, 1]]), 1.2
    step = guidance.inpainting(ddpm_step(), np.array([known, 0.0]), np.array([1, 0]))
    counts = [10, 20, 50, 100, 200, 500, 1000]
    means, covs = zip(*[moments(step, schedule, mean, cov, trailing(1000, S)) for S in counts])
    found = {"mean": [m[-1][1] for m in means], "standard deviation": [np.sqrt(c[-1][1, 1]) for c in covs]}
    lines, axes = {name: (counts, of) for name, of in found.items()}, {"xscale": "log", "xticks": counts}
    axes |= {"ylabel": "of one coordinate, given the other", "xlabel": "steps", "ylim": (0, 0.65)}
    title = "... but neither mean nor spread come right, however many steps"
    named(below, lines, title=title, **axes, xticklabels=counts)
    true = mean[1] + 0.8 * (known - mean[0]), np.sqrt(0.5 * (1 - 0.8**2))
    for value, line in zip(true, below.lines):
        below.axhline(value, color=line.get_color(), ls=":", lw=2)
        below.text(counts[0], value + 0.01, "the truth", color=line.get_color())
    return figures.save(fig, out)


if __name__ == "__main__":
    print("wrote", main())
