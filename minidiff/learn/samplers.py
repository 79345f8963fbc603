"""What the page to play with shows: samplers from the same noise, on data whose perfect denoiser is known.

A run is an array (2, F, P, d): x_t and x_0_hat of P rows at the F times that the page shows. Runs that draw
noise draw the same. Flow is at 1 - t / T by its own clock: on its line, (1 - t / T) x_0 + t / T eps.
"""

from functools import partial
from itertools import product
from typing import NamedTuple

import numpy as np

from .. import schedule
from ..continuous import flow, ode, solvers
from ..continuous.process import continuous
from ..ddpm import sample
from ..evaluation.recursion import moments, moments_of_sampler
from ..exact import DataDenoiser, Mixture
from ..gaussian import q_sample, x_0_from_eps
from ..noise import DATA, SAMPLE, stream
from ..objective import as_eps
from ..pictures.guidance import classifier_free
from ..runs.names import OBJECTIVES, load
from ..sampling import ddim_step, ddpm_step, trailing

SCHEDULES = {"linear": schedule.linear(1000), "cosine": schedule.cosine(1000)}
SCHEDULES |= {"linear-100": schedule.linear(100), "linear-scaled-100": schedule.linear_scaled(100)}
STEPS, ETAS, WEIGHTS, ERRORS = (5, 10, 20, 100), (0.25, 0.5, 0.75, 1), (1, 2, 4), (0.02, 0.1)


class Play(NamedTuple):
    """Data to play with. `whole` makes, for a process, the perfect denoiser of all, `part` of a class."""

    x_0: np.ndarray  # (P, d), what is noised
    # (N, d), what is learnt by heart, 300 points or 2000 pictures; empty where the density is known
    data: np.ndarray
    like: Mixture  # one Gaussian with the data's mean and covariance
    density: Mixture | None
    whole: object
    part: object


def play_of(name):
    """The Play of a data set or a file. Raises ValueError for rows that are neither points nor 8 x 8."""

    def points(x):
        return partial(DataDenoiser, x)

    found, part, density = load(name), None, None
    if found.shape not in ((2,), (8, 8)):
        rows = f"the rows of {name} have the shape {found.shape}"
        raise ValueError(f"explore draws points in the plane and 8 x 8 digits; {rows}")
    some = stream(0, DATA).permutation(len(found.x))[: 300 if found.shape == (2,) else 2000]
    x = np.reshape(found.x[some], (len(some), -1)).astype(float)
    mean, cov, whole = x.mean(axis=0), np.cov(x.T, bias=True), points(x)
    if m := found.mixture:
        (mean, cov), whole, density = m.moments(schedule.linear(), 0), m.eps_theta, m
        part = Mixture([1], m.mean[:1], m.cov[:1]).eps_theta
    elif found.shape == (2,):
        density = Mixture(np.full(len(x), 1 / len(x)), x, np.zeros((len(x), 2, 2)))
    elif name == "digits":
        part = points(x[found.label[some] == 3])
    return Play(
        x[: 200 if density else 9], x[: 0 if m else None], Mixture([1], [mean], [cov]), density, whole, part
    )


def velocity(eps_theta):
    """Flow's u(x, r) from a denoiser on flow.Straight. At r = 0, where x_0_hat is 0 / 0: that at r = 1e-6."""

    def u(x, r):
        r = max(r, 1e-6)
        return flow.velocity_from_eps(x, r, eps_theta(x, flow.Straight.T * (1 - r)))

    return u


def straight(eps_theta, schedule, x_T, times, rng):
    """The sampler of flow, by Euler's steps."""
    return flow.sample(velocity(eps_theta), x_T, 1 - times / schedule.T)


STEPS_OF = {"ddpm": ddpm_step(), "ddim": ddim_step(), "ode": solvers.pf_ode(ode.heun)}
SAMPLERS = (*STEPS_OF, "flow")


def x_0_hat(process, eps_theta, T, t, x):
    """What the denoiser takes x for, at t of T by the clock that the process has; x itself at t = 0."""
    if t and isinstance(process, flow.Straight):
        return x + t / T * velocity(eps_theta)(x, 1 - t / T)
    return x_0_from_eps(process, x, t, eps_theta(x, t)) if t else x


