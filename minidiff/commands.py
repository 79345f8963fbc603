"""One function a command: what it does with its arguments, in order, and what it prints."""

import sys
import time
from pathlib import Path

from .report import JUDGED, done, judged_row, show, table, wrote
from .workbench import curve, data_of, draw, draw_path, fit, forward_figure, new_run, reverse_figure

CHECKPOINT = "checkpoint.npz"
FULL, QUICK = (4000, 800), (400, 100)  # the demo's training steps and samples
TRAINING = {"schedule": "linear", "T": 1000, "width": 128, "depth": 3, "batch": 256, "lr": 3e-3, "seed": 0}


def checkpoint_of(path):
    """The Run of a folder or of a checkpoint in it, and the folder."""
    from .checkpoint import load

    path = Path(path)
    path = path / CHECKPOINT if path.is_dir() else path
    return load(path), path.parent


def step_of(args, least):
    """The sampler's step, its name, and its times, from --sampler, --var, --eta, --steps, --spacing; and n >= least."""
    from . import sample
    from .schedule import pick

    if args.n < least:
        raise ValueError(f"n must be at least {least}, got {args.n}")
    variances = {"beta": sample.beta, "beta-tilde": sample.beta_tilde}
    var, eta = args.var or "beta-tilde", 0.0 if args.eta is None else args.eta
    samplers = {"ddpm": sample.ddpm(pick("var", variances, var)), "ddim": sample.ddim(eta)}
    step, spacing = pick("sampler", samplers, args.sampler), pick("spacing", sample.SPACINGS, args.spacing)
    stray = {"ddpm": ("eta", args.eta), "ddim": ("var", args.var)}[args.sampler]
    if stray[1] is not None:
        raise ValueError(f"--{stray[0]} means nothing to {args.sampler}, got {stray[1]}")
    name = f"ddpm({var})" if args.sampler == "ddpm" else f"ddim(eta={eta:g})"
    default = (lambda T: T) if args.sampler == "ddpm" else (lambda T: min(50, T))
    return step, name, lambda T: spacing(T, default(T) if args.steps is None else args.steps)


def demo(args):
    """Digits from noise: trains, samples with DDPM and with DDIM, draws the pictures, judges the samples."""
    from . import data as datasets
    from . import figures, metrics, sample
    from .files import folder
    from .noise import JUDGE, RowNoise, stream

    began, result = time.perf_counter(), {}
    data = datasets.load("digits")
    steps, n = QUICK if args.quick else FULL
    run = new_run(data, "digits", "mlp", **TRAINING | {"width": 256, "seed": args.seed})
    out = folder(args.out or ("runs/demo-quick" if args.quick else "runs/demo"))
    show(
        f"Training a denoiser with hand-written gradients on {len(data.x)} digits, {steps} steps (Ctrl-C keeps the last one).",
        args,
    )
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
    return done(result, args)


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
        given = [f"--{k}" for k in ("data", "model", *TRAINING) if getattr(args, k) is not None]
        if given:
            raise ValueError(f"--resume continues with what the checkpoint says; leave out {', '.join(given)}")
        run, _ = checkpoint_of(out)
        data = data_of(run)
        if run.state.step >= args.steps:
            raise ValueError(f"{out} is at step {run.state.step} already, --steps must be more, got {args.steps}")
    elif not args.data:
        raise ValueError("--data is needed: a name or a file (with --resume the checkpoint knows)")
    elif (out / CHECKPOINT).exists():
        raise ValueError(f"{out / CHECKPOINT} exists: --resume continues it, another --out begins anew")
    else:
        settings = {k: default if getattr(args, k) is None else getattr(args, k) for k, default in TRAINING.items()}
        data = datasets.load(args.data, settings["seed"])
        name = str(Path(args.data).resolve()) if Path(args.data).suffix else args.data
        run = new_run(data, name, args.model or "mlp", **settings)
    result = {"from_step": run.state.step}
    if not fit(run, data, args.steps, out / CHECKPOINT):
        return stopped(out, run, args.steps)
    wrote(out / CHECKPOINT, args, result)
    wrote(figures.save(curve(run, data, figures), out / "training.png"), args, result)
    recent = run.losses[-500:]
    result |= {"steps": run.state.step, "loss": sum(recent) / len(recent), "d": run.model.d}
    show(f"step {run.state.step}, L_simple {result['loss']:.4f} = {result['loss'] / run.model.d:.4f} a coordinate", args)
    show(f"next: minidiff sample {out}", args)
    return done(result, args)


