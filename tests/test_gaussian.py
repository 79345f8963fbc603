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
from minidiff.gaussian import noise_chain
from minidiff.philox import RowNoise
from minidiff.schedule import from_betas

S = coarse()


@pytest.mark.parametrize("dtype", DTYPES)
def test_like_has_the_dtype_and_as_many_axes(dtype):
    values = np.array([1 / 3, 2 / 3])
    for shape in ((2,), (2, 3), (2, 4, 4, 1)):
        x = np.zeros(shape, dtype)
        rows, one = gaussian.like(x, values), gaussian.like(x, 1 / 3)
        assert rows.shape == (2, *(1,) * (x.ndim - 1)) and one.shape == (1,) * x.ndim
        assert rows.dtype == one.dtype == dtype
        assert np.array_equal(rows.ravel(), values.astype(dtype)) and one.item() == dtype(1 / 3)
        assert ((x + 1) * rows).shape == shape
    assert gaussian.like(dtype(2), values[0]) == dtype(1 / 3)


def test_like_takes_lists_and_whole_numbers_for_float64():
    """Rows of whole numbers, or of a list, are no reason to cut a coefficient off."""
    for x in ([[1, 2], [3, 4]], np.ones((2, 2), np.int8), np.ones((2, 2), bool), [[1.0], [2.0]]):
        got = gaussian.like(x, [0.25, 1 / 3])
        assert got.dtype == np.float64 and got.tolist() == [[0.25], [1 / 3]]
    assert gaussian.like(3, 0.7).dtype == np.float64 and gaussian.like(3, 0.7) == 0.7
    assert gaussian.like(np.zeros((2, 2), np.float32), [1, 2]).tolist() == [[1], [2]]


@pytest.mark.parametrize("dtype", DTYPES)
@given(b=betas, data=st.data())
def test_shares_are_the_roots_of_alpha_bar_and_of_the_rest(dtype, b, data):
    t = data.draw(st.lists(st.integers(0, len(b)), min_size=1, max_size=4))
    ab = np.array([product_of_alphas(b, k) for k in t])
    for times, want in ((np.array(t), ab), (t[0], ab[:1])):
        x = np.zeros((np.size(times), 3, 2), dtype)
        signal, noise = gaussian.shares(from_betas(b), times, x)
        assert signal.shape == noise.shape == (len(x), 1, 1) and signal.dtype == noise.dtype == dtype
        # alpha_bar by t roundings, a root and one to the dtype; 1 - alpha_bar >= 0.001 has a root below 32
        assert np.abs(signal[:, 0, 0] - np.sqrt(want)).max() <= np.finfo(dtype).eps + 10 * 1.2e-16
        assert np.abs(noise[:, 0, 0] - np.sqrt(1 - want)).max() <= np.finfo(dtype).eps + 32 * 10 * 1.2e-16


def test_shares_ask_any_process():
    class Process:
        def signal_and_noise(self, t):
            return np.add(t, 0.25), np.subtract(t, 0.5)

    signal, noise = gaussian.shares(Process(), np.array([1.0, 2.0]), np.zeros((2, 3)))
    assert signal.tolist() == [[1.25], [2.25]] and noise.tolist() == [[0.5], [1.5]]


