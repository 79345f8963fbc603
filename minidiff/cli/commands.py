"""demo, train, sample, eval, info: what each does with its arguments, in order, and what it prints."""

import re
import sys
import time
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import numpy as np

from ..evaluation.metrics import JUDGE, judge
from ..evaluation.samples import judge_pictures, likelihood
from ..noise import stream
from ..pictures.guidance import check_weight
from ..runs import figures, plots
from ..runs.checkpoint import load
from ..runs.drawing import draw, for_rows, write_samples
from ..runs.files import folder
from ..runs.names import load as load_data
from ..runs.names import names_of, sampler
from ..runs.progress import bar
from ..runs.training import SETTINGS, data_of, evenly, fit, new_run
from .pictures import elbo_by_t
from .printing import Report, likelihood_text, pictures_text, records

CHECKPOINT = "checkpoint.npz"
FULL, QUICK = (3000, 500), (400, 100)  # the demo's training steps and samples
JUDGED = {  # what is found -> what stands above its column
    "sampler": "sampler",
    "objective": "asked for",
    "evaluations": "evaluations",
    "seconds": "seconds",
    "energy_distance": "energy distance",
    "energy_floor": "noise floor",
    "p_value": "p",
}


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
        raise ValueError(f"label must be none or numbers in 0..{K - 1} with commas, got {args.label!r}")
    return np.array([int(name) for name in names]), w


def rows_of(text, n):
    """(first, last) of --rows A:B, by default all, and n: where it is None, B, or 1000 without --rows."""
    if text is None:
        n = 1000 if n is None else n
        return (0, n), n
    first, last = map(int, text.split(":")) if re.fullmatch("[0-9]+:[0-9]+", text) else (0, 0)
    if not first < last <= (last if n is None else n):
        at_most = "" if n is None else f" <= n = {n}"
        raise ValueError(f"rows must be A:B with 0 <= A < B{at_most}, got {text!r}")
    return (first, last), last if n is None else n


def warn_of_eps(run, times, report):
    """Says what eps costs where a sampler of few steps asks for it."""
    T, ab_T = run.schedule.T, run.schedule.alpha_bar[-1]
    if names_of(run.goal)["objective"] != "eps" or len(times) - 1 > T // 4:
        return
    eps = "this run answers eps: an error of eps_hat at t = T is divided by sqrt(alpha_bar_T)"
    report.say(
        f"{eps}, {ab_T**-0.5:.0f} times as large in x_0_hat, one of v not",
        f"(train --objective v; or --steps {T})",
    )


def verdict(j):
    """What the permutation test says, at which n, and what it does not see."""
    can = "can" if j["p_value"] <= 0.05 else "cannot"
    said = f"p = {j['p_value']:.3g}: at n = {j['n']} a side the samples {can} be told from data. "
    sees = f"(The test sees an energy distance above {j['least_seen']:.2g}, "
    return said + sees + "not copies of the training rows or a fault in a few samples.)"


def judged(run, how, times, n, data, args, condition=()):
    """n samples (n, d), and all about them that stands under JUDGED."""
    x_0, result = draw(run, how, times, n, args.seed, condition, args.plain)
    return x_0, result | judge(x_0, data.x, stream(args.seed, JUDGE))


