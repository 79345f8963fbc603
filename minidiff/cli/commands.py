"""One function a command: what it does with its arguments, in order, and what it prints."""

import re
import sys
import time
from contextlib import suppress
from pathlib import Path

from .printing import JUDGED, done, judged_row, likelihood_text, pictures_text, show, table, verdict, wrote
from .runs import (
    curve,
    data_of,
    draw,
    draw_path,
    first_of,
    fit,
    forward_figure,
    growing_figure,
    new_run,
    reverse_figure,
    some_rows,
)

CHECKPOINT = "checkpoint.npz"
FULL, QUICK = (3000, 500), (400, 100)  # the demo's training steps and samples
TRAINING = {"schedule": "linear", "T": 1000, "width": 128, "depth": 3, "batch": 256, "lr": 3e-3, "seed": 0,
            "objective": "v", "weight": "simple", "times": "uniform", "warmup": 0}  # fmt: skip
DEMO = TRAINING | {"times": "logit-normal"}  # which digit it becomes is decided in the middle of the way
UNET = {"width": 16, "depth": 2, "batch": 64, "lr": 2e-3, "warmup": 100}  # where it differs


def checkpoint_of(path):
    """The Run of a folder or of a checkpoint in it, and the folder."""
    from .checkpoint import load

    path = Path(path)
    path = path / CHECKPOINT if path.is_dir() else path
    return load(path), path.parent


def step_of(args, run, least):
    """The sampler's step, its name, and its times, from --sampler, --var, --eta, --steps, --spacing; checks n >= least."""
    from ..continuous import flow
    from ..continuous.solvers import by_name
    from ..sample import SPACINGS
    from .names import pick

    if args.n < least:
        raise ValueError(f"n must be at least {least}, got {args.n}")
    straight = run.goal.objective is flow.velocity_prediction
    name = args.sampler or ("euler" if straight else "ddpm")
    label, step, default = by_name(name, args.var, args.eta, lambda: float(some_rows(data_of(run).x).var()), straight)
    T, spacing = run.schedule.T, pick("spacing", SPACINGS, args.spacing)
    return step, label, spacing(T, min(default or T, T) if args.steps is None else args.steps)


def price_of_eps(schedule):
    """Why few steps cost a network that was asked for eps."""
    times = 1 / schedule.alpha_bar[-1] ** 0.5
    return f"an error of eps_hat at t = T is divided by sqrt(alpha_bar_T), {times:.0f} times as large in x_0_hat, one of v not"


def mind_few_steps(run, times, args):
    """Says what eps costs where a sampler of few steps asks for it."""
    from ..objective import eps_prediction

    if run.goal.objective is eps_prediction and len(times) - 1 <= run.schedule.T // 4:
        show(f"this run answers eps: {price_of_eps(run.schedule)} (train --objective v; or --steps {run.schedule.T})", args)


def some_of(data, n, seed):
    """n rows of data, or all, chosen by chance: a file may be sorted."""
    from ..noise import JUDGE, stream

    return data.x[stream(seed, JUDGE, 5).permutation(len(data.x))[:n]]


def wish_of(args, run):
    """(labels, w) of --label and --w for args.n rows: what draw takes; nothing for a run without labels."""
    import numpy as np

    from ..pictures.guidance import check_weight

    K = getattr(run.model, "labels", 0)
    if not K:
        if args.label is not None or args.w is not None:
            raise ValueError("--label and --w need a run that was trained with --conditional")
        return ()
    w = 2.0 if args.w is None else args.w
    check_weight(w)
    if args.label == "none":
        return ()
    names = args.label.split(",") if args.label else [str(k) for k in range(K)]
    if not all(name.strip().isdigit() and int(name) < K for name in names):
        raise ValueError(f"label must be none or numbers in 0..{K - 1} with commas between them, got {args.label!r}")
    return np.resize([int(name) for name in names], args.n), w


