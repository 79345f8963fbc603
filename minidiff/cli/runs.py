"""What the commands do with a run: train it, draw from it, make its pictures.

Modules are imported inside the functions, so that --help does not wait for NumPy, Numba and matplotlib.
"""

import itertools
import math
import sys
import time
import warnings

from .progress import Interrupt, bar

SAVE_EVERY = 20  # seconds between checkpoints


def new_run(
    data, name, kind, conditional=False, *, schedule, T, width, depth, batch, lr, seed, objective, weight, times, warmup
):
    """A Run at step 0; conditional: told the data's labels."""
    import numpy as np

    from ..schedule import SCHEDULES
    from ..train import start
    from .checkpoint import MODELS, Run, goal_of
    from .names import pick

    goal, noising = goal_of(objective, weight, times, warmup=warmup), pick("schedule", SCHEDULES, schedule)(T)
    if conditional and (data.label is None or kind != "unet"):
        none = f"{name} has no labels (a file may: an .npz with x and label, a .csv with a column label)"
        why = none if data.label is None else f"the model {kind} takes none"
        raise ValueError(f"--conditional needs labels and the model unet: {why}")
    if pick("model", MODELS, kind) is MODELS["mlp"]:
        model = MODELS[kind](data.x.shape[1], width, depth)
    else:
        if len(data.shape) < 2:
            side = math.isqrt(d := data.shape[0])
            hint = f"{side} x {side} pixels? then --shape {side} {side}" if side**2 == d > 8 else "leave it out"
            raise ValueError(f"--model unet needs pictures, {name} has rows of {d} numbers: {hint}")
        labels = int(data.label.max()) + 1 if conditional else 0
        if data.shape[0] != data.shape[1]:
            raise ValueError(f"--model unet needs pictures of shape (H, W) or (H, W, C) with H = W, got {data.shape}")
        model = MODELS[kind](data.shape[0], *data.shape[2:], width=width, depth=depth, labels=labels)
    state = start(model, seed)
    second_moment = float(np.mean(some_rows(data.x) ** 2))
    low, high = (-1.0, 1.0) if len(data.shape) > 1 else (data.x.min(axis=0), data.x.max(axis=0))
    about = (data.scale, data.offset, schedule, second_moment, goal, [], low, high, data.columns, data.label_column)
    return Run(model, state, noising, name, data.shape, batch, lr, *about)


