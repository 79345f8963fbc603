"""How good is a trained network, time by time? Its loss beside the floor that nobody gets below.

eps cannot be known from x_t, so the loss of the perfect denoiser is not 0: at large t all of x_t is noise and easy to name,
at small t hardly any is. Only the distance between the two curves can still be learnt.
"""

import numpy as np

from minidiff import data, figures
from minidiff.gaussian import q_sample
from minidiff.mlp import MLP
from minidiff.noise import JUDGE, stream
from minidiff.schedule import linear
from minidiff.train import start, train


@figures.styled
def main(steps=3000, seed=0, rows=2000, out="runs/08_loss_floor.png"):
    """`steps` of training. Returns the figure's path."""
    schedule, mixture, rng = linear(), data.mixture(), stream(seed, JUDGE)
    model = MLP(2)
    state = start(model, seed)
    fig = figures.figure(10, 6)
    ax = fig.subplots()
    times = np.unique(np.geomspace(2, 1000, 25).round().astype(int)).tolist()
    x_0 = mixture.sample(rows, rng)

    def losses(eps_theta):
        noise = [rng.standard_normal(x_0.shape) for _ in times]
        return [np.mean((e - eps_theta(q_sample(schedule, x_0, t, e), t)) ** 2) for t, e in zip(times, noise)]

    training = train(model, state, schedule, mixture.sample(10_000, rng, np.float32), steps=steps, batch=256, lr=3e-3)
    for until, color in ((steps // 20, "#CC79A7"), (steps, figures.BLUE)):
        while state.step < until:
            next(training)
        ax.plot(times, losses(model.eps_theta(state.ema)), color=color, lw=2.5, label=f"network after {until} steps")
    floor = [mixture.loss_floor(schedule, t, rows, rng)[0] / 2 for t in times]
    ax.plot(times, floor, color=figures.ORANGE, lw=2.5, label="floor: the perfect denoiser")
    ax.set(xscale="log", xlabel="t", ylabel="E (eps - eps_hat)^2 a coordinate", ylim=(0, 1.2))
    ax.legend(frameon=False)
    ax.set_title("Loss by t: only what lies above the floor can be learnt")
    return figures.save(fig, out)


if __name__ == "__main__":
    print("wrote", main())