def demo(args):
    """Digits from noise: trains, samples with DDPM and with DDIM, draws the pictures, judges the samples."""
    from .. import data as datasets
    from .. import sample
    from ..evaluation import metrics
    from ..fast.distances import distances
    from ..fast.noise import RowNoise
    from ..noise import JUDGE, stream
    from . import figures
    from .files import folder

    began, result = time.perf_counter(), {}
    data = datasets.load("digits")
    steps, n = QUICK if args.quick else FULL
    out = folder(args.out or ("runs/demo-quick" if args.quick else "runs/demo"))
    show(f"Training two denoisers with hand-written gradients on {len(data.x)} digits, {steps} steps each (Ctrl-C keeps", args)
    show("the last one): one answers v, the other eps, to see what breaks first.", args)
    runs = {asked: new_run(data, "digits", "mlp", **DEMO | {"seed": args.seed, "objective": asked}) for asked in ("v", "eps")}
    run, T = runs["v"], runs["v"].schedule.T
    wrote(figures.save(forward_figure(run, data, figures, RowNoise(args.seed)), out / "forward.png"), args, result)
    for home, one in ((out, run), (out / "eps", runs["eps"])):
        if not fit(one, data, steps, home / CHECKPOINT):
            return stopped(home, one, steps)
        wrote(home / CHECKPOINT, args, result)
    wrote(figures.save(curve(run, data, figures), out / "training.png"), args, result)
    few, every = sample.trailing(T, 50), sample.trailing(T, T)
    rows, panels = [], {"data": some_of(data, 100, args.seed)}
    tried = [("v", "DDPM", sample.ddpm(), every), ("v", "DDIM", sample.ddim(), few), ("eps", "DDIM", sample.ddim(), few)]
    for asked, name, step, times in tried:
        x_0, seconds, evaluations = draw(runs[asked], step, times, n, args.seed, name)
        j = metrics.judge(x_0, data.x, stream(args.seed, JUDGE), distances=distances)
        said = {"sampler": name, "objective": asked, "evaluations": evaluations, "seconds": seconds}
        result.setdefault("samplers", []).append(said | j)
        rows.append(judged_row(f"{name}, asked for {asked}", evaluations, seconds, j))
        if times is few:
            panels[f"asked for {asked}: {name}, {evaluations} steps"] = x_0[:100]
    title = "Digits that a network made of noise, and what breaks first"
    wrote(figures.save(figures.beside(panels, data.shape, title), out / "samples.png"), args, result)
    reverse = reverse_figure(run, sample.ddpm(), "ddpm", every, figures, args.seed)
    wrote(figures.save(reverse, out / "reverse.png"), args, result)
    path, at = draw_path(run, sample.ddim(), few, 36, args.seed, 51)
    wrote(figures.trajectory(path, [f"t = {t}" for t in at], data.shape, out / "trajectory.gif"), args, result)
    result["seconds"] = time.perf_counter() - began
    show("\n" + table(JUDGED, rows), args)
    show("(noise floor: real digits against other real digits, as many; a perfect sampler comes down to it)", args)
    show(f"DDIM: {verdict(result['samplers'][1])}", args)
    show(f"What breaks first: {price_of_eps(run.schedule)}.\n", args)
    show(f"{result['seconds']:.0f} s in all. Look at {out / 'samples.png'} and {out / 'trajectory.gif'}. Then try", args)
    show(f"  minidiff sample {out} --sampler ddim --steps 10   fewer steps: what do they cost?", args)
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
    from .. import data as datasets
    from . import figures

    out = Path(args.out or f"runs/{Path(args.data or 'run').stem}")
    if args.resume:
        kept = ("data", "shape", "label_column", "model", *TRAINING)
        given = [f"--{k.replace('_', '-')}" for k in kept if getattr(args, k) is not None]
        given += ["--conditional"] if args.conditional else []
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
        defaults = TRAINING | (UNET if args.model == "unet" else {})
        settings = {k: default if getattr(args, k) is None else getattr(args, k) for k, default in defaults.items()}
        data = datasets.load(args.data, settings["seed"], args.shape, args.label_column)
        name = str(Path(args.data).resolve()) if Path(args.data).suffix else args.data
        run = new_run(data, name, args.model or "mlp", args.conditional, **settings)
        if data.notes:
            print(f"{args.data}: {data.notes}", file=sys.stderr)
    result, grows = {"from_step": run.state.step}, figures.drawable(run.shape)
    look = growing_figure(figures, out / "progress.png") if grows else lambda run: None
    if not fit(run, data, args.steps, out / CHECKPOINT, look):
        return stopped(out, run, args.steps)
    wrote(out / CHECKPOINT, args, result)
    if grows:
        wrote(out / "progress.png", args, result)
    wrote(figures.save(curve(run, data, figures), out / "training.png"), args, result)
    recent = run.recent_losses()
    result |= {"steps": run.state.step, "loss": sum(recent) / len(recent), "d": run.model.d}
    share = result["loss"] / run.loss_of_0()
    show(f"step {run.state.step}: error {share:.4f}, the mean of the last {len(recent)} steps (1: answering 0 always)", args)
    few = " --sampler ddim --steps 50 --n 100" if run.kind == "unet" else ""
    show(f"next: minidiff sample {out}{few}", args)
    return done(result, args)


