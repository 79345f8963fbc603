import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import DTYPES, STEPS, Given, betas, coarse, denoisers, expected, product_of_alphas, seeds

from minidiff import sampling
from minidiff.ddpm import sample
from minidiff.evaluation import recursion
from minidiff.exact import Mixture
from minidiff.philox import RowNoise
from minidiff.schedule import from_betas, linear

S = coarse()
SPACINGS = [sampling.trailing, sampling.leading, sampling.linspace]


@pytest.mark.parametrize("name", STEPS)
@given(b=betas, x=st.floats(-3, 3), e=st.floats(-3, 3), z=st.floats(-3, 3), data=st.data())
def test_steps_by_probing(name, b, x, e, z, data):
    t = data.draw(st.integers(1, len(b)))
    s = data.draw(st.integers(0, t - 1))
    got = STEPS[name](lambda x_t, t: np.full_like(x_t, e), from_betas(b), np.array([[x]]), t, s, Given(z))
    # dividing by sqrt(ab_t) >= 0.4^4 = 0.026 and by 1 - ab_t >= 0.001 enlarges roundings of 1e-16 that much
    assert got.shape == (1, 1) and abs(got.item() - expected(name, b, t, s, x, e, z)) < 1e-10


@given(betas, seeds)
def test_ddim_with_eta_1_is_ddpm_with_beta_tilde(b, seed):
    s = from_betas(b)
    mixture = Mixture([0.4, 0.6], [[1.0, 0], [-1, 0.5]], np.tile(0.1 * np.eye(2), (2, 1, 1)))
    x_T = np.random.default_rng(seed).standard_normal((4, 2))
    ends = [
        list(sample(step, mixture.eps_theta(s), s, x_T, range(s.T, -1, -1), RowNoise(seed)))[-1]
        for step in (sampling.ddim_step(1.0), sampling.ddpm_step())
    ]
    assert np.abs(ends[0] - ends[1]).max() < 1e-10


@pytest.mark.parametrize("name", STEPS)
def test_the_last_step_adds_no_noise(name):
    rng = Given(5.0)
    STEPS[name](lambda x_t, t: 0.3 * x_t, S, np.ones((2, 2)), 1, 0, rng)
    assert not rng.asked
    STEPS[name](lambda x_t, t: 0.3 * x_t, S, np.ones((2, 2)), 3, 2, rng)
    assert rng.asked == (name != "ddim(0)")