def some_rows(x):
    """10,000 rows of x or more, evenly: what a number about all of them is read off where x is too large to read whole."""
    return x[:: max(1, len(x) // 10_000)]


def data_of(run):
    """The data that a run was trained on. Raises ValueError where the file has changed since."""
    import numpy as np

    from .. import data as datasets

    data = datasets.load(run.data, run.state.seed, run.shape, run.label_column)
    same = data.x.shape[1] == run.model.d and np.array_equal(data.scale, run.scale) and np.array_equal(data.offset, run.offset)
    if not same:
        raise ValueError(f"{run.data} is not what it was when the run began: its columns, mean or range differ")
    return data


def denoiser_for(run, step, *wish):
    """What the step asks: eps_theta, or the velocity itself for those that walk the straight path. wish: label, w."""
    return run.velocity(*wish) if run.straight(step) else run.eps_theta(*wish)


def _check_finite(x_0):
    import numpy as np

    if not (good := np.isfinite(x_0).all(axis=1)).all():
        raise FloatingPointError(f"{np.sum(~good)} of {len(x_0)} samples are not finite")


def _warn_beyond(run, x_0):
    """Says so if more than 1 % of samples leave four times the data's range, 2 at least: a constant column has none."""
    import numpy as np

    low, high, scale, offset = (np.broadcast_to(a, run.model.d) for a in (run.low, run.high, run.scale, run.offset))
    far = np.abs(x_0 - (low + high) / 2) > 4 * np.maximum((high - low) / 2, 1)
    if far.any(axis=1).mean() > 0.01:
        k = far.sum(axis=0).argmax()
        where, told = ("", x_0) if len(run.shape) > 1 else (f"column {k + 1}: ", x_0[:, k])
        ends = np.round(np.array([told.min(), told.max(), low[k], high[k]]) + offset[k] / scale[k], 4) * scale[k]
        a, b, least, most = (f"{v:.4g}" for v in ends)
        said = f"hold values beyond four times the data's range ({where}{a}..{b} for {least}..{most})"
        print(f"{far.any(axis=1).sum()} of {len(x_0)} samples {said}", file=sys.stderr)


def write_samples(run, x_0, labels, out):
    """samples.csv for a run on a .csv, the labels in their old column; else samples.npy and labels.npy. Returns the paths."""
    import numpy as np

    from .files import replacing, write_csv

    if run.columns is not None:
        x, columns = run.in_data_units(x_0).reshape(len(x_0), -1), [c for c in run.columns if c != run.label_column]
        if labels is not None:
            x, columns = np.insert(x, run.columns.index(run.label_column), labels, axis=1), run.columns
        write_csv(out / "samples.csv", x, columns)
        return [out / "samples.csv"]
    arrays = {"samples.npy": run.in_data_units(x_0)} | ({} if labels is None else {"labels.npy": labels})
    for file, array in arrays.items():
        with replacing(out / file) as beside, open(beside, "wb") as f:
            np.save(f, array)
    return [out / file for file in arrays]


def draw(run, step, times, n, seed, what, *wish):
    """n samples (n, d), the seconds they took, and the network evaluations each took. wish: (n,) labels and w, or nothing."""
    import numpy as np

    from ..fast.noise import RowNoise
    from ..fast.sampling import Counted, generate

    rng, eps_theta = RowNoise(seed), Counted(denoiser_for(run, step, *wish))
    x_T = rng.standard_normal((n, run.model.d), np.float32)
    began = time.perf_counter()
    with bar(n * (len(times) - 1), "row-steps", what) as progress:
        x_0 = generate(step, eps_theta, run.schedule, x_T, times, rng, progress.update)
    _check_finite(x_0)
    _warn_beyond(run, x_0)
    return x_0, time.perf_counter() - began, round(eps_theta.evaluations(n))


def draw_path(run, step, times, n, seed, frames, *wish):
    """About `frames` stages (n, d) on the way from noise to data, and their times."""
    import numpy as np

    from ..fast.noise import RowNoise
    from ..sample import sample

    rng = RowNoise(seed)
    x_T = rng.standard_normal((n, run.model.d), np.float32)
    keep = set(np.linspace(0, len(times) - 1, min(frames, len(times))).round().astype(int).tolist())
    walk = enumerate(itertools.chain([x_T], sample(step, denoiser_for(run, step, *wish), run.schedule, x_T, times, rng)))
    path = [x for k, x in walk if k in keep]
    _check_finite(path[-1])
    return path, [int(times[k]) for k in sorted(keep)]


def fit(run, data, steps, path, look=lambda run: None, looks=8):
    """Trains run up to `steps` with a progress bar and checkpoints at `path`. Returns False if the user stopped it.

    look(run) is called up to `looks` times on the way, evenly, at least 50 steps apart.
    """
    import numpy as np

    from ..train import train
    from .checkpoint import load, save
    from .files import folder

    label = data.label if getattr(run.model, "labels", 0) else None
    training = train(
        run.model, run.state, run.schedule, data.x, steps=steps, batch=run.batch, lr=run.lr, goal=run.goal, label=label
    )
    looks = max(1, min(looks, (steps - run.state.step) // 50))
    at = {run.state.step + round((steps - run.state.step) * k / looks) for k in range(1, looks + 1)}
    nothing = run.loss_of_0()
    ours = not path.parent.exists()
    folder(path.parent)  # only now: a mistake in the arguments leaves no empty folder
    saved = time.monotonic()
    try:
        with Interrupt() as interrupt, bar(steps, "steps", "training") as progress, warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # of an overflow: train looks for it, and says so in one line
            progress.update(run.state.step)
            for state in training:
                run.losses.append(state.loss)
                progress.update()
                if state.step % 50 == 0:
                    error = np.mean(run.recent_losses()) / nothing
                    progress.set_postfix_str(f"error {error:.3f} (1 = knows nothing)", False)
                if time.monotonic() - saved > SAVE_EVERY or interrupt.asked:
                    save(path, run)
                    saved = time.monotonic()
                if interrupt.asked:
                    return False
                if state.step in at:
                    look(run)
        save(path, run)
    except FloatingPointError as e:
        kept = f"{path} keeps step {load(path).state.step}" if path.exists() else "no checkpoint was written yet"
        raise FloatingPointError(f"{e}; {kept}") from e
    finally:
        if ours and not any(path.parent.iterdir()):  # stopped before there was anything to keep
            path.parent.rmdir()
    return True


def curve(run, data, figures):
    """The training curve: means over up to 200 stretches, and the exact floor where the data's law is known."""
    import numpy as np

    from ..noise import JUDGE, stream
    from ..objective import floor_of, simple, uniform

    parts = np.array_split(np.array(run.losses) / run.loss_of_0(), min(200, len(run.losses)))
    ends = np.cumsum([len(p) for p in parts])
    floor, goal = None, run.goal
    if data.mixture is not None and goal.weight is simple and goal.times is uniform:
        rng, process = stream(run.state.seed, JUDGE), goal.objective.process(run.schedule)
        times = process.time_at((np.arange(50) + 0.5) / 50)
        floors = [floor_of(goal.objective, data.mixture, process, t, 1000, rng)[0] for t in times]
        floor = np.mean(floors) / run.loss_of_0()
    return figures.training_curve(ends, [p.mean() for p in parts], floor)


def forward_figure(run, data, figures, rng):
    """A few rows of data dissolving into noise."""
    import numpy as np

    from ..gaussian import noise_chain

    T = run.schedule.T
    times = np.unique(np.round(T * np.array([0, 0.05, 0.1, 0.2, 0.3, 0.45, 0.6, 0.8, 1])).astype(int))
    rows = data.x[:: max(1, len(data.x) // 3)][:3] if len(data.shape) > 1 else data.x[:800]
    path = noise_chain(run.schedule, rows, times, rng)
    labels = [f"t={t}\n$\\bar\\alpha_t = {run.schedule.alpha_bar[t]:.2f}$" for t in times]
    return figures.strip(path, labels, data.shape, "Forward: data dissolve, step by step, into noise")


def first_of(wish, n):
    """The wish, for n rows."""
    import numpy as np

    return (np.resize(wish[0], n), wish[1]) if wish else ()


def growing_figure(figures, path):
    """Returns look(run) for fit: draws the same ten rows of noise each time and adds them below, into one picture at path."""
    import numpy as np

    from ..sample import ddim, trailing

    stages, labels = [], []

    def look(run):
        n, K = 10 if len(run.shape) > 1 else 800, getattr(run.model, "labels", 0)
        wish = (np.arange(n) % K,) if K else ()
        stages.append(draw_path(run, ddim(), trailing(run.schedule.T, min(25, run.schedule.T)), n, 0, 2, *wish)[0][-1])
        labels.append(f"step {run.state.step}")
        figures.save(figures.grown(stages, labels, run.shape), path)

    return look


def reverse_figure(run, step, name, times, figures, seed, wish=()):
    """A few rows of noise becoming data; wish: labels of at least three rows and w, or nothing."""
    n = 3 if len(run.shape) > 1 else 800
    path, at = draw_path(run, step, times, n, seed, 9, *first_of(wish, n))
    return figures.strip(path, [f"t={t}" for t in at], run.shape, f"Reverse: from noise to data by {name}")
