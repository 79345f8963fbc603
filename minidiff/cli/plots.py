"""The pictures of a run: here they are computed, figures.py draws them."""

import numpy as np

from ..evaluation.floors import floor_of
from ..gaussian import noise_chain
from ..noise import JUDGE, stream
from ..objective import simple, uniform
from . import figures
from .names import sampler
from .runs import draw_path


def some_of(data, n, seed):
    """n rows of data, or all, chosen by chance: a file may be sorted."""
    return data.x[stream(seed, JUDGE, 5).permutation(len(data.x))[:n]]


def curve(run, data):
    """The training curve: means over up to 200 stretches, and the exact floor where the data's law is known."""
    parts = np.array_split(np.array(run.losses) / run.loss_of_0(), min(200, len(run.losses)))
    floor, goal = None, run.goal
    if data.mixture is not None and goal.weight is simple and goal.times is uniform:
        rng, process = stream(run.state.seed, JUDGE), goal.objective.process(run.schedule)
        times = process.time_at((np.arange(50) + 0.5) / 50)
        floor = np.mean([floor_of(goal.objective, data.mixture, process, t, 1000, rng)[0] for t in times]) / run.loss_of_0()
    return figures.training_curve(np.cumsum([len(p) for p in parts]), [p.mean() for p in parts], floor)


def forward(run, data, seed):
    """A few rows of data dissolving into noise."""
    times = np.round(run.schedule.T * np.array([0, 0.05, 0.1, 0.2, 0.3, 0.45, 0.6, 0.8, 1])).astype(int)
    rows = data.x[:: max(1, len(data.x) // 3)][:3] if len(data.shape) > 1 else data.x[:800]
    path = noise_chain(run.schedule, rows, np.unique(times), stream(seed, JUDGE, 6))
    labels = [f"t={t}\n$\\bar\\alpha_t = {run.schedule.alpha_bar[t]:.2f}$" for t in np.unique(times)]
    return figures.strip(path, labels, data.shape, "Forward: data dissolve, step by step, into noise")


def reverse(run, how, times, seed, condition=(), plain=False):
    """A few rows of noise becoming data by the Sampler `how`; condition: labels and w, or nothing."""
    path, at = draw_path(run, how, times, 3 if len(run.shape) > 1 else 800, seed, 9, condition, plain)
    return figures.strip(path, [f"t={t}" for t in at], run.shape, f"Reverse: from noise to data by {how.label}")


def growing(path, plain=False):
    """Returns look(run) for fit: draws the same rows of noise each time and adds them to one picture at path."""
    stages, labels, ddim = [], [], sampler("ddim")

    def look(run):
        condition = (np.arange(run.labels), 1.0) if run.labels else ()
        times = ddim.times(run.schedule.T, min(25, run.schedule.T), "trailing")
        n = 10 if len(run.shape) > 1 else 800
        stages.append(draw_path(run, ddim, times, n, 0, 2, condition, plain)[0][-1])
        labels.append(f"step {run.state.step}")
        draw = figures.lines if len(run.shape) > 1 else figures.strip
        figures.save(draw(stages, labels, run.shape, "Learning: the same noise, step by step"), path)

    return look


def nearest(x_0, near, shape):
    """Up to 40 samples, each above the training picture closest to it."""
    m = min(10, len(x_0))
    pairs = [rows[k * m : (k + 1) * m] for k in range(min(len(x_0) // m, 4)) for rows in (x_0, near)]
    title = "Learnt by heart? Each sample and the training picture closest to it"
    return figures.lines(pairs, ["sample", "nearest"] * (len(pairs) // 2), shape, title)
