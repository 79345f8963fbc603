"""The commands: read arguments, call the files above, print. No mathematics.

Modules are imported inside the commands, so that --help does not wait for NumPy, Numba and matplotlib.
"""

import argparse
import json
import os
import signal
import sys
import time
from pathlib import Path

SAVE_EVERY = 20  # seconds between checkpoints
CHECKPOINT = "checkpoint.npz"
FULL, QUICK = (7000, 800), (1000, 100)  # the demo's training steps and samples


class Parser(argparse.ArgumentParser):
    """argparse, but a mistake is one line."""

    def error(self, message):
        print(f"{self.prog}: {message} (see {self.prog} --help)", file=sys.stderr)
        sys.exit(2)


class Interrupt:
    """While entered, the first Ctrl-C only sets .asked, so that a training step is finished and saved; the second one stops."""

    asked = False

    def __enter__(self):
        self.before = signal.signal(signal.SIGINT, self._ask)
        return self

    def _ask(self, *_):
        self.asked = True
        signal.signal(signal.SIGINT, self.before)

    def __exit__(self, *_):
        signal.signal(signal.SIGINT, self.before)


def pick(kind, known, name):
    """known[name], or a ValueError that lists the known ones."""
    if name not in known:
        raise ValueError(f"unknown {kind} {name!r}; known are {', '.join(known)}")
    return known[name]


def bar(total, unit, what):
    """A progress bar on stderr; none where nobody looks."""
    from tqdm import tqdm

    return tqdm(total=total, unit=unit, desc=what, disable=None, dynamic_ncols=True, mininterval=0.2, leave=False)


def show(text, args):
    """Prints what a person reads; with --json only the JSON is printed."""
    if not args.json:
        print(text, flush=True)


def wrote(path, args, result):
    """Notes a written file, for the eye and for --json."""
    result.setdefault("files", []).append(str(path))
    show(f"wrote {path}", args)


def checkpoint_of(path):
    """The Run of a folder or of a checkpoint in it, and the folder."""
    from .checkpoint import load

    path = Path(path)
    path = path / CHECKPOINT if path.is_dir() else path
    return load(path), path.parent


def step_of(args):
    """The sampler's step, its name, and its times, from --sampler, --var, --eta, --steps, --spacing."""
    from . import sample

    variances = {"beta": sample.beta, "beta-tilde": sample.beta_tilde}
    samplers = {"ddpm": lambda: sample.ddpm(pick("var", variances, args.var)), "ddim": lambda: sample.ddim(args.eta)}
    step = pick("sampler", samplers, args.sampler)()
    spacing = pick("spacing", sample.SPACINGS, args.spacing)
    name = f"ddpm({args.var})" if args.sampler == "ddpm" else f"ddim(eta={args.eta:g})"
    default = (lambda T: T) if args.sampler == "ddpm" else (lambda T: min(50, T))
    return step, name, lambda T: spacing(T, default(T) if args.steps is None else args.steps)


def draw(run, step, times, n, seed, what):
    """n samples (n, d), and the seconds they took."""
    import numpy as np

    from .noise import RowNoise
    from .sample import generate

    if n < 1:
        raise ValueError(f"n must be at least 1, got {n}")
    rng = RowNoise(seed)
    x_T = rng.standard_normal((n, run.model.d), np.float32)
    began = time.perf_counter()
    with bar(n * (len(times) - 1), "row-steps", what) as progress:
        x_0 = generate(step, run.eps_theta(), run.schedule, x_T, times, rng, progress.update)
    return x_0, time.perf_counter() - began


def draw_path(run, step, times, n, seed, frames):
    """About `frames` stages (n, d) on the way from noise to data, and their times."""
    import numpy as np

    from .noise import RowNoise
    from .sample import sample

    rng = RowNoise(seed)
    x_T = rng.standard_normal((n, run.model.d), np.float32)
    keep = set(np.linspace(0, len(times) - 1, min(frames, len(times))).round().astype(int).tolist())
    path = [x_T, *sample(step, run.eps_theta(), run.schedule, x_T, times, rng)]
    return [path[k] for k in sorted(keep)], [int(times[k]) for k in sorted(keep)]


