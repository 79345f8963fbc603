"""What numbers can say about drawn pictures, each beside its floor: real pictures against other real ones.

No number here replaces looking. A Frechet distance compares two means and two covariances of some features
and is too large for few pictures; a classifier knows only its classes; a nearest neighbour in pixels misses a
picture moved by one.
"""

import numpy as np

from .. import elbo
from ..continuous import sde
from ..continuous.process import continuous
from ..gaussian import log_normal, q_sample, x_0_from_eps
from ..noise import stream
from .classifier import learn
from .gap import gap
from .greys import reconstruction_of
from .metrics import JUDGE, distances, frechet, principal, psnr, ssim


def judge_pictures(x_0, wish, data, run, seed):
    """A dict: Frechet distances with their floors, class accuracy, nearest training pictures, PSNR and SSIM.

    x_0 (n, d) samples; wish: the labels they were asked for and w, or nothing. Floors are means over 5 random
    pairs of disjoint parts of the data, as many rows each as there are samples.
    """
    rng, n = stream(seed, JUDGE, 3), min(len(x_0), len(data.x) // 2)
    order = rng.permutation(len(data.x))[:10_000]
    some = data.x[order]
    features = {"pixels": lambda x: x, "32 principal components": principal(some, min(32, some.shape[1]))}
    result = {"n": n, "d": x_0.shape[1], "frechet": {}}
    if data.label is not None and len(data.shape) == 2:
        judge = learn(data.x, data.label, data.shape, seed)
        features["classifier's last layer"] = judge.features
        classes = judge.label(x_0)
        result["classifier"] = {"accuracy": judge.accuracy, "classes": np.bincount(classes).tolist()}
        if wish:
            result["classifier"]["agreement"] = float(np.mean(classes == wish[0]))

    pairs = [np.split(rng.permutation(len(data.x))[: 2 * n], 2) for _ in range(5)]
    for name, f in features.items():
        floors = [frechet(f(data.x[a]), f(data.x[b])) for a, b in pairs]
        distance = frechet(f(x_0[:n]), f(data.x[pairs[0][0]]))
        result["frechet"][name] = {"distance": distance, "floor": float(np.mean(floors))}

    D = distances(np.ascontiguousarray(x_0[:200], np.float32), some)
    own = distances(some[:200], some)
    own[own == 0] = np.inf  # a picture's distance to itself
    result["nearest"] = order[D.argmin(axis=1)]
    medians = {"samples": float(np.median(D.min(axis=1))), "data": float(np.median(own.min(axis=1)))}
    result["to_the_nearest"] = medians
    if len(data.shape) == 2:
        result["denoising"] = denoising(run, some[:200], rng)
    return result


def denoising(run, x_0, rng):
    """PSNR and SSIM of x_0_hat from x_t, where half of the variance is noise: what one evaluation
    recovers."""
    schedule = run.schedule
    t = int(np.argmin(np.abs(schedule.alpha_bar - 0.5)))
    x_t = q_sample(schedule, x_0, t, rng.standard_normal(x_0.shape, np.float32))
    x_0_hat = x_0_from_eps(schedule, x_t, t, run.eps_theta()(x_t, t))
    result = {"t": t}
    for name, x in (("", x_0_hat), ("_of_x_t", x_0_from_eps(schedule, x_t, t, 0 * x_t))):
        result[f"psnr{name}"] = float(psnr(x, x_0).mean())
        result[f"ssim{name}"] = float(ssim(x, x_0, run.shape).mean())
    return result


def likelihood(run, data, n, seed, bar):
    """How likely the run's denoiser finds n rows of data, by the ELBO and by the probability-flow ODE: a
    dict.

    The ODE starts at t = 1, from rows that hold the first step's noise. Beyond 3 coordinates its divergence
    is estimated (sde.hutchinson). If the data are a mixture, the dict also has both numbers for the perfect
    denoiser, and the truth. bar(total, unit, what) is a progress bar.
    """
    rng, schedule, d = stream(seed, JUDGE, 1), run.schedule, run.model.d
    x_0 = data.x[rng.permutation(len(data.x))[:n]].astype(np.float64)
    z = rng.choice([-1.0, 1.0], size=x_0.shape)
    process, eps_theta = continuous(schedule), run.eps_theta()
    # close together where v_hat is steep
    angles = np.geomspace(sde.angle(process, 1), sde.angle(process, schedule.T), 101)
    x_1 = q_sample(schedule, x_0, 1, rng.standard_normal(x_0.shape))
    L_0 = reconstruction_of(data.levels) if data.levels else elbo.reconstruction

    def network(x, t):
        return eps_theta(x, t) if d <= 3 else eps_theta(x.astype(np.float32), t).astype(np.float64)

    def estimated(u, x, t):
        return sde.hutchinson(u, x, t, z, h=1e-2)  # wide enough for float32

    log_scale = float(np.log(np.broadcast_to(run.scale, d)).sum())  # of the data's units over the model's
    result = {"n": len(x_0), "levels": data.levels, "log_scale": log_scale}

    def both(eps_theta, log_p_T, what):
        same = stream(seed, JUDGE, 4)  # for network and perfect denoiser: their difference scatters little
        u = sde.velocity_by_angle(process, eps_theta)
        div = sde.divergence if d <= 3 else estimated
        with bar(schedule.T + 100, "t", what) as progress:
            L = elbo.terms(eps_theta, schedule, x_0, same, L_0=L_0, times=ticks(progress, schedule.T))
            flow, x_T = sde.log_likelihood(u, x_1, log_p_T, angles, div)
        bound, by_t = float(-L.sum(axis=0).mean()), L.mean(axis=1).tolist()
        return {"elbo": bound, "terms": by_t, "ode": float(flow.mean())}, x_T

    def standard(x_T):
        return log_normal(x_T, 0.0, 1.0)

    result["network"], _ = both(network, standard, "network")
    if (mixture := data.mixture) is not None:

        def true_end(x_T):
            return mixture.log_prob(process, x_T, schedule.T)

        perfect = mixture.eps_theta(process)
        exact, x_T = both(perfect, true_end, "exact")
        exact["wrong_end"] = float(np.mean(standard(x_T) - true_end(x_T)))
        exact["gap"] = gap(mixture, perfect, schedule, n, rng).mean(axis=1).tolist()
        result["exact"] = exact
        result["truth"] = float(mixture.log_prob(schedule, x_0, 0).mean())
        result["truth_at_1"] = float(mixture.log_prob(schedule, x_1, 1).mean())
    return result


def ticks(progress, T):
    """t = 2..T, each told to the progress bar when it is done."""
    for t in range(2, T + 1):
        yield t
        progress.update()
