"""demo, train, sample, eval, info: what each does with its arguments, in order, and what it prints."""

import re
import sys
import time
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import numpy as np

from ..evaluation.judge import judge_pictures, likelihood
from ..evaluation.metrics import judge
from ..noise import JUDGE, stream
from ..pictures.guidance import check_weight
from ..runs import figures, plots
from ..runs.checkpoint import load
from ..runs.files import folder
from ..runs.names import load as load_data
from ..runs.names import names_of, sampler
from ..runs.progress import bar
from ..runs.use import SETTINGS, data_of, draw, evenly, fit, new_run, told, write_samples
from .pictures import elbo_by_t
from .printing import done, likelihood_text, pictures_text, records, show, wrote

CHECKPOINT = "checkpoint.npz"
FULL, QUICK = (3000, 500), (400, 100)  # the demo's training steps and samples
JUDGED = {"sampler": "sampler", "objective": "asked for", "evaluations": "evaluations", "seconds": "seconds",
          "energy_distance": "energy distance", "energy_floor": "noise floor", "p_value": "p"}  # fmt: skip


def run_at(path):
    """The Run of a folder or of a checkpoint in it, and the folder."""
    path = Path(path)
    path = path / CHECKPOINT if path.is_dir() else path
    return load(path), path.parent


def sampler_of(args, run, least):
    """The Sampler and its times, from --sampler, --var, --eta, --steps and --spacing; checks --n too."""
    if args.n < least:
        raise ValueError(f"n must be at least {least}, got {args.n}")
    straight = names_of(run.goal)["objective"] == "flow"
    name = args.sampler or ("euler" if straight else "ddpm")
    how = sampler(name, args.var, args.eta, lambda: float(evenly(data_of(run).x).var()), straight)
    return how, how.times(run.schedule.T, args.steps, args.spacing)


def condition_of(args, run):
    """(labels, w) of --label and --w, or nothing where no label is asked for: what draw takes."""
    K, w = run.labels, 2.0 if args.w is None else args.w
    if not K and (args.label is not None or args.w is not None):
        raise ValueError("--label and --w need a run that was trained with --conditional")
    check_weight(w)
    if not K or args.label == "none":
        return ()
    names = args.label.split(",") if args.label else [str(k) for k in range(K)]
    if not all(name.strip().isdigit() and int(name) < K for name in names):
        raise ValueError(
            f"label must be none or numbers in 0..{K - 1} with commas between them, got {args.label!r}"
        )
    return np.array([int(name) for name in names]), w


def rows_of(text, n):
    """(first, last) of --rows A:B, by default all, and n: where it is None, B, or 1000 without --rows."""
    if text is None:
        return (0, n := 1000 if n is None else n), n
    first, last = map(int, text.split(":")) if re.fullmatch("[0-9]+:[0-9]+", text) else (0, 0)
    if not first < last <= (last if n is None else n):
        raise ValueError(
            f"rows must be A:B with 0 <= A < B{'' if n is None else f' <= n = {n}'}, got {text!r}"
        )
    return (first, last), last if n is None else n


def warn_of_eps(run, times, args):
    """Says what eps costs where a sampler of few steps asks for it."""
    if names_of(run.goal)["objective"] == "eps" and len(times) - 1 <= (T := run.schedule.T) // 4:
        larger = f"{run.schedule.alpha_bar[-1] ** -0.5:.0f} times as large in x_0_hat, one of v not"
        show(
            "this run answers eps: an error of eps_hat at t = T is divided by sqrt(alpha_bar_T), " + larger,
            args,
        )
        show(f"(train --objective v; or --steps {T})", args)


def verdict(j):
    """What the permutation test says, at which n, and what it does not see."""
    said = "can be told from data" if j["p_value"] <= 0.05 else "cannot be told from data"
    sees = f"an energy distance above {j['least_seen']:.2g}, not copies of the training rows or a fault in a few samples"
    return f"p = {j['p_value']:.3g}: at n = {j['n']} a side the samples {said}. (The test sees {sees}.)"


def judged(run, how, times, n, data, args, condition=()):
    """n samples (n, d), and all about them that stands under JUDGED."""
    x_0, result = draw(run, how, times, n, args.seed, condition, args.plain)
    return x_0, result | judge(x_0, data.x, stream(args.seed, JUDGE))


