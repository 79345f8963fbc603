"""How fast, and what share of this machine's limit. Each result is checked against its readable twin before it is timed.

rows       training batches 32, 128, 512 and samples 1, 16, 1,024 of a 2-D MLP: width 128, three residual SiLU layers
limit      BLAS on the network's own matrix shapes, on one core; normals a second
median     of interleaved repeats: what else the machine does falls on all rows alike
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from functools import cache

import numpy as np

from ..data import load
from ..fast import threads
from ..fast.noise import RowNoise, normals
from ..fast.noising import noise_jump
from ..fast.sampling import generate
from ..gaussian import noise_chain, q_sample, q_step
from ..mlp import MLP
from ..noise import BENCH, stream
from ..objective import loss_and_grads
from ..pictures.unet import UNet
from ..sample import ddim, ddpm, sample, trailing
from ..schedule import linear
from ..train import batches, start, train

MODEL, T = MLP(2), 1000
FLOPS = 2 * sum(int(np.prod(s)) for s in MODEL.shapes.values() if len(s) == 2)  # multiply and add, one row forward


def once(f):
    """Seconds of one call."""
    began = time.perf_counter()
    f()
    return time.perf_counter() - began


def interleaved(tasks, repeats, progress=lambda n: None):
    """name -> median seconds of a call, the tasks taken in turn; each is called once before."""
    times = {name: [] for name in tasks}
    for f in tasks.values():
        f()
    for _ in range(repeats):
        for name, f in tasks.items():
            times[name].append(once(f))
            progress(1)
    return {name: statistics.median(t) for name, t in times.items()}


@cache
def trained_params():
    """A network that has learnt enough for its samples to stay of size 1: numbers as they occur, not overflows."""
    state = start(MODEL, 0)
    for _ in train(MODEL, state, linear(T), load("mixture").x, steps=200):
        pass
    return state.params


def _training_step(batch, data):
    """A task that takes 20 gradient steps, and the check that one of them is the readable one's."""
    state, schedule = start(MODEL, 0), linear(T)
    for k, w in trained_params().items():
        state.params[k][:] = w
    x_0, t, eps, _ = next(batches(0, 0, schedule, data, batch))
    x_t = q_sample(schedule, x_0, t, eps)
    fast, plain = (
        MODEL.loss_and_grads(batch, T, np.float32)(state.params, x_t, t, eps),
        loss_and_grads(MODEL, state.params, x_t, t, eps),
    )
    for k in state.params:  # sums of `batch` products, in another order
        assert np.abs(fast[1][k] - plain[1][k]).max() <= 1e-4 * np.abs(plain[1][k]).max(), k

    def task():
        for _ in train(MODEL, state, schedule, data, steps=state.step + 20, batch=batch):
            pass

    return task


def _sampling(rows):
    """A task that walks `rows` samples down T steps, and the check that the first steps are the readable ones'."""
    schedule, short, eps_theta = linear(T), linear(10), MODEL.eps_theta(trained_params())
    x_T = RowNoise(0).standard_normal((rows, 2), np.float32)
    fast = generate(ddpm(), eps_theta, short, x_T, range(10, -1, -1), RowNoise(1))
    *_, plain = sample(ddpm(), eps_theta, short, x_T, range(10, -1, -1), RowNoise(1))
    assert np.abs(fast - plain).max() <= 1e-4 * np.abs(plain).max()
    return lambda: generate(ddpm(), eps_theta, schedule, x_T, range(T, -1, -1), RowNoise(1))


def _unet(model, batch, shown):
    """Tasks for 4 training steps and for DDIM in 50 steps of so many pictures; both checked against unet.py first."""
    state, schedule, data = start(model, 0), linear(T), stream(0, BENCH).standard_normal((1000, model.d), np.float32)
    for w in state.params.values():  # at the initialisation most gradients are 0
        w += 0.05 * stream(0, BENCH, 1).standard_normal(w.shape, np.float32)
    x_0, t, eps, _ = next(batches(0, 0, schedule, data, 8))
    x_t = q_sample(schedule, x_0, t, eps)
    fast, plain = (
        model.loss_and_grads(8, T, np.float32)(state.params, x_t, t, eps),
        loss_and_grads(model, state.params, x_t, t, eps),
    )
    for k in state.params:  # float32 through some twenty layers, each a sum of up to 600 products
        assert np.abs(fast[1][k] - plain[1][k]).max() <= 1e-3 * np.abs(plain[1][k]).max(), k
    eps_theta, x_T = model.eps_theta(state.params), RowNoise(0).standard_normal((shown, model.d), np.float32)
    assert np.abs(eps_theta(x_t, t) - model.forward(state.params, x_t, t)[0]).max() <= 1e-3 * np.abs(eps).max()

    def training():
        for _ in train(model, state, schedule, data, steps=state.step + 4, batch=batch, lr=1e-6):
            pass

    return training, lambda: generate(ddim(), eps_theta, schedule, x_T, trailing(T, 50), RowNoise(1))


