"""Asking for a digit: one U-Net, told the label in nine of ten examples, and guidance by its two answers.

Rows are labels, columns guidance weights, and all columns begin with the same noise. w = 0 ignores the label,
w = 1 is what was learnt, larger w goes on in the same direction: clearer digits, less variety, and in the end
bold caricatures.
"""

from itertools import islice

import numpy as np

from minidiff import UNet, data, ddim_step, fast, figures, guidance, linear, optim
from minidiff.noise import INIT, stream
from minidiff.objective import Denoiser, v_prediction
from minidiff.runs.batches import batches
from minidiff.sampling import trailing

WEIGHTS = (0, 1, 2, 4, 8)


def update(state, grads):
    """The learning rate rises to 2e-3 in the first 100 steps."""
    optim.update(state, grads, lr=2e-3 * min(1, (state.step + 1) / 100))


@figures.styled
def main(steps=1500, seed=0, copies=4, out="runs/11_conditional_digits.png"):
    """`steps` of training, about a minute for 1500. Returns the figure's path."""
    (x, label), schedule, model = data.digits(), linear(), UNet(8, labels=10)
    state = optim.start(model.init(stream(seed, INIT)))
    shown = batches(x, schedule, seed, batch=64, label=label, null=10)  # 10: no label, one in ten
    for _ in fast.train(model, state, schedule, islice(shown, steps), objective=v_prediction, update=update):
        pass
    label, times = np.repeat(np.arange(10), copies), trailing(1000, min(50, 2 * steps))
    networks = (fast.denoiser(model.eps_theta(state.ema, y)) for y in (label, None))
    told, untold = (Denoiser(network, v_prediction, schedule) for network in networks)
    fig, x_T = figures.figure(11, 6), fast.RowNoise(seed).standard_normal((len(label), 64), np.float32)
    for ax, w in zip(fig.subplots(1, len(WEIGHTS), sharey=True), WEIGHTS):
        guided = guidance.classifier_free(told, untold, w)
        x_0 = fast.generate(ddim_step(), guided, schedule, x_T, times, fast.RowNoise(seed))
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