def demo(args):
    """Trains what answers v and what answers eps on digits, draws from both, draws the pictures, judges the samples."""
    began, data, result = time.perf_counter(), load_data("digits"), {"samplers": []}
    steps, n = QUICK if args.quick else FULL
    out = folder(args.out or ("runs/demo-quick" if args.quick else "runs/demo"))
    show(
        f"Training two denoisers with hand-written gradients on {len(data.x)} digits, {steps} steps each (Ctrl-C keeps",
        args,
    )
    show("the last one): one answers v, the other eps, to see what breaks first.", args)
    # logit-normal: which digit it becomes is decided in the middle of the way
    v, eps = (
        new_run(data, "digits", "mlp", seed=args.seed, objective=o, times="logit-normal")
        for o in ("v", "eps")
    )
    wrote(figures.save(plots.forward(v, data, args.seed), out / "forward.png"), args, result)
    for home, run in ((out, v), (out / "eps", eps)):
        fit(run, data, steps, home / CHECKPOINT, plots.growing(looks := [], plain=args.plain), args.plain)
        wrote(home / CHECKPOINT, args, result)
        if run is v:
            wrote(figures.save(plots.curve(v, data, looks), out / "training.png"), args, result)
    ddpm, ddim = sampler("ddpm"), sampler("ddim")
    every, few = (how.times(v.schedule.T, None, "trailing") for how in (ddpm, ddim))
    panels = {}
    for name, run, how, times in (("DDPM", v, ddpm, every), ("DDIM", v, ddim, few), ("DDIM", eps, ddim, few)):
        x_0, found = judged(run, how, times, n, data, args)
        result["samplers"].append(found | {"sampler": name})
        if how is ddim:
            panels[f"asked for {found['objective']}:\n{name}, {found['evaluations']} steps"] = x_0
    fig = plots.against(
        data, panels, data.shape, "Digits that a network made of noise, and what breaks first", args.seed
    )
    wrote(figures.save(fig, out / "samples.png"), args, result)
    wrote(
        figures.save(plots.reverse(v, ddpm, every, args.seed, (), args.plain), out / "reverse.png"),
        args,
        result,
    )
    ways = {"DDPM": (ddpm, every), "DDIM": (ddim, few)}
    wrote(plots.trajectory(out / "trajectory.gif", v, ways, args.seed, (), args.plain), args, result)
    result["seconds"] = time.perf_counter() - began
    show("\n" + records(JUDGED, result["samplers"]), args)
    show(
        "(noise floor: real digits against other real digits, as many; a perfect sampler comes down to it)",
        args,
    )
    show(f"DDIM: {verdict(result['samplers'][1])}", args)
    show(f"What breaks first, in {out / 'eps'}:", args)
    warn_of_eps(eps, few, args)
    show(
        f"\n{result['seconds']:.0f} s in all. Look at {out / 'samples.png'} and {out / 'trajectory.gif'}. Then try",
        args,
    )
    show(f"  minidiff sample {out} --sampler ddim --steps 10   fewer steps: what do they cost?", args)
    show("  minidiff doctor --T 50                            why a short linear schedule fails", args)
    return done(result, args)


def train(args):
    """Trains a denoiser and keeps it in its folder's checkpoint.npz."""
    out = Path(args.out or f"runs/{Path(args.data or 'run').stem}")
    given = {k: v for k, v in vars(args).items() if k in SETTINGS and v is not None}
    if args.resume:
        fixed = ("data", "shape", "label_column", "model", *SETTINGS, "conditional")
        if wrong := [f"--{k.replace('_', '-')}" for k in fixed if vars(args)[k] not in (None, False)]:
            raise ValueError(
                f"--resume continues with what the checkpoint says; leave out {', '.join(wrong)}"
            )
        run, _ = run_at(out)
        data = data_of(run)
        if run.state.step >= args.steps:
            raise ValueError(
                f"{out} is at step {run.state.step} already, --steps must be more, got {args.steps}"
            )
    elif not args.data:
        raise ValueError("--data is needed: a name or a file (with --resume the checkpoint knows)")
    elif (out / CHECKPOINT).exists():
        raise ValueError(f"{out / CHECKPOINT} exists: --resume continues it, another --out begins anew")
    else:
        data = load_data(args.data, args.seed or 0, args.shape, args.label_column)
        name = str(Path(args.data).resolve()) if Path(args.data).suffix else args.data
        run = new_run(data, name, args.model or "mlp", args.conditional, **given)
        if data.notes:
            print(f"{args.data}: {data.notes}", file=sys.stderr)
    result, drawn, looks = {"from_step": run.state.step}, figures.drawable(run.shape), []
    look = plots.growing(looks, out / "progress.png", args.plain) if drawn else lambda run: None
    fit(run, data, args.steps, out / CHECKPOINT, look, args.plain)
    for file in [CHECKPOINT] + ["progress.png"] * drawn:
        wrote(out / file, args, result)
    wrote(figures.save(plots.curve(run, data, looks), out / "training.png"), args, result)
    result |= {"steps": run.state.step, "loss": run.error() * run.loss_of_0(), "d": run.model.d}
    last = f"the mean of the last {len(run.recent_losses())} steps (1: answering 0 always)"
    show(f"step {run.state.step}: error {run.error():.4f}, {last}", args)
    show(
        f"next: minidiff sample {out}" + (" --sampler ddim --steps 50 --n 100" if run.kind == "unet" else ""),
        args,
    )
    return done(result, args)


