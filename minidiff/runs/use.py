"""What the commands do with a run: begin it, train it, draw from it, write what was drawn."""

import itertools
import math
import sys
import time
import warnings
from types import SimpleNamespace

import numpy as np

from .. import fast, train
from ..continuous import flow
from ..continuous.solvers import evaluations
from ..fast import RowNoise
from ..gaussian import x_0_from_eps
from ..sample import sample
from .checkpoint import Run, load, save
from .datasets import write_csv
from .files import folder, replacing
from .names import MODELS, SCHEDULES, goal_of, names_of, pick
from .names import load as load_data
from .progress import Interrupt, bar

SAVE_EVERY, LOOKS = 20, 8  # seconds between checkpoints, pictures of what is learnt
BLOCK = {"mlp": 4096, "unet": 256}  # rows that are drawn together: enough to keep eight cores busy
SETTINGS = {"schedule": "linear", "T": 1000, "width": 128, "depth": 3, "batch": 256, "lr": 3e-3, "seed": 0,
            "objective": "v", "weight": "simple", "times": "uniform", "warmup": 0}  # fmt: skip
UNET = {"width": 16, "depth": 2, "batch": 64, "lr": 2e-3, "warmup": 100}  # where it differs


def new_run(data, name, model, conditional=False, **settings):
    """A Run at step 0 on the Dataset of that name; settings where they are not SETTINGS; conditional: told the labels."""
    s = SimpleNamespace(**SETTINGS | (UNET if model == "unet" else {}) | settings)
    kind, noising = pick("model", MODELS, model), pick("schedule", SCHEDULES, s.schedule)(s.T)
    goal = goal_of(s.objective, s.weight, s.times, warmup=s.warmup)
    if conditional and (data.label is None or model == "mlp"):
        none = f"{name} has no labels (a file may: an .npz with x and label, a .csv with a column label)"
        why = none if data.label is None else f"the model {model} takes none"
        raise ValueError(f"--conditional needs labels and the model unet: {why}")
    if model == "mlp":
        network = kind(data.x.shape[1], s.width, s.depth)
    elif len(data.shape) == 1:
        side = math.isqrt(d := data.shape[0])
        hint = f"{side} x {side} pixels? then --shape {side} {side}" if side**2 == d > 8 else "leave it out"
        raise ValueError(f"--model {model} needs pictures, {name} has rows of {d} numbers: {hint}")
    elif data.shape[0] != data.shape[1]:
        raise ValueError(
            f"--model {model} needs pictures of shape (H, W) or (H, W, C) with H = W, got {data.shape}"
        )
    else:
        labels = int(data.label.max()) + 1 if conditional else 0
        network = kind(*data.shape[1:], width=s.width, depth=s.depth, labels=labels)
    low, high = (-1.0, 1.0) if len(data.shape) > 1 else (data.x.min(axis=0), data.x.max(axis=0))
    return Run(
        network, train.start(network, s.seed), noising, name, data.shape, s.batch, s.lr, data.scale, data.offset, s.schedule,
        float(np.mean(evenly(data.x) ** 2)), goal, [], low, high, data.columns, data.label_column,
    )  # fmt: skip