def fit(run, data, steps, path):
    """Trains run up to `steps` with a progress bar and checkpoints at `path`. Returns False if the user stopped it."""
    import numpy as np

    from .checkpoint import save
    from .files import folder
    from .train import train

    training = train(run.model, run.state, run.schedule, data.x, steps=steps, batch=run.batch, lr=run.lr)
    folder(path.parent)  # only now: a mistake in the arguments leaves no empty folder
    saved = time.monotonic()
    with Interrupt() as interrupt, bar(steps, "step", "training") as progress:
        progress.update(run.state.step)
        for state in training:
            run.losses.append(state.loss)
            progress.update()
            if state.step % 50 == 0:
                progress.set_postfix_str(f"error {np.mean(run.losses[-500:]) / run.model.d:.3f} (1 = knows nothing)", False)
            if time.monotonic() - saved > SAVE_EVERY or interrupt.asked:
                save(path, run)
                saved = time.monotonic()
            if interrupt.asked:
                return False
    save(path, run)
    return True


def curve(run, data, figures):
    """The training curve: means over up to 200 stretches, and the exact floor where the data's law is known."""
    import numpy as np

    from .noise import JUDGE, stream

    parts = np.array_split(np.array(run.losses) / run.model.d, min(200, len(run.losses)))
    ends = np.cumsum([len(p) for p in parts])
    floor = None
    if data.mixture is not None:
        rng, times = stream(run.state.seed, JUDGE), np.linspace(1, run.schedule.T, 50).round().astype(int)
        floor = np.mean([data.mixture.loss_floor(run.schedule, int(t), 1000, rng)[0] for t in times]) / run.model.d
    return figures.training_curve(ends, [p.mean() for p in parts], floor)


