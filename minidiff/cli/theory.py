"""doctor, oracle, notation: what can be said without a network."""

import math

import numpy as np

from ..continuous.process import continuous
from ..continuous.solvers import evaluations
from ..gaussian import prior_kl, snr
from ..recursion import moments
from ..sheet.dictionary import DICTIONARY
from .names import SCHEDULES, pick, sampler, unknown
from .printing import done, show, table

LIMIT = 0.01  # nats a coordinate that x_T may still know of the data


def doctor(args):
    """Does a schedule end in noise, where sampling starts? Exit 1 when x_T still knows more than LIMIT of the data."""
    schedule, std = pick("schedule", SCHEDULES, args.schedule)(args.T), args.data_std
    if not std > 0:
        raise ValueError(f"data_std must be positive, got {std}")
    nats = float(prior_kl(schedule, std**2))
    result = {
        "schedule": args.schedule, "T": args.T,
        "alpha_bar_T": float(schedule.alpha_bar[-1]), "snr_T": float(snr(schedule, args.T)),
        "beta_min": float(schedule.beta[1:].min()), "beta_max": float(schedule.beta.max()), "prior_kl": nats,
        "limit": LIMIT, "healthy": nats <= LIMIT,
    }  # fmt: skip
    show(f"{args.schedule}, T = {args.T}, data of std {std:g}", args)
    show(f"  alpha_bar_T  {result['alpha_bar_T']:.3g}    share of the data's variance still in x_T", args)
    show(f"  SNR_T        {result['snr_T']:.3g}", args)
    show(f"  beta         {result['beta_min']:.3g} .. {result['beta_max']:.3g}", args)
    show(f"  prior KL     {nats:.3g} nats a coordinate: what x_T knows and N(0, I), the start, does not", args)
    if result["healthy"]:
        show(f"healthy: at most {LIMIT} nats", args)
        return done(result, args)
    result["advice"] = advice(args.schedule, args.T, std)
    show(f"not healthy: above {LIMIT} nats, sampling would start in the wrong place. {result['advice']}", args)
    return done(result, args, 1)


def advice(name, T, std):
    """The smallest change after which a schedule ends in noise: scaled data, more steps, or another schedule."""

    def healthy(name, T, std):
        try:
            return bool(prior_kl(SCHEDULES[name](T), std**2) <= LIMIT)
        except ValueError:  # there is no such schedule for this T
            return False

    if std > 1 and healthy(name, T, 1.0):
        return "Scale the data to std 1 first."
    longer = next((f"T >= {n}" for n in range(T, 4000) if healthy(name, n, std)), None)
    others = [f"--schedule {other}" for other in SCHEDULES if healthy(other, T, std)]
    return f"Use {' or '.join(filter(None, [longer, *others])) or 'data of smaller std'}."


def oracle(args):
    """What a sampler does to Gaussian data with the perfect denoiser, exactly: its bias, without drawing a sample."""
    m, std, schedule = args.data_mean, args.data_std, pick("schedule", SCHEDULES, args.schedule)(args.T)
    if not (math.isfinite(m) and 0 <= std < math.inf):
        raise ValueError(f"data-mean must be finite and data-std finite and at least 0, got {m} and {std}")
    how = sampler(args.sampler or "ddpm", args.var, args.eta, lambda: std**2)
    times, process = how.times(args.T, args.steps, args.spacing), continuous(schedule)
    steps, ab = len(times) - 1, schedule.at(int(times[0]), 0.0)
    starts = {"N(0, 1)": None, "q(x_t)": (np.array([math.sqrt(ab) * m]), np.array([[ab * std**2 + 1 - ab]]))}
    ends = {}
    for name, start in starts.items():
        means, covs = moments(how.step, schedule, [m], [[std**2]], times, start, process)
        ends[name] = np.array([means[-1][0], math.sqrt(max(covs[-1][0, 0], 0.0))])
    data, got, exact = np.array([m, std]), ends["N(0, 1)"], ends["q(x_t)"]
    rows = {
        "data": data, "result": got, "bias": got - data, "bias_of_the_start": got - exact, "bias_of_the_steps": exact - data
    }  # fmt: skip
    words = ["data", "samples, exactly", "bias", "  of it: started from N(0, 1), not q(x_t)", "  of it: the steps are finite"]
    result = {
        "sampler": how.label,
        "evaluations": evaluations(how.step, process, times),
        "steps": steps,
        "spacing": args.spacing,
    }
    result |= {"first_t": int(times[0]), "schedule": args.schedule, "T": args.T, "alpha_bar_T": float(schedule.alpha_bar[-1])}
    result |= {k: {"mean": float(a), "std": float(b)} for k, (a, b) in rows.items()}
    asked = f"{steps} steps ({args.spacing}), {result['evaluations']} evaluations"
    show(f"{how.label} in {asked}; {args.schedule}, T = {args.T}\n", args)
    show(table(["", "mean", "std"], [[w, float(a), float(b)] for w, (a, b) in zip(words, rows.values())]), args)
    return done(result, args)


def notation(args):
    """The dictionary between the papers: Ho, DDIM, Prince, Karras, VDM, Song, flow matching."""
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
