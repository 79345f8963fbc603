"""Train a small MLP to see the noise in two moons, and draw what it makes of the same noise as it learns.

The page's two loops (minidiff/ddpm.py), in NumPy alone.
"""

from functools import partial
from itertools import islice

import numpy as np

from minidiff.data import moons
from minidiff.ddpm import batches, sample, train
from minidiff.mlp import MLP
from minidiff.noise import DATA, INIT, SAMPLE, TRAIN, stream
from minidiff.optim import start, update
from minidiff.runs import figures
from minidiff.sampling import ddpm_step, trailing
from minidiff.schedule import linear


def main(steps=4000, seed=0, n=600, out="runs/03_train_on_moons.png"):
    """`steps` training steps. Returns the figure's path."""
    schedule, model, data = linear(1000), MLP(2), moons(10_000, stream(seed, DATA)).astype(np.float32)
    state, times = start(model.init(stream(seed, INIT))), trailing(schedule.T, 200)
    x_T = stream(seed, SAMPLE).standard_normal((n, 2), np.float32)
    shown, panels = islice(batches(data, schedule.T, stream(seed, TRAIN)), steps), {"noise": x_T}
    for now in train(model, state, schedule, shown, update=partial(update, lr=3e-3)):
        if now.step in (steps // 20, steps // 4, steps):
            eps_theta, rng = model.eps_theta(now.ema), stream(seed, SAMPLE, 1)
            *_, x_0 = sample(ddpm_step(), eps_theta, schedule, x_T, times, rng)
            panels[f"{now.step:,} steps"] = x_0
    panels["data"] = data[:n]
    colors = [figures.GREY] + (len(panels) - 2) * [figures.BLUE] + [figures.ORANGE]  # noise, samples, data
    title = "The same noise becomes moons, the longer the network has learnt"
    return figures.save(figures.side_by_side(panels, (2,), title, colors=colors), out)


if __name__ == "__main__":
    print("wrote", main())
