"""Asking for a digit: one U-Net, told the label in nine of ten examples, and guidance that combines its two answers.

Rows are labels, columns guidance weights, and all columns begin with the same noise. w = 0 ignores the label, w = 1 is what
was learnt, larger w goes on in the same direction: clearer digits, less variety, and in the end bold caricatures.
"""

import numpy as np

from minidiff import data
from minidiff.fast import RowNoise, generate, train
from minidiff.fast import denoiser as sooner
from minidiff.objective import denoiser, v_prediction
from minidiff.pictures.guidance import classifier_free
from minidiff.pictures.unet import UNet
from minidiff.runs import figures
from minidiff.sample import ddim, trailing
from minidiff.schedule import linear
from minidiff.train import Goal, start

WEIGHTS = (0, 1, 2, 4, 8)


@figures.styled
def main(steps=1500, seed=0, copies=4, out="runs/11_conditional_digits.png"):
    """`steps` of training, about a minute for 1500. Returns the figure's path."""
    digits, schedule, model = data.digits(), linear(), UNet(8, labels=10)
    state = start(model, seed)
    goal = Goal(warmup=min(100, steps))
    for _ in train(
        model, state, schedule, digits.x, steps=steps, batch=64, lr=2e-3, goal=goal, label=digits.label
    ):
        pass
    label = np.repeat(np.arange(10), copies)
    told, untold = (
        denoiser(sooner(model.eps_theta(state.ema, y)), v_prediction, schedule) for y in (label, None)
    )
    fig = figures.figure(11, 6)
    for ax, w in zip(fig.subplots(1, len(WEIGHTS), sharey=True), WEIGHTS):
        rng = RowNoise(seed)
        x_T = rng.standard_normal((len(label), 64), np.float32)
        x_0 = generate(
            ddim(), classifier_free(told, untold, w), schedule, x_T, trailing(1000, min(50, 2 * steps)), rng
        )
        ax.imshow(figures.tiles(x_0, (8, 8), copies), cmap="gray_r", vmin=-1, vmax=1)
        ax.set(title=f"w = {w}", xticks=[])
        ax.set_yticks(4.5 + 9 * np.arange(10), range(10))  # a digit and the line under it: 9 pixels
        ax.spines[:].set_visible(False)
        ax.tick_params(length=0)
    fig.axes[0].set_ylabel("digit asked for")
    fig.suptitle("w = 0 does not listen; more guidance: clearer, more alike, in the end caricatures")
    return figures.save(fig, out)


if __name__ == "__main__":
    print("wrote", main())
