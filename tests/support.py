"""What tests share: coarse schedules, oracles' tools, statistical bounds with a stated false-alarm rate."""

import math
import os
from pathlib import Path
from statistics import NormalDist

import numpy as np
from hypothesis import strategies as st

from minidiff import sampling
from minidiff.continuous import flow
from minidiff.exact import Mixture
from minidiff.layers import in_one_vector
from minidiff.mlp import MLP
from minidiff.schedule import from_betas

DELTA = 1e-12  # false alarms a check: a suite of 1e5 such checks fails wrongly once in 1e7 runs
COARSE = [0.05, 0.1, 0.2, 0.15, 0.3, 0.25]  # few steps and large betas: the 1000-step schedule hides mistakes
DTYPES = (np.float32, np.float64)
# Winograd's transforms F(4 x 4, 3 x 3) as matrices:
# V = B_T x B_T^T of 6 x 6 pixels, y = A_T M A_T^T of 6 x 6 products
B_T = np.array(
    [[4, 0, -5, 0, 1, 0], [0, -4, -4, 1, 1, 0], [0, 4, -4, -1, 1, 0],
     [0, -2, -1, 2, 1, 0], [0, 2, -1, -2, 1, 0], [0, 4, 0, -5, 0, 1]]
)  # fmt: skip
A_T = np.array([[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]])
betas = st.lists(st.floats(0.001, 0.6), min_size=2, max_size=8)
seeds = st.integers(0, 2**31)


def environment(folder, missing=(), broken=()):
    """For a subprocess: modules that are not there, and such that fail when they are imported."""
    (folder / "sitecustomize.py").write_text(
        f"import sys\n\nsys.modules.update(dict.fromkeys({list(missing)}))\n\n\n"
        "class Broken:\n"
        "    @staticmethod\n"
        "    def find_spec(name, path=None, target=None):\n"
        f"        if name.split('.')[0] in {list(broken)}:\n"
        "            raise RuntimeError(f'{name} is imported, and broken')\n\n\n"
        "sys.meta_path.insert(0, Broken)\n",
        encoding="utf-8",
    )
    path = os.pathsep.join([str(folder), str(Path(__file__).parents[1])])
    return os.environ | {"PYTHONPATH": path, "OPENBLAS_NUM_THREADS": "1", "PYTHONWARNINGS": "error"}


class Given:
    """An rng that returns chosen draws, one after another; the last one for ever."""

    def __init__(self, *z):
        self.z, self.asked = list(z), 0

    def standard_normal(self, shape, dtype=np.float64):
        self.asked += 1
        return np.broadcast_to(self.z[min(self.asked, len(self.z)) - 1], shape).astype(dtype)


def coarse():
    return from_betas(COARSE)


def product_of_alphas(betas, t):
    """alpha_bar_t by its definition, with no schedule."""
    return math.prod(1 - b for b in betas[:t])


def grid(log_density, low, high, n=20_001):
    """Mean and variance of an unnormalised density by the trapezoidal rule.

    It is exact to rounding for Gaussians well inside.
    """
    x = np.linspace(low, high, n)
    p = log_density(x)
    p = np.exp(p - p.max())
    p /= p.sum()
    mean = (p * x).sum()
    return mean, (p * (x - mean) ** 2).sum()


def log_normal(x, mean, var):
    return -((x - mean) ** 2) / (2 * var) - np.log(2 * np.pi * var) / 2


def normal_pdf(x, mean, var):
    return np.exp(log_normal(x, mean, var))


def assert_mean(x, mean, std, delta=DELTA):
    """The mean of n normals lies within z(delta / 2) std / sqrt(n); twice that is almost surely seen."""
    bound = NormalDist().inv_cdf(1 - delta / 2) * std / math.sqrt(len(x))
    assert abs(np.mean(x) - mean) <= bound, f"mean {np.mean(x)} is not {mean} +- {bound}"


def assert_variance(x, mean, var, delta=DELTA):
    """Q = sum ((x - mean)^2 / var) against the bounds of Laurent & Massart.

    n - 2 sqrt(nL) <= Q <= n + 2 sqrt(nL) + 2L with L = log(2 / delta).
    """
    n, L = len(x), math.log(2 / delta)
    Q = float(np.sum((x - mean) ** 2) / var)
    assert n - 2 * math.sqrt(n * L) <= Q <= n + 2 * math.sqrt(n * L) + 2 * L, (
        f"variance is {Q / n} times {var}"
    )


def assert_uncorrelated(x, y, delta=DELTA):
    """P(|r| >= c) <= (1 - c^2)^((n - 2) / 2) for independent normals."""
    n = len(x)
    c = math.sqrt(1 - delta ** (2 / (n - 2)))
    r = float(np.corrcoef(x, y)[0, 1])
    assert abs(r) <= c, f"correlation {r} is beyond {c}"


def assert_cdf(x, mean, std, delta=DELTA):
    """sup |F_n - F| <= sqrt(log(2 / delta) / (2n)) (Dvoretzky, Kiefer, Wolfowitz, Massart)."""
    n = len(x)
    F = np.array([NormalDist(mean, std).cdf(v) for v in np.sort(x)])
    gap = max(np.max(F - np.arange(n) / n), np.max(np.arange(1, n + 1) / n - F))
    assert gap <= math.sqrt(math.log(2 / delta) / (2 * n)), f"the distribution is off by {gap}"


