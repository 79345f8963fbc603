import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import (
    COARSE,
    DTYPES,
    assert_cdf,
    assert_mean,
    assert_uncorrelated,
    assert_variance,
    betas,
    coarse,
    grid,
    log_normal,
    normal_pdf,
    product_of_alphas,
    seeds,
)

from minidiff import gaussian
from minidiff.continuous.process import VP
from minidiff.fast.noise import RowNoise
from minidiff.fast.noising import noise_chain
from minidiff.schedule import from_betas, linear

# every equation that takes data, called with float arrays of one dtype
S = coarse()
EQUATIONS = {
    "q_step": lambda x, y: gaussian.q_step(S, x, 3, y),
    "noise_chain": lambda x, y: noise_chain(S, x, [0, 2, 6], RowNoise(0)),
    "q_sample": lambda x, y: gaussian.q_sample(S, x, np.array([1, 2, 6]), y),
    "posterior": lambda x, y: gaussian.posterior(S, x, y, 4, 2)[0],
    "x_0_from_eps": lambda x, y: gaussian.x_0_from_eps(S, x, 3, y),
    "eps_from_x_0": lambda x, y: gaussian.eps_from_x_0(S, x, 3, y),
    "v_from_eps": lambda x, y: gaussian.v_from_eps(S, x, 3, y),
    "x_0_from_v": lambda x, y: gaussian.x_0_from_v(S, x, 3, y),
    "eps_from_v": lambda x, y: gaussian.eps_from_v(S, x, 3, y),
    "score_from_eps": lambda x, y: gaussian.score_from_eps(S, 3, x),
    "eps_from_score": lambda x, y: gaussian.eps_from_score(S, 3, x),
    "kl": lambda x, y: gaussian.kl(x, np.abs(y) + 1, y, np.abs(x) + 1),
    "product": lambda x, y: gaussian.product(x, np.abs(y) + 1, y, np.abs(x) + 1)[0],
}


@pytest.mark.parametrize("name", EQUATIONS)
def test_dtype_follows_the_data_and_float32_agrees_with_float64(name):
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal((2, 3, 2))
    single, double = (EQUATIONS[name](x.astype(d), y.astype(d)) for d in DTYPES)
    assert single.dtype == np.float32 and double.dtype == np.float64
    if name != "noise_chain":  # its float32 noise is another stream
        # a few roundings of numbers below 10
        assert np.abs(single - double).max() < 10 * 8 * np.finfo(np.float32).eps


@given(betas, st.floats(-3, 3), st.floats(-3, 3), st.data())
def test_q_step_and_q_sample_are_affine_with_the_right_coefficients(b, x, e, data):
    """Read off by probing: q_step adds variance beta_t and keeps that of N(0, 1) data; q_sample is t of its steps.

    A coefficient is off by a few roundings of numbers up to 1, that of t <= 8 steps by 5 t; the probe's sums are below 6.
    """
    s, t = from_betas(b), data.draw(st.integers(1, len(b)))

    def coefficients(f):
        of_x, of_eps, both = f(s, np.array([[1.0], [0.0], [x]]), t, np.array([[0.0], [1.0], [e]]))[:, 0]
        assert abs(of_x * x + of_eps * e - both) < 6 * 4 * 1.2e-16 and of_x > 0 and of_eps > 0
        return of_x, of_eps

    a, c = coefficients(gaussian.q_step)
    assert abs(c**2 - b[t - 1]) < 5 * 1.2e-16 and abs(a**2 + c**2 - 1) < 8 * 1.2e-16
    rows = np.eye(t + 1)[:, :1]  # row 0 carries x_0 = 1, row k the noise of step k
    for k in range(1, t + 1):
        rows = gaussian.q_step(s, rows, k, np.eye(t + 1)[:, k : k + 1])
    a, c = coefficients(gaussian.q_sample)
    assert abs(a - rows[0, 0]) < 5 * t * 1.2e-16 and abs(c**2 - np.sum(rows[1:] ** 2)) < 15 * t * 1.2e-16