@given(betas, st.floats(-3, 3), st.floats(-3, 3), st.data())
def test_q_step_and_q_sample_are_affine_with_the_right_coefficients(b, x, e, data):
    """Read off by probing: q_step adds variance beta_t and keeps that of N(0, 1) data; q_sample is t steps.

    A coefficient is off by a few roundings of numbers up to 1, that of t <= 8 steps by 5 t; the probe's sums
    are below 6.
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
    # x = 2, beta = .16, eps = .5 gives 2.033; (1 - beta) x + beta eps would give 1.76
    s = from_betas([0.5, 0.16])
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
    """The forward process's statistics against the closed form: n = 2e5 sees 0.03 std, and 2 % of the std."""
    for x, t in ((x_2[:, 0], 2), (x_6[:, 0], 6)):
        ab = product_of_alphas(COARSE, t)
        assert_mean(x, 1.7 * math.sqrt(ab), math.sqrt(1 - ab))
        assert_variance(x, 1.7 * math.sqrt(ab), 1 - ab)
        assert len(np.unique(x)) == len(x)
    ab = product_of_alphas(COARSE, 6)
    assert_cdf(x_6[:20_000, 0], 1.7 * math.sqrt(ab), math.sqrt(1 - ab))
    # x_6 = sqrt(a) x_2 + fresh noise: what is left after x_2's share is independent of x_2, and neighbours
    # share nothing
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
        walk(lambda x, beta, eps: right(x, beta, 0.97 * eps)),  # 3 % too little noise a step
        walk(lambda x, beta, eps: right(x, beta, eps + 0.05)),  # noise with a mean
        walk(lambda x, beta, eps: right(x, beta, np.sign(eps))),  # right moments, wrong law
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
    """q(x_s | x_t, x_0) from q(x_t | x_s) q(x_s | x_0), normalised numerically; for any s < t."""
    t = data.draw(st.integers(2, len(b)))
    s = data.draw(st.integers(1, t - 1))
    ab_s, ab_t = product_of_alphas(b, s), product_of_alphas(b, t)
    a = ab_t / ab_s

    def log_density(x_s):
        return log_normal(x_t, math.sqrt(a) * x_s, 1 - a) + log_normal(x_s, math.sqrt(ab_s) * x_0, 1 - ab_s)

    schedule = from_betas(b)
    mean, var = gaussian.posterior(schedule, np.array([[x_0]]), np.array([[x_t]]), t, s)
    std = math.sqrt(var.item())
    grid_mean, grid_var = grid(log_density, float(mean[0, 0]) - 12 * std, float(mean[0, 0]) + 12 * std)
    assert abs(grid_mean - mean[0, 0]) < 1e-9 and abs(grid_var - var) < 1e-9


@given(betas, st.data())
def test_alpha_of_step_is_what_its_steps_keep(b, data):
    """The product of the alphas of steps s + 1..t, a rounding each; refused upwards and for no step."""
    s, t = from_betas(b), data.draw(st.integers(1, len(b)))
    before = data.draw(st.integers(0, t - 1))
    a = math.prod(1 - u for u in b[before:t])
    assert math.isclose(gaussian.alpha_of_step(s, t, before), a, rel_tol=3e-15 * len(b))
    rows = gaussian.alpha_of_step(s, np.array([t, t]), np.array([before, 0]))
    assert rows.shape == (2,) and math.isclose(rows[1], product_of_alphas(b, t), rel_tol=1e-15 * (len(b) + 1))
    for wrong in (t, np.array([before, t])):
        with pytest.raises(ValueError, match="s must be below t"):
            gaussian.alpha_of_step(s, t, wrong)
        with pytest.raises(ValueError, match="s must be below t"):
            gaussian.posterior_weights(s, t, wrong)


def test_posterior_takes_a_time_for_each_row():
    """Weights are shaped like t; the mean and the variance have the axes of x_t."""
    rng = np.random.default_rng(0)
    x_0, x_t = rng.standard_normal((2, 3, 2, 2))
    t, s = np.array([2, 4, 6]), np.array([1, 0, 3])
    assert all(c.shape == (3,) and c.dtype == np.float64 for c in gaussian.posterior_weights(S, t, s))
    assert all(np.shape(c) == () for c in gaussian.posterior_weights(S, 4, 2))
    mean, var = gaussian.posterior(S, x_0, x_t, t, s)
    assert mean.shape == x_t.shape and var.shape == (3, 1, 1)
    for i in range(3):
        alone = gaussian.posterior(S, x_0[i : i + 1], x_t[i : i + 1], int(t[i]), int(s[i]))
        assert np.abs(mean[i] - alone[0][0]).max() < 1e-15 and var[i] == alone[1].ravel()


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


def test_log_normal_is_the_sum_of_its_coordinates():
    rng = np.random.default_rng(0)
    x, mean = rng.standard_normal((2, 4, 3))
    for of, var in ((mean, 0.3), (mean[:1], 2.0), (0.5, 1.0)):
        want = log_normal(x, np.broadcast_to(of, x.shape), var).sum(axis=1)
        assert np.abs(gaussian.log_normal(x, of, var) - want).max() < 1e-13  # sums below 100, ten roundings


def test_kl_is_not_symmetric():
    assert abs(gaussian.kl(0.3, 0.49, -0.5, 1.69) - 0.4534) < 5e-5
    assert abs(gaussian.kl(-0.5, 1.69, 0.3, 0.49) - 1.2585) < 5e-5


def test_snr():
    ab = product_of_alphas(COARSE, 4)
    assert math.isclose(gaussian.snr(S, 4), ab / (1 - ab), rel_tol=1e-12)
    assert gaussian.snr(S, np.array([0, 4]))[0] == np.inf
    assert gaussian.q_sample(VP(), np.ones((2, 2)), 0.5, np.zeros((2, 2))).shape == (2, 2)