def sample(args):
    """Draws samples from a run, as numbers in the data's units and as pictures."""
    import numpy as np

    from . import figures
    from .files import folder
    from .runs import write_samples

    result = {}
    run, home = checkpoint_of(args.run)
    step, name, times = step_of(args, run, 1)
    wish = wish_of(args, run)
    out = folder(args.out or home / f"{re.sub('[^a-z0-9+.-]+', '-', name).strip('-')}-{len(times) - 1}")
    x_0, seconds, evaluations = draw(run, step, times, args.n, args.seed, name, *wish)
    K = getattr(run.model, "labels", 0)  # K itself says: no label
    labels = None if not K else wish[0] if wish else np.full(args.n, K)
    mind_few_steps(run, times, args)
    show(f"{name}: {args.n} samples, {evaluations} network evaluations each, {seconds:.2f} s", args)
    for file in write_samples(run, x_0, labels, out):
        wrote(file, args, result)
    if figures.drawable(run.shape):
        m = min(100 if len(run.shape) > 1 else 5000, args.n)
        panels = {}
        with suppress(ValueError):  # the data's file may be gone: samples do not need it
            panels["data"] = some_of(data_of(run), m, args.seed)
        title = f"{len(times) - 1} steps, {evaluations} evaluations" + (f", w = {wish[1]:g}" if wish else "")
        caption = f"{name}, asked for {args.label}" if args.label else name
        panels[caption] = x_0[:m]
        wrote(figures.save(figures.beside(panels, run.shape, title), out / "samples.png"), args, result)
        reverse = reverse_figure(run, step, name, times, figures, args.seed, wish)
        wrote(figures.save(reverse, out / "reverse.png"), args, result)
        if args.gif:
            n = 36 if len(run.shape) > 1 else 1000
            path, at = draw_path(run, step, times, n, args.seed, 60, *first_of(wish, n))
            labels = [f"t = {t}" for t in at]
            wrote(figures.trajectory(path, labels, run.shape, out / "trajectory.gif"), args, result)
    result |= {"sampler": name, "n": args.n, "evaluations": evaluations, "seconds": seconds}
    return done(result, args)


def evaluate(args):
    """How far a run's samples are from its data, beside the noise floor."""
    from ..evaluation import metrics
    from ..fast.distances import distances
    from ..noise import JUDGE, stream
    from . import figures
    from .files import folder

    run, home = checkpoint_of(args.run)
    step, name, times = step_of(args, run, 2)
    data = data_of(run)
    wish = wish_of(args, run)
    out = folder(args.out or home)
    x_0, seconds, evaluations = draw(run, step, times, args.n, args.seed, name, *wish)
    j = metrics.judge(x_0, data.x, stream(args.seed, JUDGE), distances=distances)
    result = {"sampler": name, "evaluations": evaluations, "seconds": seconds} | j
    show(table(JUDGED, [judged_row(name, evaluations, seconds, j)]), args)
    mind_few_steps(run, times, args)
    show(f"sliced Wasserstein {j['sliced_wasserstein']:.4g}, its noise floor {j['sliced_floor']:.4g}", args)
    show(verdict(j) + (f" n is half of the {len(data.x)} rows." if j["n"] < min(args.n, 1000) else ""), args)
    if figures.drawable(run.shape):
        m = min(100 if len(run.shape) > 1 else 3000, len(x_0), len(data.x))
        panels = {"data": some_of(data, m, args.seed), f"{name}, {evaluations} evaluations": x_0[:m]}
        title = f"energy distance {j['energy_distance']:.3g}, noise floor {j['energy_floor']:.3g}"
        wrote(figures.save(figures.beside(panels, run.shape, title), out / "eval.png"), args, result)
    if len(run.shape) > 1:
        from ..evaluation.judge import judge_pictures

        result["pictures"] = judge_pictures(x_0, wish, data, run, args.seed, distances)
        nearest = result["pictures"].pop("nearest")
        show("\n" + pictures_text(result["pictures"]), args)
        m = min(10, len(x_0))
        near = data.x[nearest[: 4 * m]]
        pairs = [rows[k * m : (k + 1) * m] for k in range(min(len(x_0) // m, 4)) for rows in (x_0, near)]
        labels = ["sample", "nearest"] * (len(pairs) // 2)
        picture = figures.lines(pairs, labels, run.shape, "Learnt by heart? Each sample and the training picture closest to it")
        wrote(figures.save(picture, out / "nearest.png"), args, result)
    if args.likelihood:
        from ..evaluation.judge import likelihood
        from .progress import bar

        result["likelihood"] = found = likelihood(run, data, min(args.n, 500), args.seed, bar)
        show("\n" + likelihood_text(found, run.model.d), args)
        wrote(figures.save(figures.elbo_by_t(found, run.model.d), out / "elbo.png"), args, result)
    return done(result, args)