def numerical_gradient(f, x, h=1e-5):
    """df/dx of a scalar function by central differences, in float64: off by h^2 f''' / 6 + 1e-16 f / h."""
    g = np.zeros_like(x)
    for i in np.ndindex(x.shape):
        before = x[i]
        x[i] = before + h
        up = f()
        x[i] = before - h
        g[i] = (up - f()) / (2 * h)
        x[i] = before
    return g


def assert_gradient(analytic, f, x):
    """|numerical - analytic| <= 1e-6 max |analytic|, and the gradient is not nothing."""
    numerical = numerical_gradient(f, x)
    assert np.abs(analytic).max() > 0
    assert analytic.shape == x.shape
    assert np.abs(numerical - analytic).max() <= 1e-6 * np.abs(analytic).max()


def perfect(kind, mixture, schedule):
    """A network that gives the best possible answer of its kind, from the mixture's own x_0_hat and eps*.

    The one of a flow is shown x_t on a line of flow.Straight, and the time there.
    """

    def answer(x, t):
        if kind == "flow":
            return flow.marginal_velocity(mixture)(x, 1 - np.asarray(t) / flow.Straight.T)
        x_0, eps = mixture.x_0_hat(schedule, x, t), mixture.eps(schedule, x, t)
        signal, noise = (np.reshape(share, (-1, 1)) for share in schedule.signal_and_noise(t))
        return {"eps": eps, "x0": x_0, "v": signal * eps - noise * x_0}[kind]

    return answer


STEPS = {
    "ddpm(beta)": sampling.ddpm_step(sampling.beta_of_step),
    "ddpm(beta-tilde)": sampling.ddpm_step(sampling.beta_tilde),
    "ddim(0)": sampling.ddim_step(0.0),
    "ddim(0.5)": sampling.ddim_step(0.5),
    "ddim(1)": sampling.ddim_step(1.0),
}


def expected(name, b, t, s, x_t, eps_hat, z):
    """x_s by way of x_0_hat and the posterior (ddpm) or the DDIM family: never the formula the step uses."""
    ab_t, ab_s = product_of_alphas(b, t), product_of_alphas(b, s)
    a = math.prod(1 - u for u in b[s:t])
    x_0 = (x_t - math.sqrt(1 - ab_t) * eps_hat) / math.sqrt(ab_t)
    # Bayes: precisions of q(x_t | x_s) as a function of x_s, and of q(x_s | x_0), add
    tilde = 0.0 if s == 0 else 1 / (a / (1 - a) + 1 / (1 - ab_s))
    if name.startswith("ddpm"):
        mean = x_0 if s == 0 else tilde * (math.sqrt(a) / (1 - a) * x_t + math.sqrt(ab_s) / (1 - ab_s) * x_0)
        var = (1 - a if s else 0.0) if name == "ddpm(beta)" else tilde
    else:
        var = float(name[5:-1]) ** 2 * tilde
        mean = math.sqrt(ab_s) * x_0 + math.sqrt(max(1 - ab_s - var, 0)) * eps_hat
    return mean + math.sqrt(var) * z


def gaussian_moments(name, b, mean, var, times):
    """E and Var of x_s down the chain for N(mean, var) data, by conditional expectations.

    That is not the road of recursion.py.
    """
    m, v = 0.0, 1.0
    for t, s in zip(times[:-1], times[1:]):
        ab_t = product_of_alphas(b, t)
        k = math.sqrt(ab_t) * var / (ab_t * var + 1 - ab_t)  # E[x_0 | x_t] = mean + k (x_t - sqrt(ab_t) mean)

        def at(x_t, z, t=t, s=s, ab_t=ab_t, k=k):
            x_0 = mean + k * (x_t - math.sqrt(ab_t) * mean)
            return expected(name, b, t, s, x_t, (x_t - math.sqrt(ab_t) * x_0) / math.sqrt(1 - ab_t), z)

        slope, noise = at(1.0, 0.0) - at(0.0, 0.0), at(0.0, 1.0) - at(0.0, 0.0)
        m, v = slope * m + at(0.0, 0.0), slope**2 * v + noise**2
    return m, v


def denoisers(dtype):
    """An exact mixture and a random MLP."""
    model, rng = MLP(2, 24, 2, 8), np.random.default_rng(3)
    params = {k: (0.3 * rng.standard_normal(s)).astype(dtype) for k, s in model.shapes.items()}
    mixture = Mixture([0.3, 0.7], [[1.0, 0], [-1, 2]], [0.1 * np.eye(2), [[0.3, 0.1], [0.1, 0.2]]])
    network = model.eps_theta(in_one_vector(params, model.shapes))
    return {"mixture": mixture.eps_theta(coarse()), "mlp": network}


def random_params(model, rng, dtype=np.float64):
    """A vector of parameters: no gate and no last layer at 0, and what passes keeps its size."""
    n_in = {k: math.prod(s[:-1]) if len(s) > 1 else 4 for k, s in model.shapes.items()}
    p = {k: (rng.standard_normal(s) / math.sqrt(n_in[k])).astype(dtype) for k, s in model.shapes.items()}
    return in_one_vector(p, model.shapes)


def unet_case(model, rng, rows=2):
    """x_t, t, label and a target or gradient for a UNet."""
    label = rng.integers(0, model.labels + 1, rows) if model.labels else None
    x_t, t = rng.standard_normal((rows, model.d)), rng.integers(1, 11, rows)
    return x_t, t, label, rng.standard_normal((rows, model.d))
