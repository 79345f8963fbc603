"""Seconds a step and samples a second against the size of the network, on one thread.

These are the numbers of README.md beside this file.

    python examples/outgrow/measure.py [--quick]     (PyTorch's column trains the exported network)

Each number is the best of several repeats, since other programs only ever make it slower.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

os.environ["MINIDIFF_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np

from minidiff.runs.batches import rows_at
from minidiff.runs.drawing import draw
from minidiff.runs.names import load, sampler
from minidiff.runs.training import gradient_steps, new_run

try:
    import torch
    from compare_pytorch import exported
except ImportError:
    torch = None


def best(f, repeats):
    """The least seconds of a call of f; one call before is not counted."""
    times = []
    for _ in range(repeats + 1):
        began = time.perf_counter()
        f()
        times.append(time.perf_counter() - began)
    return min(times[1:])


def torch_step(run):
    """A function that takes one gradient step of the exported network."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as home:
        _, net = exported(run, Path(home))
    adam, x = torch.optim.Adam(net.parameters()), torch.randn(run.batch, run.model.d)
    t = torch.randint(1, 1001, (run.batch,))

    def step():
        adam.zero_grad()
        ((net(x, t) - x) ** 2).sum(1).mean().backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        adam.step()

    return step


def row(data, model, width, repeats):
    """One line of the table."""
    found = load(data)
    run = new_run(found, data, model, width=width, lr=1e-4)
    how, n = sampler("ddim"), 512 if model == "mlp" else 32
    training = gradient_steps(run, found, 10**6)
    step = best(lambda: next(training), 4 * repeats)
    theirs = "        -"
    if torch:
        theirs = f"{1000 * best(torch_step(new_run(found, data, model, width=width)), 4 * repeats):9.1f}"
    times = how.times(1000, 10, "trailing")
    sample = best(lambda: draw(run, how, times, n, 0), repeats) / 10 * 50
    sizes = f"{model:5} {run.model.d:5} {width:6} {run.state.params.size:11,} {run.batch:6}"
    print(f"{sizes} {1000 * step:9.1f} {theirs} {n / sample:11.1f}", flush=True)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="the small networks only")
    quick = parser.parse_args().quick
    print(
        "model     d  width  parameters  batch   ms/step   PyTorch  samples/s   (samples by DDIM, 50 steps)"
    )
    for width in (128, 256) if quick else (128, 400, 1280, 4096):
        row("digits", "mlp", width, 3)
    for width in (16,) if quick else (16, 48, 96):
        row("glyphs-16", "unet", width, 3)
    print("rows of data      order of an epoch")
    for rows in (10**4, 10**6) if quick else (10**4, 10**6, 10**7):
        seconds = best(lambda rows=rows: rows_at(0, np.random.default_rng().integers(2**31), rows, 256), 2)
        print(f"{rows:12,} {1000 * seconds:13.1f} ms, {4 * rows / 2**20:.1f} MB")


if __name__ == "__main__":
    main()
