"""solvers: every sampler against closed forms that never call it, and its moments against the recursion."""

import math
from functools import partial
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import (
    COARSE,
    DTYPES,
    Given,
    assert_mean,
    assert_variance,
    betas,
    coarse,
    product_of_alphas,
    seeds,
)

from minidiff.continuous import flow, ode, solvers
from minidiff.continuous.process import VP, continuous
from minidiff.continuous.solvers import evaluations
from minidiff.ddpm import sample
from minidiff.evaluation import recursion
from minidiff.exact import Mixture
from minidiff.noise import SAMPLE, stream
from minidiff.sampling import ddim_step, ddpm_step, gaussian_optimal
from minidiff.schedule import cosine, from_betas, linear

S = coarse()
M, V = 0.8, 0.36  # mean and variance of the Gaussian data
GAUSSIAN = Mixture([1.0], [[M]], [[[V]]])
AFFINE = {
    "euler": solvers.pf_ode(ode.euler),
    "dpm-solver-1": solvers.dpm_solver_1,
    "reverse-sde": solvers.reverse_sde,
}
DETERMINISTIC = {
    "ddim": ddim_step(), "euler": solvers.pf_ode(ode.euler), "heun": solvers.pf_ode(ode.heun),
    "rk4": solvers.pf_ode(ode.rk4), "dpm-solver-1": solvers.dpm_solver_1,
}  # fmt: skip
DRAWING = {"ddpm": ddpm_step(), "reverse-sde": solvers.reverse_sde, "langevin": solvers.langevin()}
STEPS = DETERMINISTIC | DRAWING
SAMPLERS = {name: partial(sample, step) for name, step in STEPS.items()}
SAMPLERS["dpm-solver++"] = solvers.dpm_solver_pp_2m  # remembers its last answer: no step
CERTAIN = [*DETERMINISTIC, "dpm-solver++"]


def by_hand(name, beta_rate, tau_t, tau_s, dt):
    """c_x, c_eps, c_z from the SDE's own terms, dx = -beta/2 x dt + sqrt(beta) dW.

    The score is -eps / sqrt(1 - ab_t), ab = e^-tau. Euler's step is in theta: as dtau = -2 d(log cos theta)
    = 2 tan(theta) dtheta, beta dt becomes 2 tan(theta_t) dtheta.
    """
    ab_t, ab_s = math.exp(-tau_t), math.exp(-tau_s)
    if name == "dpm-solver-1":  # x_0_hat, put back to s with the same noise
        return (
            math.sqrt(ab_s / ab_t),
            math.sqrt(1 - ab_s) - math.sqrt(ab_s) * math.sqrt(1 - ab_t) / math.sqrt(ab_t),
            0.0,
        )
    if name == "euler":
        theta_t, theta_s = (
            math.atan2(math.sqrt(-math.expm1(-tau)), math.exp(-tau / 2)) for tau in (tau_t, tau_s)
        )
        half = math.tan(theta_t) * (theta_t - theta_s)
        return 1 + half, -half / math.sqrt(1 - ab_t), 0.0
    return 1 + beta_rate / 2 * dt, -beta_rate * dt / math.sqrt(1 - ab_t), math.sqrt(beta_rate * dt)


@pytest.mark.parametrize("name", AFFINE)
@given(b=betas, x=st.floats(-3, 3), e=st.floats(-3, 3), z=st.floats(-3, 3), data=st.data())
def test_steps_by_probing(name, b, x, e, z, data):
    t = data.draw(st.integers(1, len(b)))
    s = data.draw(st.integers(0, t - 1))
    # between the steps log alpha_bar is straight: beta(t) = -log(1 - beta_t) a step
    c_x, c_eps, c_z = by_hand(
        name, -math.log(1 - b[t - 1]), *(-math.log(product_of_alphas(b, k)) for k in (t, s)), t - s
    )
    got = AFFINE[name](lambda x_t, t: np.full_like(x_t, e), from_betas(b), np.array([[x]]), t, s, Given(z))[
        0, 0
    ]
    # sqrt(ab_t) >= 0.4^4 = 0.026 and 1 - ab_t >= 0.001 enlarge roundings of 1e-16 by at most 40 * 32 * |3|
    assert abs(got - (c_x * x + c_eps * e + c_z * z)) < 1e-12 * (1 + abs(c_x) + abs(c_eps))


