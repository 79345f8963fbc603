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
    N, d = data.x.shape
    rng, n = stream(seed, JUDGE, 3), min(len(x_0), N // 2)
    order = rng.permutation(N)[:10_000]
    some = data.x[order]
    features = {"pixels": lambda x: x, "32 principal components": principal(some, min(32, d))}
    result = {"n": n, "d": d, "frechet": {}}
    if data.label is not None and len(data.shape) == 2:
        judge = learn(data.x, data.label, data.shape, seed)
        features["classifier's last layer"] = judge.features
        classes = judge.label(x_0)
        result["classifier"] = {"accuracy": judge.accuracy, "classes": np.bincount(classes).tolist()}
        if wish:
            result["classifier"]["agreement"] = float(np.mean(classes == wish[0]))

    parts = [np.split(rng.permutation(N)[: 2 * n], 2) for _ in range(5)]
    pairs = [(data.x[a], data.x[b]) for a, b in parts]
    for name, f in features.items():
        floors = [frechet(f(a), f(b)) for a, b in pairs]
        real, _ = pairs[0]
        distance = frechet(f(x_0[:n]), f(real))
        result["frechet"][name] = {"distance": distance, "floor": float(np.mean(floors))}

    D = distances(x_0[:200], some)
    own = distances(some[:200], some)
    own[own == 0] = np.inf  # a picture's distance to itself
    result["nearest"] = order[D.argmin(axis=1)]
    to_the_nearest = {"samples": D.min(axis=1), "data": own.min(axis=1)}
    result["to_the_nearest"] = {name: float(np.median(of)) for name, of in to_the_nearest.items()}
    if len(data.shape) == 2:
        result["denoising"] = denoising(run, some[:200], rng)
    return result


def denoising(run, x_0, rng):
    """PSNR and SSIM of x_0_hat, and of x_t, whose variance is half noise: what one evaluation recovers."""
    schedule, eps_theta = run.schedule, run.eps_theta()
    t = int(np.argmin(np.abs(schedule.alpha_bar - 0.5)))
    x_t = q_sample(schedule, x_0, t, rng.standard_normal(x_0.shape, np.float32))
    x_0_hat = x_0_from_eps(schedule, x_t, t, eps_theta(x_t, t))
    enlarged = x_0_from_eps(schedule, x_t, t, 0 * x_t)  # as if no noise were in it
    result = {"t": t}
    for name, x in (("", x_0_hat), ("_of_x_t", enlarged)):
        result[f"psnr{name}"] = float(psnr(x, x_0).mean())
        result[f"ssim{name}"] = float(ssim(x, x_0, run.shape).mean())
    return result


def likelihood(run, data, n, seed, bar):
    """How likely the run's denoiser finds n rows of data, by the ELBO and by the probability-flow ODE.

    Returns a dict. The ODE starts at t = 1, from rows that hold the first step's noise. Beyond 3 coordinates
    its divergence is estimated (sde.hutchinson). If the data are a mixture, the dict also has both numbers
    for the perfect denoiser, and the truth. bar(total, unit, what) is a progress bar.
    """
    rng, schedule, d = stream(seed, JUDGE, 1), run.schedule, run.model.d
    rows = rng.permutation(len(data.x))[:n]
    x_0 = data.x[rows].astype(np.float64)
    z = rng.choice([-1.0, 1.0], size=x_0.shape)
    x_1 = q_sample(schedule, x_0, 1, rng.standard_normal(x_0.shape))
    L_0 = reconstruction_of(data.levels) if data.levels else elbo.reconstruction
    process, eps_theta = continuous(schedule), run.eps_theta()
    ends = sde.angle(process, np.array([1, schedule.T]))
    angles = np.geomspace(*ends, 101)  # close together where v_hat is steep

    def network(x, t):
        return eps_theta(x, t) if d <= 3 else eps_theta(x.astype(np.float32), t).astype(np.float64)

    def estimated(u, x, t):
        return sde.hutchinson(u, x, t, z, h=1e-2)  # wide enough for float32

    scale = np.broadcast_to(run.scale, d)  # the data's units over the model's
    log_scale = float(np.log(scale).sum())
    result = {"n": len(x_0), "levels": data.levels, "log_scale": log_scale}

    def both(eps_theta, log_p_T, what):
        same = stream(seed, JUDGE, 4)  # for network and perfect denoiser: their difference scatters little
        u = sde.velocity_by_angle(process, eps_theta)
        div = sde.divergence if d <= 3 else estimated
        with bar(schedule.T + 100, "t", what) as progress:
            times = ticks(progress, schedule.T)
            L = elbo.terms(eps_theta, schedule, x_0, same, L_0=L_0, times=times)
            flow, x_T = sde.log_likelihood(u, x_1, log_p_T, angles, div)
        bound = -L.sum(axis=0)
        numbers = {"elbo": float(bound.mean()), "ode": float(flow.mean())}
        return numbers | {"terms": L.mean(axis=1).tolist()}, x_T

    def standard(x_T):
        return log_normal(x_T, 0.0, 1.0)

    result["network"], _ = both(network, standard, "network")
    if (mixture := data.mixture) is not None:

        def true_end(x_T):
            return mixture.log_prob(process, x_T, schedule.T)

        perfect = mixture.eps_theta(process)
        exact, x_T = both(perfect, true_end, "exact")
        wrong = standard(x_T) - true_end(x_T)
        exact["wrong_end"] = float(wrong.mean())
        by_step = gap(mixture, perfect, schedule, n, rng).mean(axis=1)
        exact["gap"] = by_step.tolist()
        result["exact"] = exact
        result["truth"] = float(mixture.log_prob(schedule, x_0, 0).mean())
        result["truth_at_1"] = float(mixture.log_prob(schedule, x_1, 1).mean())
    return result


def ticks(progress, T):
    """t = 2..T for a loop, each told to the progress bar when the loop asks for the next."""
    for t in range(2, T + 1):
        yield t
        progress.update()
