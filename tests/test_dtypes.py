"""float32 in, float32 out, float64 in, float64 out: a walk through every function of the core.

Coefficients are worked out in float64 whatever the data are. So a float32 answer is off by roundings alone,
also at t = 1 of the usual schedule, where float32 would keep 4 digits of 7 of 1 - alpha_bar[1] = 1e-4."""

import inspect
from importlib import import_module

import numpy as np
import pytest
from support import DTYPES, Given

from minidiff import elbo, exact, gaussian, layers, objective, optim, sampling
from minidiff.ddpm import batches, sample, train
from minidiff.layers import in_one_vector
from minidiff.mlp import MLP, Network
from minidiff.optim import State
from minidiff.schedule import linear

S = linear(1000)
MODEL = MLP(2, 6, 1, 4)
MIXTURE = exact.Mixture([0.4, 0.6], [[0.8, -0.5], [-0.7, 0.9]], [[[0.3, 0.1], [0.1, 0.2]], 0.25 * np.eye(2)])
POINTS = [[0.9, 0.1], [-1.0, 0.4], [0.3, -1.2]]


def params(dtype):
    rng = np.random.default_rng(0)
    p = {k: rng.standard_normal(shape).astype(dtype) for k, shape in MODEL.shapes.items()}
    return in_one_vector(p, MODEL.shapes)


def backward(x, y, t):
    _, cache = MODEL.forward(params(x.dtype), x, t)
    return MODEL.backward(y, cache)


def of_layer(name, x, y, *more):
    _, cache = getattr(layers, name)(x, *more)
    return getattr(layers, f"{name}_backward")(y, cache)


def updated(x, y):
    state = State(x.ravel().copy(), y.ravel().copy(), x.ravel() / 2, y.ravel() ** 2, step=1)
    optim.update(state, (x + y).ravel(), lr=0.01)
    return state.params, state.ema, state.m, state.v


def step(of):
    """One step from t = 1, or from a time for each row, by a network that answers as the data are."""
    return lambda x, y, t: of(lambda x_t, t: y, S, x, t, np.maximum(np.asarray(t) - 300, 0), Given(0.5))


def trained(x, y, t):
    state = optim.start(params(x.dtype))
    list(train(MODEL, state, S, [(x, np.broadcast_to(t, 3), y)]))
    return state.params, state.ema, state.m


def walked(x, y, t):
    return list(sample(sampling.ddpm_step(), lambda x_t, t: y, S, x, [300, 1, 0], Given(0.5)))


