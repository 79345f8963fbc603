"""How cost grows: seconds and memory against the number of samples, points, pixels, channels and threads.

    python examples/outgrow/growth.py [--quick]     the table, and runs/growth.png; ten minutes (quick: one)

Each measurement is a process of its own, so that its peak memory is its own (Linux and macOS). The dotted
line is as steep as the work grows: where a curve is no steeper, nothing grows faster than its work. What is
compiled was compiled before.
"""

import argparse
import json
import os
import subprocess
import sys
import time

import numpy as np

from minidiff import fast
from minidiff.cli.pictures import named
from minidiff.fast import RowNoise
from minidiff.runs import figures
from minidiff.runs.datasets import Dataset
from minidiff.runs.drawing import draw
from minidiff.runs.names import sampler
from minidiff.runs.training import gradient_steps, new_run
from minidiff.schedule import linear

# name -> (sizes, quick ones, how the work grows: its power of the size, what the size is)
KINDS = {
    "samples": (
        (100, 1000, 10_000, 100_000, 1_000_000),
        (100, 1000),
        1,
        "samples by DDIM, 50 steps, MLP of width 128",
    ),
    "points": (
        (1000, 10_000, 100_000, 1_000_000, 10_000_000),
        (1000, 10_000),
        1,
        "points noised in one jump",
    ),
    "pixels": ((8, 16, 32, 64), (8, 16), 2, "pixels along a side: 10 steps of the U-Net, batch 16"),
    "width": ((64, 128, 256, 512, 1024, 2048), (64, 128), 2, "width of the MLP: 20 steps of batch 256"),
}


def task(kind, n):
    """A function that does the work of that size once."""
    if kind == "points":
        x, t = np.zeros((n, 2), np.float32), np.full(n, 500)
        return lambda: fast.noise_jump(linear(), x, t, RowNoise(0))
    side = n if kind == "pixels" else 0
    shape = (side, side) if side else (2,)
    # noise as data: what is learnt does not change the cost
    x = RowNoise(1).standard_normal((256, int(np.prod(shape))), np.float32)
    settings = {"batch": 16} if side else {"width": n} if kind == "width" else {}
    data = Dataset("noise", x, shape)
    run = new_run(data, "noise", "unet" if side else "mlp", lr=1e-6, **settings)
    if kind == "samples":
        how = sampler("ddim")
        return lambda: draw(run, how, how.times(1000, 50, "trailing"), n, 0)
    states = gradient_steps(run, data, 10**9)
    return lambda: [next(states) for _ in range(10 if side else 20)]


def measure(kind, n):
    """Prints [seconds, MB at the most] of one task, in this process."""
    import resource

    task(kind, KINDS[kind][0][0])()  # loads what was compiled
    f = task(kind, n)
    if kind in ("pixels", "width"):
        f()  # an engine is compared with the readable code at its first step
    began = time.perf_counter()
    f()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
    print(json.dumps([time.perf_counter() - began, peak]))


def measured(kind, n, threads):
    """The same from a process of its own."""
    env = os.environ | {"MINIDIFF_THREADS": str(threads), "OPENBLAS_NUM_THREADS": "1", "TQDM_DISABLE": "1"}
    command = [sys.executable, __file__, "--measure", kind, str(n)]
    done = subprocess.run(
        command, env=env, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    return json.loads(done.stdout.splitlines()[-1])


@figures.styled
def main(quick, out="runs/growth.png"):
    fig = figures.figure(10, 14, "How cost grows; dotted: as steep as the work")
    axes = fig.subplots(len(KINDS), 2)
    print("what      size        1 thread    2 threads   at most")
    for (kind, (sizes, few, power, words)), (left, right) in zip(KINDS.items(), axes):
        sizes = few if quick else sizes
        measured(kind, sizes[0], 1)  # compiles
        found = {threads: [measured(kind, n, threads) for n in sizes] for threads in (1, 2)}
        for n, (one, peak), (two, _) in zip(sizes, found[1], found[2]):
            print(f"{kind:8} {n:10,} {one:10.3g} s {two:10.3g} s {peak:8,.0f} MB", flush=True)
        seconds = {f"{k} thread{'s' * (k > 1)}": (sizes, [s for s, _ in v]) for k, v in found.items()}
        scale = {
            "xscale": "log",
            "xlabel": words if len(words) < 30 else words.split(":")[0].split(" by ")[0],
        }
        named(left, seconds, yscale="log", ylabel="seconds", **scale)
        last = found[1][-1][0]
        left.plot(sizes, [last * (n / sizes[-1]) ** power for n in sizes], ":", color=figures.GREY)
        right.plot(sizes, [m for _, m in found[1]], "o-", color=figures.BLUE, lw=2.5, ms=8)
        right.set(ylabel="MB at most", ylim=(0, None), **scale)
        for ax in (left, right):
            marked = sizes[:: 1 if len(sizes) < 5 else 2]
            ax.set_xticks(marked, [f"{n:,}" if n < 10_000 else f"$10^{len(str(n)) - 1}$" for n in marked])
            ax.minorticks_off()
    return figures.save(fig, out)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="small sizes only")
    parser.add_argument("--measure", nargs=2, metavar=("WHAT", "SIZE"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.measure:
        measure(args.measure[0], int(args.measure[1]))
    else:
        print("wrote", main(args.quick))