# s is 0, or 5e-4 at least: 1 - ab_s is then 5e-5 or more, and its root off by 2e-14 at most
# (at 1e-16 by 1e-8: ab_s is 1)
PARTS = st.just(0.0) | st.floats(0.01, 0.95)


@pytest.mark.parametrize("name", AFFINE)
@given(t=st.floats(0.05, 1), part=PARTS, x=st.floats(-3, 3), e=st.floats(-3, 3), z=st.floats(-3, 3))
def test_steps_by_probing_in_continuous_time(name, t, part, x, e, z):
    s = part * t
    c_x, c_eps, c_z = by_hand(name, 0.1 + 19.9 * t, *(0.1 * k + 19.9 * k * k / 2 for k in (t, s)), t - s)
    got = AFFINE[name](lambda x_t, t: np.full_like(x_t, e), VP(), np.array([[x]]), t, s, Given(z))[0, 0]
    assert abs(got - (c_x * x + c_eps * e + c_z * z)) < 1e-12 * (1 + abs(c_x) + abs(c_eps))


@given(betas, seeds, st.data())
def test_dpm_solver_1_is_ddim(b, seed, data):
    """The same step by another formula, s = 0 included, where the paper's formula is 0 times infinity."""
    t = data.draw(st.integers(1, len(b)))
    for s in {0, data.draw(st.integers(0, t - 1))}:
        x, eps_theta = np.random.default_rng(seed).standard_normal((4, 2)), lambda x, t: np.sin(3 * x)
        ends = [step(eps_theta, from_betas(b), x, t, s, None) for step in (solvers.dpm_solver_1, ddim_step())]
        assert np.abs(ends[0] - ends[1]).max() < 1e-12 / math.sqrt(product_of_alphas(b, t))


@pytest.mark.parametrize("name", ["heun", "rk4", "dpm-solver++"])
def test_higher_orders_jump_to_x_0_hat_at_the_end(name):
    ab, x, eps = product_of_alphas(COARSE, 3), np.array([[0.7], [-1.3]]), np.array([[0.2], [0.9]])
    *_, end = SAMPLERS[name](lambda x, t: eps, S, x, [3, 0], None)
    assert np.abs(end - (x - math.sqrt(1 - ab) * eps) / math.sqrt(ab)).max() < 1e-14


@given(betas, st.floats(-2, 2), st.floats(-3, 3))
def test_dpm_solver_pp_is_exact_for_one_point(b, c, x):
    """x_0_hat = c whatever x_t: then x_t - sqrt(ab_t) c only shrinks with the noise, and the end is c."""
    s, T = from_betas(b), len(b)

    def eps_theta(x_t, t):
        return (x_t - math.sqrt(s.alpha_bar[t]) * c) / math.sqrt(1 - s.alpha_bar[t])

    walk = solvers.dpm_solver_pp_2m(eps_theta, s, np.array([[x]]), range(T, -1, -1), None)
    for t, x_t in zip(range(T - 1, -1, -1), walk):
        ab_t, ab_T = product_of_alphas(b, t), product_of_alphas(b, T)
        # dividing by sqrt(ab) >= 0.026 at each of 8 steps
        noise = math.sqrt((1 - ab_t) / (1 - ab_T)) * (x - math.sqrt(ab_T) * c)
        assert abs(x_t[0, 0] - math.sqrt(ab_t) * c - noise) < 1e-11


def test_dpm_solver_pp_aims_at_the_middle_of_its_step():
    """x_0_hat = 0.3 - 0.7 lambda(t): the second step uses its value half-way, though times lie unevenly."""

    def lam(t):
        return 0.5 * math.log(product_of_alphas(COARSE, t) / (1 - product_of_alphas(COARSE, t)))

    def eps_theta(x_t, t):
        ab = product_of_alphas(COARSE, t)
        return (x_t - math.sqrt(ab) * (0.3 - 0.7 * lam(t))) / math.sqrt(1 - ab)

    times, x_T = [6, 5, 2, 1], np.array([[0.4], [-1.1]])
    path = [x_T, *solvers.dpm_solver_pp_2m(eps_theta, S, x_T, times, None)]
    for k, (t, s) in enumerate(zip(times[:-1], times[1:])):
        ab_t, ab_s = product_of_alphas(COARSE, t), product_of_alphas(COARSE, s)
        # the first step has nothing to draw on
        aim = 0.3 - 0.7 * (lam(t) if k == 0 else (lam(t) + lam(s)) / 2)
        eps_hat = (path[k] - math.sqrt(ab_t) * aim) / math.sqrt(1 - ab_t)
        assert np.abs(path[k + 1] - math.sqrt(ab_s) * aim - math.sqrt(1 - ab_s) * eps_hat).max() < 1e-13


