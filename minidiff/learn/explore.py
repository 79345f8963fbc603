"""A page to play with diffusion, one HTML file. Every number in it is computed here; its script, explore.js, only draws.

A run is an array (2, F, P, d): x_t and x_0_hat of P rows at the F times that the page shows. All runs of one data set start
from the same noise, and draw the same. Flow is at 1 - t / T by its own clock, where its line is (1 - t / T) x_0 + t / T eps.
"""

import base64
import json
import math
import zlib
from html import escape
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .. import objective, recursion, sample, schedule
from ..cli.names import load
from ..continuous import flow, ode, solvers
from ..continuous.process import continuous
from ..continuous.sde import DataDenoiser
from ..exact import Mixture
from ..gaussian import q_sample, x_0_from_eps
from ..noise import DATA, SAMPLE, stream
from ..pictures.guidance import classifier_free

SCHEDULES = {"linear": schedule.linear(1000), "cosine": schedule.cosine(1000)}
SCHEDULES |= {"linear-100": schedule.linear(100), "linear-scaled-100": schedule.linear_scaled(100)}
ASKED = {"eps": objective.eps_prediction, "x0": objective.x_0_prediction, "v": objective.v_prediction}
STEPS, ETAS, WEIGHTS, ERRORS = (5, 10, 20, 100), (0.25, 0.5, 0.75, 1), (1, 2, 4), (0.02, 0.1)
ROWS, DIGIT = 300, 3  # points that are learnt, where there are more; the digit of guidance
PARTS = {2: 128, 64: 32}  # by d: a coordinate is kept in 1/128, a pixel in 1/32


class Play(NamedTuple):
    """Data to play with; whole(process) and part(process) are the perfect denoisers of all of it and of one class."""

    name: str
    x_0: np.ndarray  # (P, d), what is noised
    data: np.ndarray  # (N, d), what is learnt by heart; none where the density is known
    whole: object
    part: object
    density: Mixture | None
    like: Mixture  # one Gaussian with the data's mean and covariance


def play_of(name):
    """The Play of a data set or a file. Raises ValueError for rows that are neither points in the plane nor 8 x 8."""
    found, rng, part = load(name), stream(0, DATA), None
    if found.shape not in ((2,), (8, 8)):
        raise ValueError(f"explore draws points in the plane and 8 x 8 digits; the rows of {name} have the shape {found.shape}")
    if density := found.mixture:
        mean, cov, x, x_0 = *density.moments(schedule.linear(), 0), np.zeros((0, 2)), density.sample(200, rng)
        whole, part = density.eps_theta, Mixture([1], density.mean[:1], density.cov[:1]).eps_theta
    else:
        few = slice(None) if found.shape == (8, 8) else rng.permutation(len(found.x))[:ROWS]
        x, points = np.reshape(found.x[few], (-1, np.prod(found.shape))).astype(float), lambda x: lambda p: DataDenoiser(x, p)
        mean, cov, x_0, whole = x.mean(axis=0), np.cov(x.T, bias=True), x[rng.choice(len(x), 9 if x.shape[1] == 64 else 200)], points(x)
        if found.shape == (2,):
            density = Mixture(np.full(len(x), 1 / len(x)), x, np.zeros((len(x), 2, 2)))
        elif name == "digits":
            part = points(x[found.label == DIGIT])
    return Play(Path(name).stem, x_0, x, whole, part, density, Mixture([1], mean[None], cov[None]))


def velocity(eps_theta):
    """Flow's u(x, r) from a denoiser that knows flow.Linear. At r = 0, where x_0_hat is 0 / 0, it answers for r = 1e-6."""

    def u(x, r):
        r = max(r, 1e-6)
        return flow.velocity_from_eps(x, r, eps_theta(x / np.hypot(r, 1 - r), r))

    return u


straight = sample.Multistep(lambda eps_theta, *rest: flow.straight(ode.euler)(velocity(eps_theta), *rest))
SAMPLERS = {"ddpm": sample.ddpm(), "ddim": sample.ddim(), "ode": solvers.pf_ode(ode.heun), "flow": straight}