def test_q_step_has_the_worked_value():
    s = from_betas(
        [0.5, 0.16]
    )  # x = 2, beta = .16, eps = .5 gives 2.033; (1 - beta) x + beta eps would give 1.76
    got = gaussian.q_step(s, np.array([[2.0]]), 2, np.array([[0.5]]))[0, 0]
    assert abs(got - (math.sqrt(0.84) * 2 + 0.4 * 0.5)) < 1e-15 and abs(got - 2.033) < 5e-4


@given(betas)
def test_steps_add_up_to_q_sample(b):
    """Unit noise in step k alone, for each k: what arrives at T has the squares sum to 1 - ab_T."""
    s, T = from_betas(b), len(b)
    x = np.eye(T + 1)[:, :1]  # row 0 carries x_0 = 1, row k the noise of step k
    for t in range(1, T + 1):
        x = gaussian.q_step(s, x, t, np.eye(T + 1)[:, t : t + 1])
    ab = product_of_alphas(b, T)
    assert abs(x[0, 0] - math.sqrt(ab)) < 1e-12
    assert abs(np.sum(x[1:] ** 2) - (1 - ab)) < 1e-12


def forward(chain, n=200_000):
    """x_2 and x_6 of n chains from x_0 = 1.7, for the checks below."""
    x_0 = np.full((n, 1), 1.7)
    return chain(x_0, [2, 6])


def check_forward(x_2, x_6):
    """The forward process's statistics against the closed form, n = 2e5: sees 0.03 std, and 2 % of the std."""
    for x, t in ((x_2[:, 0], 2), (x_6[:, 0], 6)):
        ab = product_of_alphas(COARSE, t)
        assert_mean(x, 1.7 * math.sqrt(ab), math.sqrt(1 - ab))
        assert_variance(x, 1.7 * math.sqrt(ab), 1 - ab)
        assert len(np.unique(x)) == len(x)
    ab = product_of_alphas(COARSE, 6)
    assert_cdf(x_6[:20_000, 0], 1.7 * math.sqrt(ab), math.sqrt(1 - ab))
    # x_6 = sqrt(a) x_2 + fresh noise: what is left after x_2's share is independent of x_2, and neighbours share nothing
    a = product_of_alphas(COARSE, 6) / product_of_alphas(COARSE, 2)
    left = x_6[:, 0] - math.sqrt(a) * x_2[:, 0]
    assert_variance(left, 1.7 * 0, 1 - a)
    assert_uncorrelated(left, x_2[:, 0])
    assert_uncorrelated(x_6[:-1, 0], x_6[1:, 0])


@pytest.mark.parametrize("seed", [0, 1])
def test_noise_chain_has_the_closed_forms_statistics(seed):
    check_forward(*forward(lambda x_0, times: noise_chain(coarse(), x_0, times, RowNoise(seed))))


def walk(step, reuse=False, repeat=False):
    """A forward chain built from step(x, beta, eps), possibly with stale noise."""

    def chain(x_0, times):
        rng, x, kept = np.random.default_rng(0), x_0, []
        eps = rng.standard_normal(x_0.shape)
        for t, beta in enumerate(COARSE, 1):
            eps = eps if reuse else rng.standard_normal(x_0.shape)
            if repeat:
                eps[1::100] = eps[::100]
            x = step(x, beta, eps)
            if t in times:
                kept.append(x)
        return kept

    return chain


def right(x, beta, eps):
    return math.sqrt(1 - beta) * x + math.sqrt(beta) * eps


def test_the_check_accepts_the_definition():
    check_forward(*forward(walk(right)))


