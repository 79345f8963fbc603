"""What do group_norm, the skips and the time embedding each buy? The same small U-Net without one of them.

The table is printed; README says what the numbers say. A function that does nothing stands in for each part.
"""

from unittest.mock import patch

import numpy as np

from minidiff import data
from minidiff.gaussian import q_sample
from minidiff.noise import JUDGE, stream
from minidiff.objective import eps_prediction
from minidiff.pictures import layers as images
from minidiff.pictures.unet import UNet
from minidiff.runs import figures
from minidiff.schedule import linear
from minidiff.train import Goal, start, train

join, join_backward = images.join, images.join_backward
NETWORKS = {  # what stands in for functions of images.py
    "whole": {},
    "without group_norm": {"group_norm": lambda x, groups: (x, None), "group_norm_backward": lambda dy, cache: dy},
    "without skips": {"join": lambda low, kept: join(low, 0 * kept),
                      "join_backward": lambda dy, cache: (join_backward(dy, cache)[0], 0)},
    "not told the time": {},
}  # fmt: skip


class Blind(UNet):
    """Told t = 0 always."""

    def forward(self, params, x_t, t, label=None):
        return super().forward(params, x_t, 0 * t, label)


@figures.styled
def main(steps=400, seed=0, out="runs/12_ablation.png"):
    """`steps` of training for each of four networks, some two minutes for 400. Returns the figure's path."""
    digits, schedule, goal = data.digits().x, linear(), Goal(eps_prediction, warmup=50)
    ax = (fig := figures.figure(10, 6)).subplots()
    for (name, replaced), color in zip(NETWORKS.items(), (figures.BLUE, figures.ORANGE, figures.GREEN, figures.GREY)):
        model, rng = (Blind if name == "not told the time" else UNet)(8, width=8, depth=1), stream(seed, JUDGE)
        state = start(model, seed)
        with patch.dict(vars(images), replaced):
            training = train(model, state, schedule, digits, steps=steps, batch=64, lr=2e-3, goal=goal)
            losses = [after.loss / 64 for after in training]
            t, eps = rng.integers(1, 1001, 1000), rng.standard_normal((1000, 64), np.float32)
            error = eps - model.forward(state.ema, q_sample(schedule, digits[:1000], t, eps), t)[0]
        print(f"{name:20} {np.mean(error**2):.3f}")
        ax.plot(np.convolve(losses, np.ones(20) / 20, "valid"), color=color, lw=2, label=f"{name}: {np.mean(error**2):.3f}")
    ax.set(xlabel="training step", ylabel="E (eps - eps_hat)^2 a coordinate", ylim=(0, 1))
    ax.set_title("What each part of a U-Net buys")
    ax.legend(frameon=False)
    return figures.save(fig, out)


if __name__ == "__main__":
    print("wrote", main())
