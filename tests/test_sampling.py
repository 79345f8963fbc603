import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import DTYPES, STEPS, Given, betas, coarse, denoisers, expected, product_of_alphas, seeds

from minidiff import recursion, sample
from minidiff.continuous.solvers import evaluations
from minidiff.exact import Mixture
from minidiff.fast.noise import RowNoise
from minidiff.fast.sampling import generate
from minidiff.schedule import from_betas

S = coarse()
SPACINGS = [sample.trailing, sample.leading, sample.linspace]


@pytest.mark.parametrize("name", STEPS)
@given(b=betas, x=st.floats(-3, 3), e=st.floats(-3, 3), z=st.floats(-3, 3), data=st.data())
def test_steps_by_probing(name, b, x, e, z, data):
    t = data.draw(st.integers(1, len(b)))
    s = data.draw(st.integers(0, t - 1))
    got = STEPS[name](lambda x_t, t: np.full_like(x_t, e), from_betas(b), np.array([[x]]), t, s, Given(z))[
        0, 0
    ]
    # dividing by sqrt(ab_t) >= 0.4^4 = 0.026 and by 1 - ab_t >= 0.001 enlarges roundings of 1e-16 that much
    assert abs(got - expected(name, b, t, s, x, e, z)) < 1e-10


@given(betas, seeds)
def test_ddim_with_eta_1_is_ddpm_with_beta_tilde(b, seed):
    s, eps_theta = (
        from_betas(b),
        Mixture([0.4, 0.6], [[1.0, 0], [-1, 0.5]], np.tile(0.1 * np.eye(2), (2, 1, 1))).eps_theta(
            from_betas(b)
        ),
    )
    x_T = np.random.default_rng(seed).standard_normal((4, 2))
    ends = [
        list(sample.sample(step, eps_theta, s, x_T, range(s.T, -1, -1), RowNoise(seed)))[-1]
        for step in (sample.ddim(1.0), sample.ddpm())
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
    assert sample.trailing(1000, 50).tolist() == list(range(1000, 0, -20)) + [0]
    assert sample.leading(1000, 50).tolist() == list(range(981, 0, -20)) + [0]
    assert sample.linspace(1000, 50).tolist() == [
        *np.round(np.linspace(1, 1000, 50)).astype(int)[::-1].tolist(),
        0,
    ]
    for grid in SPACINGS:
        assert grid(7, 7).tolist() == [7, 6, 5, 4, 3, 2, 1, 0]
        assert len(grid(10, 1)) == 2
        for steps in (0, -1, 11):
            with pytest.raises(ValueError, match=rf"steps must lie in 1..T = 10, got {steps}"):
                grid(10, steps)
    assert sample.trailing(10, 4).tolist() == [10, 8, 5, 2, 0]
    assert sample.trailing(10, 1).tolist() == [10, 0] and sample.linspace(10, 1).tolist() == [10, 0]


@given(st.integers(1, 60), st.data())
def test_grids_descend_to_0(T, data):
    steps = data.draw(st.integers(1, T))
    for grid in SPACINGS:
        times = grid(T, steps)
        assert len(times) == steps + 1 and times[-1] == 0 and times[0] <= T and np.all(np.diff(times) < 0)


@given(betas, st.floats(-2, 2), st.floats(0, 2), st.data())
def test_gaussian_optimal_is_the_variance_of_the_true_reverse_step(b, mean, var, data):
    """Var(x_s | x_t) from the joint Gaussian of (x_s, x_t), for any s < t; and then every q(x_s) comes out exactly."""
    s = from_betas(b)
    t = data.draw(st.integers(1, len(b)))
    for before in range(t):
        var_s, var_t = (product_of_alphas(b, k) * var + 1 - product_of_alphas(b, k) for k in (before, t))
        both = math.sqrt(product_of_alphas(b, t) / product_of_alphas(b, before)) * var_s  # Cov(x_s, x_t)
        # 1 - ab_t >= 0.001 enlarges roundings
        assert abs(sample.gaussian_optimal(var)(s, t, before) - (var_s - both**2 / var_t)) < 1e-12
    times = [t, *sorted(data.draw(st.sets(st.integers(0, t - 1))) | {0}, reverse=True)]
    ab = product_of_alphas(b, t)
    start = np.array([math.sqrt(ab) * mean]), np.array([[ab * var + 1 - ab]])
    means, covs = recursion.moments(
        sample.ddpm(sample.gaussian_optimal(var)), s, [mean], [[var]], times, start
    )
    for k, m, v in zip(times, means, covs):
        ab = product_of_alphas(b, k)
        assert abs(m[0] - math.sqrt(ab) * mean) < 1e-10 and abs(v[0, 0] - (ab * var + 1 - ab)) < 1e-10


@pytest.mark.parametrize("var", [-0.1, float("nan"), float("inf")])
def test_a_data_variance_that_is_none_is_named(var):
    with pytest.raises(ValueError, match="data_var must be finite and at least 0"):
        sample.gaussian_optimal(var)


@pytest.mark.parametrize("times", [[0, 3, 6], [6, -1], [7, 0], [0], [6, 6, 0], [[6, 0]]])
def test_times_that_do_not_descend_are_named(times):
    for run in (generate, lambda *a: list(sample.sample(*a))):
        with pytest.raises(ValueError, match="times must descend"):
            run(sample.ddim(), denoisers(np.float64)["mixture"], S, np.zeros((2, 2)), times, RowNoise(0))


@pytest.mark.parametrize("x_T", [np.zeros(3), np.zeros((0, 2)), np.zeros((2, 2), int)])
def test_a_start_of_the_wrong_shape_is_named(x_T):
    with pytest.raises(ValueError, match="x_T must be a float array"):
        generate(sample.ddim(), denoisers(np.float64)["mixture"], S, x_T, [6, 0], RowNoise(0))


@pytest.mark.parametrize("step", [sample.ddpm(), sample.ddpm(sample.beta), sample.ddim()])
def test_steps_upwards_are_named(step):
    for t, s in ((3, 3), (3, 5)):
        with pytest.raises(ValueError, match="s must be below t"):
            step(lambda x_t, t: x_t, S, np.ones((2, 2)), t, s, RowNoise(0))
    with pytest.raises(ValueError, match="times must descend"):
        recursion.moments(step, S, [0.0], [[1.0]], [0, 3, 6])


def test_a_variance_that_is_no_function_is_named():
    with pytest.raises(TypeError, match="var must be a function"):
        sample.ddpm("beta")


@pytest.mark.parametrize("eta", [-0.1, 1.1, float("nan"), "0.5"])
def test_eta_outside_0_1_is_named(eta):
    with pytest.raises(ValueError, match=r"eta must lie in \[0, 1\]"):
        sample.ddim(eta)


def test_evaluations_counts_what_a_step_asks():
    times = [6, 5, 3, 1, 0]
    assert evaluations(sample.ddim(), S, times) == 4
    twice = lambda f, s, x, t, u, rng: f(x, t) + f(x, t)  # noqa: E731
    assert evaluations(twice, S, times) == 8
    assert evaluations(sample.Multistep(lambda f, s, x, times, rng: iter([f(x, 6)])), S, times) == 1