def forward_figure(run, data, figures, rng):
    """A few rows of data dissolving into noise."""
    import numpy as np

    from .gaussian import noise_chain

    T = run.schedule.T
    times = np.unique(np.round(T * np.array([0, 0.05, 0.1, 0.2, 0.3, 0.45, 0.6, 0.8, 1])).astype(int))
    rows = data.x[:: max(1, len(data.x) // 3)][:3] if len(data.shape) > 1 else data.x[:800]
    path = noise_chain(run.schedule, rows, times, rng)
    labels = [f"t={t}\n{run.schedule.alpha_bar[t]:.0%} left" for t in times]
    return figures.strip(path, labels, data.shape, "Forward: a picture dissolves, step by step, into noise")


def reverse_figure(run, step, name, times, figures, seed):
    """A few rows of noise becoming data."""
    n = 3 if len(run.shape) > 1 else 800
    path, at = draw_path(run, step, times, n, seed, 9)
    return figures.strip(path, [f"t={t}" for t in at], run.shape, f"Reverse: {name} uncovers what the noise could be")


def new_run(args, data, name, width, depth, batch, lr):
    """A Run at step 0."""
    from .checkpoint import MODELS, Run
    from .schedule import SCHEDULES
    from .train import start

    schedule = pick("schedule", SCHEDULES, args.schedule)(args.T)
    model = pick("model", MODELS, args.model)(data.x.shape[1], width, depth)
    return Run(
        model, start(model, args.seed), schedule, name, data.shape, batch, lr, data.scale, data.offset, args.schedule
    )


def table(head, rows):
    """Columns under their heads, numbers to the right."""
    cells = [head, *[[f"{c:.4g}" if isinstance(c, float) else str(c) for c in row] for row in rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    return "\n".join(
        "  ".join(c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(r, widths))) for r in cells
    )


JUDGED = ["sampler", "evaluations", "seconds", "energy distance", "noise floor"]


def judged_row(name, times, seconds, j):
    """One line under JUDGED."""
    return [name, len(times) - 1, f"{seconds:.1f}", j["energy_distance"], j["energy_floor"]]


def demo(args):
    """Digits from noise: trains, samples with DDPM and with DDIM, draws the pictures, judges the samples."""
    from . import data as datasets
    from . import figures, metrics, sample
    from .files import folder
    from .noise import JUDGE, RowNoise, stream

    began, result = time.perf_counter(), {}
    data = datasets.load("digits")
    steps, n = QUICK if args.quick else FULL
    run = new_run(args, data, "digits", 256, 3, 128, 1e-3)
    out = folder(args.out)
    show(f"Training a denoiser with hand-written gradients on {len(data.x)} digits, {steps} steps (Ctrl-C keeps the last one).", args)
    wrote(figures.save(forward_figure(run, data, figures, RowNoise(args.seed)), out / "forward.png"), args, result)
    if not fit(run, data, steps, out / CHECKPOINT):
        return stopped(out, run, steps)
    wrote(out / CHECKPOINT, args, result)
    wrote(figures.save(curve(run, data, figures), out / "training.png"), args, result)
    ddim_times = sample.trailing(run.schedule.T, 50)
    samplers = [
        ("ddpm(beta-tilde)", sample.ddpm(), sample.trailing(run.schedule.T, run.schedule.T)),
        ("ddim(eta=0)", sample.ddim(), ddim_times),
    ]
    rows, panels = [], {"data": data.x[:100]}
    for name, step, times in samplers:
        x_0, seconds = draw(run, step, times, n, args.seed, name)
        j = metrics.judge(x_0, data.x, stream(args.seed, JUDGE))
        result.setdefault("samplers", []).append({"sampler": name, "evaluations": len(times) - 1, "seconds": seconds} | j)
        rows.append(judged_row(name, times, seconds, j))
        panels[f"{name}, {len(times) - 1} evaluations"] = x_0[:100]
    title = "Which are real? Handwritten digits, and what the network makes of noise"
    wrote(figures.save(figures.beside(panels, data.shape, title), out / "samples.png"), args, result)
    reverse = reverse_figure(run, sample.ddpm(), "ddpm", samplers[0][2], figures, args.seed)
    wrote(figures.save(reverse, out / "reverse.png"), args, result)
    path, at = draw_path(run, sample.ddim(), ddim_times, 36, args.seed, 51)
    wrote(figures.trajectory(path, [f"t = {t}" for t in at], data.shape, out / "trajectory.gif"), args, result)
    result["seconds"] = time.perf_counter() - began
    show("\n" + table(JUDGED, rows), args)
    show("(noise floor: real digits against other real digits, as many; a perfect sampler comes down to it)\n", args)
    show(f"{result['seconds']:.0f} s in all. Look at {out / 'samples.png'} and {out / 'trajectory.gif'}. Then try", args)
    show(f"  minidiff sample {out} --sampler ddim --steps 10   fewer steps: what breaks first?", args)
    show("  minidiff train --data moons                       points in the plane, in a minute", args)
    show("  minidiff doctor --T 50                            why a short linear schedule fails", args)
    if args.json:
        print(json.dumps(result, indent=2))
    return 0


def stopped(out, run, steps):
    """What to say after Ctrl-C."""
    where = f"minidiff train --out {out} --resume --steps {steps}"
    print(f"stopped at step {run.state.step}; {out / CHECKPOINT} is saved. Continue with: {where}", file=sys.stderr)
    return 130


def train(args):
    """Trains a denoiser and keeps it in RUN/checkpoint.npz."""
    from . import data as datasets
    from . import figures

    out = Path(args.out or f"runs/{Path(args.data or 'run').stem}")
    if args.resume:
        run, _ = checkpoint_of(out)
        data = datasets.load(run.data, run.state.seed)
    elif not args.data:
        raise ValueError("--data is needed: a name or a file (with --resume the checkpoint knows)")
    elif (out / CHECKPOINT).exists():
        raise ValueError(f"{out / CHECKPOINT} exists: --resume continues it, another --out begins anew")
    else:
        data = datasets.load(args.data, args.seed)
        name = str(Path(args.data).resolve()) if Path(args.data).suffix else args.data
        run = new_run(args, data, name, args.width, args.depth, args.batch, args.lr)
    if data.x.shape[1] != run.model.d:
        raise ValueError(f"{run.data} has {data.x.shape[1]} coordinates, the checkpoint's model {run.model.d}")
    result = {"from_step": run.state.step}
    if not fit(run, data, args.steps, out / CHECKPOINT):
        return stopped(out, run, args.steps)
    wrote(out / CHECKPOINT, args, result)
    wrote(figures.save(curve(run, data, figures), out / "training.png"), args, result)
    recent = run.losses[-500:]
    result |= {"steps": run.state.step, "loss": sum(recent) / len(recent), "d": run.model.d}
    show(f"step {run.state.step}, L_simple {result['loss']:.4f} = {result['loss'] / run.model.d:.4f} a coordinate", args)
    show(f"next: minidiff sample {out}", args)
    if args.json:
        print(json.dumps(result, indent=2))
    return 0


def sample(args):
    """Draws samples from a run, as numbers in the data's units and as pictures."""
    import numpy as np

    from . import figures
    from .files import folder, replacing

    result = {}
    step, name, times_of = step_of(args)
    run, home = checkpoint_of(args.run)
    times = times_of(run.schedule.T)
    out = folder(args.out or home)
    x_0, seconds = draw(run, step, times, args.n, args.seed, name)
    with replacing(out / "samples.npy") as beside, open(beside, "wb") as f:
        np.save(f, run.in_data_units(x_0))
    show(f"{name}: {args.n} samples, {len(times) - 1} network evaluations each, {seconds:.2f} s", args)
    wrote(out / "samples.npy", args, result)
    if figures.drawable(run.shape):
        shown = x_0[:100] if len(run.shape) > 1 else x_0[:5000]
        title = f"{len(times) - 1} evaluations"
        wrote(figures.save(figures.beside({name: shown}, run.shape, title), out / "samples.png"), args, result)
        reverse = reverse_figure(run, step, name, times, figures, args.seed)
        wrote(figures.save(reverse, out / "reverse.png"), args, result)
        if args.gif:
            path, at = draw_path(run, step, times, 36 if len(run.shape) > 1 else 1000, args.seed, 60)
            labels = [f"t = {t}" for t in at]
            wrote(figures.trajectory(path, labels, run.shape, out / "trajectory.gif"), args, result)
    result |= {"sampler": name, "n": args.n, "evaluations": len(times) - 1, "seconds": seconds}
    if args.json:
        print(json.dumps(result, indent=2))
    return 0


def evaluate(args):
    """How far a run's samples are from its data, beside the noise floor."""
    from . import data as datasets
    from . import figures, metrics
    from .files import folder
    from .noise import JUDGE, stream

    step, name, times_of = step_of(args)
    run, home = checkpoint_of(args.run)
    times = times_of(run.schedule.T)
    data = datasets.load(run.data, run.state.seed)
    out = folder(args.out or home)
    x_0, seconds = draw(run, step, times, args.n, args.seed, name)
    j = metrics.judge(x_0, data.x, stream(args.seed, JUDGE))
    result = {"sampler": name, "evaluations": len(times) - 1, "seconds": seconds} | j
    show(table(JUDGED, [judged_row(name, times, seconds, j)]), args)
    show(f"sliced Wasserstein {j['sliced_wasserstein']:.4g}, its noise floor {j['sliced_floor']:.4g}; n = {j['n']} a side", args)
    verdict = "cannot be told from data" if j["p_value"] > 0.05 else "can be told from data"
    show(f"permutation test: p = {j['p_value']:.3g}, so at this n the samples {verdict}", args)
    if figures.drawable(run.shape):
        m = 100 if len(run.shape) > 1 else 3000
        panels = {"data": data.x[:m], f"{name}, {len(times) - 1} evaluations": x_0[:m]}
        title = f"energy distance {j['energy_distance']:.3g}, noise floor {j['energy_floor']:.3g}"
        wrote(figures.save(figures.beside(panels, run.shape, title), out / "eval.png"), args, result)
    if args.json:
        print(json.dumps(result, indent=2))
    return 0


def info(args):
    """What is in a checkpoint."""
    from dataclasses import asdict

    run, _ = checkpoint_of(args.run)
    recent = run.losses[-500:] or [float("nan")]
    result = {
        "model": {"kind": "mlp"} | asdict(run.model),
        "parameters": sum(w.size for w in run.state.params.values()),
        "dtype": str(run.state.params["W_in"].dtype),
        "data": run.data, "shape": list(run.shape),
        "schedule": run.schedule_name, "T": run.schedule.T, "alpha_bar_T": float(run.schedule.alpha_bar[-1]),
        "steps": run.state.step, "batch": run.batch, "lr": run.lr, "seed": run.state.seed,
        "loss_a_coordinate": sum(recent) / len(recent) / run.model.d,
    }  # fmt: skip
    for key, value in result.items():
        show(f"{key:18} {value}", args)
    if args.json:
        print(json.dumps(result, indent=2))
    return 0


def doctor(args):
    """Does a schedule end in noise? Exit 1 when x_T still knows more than 0.01 nats a coordinate of the data."""
    from .gaussian import prior_kl, snr
    from .schedule import SCHEDULES

    build = pick("schedule", SCHEDULES, args.schedule)
    if not args.data_std > 0:
        raise ValueError(f"data-std must be positive, got {args.data_std}")
    schedule, limit = build(args.T), 0.01
    nats = prior_kl(schedule, args.data_std**2)
    result = {
        "schedule": args.schedule, "T": args.T, "alpha_bar_T": float(schedule.alpha_bar[-1]),
        "snr_T": float(snr(schedule, args.T)), "beta_min": float(schedule.beta[1:].min()),
        "beta_max": float(schedule.beta.max()), "prior_kl": float(nats), "limit": limit, "healthy": bool(nats <= limit),
    }  # fmt: skip
    show(f"{args.schedule}, T = {args.T}, data of std {args.data_std:g}", args)
    show(f"  alpha_bar_T  {result['alpha_bar_T']:.3g}    share of the data's variance still in x_T", args)
    show(f"  SNR_T        {result['snr_T']:.3g}", args)
    show(f"  beta         {result['beta_min']:.3g} .. {result['beta_max']:.3g}", args)
    show(f"  prior KL     {nats:.3g} nats a coordinate: what x_T knows and N(0, I), where sampling starts, does not", args)
    if result["healthy"]:
        show(f"healthy: below {limit} nats", args)
    else:
        result["advice"] = advice(args, limit)
        show(f"not healthy: above {limit} nats, samples will be drawn from the wrong start. {result['advice']}", args)
    if args.json:
        print(json.dumps(result, indent=2))
    return 0 if result["healthy"] else 1


def advice(args, limit):
    """The smallest change to a schedule that makes its end noise."""
    from .gaussian import prior_kl
    from .schedule import SCHEDULES

    def healthy(name, T, std):
        return prior_kl(SCHEDULES[name](T), std**2) <= limit

    if args.data_std > 1 and healthy(args.schedule, args.T, 1.0):
        return "Scale the data to std 1 first."
    enough = [T for T in range(args.T, 4000) if (args.schedule != "linear-scaled" or T > 20)]
    low, high = 0, len(enough)
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if healthy(args.schedule, enough[middle], args.data_std) else (middle + 1, high)
    longer = f"T >= {enough[low]}" if low < len(enough) else None
    others = [
        f"--schedule {name}" for name in SCHEDULES
        if name != args.schedule and (name != "linear-scaled" or args.T > 20) and healthy(name, args.T, args.data_std)
    ]  # fmt: skip
    return f"Use {' or '.join(filter(None, [longer, *others])) or 'data of smaller std'}."


def parser():
    """All commands and their options."""
    top = Parser(
        prog="minidiff", description="Diffusion models from scratch in NumPy and Numba.", epilog="start with: minidiff demo"
    )
    from . import __version__

    top.add_argument("--version", action="version", version=f"minidiff {__version__}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True, parser_class=Parser)

    def command(name, f, example):
        p = commands.add_parser(name, help=f.__doc__, description=f.__doc__, epilog=f"example: {example}")
        p.set_defaults(f=f)
        p.add_argument("--json", action="store_true", help="print one JSON object instead of text")
        return p

    def common(p, seed=True, out=None):
        p.add_argument("--seed", type=int, default=0, help="whole number >= 0; the same seed gives the same result (default 0)")
        p.add_argument("--out", default=out, metavar="FOLDER", help=f"where to write (default: {out or 'the run'})")
        p.add_argument("--threads", type=int, help="cores to use (default: all, at most 8); results do not depend on it")

    def schedule(p):
        p.add_argument("--schedule", default="linear", metavar="NAME", help="linear, linear-scaled or cosine (default linear)")
        p.add_argument("--T", type=int, default=1000, help="number of noising steps (default 1000)")

    def sampler(p, n):
        p.add_argument("run", metavar="RUN", help="the folder of a run, or its checkpoint")
        p.add_argument("--sampler", default="ddpm", metavar="NAME", help="ddpm or ddim (default ddpm)")
        p.add_argument("--var", default="beta-tilde", metavar="NAME", help="ddpm's variance: beta or beta-tilde (default)")
        p.add_argument("--eta", type=float, default=0.0, help="ddim's share of fresh noise, 0..1 (default 0)")
        p.add_argument("--steps", type=int, help="network evaluations, 1..T (default: ddpm T, ddim 50)")
        p.add_argument("--spacing", default="trailing", metavar="NAME", help="trailing (default), leading or linspace")
        p.add_argument("--n", type=int, default=n, help=f"how many samples (default {n})")

    p = command("demo", demo, "minidiff demo --quick")
    p.add_argument("--quick", action="store_true", help="small, in about ten seconds")
    common(p, out="runs/demo")
    p.set_defaults(schedule="linear", T=1000, model="mlp")

    p = command("train", train, "minidiff train --data moons --steps 5000 --out runs/moons")
    p.add_argument("--data", metavar="D", help="mixture, eight-gaussians, moons, ring, swiss-roll, checkerboard, digits, "
                   "glyphs, glyphs-SIZE, or an .npy, .npz or .csv file")  # fmt: skip
    p.add_argument("--model", default="mlp", metavar="NAME", help="mlp")
    p.add_argument("--steps", type=int, default=5000, help="train up to this step (default 5000)")
    p.add_argument("--batch", type=int, default=128, help="rows a step (default 128)")
    p.add_argument("--lr", type=float, default=1e-3, help="Adam's learning rate (default 0.001)")
    p.add_argument("--width", type=int, default=128, help="of the hidden layers (default 128)")
    p.add_argument("--depth", type=int, default=3, help="residual layers (default 3)")
    p.add_argument("--resume", action="store_true", help="continue --out, bit for bit as if never stopped")
    schedule(p)
    common(p, out="runs/NAME")
    p.set_defaults(out=None)

    p = command("sample", sample, "minidiff sample runs/moons --sampler ddim --steps 20 --n 2000")
    sampler(p, 1000)
    p.add_argument("--gif", action="store_true", help="also draw the way there as a GIF")
    common(p)

    p = command("eval", evaluate, "minidiff eval runs/moons --sampler ddim --steps 20")
    sampler(p, 1000)
    common(p)

    p = command("info", info, "minidiff info runs/moons")
    p.add_argument("run", metavar="RUN", help="the folder of a run, or its checkpoint")

    p = command("doctor", doctor, "minidiff doctor --schedule linear --T 50")
    schedule(p)
    p.add_argument("--data-std", type=float, default=1.0, help="standard deviation of the data (default 1)")
    return top


def main(argv=None):
    """The command line; returns the exit status: 0, 1 (the answer is no), 2 (not understood), 130 (Ctrl-C)."""
    for name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
        os.environ.setdefault(name, "1")  # before NumPy loads: see threads.py
    args = parser().parse_args(argv)
    try:
        if getattr(args, "seed", 0) < 0:
            raise ValueError(f"seed must not be negative, got {args.seed}")
        if getattr(args, "threads", None) is not None:
            if args.threads < 1:
                raise ValueError(f"threads must be at least 1, got {args.threads}")
            os.environ["MINIDIFF_THREADS"] = str(args.threads)
        return args.f(args)
    except (ValueError, TypeError, FloatingPointError) as e:
        print(f"minidiff {args.command}: {e}", file=sys.stderr)
        return 1 if isinstance(e, FloatingPointError) else 2
    except KeyboardInterrupt:
        print(f"\nminidiff {args.command}: interrupted", file=sys.stderr)
        return 130
