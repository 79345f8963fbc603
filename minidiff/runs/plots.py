"""The pictures of a run: here they are computed, figures.py draws them."""

import numpy as np

from ..evaluation.floors import floor_of
from ..gaussian import noise_chain
from ..noise import JUDGE, stream
from ..objective import simple, uniform
from . import figures
from .names import sampler
from .use import draw_path


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
    times = np.unique(np.round(run.schedule.T * np.array([0, 0.05, 0.1, 0.2, 0.3, 0.45, 0.6, 0.8, 1])).astype(int))
    rows = data.x[:: max(1, len(data.x) // 3)][:3] if len(data.shape) > 1 else data.x[:800]
    path = noise_chain(run.schedule, rows, times, stream(seed, JUDGE, 6))
    labels = [f"t={t}\n$\\bar\\alpha_t = {run.schedule.alpha_bar[t]:.2f}$" for t in times]
    return figures.strip(path, labels, data.shape, "Forward: data dissolve, step by step, into noise")


def reverse(run, how, times, *drawn):
    """A few rows of noise becoming data by the Sampler `how`; drawn: seed, condition and plain, as draw has them."""
    path, at = draw_path(run, how, times, 3 if len(run.shape) > 1 else 800, 9, *drawn)
    return figures.strip(path, [f"t={t}" for t in at], run.shape, f"Reverse: from noise to data by {how.label}")


def trajectory(gif, run, how, times, *drawn):
    """Writes many rows of noise becoming data as a GIF, and returns where it is."""
    path, at = draw_path(run, how, times, 36 if len(run.shape) > 1 else 1000, 60, *drawn)
    return figures.trajectory(path, [f"t = {t}" for t in at], run.shape, gif)


def growing(path, plain=False):
    """Returns look(run) for fit: draws the same rows of noise each time and adds them to one picture at path."""
    stages, labels, ddim = [], [], sampler("ddim")

    def look(run):
        pictures, times = len(run.shape) > 1, ddim.times(run.schedule.T, min(25, run.schedule.T), "trailing")
        condition = (np.arange(run.labels), 1.0) if run.labels else ()
        stages.append(draw_path(run, ddim, times, 10 if pictures else 800, 2, 0, condition, plain)[0][-1])
        labels.append(f"step {run.state.step}")
        draw = figures.lines if pictures else figures.strip
        figures.save(draw(stages, labels, run.shape, "Learning: the same noise, step by step"), path)

    return look


def against(data, sets, shape, title, seed):
    """The data, chosen by chance as a file may be sorted, or None, and sets {caption: samples} beside each other."""
    m = min(100 if len(shape) > 1 else 5000, *map(len, sets.values()))
    shown = {} if data is None else {"data": data.x[stream(seed, JUDGE, 5).permutation(len(data.x))[:m]]}
    return figures.beside(shown | {caption: x_0[:m] for caption, x_0 in sets.items()}, shape, title)


def nearest(x_0, near, shape):
    """Up to 40 samples, each above the training picture closest to it."""
    m = min(10, len(x_0))
    pairs = [rows[k * m : (k + 1) * m] for k in range(min(len(x_0) // m, 4)) for rows in (x_0, near)]
    title = "Learnt by heart? Each sample and the training picture closest to it"
    return figures.lines(pairs, ["sample", "nearest"] * (len(pairs) // 2), shape, title)