def _noising(points):
    """Tasks for a million points in one jump, and for some along the whole chain; checked against q_sample and q_step."""
    schedule, rng = linear(T), stream(0, BENCH)
    x_0 = rng.standard_normal((points, 2), np.float32)
    t = rng.integers(1, T + 1, points)
    x_t, eps = noise_jump(schedule, x_0[:99], t[:99], RowNoise(0))
    assert np.abs(x_t - q_sample(schedule, x_0[:99], t[:99], eps)).max() <= 1e-6
    walked, x = noise_chain(schedule, x_0[:16], [3], RowNoise(0))[0], x_0[:16]
    noise = RowNoise(0)
    for s in (1, 2, 3):
        x = q_step(schedule, x, s, noise.standard_normal(x.shape, x.dtype))
    assert np.abs(walked - x).max() <= 1e-6
    some = x_0[: points // 100]
    return lambda: noise_jump(schedule, x_0, t, RowNoise(0)), lambda: noise_chain(schedule, some, [T], RowNoise(0))


def _normals(n):
    """A task that draws n normals on all threads, and the check of its first."""
    rng = RowNoise(0)
    assert np.abs(rng.at(0, 1, 0, 8, (1,), np.float32).ravel() - normals(rng.key, 0, 0, 8, np.float32)).max() <= 1e-6
    return lambda: threads.side_by_side(lambda i, j: rng.at(0, 1, i, j, (2,), np.float32), n // 2, 2**14)


def startup():
    """Seconds of whole processes: --help, import, and a first sample with all its kernels from a cold and a warm cache."""
    first = "import numpy as np, minidiff as md; r = md.RowNoise(0); m = md.MLP(2); s = md.linear(1000);"
    first += "p = m.init(np.random.default_rng(0)); x = r.standard_normal((1, 2), np.float32);"
    first += "md.generate(md.ddpm(), m.eps_theta(p), s, x, range(1000, -1, -1), r)"

    def process(*words, **env):
        run = [sys.executable, *words]
        return once(lambda: subprocess.run(run, check=True, capture_output=True, env=os.environ | env))

    with tempfile.TemporaryDirectory() as folder:
        cold = process("-c", first, NUMBA_CACHE_DIR=folder)
        warm = [process("-c", first, NUMBA_CACHE_DIR=folder) for _ in range(3)]
    return {
        "--help": statistics.median(process("-m", "minidiff", "--help") for _ in range(3)),
        "import minidiff": statistics.median(process("-c", "import minidiff") for _ in range(3)),
        "first sample, cold cache": cold,
        "first sample, warm cache": statistics.median(warm),
    }


def tasks():
    """name -> (task, how much of `unit` one call does, unit, FLOPs of one call)."""
    data = stream(0, BENCH).standard_normal((10_000, 2), np.float32)
    jump, chain = _noising(1_000_000)
    all_ = {
        "normals, float32": (_normals(2_000_000), 2e6, "normals/s", 0),
        "noising in one jump": (jump, 1e6, "points/s", 0),
        "noising along the chain": (chain, 1e4 * T, "point-steps/s", 0),
    }
    for batch in (32, 128, 512):
        # backward costs twice the forward pass, but for the gradient by the input, which nobody needs
        all_[f"training step, batch {batch}"] = (_training_step(batch, data), 20, "steps/s", 20 * batch * 3 * FLOPS)
    for rows in (1, 16, 1024):
        all_[f"DDPM, {rows} x {T} steps"] = (_sampling(rows), rows * T, "row-steps/s", rows * T * FLOPS)
    training, sampling = _unet(UNet(8), 64, 64)
    all_["U-Net 8 x 8 x 16, training step, batch 64"] = (training, 4, "steps/s", 0)
    all_["U-Net 8 x 8 x 16, DDIM, 64 x 50 steps"] = (sampling, 64 * 50, "row-steps/s", 0)
    return all_


def limits():
    """name -> task for the machine's limits: (task, FLOPs or bytes of one call)."""
    rng, width = stream(0, BENCH), MODEL.width
    x, W = rng.standard_normal((512, width), np.float32), rng.standard_normal((width, width), np.float32)
    y, memory = np.empty_like(x), np.ones(2**24, np.float32)
    copy = np.empty_like(memory)
    threads.warm_up_blas()

    def products():
        for _ in range(20):
            np.matmul(x, W, out=y)

    return {"BLAS, one core": (products, 20 * 2 * 512 * width**2), "copy": (lambda: np.copyto(copy, memory), 2 * memory.nbytes)}


def measure(repeats=5, progress=lambda n: None):
    """All of it: {"limits": ..., "work": [...], "startup": ...}, in plain numbers."""
    if repeats < 1:
        raise ValueError(f"repeats must be at least 1, got {repeats}")
    work, limit = tasks(), limits()
    medians = interleaved({k: v[0] for k, v in (work | limit).items()}, repeats, progress)
    blas = limit["BLAS, one core"][1] / medians["BLAS, one core"] / 1e9
    rows = []
    for name, (_, amount, unit, flops) in work.items():
        row = {"name": name, "seconds": medians[name], "rate": amount / medians[name], "unit": unit}
        rows.append(
            row
            | ({"gflops": flops / medians[name] / 1e9, "share_of_blas": flops / medians[name] / 1e9 / blas} if flops else {})
        )
    return {
        "threads": threads.count(),
        "limits": {"blas_gflops": blas, "copy_gb_per_s": limit["copy"][1] / medians["copy"] / 1e9},
        "work": rows,
        "startup_seconds": startup(),
    }
