"""Experiments of a second or two whose outcome shows a mistake: rows in the plane, or numbers to compare.

Where a sampler needs a network, the perfect denoiser of five clouds stands in: what is seen is the mistake's
doing alone.
"""

import sys
from functools import partial
from itertools import islice

import numpy as np

from .. import elbo, gaussian, objective, optim, sampling, schedule
from ..continuous import flow, ode, sde, solvers
from ..continuous.process import VP
from ..ddpm import batches, sample, train
from ..evaluation import metrics, recursion
from ..exact import Mixture, five_gaussians
from ..mlp import MLP
from ..noise import INIT, SAMPLE, TRAIN, stream
from ..pictures import guidance, layers

N, T, CLOUDS = 800, schedule.linear(1000), five_gaussians()
RIGHT = Mixture([1.0], CLOUDS.mean[:1], CLOUDS.cov[:1])  # the cloud on the right, which is a label
CLOUDS_EPS, RIGHT_EPS = CLOUDS.eps_theta(T), RIGHT.eps_theta(T)


def normals(*shape):
    """The same draws each time."""
    return stream(0, SAMPLE).standard_normal(shape)


def drawn(sampler, steps=100, eps_theta=CLOUDS_EPS):
    """Where a sampler takes N points of noise in so many steps."""
    times = sampling.trailing(1000, steps)
    *_, x_0 = sampler(eps_theta, T, normals(N, 2), times, stream(0, SAMPLE, 1))
    return x_0


def walk(step, steps=100, eps_theta=CLOUDS_EPS):
    """Where N points of noise end by a step."""
    return drawn(partial(sample, step), steps, eps_theta)


def learnt():
    """A small MLP learns the clouds for 800 steps and draws them by DDIM in 50."""
    model, asked = MLP(2, 64, 2), objective.v_prediction
    state = optim.start(model.init(stream(0, INIT)))
    x = CLOUDS.sample(5000, stream(0, SAMPLE), np.float32)
    shown = islice(batches(x, T.T, stream(0, TRAIN), 256), 800)
    for _ in train(model, state, T, shown, objective=asked, update=partial(optim.update, lr=5e-3)):
        pass
    return walk(sampling.ddim_step(), 50, objective.Denoiser(model.eps_theta(state.ema), asked, T))


def gradient():
    """How far the MLP's gradient is from finite differences, as a share of its size."""
    rng, model, h = stream(0, SAMPLE), MLP(2, 16, 2), 1e-5
    params = rng.standard_normal(len(model.init(rng))) / 4
    x_t, t, dy = rng.standard_normal((8, 2)), rng.integers(1, 1000, 8), rng.standard_normal((8, 2))
    _, cache = model.forward(params, x_t, t)
    along = rng.standard_normal(len(params))

    def f(s):
        y, _ = model.forward(params + s * h * along, x_t, t)
        return (dy * y).sum()

    slope = (f(1) - f(-1)) / (2 * h)
    return {"off by": abs(along @ model.backward(dy, cache) / slope - 1)}


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

    def u(x, t):
        return sde.velocity(process, partial(CLOUDS.score, process), x, t)

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


def shrunk():
    """The spread that DDPM makes of data N(0.2, 0.15^2) in 50 steps, exactly."""
    step, times = sampling.ddpm_step(), sampling.trailing(1000, 50)
    _, covs = recursion.moments(step, T, [0.2], [[0.15**2]], times)
    return {"std": covs[-1][0, 0] ** 0.5}


def classified():
    """Guided by the exact classifier, whose slope is the difference of two scores."""

    def slope(x, t):
        return RIGHT.score(T, x, t) - CLOUDS.score(T, x, t)

    return walk(sampling.ddim_step(), 100, guidance.classifier(CLOUDS_EPS, slope, T, 1.0))


def loss():
    """The size of L_simple's gradient, for few rows and for many."""
    found = {}
    for n in (4, 400):
        _, dout = objective.l_simple(np.zeros((n, 2)), normals(n, 2))
        found[f"{n} rows"] = np.linalg.norm(dout)
    return found


def attention():
    """The largest share among ten keys of 256 numbers, on average."""
    q, k = normals(1, 500, 256), normals(1, 510, 256)[:, 500:]
    _, (*_, P) = layers.attention(q, k, np.zeros((1, 10, 1)))
    return {"share": P.max(axis=-1).mean()}


def guided():
    """Towards the cloud on the right, by half more than it asks for."""
    return walk(sampling.ddim_step(), 100, guidance.classifier_free(RIGHT_EPS, CLOUDS_EPS, 1.5))


def line():
    """Nine tenths of the way from noise to the clouds."""
    return flow.path(normals(N, 2), CLOUDS.sample(N, stream(0, SAMPLE, 1)), 0.9)


EXPERIMENTS = {
    "adam": adam,
    "attention": attention,
    "bound": bound,
    "classified": classified,
    "cosine": lambda: {f"alpha_bar[{t}]": schedule.cosine(1000).alpha_bar[t] for t in (250, 500, 750)},
    "ddpm": lambda: walk(sampling.ddpm_step()),
    "ddpm_beta": lambda: walk(sampling.ddpm_step(sampling.beta_of_step), 20),
    "ddpm_std": shrunk,
    "decibels": lambda: {"dB": float(metrics.psnr(np.zeros((1, 9)), np.full((1, 9), 0.02))[0])},
    "dpm_solver": lambda: drawn(solvers.dpm_solver_pp_2m, 20),
    "forward": lambda: gaussian.q_sample(T, CLOUDS.sample(N, stream(0, SAMPLE, 1)), 200, normals(N, 2)),
    "gradient": gradient,
    "guided": guided,
    "langevin": langevin,
    "learnt": learnt,
    "line": line,
    "loss": loss,
    "order": order,
    "probability_flow": probability_flow,
    "reverse_sde": lambda: walk(solvers.reverse_sde, 500),
}


if __name__ == "__main__":  # python -m minidiff.learn.experiments NAME FILE
    found = EXPERIMENTS[sys.argv[1]]()
    np.savez(sys.argv[2], **(found if isinstance(found, dict) else {"rows": found}))