def sample(args):
    """Draws samples from a run, as numbers in the data's units and as pictures."""
    import numpy as np

    from . import figures
    from .files import folder, replacing

    result = {}
    step, name, times_of = step_of(args, 1)
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
    return done(result, args)


def evaluate(args):
    """How far a run's samples are from its data, beside the noise floor."""
    from . import figures, metrics
    from .files import folder
    from .noise import JUDGE, stream

    step, name, times_of = step_of(args, 2)
    run, home = checkpoint_of(args.run)
    times = times_of(run.schedule.T)
    data = data_of(run)
    out = folder(args.out or home)
    x_0, seconds = draw(run, step, times, args.n, args.seed, name)
    j = metrics.judge(x_0, data.x, stream(args.seed, JUDGE))
    result = {"sampler": name, "evaluations": len(times) - 1, "seconds": seconds} | j
    show(table(JUDGED, [judged_row(name, times, seconds, j)]), args)
    show(
        f"sliced Wasserstein {j['sliced_wasserstein']:.4g}, its noise floor {j['sliced_floor']:.4g}; n = {j['n']} a side", args
    )
    verdict = "cannot be told from data" if j["p_value"] > 0.05 else "can be told from data"
    show(f"permutation test: p = {j['p_value']:.3g}, so at this n the samples {verdict}", args)
    if figures.drawable(run.shape):
        m = 100 if len(run.shape) > 1 else 3000
        panels = {"data": data.x[:m], f"{name}, {len(times) - 1} evaluations": x_0[:m]}
        title = f"energy distance {j['energy_distance']:.3g}, noise floor {j['energy_floor']:.3g}"
        wrote(figures.save(figures.beside(panels, run.shape, title), out / "eval.png"), args, result)
    return done(result, args)


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
    return done(result, args)


def doctor(args):
    """Does a schedule end in noise? Exit 1 when x_T still knows more than 0.01 nats a coordinate of the data."""
    from .doctor import LIMIT, examine

    result = examine(args.schedule, args.T, args.data_std)
    show(f"{args.schedule}, T = {args.T}, data of std {args.data_std:g}", args)
    show(f"  alpha_bar_T  {result['alpha_bar_T']:.3g}    share of the data's variance still in x_T", args)
    show(f"  SNR_T        {result['snr_T']:.3g}", args)
    show(f"  beta         {result['beta_min']:.3g} .. {result['beta_max']:.3g}", args)
    show(f"  prior KL     {result['prior_kl']:.3g} nats a coordinate: what x_T knows and N(0, I), the start, does not", args)
    sick = f"not healthy: above {LIMIT} nats, sampling would start in the wrong place. {result.get('advice')}"
    show(f"healthy: at most {LIMIT} nats" if result["healthy"] else sick, args)
    return done(result, args, 0 if result["healthy"] else 1)


def bench(args):
    """How fast minidiff is on this machine, and what share of the machine's limit that is."""
    from . import bench as benchmark
    from .workbench import bar

    with bar(None, "task", "measuring") as progress:
        result = benchmark.measure(args.repeats, progress.update)
    blas, copy = result["limits"].values()
    head = f"BLAS {blas:.1f} GFLOP/s on one core, copy {copy:.1f} GB/s"
    show(f"{head}; {result['threads']} threads, medians of interleaved runs\n", args)
    share = {r["name"]: f"{r['share_of_blas']:.0%}" for r in result["work"] if "share_of_blas" in r}
    rows = [[r["name"], f"{r['rate']:.3g}", r["unit"], share.get(r["name"], "")] for r in result["work"]]
    show(table(["work", "rate", "", "of one core's BLAS"], rows), args)
    show("\n" + table(["start-up", "seconds"], [[k, f"{v:.2f}"] for k, v in result["startup_seconds"].items()]), args)
    return done(result, args)