def law(ab, mean=M, var=V):
    """Mean and standard deviation of q(x_t) for Gaussian data."""
    return math.sqrt(ab) * mean, math.sqrt(ab * var + 1 - ab)


def gaussian_flow(x, ab_t, ab_s):
    """The probability-flow ODE for Gaussian data: x keeps its standard score."""
    (m_t, std_t), (m_s, std_s) = law(ab_t), law(ab_s)
    return m_s + std_s / std_t * (x - m_t)


TWO = [(0.4, -1.0, 0.3), (0.6, 0.9, 0.2)]  # weight, mean, variance
TWO_AS_MIXTURE = Mixture([0.4, 0.6], [[-1.0], [0.9]], [[[0.3]], [[0.2]]])


def mixture_flow(x, ab_t, ab_s):
    """In one dimension paths cannot cross, so x keeps its quantile: F_s(x_s) = F_t(x_t), by bisection."""

    def F(y, ab):
        return sum(w * NormalDist(*law(ab, m, v)).cdf(y) for w, m, v in TWO)

    def one(y):
        low, high, want = -20.0, 20.0, F(y, ab_t)
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if F(middle, ab_s) < want else (low, middle)
        return low

    return np.array([[one(y)] for y in x[:, 0]])


ANGLE = [math.cos((t / 1000 + 0.008) / 1.008 * math.pi / 2) ** 2 for t in range(1001)]
BETAS = {  # of schedules whose rate jumps from step to step: slightly, and by up to a factor of fifty
    "linear": [1e-4 + (0.02 - 1e-4) * k / 999 for k in range(1000)],
    "cosine": [min(1 - b / a, 0.999) for a, b in zip(ANGLE, ANGLE[1:])],
    "random": np.random.default_rng(5).uniform(0.01, 0.5, 8).tolist(),
}
WALKS = {  # name -> process, its alpha_bar by hand, and the ends of a walk
    "vp": (VP(), lambda t: math.exp(-(0.1 * t + 19.9 * t * t / 2)), 0.8, 0.2),
    "linear": (continuous(linear(1000)), partial(product_of_alphas, BETAS["linear"]), 1000, 200),
    "cosine": (continuous(cosine(1000)), partial(product_of_alphas, BETAS["cosine"]), 960, 160),
    "random": (continuous(from_betas(BETAS["random"])), partial(product_of_alphas, BETAS["random"]), 8, 1),
}


@pytest.mark.parametrize("walk", WALKS)
@pytest.mark.parametrize(
    ("mixture", "flow"), [(GAUSSIAN, gaussian_flow), (TWO_AS_MIXTURE, mixture_flow)], ids=["one", "two"]
)
@pytest.mark.parametrize(
    ("name", "order", "n"),
    [
        ("euler", 1, 400),
        ("ddim", 1, 400),
        ("dpm-solver-1", 1, 400),
        ("heun", 2, 100),
        ("dpm-solver++", 2, 200),
        ("rk4", 4, 40),
    ],
)
def test_order_of_convergence(mixture, flow, name, order, n, walk):
    """Half the step leaves 1 / 2^order of the error against the exact flow, however beta jumps."""
    process, ab, t, s = WALKS[walk]
    x, errors = np.array([[-1.5], [-0.4], [0.3], [1.1], [2.0]]), []
    for steps in (n, 2 * n):
        times = np.linspace(t, s, steps + 1)
        *_, end = SAMPLERS[name](mixture.eps_theta(process), process, x, times, None)
        errors.append(np.abs(end - flow(x, ab(t), ab(s))).max())
    assert errors[1] > 1e-12  # above rounding, or the ratio says nothing
    assert abs(math.log2(errors[0] / errors[1]) - order) < 0.15, errors


