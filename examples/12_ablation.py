"""What do group_norm, the skips and the time embedding each buy? The same small U-Net without one of them.

The table is printed; measured.md says what the numbers say. A function that does nothing stands in for each part.
"""

from unittest.mock import patch

import numpy as np

from minidiff import data
from minidiff.gaussian import q_sample
from minidiff.learn.ideas import curves
from minidiff.noise import JUDGE, stream
from minidiff.objective import eps_prediction
from minidiff.pictures import layers as images
from minidiff.pictures.unet import UNet
from minidiff.runs.figures import save
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


class Blind(UNet):  # told t = 0 always
    def forward(self, params, x_t, t, label=None):
        return super().forward(params, x_t, 0 * t, label)


def main(steps=400, seed=0, out="runs/12_ablation.png"):
    """`steps` of training for each of four networks, some two minutes for 400. Returns the figure's path."""
    digits, schedule, goal, lines = data.digits().x, linear(), Goal(eps_prediction, warmup=50), {}
    for name, replaced in NETWORKS.items():
        model, rng = (
            (Blind if name == "not told the time" else UNet)(8, width=8, depth=1),
            stream(seed, JUDGE),
        )
        state, at, errors = start(model, seed), [], []
        t, eps = rng.integers(1, 1001, 1000), rng.standard_normal((1000, 64), np.float32)
        x_t = q_sample(
            schedule, digits[:1000], t, eps
        )  # the same for all: the loss of a batch goes up and down by luck
        with patch.dict(vars(images), replaced):
            for now in train(model, state, schedule, digits, steps=steps, batch=64, lr=2e-3, goal=goal):
                if now.step % max(1, steps // 8) == 0 or now.step == steps:
                    at.append(now.step)
                    errors.append(np.mean((eps - model.forward(now.ema, x_t, t)[0]) ** 2))
        print(f"{name:20} {errors[-1]:.3f}")
        lines[f"{name} {errors[-1]:.3f}"] = at, errors
    title, ylabel = "Skips matter most: eps is as fine as the pixels", "E (eps - eps_hat)^2 a coordinate"
    return save(
        curves(lines, title, "training step", ylabel, xticks=[0, steps // 2, steps], ylim=(0, None)), out
    )


if __name__ == "__main__":
    print("wrote", main())
