"""The pictures of a run: here they are computed, figures.py draws them."""

import numpy as np

from ..evaluation.floors import floor_of
from ..gaussian import noise_chain
from ..noise import JUDGE, stream
from ..objective import simple, uniform
from . import figures
from .names import sampler
from .use import draw_path, spread

HEAD = "$t$\n$\\bar\\alpha_t$"


def curve(run, data, looks=()):
    """The training curve, the exact floor where the data's law is known, and what was drawn on the way: see growing."""
    losses = np.array(run.losses) / run.loss_of_0()
    edges = np.unique(np.geomspace(1, len(losses) + 1, 60).astype(int))  # of stretches that look equally long
    means = [losses[a - 1 : b - 1].mean() for a, b in zip(edges, edges[1:])]
    floor, goal = None, run.goal
    if data.mixture is not None and goal.weight is simple and goal.times is uniform:
        rng, process = stream(run.state.seed, JUDGE), goal.objective.process(run.schedule)
        times = process.time_at((np.arange(50) + 0.5) / 50)
        floor = (
            np.mean([floor_of(goal.objective, data.mixture, process, t, 1000, rng)[0] for t in times])
            / run.loss_of_0()
        )
    return figures.training_curve(
        losses, np.sqrt(edges[:-1] * (edges[1:] - 1)), means, floor, looks, run.shape
    )


def forward(run, data, seed):
    """A few rows of data dissolving into noise."""
    times = np.unique(spread(run.schedule.alpha_bar, 9))
    rows = data.x[:: max(1, len(data.x) // 3)][:3] if len(data.shape) > 1 else data.x[:800]
    path = noise_chain(run.schedule, rows, times, stream(seed, JUDGE, 6))
    captions = [f"{t}\n{run.schedule.alpha_bar[t]:.2g}" for t in times]
    return figures.strip(path, captions, data.shape, "Forward: data dissolve into noise", HEAD)


def reverse(run, how, times, *drawn):
    """A few rows of noise becoming data by the Sampler `how`, above x_0_hat; drawn: seed, condition, plain as draw has them."""
    stages = draw_path(run, how, times, 3 if len(run.shape) > 1 else 800, 9, *drawn)
    t, alpha_bar, path, hats = zip(*{stage[0]: stage for stage in stages}.values())  # each t once
    captions = [f"{at}\n{ab:.2g}" for at, ab in zip(t, alpha_bar)]
    title = f"From noise to data by {how.label}, and what the network sees in it"
    return figures.strip(path, captions, run.shape, title, HEAD, hats, figures.color_of(how.label))


def trajectory(gif, run, ways, *drawn):
    """Writes many rows of noise becoming data as a GIF: by all ways {name: (a Sampler, times)}, or by one, and x_0_hat."""
    panels = {}
    for name, (how, times) in ways.items():
        t, alpha_bar, path, hats = zip(
            *draw_path(run, how, times, 36 if len(run.shape) > 1 else 1000, 36, *drawn)
        )
        captions = [f"t = {at}, $\\bar\\alpha_t$ = {ab:.2g}" for at, ab in zip(t, alpha_bar)]
        panels[f"{name}, {len(times) - 1} steps"] = path, captions, figures.color_of(name)
        if len(ways) == 1:
            panels["what the network sees in it"] = hats, captions, figures.GREEN
    return figures.trajectory(panels, run.shape, gif)


def growing(looks, path=None, plain=False):
    """Returns look(run) for fit: draws the same rows of noise each time, adds (step, rows) to looks and draws all at path."""
    ddim, title = sampler("ddim"), "Learning: the same noise, drawn after ever more steps"

    def look(run):
        times = ddim.times(run.schedule.T, min(25, run.schedule.T), "trailing")
        condition = (np.arange(run.labels), 1.0) if run.labels else ()
        *_, (_, _, x_0, _) = draw_path(
            run, ddim, times, 5 if len(run.shape) > 1 else 800, 2, 0, condition, plain
        )
        looks.append((run.state.step, x_0))
        if (
            path is not None and len(looks) > 1
        ):  # before the first step there is nothing to keep, and no folder
            stages = [stage for _, stage in looks]
            figures.save(
                figures.strip(stages, [f"{step:,}" for step, _ in looks], run.shape, title, "step"), path
            )

    return look


def against(data, sets, shape, title, seed, asked=None):
    """Data chosen by chance, or None, beside sets {caption: samples}; asked: their labels, of which each line shows one."""
    order = [] if data is None else stream(seed, JUDGE, 5).permutation(len(data.x))
    if asked is None:
        m = min(100 if len(shape) > 1 else 5000, *map(len, sets.values()))
        shown = {} if data is None else {"data": data.x[order[:m]]}
        return figures.beside(shown | {caption: x_0[:m] for caption, x_0 in sets.items()}, shape, title)
    labels, known = np.unique(asked)[:10], {caption: (x_0, asked) for caption, x_0 in sets.items()}
    if data is not None and np.isin(labels, data.label).all():
        known = {"data": (data.x[order], data.label[order])} | known
    n = min(10, *(np.sum(label == k) for k in labels for _, label in known.values()))
    panels = {name: np.concatenate([x[label == k][:n] for k in labels]) for name, (x, label) in known.items()}
    return figures.beside(panels, shape, title, n, labels)


def nearest(x_0, near, shape):
    """Up to 40 samples, each above the training picture closest to it, and how far it is."""
    m, far = min(10, len(x_0)), np.linalg.norm(x_0[: len(near)] - near, axis=1)
    blocks = [slice(k * m, (k + 1) * m) for k in range(min(len(x_0) // m, 4))]
    groups, captions = (
        [[*x_0[b], *near[b]] for b in blocks],
        [[f"{distance:.1f}" for distance in far[b]] for b in blocks],
    )
    title = "Learnt by heart? Each sample above the training picture closest to it"
    return figures.grid(groups, ["sample", "nearest"], captions, shape, title, "distance")
