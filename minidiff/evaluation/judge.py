"""What can be said about drawn pictures in numbers, each beside its floor: real pictures against other real ones.

No number here replaces looking. A Frechet distance compares two means and two covariances of some features and is biased
for few pictures; a classifier knows only its classes; a nearest neighbour in pixels misses a picture moved by one.
"""

import numpy as np

from .. import elbo
from ..cli.printing import table
from ..continuous import sde
from ..continuous.process import continuous
from ..gaussian import log_normal, q_sample, x_0_from_eps
from ..noise import JUDGE, stream
from .classifier import learn
from .metrics import distances, frechet, principal, psnr, ssim


def judge_pictures(x_0, wish, data, run, seed, splits=5):
    """A dict: Frechet distances with their floors, class accuracy, nearest training pictures, PSNR and SSIM of denoising.

    x_0 (n, d) samples, wish their labels and w, or nothing. Floors are means over random halves of the data, n a side.
    """
    rng, n = stream(seed, JUDGE, 3), min(len(x_0), len(data.x) // 2)
    order = rng.permutation(len(data.x))[:10_000]
    some = data.x[order]
    features = {"pixels": lambda x: x, "32 principal components": principal(some, min(32, some.shape[1]))}
    result = {"n": n, "d": x_0.shape[1], "frechet": {}}
    if data.label is not None and len(data.shape) == 2:
        judge = learn(data.x, data.label, data.shape, seed)
        features["classifier's last layer"] = judge.features
        result["classifier"] = {"accuracy": judge.accuracy, "classes": np.bincount(judge.label(x_0)).tolist()}
        if wish:
            result["classifier"]["agreement"] = float(np.mean(judge.label(x_0) == wish[0]))
    halves = [np.split(rng.permutation(len(data.x))[: 2 * n], 2) for _ in range(splits)]
    for name, f in features.items():
        floors = [frechet(f(data.x[a]), f(data.x[b])) for a, b in halves]
        result["frechet"][name] = {"distance": frechet(f(x_0[:n]), f(data.x[halves[0][0]])), "floor": float(np.mean(floors))}
    D = distances(np.ascontiguousarray(x_0[:200], np.float32), some)
    own = distances(some[:200], some)
    own[own == 0] = np.inf
    result["nearest"] = order[D.argmin(axis=1)]
    result["to_the_nearest"] = {"samples": float(np.median(D.min(axis=1))), "data": float(np.median(own.min(axis=1)))}
    if len(data.shape) == 2:
        result["denoising"] = denoising(run, some[:200], rng)
    return result


def denoising(run, x_0, rng):
    """PSNR and SSIM of x_0_hat from x_t, where half of x_0's variance is left: what one evaluation recovers."""
    t = int(np.argmin(np.abs(run.schedule.alpha_bar - 0.5)))
    x_t = q_sample(run.schedule, x_0, t, rng.standard_normal(x_0.shape, np.float32))
    x_0_hat = x_0_from_eps(run.schedule, x_t, t, run.eps_theta()(x_t, t))
    noisy = x_t / np.sqrt(np.float32(run.schedule.alpha_bar[t]))
    values = {"psnr": psnr(x_0_hat, x_0), "ssim": ssim(x_0_hat, x_0, run.shape)}
    values |= {"psnr_of_x_t": psnr(noisy, x_0), "ssim_of_x_t": ssim(noisy, x_0, run.shape)}
    return {"t": t} | {name: float(v.mean()) for name, v in values.items()}


def pictures_text(j):
    """judge_pictures' dict, as one reads it."""
    rows = [[name, v["distance"], v["floor"]] for name, v in j["frechet"].items()]
    lines = [table([f"Frechet distance, n = {j['n']}", "samples", "real against real"], rows)]
    if j["n"] < 2 * j["d"]:
        lines.append(f"(n = {j['n']} is too few for covariances of {j['d']} numbers: these distances say little)")
    if "classifier" in j:
        c = j["classifier"]
        said = f"a classifier ({c['accuracy']:.1%} on held-out real pictures) sees the classes {c['classes']}"
        lines.append(said + (f"; agrees with the label asked for in {c['agreement']:.1%}" if "agreement" in c else ""))
    near = j["to_the_nearest"]
    lines.append(
        f"median distance to the nearest training picture {near['samples']:.3g}; of real ones to another {near['data']:.3g}"
    )
    if "denoising" in j:
        d = j["denoising"]
        lines.append(
            f"denoising x_t at t = {d['t']}: PSNR {d['psnr_of_x_t']:.1f} to {d['psnr']:.1f} dB, "
            f"SSIM {d['ssim_of_x_t']:.2f} to {d['ssim']:.2f}"
        )
    else:
        lines.append("(no PSNR, SSIM and classifier: minidiff has them for grey pictures only)")
    return "\n".join(lines)


def likelihood(run, data, n, seed, bar):
    """How likely the run's denoiser finds n rows of data, two ways: the ELBO by t, and the probability-flow ODE. A dict.

    The ODE starts at t = 1, on rows with the first step's noise in them; its divergence is estimated (hutchinson) beyond 3
    coordinates. Where the data are a mixture, the same for the perfect denoiser, and the truth. bar(total, unit, what)
    is a progress bar.
    """
    rng, schedule, d = stream(seed, JUDGE, 1), run.schedule, run.model.d
    x_0 = data.x[rng.permutation(len(data.x))[:n]].astype(np.float64)
    z = rng.choice([-1.0, 1.0], size=x_0.shape)
    div = sde.divergence if d <= 3 else lambda u, x, t: sde.hutchinson(u, x, t, z, h=1e-2)  # wide enough for float32
    process = continuous(schedule)
    angles = np.geomspace(sde.angle(process, 1), sde.angle(process, schedule.T), 101)  # close together where v_hat is steep
    x_1 = np.sqrt(schedule.alpha_bar[1]) * x_0 + np.sqrt(1 - schedule.alpha_bar[1]) * rng.standard_normal(x_0.shape)
    fast = run.eps_theta()
    network = fast if d <= 3 else lambda x, t: fast(x.astype(np.float32), t).astype(np.float64)
    result = {"n": len(x_0), "levels": data.levels}

    def both(eps_theta, log_p_T, what):
        with bar(schedule.T + 100, "t", what) as progress:
            same = stream(seed, JUDGE, 4)  # noise for network and perfect denoiser, so that their difference scatters little
            L = elbo.terms(eps_theta, schedule, x_0, same, levels=data.levels, progress=progress.update)
            flow, x_T = sde.log_likelihood(sde.velocity_by_angle(process, eps_theta), x_1, log_p_T, angles, div)
        return {"elbo": float(-L.sum(axis=0).mean()), "terms": L.mean(axis=1).tolist(), "ode": float(flow.mean())}, x_T

    def standard(x_T):
        return log_normal(x_T, 0.0, 1.0)

    result["network"], _ = both(network, standard, "network")
    if (m := data.mixture) is not None:
        exact = m.eps_theta(process)
        result["exact"], x_T = both(exact, lambda x: m.log_prob(process, x, schedule.T), "exact")
        result["exact"]["wrong_end"] = float(np.mean(standard(x_T) - m.log_prob(process, x_T, schedule.T)))
        result["truth"] = float(m.log_prob(schedule, x_0, 0).mean())
        result["truth_at_1"] = float(m.log_prob(schedule, x_1, 1).mean())
        gaps = elbo.gap(m, exact, schedule, n, rng)
        result["exact"]["gap"] = gaps.mean(axis=1).tolist()
    return result


def likelihood_text(found, d):
    """What `likelihood` found, as lines; its bits/dim are of minus the logarithm."""

    def line(what, nats):
        return [what, nats, sde.bits_per_dim(nats, d)]

    rows = []
    for who in ("network", "exact"):
        if who in found:
            rows.append([*line(f"{who}: ELBO (a lower bound)", found[who]["elbo"])])
            rows.append([*line(f"{who}: probability-flow ODE, at t = 1", found[who]["ode"])])
    if "truth" in found:
        rows += [line("truth", found["truth"]), line("truth at t = 1", found["truth_at_1"])]
    text = table(["log-likelihood a row", "nats", "bits/dim"], rows)
    if "exact" in found:
        text += f"\nN(0, I) for the exact q(x_T) as the ODE's end would shift it by {found['exact']['wrong_end']:+.2g} nats"
    grey = f"the ELBO is of {found['levels']} grey values, a mass; the ODE's of a density, which may be above 1"
    kind = grey if found["levels"] else "continuous data: densities, so bits may be negative"
    return text + f"\n({found['n']} rows; {kind})"
