"""Experiments of a second or two whose outcome shows a mistake: rows in the plane to look at, or numbers to compare.

Where a sampler needs a network, the perfect denoiser of five clouds stands in: what is seen is the mistake's doing alone.
"""

import sys

import numpy as np

from .. import data, elbo, gaussian, objective, optim, recursion, sample, schedule
from ..continuous import flow, ode, sde, solvers
from ..continuous.process import VP
from ..evaluation import metrics
from ..exact import Mixture
from ..mlp import MLP
from ..noise import SAMPLE, stream
from ..pictures import guidance, layers
from ..train import Goal, batches, start, train

N = 800  # points in a picture


def _walk(step, times=None, denoiser=None):
    """Where N points of noise end that walk down the times with the perfect denoiser of the clouds."""
    rng, noising = stream(0, SAMPLE), schedule.linear(1000)
    times = sample.trailing(1000, 100) if times is None else times
    *_, x_0 = sample.sample(
        step, denoiser or data.mixture().eps_theta(noising), noising, rng.standard_normal((N, 2)), times, rng
    )
    return x_0


def forward():
    """The clouds, noised to t = 200."""
    rng = stream(0, SAMPLE)
    x_0 = data.mixture().sample(N, rng)
    return gaussian.q_sample(schedule.linear(1000), x_0, 200, rng.standard_normal(x_0.shape))


def ddpm():
    """The clouds by DDPM in 100 steps."""
    return _walk(sample.ddpm())


def ddpm_beta():
    """The clouds by DDPM with sigma^2 = beta in 20 steps."""
    return _walk(sample.ddpm(sample.beta), sample.trailing(1000, 20))


def ddpm_std():
    """What DDPM makes of data N(0.2, 0.15^2), exactly, in 50 steps."""
    means, covs = recursion.moments(sample.ddpm(), schedule.linear(1000), [0.2], [[0.15**2]], sample.trailing(1000, 50))
    return {"mean": means[-1][0], "std": covs[-1][0, 0] ** 0.5}


def optimal_std():
    """What DDPM with the Gaussian-optimal variance makes of data N(0.2, 2^2), exactly, in 10 steps."""
    step = sample.ddpm(sample.gaussian_optimal(4.0))
    _, covs = recursion.moments(step, schedule.linear(1000), [0.2], [[4.0]], sample.trailing(1000, 10))
    return {"std": covs[-1][0, 0] ** 0.5}


def cosine():
    """How much of the picture's variance the cosine schedule leaves."""
    ab = schedule.cosine(1000).alpha_bar
    return {f"alpha_bar[{t}]": ab[t] for t in (250, 500, 750)}


def learnt():
    """A small MLP learns the clouds for 800 steps and draws them by DDIM in 50."""
    model, noising, rng = MLP(2, 64, 2), schedule.linear(1000), stream(0, SAMPLE)
    state, x = start(model, 0), data.mixture().sample(5000, rng, np.float32)
    for _ in train(model, state, noising, x, steps=800, batch=256, lr=5e-3):
        pass
    return _walk(
        sample.ddim(), sample.trailing(1000, 50), objective.denoiser(model.eps_theta(state.ema), Goal().objective, noising)
    )


def gradient():
    """How far the MLP's gradient is from finite differences, as a share of its size."""
    rng, model = stream(0, SAMPLE), MLP(2, 16, 2)
    params = {k: rng.standard_normal(w.shape) / 4 for k, w in model.init(rng, np.float64).items()}
    x_t, t, dy = rng.standard_normal((8, 2)), rng.integers(1, 1000, 8), rng.standard_normal((8, 2))
    grads = model.backward(dy, model.forward(params, x_t, t)[1])
    along, h = {k: rng.standard_normal(w.shape) for k, w in params.items()}, 1e-5
    f = lambda s: (dy * model.forward({k: w + s * h * along[k] for k, w in params.items()}, x_t, t)[0]).sum()  # noqa: E731
    return {"off by": abs(sum((along[k] * dw).sum() for k, dw in grads.items()) / ((f(1) - f(-1)) / (2 * h)) - 1)}


def loss():
    """L_simple and the size of its gradient, for 4 rows and for 400."""
    eps = stream(0, SAMPLE).standard_normal((400, 2))
    found = {n: objective.l_simple(np.zeros((n, 2)), eps[:n]) for n in (4, 400)}
    return {f"gradient of {n} rows": np.linalg.norm(d) for n, (_, d) in found.items()}


def adam():
    """How far Adam moves a weight in its first three steps, all gradients 1, lr = 0.01."""
    w, m, v, moved = 0.0, 0.0, 0.0, {}
    for n in (1, 2, 3):
        before = w
        w, m, v = optim.adam(w, 1.0, m, v, n, 0.01)
        moved[f"step {n}"] = before - w
    return moved


def probability_flow():
    """The clouds by the probability-flow ODE of VP, Heun, 200 steps."""
    process, clouds = VP(), data.mixture()
    u = lambda x, t: sde.velocity(process, lambda x, t: clouds.score(process, x, t), x, t)  # noqa: E731
    *_, x_0 = ode.walk(ode.heun, u, stream(0, SAMPLE).standard_normal((N, 2)), np.linspace(1, 1e-3, 201))
    return x_0