@pytest.mark.parametrize(
    "planted",
    [
        walk(lambda x, beta, eps: (1 - beta) * x + math.sqrt(beta) * eps),  # the root of alpha forgotten
        walk(lambda x, beta, eps: math.sqrt(1 - beta) * x + beta * eps),  # variance used as std
        walk(lambda x, beta, eps: math.sqrt(beta) * x + math.sqrt(1 - beta) * eps),  # weights swapped
        walk(
            lambda x, beta, eps: math.sqrt(1 - beta) * x + math.sqrt(beta) * (0.97 * eps)
        ),  # 3 % too little noise a step
        walk(
            lambda x, beta, eps: math.sqrt(1 - beta) * x + math.sqrt(beta) * (eps + 0.05)
        ),  # noise with a mean
        walk(
            lambda x, beta, eps: math.sqrt(1 - beta) * x + math.sqrt(beta) * np.sign(eps)
        ),  # right moments, wrong law
        walk(right, reuse=True),  # one noise for all steps
        walk(right, repeat=True),  # 1 % of the rows share their noise
    ],
)
def test_the_check_sees_planted_mistakes(planted):
    with pytest.raises(AssertionError):
        check_forward(*forward(planted))


@given(seeds)
def test_coordinates_of_noise_are_independent(seed):
    x = noise_chain(coarse(), np.full((2000, 3), 0.5), [6], RowNoise(seed))[0]
    for i, j in ((0, 1), (0, 2), (1, 2)):
        assert_uncorrelated(x[:, i], x[:, j])


@given(betas, st.floats(-2, 2), st.floats(-2, 2), st.data())
def test_posterior_is_bayes_on_a_grid(b, x_0, x_t, data):
    """q(x_s | x_t, x_0) from q(x_t | x_s) q(x_s | x_0), normalised numerically; for any s < t, not only t - 1."""
    t = data.draw(st.integers(2, len(b)))
    s = data.draw(st.integers(1, t - 1))
    ab_s, ab_t = product_of_alphas(b, s), product_of_alphas(b, t)
    a = ab_t / ab_s

    def log_density(x_s):
        return log_normal(x_t, math.sqrt(a) * x_s, 1 - a) + log_normal(x_s, math.sqrt(ab_s) * x_0, 1 - ab_s)

    schedule = from_betas(b)
    mean, var = gaussian.posterior(schedule, np.array([[x_0]]), np.array([[x_t]]), t, s)
    std = math.sqrt(float(var))
    grid_mean, grid_var = grid(log_density, float(mean[0, 0]) - 12 * std, float(mean[0, 0]) + 12 * std)
    assert abs(grid_mean - mean[0, 0]) < 1e-9 and abs(grid_var - var) < 1e-9


def test_posterior_has_the_worked_values_and_no_variance_at_0():
    mean, var = gaussian.posterior(S, np.array([[1.7]]), np.array([[0.6]]), 4, 3)
    assert abs(mean[0, 0] - 0.921401) < 5e-7 and abs(var - 0.113235) < 5e-7
    mean, var = gaussian.posterior(S, np.array([[1.7]]), np.array([[0.6]]), 1, 0)
    assert abs(mean[0, 0] - 1.7) < 1e-15 and var == 0


@given(betas, seeds, st.data())
def test_parameterisations_round_trip(b, seed, data):
    t = data.draw(st.integers(1, len(b)))
    s, (x_0, eps) = from_betas(b), np.random.default_rng(seed).standard_normal((2, 4, 3))
    x_t = gaussian.q_sample(s, x_0, t, eps)
    v = gaussian.v_from_eps(s, x_0, t, eps)
    # dividing by sqrt(1 - ab) >= 0.03 or sqrt(ab) >= 0.02 multiplies roundings of 1e-15
    assert np.abs(gaussian.x_0_from_eps(s, x_t, t, eps) - x_0).max() < 1e-11
    assert np.abs(gaussian.eps_from_x_0(s, x_t, t, x_0) - eps).max() < 1e-11
    assert np.abs(gaussian.x_0_from_v(s, x_t, t, v) - x_0).max() < 1e-12
    assert np.abs(gaussian.eps_from_v(s, x_t, t, v) - eps).max() < 1e-12
    score = gaussian.score_from_eps(s, t, eps)
    assert np.abs(gaussian.eps_from_score(s, t, score) - eps).max() < 1e-12


