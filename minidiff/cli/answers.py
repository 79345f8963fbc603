"""Commands that answer a question: what is in a run, is a schedule healthy, how fast, how biased is a sampler."""

from .commands import checkpoint_of
from .printing import done, show, table


def info(args):
    """What is in a checkpoint."""
    from dataclasses import asdict

    from .checkpoint import names_of

    run, _ = checkpoint_of(args.run)
    recent = run.recent_losses() or [float("nan")]
    result = {
        "model": {"kind": run.kind} | asdict(run.model),
        "parameters": sum(w.size for w in run.state.params.values()),
        "dtype": str(run.state.params["W_in"].dtype),
        **names_of(run.goal),
        "data": run.data, "shape": list(run.shape),
        "schedule": run.schedule_name, "T": run.schedule.T, "alpha_bar_T": float(run.schedule.alpha_bar[-1]),
        "steps": run.state.step, "batch": run.batch, "lr": run.lr, "seed": run.state.seed,
        "loss": sum(recent) / len(recent) / run.loss_of_0(),
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
    from .progress import bar

    with bar(None, "tasks", "measuring") as progress:
        result = benchmark.measure(args.repeats, progress.update)
    blas, copy = result["limits"].values()
    head = f"BLAS {blas:.1f} GFLOP/s on one core, copy {copy:.1f} GB/s"
    show(f"{head}; {result['threads']} threads, medians of interleaved runs\n", args)
    share = {r["name"]: f"{r['share_of_blas']:.0%}" for r in result["work"] if "share_of_blas" in r}
    rows = [[r["name"], f"{r['rate']:.3g}", r["unit"], share.get(r["name"], "")] for r in result["work"]]
    show(table(["work", "rate", "", "of one core's BLAS"], rows), args)
    show("\n" + table(["start-up", "seconds"], [[k, f"{v:.2f}"] for k, v in result["startup_seconds"].items()]), args)
    return done(result, args)


def oracle(args):
    """What a sampler does to Gaussian data with the perfect denoiser, exactly: its bias, without drawing a sample."""
    import math

    import numpy as np

    from ..continuous.process import continuous
    from ..continuous.solvers import by_name
    from ..fast.noise import RowNoise
    from ..fast.sampling import Counted
    from ..recursion import moments
    from ..sample import SPACINGS, sample
    from ..schedule import SCHEDULES
    from .names import pick

    m, std, schedule = args.data_mean, args.data_std, pick("schedule", SCHEDULES, args.schedule)(args.T)
    if not (math.isfinite(m) and 0 <= std < math.inf):
        raise ValueError(f"data-mean must be finite and data-std finite and at least 0, got {m} and {std}")
    label, step, default = by_name(args.sampler or "ddpm", args.var, args.eta, lambda: std**2)
    steps = min(default or schedule.T, schedule.T) if args.steps is None else args.steps
    times, ab_T = pick("spacing", SPACINGS, args.spacing)(schedule.T, steps), schedule.at(args.T, 0.0)
    eps_theta = Counted(lambda x, t: x)
    for _ in sample(step, eps_theta, continuous(schedule), np.ones((1, 1)), times, RowNoise(0)):
        pass
    ab = schedule.at(int(times[0]), 0.0)
    starts = {"mean": None, "exact": (np.array([math.sqrt(ab) * m]), np.array([[ab * std**2 + 1 - ab]]))}
    ends = {}
    for name, start in starts.items():
        means, covs = moments(step, schedule, [m], [[std**2]], times, start)
        ends[name] = float(means[-1][0]), math.sqrt(max(covs[-1][0, 0], 0.0))
    got, exact = ends["mean"], ends["exact"]
    result = {
        "sampler": label, "evaluations": len(eps_theta.rows), "steps": steps, "spacing": args.spacing, "first_t": int(times[0]),
        "schedule": args.schedule, "T": args.T, "alpha_bar_T": float(ab_T),
        "data": {"mean": m, "std": std}, "result": {"mean": got[0], "std": got[1]},
        "bias": {"mean": got[0] - m, "std": got[1] - std},
        "bias_of_the_start": {"mean": got[0] - exact[0], "std": got[1] - exact[1]},
        "bias_of_the_steps": {"mean": exact[0] - m, "std": exact[1] - std},
    }  # fmt: skip
    show(
        f"{label} in {steps} steps ({args.spacing}), {result['evaluations']} evaluations; {args.schedule}, T = {args.T}\n", args
    )
    rows = [["data", m, std], ["samples, exactly", *got], ["bias", got[0] - m, got[1] - std]]
    rows.append(["  of it: started from N(0, 1), not q(x_t)", got[0] - exact[0], got[1] - exact[1]])
    rows.append(["  of it: the steps are finite", exact[0] - m, exact[1] - std])
    show(table(["", "mean", "std"], rows), args)
    return done(result, args)


def notation(args):
    """The dictionary between the papers: Ho, DDIM, Prince, Karras, VDM, Song, flow matching."""
    from ..sheet.dictionary import DICTIONARY
    from .names import unknown

    entries = [
        {"paper": e.paper, "symbol": e.symbol, "meaning": e.meaning, "here": e.here, "is": e.formula,
         "to": f"dictionary.{e.to.__name__}", "back": f"dictionary.{e.back.__name__}"} for e in DICTIONARY
    ]  # fmt: skip
    wanted = [e for e in entries if not args.paper or args.paper.lower() in e["paper"].lower()]
    if not wanted:
        raise unknown("paper", dict.fromkeys(e.paper for e in DICTIONARY), args.paper)
    show("here: x_t = sqrt(ab) x_0 + sqrt(1 - ab) eps, ab = alpha_bar_t, t = 0 is clean\n", args)
    rows = [[e["paper"], e["symbol"], e["is"], e["meaning"], f"{e['to'][11:]}, {e['back'][11:]}"] for e in wanted]
    show(table(["paper", "its symbol", "here", "meaning", "functions in dictionary.py"], rows, left=True), args)
    show("\nClashes: t = 0 is clean here and noise in flow matching; x_0 is data here and noise in flow matching;", args)
    show("alpha_t is 1 - beta_t here and in Ho, alpha-bar_t in DDIM and Prince, a root in VDM.", args)
    return done({"notation": wanted}, args)