def evenly(x):
    """10,000 rows of x or more, evenly spread: enough for a mean, where x may be too large to read whole."""
    return x[:: max(1, len(x) // 10_000)]


def data_of(run):
    """The data that a run was trained on. Raises ValueError where the file has changed since."""
    data = load_data(run.data, run.state.seed, run.shape, run.label_column)
    if not (np.array_equal(data.scale, run.scale) and np.array_equal(data.offset, run.offset)):
        raise ValueError(
            f"{run.data} is not what it was when the run began: its columns, mean or range differ"
        )
    return data


def gradient_steps(run, data, steps, plain):
    """The generator of States that training is. plain: by the readable code only."""
    settings = {
        "batch": run.batch,
        "lr": run.lr,
        "goal": run.goal,
        "label": data.label if run.labels else None,
    }
    return (train if plain else fast).train(
        run.model, run.state, run.schedule, data.x, steps=steps, **settings
    )


def fit(run, data, steps, path, look=lambda run: None, plain=False):
    """Trains run up to `steps` with a progress bar and checkpoints at `path`: the last one at Ctrl-C, a KeyboardInterrupt.

    look(run) is called before the first step and up to LOOKS times on the way, each time after twice as many steps.
    """
    run.loss_of_0()  # refuses a weight that the objective has not, before kernels are compiled and there is a folder
    training, first = gradient_steps(run, data, steps, plain), run.state.step
    looks = max(1, min(LOOKS, (steps - first) // 50))
    at = {first + round((steps - first) / 2**k) for k in range(looks)}
    is_new = not path.parent.exists()
    folder(path.parent)  # only now: a mistake in the arguments leaves no empty folder
    saved = time.monotonic()
    try:
        with Interrupt() as interrupt, bar(steps, "steps", "training") as progress, warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", RuntimeWarning
            )  # of an overflow: train looks for it, and says so in one line
            progress.update(first)
            look(run)
            for state in training:
                run.losses.append(state.loss)
                progress.update()
                if state.step % 50 == 0:
                    progress.set_postfix_str(f"error {run.error():.3f} (1: always 0)", False)
                if interrupt.asked or state.step >= steps or time.monotonic() - saved > SAVE_EVERY:
                    save(path, run)
                    saved = time.monotonic()
                if interrupt.asked:
                    more = f"minidiff train --out {path.parent} --resume --steps {steps}"
                    raise KeyboardInterrupt(
                        f"stopped at step {state.step}; {path} is saved. Continue with: {more}"
                    )
                if state.step in at:
                    look(run)
    except FloatingPointError as e:
        kept = (
            f"{path} keeps step {load(path).state.step}" if path.exists() else "no checkpoint was written yet"
        )
        raise FloatingPointError(f"{e}; {kept}") from e
    finally:
        if is_new and not any(path.parent.iterdir()):  # stopped before there was anything to keep
            path.parent.rmdir()


def told(condition, rows):
    """The condition of rows (first, last): row k has the label number k of those that are given, begun again at their end."""
    return condition and (condition[0][np.arange(*rows) % len(condition[0])], condition[1])


def begin(run, sampler, rows, seed, condition, plain):
    """What sample needs for rows (first, last): eps_theta or what the sampler asks in its place, x_T, and the rng of both."""
    eps_theta = (run.velocity if sampler.on_velocity else run.eps_theta)(*told(condition, rows), plain=plain)
    rng = RowNoise(seed, rows[0])
    return eps_theta, rng.standard_normal((rows[1] - rows[0], run.model.d), np.float32), rng


def draw(run, sampler, times, n, seed, condition=(), plain=False, rows=None):
    """Rows (first, last) of n samples, by default all: (last - first, d), all finite; and as a dict how they were drawn.

    condition: labels, which the rows have in turn, and w; or nothing. The n rows go in blocks, and a block is drawn whole
    even where only some of its rows are asked for: BLAS rounds by shape, and so a row has the same bits in any part.
    """
    (first, last), block, parts = rows or (0, n), BLOCK[run.kind], []
    began, blocks = (
        time.perf_counter(),
        [(k, min(k + block, n)) for k in range(first - first % block, last, block)],
    )
    with bar((blocks[-1][1] - blocks[0][0]) * (len(times) - 1), "row-steps", sampler.label) as progress:
        for start, stop in blocks:
            eps_theta, x_T, rng = begin(run, sampler, (start, stop), seed, condition, plain)
            if plain:
                for x_0 in sample(sampler.step, eps_theta, run.schedule, x_T, times, rng):
                    progress.update(len(x_0))
            else:
                x_0 = fast.generate(sampler.step, eps_theta, run.schedule, x_T, times, rng, progress.update)
            parts.append(x_0[max(first - start, 0) : last - start])
    x_0, seconds = np.concatenate(parts), time.perf_counter() - began
    check_finite(x_0)
    warn_beyond(run, x_0)
    both = 2 if condition and condition[1] not in (0, 1) else 1  # with the label, and without
    how = {
        "sampler": sampler.label,
        "objective": names_of(run.goal)["objective"],
        "n": len(x_0),
        "seconds": seconds,
    }
    return x_0, how | {"evaluations": both * evaluations(sampler.step, run.schedule, times)}


def spread(alpha_bar, count):
    """Positions of `count` of these alpha_bars: both ends, and between them equal steps of log SNR, from 1/100 to 300.

    An SNR beyond that looks like nothing but noise, or like data. Where there are few alpha_bars, positions repeat.
    """
    with np.errstate(divide="ignore"):  # without noise the SNR is infinite, without data 0
        log_snr = np.log(alpha_bar) - np.log1p(-alpha_bar)
    wanted = np.linspace(*np.clip(log_snr[[0, -1]], -np.log(100), np.log(300)), count)[1:-1]
    return [0, *np.abs(log_snr[:, None] - wanted).argmin(axis=0).tolist(), len(alpha_bar) - 1]


def draw_path(run, sampler, times, n, count, seed, condition=(), plain=False):
    """`count` stages on the way from noise to data, spread by log SNR: a list of t, alpha_bar, x_t (n, d), x_0_hat (n, d).

    A flow's own sampler walks the straight path, at 1 - t / T, by its velocity.
    """
    eps_theta, x_T, rng = begin(run, sampler, (0, n), seed, condition, plain)
    part, schedule = 1 - times / run.schedule.T, run.schedule
    if sampler.on_velocity:
        alpha_bar, guess = (
            flow.Linear().at(part, part),
            lambda x, k: x + (1 - part[k]) * eps_theta(x, part[k]),
        )
    else:
        alpha_bar = schedule.alpha_bar[times]
        guess = lambda x, k: x_0_from_eps(schedule, x, times[k], eps_theta(x, times[k]))  # noqa: E731
    shown, kept = spread(alpha_bar, count), {}
    for k, x in enumerate(itertools.chain([x_T], sample(sampler.step, eps_theta, schedule, x_T, times, rng))):
        if k in shown:
            kept[k] = int(times[k]), alpha_bar[k], x, guess(x, k) if times[k] else x
    check_finite(x)
    return [kept[k] for k in shown]


def check_finite(x_0):
    """Raises FloatingPointError for samples that are not finite."""
    if bad := np.sum(~np.isfinite(x_0).all(axis=1)):
        raise FloatingPointError(f"{bad} of {len(x_0)} samples are not finite")


def warn_beyond(run, x_0):
    """Says so if more than 1 % of samples leave four times the data's range, 2 at least: a constant column has none."""
    far = np.abs(x_0 - (run.low + run.high) / 2) > 4 * np.maximum((run.high - run.low) / 2, 1)
    if far.any(axis=1).mean() > 0.01:
        beyond = (
            f"{far.any(axis=1).sum()} of {len(x_0)} samples hold values beyond four times the data's range"
        )
        print(
            beyond + (f", most in column {far.sum(axis=0).argmax() + 1}" if len(run.shape) == 1 else ""),
            file=sys.stderr,
        )


def write_samples(run, x_0, condition, out):
    """samples.csv for a run on a .csv, the labels in their old column; else samples.npy and labels.npy. Returns the paths."""
    x, labels = (
        run.in_data_units(x_0),
        condition[0] if condition else np.full(len(x_0), run.labels),
    )  # K labels: K is none
    if run.columns is not None:
        x, columns = x.reshape(len(x), -1), [c for c in run.columns if c != run.label_column]
        if run.labels:
            x, columns = np.insert(x, run.columns.index(run.label_column), labels, axis=1), run.columns
        write_csv(out / "samples.csv", x, columns)
        return [out / "samples.csv"]
    arrays = {"samples.npy": x} | ({"labels.npy": labels} if run.labels else {})
    for file, array in arrays.items():
        with replacing(out / file) as beside, open(beside, "wb") as f:
            np.save(f, array)
    return [out / file for file in arrays]