def demo(args):
    """Trains what answers v and what answers eps on digits, draws from both, judges the samples."""
    began, data, report = time.perf_counter(), load_data("digits"), Report(args)
    steps, n = QUICK if args.quick else FULL
    out = folder(args.out or ("runs/demo-quick" if args.quick else "runs/demo"))
    report.say(
        f"Training two denoisers with hand-written gradients on {len(data.x)} digits, {steps} steps each"
    )
    report.say("(Ctrl-C keeps the last one): one answers v, the other eps, to see what breaks first.")
    # logit-normal: which digit it becomes is decided in the middle of the way
    settings = {"seed": args.seed, "times": "logit-normal"}
    v, eps = (new_run(data, "digits", "mlp", objective=o, **settings) for o in ("v", "eps"))
    report.drew(plots.forward(v, data, args.seed), out / "forward.png")
    for home, run in ((out, v), (out / "eps", eps)):
        looks = []
        fit(run, data, steps, home / CHECKPOINT, plots.growing(looks, plain=args.plain), args.plain)
        report.wrote(home / CHECKPOINT)
        if run is v:
            report.drew(plots.curve(v, data, looks), out / "training.png")
    ddpm, ddim = sampler("ddpm"), sampler("ddim")
    every, few = (how.times(v.schedule.T, None, "trailing") for how in (ddpm, ddim))
    panels, rows = {}, []
    for name, run, how, times in (("DDPM", v, ddpm, every), ("DDIM", v, ddim, few), ("DDIM", eps, ddim, few)):
        x_0, found = judged(run, how, times, n, data, args)
        rows.append(found | {"sampler": name})
        if how is ddim:
            panels[f"asked for {found['objective']}:\n{name}, {found['evaluations']} steps"] = x_0
    title = "Digits that a network made of noise, and what breaks first"
    report.drew(plots.against(data, panels, data.shape, title, args.seed), out / "samples.png")
    way = (args.seed, (), args.plain)
    report.drew(plots.reverse(v, ddpm, every, *way), out / "reverse.png")
    ways = {"DDPM": (ddpm, every), "DDIM": (ddim, few)}
    report.wrote(plots.trajectory(out / "trajectory.gif", v, ways, *way))
    seconds = time.perf_counter() - began
    report.found |= {"samplers": rows, "seconds": seconds}
    report.say(
        "\n" + records(JUDGED, rows),
        "(noise floor: real digits against other real digits; a perfect sampler comes down to it)",
        f"DDIM: {verdict(rows[1])}",
        f"What breaks first, in {out / 'eps'}:",
    )
    warn_of_eps(eps, few, report)
    report.say(
        f"\n{seconds:.0f} s in all. Look at samples.png and trajectory.gif in {out}. Then try",
        f"  minidiff sample {out} --sampler ddim --steps 10   fewer steps: what do they cost?",
        "  minidiff doctor --T 50                            why a short linear schedule fails",
    )
    return report.done()


def resumed(args, out):
    """The Run in the folder `out`, to be continued, and its data."""
    fixed = ("data", "shape", "label_column", "model", *SETTINGS, "conditional")
    if wrong := [f"--{k.replace('_', '-')}" for k in fixed if vars(args)[k] not in (None, False)]:
        raise ValueError(f"--resume continues with what the checkpoint says; leave out {', '.join(wrong)}")
    run, _ = run_at(out)
    if (step := run.state.step) >= args.steps:
        raise ValueError(f"{out} is at step {step} already, --steps must be more, got {args.steps}")
    return run, data_of(run)


def begun(args, out):
    """A new Run that will be kept in the folder `out`, and its data."""
    if not args.data:
        raise ValueError("--data is needed: a name or a file (with --resume the checkpoint knows)")
    if (out / CHECKPOINT).exists():
        raise ValueError(f"{out / CHECKPOINT} exists: --resume continues it, another --out begins anew")
    data = load_data(args.data, args.seed or 0, args.shape, args.label_column)
    name = str(Path(args.data).resolve()) if Path(args.data).suffix else args.data
    given = {k: v for k, v in vars(args).items() if k in SETTINGS and v is not None}
    run = new_run(data, name, args.model or "mlp", args.conditional, **given)
    if data.notes:
        print(f"{args.data}: {data.notes}", file=sys.stderr)
    return run, data


def train(args):
    """Trains a denoiser and keeps it in its folder's checkpoint.npz."""
    out = Path(args.out or f"runs/{Path(args.data or 'run').stem}")
    run, data = (resumed if args.resume else begun)(args, out)
    report, looks, look = Report(args, from_step=run.state.step), [], lambda run: None
    if drawn := figures.drawable(run.shape):
        look = plots.growing(looks, out / "progress.png", args.plain)
    fit(run, data, args.steps, out / CHECKPOINT, look, args.plain)
    for file in [CHECKPOINT] + ["progress.png"] * drawn:
        report.wrote(out / file)
    report.drew(plots.curve(run, data, looks), out / "training.png")
    report.found |= {"steps": run.state.step, "loss": run.error() * run.loss_of_0(), "d": run.model.d}
    last = f"the mean of the last {len(run.recent_losses())} steps (1: answering 0 always)"
    report.say(f"step {run.state.step}: error {run.error():.4f}, {last}")
    few = " --sampler ddim --steps 50 --n 100" if run.kind == "unet" else ""
    report.say(f"next: minidiff sample {out}{few}")
    return report.done()


