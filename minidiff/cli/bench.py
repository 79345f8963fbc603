"""How fast, and what share of this machine's limit. Each engine is compared with the readable code first.

rows       training batches 32, 128, 512 and samples 1, 16, 1,024 of a 2-D MLP: width 128, three layers
limit      BLAS on the MLP's own matrix shapes, on one core; for noise in one jump, a copy in memory. A share
           may exceed 100 %: small products are faster here than BLAS, a convolution by Winograd needs fewer
median     of interleaved repeats: what else the machine does falls on all rows alike
"""

import math
import statistics
import time
from functools import cache, partial
from itertools import islice

import numpy as np

from .. import fast
from ..ddpm import train
from ..exact import five_gaussians
from ..fast import RowNoise, threads
from ..mlp import MLP
from ..noise import INIT, stream
from ..objective import v_prediction
from ..optim import start
from ..pictures.unet import UNet
from ..runs.batches import batches
from ..runs.progress import bar
from ..sampling import ddim_step, ddpm_step, trailing
from ..schedule import linear
from .pictures import limits_reached
from .printing import Report, table

BENCH = 5  # the purpose of random streams here, next to noise.py's
MODEL, T = MLP(2), 1000
# multiply and add, one row forward
FLOPS = 2 * sum(math.prod(shape) for shape in MODEL.shapes.values() if len(shape) == 2)


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
    """A network that has learnt enough for its samples to stay of size 1: no overflows."""
    state = start(MODEL.init(stream(0, INIT)))
    x = five_gaussians().sample(10_000, stream(0, BENCH), np.float32)
    drawn = islice(batches(x, linear(T), 0), 200)
    for _ in train(MODEL, state, linear(T), drawn, objective=v_prediction):
        pass
    return state.params


def training(model, batch, steps, lr=1e-3):
    """A task that takes so many gradient steps."""
    x = stream(0, BENCH).standard_normal((10_000, model.d), np.float32)
    state = start(model.init(stream(0, INIT)))
    drawn, downhill = batches(x, linear(T), 0, batch=batch), partial(fast.update, lr=lr)
    states = fast.train(model, state, linear(T), drawn, objective=v_prediction, update=downhill, say=refuse)
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
    few = x_0[: points // 100]
    return (
        lambda: fast.noise_jump(schedule, x_0, t, RowNoise(0), say=refuse),
        lambda: fast.noise_chain(schedule, few, [T], RowNoise(0), say=refuse),
    )


def flops_of(unet):
    """Multiplications and additions of a picture's way forward; level i has 1 / 2^i of the picture's side."""
    places = {
        k: unet.depth if "mid" in k or k in ("W_qkv", "W_att") else int(k[-1]) if k[-1].isdigit() else 0
        for k in unet.shapes
    }
    pixels = {k: (unet.size >> level) ** 2 for k, level in places.items()} | {"W_time": 1, "W_mod": 1}
    return sum(2 * math.prod(shape) * pixels[k] for k, shape in unet.shapes.items() if len(shape) > 1)


def tasks():
    """name -> (task, how much of `unit` one call does, unit, FLOPs of one call, or minus its bytes)."""

    def steps(model, batch, steps, flops, **settings):
        # backward costs twice the forward pass, but for the gradient by the input, which nobody needs
        return training(model, batch, steps, **settings), steps, "steps/s", steps * batch * 3 * flops

    def samples(model, params, rows, step, times, flops):
        row_steps = rows * (len(times) - 1)
        return sampling(model, params, rows, step, times), row_steps, "row-steps/s", row_steps * flops

    jump, chain = noising(1_000_000)
    # a point in the plane: x_0 and t are read, x_t and eps written
    found = {"noising in one jump": (jump, 1e6, "points/s", -32e6)}
    found["noising along the chain"] = (chain, 1e4 * T, "point-steps/s", 0)
    for batch in (32, 128, 512):
        found[f"training step, batch {batch}"] = steps(MODEL, batch, 20, FLOPS)
    for rows in (1, 16, 1024):
        task = samples(MODEL, trained_params(), rows, ddpm_step(), range(T, -1, -1), FLOPS)
        found[f"DDPM, {rows} x {T} steps"] = task
    unet, name = UNet(8), "U-Net 8 x 8 x 16"
    flops, params = flops_of(unet), unet.init(stream(0, INIT))
    found[f"{name}, training step, batch 64"] = steps(unet, 64, 4, flops, lr=1e-6)
    found[f"{name}, DDIM, 64 x 50 steps"] = samples(unet, params, 64, ddim_step(), trailing(T, 50), flops)
    return found


def limits():
    """name -> (task, FLOPs or bytes of one call), for the machine's limits."""
    rng, width = stream(0, BENCH), MODEL.width
    x, W = rng.standard_normal((512, width), np.float32), rng.standard_normal((width, width), np.float32)
    y, memory, copy = np.empty_like(x), np.ones(2**24, np.float32), np.zeros(2**24, np.float32)
    threads.one_blas_thread()
    wide = np.ones((512, 4096), np.float32)
    wide[:64, :512] @ wide  # OpenBLAS reaches its speed only after a wide product
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
    most = {"share_of_copy": (copy, "a copy in memory"), "share_of_blas": (blas, "one core's BLAS")}
    rows, shares = [], {}
    for name, (_, amount, unit, flops) in work.items():
        row = {"name": name, "seconds": seconds[name], "rate": amount / seconds[name], "unit": unit}
        shares[name] = (0.0, "")
        if flops:
            key = "share_of_copy" if flops < 0 else "share_of_blas"
            fastest, of = most[key]
            row[key] = share = abs(flops) / seconds[name] / 1e9 / fastest
            shares[name] = (share, f"{share:.0%} of {of}")
        rows.append(row)
    report = Report(args, threads=threads.count(), work=rows)
    report.found["limits"] = {"blas_gflops": blas, "copy_gb_per_s": copy}
    head = f"BLAS {blas:.1f} GFLOP/s on one core, copy {copy:.1f} GB/s"
    report.say(f"{head}; {threads.count()} threads, medians of interleaved runs\n")
    cells = [[r["name"], r["rate"], r["unit"], shares[r["name"]][1]] for r in rows]
    report.say(table(["work", "rate", "", "of the limit"], cells))
    if args.plot:
        title = f"How near the machine's limit: {threads.count()} threads, {head}"
        report.drew(limits_reached(shares, title), args.plot)
    return report.done()