def reverse_sde():
    """The clouds by the reverse SDE, 500 steps."""
    return _walk(solvers.reverse_sde, sample.trailing(1000, 500))


def langevin():
    """The clouds by 300 steps of Langevin along the score at t = 50, from the data."""
    rng, noising, clouds = stream(0, SAMPLE), schedule.linear(1000), data.mixture()
    x = clouds.sample(N, rng)
    for _ in range(300):
        x = sde.langevin_step(clouds.score(noising, x, 50), x, 0.01, rng.standard_normal(x.shape))
    return x


def order():
    """Heun's error on dx/dt = -t x from 0 to 1, with 20 and with 40 steps."""
    errors = {}
    for n in (20, 40):
        *_, x = ode.walk(ode.heun, lambda x, t: -t * x, np.ones((1, 1)), np.linspace(0, 1, n + 1))
        errors[f"{n} steps"] = abs(x[0, 0] - np.exp(-0.5))
    return errors


def dpm_solver():
    """The clouds by DPM-Solver++(2M) in 20 steps."""
    return _walk(sample.Multistep(solvers.dpm_solver_pp_2m), sample.trailing(1000, 20))


def line():
    """Nine tenths of the way from noise to the clouds on flow matching's straight line."""
    rng = stream(0, SAMPLE)
    return flow.path(rng.standard_normal((N, 2)), data.mixture().sample(N, rng), 0.9)


def _right_cloud():
    clouds, noising = data.mixture(), schedule.linear(1000)
    return Mixture([1.0], clouds.mean[:1], clouds.cov[:1]), clouds, noising


def guided():
    """The cloud on the right by guidance without a classifier, w = 1.5."""
    right, clouds, noising = _right_cloud()
    return _walk(sample.ddim(), None, guidance.classifier_free(right.eps_theta(noising), clouds.eps_theta(noising), 1.5))


def classified():
    """The cloud on the right by the exact classifier's slope, w = 1."""
    right, clouds, noising = _right_cloud()
    slope = lambda x, t: right.score(noising, x, t) - clouds.score(noising, x, t)  # noqa: E731
    return _walk(sample.ddim(), None, guidance.classifier(clouds.eps_theta(noising), slope, noising, 1.0))


def bound():
    """-ELBO of the clouds with their perfect denoiser, in nats, beside the truth."""
    rng, noising, clouds = stream(0, SAMPLE), schedule.linear_scaled(50), data.mixture()
    x_0 = clouds.sample(4000, rng)
    L = elbo.terms(clouds.eps_theta(noising), noising, x_0, rng)
    return {"-ELBO": L.sum(axis=0).mean(), "-log q(x_0)": -clouds.log_prob(noising, x_0, 0).mean()}


def attention():
    """The largest share among ten keys of 256 numbers, on average over queries."""
    rng = stream(0, SAMPLE)
    _, (*_, P) = layers.attention(rng.standard_normal((1, 500, 256)), rng.standard_normal((1, 10, 256)), np.zeros((1, 10, 1)))
    return {"largest share": P.max(axis=-1).mean()}


def norm():
    """How far group_norm's gradient is from finite differences, as a share of its size."""
    rng = stream(0, SAMPLE)
    x, dy = rng.standard_normal((2, 1, 4, 4, 8))
    dx, h, along = layers.group_norm_backward(dy, layers.group_norm(x, 2)[1]), 1e-5, rng.standard_normal(x.shape)
    slope = sum(s * (dy * layers.group_norm(x + s * h * along, 2)[0]).sum() for s in (1, -1)) / (2 * h)
    return {"off by": abs((dx * along).sum() - slope) / np.linalg.norm(dx)}


def distance():
    """The Frechet distance of an ellipse and the same one turned by 45 degrees, and of it and itself."""
    rng = stream(0, SAMPLE)
    z = rng.standard_normal((20_000, 2)) * [1.0, 0.2]
    turned = z @ np.array([[1, -1], [1, 1]]) / np.sqrt(2)
    return {"turned by 45 degrees": metrics.frechet(z, turned), "not turned": metrics.frechet(z, z)}


def decibels():
    """PSNR of pictures in -1..1 that are off by 0.02 everywhere."""
    return {"dB": float(metrics.psnr(np.zeros((1, 9)), np.full((1, 9), 0.02))[0])}


def dropped():
    """Which share of the labels training hides, asked to hide one in ten."""
    label = np.zeros(64, int)  # the label 1 stands for none
    drawn = batches(0, 0, schedule.linear(1000), np.zeros((64, 2)), 64, Goal(drop=0.1), None, label, 1)
    return {"hidden": np.mean([next(drawn)[3] for _ in range(50)])}


if __name__ == "__main__":  # python -m minidiff.learn.experiments NAME FILE
    found = globals()[sys.argv[1]]()
    np.savez(sys.argv[2], **(found if isinstance(found, dict) else {"rows": found}))