def shown(T, steps):
    """The times that the page shows of so many steps: those that 20 steps visit, and T / 100."""
    return [t for t in sample.trailing(T, steps).tolist() if t % (T // 20) == 0 or t == T // 100]


def seen(process, eps_theta, T, path):
    """The run of a path {t: x_t}: beside each x_t what the denoiser takes it for; at t = 0 that is x_t itself."""

    def x_0_hat(t, x):
        if t and isinstance(process, flow.Linear):
            return x + t / T * velocity(eps_theta)(x, 1 - t / T)
        return x_0_from_eps(process, x, t, eps_theta(x, t)) if t else x

    return np.array([list(path.values()), [x_0_hat(t, x) for t, x in path.items()]])


def off(whole, asked, size):
    """The denoiser of a network whose answer to what is asked is off by size times a fixed z: eps_hat by b size z."""
    z = lambda x: stream(0, SAMPLE, 2).standard_normal(x.shape)  # noqa: E731
    return lambda process: lambda x, t: whole(process)(x, t) + asked.as_eps(process, t)[1] * size * z(x)


def plan(play):
    """(schedule, sampler, steps, what else, step, the maker of its denoiser) of every run that samples."""
    for name, which, n in product(SCHEDULES, SAMPLERS, STEPS):
        if which != "flow" or name == "linear":  # flow has no schedule
            yield name, which, n, "", SAMPLERS[which], play.whole
    for eta, n in product(ETAS, STEPS):
        yield "linear", "ddim", n, f"eta={eta}", sample.ddim(eta), play.whole
    others = {f"w={w}": lambda p, w=w: classifier_free(play.part(p), play.whole(p), w) for w in WEIGHTS if play.part}
    others |= {f"error={name}-{size}": off(play.whole, ASKED[name], size) for name, size in product(ASKED, ERRORS)}
    for (what, make), which in product(others.items(), SAMPLERS):
        yield "linear", which, 20, what, SAMPLERS[which], make


def numbers(mean, cov):
    """Means, standard deviations and correlation in the plane; of pictures the pixels' mean and root mean variance."""
    std = np.sqrt(np.diag(cov))
    found = [*mean, *std, cov[0, 1] / std.prod()] if len(mean) == 2 else [mean.mean(), np.sqrt(np.mean(std**2))]
    return np.round(found, 4).tolist()


def computed(play, tick=lambda: None):
    """({key: run}, {key: what is known of it}, {key: log-density on a grid}); tick() is called after each run."""
    x_T, (mean,), (cov,) = stream(0, SAMPLE).standard_normal(play.x_0.shape), play.like.mean, play.like.cov
    line, runs, known, densities = np.linspace(-3.6, 3.6, 40 if len(play.data) else 64), {}, {}, {}
    grid = np.stack(np.meshgrid(line, -line), axis=-1).reshape(-1, 2)
    for name, s in SCHEDULES.items():
        key, process, times = f"{name} noising 100 ", continuous(s), shown(s.T, 100)
        runs[key] = seen(process, play.whole(process), s.T, {t: q_sample(s, play.x_0, t, x_T) for t in times})
        known[key] = {"exact": [numbers(*play.like.moments(s, t)) for t in times]}
        for clock, t in product(("flow", name) if name == "linear" else (name,), times if play.density else ()):
            process, at = (flow.Linear(), 1 - t / s.T) if clock == "flow" else (s, t)
            narrow = np.sqrt(1 - process.at(at, 0.0)) < line[1] - line[0]  # a grid would miss the points of the data
            if not (narrow and len(play.data)):
                scale = np.hypot(at, 1 - at) if clock == "flow" else 1
                densities[f"{clock} {t}"] = play.density.log_prob(process, grid / scale, at)
        tick()
    for name, which, n, what, step, make in plan(play):
        key, s, process = f"{name} {which} {n} {what}", SCHEDULES[name], flow.Linear()
        process = process if which == "flow" else continuous(s)
        eps_theta, times, kept = make(process), sample.trailing(s.T, n), shown(s.T, n)
        path = zip(times, [x_T, *sample.sample(step, eps_theta, s, x_T, times, stream(0, SAMPLE, 1))])
        runs[key] = seen(process, eps_theta, s.T, {t: x for t, x in path if t in kept})
        known[key] = {"calls": solvers.evaluations(step, s, times)}
        if make is play.whole:
            moments = zip(times, *recursion.moments(step, s, mean, cov, times, process=process))
            known[key]["exact"] = [numbers(m, c) for t, m, c in moments if t in kept]
        if what:
            apart = np.mean((runs[key] - runs[f"{name} {which} {n} "]) ** 2, axis=(2, 3))
            known[key]["apart"] = np.sqrt(apart).round(4).tolist()
        tick()
    for key, run in runs.items():
        known[key]["drawn"] = [numbers(x.mean(axis=0), np.cov(x.T, bias=True)) for x in run[0]]
    return runs, known, densities


def packed(play, tick=lambda: None):
    """One data set as text: base64 of zlib of [the length of a JSON, the JSON, runs, densities], as explore.js unpacks it."""
    runs, known, densities = computed(play, tick)
    parts, place = PARTS[play.x_0.shape[1]], 0
    for key, run in runs.items():
        known[key] |= {"at": place, "frames": run.shape[1]}
        place += run.size
    # differences between frames, low bytes before high bytes: both shrink well
    whole = [np.round(run * parts).clip(-32768, 32767).astype("<i2") for run in runs.values()]
    steps = np.concatenate([np.diff(w, axis=1, prepend=np.int16(0)).ravel() for w in whole])
    shades = [np.uint8(np.round(255 * np.exp(p - p.max()))) for p in densities.values()]
    info = {"name": play.name, "shape": play.x_0.shape, "parts": parts, "size": place, "row": play.x_0.size, "side": math.isqrt(len(shades[0])) if shades else 0, "runs": known}
    info |= {"densities": list(densities), "data": np.round(play.data * parts).astype(int).ravel().tolist() if play.density else []}
    head = json.dumps(info, separators=(",", ":")).encode()
    body = [len(head).to_bytes(4, "little"), head, steps.view(np.uint8).reshape(-1, 2).T.tobytes(), *(s.tobytes() for s in shades)]
    return base64.b64encode(zlib.compress(b"".join(body), 9)).decode()


def page(plays, tick=lambda: None):
    """The HTML file: explore.html with its script and the numbers in it."""
    common = {}
    for name, s in SCHEDULES.items():
        ab = s.alpha_bar[:: s.T // 100]
        common[name] = {"T": s.T, "shown": {n: shown(s.T, n) for n in STEPS}}
        common[name] |= {"signal": np.sqrt(ab).round(4).tolist(), "noise": np.sqrt(1 - ab).round(4).tolist()}
    html, js = (Path(__file__).with_name(f"explore.{kind}").read_text(encoding="utf-8") for kind in ("html", "js"))
    held = [f'<script type="text/plain" data-name="{escape(play.name)}">{packed(play, tick)}</script>' for play in plays]
    held = [f'<script type="application/json" id="common">{json.dumps(common)}</script>', *held]
    return html.replace("/*script*/", js).replace("<!--numbers-->", "\n".join(held))
