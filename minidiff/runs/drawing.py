"""Draws from a run: samples, the way there, and the files that they are written to."""

import itertools
import sys
import time

import numpy as np

from ..continuous.solvers import evaluations
from ..gaussian import x_0_from_eps
from ..philox import RowNoise
from .datasets import write_csv
from .engine import engine
from .files import replacing
from .names import STRAIGHT, names_of
from .progress import bar

BLOCK = {"mlp": 4096, "unet": 256}  # rows that are drawn together: enough to keep eight cores busy


def for_rows(condition, rows):
    """The condition of rows (first, last): row k has the label number k of those that are given, begun again
    at their end."""
    return condition and (condition[0][np.arange(*rows) % len(condition[0])], condition[1])


def begin(run, rows, seed, condition, plain):
    """What a sampler needs for rows (first, last): eps_theta, x_T and the rng of both."""
    rng = (RowNoise if plain else engine().RowNoise)(seed, rows[0])
    x_T = rng.standard_normal((rows[1] - rows[0], run.model.d), np.float32)
    return run.eps_theta(*for_rows(condition, rows), plain=plain), x_T, rng


def draw(run, sampler, times, n, seed, condition=(), plain=False, rows=None):
    """Rows (first, last) of n samples, by default all: (last - first, d), all finite; and how, as a dict.

    condition: labels, which the rows have in turn, and w; or nothing. The n rows go in blocks, and a block is
    drawn whole even where only some of its rows are asked for: BLAS rounds by shape, and so a row has the
    same bits in any part.
    """
    (first, last), block = rows or (0, n), BLOCK[run.kind]
    blocks = [(k, min(k + block, n)) for k in range(first - first % block, last, block)]
    steps = (blocks[-1][1] - blocks[0][0]) * (len(times) - 1)
    parts, began = [], time.perf_counter()
    with bar(steps, "row-steps", sampler.label) as progress:
        for start, stop in blocks:
            start_of_walk = begin(run, (start, stop), seed, condition, plain)
            x_0 = walk(sampler, run.schedule, times, start_of_walk, plain, progress.update)
            parts.append(x_0[max(first - start, 0) : last - start])
    x_0, seconds = np.concatenate(parts), time.perf_counter() - began
    check_finite(x_0)
    warn_beyond(run, x_0)
    networks = 2 if condition and condition[1] not in (0, 1) else 1  # with the label, and without
    asked = networks * evaluations(sampler.sampler, run.schedule, times)
    objective = names_of(run.goal)["objective"]
    drawn = {"sampler": sampler.label, "objective": objective, "n": len(x_0), "seconds": seconds}
    return x_0, drawn | {"evaluations": asked}


def walk(sampler, schedule, times, start, plain, progress):
    """x_0 (rows, d), from what begin gave, down all times; progress(n) is told of every n steps of a row."""
    eps_theta, x_T, rng = start
    if not plain and sampler.step:
        return engine().generate(sampler.step, eps_theta, schedule, x_T, times, rng, progress)
    for x_s in sampler.sampler(eps_theta, schedule, x_T, times, rng):
        progress(len(x_s))
    return x_s


def spread(alpha_bar, count):
    """Positions of `count` of these alpha_bars: both ends, and between them equal steps of log SNR, 1/100 to
    300.

    An SNR beyond that looks like nothing but noise, or like data. Where there are few alpha_bars, positions
    repeat.
    """
    with np.errstate(divide="ignore"):  # without noise the SNR is infinite, without data 0
        log_snr = np.log(alpha_bar) - np.log1p(-alpha_bar)
    ends = np.clip(log_snr[[0, -1]], -np.log(100), np.log(300))
    wanted = np.linspace(*ends, count)[1:-1]
    nearest = np.abs(log_snr[:, None] - wanted).argmin(axis=0)
    return [0, *nearest.tolist(), len(alpha_bar) - 1]


def draw_path(run, sampler, times, n, count, seed, condition=(), plain=False):
    """`count` stages from noise to data, spread by log SNR: a list of t, alpha_bar, x_t and x_0_hat (n, d).

    A flow's own sampler walks the straight path, at the part 1 - t / T of the way, by its velocity.
    """
    eps_theta, x_T, rng = begin(run, (0, n), seed, condition, plain)
    schedule = run.schedule
    if sampler.sampler in STRAIGHT.values():
        part = 1 - times / schedule.T
        alpha_bar = part**2 / (part**2 + (1 - part) ** 2)

        def guess(x, k):
            return x + (1 - part[k]) * eps_theta.velocity(x, part[k])

    else:
        alpha_bar = schedule.alpha_bar[times]

        def guess(x, k):
            return x_0_from_eps(schedule, x, times[k], eps_theta(x, times[k]))

    shown, kept = spread(alpha_bar, count), {}
    path = itertools.chain([x_T], sampler.sampler(eps_theta, schedule, x_T, times, rng))
    for k, x in enumerate(path):
        if k in shown:
            kept[k] = int(times[k]), alpha_bar[k], x, guess(x, k) if times[k] else x
    check_finite(x)
    return [kept[k] for k in shown]


def check_finite(x_0):
    """Raises FloatingPointError for samples that are not finite."""
    if bad := np.sum(~np.isfinite(x_0).all(axis=1)):
        raise FloatingPointError(f"{bad} of {len(x_0)} samples are not finite")


def warn_beyond(run, x_0):
    """Says so if more than 1 % of samples leave four times the data's range, at least 2 (a constant has
    none)."""
    reach = 4 * np.maximum((run.high - run.low) / 2, 1)
    far = np.abs(x_0 - (run.low + run.high) / 2) > reach
    if far.any(axis=1).mean() > 0.01:
        said = f"{far.any(axis=1).sum()} of {len(x_0)} samples hold values beyond four times the data's range"
        column = f", most in column {far.sum(axis=0).argmax() + 1}" if len(run.shape) == 1 else ""
        print(said + column, file=sys.stderr)


def write_samples(run, x_0, condition, out):
    """samples.csv for a run on a .csv, the labels in their old column; else samples.npy and labels.npy.
    Returns the paths."""
    x = run.in_data_units(x_0)
    labels = condition[0] if condition else np.full(len(x_0), run.labels)  # K labels: K is none
    if run.columns is not None:
        x, columns = x.reshape(len(x), -1), [c for c in run.columns if c != run.label_column]
        if run.labels:
            columns = run.columns
            x = np.insert(x, columns.index(run.label_column), labels, axis=1)
        write_csv(out / "samples.csv", x, columns)
        return [out / "samples.csv"]
    arrays = {"samples.npy": x} | ({"labels.npy": labels} if run.labels else {})
    for file, array in arrays.items():
        with replacing(out / file) as beside, open(beside, "wb") as f:
            np.save(f, array)
    return [out / file for file in arrays]