def test_v_is_the_speed_on_the_circle():
    """With sqrt(ab) = cos(phi), v = d x_t / d phi."""
    x_0, eps, h = np.array([[1.7]]), np.array([[-0.4]]), 1e-5
    phi = math.acos(math.sqrt(product_of_alphas(COARSE, 3)))
    speed = [(math.cos(p) * x_0 + math.sin(p) * eps) for p in (phi + h, phi - h)]
    v = gaussian.v_from_eps(S, x_0, 3, eps)
    assert abs(v - (speed[0] - speed[1]) / (2 * h))[0, 0] < 1e-9  # h^2 / 6 + 1e-16 / h


def test_score_is_the_gradient_of_the_log_density():
    """log q(x_t | x_0) by finite differences."""
    ab, h = product_of_alphas(COARSE, 3), 1e-5
    x_0, eps = 1.7, -0.4
    x_t = math.sqrt(ab) * x_0 + math.sqrt(1 - ab) * eps
    log_q = [math.log(normal_pdf(x, math.sqrt(ab) * x_0, 1 - ab)) for x in (x_t + h, x_t - h)]
    score = gaussian.score_from_eps(S, 3, np.array([[eps]]))[0, 0]
    assert abs(score - (log_q[0] - log_q[1]) / (2 * h)) < 1e-9


@given(st.floats(-2, 2), st.floats(0.2, 3), st.floats(-2, 2), st.floats(0.2, 3))
def test_kl_and_product_by_quadrature(m_1, v_1, m_2, v_2):
    x = np.linspace(-30, 30, 60_001)
    p = normal_pdf(x, m_1, v_1)
    log_ratio = ((x - m_2) ** 2 / v_2 - (x - m_1) ** 2 / v_1 + math.log(v_2 / v_1)) / 2
    assert abs(gaussian.kl(m_1, v_1, m_2, v_2) - np.sum(p * log_ratio) * 0.001) < 1e-9
    mean, var = grid(lambda x: log_normal(x, m_1, v_1) + log_normal(x, m_2, v_2), -30, 30, 60_001)
    assert abs(gaussian.product(m_1, v_1, m_2, v_2)[0] - mean) < 1e-9
    assert abs(gaussian.product(m_1, v_1, m_2, v_2)[1] - var) < 1e-9


def test_kl_is_not_symmetric():
    assert abs(gaussian.kl(0.3, 0.49, -0.5, 1.69) - 0.4534) < 5e-5
    assert abs(gaussian.kl(-0.5, 1.69, 0.3, 0.49) - 1.2585) < 5e-5


@given(betas, st.floats(0.1, 3))
def test_prior_kl_is_the_average_kl_of_two_point_data(b, std):
    """x_0 = +-std has E x_0^2 = std^2, and E KL(q(x_T | x_0) || N(0, 1)) is an average of two kl."""
    ab = product_of_alphas(b, len(b))
    average = np.mean([gaussian.kl(sign * std * math.sqrt(ab), 1 - ab, 0.0, 1.0) for sign in (1, -1)])
    assert abs(gaussian.prior_kl(from_betas(b), std**2) - average) < 1e-12


@pytest.mark.parametrize(("T", "nats", "digit"), [(50, 0.462, 5e-4), (300, 0.025, 5e-4), (400, 0.0088, 5e-5)])
def test_prior_kl_of_short_linear_schedules(T, nats, digit):
    assert abs(gaussian.prior_kl(linear(T), 1.0) - nats) < digit


def test_snr():
    ab = product_of_alphas(COARSE, 4)
    assert math.isclose(gaussian.snr(S, 4), ab / (1 - ab), rel_tol=1e-12)
    assert gaussian.snr(S, np.array([0, 4]))[0] == np.inf
    assert gaussian.q_sample(VP(), np.ones((2, 2)), 0.5, np.zeros((2, 2))).shape == (2, 2)
