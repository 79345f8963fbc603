"""Experiments of a second or two whose outcome shows a mistake: rows in the plane to look at, or numbers to compare.

Where a sampler needs a network, the perfect denoiser of five clouds stands in: what is seen is the mistake's doing alone.
"""

import sys

import numpy as np

from .. import elbo, gaussian, objective, optim, recursion, sample, schedule
from ..continuous import flow, ode, sde, solvers
from ..continuous.process import VP
from ..data import mixture
from ..evaluation import metrics
from ..exact import Mixture
from ..mlp import MLP
from ..noise import SAMPLE, stream
from ..pictures import guidance, layers
from ..train import Goal, start, train

N, T, CLOUDS = 800, schedule.linear(1000), mixture()
RIGHT = Mixture([1.0], CLOUDS.mean[:1], CLOUDS.cov[:1])  # the cloud on the right, which is a label
CLOUDS_EPS, RIGHT_EPS = CLOUDS.eps_theta(T), RIGHT.eps_theta(T)


def normals(*shape):
    """The same draws each time."""
    return stream(0, SAMPLE).standard_normal(shape)


def walk(step, steps=100, eps_theta=CLOUDS_EPS):
    """Where N points of noise end in so many steps."""
    *_, x_0 = sample.sample(
        step, eps_theta, T, normals(N, 2), sample.trailing(1000, steps), stream(0, SAMPLE, 1)
    )
    return x_0


def learnt():
    """A small MLP learns the clouds for 800 steps and draws them by DDIM in 50."""
    model = MLP(2, 64, 2)
    state, x = start(model, 0), CLOUDS.sample(5000, stream(0, SAMPLE), np.float32)
    for _ in train(model, state, T, x, steps=800, batch=256, lr=5e-3):
        pass
    return walk(sample.ddim(), 50, objective.denoiser(model.eps_theta(state.ema), Goal().objective, T))


def gradient():
    """How far the MLP's gradient is from finite differences, as a share of its size."""
    rng, model, h = stream(0, SAMPLE), MLP(2, 16, 2), 1e-5
    params = {k: rng.standard_normal(w.shape) / 4 for k, w in model.init(rng, np.float64).items()}
    x_t, t, dy = rng.standard_normal((8, 2)), rng.integers(1, 1000, 8), rng.standard_normal((8, 2))
    grads, along = (
        model.backward(dy, model.forward(params, x_t, t)[1]),
        {k: rng.standard_normal(w.shape) for k, w in params.items()},
    )
    f = lambda s: (dy * model.forward({k: w + s * h * along[k] for k, w in params.items()}, x_t, t)[0]).sum()  # noqa: E731
    return {
        "off by": abs(sum((along[k] * dw).sum() for k, dw in grads.items()) / ((f(1) - f(-1)) / (2 * h)) - 1)
    }


def adam():
    """How far Adam moves a weight in its first three steps, all gradients 1, lr = 0.01."""
    w, m, v, moved = 0.0, 0.0, 0.0, {}
    for n in (1, 2, 3):
        before, (w, m, v) = w, optim.adam(w, 1.0, m, v, n, 0.01)
        moved[f"step {n}"] = before - w
    return moved


def probability_flow():
    """The clouds by the probability-flow ODE of VP, Heun, 200 steps."""
    process = VP()
    u = lambda x, t: sde.velocity(process, lambda x, t: CLOUDS.score(process, x, t), x, t)  # noqa: E731
    *_, x_0 = ode.walk(ode.heun, u, normals(N, 2), np.linspace(1, 1e-3, 201))
    return x_0


def langevin():
    """300 steps of Langevin along the score at t = 50, from the data."""
    rng = stream(0, SAMPLE)
    x = CLOUDS.sample(N, rng)
    for _ in range(300):
        x = sde.langevin_step(CLOUDS.score(T, x, 50), x, 0.01, rng.standard_normal(x.shape))
    return x


def order():
    """Heun's error on dx/dt = -t x from 0 to 1, with 20 and with 40 steps."""
    ends = {
        n: [*ode.walk(ode.heun, lambda x, t: -t * x, np.ones((1, 1)), np.linspace(0, 1, n + 1))][-1]
        for n in (20, 40)
    }
    return {f"{n} steps": abs(x[0, 0] - np.exp(-0.5)) for n, x in ends.items()}


def bound():
    """-ELBO of the clouds with their perfect denoiser, in nats, beside the truth."""
    rng, few = stream(0, SAMPLE), schedule.linear_scaled(50)
    x_0 = CLOUDS.sample(4000, rng)
    L = elbo.terms(CLOUDS.eps_theta(few), few, x_0, rng)
    return {"-ELBO": L.sum(axis=0).mean(), "-log q(x_0)": -CLOUDS.log_prob(few, x_0, 0).mean()}


EXPERIMENTS = {f.__name__: f for f in (learnt, gradient, adam, probability_flow, langevin, order, bound)} | {
    "forward": lambda: gaussian.q_sample(T, CLOUDS.sample(N, stream(0, SAMPLE, 1)), 200, normals(N, 2)),
    "ddpm": lambda: walk(sample.ddpm()),
    "ddpm_beta": lambda: walk(sample.ddpm(sample.beta), 20),
    # what DDPM makes of data N(0.2, 0.15^2), exactly, in 50 steps
    "ddpm_std": lambda: {"std": recursion.moments(
        sample.ddpm(), T, [0.2], [[0.15**2]], sample.trailing(1000, 50))[1][-1][0, 0] ** 0.5},
    "reverse_sde": lambda: walk(solvers.reverse_sde, 500),
    "dpm_solver": lambda: walk(sample.Multistep(solvers.dpm_solver_pp_2m), 20),
    "guided": lambda: walk(sample.ddim(), 100, guidance.classifier_free(RIGHT_EPS, CLOUDS_EPS, 1.5)),
    # the exact classifier's slope is the difference of two scores
    "classified": lambda: walk(sample.ddim(), 100, guidance.classifier(
        CLOUDS_EPS, lambda x, t: RIGHT.score(T, x, t) - CLOUDS.score(T, x, t), T, 1.0)),
    "line": lambda: flow.path(normals(N, 2), CLOUDS.sample(N, stream(0, SAMPLE, 1)), 0.9),  # nine tenths of the way
    "cosine": lambda: {f"alpha_bar[{t}]": schedule.cosine(1000).alpha_bar[t] for t in (250, 500, 750)},
    # the size of L_simple's gradient
    "loss": lambda: {f"{n} rows": np.linalg.norm(objective.l_simple(np.zeros((n, 2)), normals(n, 2))[1]) for n in (4, 400)},
    # the largest share among ten keys of 256 numbers
    "attention": lambda: {"share": layers.attention(
        normals(1, 500, 256), normals(1, 510, 256)[:, 500:], np.zeros((1, 10, 1)))[1][3].max(axis=-1).mean()},
    "decibels": lambda: {"dB": float(metrics.psnr(np.zeros((1, 9)), np.full((1, 9), 0.02))[0])},  # off by 0.02 everywhere
}  # fmt: skip


if __name__ == "__main__":  # python -m minidiff.learn.experiments NAME FILE
    found = EXPERIMENTS[sys.argv[1]]()
    np.savez(sys.argv[2], **(found if isinstance(found, dict) else {"rows": found}))