FOLLOWS = {  # f(x, y, t) with data x, y (3, 2) of one dtype
    "gaussian.like": lambda x, y, t: gaussian.like(x, [1 / 3, 0.1, 0.7]),
    "gaussian.shares": lambda x, y, t: gaussian.shares(S, t, x),
    "gaussian.q_step": lambda x, y, t: gaussian.q_step(S, x, t, y),
    "gaussian.q_sample": lambda x, y, t: gaussian.q_sample(S, x, t, y),
    "gaussian.noise_chain": lambda x, y, t: gaussian.noise_chain(S, x, [0, 1, 3], Given(y)),
    "gaussian.posterior": lambda x, y, t: gaussian.posterior(S, x, y, t, 0),
    "gaussian.x_0_from_eps": lambda x, y, t: gaussian.x_0_from_eps(S, x, t, y),
    "gaussian.eps_from_x_0": lambda x, y, t: gaussian.eps_from_x_0(S, x, t, y),
    "gaussian.v_from_eps": lambda x, y, t: gaussian.v_from_eps(S, x, t, y),
    "gaussian.x_0_from_v": lambda x, y, t: gaussian.x_0_from_v(S, x, t, y),
    "gaussian.eps_from_v": lambda x, y, t: gaussian.eps_from_v(S, x, t, y),
    "gaussian.score_from_eps": lambda x, y, t: gaussian.score_from_eps(S, t, x + y),
    "gaussian.eps_from_score": lambda x, y, t: gaussian.eps_from_score(S, t, x + y),
    "gaussian.kl": lambda x, y, t: gaussian.kl(x, np.abs(y) + 1, y, np.abs(x) + 2),
    "gaussian.log_normal": lambda x, y, t: gaussian.log_normal(x, y, 0.3),
    "gaussian.product": lambda x, y, t: gaussian.product(x, np.abs(y) + 1, y, np.abs(x) + 1),
    "layers.linear": lambda x, y, t: layers.linear(x, y[:2], y[2])[0],
    "layers.linear_backward": lambda x, y, t: of_layer("linear", x, y, x[:2], x[2]),
    "layers.silu": lambda x, y, t: layers.silu(x + y)[0],
    "layers.silu_backward": lambda x, y, t: of_layer("silu", x, y),
    "layers.time_embedding": lambda x, y, t: layers.time_embedding(t, 8, x.dtype),
    "layers.views": lambda x, y, t: layers.views((x + y).ravel(), {"a": (2, 2), "b": (2,)})["a"],
    "layers.in_one_vector": lambda x, y, t: in_one_vector({"a": x, "b": y}, {"b": 0, "a": 0}),
    "mlp.MLP.init": lambda x, y, t: MODEL.init(np.random.default_rng(0), x.dtype),
    "mlp.MLP.forward": lambda x, y, t: MODEL.forward(params(x.dtype), x + y, t)[0],
    "mlp.MLP.backward": backward,
    "mlp.MLP.eps_theta": lambda x, y, t: MODEL.eps_theta(params(x.dtype))(x + y, t),
    "mlp.Network.__call__": lambda x, y, t: Network(MODEL, params(x.dtype))(x + y, t),
    "objective.target_of": lambda x, y, t: objective.target_of(objective.v_prediction, S, x, t, y),
    "objective.Denoiser.__call__": lambda x, y, t: [
        objective.Denoiser(lambda x_t, t: y, asked, S)(x, t)
        for asked in (objective.eps_prediction, objective.x_0_prediction, objective.v_prediction)
    ],
    "objective.l_simple": lambda x, y, t: [objective.l_simple(x, y, w)[1] for w in (None, [0.1, 0.7, 2.0])],
    "objective.loss_and_grads": lambda x, y, t: objective.loss_and_grads(MODEL, params(x.dtype), x, t, y)[1],
    "optim.start": lambda x, y, t: vars(optim.start(x + y))["m"] + x,
    "optim.clip": lambda x, y, t: optim.clip(x + y, 0.3),
    "optim.adam": lambda x, y, t: optim.adam(x, y, x / 2, y**2, 3, 0.01),
    "optim.ema_update": lambda x, y, t: optim.ema_update(x, y, 0.9),
    "optim.update": lambda x, y, t: updated(x, y),
    "sampling.ddpm_step": step(sampling.ddpm_step(sampling.gaussian_optimal(0.3))),
    "sampling.ddim_step": step(sampling.ddim_step(0.5)),
    "exact.Mixture.sample": lambda x, y, t: MIXTURE.sample(3, np.random.default_rng(0), x.dtype),
    "exact.Mixture.log_prob": lambda x, y, t: MIXTURE.log_prob(S, x + y, t),
    "exact.Mixture.score": lambda x, y, t: MIXTURE.score(S, x + y, t),
    "exact.Mixture.eps": lambda x, y, t: MIXTURE.eps(S, x + y, t),
    "exact.Mixture.x_0_hat": lambda x, y, t: MIXTURE.x_0_hat(S, x + y, t),
    "exact.Mixture.eps_theta": lambda x, y, t: MIXTURE.eps_theta(S)(x + y, t),
    "exact.MixtureDenoiser.__call__": lambda x, y, t: exact.MixtureDenoiser(MIXTURE, S)(x + y, t),
    "exact.DataDenoiser.__call__": lambda x, y, t: exact.DataDenoiser(np.array(POINTS, x.dtype), S)(x + y, t),
    "ddpm.batches": lambda x, y, t: next(batches(x + y, 9, np.random.default_rng(0)))[0],
    "ddpm.train": trained,
    "ddpm.sample": walked,
}
COEFFICIENTS = {  # float64 whatever the data are: f(t)
    "gaussian.alpha_of_step": lambda t: gaussian.alpha_of_step(S, t, 0),
    "gaussian.posterior_weights": lambda t: gaussian.posterior_weights(S, t, 0),
    "gaussian.snr": lambda t: gaussian.snr(S, t),
    "objective.as_eps": lambda t: objective.as_eps(objective.v_prediction, S, t),
    "objective.derived": lambda t: objective.derived(S, t),
    "objective.min_snr": lambda t: objective.min_snr(S, t),
    "objective.weight_of": lambda t: objective.weight_of(objective.derived, objective.v_prediction, S, t),
    "sampling.beta_tilde": lambda t: sampling.beta_tilde(S, t, 0),
    "sampling.beta_of_step": lambda t: sampling.beta_of_step(S, t, 0),
    "sampling.gaussian_optimal": lambda t: sampling.gaussian_optimal(0.3)(S, t, 0),
    "elbo.prior_kl": lambda t: elbo.prior_kl(S, np.float64(0.3)),
}
APART = {  # what is neither
    "objective.eps_prediction objective.x_0_prediction objective.v_prediction": "two numbers, like shares",
    "optim.ema_decay": "a number of Python's",
    "sampling.trailing sampling.leading sampling.linspace": "whole numbers",
    "exact.Mixture.moments exact.Mixture.components": "of the density: float64",
    "exact.on_a_circle exact.five_gaussians exact.eight_gaussians": "mixtures",
    "elbo.guess elbo.term elbo.terms elbo.reconstruction": "float64 throughout: they subtract what is alike",
    "ddpm.main ddpm.draw": "the page's end",
}
MODULES = ("gaussian", "layers", "mlp", "objective", "optim", "sampling", "exact", "elbo", "ddpm")


