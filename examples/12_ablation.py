"""What do group_norm, the skips and the time embedding each buy? The same small U-Net without one of them.

The table is printed; measured.md explains it. A function that does nothing stands in for each part.
"""

from itertools import islice
from unittest.mock import patch

import numpy as np

from minidiff import UNet, data, ddpm, figures, linear, optim, q_sample
from minidiff.evaluation.metrics import JUDGE
from minidiff.learn.ideas import curves
from minidiff.noise import INIT, stream
from minidiff.pictures import layers
from minidiff.runs.batches import batches

join, join_backward = layers.join, layers.join_backward
NETWORKS = {  # what stands in for functions of layers.py
    "whole": {}, "without group_norm": {"group_norm": lambda x, groups: (x, None),
                                        "group_norm_backward": lambda dy, cache: dy},
    "without skips": {"join": lambda low, kept: join(low, 0 * kept),
                      "join_backward": lambda dy, cache: (join_backward(dy, cache)[0], 0)},
    "not told the time": {},
}  # fmt: skip


class Blind(UNet):  # told t = 0 always
    def forward(self, params, x_t, t, label=None):
        return super().forward(params, x_t, 0 * t, label)


def update(state, grads):
    optim.update(state, grads, lr=2e-3 * min(1, (state.step + 1) / 50))  # it rises


def main(steps=400, seed=0, out="runs/12_ablation.png"):
    """`steps` of training for each of four networks, some two minutes for 400. Returns the figure's path."""
    (digits, _), schedule, lines = data.digits(), linear(), {}
    for name, replaced in NETWORKS.items():
        model, rng = (Blind if "time" in name else UNet)(8, width=8, depth=1), stream(seed, JUDGE)
        state, at, errors = optim.start(model.init(stream(seed, INIT))), [], []
        t, eps = rng.integers(1, 1001, 1000), rng.standard_normal((1000, 64), np.float32)  # the same for all
        x_t = q_sample(schedule, digits[:1000], t, eps)
        shown = islice(batches(digits, schedule, seed, batch=64), steps)
        with patch.dict(vars(layers), replaced):
            for now in ddpm.train(model, state, schedule, shown, update=update):
                if now.step % max(1, steps // 8) == 0 or now.step == steps:
                    at.append(now.step)
                    errors.append(np.mean((eps - model.eps_theta(now.ema)(x_t, t)) ** 2))
        print(f"{name:20} {errors[-1]:.3f}")
        lines[f"{name} {errors[-1]:.3f}"] = at, errors
    title, ylabel = "Skips matter most: eps is as fine as the pixels", "E (eps - eps_hat)^2 a coordinate"
    axes = {"xticks": [0, steps // 2, steps], "ylim": (0, None)}
    return figures.save(curves(lines, title, "training step", ylabel, **axes), out)


if __name__ == "__main__":
    print("wrote", main())