def shown(T, steps):
    """The times that the page shows of so many steps: those that 20 steps visit, and T / 100."""
    return [t for t in trailing(T, steps).tolist() if t % (T // 20) == 0 or t == T // 100]


def off(whole, asked, size):
    """The denoiser of a network whose answer is off by size times a fixed z: eps_hat by b size z."""

    def make(process):
        def eps_theta(x, t):
            _, b = as_eps(asked, process, t)
            z = stream(0, SAMPLE, 2).standard_normal(x.shape)
            return whole(process)(x, t) + b * size * z

        return eps_theta

    return make


def plan(play):
    """(schedule, sampler, steps, what else, a step unless it is flow, its denoiser's maker) of each run."""
    yield from ((name, "noising", 100, "", None, play.whole) for name in SCHEDULES)
    for name, which, n in product(SCHEDULES, SAMPLERS, STEPS):
        if which != "flow" or name == "linear":  # flow has no schedule
            yield name, which, n, "", STEPS_OF.get(which), play.whole
    yield from (
        ("linear", "ddim", n, f"eta={eta}", ddim_step(eta), play.whole) for eta, n in product(ETAS, STEPS)
    )
    others = {
        f"error={name}-{size}": off(play.whole, OBJECTIVES[name], size)
        for name, size in product(OBJECTIVES, ERRORS)
    }
    others |= {
        f"w={w}": lambda p, w=w: classifier_free(play.part(p), play.whole(p), w) for w in WEIGHTS if play.part
    }
    for (what, make), which in product(others.items(), SAMPLERS):
        # flow's network is asked flow's objective, and no other
        if what[0] == "w" or (which == "flow") == ("flow" in what):
            yield "linear", which, 20, what, STEPS_OF.get(which), make


def numbers(mean, cov):
    """Means, deviations and correlation in the plane; of pictures the pixels' mean and root mean variance."""
    std = np.sqrt(np.diag(cov))
    found = (
        [*mean, *std, cov[0, 1] / (std.prod() or 1)]
        if len(mean) == 2
        else [mean.mean(), np.sqrt(np.mean(std**2))]
    )
    return np.round(found, 4).tolist()


def computed(play, tick=lambda: None):
    """({key: run}, {key: what is known of it}); tick() is called after each run."""
    x_T, (mean,), (cov,) = stream(0, SAMPLE).standard_normal(play.x_0.shape), play.like.mean, play.like.cov
    runs, known = {}, {}
    for name, which, n, what, step, make in plan(play):
        s, key = SCHEDULES[name], f"{name} {which} {n} {what}"
        times, process = trailing(s.T, n), flow.Straight() if which == "flow" else continuous(s)
        eps_theta, of, exact = make(process), {}, None
        sampler = partial(sample, step) if step else straight
        if which == "noising":
            path = [q_sample(s, play.x_0, t, x_T) for t in times]
            exact = [play.like.moments(s, t) for t in times]
        else:
            path = [x_T, *sampler(eps_theta, s, x_T, times, stream(0, SAMPLE, 1))]
            of["calls"] = solvers.evaluations(sampler, s, times)
            if make is play.whole:
                of_gaussians = partial(moments, step) if step else partial(moments_of_sampler, sampler)
                exact = [*zip(*of_gaussians(s, mean, cov, times, process=process))]
        kept = [k for k, t in enumerate(times) if t in shown(s.T, n)]
        guesses = [x_0_hat(process, eps_theta, s.T, times[k], path[k]) for k in kept]
        run = np.array([[path[k] for k in kept], guesses])
        of["drawn"] = [numbers(x.mean(axis=0), np.cov(x.T)) for x in run[0]]
        of["exact"] = exact and [numbers(*exact[k]) for k in kept]
        if what:
            apart = np.mean((run - runs[f"{name} {which} {n} "]) ** 2, axis=(2, 3))
            of["apart"] = np.sqrt(apart).round(4).tolist()
        runs[key], known[key] = run, of
        tick()
    return runs, known