def sample(args):
    """Draws samples from a run, as numbers in the data's units and as pictures; --rows: as numbers only."""
    run, home = run_at(args.run)
    rows, args.n = rows_of(args.rows, args.n)
    if args.rows and args.gif:
        raise ValueError("--gif draws the first rows of all, with --rows there are only numbers")
    how, times = sampler_of(args, run, 1)
    condition, steps = condition_of(args, run), len(times) - 1
    name = f"{re.sub('[^a-z0-9+.-]+', '-', how.label).strip('-')}-{steps}"
    name += f"-rows-{rows[0]}-{rows[1]}" if args.rows else ""
    out = folder(args.out or home / name)
    x_0, found = draw(run, how, times, args.n, args.seed, condition, args.plain, rows)
    report = Report(args, **found)
    warn_of_eps(run, times, report)
    report.say(
        "{sampler}: {n} samples, {evaluations} network evaluations each, {seconds:.2f} s".format(**found)
    )
    if args.rows:
        report.found |= {"rows": rows, "of": args.n}
        report.say(f"rows {rows[0]}..{rows[1] - 1} of {args.n}, the same bits as all at once")
    condition = for_rows(condition, rows)
    for file in write_samples(run, x_0, condition, out):
        report.wrote(file)
    if figures.drawable(run.shape) and not args.rows:
        data = None
        with suppress(ValueError):  # the data's file may be gone: samples do not need it
            data = data_of(run)
        caption = f"{how.label}, asked for {args.label}" if args.label else how.label
        title = f"Made of noise in {steps} steps, {found['evaluations']} evaluations"
        title += f": a line for each label, w = {condition[1]:g}" if condition else ""
        fig = plots.against(data, {caption: x_0}, run.shape, title, args.seed, *condition[:1])
        report.drew(fig, out / "samples.png")
        way = (args.seed, condition, args.plain)
        report.drew(plots.reverse(run, how, times, *way), out / "reverse.png")
        if args.gif:
            report.wrote(plots.trajectory(out / "trajectory.gif", run, {how.label: (how, times)}, *way))
    return report.done()


def evaluate(args):
    """How far a run's samples are from its data, beside the noise floor."""
    run, home = run_at(args.run)
    how, times = sampler_of(args, run, 2)
    data, condition = data_of(run), for_rows(condition_of(args, run), (0, args.n))
    out = folder(args.out or home)
    x_0, found = judged(run, how, times, args.n, data, args, condition)
    report = Report(args, **found)
    report.say(records(JUDGED, [found]))
    warn_of_eps(run, times, report)
    report.say(
        "sliced Wasserstein {sliced_wasserstein:.4g}, its noise floor {sliced_floor:.4g}".format(**found)
    )
    half = f" n is half of the {len(data.x)} rows." if found["n"] < min(args.n, 1000) else ""
    report.say(verdict(found) + half)
    if figures.drawable(run.shape):
        caption = f"{how.label}\n{found['evaluations']} evaluations"
        title = "Energy distance {energy_distance:.3g}, noise floor {energy_floor:.3g}".format(**found)
        fig = plots.against(data, {caption: x_0}, run.shape, title, args.seed, *condition[:1])
        report.drew(fig, out / "eval.png")
    if len(run.shape) > 1:
        found = judge_pictures(x_0, condition, data, run, args.seed)
        nearest = data.x[found.pop("nearest")[:40]]
        report.drew(plots.nearest(x_0, nearest, run.shape), out / "nearest.png")
        report.found["pictures"] = found
        report.say("\n" + pictures_text(found))
    if args.likelihood:
        found = likelihood(run, data, min(args.n, 500), args.seed, bar)
        report.found["likelihood"] = found
        report.say("\n" + likelihood_text(found, run.model.d))
        report.drew(elbo_by_t(found, run.model.d), out / "elbo.png")
    return report.done()


def info(args):
    """What is in a checkpoint."""
    run, _ = run_at(args.run)
    params = run.state.params
    found = {
        "model": {"kind": run.kind} | asdict(run.model),
        "parameters": params.size,
        "dtype": str(params.dtype),
        **names_of(run.goal),
        "data": run.data,
        "shape": list(run.shape),
        "schedule": run.schedule_name,
        "T": run.schedule.T,
        "alpha_bar_T": float(run.schedule.alpha_bar[-1]),
        "steps": run.state.step,
        "batch": run.batch,
        "lr": run.lr,
        "seed": run.seed,
        "loss": run.error(),
    }
    report = Report(args, **found)
    for key, value in found.items():
        report.say(f"{key:18} {value}")
    return report.done()
