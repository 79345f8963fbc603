"""doctor, oracle, notation: what can be said without a network."""

import math
from dataclasses import asdict

import numpy as np

from ..continuous.process import continuous
from ..continuous.solvers import evaluations
from ..elbo import prior_kl
from ..evaluation.recursion import moments, moments_of_sampler
from ..gaussian import snr
from ..runs.names import SCHEDULES, sampler, schedule_of, unknown
from ..sheet.dictionary import DICTIONARY
from .printing import Report, table

LIMIT = 0.01  # nats a coordinate that x_T may still know of the data


def doctor(args):
    """Does a schedule end in noise, where sampling starts? Exit 1: x_T knows more than LIMIT of the data."""
    schedule, std = schedule_of(args.schedule, args.T), args.data_std
    if not std > 0:
        raise ValueError(f"data_std must be positive, got {std}")
    rows = {
        "alpha_bar_T": (schedule.alpha_bar[-1], "share of the data's variance still in x_T"),
        "snr_T": (snr(schedule, args.T), "alpha_bar_T over the noise's variance"),
        "beta_min": (schedule.beta[1:].min(), "variance of the noise that a step adds, at least"),
        "beta_max": (schedule.beta.max(), "and at most"),
        "prior_kl": (
            prior_kl(schedule, std**2),
            "nats a coordinate: what x_T knows and N(0, I), the start, does not",
        ),
    }
    values = {name: float(value) for name, (value, _) in rows.items()}
    report = Report(args, schedule=args.schedule, T=args.T, **values, limit=LIMIT)
    head = [f"{args.schedule}, T = {args.T}", "", f"data of std {std:g}"]
    report.say(table(head, [[k, f"{value:.3g}", words] for k, (value, words) in rows.items()], left=True))
    report.found["healthy"] = healthy = values["prior_kl"] <= LIMIT
    if healthy:
        report.say(f"healthy: at most {LIMIT} nats")
        return report.done()
    report.found["advice"] = change = advice(args.schedule, args.T, std)
    report.say(f"not healthy: above {LIMIT} nats, sampling would start in the wrong place. {change}")
    return report.done(1)


def advice(name, T, std):
    """The smallest change after which a schedule ends in noise: scaled data, more steps, another schedule."""

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
    """What a sampler does to Gaussian data with the perfect denoiser, exactly: its bias, without a sample."""
    m, std, schedule = args.data_mean, args.data_std, schedule_of(args.schedule, args.T)
    if not (math.isfinite(m) and 0 <= std < math.inf):
        raise ValueError(f"data-mean must be finite and data-std finite and at least 0, got {m} and {std}")
    how = sampler(args.sampler or "ddpm", args.var, args.eta, lambda: std**2)
    times, process = how.times(args.T, args.steps, args.spacing), continuous(schedule)
    steps, ab = len(times) - 1, schedule.alpha_bar_at(int(times[0]))

    def end(start):
        exactly, way = (moments, how.step) if how.step else (moments_of_sampler, how.sampler)
        means, covs = exactly(way, schedule, [m], [[std**2]], times, start, process)
        return np.array([means[-1][0], math.sqrt(max(covs[-1][0, 0], 0.0))])

    data, got = np.array([m, std]), end(None)
    exact = end((np.array([math.sqrt(ab) * m]), np.array([[ab * std**2 + 1 - ab]])))
    rows = {
        "data": ("data", data),
        "result": ("samples, exactly", got),
        "bias": ("bias", got - data),
        "bias_of_the_start": ("  of it: started from N(0, 1), not q(x_t)", got - exact),
        "bias_of_the_steps": ("  of it: the steps are finite", exact - data),
    }
    asked = evaluations(how.sampler, process, times)
    report = Report(args, sampler=how.label, evaluations=asked, steps=steps, spacing=args.spacing)
    report.found |= {"first_t": int(times[0]), "schedule": args.schedule, "T": args.T}
    report.found["alpha_bar_T"] = float(schedule.alpha_bar[-1])
    report.found |= {key: {"mean": float(a), "std": float(b)} for key, (_, (a, b)) in rows.items()}
    report.say(
        f"{how.label} in {steps} steps ({args.spacing}), {asked} evaluations; {args.schedule}, T = {args.T}\n"
    )
    report.say(table(["", "mean", "std"], [[words, *both.tolist()] for words, both in rows.values()]))
    return report.done()


def notation(args):
    """The dictionary between the papers: Ho, DDIM, Prince, Karras, VDM, Song, flow matching."""
    wanted = [e for e in DICTIONARY if not args.paper or args.paper.lower() in e.paper.lower()]
    if not wanted:
        raise unknown("paper", dict.fromkeys(e.paper for e in DICTIONARY), args.paper)
    found = [asdict(e) | {"is": e.formula, "back": e.inverse} for e in wanted]
    rows = [[e.paper, e.symbol, e.formula, f"{e.here} = {e.inverse}", e.meaning] for e in wanted]
    report = Report(args, notation=found)
    report.say(
        "here: x_t = sqrt(ab) x_0 + sqrt(1 - ab) eps, ab = alpha_bar_t, t = 0 is clean\n",
        table(["paper", "its symbol", "here", "back, y is theirs", "meaning"], rows, left=True),
        "\nClashes: t = 0 is clean here and noise in flow matching, x_0 is data here and noise there;",
        "alpha_t is 1 - beta_t here and in Ho, alpha-bar_t in DDIM and Prince, a root in VDM.",
    )
    return report.done()
