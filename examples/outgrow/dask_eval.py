"""Draws a run's samples in parts on Dask's workers and judges them there: what travels are sums, not samples.

    python examples/outgrow/dask_eval.py runs/moons --n 20000     (pip install minidiff 'dask[distributed]')

Here two processes of this machine are the cluster; with Client("tcp://scheduler:8786") it is any number of
machines. --check draws and judges once more in this process: the samples must have the same bits, the
distances agree to rounding.
"""

import argparse
import itertools
import os
import sys
import time
from pathlib import Path

# a worker is one thread; read when NumPy loads
os.environ["MINIDIFF_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np
from dask.distributed import Client, LocalCluster

from minidiff.evaluation.metrics import distances, energy_distance, frechet
from minidiff.runs import checkpoint
from minidiff.runs.drawing import draw
from minidiff.runs.names import sampler
from minidiff.runs.training import data_of


def rows(path, n, steps, first, last):
    """Samples first..last - 1 of n: the worker that draws them keeps them."""
    run, how = checkpoint.load(path), sampler("ddim")
    condition = (np.arange(run.labels), 2.0) if run.labels else ()
    times = how.times(run.schedule.T, steps, "trailing")
    x_0, _ = draw(run, how, times, n, 0, condition, rows=(first, last))
    return x_0


def moments(x):
    """n, the sum of x and the sum of x x^T: those of all rows are the sums of those of the parts."""
    x = x.astype(np.float64)
    return np.array([len(x)]), x.sum(axis=0), x.T @ x


def summed_distance(x, y):
    """sum_ij |x_i - y_j|."""
    return float(distances(x, y).sum(dtype=np.float64))


def gaussian_of(parts):
    """Mean and covariance from the parts' moments."""
    (n,), total, squares = (np.sum(m, axis=0) for m in zip(*parts))
    mean = total / n
    return mean, (squares - n * np.outer(mean, mean)) / (n - 1)


def frechet_of(x, y):
    """metrics.frechet from two (mean, covariance).

    |m_x - m_y|^2 + tr S_x + tr S_y - 2 tr (S_x^(1/2) S_y S_x^(1/2))^(1/2)
    """
    (m_x, S_x), (m_y, S_y) = x, y
    A, B = (axes * np.sqrt(np.maximum(var, 0)) for var, axes in (np.linalg.eigh(S) for S in (S_x, S_y)))
    of_roots = np.linalg.svd(B.T @ A, compute_uv=False).sum()
    return float(np.sum((m_x - m_y) ** 2) + np.trace(S_x) + np.trace(S_y) - 2 * of_roots)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", help="the folder of a run")
    parser.add_argument("--n", type=int, default=20_000)
    parser.add_argument(
        "--size", type=int, default=4096, help="rows of a part: a multiple of 4096, of a unet 256"
    )
    parser.add_argument("--steps", type=int, default=50, help="of DDIM")
    parser.add_argument("--check", action="store_true", help="compare with one process")
    args = parser.parse_args()
    path, n = str((Path(args.run) / "checkpoint.npz").resolve()), args.n
    real = np.ascontiguousarray(data_of(checkpoint.load(path)).x[:n])
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        began = time.perf_counter()
        edges = [*range(0, n, args.size), n]
        x = [client.submit(rows, path, n, args.steps, *edge) for edge in itertools.pairwise(edges)]
        y = client.scatter([real[k : k + args.size] for k in range(0, len(real), args.size)])
        gaussians = [gaussian_of(client.gather(client.map(moments, parts))) for parts in (x, y)]
        pairs = {"xy": (x, y), "xx": (x, x), "yy": (y, y)}
        sums = {
            k: [client.submit(summed_distance, a, b) for a in left for b in right]
            for k, (left, right) in pairs.items()
        }
        mean = {
            k: sum(client.gather(s)) / (len(real) ** k.count("y") * n ** k.count("x"))
            for k, s in sums.items()
        }
        fd, energy = frechet_of(*gaussians), 2 * mean["xy"] - mean["xx"] - mean["yy"]
        seconds = time.perf_counter() - began
        drawn = np.concatenate(client.gather(x)) if args.check else None
    print(f"{n} samples in {len(x)} parts on 2 processes, {seconds:.1f} s:", end=" ")
    print(f"Frechet {fd:.6f}, energy distance {energy:.6f}")
    if args.check:
        whole = rows(path, n, args.steps, 0, n)
        same, here = np.array_equal(drawn, whole), (frechet(whole, real), energy_distance(whole, real))
        bits = "the same" if same else "DIFFERENT"
        print(f"one process: {here[0]:.6f}, {here[1]:.6f}; the samples' bits are {bits}")
        # distances are float32: each is right to 1e-6 of itself, and so are their means
        sys.exit(
            not (
                same
                and abs(fd - here[0]) < 1e-6 * np.trace(gaussians[1][1])
                and abs(energy - here[1]) < 2e-6 * mean["xy"]
            )
        )


if __name__ == "__main__":
    main()