@pytest.mark.parametrize("name", CERTAIN)
@pytest.mark.parametrize("times", [range(6, -1, -1), [6, 4, 1, 0], [5, 2, 0]])
def test_points_pushed_through_have_the_recursions_moments(name, times):
    """+-sqrt(2) e_i have mean 0 and covariance I; affine samplers take them where the recursion says."""
    mean, cov = np.array([0.8, -0.5]), np.array([[0.36, 0.2], [0.2, 1.5]])
    x = math.sqrt(2) * np.array([[1.0, 0], [-1, 0], [0, 1], [0, -1]])
    eps_theta = Mixture([1.0], mean[None], cov[None]).eps_theta(continuous(S))
    pushed = [x, *SAMPLERS[name](eps_theta, S, x, times, None)]
    found = [recursion.moments_of_sampler(SAMPLERS[name], S, mean, cov, times, process=continuous(S))]
    if name in DETERMINISTIC:
        found.append(recursion.moments(DETERMINISTIC[name], S, mean, cov, times, process=continuous(S)))
    for means, covs in found:
        for x_s, m, c in zip(pushed, means, covs, strict=True):
            assert np.abs(x_s.mean(axis=0) - m).max() < 1e-10
            assert np.abs((x_s - m).T @ (x_s - m) / 4 - c).max() < 1e-10
        assert len(means) == len(times)


def moments_by_hand(name, b, times, inner=5, ratio=0.2):
    """Mean and variance down the chain for N(M, V) data, from the SDE's and Langevin's own formulas."""
    m, v = 0.0, 1.0
    for t, s in zip(times[:-1], times[1:]):
        ab_t, ab_s = product_of_alphas(b, t), product_of_alphas(b, s)
        # q(x_t) = N(centre, L): score = -(x - centre) / L
        centre, L = math.sqrt(ab_t) * M, ab_t * V + 1 - ab_t
        if name == "reverse-sde":
            g2 = -math.log(1 - b[t - 1])
            m = m + g2 / 2 * m * (t - s) - g2 * (m - centre) / L * (t - s)
            slope = 1 + g2 * (t - s) * (0.5 - 1 / L)
            v = slope**2 * v + g2 * (t - s)
        else:
            a = ratio * (1 - ab_t)
            for _ in range(inner):  # the deviation from the centre shrinks by 1 - a / 2L, the noise adds a
                m, v = centre + (1 - a / (2 * L)) * (m - centre), (1 - a / (2 * L)) ** 2 * v + a
            gain = math.sqrt(ab_s / ab_t) if s else math.sqrt(ab_t) * V / L  # scaled to s, or E[x_0 | x_t]
            m, v = (gain * m if s else M + gain * (m - centre)), gain**2 * v
    return m, v


RANDOM = {
    "reverse-sde": (solvers.reverse_sde, {}),
    "langevin": (solvers.langevin(), {}),
    "langevin(2, 1.5)": (solvers.langevin(2, 1.5), {"inner": 2, "ratio": 1.5}),
}


@pytest.mark.parametrize("name", RANDOM)
@pytest.mark.parametrize("times", [range(6, -1, -1), [6, 4, 1, 0], [5, 3, 2]])
def test_recursion_of_samplers_that_draw(name, times):
    step, settings = RANDOM[name]
    means, covs = recursion.moments(step, S, [M], [[V]], times)
    m, v = moments_by_hand(name, COARSE, list(times), **settings)
    assert abs(means[-1][0] - m) < 1e-12 and abs(covs[-1][0, 0] - v) < 1e-12


@pytest.mark.parametrize("name", RANDOM)
def test_samples_have_the_recursions_moments(name):
    """With the exact denoiser, n = 2e5: sees 0.03 std of bias and 2 % of std."""
    rng, (step, settings) = stream(7, SAMPLE), RANDOM[name]
    x_T = rng.standard_normal((200_000, 1))
    *_, x_0 = sample(step, GAUSSIAN.eps_theta(continuous(S)), S, x_T, range(6, -1, -1), rng)
    m, v = moments_by_hand(name, COARSE, list(range(6, -1, -1)), **settings)
    assert_mean(x_0[:, 0], m, math.sqrt(v))
    assert_variance(x_0[:, 0], m, v)


