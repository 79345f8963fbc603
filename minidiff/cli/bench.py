"""How fast, and what share of this machine's limit. Each result is checked against its readable twin before it is timed.

rows       training batches 32, 128, 512 and samples 1, 16, 1,024 of a 2-D MLP: width 128, three residual SiLU layers
limit      BLAS on the network's own matrix shapes, on one core
median     of interleaved repeats: what else the machine does falls on all rows alike
"""

import statistics
import time
from functools import cache

import numpy as np

from .. import data
from ..fast import threads
from ..gaussian import noise_chain, noise_jump, q_sample, q_step
from ..loss import loss_and_grads
from ..mlp import MLP
from ..noise import BENCH, RowNoise, stream
from ..pictures.unet import UNet
from ..sample import ddim, ddpm, generate, sample, trailing
from ..schedule import linear
from ..train import batches, start, train
from .printing import done, show, table
from .progress import bar

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


def check(fast, plain, bound):
    """AssertionError unless the arrays agree, up to `bound` of the largest number."""
    assert np.abs(fast - plain).max() <= bound * np.abs(plain).max()


@cache
def trained_params():
    """A network that has learnt enough for its samples to stay of size 1: numbers as they occur, not overflows."""
    state, x = start(MODEL, 0), data.mixture().sample(10_000, stream(0, BENCH), np.float32)
    for _ in train(MODEL, state, linear(T), x, steps=200):
        pass
    return state.params


def training(model, params, batch, steps, bound, lr=1e-3):
    """A task that takes so many gradient steps; the gradients of one batch are checked before."""
    state, schedule = start(model, 0), linear(T)
    for k, w in params.items():
        state.params[k][:] = w
    x = stream(0, BENCH).standard_normal((10_000, model.d), np.float32)
    x_0, t, eps, _ = next(batches(0, 0, schedule, x, min(batch, 32)))
    x_t = q_sample(schedule, x_0, t, eps)
    fast = model.loss_and_grads(len(t), T, np.float32)(params, x_t, t, eps)[1]
    for k, plain in loss_and_grads(model, params, x_t, t, eps)[1].items():
        check(fast[k], plain, bound)

    def task():
        for _ in train(model, state, schedule, x, steps=state.step + steps, batch=batch, lr=lr):
            pass

    return task


def sampling(model, params, rows, step, times, bound):
    """A task that walks `rows` samples down the times; ten steps are checked before."""
    schedule, short, few, eps_theta = linear(T), linear(10), range(10, -1, -1), model.eps_theta(params)
    x_T = RowNoise(0).standard_normal((rows, model.d), np.float32)
    *_, plain = sample(step, lambda x, t: model.forward(params, x, t)[0], short, x_T, few, RowNoise(1))
    check(generate(step, eps_theta, short, x_T, few, RowNoise(1)), plain, bound)
    return lambda: generate(step, eps_theta, schedule, x_T, times, RowNoise(1))


def noising(points):
    """Tasks for so many points in one jump, and for a hundredth along the whole chain; both are checked before."""
    schedule, rng = linear(T), stream(0, BENCH)
    x_0, t = rng.standard_normal((points, 2), np.float32), rng.integers(1, T + 1, points)
    x_t, eps = noise_jump(schedule, x_0[:99], t[:99], RowNoise(0))
    check(x_t, q_sample(schedule, x_0[:99], t[:99], eps), 1e-6)
    few, x, noise = x_0[: points // 100], x_0[:16], RowNoise(0)
    for s in (1, 2, 3):
        x = q_step(schedule, x, s, noise.standard_normal(x.shape, x.dtype))
    check(noise_chain(schedule, x_0[:16], [3], RowNoise(0))[0], x, 1e-6)
    return lambda: noise_jump(schedule, x_0, t, RowNoise(0)), lambda: noise_chain(schedule, few, [T], RowNoise(0))


def tasks():
    """name -> (task, how much of `unit` one call does, unit, FLOPs of one call)."""
    jump, chain = noising(1_000_000)
    found = {"noising in one jump": (jump, 1e6, "points/s", 0), "noising along the chain": (chain, 1e4 * T, "point-steps/s", 0)}
    params, every = trained_params(), range(T, -1, -1)
    for batch in (32, 128, 512):
        # backward costs twice the forward pass, but for the gradient by the input, which nobody needs
        task = training(MODEL, params, batch, 20, 1e-4)  # sums of `batch` products, in another order
        found[f"training step, batch {batch}"] = (task, 20, "steps/s", 20 * batch * 3 * FLOPS)
    for rows in (1, 16, 1024):
        task = sampling(MODEL, params, rows, ddpm(), every, 1e-4)
        found[f"DDPM, {rows} x {T} steps"] = (task, rows * T, "row-steps/s", rows * T * FLOPS)
    unet, rng = UNet(8), stream(0, BENCH, 1)
    params = {k: w + 0.05 * rng.standard_normal(w.shape, np.float32) for k, w in start(unet, 0).params.items()}  # few are 0
    task = training(unet, params, 64, 4, 1e-3, lr=1e-6)  # float32 through some twenty layers of up to 600 products
    found["U-Net 8 x 8 x 16, training step, batch 64"] = (task, 4, "steps/s", 0)
    task = sampling(unet, params, 64, ddim(), trailing(T, 50), 1e-3)
    found["U-Net 8 x 8 x 16, DDIM, 64 x 50 steps"] = (task, 64 * 50, "row-steps/s", 0)
    return found


def limits():
    """name -> task for the machine's limits: (task, FLOPs or bytes of one call)."""
    rng, width = stream(0, BENCH), MODEL.width
    x, W = rng.standard_normal((512, width), np.float32), rng.standard_normal((width, width), np.float32)
    y, memory = np.empty_like(x), np.ones(2**24, np.float32)
    copy = np.empty_like(memory)
    threads.warm_up_blas()
    blas = (lambda: [np.matmul(x, W, out=y) for _ in range(20)], 20 * 2 * 512 * width**2)
    return {"BLAS, one core": blas, "copy": (lambda: np.copyto(copy, memory), 2 * memory.nbytes)}


def bench(args):
    """How fast minidiff is on this machine, and what share of the machine's limit that is."""
    if args.repeats < 1:
        raise ValueError(f"repeats must be at least 1, got {args.repeats}")
    with bar(None, "tasks", "measuring") as progress:
        work, limit = tasks(), limits()
        seconds = interleaved({k: v[0] for k, v in (work | limit).items()}, args.repeats, progress.update)
    blas, copy = (amount / seconds[name] / 1e9 for name, (_, amount) in limit.items())
    rows = [
        {"name": name, "seconds": seconds[name], "rate": amount / seconds[name], "unit": unit}
        | ({"share_of_blas": flops / seconds[name] / 1e9 / blas} if flops else {})
        for name, (_, amount, unit, flops) in work.items()
    ]
    head = f"BLAS {blas:.1f} GFLOP/s on one core, copy {copy:.1f} GB/s"
    show(f"{head}; {threads.count()} threads, medians of interleaved runs\n", args)
    shown = [
        [r["name"], f"{r['rate']:.3g}", r["unit"], f"{r['share_of_blas']:.0%}" if "share_of_blas" in r else ""] for r in rows
    ]
    show(table(["work", "rate", "", "of one core's BLAS"], shown), args)
    machine = {"blas_gflops": blas, "copy_gb_per_s": copy}
    return done({"threads": threads.count(), "limits": machine, "work": rows}, args)