def sample(args):
    """Draws samples from a run, as numbers in the data's units and as pictures; with --rows some of them, as numbers only."""
    run, home = run_at(args.run)
    rows, args.n = rows_of(args.rows, args.n)
    if args.rows and args.gif:
        raise ValueError("--gif draws the first rows of all, with --rows there are only numbers")
    how, times = sampler_of(args, run, 1)
    condition, steps = condition_of(args, run), len(times) - 1
    name = f"{re.sub('[^a-z0-9+.-]+', '-', how.label).strip('-')}-{steps}" + "-rows-{}-{}".format(
        *rows
    ) * bool(args.rows)
    out = folder(args.out or home / name)
    x_0, result = draw(run, how, times, args.n, args.seed, condition, args.plain, rows)
    warn_of_eps(run, times, args)
    show(
        "{sampler}: {n} samples, {evaluations} network evaluations each, {seconds:.2f} s".format(**result),
        args,
    )
    if args.rows:
        result |= {"rows": rows, "of": args.n}
        show(f"rows {rows[0]}..{rows[1] - 1} of {args.n}, the same bits as all at once", args)
    condition = told(condition, rows)
    for file in write_samples(run, x_0, condition, out):
        wrote(file, args, result)
    if figures.drawable(run.shape) and not args.rows:
        data = None
        with suppress(ValueError):  # the data's file may be gone: samples do not need it
            data = data_of(run)
        caption = f"{how.label}, asked for {args.label}" if args.label else how.label
        title = f"Made of noise in {steps} steps, {result['evaluations']} evaluations"
        title += f": a line for each label, w = {condition[1]:g}" if condition else ""
        fig = plots.against(data, {caption: x_0}, run.shape, title, args.seed, *condition[:1])
        wrote(figures.save(fig, out / "samples.png"), args, result)
        way = (args.seed, condition, args.plain)
        wrote(figures.save(plots.reverse(run, how, times, *way), out / "reverse.png"), args, result)
        if args.gif:
            wrote(
                plots.trajectory(out / "trajectory.gif", run, {how.label: (how, times)}, *way), args, result
            )
    return done(result, args)


def evaluate(args):
    """How far a run's samples are from its data, beside the noise floor."""
    run, home = run_at(args.run)
    how, times = sampler_of(args, run, 2)
    data, condition, out = data_of(run), told(condition_of(args, run), (0, args.n)), folder(args.out or home)
    x_0, result = judged(run, how, times, args.n, data, args, condition)
    show(records(JUDGED, [result]), args)
    warn_of_eps(run, times, args)
    show(
        "sliced Wasserstein {sliced_wasserstein:.4g}, its noise floor {sliced_floor:.4g}".format(**result),
        args,
    )
    half = f" n is half of the {len(data.x)} rows." if result["n"] < min(args.n, 1000) else ""
    show(verdict(result) + half, args)
    if figures.drawable(run.shape):
        caption = f"{how.label}\n{result['evaluations']} evaluations"
        title = "Energy distance {energy_distance:.3g}, noise floor {energy_floor:.3g}".format(**result)
        fig = plots.against(data, {caption: x_0}, run.shape, title, args.seed, *condition[:1])
        wrote(figures.save(fig, out / "eval.png"), args, result)
    if len(run.shape) > 1:
        found = result["pictures"] = judge_pictures(x_0, condition, data, run, args.seed)
        wrote(
            figures.save(
                plots.nearest(x_0, data.x[found.pop("nearest")[:40]], run.shape), out / "nearest.png"
            ),
            args,
            result,
        )
        show("\n" + pictures_text(found), args)
    if args.likelihood:
        found = result["likelihood"] = likelihood(run, data, min(args.n, 500), args.seed, bar)
        show("\n" + likelihood_text(found, run.model.d), args)
        wrote(figures.save(elbo_by_t(found, run.model.d), out / "elbo.png"), args, result)
    return done(result, args)


def info(args):
    """What is in a checkpoint."""
    run, _ = run_at(args.run)
    result = {
        "model": {"kind": run.kind} | asdict(run.model),
        "parameters": sum(w.size for w in run.state.params.values()), "dtype": str(run.state.params["W_in"].dtype),
        **names_of(run.goal), "data": run.data, "shape": list(run.shape), "schedule": run.schedule_name, "T": run.schedule.T,
        "alpha_bar_T": float(run.schedule.alpha_bar[-1]), "steps": run.state.step, "batch": run.batch, "lr": run.lr,
        "seed": run.state.seed, "loss": run.error(),
    }  # fmt: skip
    for key, value in result.items():
        show(f"{key:18} {value}", args)
    return done(result, args)