def test_many_langevin_moves_reach_the_level():
    """Moves of size ratio (1 - ab_t) at one level end at variance L / (1 - a / 4L), L q(x_t)'s, not at L."""
    ab_t, ab_s = product_of_alphas(COARSE, 4), product_of_alphas(COARSE, 3)
    L, a = ab_t * V + 1 - ab_t, 2 * (1 - ab_t)
    means, covs = recursion.moments(solvers.langevin(40, 2), S, [M], [[V]], [4, 3])
    assert abs(1 - a / (2 * L)) ** 40 < 1e-15  # what is left of the start
    assert abs(means[-1][0] - math.sqrt(ab_s) * M) < 1e-12
    assert abs(covs[-1][0, 0] - ab_s / ab_t * L / (1 - a / (4 * L))) < 1e-12


@pytest.mark.parametrize("name", [*AFFINE, "langevin", "gaussian-optimal"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_steps_keep_the_dtype_and_take_a_time_for_each_row(name, dtype):
    step = {
        "langevin": solvers.langevin(),
        "gaussian-optimal": ddpm_step(gaussian_optimal(0.5)),
    }.get(name) or AFFINE[name]
    x, t, s = np.linspace(-1, 1, 6).astype(dtype).reshape(3, 2), np.array([2, 4, 6]), np.array([1, 2, 3])
    together = step(lambda x_t, t: 0.5 * x_t, S, x, t, s, Given(0.7))
    assert together.dtype == dtype
    for i in range(3):
        alone = step(lambda x_t, t: 0.5 * x_t, S, x[i : i + 1], int(t[i]), int(s[i]), Given(0.7))
        assert np.allclose(together[i], alone[0], rtol=60 * np.finfo(dtype).eps)


@pytest.mark.parametrize("name", ["heun", "rk4", "dpm-solver++"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_solvers_keep_the_dtype(name, dtype):
    eps_theta, x_T = GAUSSIAN.eps_theta(continuous(S)), np.ones((3, 1), dtype)
    path = list(SAMPLERS[name](eps_theta, S, x_T, [6, 4, 1, 0], None))
    assert [x_s.dtype for x_s in path] == 3 * [dtype]


@pytest.mark.parametrize(
    ("name", "asked"),
    [("ddpm", 4), ("ddim", 4), ("euler", 4), ("heun", 2 * 4 - 1), ("rk4", 4 * 4 - 3), ("dpm-solver-1", 4),
     ("dpm-solver++", 4), ("reverse-sde", 4), ("langevin", 5 * 4 + 1)],
)  # fmt: skip
def test_evaluations_are_counted(name, asked):
    """In 4 steps."""
    assert evaluations(SAMPLERS[name], continuous(S), [6, 5, 3, 1, 0]) == asked
    assert evaluations(SAMPLERS[name], S, [6, 5, 3, 1, 0]) == asked


@pytest.mark.parametrize(("method", "asked"), [(ode.euler, 4), (ode.heun, 8), (ode.rk4, 16)])
def test_evaluations_of_a_flows_own_samplers_are_counted(method, asked):
    """They ask at the end as well: a velocity is known there."""
    assert evaluations(flow.straight(method), S, [6, 5, 3, 1, 0]) == asked


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: solvers.langevin(0), "inner must be a whole number of at least 1, got 0"),
        (lambda: solvers.langevin(1.5), "inner must be a whole number"),
        (lambda: solvers.langevin(5, 0.0), "ratio must lie between 0 and 4, got 0.0"),
        (lambda: solvers.langevin(5, 4), "ratio must lie between 0 and 4"),
        (lambda: solvers.langevin(5, float("nan")), "ratio must lie between 0 and 4"),
    ],
)
def test_bad_arguments_are_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()


@pytest.mark.parametrize("name", [*AFFINE, "heun", "rk4", "langevin"])
def test_steps_upwards_are_named(name):
    for t, s in ((3, 3), (3, 5)):
        with pytest.raises(ValueError, match="s must be below t"):
            STEPS[name](lambda x_t, t: x_t, S, np.ones((2, 2)), t, s, None)