@pytest.mark.parametrize("name", STEPS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_steps_keep_the_dtype_and_take_a_time_for_each_row(name, dtype):
    x = np.linspace(-1, 1, 6).astype(dtype).reshape(3, 2)
    t, s = np.array([2, 4, 6]), np.array([1, 2, 3])
    together = STEPS[name](lambda x_t, t: 0.5 * x_t, S, x, t, s, Given(0.7))
    assert together.dtype == dtype
    for i in range(3):
        alone = STEPS[name](lambda x_t, t: 0.5 * x_t, S, x[i : i + 1], int(t[i]), int(s[i]), Given(0.7))
        assert np.allclose(together[i], alone[0], rtol=20 * np.finfo(dtype).eps)


def test_grids():
    assert sampling.trailing(1000, 50).tolist() == list(range(1000, 0, -20)) + [0]
    assert sampling.leading(1000, 50).tolist() == list(range(981, 0, -20)) + [0]
    assert sampling.linspace(1000, 50).tolist() == [
        *np.round(np.linspace(1, 1000, 50)).astype(int)[::-1].tolist(),
        0,
    ]
    for grid in SPACINGS:
        assert grid(7, 7).tolist() == [7, 6, 5, 4, 3, 2, 1, 0]
        assert len(grid(10, 1)) == 2
        for steps in (0, -1, 11):
            with pytest.raises(ValueError, match=rf"steps must lie in 1..T = 10, got {steps}"):
                grid(10, steps)
    assert sampling.trailing(10, 4).tolist() == [10, 8, 5, 2, 0]
    assert sampling.trailing(10, 1).tolist() == [10, 0] and sampling.linspace(10, 1).tolist() == [10, 0]


@given(st.integers(1, 60), st.data())
def test_grids_descend_to_0(T, data):
    steps = data.draw(st.integers(1, T))
    for grid in SPACINGS:
        times = grid(T, steps)
        assert len(times) == steps + 1 and times[-1] == 0 and times[0] <= T and np.all(np.diff(times) < 0)


@given(betas, st.floats(-2, 2), st.floats(0, 2), st.data())
def test_gaussian_optimal_is_the_variance_of_the_true_reverse_step(b, mean, var, data):
    """Var(x_s | x_t) from the joint Gaussian of (x_s, x_t), for any s < t; and so every q(x_s) comes out."""
    s = from_betas(b)
    t = data.draw(st.integers(1, len(b)))
    for before in range(t):
        var_s, var_t = (product_of_alphas(b, k) * var + 1 - product_of_alphas(b, k) for k in (before, t))
        both = math.sqrt(product_of_alphas(b, t) / product_of_alphas(b, before)) * var_s  # Cov(x_s, x_t)
        # 1 - ab_t >= 0.001 enlarges roundings
        assert abs(sampling.gaussian_optimal(var)(s, t, before) - (var_s - both**2 / var_t)) < 1e-12
    times = [t, *sorted(data.draw(st.sets(st.integers(0, t - 1))) | {0}, reverse=True)]
    ab = product_of_alphas(b, t)
    start = np.array([math.sqrt(ab) * mean]), np.array([[ab * var + 1 - ab]])
    step = sampling.ddpm_step(sampling.gaussian_optimal(var))
    means, covs = recursion.moments(step, s, [mean], [[var]], times, start)
    for k, m, v in zip(times, means, covs):
        ab = product_of_alphas(b, k)
        assert abs(m[0] - math.sqrt(ab) * mean) < 1e-10 and abs(v[0, 0] - (ab * var + 1 - ab)) < 1e-10


def test_variances_are_shaped_like_t_and_between_the_two_bounds():
    """0 at s = 0 but for the Gaussian-optimal one, which lies between that of a point and that of N(0, 1)."""
    t, s = np.array([2, 4, 6]), np.array([1, 0, 3])
    kinds = sampling.beta_tilde, sampling.gaussian_optimal(0.4), sampling.beta_of_step
    low, between, high = (var(S, t, s) for var in kinds)
    assert all(var.shape == (3,) and var.dtype == np.float64 for var in (low, between, high))
    assert low[1] == high[1] == 0 < between[1]
    assert np.all(low[[0, 2]] < between[[0, 2]]) and np.all(between[[0, 2]] < high[[0, 2]])
    for var, together in zip(kinds, (low, between, high)):
        for i in range(3):
            alone = var(S, int(t[i]), int(s[i]))
            assert np.shape(alone) == () and abs(alone - together[i]) < 1e-15
    for of, same in ((0.0, sampling.beta_tilde), (1.0, sampling.beta_of_step)):
        got = sampling.gaussian_optimal(of)(S, t[[0, 2]], s[[0, 2]])
        assert np.abs(got - same(S, t[[0, 2]], s[[0, 2]])).max() < 1e-15


def test_beta_of_step_is_beta_t_of_a_single_step():
    s = linear(1000)
    assert sampling.beta_of_step(s, 500, 499) == pytest.approx(s.beta[500], rel=1e-12)
    assert sampling.beta_of_step(S, 1, 0) == 0


@pytest.mark.parametrize(
    "step",
    [sampling.ddpm_step(), sampling.ddpm_step(sampling.beta_of_step), sampling.ddim_step()],
)
def test_steps_upwards_are_named(step):
    for t, s in ((3, 3), (3, 5), (np.array([4, 2]), np.array([1, 2]))):
        with pytest.raises(ValueError, match="s must be below t"):
            step(lambda x_t, t: x_t, S, np.ones((2, 2)), t, s, RowNoise(0))
    with pytest.raises(ValueError, match="s must be below t"):
        list(sample(step, denoisers(np.float64)["mixture"], S, np.ones((2, 2)), [3, 6, 0], RowNoise(0)))


@pytest.mark.parametrize("step", [sampling.ddpm_step(), sampling.ddim_step()])
def test_times_beyond_the_schedule_are_named(step):
    for t, s in ((7, 3), (3, -1)):
        with pytest.raises(ValueError, match="t must lie in 0..T = 6"):
            step(lambda x_t, t: x_t, S, np.ones((2, 2)), t, s, RowNoise(0))


@pytest.mark.parametrize("eta", [-0.1, 1.1, float("nan")])
def test_eta_outside_0_1_is_named(eta):
    with pytest.raises(ValueError, match=r"eta must lie in \[0, 1\]"):
        sampling.ddim_step(eta)
