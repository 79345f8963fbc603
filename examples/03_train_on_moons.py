"""Train a small MLP to see the noise in two moons, and draw what it makes of the same noise (left) as it learns."""

import numpy as np

from minidiff.fast import RowNoise, generate, train
from minidiff.mlp import MLP
from minidiff.objective import denoiser, v_prediction
from minidiff.runs import figures
from minidiff.runs.names import load
from minidiff.sample import ddpm, trailing
from minidiff.schedule import linear
from minidiff.train import start


def main(steps=4000, seed=0, n=600, out="runs/03_train_on_moons.png"):
    """`steps` training steps. Returns the figure's path."""
    moons, schedule, model = load("moons", seed), linear(1000), MLP(2)
    state, panels = start(model, seed), {"noise": RowNoise(seed).standard_normal((n, 2), np.float32)}
    for now in train(model, state, schedule, moons.x, steps=steps, batch=256, lr=3e-3):
        if now.step in (steps // 20, steps // 4, steps):
            rng, eps_theta = RowNoise(seed), denoiser(model.eps_theta(now.ema), v_prediction, schedule)
            x_T = rng.standard_normal((n, 2), np.float32)
            x_0 = generate(ddpm(), eps_theta, schedule, x_T, trailing(schedule.T, 200), rng)
            panels[f"{now.step:,} steps"] = x_0
    panels["data"] = moons.x[:n]
    colors = [figures.GREY] + (len(panels) - 2) * [figures.BLUE] + [figures.ORANGE]  # noise, samples, data
    title = "The same noise becomes moons, the longer the network has learnt"
    return figures.save(figures.beside(panels, (2,), title, colors=colors), out)


if __name__ == "__main__":
    print("wrote", main())
