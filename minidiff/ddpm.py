"""DDPM on one page: the paper's two algorithms as two loops, and the rest of the book in the calls they make.

    python -m minidiff.ddpm     learns two moons with NumPy alone, samples, and draws runs/ddpm.png

The idea: mixing data with noise is easy, and a network can learn to see the noise in a mixture. To sample,
start from noise alone and take out, again and again, a little of the noise that the network sees.

    letter         name       shape       meaning                                               met in
    x_0            x_0        (B, d)      data, one row each; here points in the plane          data.py
    t              t, s       (B,), ints  time: 0 is data, T nearly pure noise; s < t           schedule.py
    epsilon        eps        (B, d)      the normal noise that is mixed in                     gaussian.py
    x_t            x_t        (B, d)      the mixture: the larger t, the more noise             gaussian.py
    epsilon_theta  eps_theta  a callable  eps_theta(x_t, t) -> eps_hat, the noise that it sees  mlp.py
"""

import os
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import islice

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # small products: threads cost more than they bring
import numpy as np

from .data import moons
from .gaussian import q_sample
from .mlp import MLP
from .noise import DATA, INIT, SAMPLE, TRAIN, stream
from .objective import eps_prediction, loss_and_grads, target_of
from .optim import State, start, update
from .protocols import Array, Denoiser, Model, Noise, Objective, Process, Step
from .sampling import ddpm_step, trailing
from .schedule import linear


def batches(data: Array, T: int, rng, size: int = 128) -> Iterator[tuple]:
    """Lines 2-4 of algorithm 1, without end: some rows of data, a time for each, a noise for each."""
    while True:
        x_0 = data[rng.integers(len(data), size=size)]
        t = rng.integers(1, T + 1, size)
        eps = rng.standard_normal(x_0.shape, x_0.dtype)
        yield x_0, t, eps


def train(
    model: Model, state: State, schedule: Process, batches: Iterable, *,
    objective: Objective = eps_prediction, gradients=loss_and_grads, update=update,
) -> Iterator[State]:  # fmt: skip
    """A step on L_simple for each batch; yields the State after each.    [DDPM algorithm 1]
    What the network is asked, its gradients and the step downhill may be others; the State changes in place.
    Raises FloatingPointError with the step's number if a gradient is not finite."""
    for x_0, t, eps, *label in batches:  # (a batch of pictures may bring what they show)
        # mix data and noise, and ask the network which noise it was
        x_t = q_sample(schedule, x_0, t, eps)
        target = target_of(objective, schedule, x_0, t, eps)
        # line 5: how wrong is the answer, and which parameters would make it better?
        loss, grads = gradients(model, state.params, x_t, t, target, *label)
        update(state, grads)
        state.loss = loss
        yield state


def sample(step: Step, eps_theta: Denoiser, schedule, x_T: Array, times, rng: Noise) -> Iterator[Array]:
    """From noise x_T (B, d) down the times to data; yields every x_s, the last is x_0.    [DDPM algorithm 2]
    times: whole numbers that descend from T, such as T, T - 1, ..., 0; steps may also skip some."""
    x = x_T
    for t, s in zip(times[:-1], times[1:]):
        # lines 3-4: take out the noise that came in between s and t, then put back a little, fresh
        x = step(eps_theta, schedule, x, t, s, rng)
        yield x


def main():
    """Learns moons, samples, and says how far samples are from data, beside how far other data are."""
    from .evaluation.metrics import energy_distance  # lecture 7

    seed, n = 0, 500
    schedule, model = linear(T=1000), MLP(d=2)
    data = moons(4000, stream(seed, DATA)).astype(np.float32)
    state = start(model.init(stream(seed, INIT)))
    drawn = islice(batches(data, schedule.T, stream(seed, TRAIN)), 4000)
    downhill = partial(update, lr=3e-3)
    losses = [s.loss for s in train(model, state, schedule, drawn, update=downhill)]
    first, last = np.mean(losses[:100]), np.mean(losses[-500:])
    print(f"loss: {first:.2f} in the first 100 steps, {last:.2f} in the last 500")

    rng, times = stream(seed, SAMPLE), trailing(schedule.T, schedule.T)
    x_T = rng.standard_normal((n, 2), np.float32)
    eps_theta = model.eps_theta(state.ema)
    path = [x_T, *sample(ddpm_step(), eps_theta, schedule, x_T, times, rng)]
    distance = energy_distance(path[-1], data[:n])
    floor = energy_distance(data[n : 2 * n], data[:n])
    print(f"energy distance to data: {distance:.4f} of samples, {floor:.4f} of other data")
    draw(schedule, data[:n], path, rng)


def draw(schedule, x_0, path, rng):
    """Data on their way to noise above, samples on their way back below: runs/ddpm.png."""
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError:
        return print("no picture: matplotlib is not installed")
    shown = [0, 50, 150, 300, 1000]
    figure = Figure((10, 4.4), layout="constrained")
    axes = figure.subplots(2, len(shown), sharex=True, sharey=True)
    for k, t in enumerate(shown):
        x_t = q_sample(schedule, x_0, t, rng.standard_normal(x_0.shape, x_0.dtype))
        for ax, x in zip(axes[:, k], (x_t, path[schedule.T - t])):
            ax.scatter(*x.T, s=2, color="#1f4e79", linewidths=0)
            ax.set(aspect="equal", xticks=[], yticks=[])
        axes[0, k].set_title(f"t = {t}", fontsize=13)
    axes[0, 0].set(xlim=(-3, 3), ylim=(-3, 3))  # of all: they are shared
    axes[0, 0].set_ylabel("data to noise", fontsize=13)
    axes[1, 0].set_ylabel("noise to samples", fontsize=13)
    os.makedirs("runs", exist_ok=True)
    figure.savefig("runs/ddpm.png", dpi=150)
    print("drawn: runs/ddpm.png")


if __name__ == "__main__":
    main()
