"""How good is a trained network, time by time? Its loss is a floor, and what it has still to learn:

    E ||eps - eps_hat||^2 = E ||eps - eps*||^2 + E ||eps* - eps_hat||^2,    eps* = E[eps | x_t]

eps cannot be known from x_t, so the floor is not 0: at large t all of x_t is noise, at small t hardly any is.
Both terms are averages over the same rows and noise, with bars of two standard errors: the curves go up and
down together. Losses each measured on noise of its own could lie below the floor, by luck.
"""

from functools import partial

import numpy as np

from minidiff import MLP, fast, figures, linear, optim, q_sample
from minidiff.evaluation.metrics import JUDGE
from minidiff.exact import five_gaussians
from minidiff.noise import INIT, stream
from minidiff.runs.batches import batches


@figures.styled
def main(steps=3000, seed=0, rows=2000, out="runs/08_loss_floor.png"):
    """`steps` of training. Returns the figure's path."""
    schedule, mixture, rng, model = linear(), five_gaussians(), stream(seed, JUDGE), MLP(2)
    state, fig = optim.start(model.init(stream(seed, INIT))), figures.figure(11, 9)
    above, below = fig.subplots(2, 1, sharex=True)
    times, ticks = np.unique(np.geomspace(2, 1000, 25).round().astype(int)).tolist(), [2, 10, 100, 1000]
    x_0, eps = mixture.sample(rows, rng), rng.standard_normal((rows, 2))
    x_t = [q_sample(schedule, x_0, t, eps) for t in times]
    eps_star = np.stack([mixture.eps(schedule, x, t) for x, t in zip(x_t, times)])
    floor = np.mean((eps - eps_star) ** 2, axis=2)

    def curve(ax, squares, color, line, label, k, offset):
        """Its mean over rows, two standard errors, and a label `offset` points from the k-th time."""
        mean, error = squares.mean(axis=1), 2 * squares.std(axis=1, ddof=1) / np.sqrt(rows)
        ax.errorbar(times, mean, error, fmt=line, color=color, lw=2, capsize=3)
        ax.annotate(label, (times[k], mean[k]), offset, textcoords="offset points", color=color)

    curve(above, floor, figures.ORANGE, "s-", "the floor", 8, (-80, -35))
    shown = batches(mixture.sample(10_000, rng, np.float32), schedule, seed, batch=256)
    training = fast.train(model, state, schedule, shown, update=partial(optim.update, lr=3e-3))
    for until, color, line, k in ((steps // 20, figures.GREEN, "^:", 12), (steps, figures.BLUE, "o--", 16)):
        while state.step < until:
            next(training)
        eps_theta, label = model.eps_theta(state.ema), f"after {until:,} steps"
        missed = np.mean((eps_star - [eps_theta(x, t) for x, t in zip(x_t, times)]) ** 2, axis=2)
        curve(above, floor + missed, color, line, label, k, (38, 8))
        curve(below, missed, color, line, label, 9, (0, 24))
    above.set(ylabel="E (eps - eps_hat)^2 a coordinate", ylim=(0, 1.25))
    above.set(title="The loss comes near a floor that is not 0")
    below.set(xscale="log", yscale="log", xlabel="t, steps", xticks=ticks, xticklabels=ticks)
    below.set(ylabel="E (eps* - eps_hat)^2 a coordinate")
    below.set(title="Only what lies above the floor can be learnt, and it shrinks at every t")
    below.margins(y=0.15)
    return figures.save(fig, out)


if __name__ == "__main__":
    print("wrote", main())