def test_every_function_of_the_core_is_on_a_list():
    there = set()
    for module in MODULES:
        for name, f in vars(import_module(f"minidiff.{module}")).items():
            own = getattr(f, "__module__", None) == f"minidiff.{module}" and not name.startswith("_")
            if own and inspect.isfunction(f):
                there.add(f"{module}.{name}")
            elif own and inspect.isclass(f):
                methods = (m for m in vars(f) if inspect.isfunction(vars(f)[m]))
                there |= {f"{module}.{name}.{m}" for m in methods if not m.startswith("_") or m == "__call__"}
    assert there == {*FOLLOWS, *COEFFICIENTS, *" ".join(APART).split()}


def parts(y):
    return [np.asarray(part) for part in (y if isinstance(y, tuple | list) else [y])]


@pytest.mark.parametrize("name", FOLLOWS)
@pytest.mark.parametrize("t", [1, [1, 500, 1000], [1000, 2, 1]], ids=str)
def test_dtype_follows_the_data_and_float32_agrees_with_float64(name, t):
    """Also where only x counts and where only y does: there an error of the smaller coefficient is seen."""
    t = t if isinstance(t, int) else np.array(t)
    x, y = np.random.default_rng(1).standard_normal((2, 3, 2)).astype(np.float32)
    for one, other in ((x, y), (x, 0 * y), (0 * x, y)):
        single, double = (parts(FOLLOWS[name](one.astype(d), other.astype(d), t)) for d in DTYPES)
        assert len(single) == len(double)
        for low, high in zip(single, double):
            assert low.dtype == np.float32 and high.dtype == np.float64 and low.shape == high.shape
            if name == "ddpm.train":  # Adam's first step is the sign of what may be nothing but roundings
                continue
            # some ten roundings one after another, of numbers as large as the largest
            assert np.abs(low - high).max() <= 40 * np.finfo(np.float32).eps * np.abs(high).max()


@pytest.mark.parametrize("name", COEFFICIENTS)
def test_coefficients_are_float64(name):
    for t in (1, 1000, np.array([1, 500, 1000]), np.array([3, 2], np.int8)):
        assert all(part.dtype == np.float64 for part in parts(COEFFICIENTS[name](t)))
