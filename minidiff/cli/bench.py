"""How fast, and what share of this machine's limit. Each engine is compared with the readable code before it is timed.

rows       training batches 32, 128, 512 and samples 1, 16, 1,024 of a 2-D MLP: width 128, three residual SiLU layers
limit      BLAS on the MLP's own matrix shapes, on one core; for noise in one jump, a copy in memory. A share may exceed 100 %:
           small products are faster here than BLAS, Winograd needs a quarter of those that a convolution is counted with
median     of interleaved repeats: what else the machine does falls on all rows alike
"""

import math
import statistics
import time
from functools import cache

import numpy as np

from .. import data, fast
from ..fast import RowNoise, threads
from ..gaussian import q_sample
from ..mlp import MLP
from ..noise import BENCH, stream
from ..pictures.unet import UNet
from ..runs.figures import save
from ..runs.progress import bar
from ..sample import ddim, ddpm, trailing
from ..schedule import linear
from ..train import start, train
from .pictures import limits_reached
from .printing import done, show, table, wrote

MODEL, T = MLP(2), 1000
FLOPS = 2 * sum(
    int(np.prod(s)) for s in MODEL.shapes.values() if len(s) == 2
)  # multiply and add, one row forward


def once(f):
    """Seconds of one call."""
    began = time.perf_counter()
    f()
    return time.perf_counter() - began


def interleaved(tasks, repeats, progress=lambda n: None):
    """name -> median seconds of a call, the tasks taken in turn; each is called once before that."""
    times = {name: [] for name in tasks}
    for _ in range(repeats + 1):
        for name, f in tasks.items():
            times[name].append(once(f))
            progress(1)
    return {name: statistics.median(t[1:]) for name, t in times.items()}


def refuse(text):
    """In the place of trust.say: an engine that is wrong is not timed."""
    raise AssertionError(text)


@cache
def trained_params():
    """A network that has learnt enough for its samples to stay of size 1: numbers as they occur, not overflows."""
    state, x = start(MODEL, 0), data.mixture().sample(10_000, stream(0, BENCH), np.float32)
    for _ in train(MODEL, state, linear(T), x, steps=200):
        pass
    return state.params


def training(model, batch, steps, **settings):
    """A task that takes so many gradient steps."""
    x = stream(0, BENCH).standard_normal((10_000, model.d), np.float32)
    states = fast.train(
        model, start(model, 0), linear(T), x, steps=10**9, batch=batch, say=refuse, **settings
    )
    return lambda: [next(states) for _ in range(steps)]


def sampling(model, params, rows, step, times):
    """A task that walks `rows` samples down the times."""
    schedule, eps_theta = linear(T), fast.denoiser(model.eps_theta(params), refuse)
    x_T = RowNoise(0).standard_normal((rows, model.d), np.float32)
    return lambda: fast.generate(step, eps_theta, schedule, x_T, times, RowNoise(1), say=refuse)


