"""The pictures of a run: here they are computed, figures.py draws them."""

import numpy as np

from ..evaluation.floors import floor_of
from ..evaluation.metrics import JUDGE
from ..gaussian import noise_chain
from ..noise import stream
from . import figures
from .batches import time_of, uniform
from .drawing import draw_path, spread
from .names import sampler

HEAD = "$t$\n$\\bar\\alpha_t$"


def curve(run, data, looks=()):
    """The training curve, the exact floor where the data's density is known, and what was drawn on the
    way."""
    losses = np.array(run.losses) / run.loss_of_0()
    # of stretches that look equally long
    edges = np.unique(np.geomspace(1, len(losses) + 1, 60).astype(int))
    means = [losses[a - 1 : b - 1].mean() for a, b in zip(edges, edges[1:])]
    middles = np.sqrt(edges[:-1] * (edges[1:] - 1))
    floor, goal = None, run.goal
    if data.mixture is not None and goal.weight is None and goal.times is uniform:
        rng, process = stream(run.seed, JUDGE), run.process
        times = time_of(process, (np.arange(50) + 0.5) / 50)
        floors = [floor_of(goal.objective, data.mixture, process, t, 1000, rng)[0] for t in times]
        floor = np.mean(floors) / run.loss_of_0()
    return figures.training_curve(losses, middles, means, floor, looks, run.shape)


def forward(run, data, seed):
    """A few rows of data dissolving into noise."""
    times = np.unique(spread(run.schedule.alpha_bar, 9))
    rows = data.x[:: max(1, len(data.x) // 3)][:3] if len(data.shape) > 1 else data.x[:800]
    path = noise_chain(run.schedule, rows, times, stream(seed, JUDGE, 6))
    captions = [f"{t}\n{run.schedule.alpha_bar[t]:.2g}" for t in times]
    return figures.strip(path, captions, data.shape, "Forward: data dissolve into noise", HEAD)


def reverse(run, way, times, *drawn):
    """A few rows of noise becoming data by a Sampler, above x_0_hat; drawn: seed, condition, plain as draw
    has them."""
    stages = draw_path(run, way, times, 3 if len(run.shape) > 1 else 800, 9, *drawn)
    once = {stage[0]: stage for stage in stages}  # each t once
    t, alpha_bar, path, hats = zip(*once.values())
    captions = [f"{t_k}\n{ab:.2g}" for t_k, ab in zip(t, alpha_bar)]
    title = f"From noise to data by {way.label}, and what the network sees in it"
    color = figures.color_of(way.label)
    return figures.strip(path, captions, run.shape, title, HEAD, hats, color)


def trajectory(gif, run, ways, *drawn):
    """Writes many rows of noise becoming data as a GIF, by all ways {name: (a Sampler, times)}; if there is
    one, x_0_hat beside it."""
    panels, n = {}, 36 if len(run.shape) > 1 else 1000
    for name, (way, times) in ways.items():
        t, alpha_bar, path, hats = zip(*draw_path(run, way, times, n, 36, *drawn))
        captions = [f"t = {t_k}, $\\bar\\alpha_t$ = {ab:.2g}" for t_k, ab in zip(t, alpha_bar)]
        panels[f"{name}, {len(times) - 1} steps"] = path, captions, figures.color_of(name)
        if len(ways) == 1:
            panels["what the network sees in it"] = hats, captions, figures.GREEN
    return figures.trajectory(panels, run.shape, gif)


def growing(looks, path=None, plain=False):
    """Returns look(run) for fit: draws the same noise each time, adds (step, rows) to looks, draws all at
    path."""
    ddim, title = sampler("ddim"), "Learning: the same noise, drawn after ever more steps"

    def look(run):
        times = ddim.times(run.schedule.T, min(25, run.schedule.T), "trailing")
        condition = (np.arange(run.labels), 1.0) if run.labels else ()
        n = 5 if len(run.shape) > 1 else 800
        *_, (_, _, x_0, _) = draw_path(run, ddim, times, n, 2, 0, condition, plain)
        looks.append((run.state.step, x_0))
        if (
            path is not None and len(looks) > 1
        ):  # before the first step there is nothing to keep, and no folder
            captions, stages = [f"{step:,}" for step, _ in looks], [rows for _, rows in looks]
            figures.save(figures.strip(stages, captions, run.shape, title, "step"), path)

    return look


def against(data, sets, shape, title, seed, asked=None):
    """Data chosen by chance, or None, beside sets {caption: samples}; asked: their labels, each shown on a
    line."""
    order = [] if data is None else stream(seed, JUDGE, 5).permutation(len(data.x))
    if asked is None:
        m = min(100 if len(shape) > 1 else 5000, *map(len, sets.values()))
        shown = {} if data is None else {"data": data.x[order[:m]]}
        shown |= {caption: x_0[:m] for caption, x_0 in sets.items()}
        return figures.side_by_side(shown, shape, title)
    labels = np.unique(asked)[:10]
    known = {caption: (x_0, asked) for caption, x_0 in sets.items()}
    if data is not None and np.isin(labels, data.label).all():
        known = {"data": (data.x[order], data.label[order])} | known
    n = min(10, *(np.sum(label == k) for k in labels for _, label in known.values()))
    panels = {name: np.concatenate([x[label == k][:n] for k in labels]) for name, (x, label) in known.items()}
    return figures.side_by_side(panels, shape, title, n, labels)


def nearest(x_0, closest, shape):
    """Up to 40 samples, each above the training picture closest to it, and how far it is."""
    m = min(10, len(x_0))
    distances = np.linalg.norm(x_0[: len(closest)] - closest, axis=1)
    blocks = [slice(k * m, (k + 1) * m) for k in range(min(len(x_0) // m, 4))]
    groups = [[*x_0[b], *closest[b]] for b in blocks]
    captions = [[f"{distance:.1f}" for distance in distances[b]] for b in blocks]
    title = "Learnt by heart? Each sample above the training picture closest to it"
    return figures.grid(groups, ["sample", "nearest"], captions, shape, title, "distance")
