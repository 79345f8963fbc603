"""How good is a trained network, time by time? Its loss is a floor that nobody gets below, and what it has still to learn:

    E ||eps - eps_hat||^2 = E ||eps - eps*||^2 + E ||eps* - eps_hat||^2      (eps* = E[eps | x_t], the perfect denoiser)

eps cannot be known from x_t, so the floor is not 0: at large t all of x_t is noise and easy to name, at small t hardly any is.
Both terms are averages over the same rows and the same noise, with bars of two standard errors: the floor's and the networks'
curves go up and down together. Losses each measured on noise of its own could lie below the floor, by luck.
"""

import numpy as np

from minidiff import data
from minidiff.fast import train
from minidiff.gaussian import q_sample
from minidiff.mlp import MLP
from minidiff.noise import JUDGE, stream
from minidiff.objective import eps_prediction
from minidiff.runs import figures
from minidiff.schedule import linear
from minidiff.train import Goal, start


@figures.styled
def main(steps=3000, seed=0, rows=2000, out="runs/08_loss_floor.png"):
    """`steps` of training. Returns the figure's path."""
    schedule, mixture, rng, model, goal = (
        linear(),
        data.mixture(),
        stream(seed, JUDGE),
        MLP(2),
        Goal(eps_prediction),
    )
    state, fig = start(model, seed), figures.figure(11, 9)
    above, below = fig.subplots(2, 1, sharex=True)
    times, ticks = np.unique(np.geomspace(2, 1000, 25).round().astype(int)).tolist(), [2, 10, 100, 1000]
    x_0, eps = mixture.sample(rows, rng), rng.standard_normal((rows, 2))
    x_t = [q_sample(schedule, x_0, t, eps) for t in times]
    eps_star = [mixture.eps_theta(schedule)(x, t) for x, t in zip(x_t, times)]
    floor = np.mean((eps - np.stack(eps_star)) ** 2, axis=2)

    def curve(ax, squares, color, line, label, k, offset):
        """Its mean over rows, with two standard errors; the label stands `offset` points from the k-th time."""
        mean, error = squares.mean(axis=1), 2 * squares.std(axis=1, ddof=1) / np.sqrt(rows)
        ax.errorbar(times, mean, error, fmt=line, color=color, lw=2, capsize=3)
        ax.annotate(label, (times[k], mean[k]), offset, textcoords="offset points", color=color)

    curve(above, floor, figures.ORANGE, "s-", "the floor", 8, (-80, -35))
    x = mixture.sample(10_000, rng, np.float32)
    training = train(model, state, schedule, x, steps=steps, batch=256, lr=3e-3, goal=goal)
    for until, color, line, k in ((steps // 20, figures.GREEN, "^:", 12), (steps, figures.BLUE, "o--", 16)):
        while state.step < until:
            next(training)
        eps_theta, label = model.eps_theta(state.ema), f"after {until:,} steps"
        missed = np.stack(
            [np.mean((e - eps_theta(x, t)) ** 2, axis=1) for e, x, t in zip(eps_star, x_t, times)]
        )
        curve(above, floor + missed, color, line, label, k, (38, 8))
        curve(below, missed, color, line, label, 9, (0, 24))
    above.set(
        ylabel="E (eps - eps_hat)^2 a coordinate",
        ylim=(0, 1.25),
        title="The loss comes near a floor that is not 0",
    )
    below.set(xscale="log", yscale="log", xlabel="t, steps", ylabel="E (eps* - eps_hat)^2 a coordinate")
    below.set(
        xticks=ticks,
        xticklabels=ticks,
        title="Only what lies above the floor can be learnt, and it shrinks at every t",
    )
    below.margins(y=0.15)
    return figures.save(fig, out)


if __name__ == "__main__":
    print("wrote", main())