def noising(points):
    """Tasks for so many points in one jump, and for a hundredth of them along the whole chain."""
    schedule, rng = linear(T), stream(0, BENCH)
    x_0, t = rng.standard_normal((points, 2), np.float32), rng.integers(1, T + 1, points)
    x_t, eps = fast.noise_jump(schedule, x_0[:99], t[:99], RowNoise(0))
    if (
        np.abs(x_t - q_sample(schedule, x_0[:99], t[:99], eps)).max() > 1e-6
    ):  # two products and a sum of numbers up to 4
        refuse("gaussian.q_sample and fast.noise_jump disagree")
    few = x_0[: points // 100]
    return (
        lambda: fast.noise_jump(schedule, x_0, t, RowNoise(0)),
        lambda: fast.noise_chain(schedule, few, [T], RowNoise(0), say=refuse),
    )


def flops_of(unet):
    """Multiplications and additions of one picture's way forward; level i has 1 / 2^i of the picture's side."""
    places = {
        k: unet.depth if "mid" in k or k in ("W_qkv", "W_att") else int(k[-1]) if k[-1].isdigit() else 0
        for k in unet.shapes
    }
    pixels = {k: (unet.size >> level) ** 2 for k, level in places.items()} | {"W_time": 1, "W_mod": 1}
    return sum(2 * math.prod(shape) * pixels[k] for k, shape in unet.shapes.items() if len(shape) > 1)


def tasks():
    """name -> (task, how much of `unit` one call does, unit, FLOPs of one call, or minus its bytes)."""
    jump, chain = noising(1_000_000)
    # a point in the plane: x_0 and t are read, x_t and eps written
    found = {
        "noising in one jump": (jump, 1e6, "points/s", -32e6),
        "noising along the chain": (chain, 1e4 * T, "point-steps/s", 0),
    }
    for batch in (32, 128, 512):
        # backward costs twice the forward pass, but for the gradient by the input, which nobody needs
        found[f"training step, batch {batch}"] = (
            training(MODEL, batch, 20),
            20,
            "steps/s",
            20 * batch * 3 * FLOPS,
        )
    for rows in (1, 16, 1024):
        task = sampling(MODEL, trained_params(), rows, ddpm(), range(T, -1, -1))
        found[f"DDPM, {rows} x {T} steps"] = (task, rows * T, "row-steps/s", rows * T * FLOPS)
    unet = UNet(8)
    found["U-Net 8 x 8 x 16, training step, batch 64"] = (
        training(unet, 64, 4, lr=1e-6),
        4,
        "steps/s",
        4 * 64 * 3 * flops_of(unet),
    )
    task = sampling(unet, start(unet, 0).params, 64, ddim(), trailing(T, 50))
    found["U-Net 8 x 8 x 16, DDIM, 64 x 50 steps"] = (task, 64 * 50, "row-steps/s", 64 * 50 * flops_of(unet))
    return found


def limits():
    """name -> (task, FLOPs or bytes of one call), for the machine's limits."""
    rng, width = stream(0, BENCH), MODEL.width
    x, W = rng.standard_normal((512, width), np.float32), rng.standard_normal((width, width), np.float32)
    y, memory, copy = np.empty_like(x), np.ones(2**24, np.float32), np.zeros(2**24, np.float32)
    threads.one_blas_thread()
    np.ones((64, 512), np.float32) @ np.ones(
        (512, 4096), np.float32
    )  # OpenBLAS reaches its speed only after a wide product
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
    rows, said, shares = [], [], {"share_of_blas": "one core's BLAS", "share_of_copy": "a copy in memory"}
    for name, (_, amount, unit, flops) in work.items():
        key, most = ("share_of_copy", copy) if flops < 0 else ("share_of_blas", blas)
        share = {key: abs(flops) / seconds[name] / 1e9 / most} if flops else {}
        rows.append(
            {"name": name, "seconds": seconds[name], "rate": amount / seconds[name], "unit": unit} | share
        )
        said.append(f"{share[key]:.0%} of {shares[key]}" if share else "")
    head = f"BLAS {blas:.1f} GFLOP/s on one core, copy {copy:.1f} GB/s"
    show(f"{head}; {threads.count()} threads, medians of interleaved runs\n", args)
    show(
        table(
            ["work", "rate", "", "of the limit"],
            [[r["name"], r["rate"], r["unit"], x] for r, x in zip(rows, said)],
        ),
        args,
    )
    result = {
        "threads": threads.count(),
        "limits": {"blas_gflops": blas, "copy_gb_per_s": copy},
        "work": rows,
    }
    if args.plot:
        drawn = {r["name"]: (next((r[k] for k in shares if k in r), 0.0), x) for r, x in zip(rows, said)}
        title = f"How near the machine's limit: {threads.count()} threads, {head}"
        wrote(save(limits_reached(drawn, title), args.plot), args, result)
    return done(result, args)
