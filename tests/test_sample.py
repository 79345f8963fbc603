import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import DTYPES, assert_mean, assert_variance, betas, coarse, product_of_alphas, seeds

from minidiff import recursion, sample
from minidiff.exact import Mixture
from minidiff.fast.noise import RowNoise
from minidiff.fast.sampling import generate
from minidiff.mlp import MLP
from minidiff.schedule import from_betas, linear, linear_scaled

S = coarse()
STEPS = {
    "ddpm(beta)": sample.ddpm(sample.beta),
    "ddpm(beta-tilde)": sample.ddpm(sample.beta_tilde),
    "ddim(0)": sample.ddim(0.0),
    "ddim(0.5)": sample.ddim(0.5),
    "ddim(1)": sample.ddim(1.0),
}


class Returns:
    """An rng that returns the z it was given, and remembers that it was asked."""

    def __init__(self, z):
        self.z, self.asked = z, False

    def standard_normal(self, shape, dtype):
        self.asked = True
        return np.full(shape, self.z, dtype)


def expected(name, b, t, s, x_t, eps_hat, z):
    """x_s by way of x_0_hat and the posterior (ddpm) or of the DDIM family: never the formula the step uses."""
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


@pytest.mark.parametrize("name", STEPS)
@given(b=betas, x=st.floats(-3, 3), e=st.floats(-3, 3), z=st.floats(-3, 3), data=st.data())
def test_steps_by_probing(name, b, x, e, z, data):
    t = data.draw(st.integers(1, len(b)))
    s = data.draw(st.integers(0, t - 1))
    got = STEPS[name](lambda x_t, t: np.full_like(x_t, e), from_betas(b), np.array([[x]]), t, s, Returns(z))[0, 0]
    # dividing by sqrt(ab_t) >= 0.4^4 = 0.026 and by 1 - ab_t >= 0.001 enlarges roundings of 1e-16 that much
    assert abs(got - expected(name, b, t, s, x, e, z)) < 1e-10


@given(betas, seeds)
def test_ddim_with_eta_1_is_ddpm_with_beta_tilde(b, seed):
    s, eps_theta = (
        from_betas(b),
        Mixture([0.4, 0.6], [[1.0, 0], [-1, 0.5]], np.tile(0.1 * np.eye(2), (2, 1, 1))).eps_theta(from_betas(b)),
    )
    x_T = np.random.default_rng(seed).standard_normal((4, 2))
    ends = [
        list(sample.sample(step, eps_theta, s, x_T, range(s.T, -1, -1), RowNoise(seed)))[-1]
        for step in (sample.ddim(1.0), sample.ddpm())
    ]
    assert np.abs(ends[0] - ends[1]).max() < 1e-10


@pytest.mark.parametrize("name", STEPS)
def test_the_last_step_adds_no_noise(name):
    rng = Returns(5.0)
    STEPS[name](lambda x_t, t: 0.3 * x_t, S, np.ones((2, 2)), 1, 0, rng)
    assert not rng.asked
    STEPS[name](lambda x_t, t: 0.3 * x_t, S, np.ones((2, 2)), 3, 2, rng)
    assert rng.asked == (name != "ddim(0)")


@pytest.mark.parametrize("name", STEPS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_steps_keep_the_dtype_and_take_a_time_for_each_row(name, dtype):
    x = np.linspace(-1, 1, 6).astype(dtype).reshape(3, 2)
    t, s = np.array([2, 4, 6]), np.array([1, 2, 3])
    together = STEPS[name](lambda x_t, t: 0.5 * x_t, S, x, t, s, Returns(0.7))
    assert together.dtype == dtype
    for i in range(3):
        alone = STEPS[name](lambda x_t, t: 0.5 * x_t, S, x[i : i + 1], int(t[i]), int(s[i]), Returns(0.7))
        assert np.allclose(together[i], alone[0], rtol=20 * np.finfo(dtype).eps)


def test_grids():
    assert sample.trailing(1000, 50).tolist() == list(range(1000, 0, -20)) + [0]
    assert sample.leading(1000, 50).tolist() == list(range(981, 0, -20)) + [0]
    assert sample.linspace(1000, 50).tolist() == [*np.round(np.linspace(1, 1000, 50)).astype(int)[::-1].tolist(), 0]
    for grid in sample.SPACINGS.values():
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
    for grid in sample.SPACINGS.values():
        times = grid(T, steps)
        assert len(times) == steps + 1 and times[-1] == 0 and times[0] <= T and np.all(np.diff(times) < 0)


def gaussian_moments(name, b, mean, var, times):
    """E and Var of x_s down the chain for N(mean, var) data, by conditional expectations: another road than recursion.py's."""
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
    means, covs = recursion.moments(sample.ddpm(sample.gaussian_optimal(var)), s, [mean], [[var]], times, start)
    for k, m, v in zip(times, means, covs):
        ab = product_of_alphas(b, k)
        assert abs(m[0] - math.sqrt(ab) * mean) < 1e-10 and abs(v[0, 0] - (ab * var + 1 - ab)) < 1e-10


def test_gaussian_optimal_draws_at_the_last_step_too():
    """Samples started from the exact q(x_T) are the data, n = 2e5: sees 0.03 std of bias and 2 % of std."""
    data, rng = Mixture([1.0], [[0.8]], [[[0.36]]]), RowNoise(12)
    ab = S.alpha_bar[6]
    x_T = math.sqrt(ab) * 0.8 + math.sqrt(ab * 0.36 + 1 - ab) * rng.standard_normal((200_000, 1))
    x_0 = generate(sample.ddpm(sample.gaussian_optimal(0.36)), data.eps_theta(S), S, x_T, range(6, -1, -1), rng)
    assert_mean(x_0[:, 0], 0.8, 0.6)
    assert_variance(x_0[:, 0], 0.8, 0.36)


@pytest.mark.parametrize("var", [-0.1, float("nan"), float("inf")])
def test_a_data_variance_that_is_none_is_named(var):
    with pytest.raises(ValueError, match="data_var must be finite and at least 0"):
        sample.gaussian_optimal(var)


T10 = np.linspace(0.01, 0.5, 10)
CHAINS = [
    (T10, range(10, -1, -1)),
    (linear_scaled(100).beta[1:], range(100, -1, -1)),
    (T10, [10, 7, 4, 1, 0]),
    (T10, [9, 3, 0]),
]


@pytest.mark.parametrize("name", STEPS)
@pytest.mark.parametrize("chain", range(len(CHAINS)))
def test_recursion_through_whole_chains(name, chain):
    b, times = list(CHAINS[chain][0]), list(CHAINS[chain][1])
    means, covs = recursion.moments(STEPS[name], from_betas(b), [0.8, -0.5], np.diag([0.36, 2.0]), times)
    for i, (mean, var) in enumerate(((0.8, 0.36), (-0.5, 2.0))):
        m, v = gaussian_moments(name, b, mean, var, times)
        assert abs(means[-1][i] - m) < 1e-11 and abs(covs[-1][i, i] - v) < 1e-11
    assert abs(covs[-1][0, 1]) < 1e-13 and len(means) == len(times)


def test_recursion_turns_with_the_data():
    """Rotating the data rotates the outcome: the covariance's off-diagonal part is right too."""
    c, s = math.cos(0.5), math.sin(0.5)
    R, cov, mean = np.array([[c, -s], [s, c]]), np.diag([0.3, 1.5]), np.array([0.4, -1.0])
    straight = recursion.moments(sample.ddpm(), S, mean, cov, range(6, -1, -1))
    turned = recursion.moments(sample.ddpm(), S, R @ mean, R @ cov @ R.T, range(6, -1, -1))
    assert np.allclose(turned[0][-1], R @ straight[0][-1], atol=1e-12)
    assert np.allclose(turned[1][-1], R @ straight[1][-1] @ R.T, atol=1e-12)


def test_recursion_from_the_true_start_is_the_truth_for_one_point():
    """Data that are one point, started from the exact q(x_T): beta-tilde is the true variance, q(x_s) comes out."""
    times = range(6, -1, -1)
    ab = S.alpha_bar[6]
    start = (np.array([math.sqrt(ab) * 1.7]), np.array([[1 - ab]]))
    means, covs = recursion.moments(sample.ddpm(), S, [1.7], [[0.0]], times, start)
    for s, m, v in zip(times, means, covs):
        assert abs(m[0] - math.sqrt(S.alpha_bar[s]) * 1.7) < 1e-12 and abs(v[0, 0] - (1 - S.alpha_bar[s])) < 1e-12


@pytest.mark.parametrize(
    ("T", "s2", "step", "var", "digit"),
    [
        (100, 1, sample.ddpm(sample.beta), 0.999, 5e-4), (100, 1, sample.ddpm(), 0.921, 5e-4),
        (100, 1, sample.ddim(), 0.963, 5e-4), (100, 0.25, sample.ddpm(sample.beta), 0.2578, 5e-5),
        (100, 0.25, sample.ddpm(), 0.2192, 5e-5), (1000, 0.25, sample.ddpm(sample.beta), 0.25075, 5e-6),
        (1000, 0.25, sample.ddpm(), 0.24613, 6e-6),
    ],
)  # fmt: skip
def test_recursion_has_the_values_found_elsewhere(T, s2, step, var, digit):
    covs = recursion.moments(step, linear_scaled(T), [0.0], [[s2]], range(T, -1, -1))[1]
    assert abs(covs[-1][0, 0] - var) < digit


@pytest.mark.parametrize(("spacing", "std"), [("leading", 0.127), ("trailing", 0.124), ("linspace", 0.127)])
def test_ddim_in_50_steps_by_spacing(spacing, std):
    covs = recursion.moments(sample.ddim(), linear(1000), [0.2], [[0.15**2]], sample.SPACINGS[spacing](1000, 50))[1]
    assert abs(math.sqrt(covs[-1][0, 0]) - std) < 5e-4


@pytest.mark.parametrize("name", STEPS)
def test_samples_have_the_recursions_moments(name):
    """generate with the exact denoiser, n = 2e5: sees 0.03 std of bias and 2 % of std."""
    s = from_betas(T10)
    data = Mixture([1.0], [[0.8]], [[[0.36]]])
    rng = RowNoise(11)
    x_0 = generate(STEPS[name], data.eps_theta(s), s, rng.standard_normal((200_000, 1)), range(10, -1, -1), rng)
    m, v = gaussian_moments(name, list(T10), 0.8, 0.36, list(range(10, -1, -1)))
    assert_mean(x_0[:, 0], m, math.sqrt(v))
    assert_variance(x_0[:, 0], m, v)


def denoisers(dtype):
    """An exact mixture and a random MLP."""
    model, rng = MLP(2, 24, 2, 8), np.random.default_rng(3)
    params = {k: (0.3 * rng.standard_normal(s)).astype(dtype) for k, s in model.shapes.items()}
    mixture = Mixture([0.3, 0.7], [[1.0, 0], [-1, 2]], [0.1 * np.eye(2), [[0.3, 0.1], [0.1, 0.2]]])
    return {"mixture": mixture.eps_theta(S), "mlp": model.eps_theta(params)}


@pytest.mark.parametrize("name", STEPS)
@pytest.mark.parametrize("which", ["mixture", "mlp"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("rows", [3, 40])
def test_generate_is_the_end_of_sample(name, which, dtype, rows):
    eps_theta, ends = denoisers(dtype)[which], []
    for run in (generate, lambda *a: list(sample.sample(*a))[-1]):
        rng = RowNoise(4)
        x_T = rng.standard_normal((rows, 2), dtype)
        ends.append(run(STEPS[name], eps_theta, S, x_T, [6, 5, 3, 2, 0], rng))
    assert ends[0].dtype == ends[1].dtype == dtype
    # each of 4 steps rounds numbers of size max|x|; a step with a random MLP stretches an error less than 4 times
    assert np.abs(ends[0] - ends[1]).max() < 4**4 * 8 * np.finfo(dtype).eps * max(1, np.abs(ends[1]).max())


@pytest.mark.parametrize("which", ["mixture", "mlp"])
def test_same_bits_for_any_number_of_threads(which, monkeypatch):
    ends = []
    for n in ("1", "2"):
        monkeypatch.setenv("MINIDIFF_THREADS", n)
        rng = RowNoise(4)
        x_T = rng.standard_normal((700, 2), np.float32)
        ends.append(generate(sample.ddpm(), denoisers(np.float32)[which], S, x_T, range(6, -1, -1), rng))
    assert np.array_equal(*ends)


def test_a_sample_does_not_depend_on_how_many_are_drawn():
    """A row may round otherwise at a vector's end than in its middle; each of 6 steps stretches that less than 4 times."""
    few, many = (
        generate(sample.ddpm(), denoisers(np.float64)["mixture"], S, r.standard_normal((n, 2)), range(6, -1, -1), r)
        for n, r in ((5, RowNoise(4)), (300, RowNoise(4)))
    )
    assert np.abs(few - many[:5]).max() < 4**6 * 8 * np.finfo(np.float64).eps * np.abs(many).max()


def test_generate_walks_what_is_not_compiled():
    """A step that is not affine, a plain Generator, or a denoiser without a chain: the loop itself."""

    def clipped(eps_theta, schedule, x_t, t, s, rng):
        return np.clip(sample.ddim()(eps_theta, schedule, x_t, t, s, rng), -1, 1)

    eps_theta, x_T = denoisers(np.float64)["mixture"], np.random.default_rng(0).standard_normal((5, 2))
    told = []
    assert np.abs(generate(clipped, eps_theta, S, x_T, [6, 3, 0], RowNoise(0), told.append)).max() <= 1
    assert sum(told) == 10
    told.clear()
    a = generate(sample.ddim(), eps_theta, S, x_T, [6, 3, 0], np.random.default_rng(0), told.append)
    b = generate(sample.ddim(), lambda x, t: eps_theta(x, t), S, x_T, [6, 3, 0], RowNoise(0))
    assert np.array_equal(a, b) and sum(told) == 10
    told.clear()
    generate(sample.ddim(), eps_theta, S, x_T, [6, 3, 0], RowNoise(0), told.append)
    assert sum(told) == 10


@pytest.mark.parametrize("times", [[0, 3, 6], [6, -1], [7, 0], [0], [6, 6, 0], [[6, 0]]])
def test_times_that_do_not_descend_are_named(times):
    for run in (generate, lambda *a: list(sample.sample(*a))):
        with pytest.raises(ValueError, match="times must descend"):
            run(sample.ddim(), denoisers(np.float64)["mixture"], S, np.zeros((2, 2)), times, RowNoise(0))


@pytest.mark.parametrize("x_T", [np.zeros(3), np.zeros((0, 2)), np.zeros((2, 2), int)])
def test_a_start_of_the_wrong_shape_is_named(x_T):
    with pytest.raises(ValueError, match="x_T must be a float array"):
        generate(sample.ddim(), denoisers(np.float64)["mixture"], S, x_T, [6, 0], RowNoise(0))


@pytest.mark.parametrize("which", ["mixture", "mlp"])
@pytest.mark.parametrize("rows", [5, 50])
def test_a_start_of_the_wrong_width_is_named(which, rows):
    for width in (1, 3):
        with pytest.raises(ValueError, match=r"shape \(B, 2\)"):
            generate(sample.ddim(), denoisers(np.float64)[which], S, np.zeros((rows, width)), [6, 0], RowNoise(0))


@pytest.mark.parametrize("step", [sample.ddpm(), sample.ddpm(sample.beta), sample.ddim()])
def test_steps_upwards_are_named(step):
    for t, s in ((3, 3), (3, 5)):
        with pytest.raises(ValueError, match="s must be below t"):
            step(lambda x_t, t: x_t, S, np.ones((2, 2)), t, s, RowNoise(0))
    with pytest.raises(ValueError, match="times must descend"):
        recursion.moments(step, S, [0.0], [[1.0]], [0, 3, 6])


def test_recursion_refuses_a_step_that_is_not_affine():
    def clipped(*args):
        return np.clip(sample.ddim()(*args), -1, 1)

    with pytest.raises(ValueError, match="not affine"):
        recursion.moments(clipped, S, [0.5], [[1.0]], [6, 3, 0])
    assert np.allclose(
        recursion.moments(sample.ddim(), S, 0.5, 1.0, [6, 3, 0])[1][-1],
        recursion.moments(sample.ddim(), S, [0.5], [[1.0]], [6, 3, 0])[1][-1],
    )


def test_few_rows_and_many_agree_to_rounding():
    """The kernel for few rows and BLAS for many, on the same noise."""
    ends = [
        generate(sample.ddpm(), denoisers(np.float64)["mlp"], S, r.standard_normal((n, 2)), range(6, -1, -1), r)
        for n, r in ((5, RowNoise(4)), (300, RowNoise(4)))
    ]
    assert np.abs(ends[0] - ends[1][:5]).max() < 4**6 * 8 * np.finfo(np.float64).eps * np.abs(ends[1]).max()


def test_a_variance_that_is_no_function_is_named():
    with pytest.raises(TypeError, match="var must be a function"):
        sample.ddpm("beta")


@pytest.mark.parametrize("eta", [-0.1, 1.1, float("nan"), "0.5"])
def test_eta_outside_0_1_is_named(eta):
    with pytest.raises(ValueError, match=r"eta must lie in \[0, 1\]"):
        sample.ddim(eta)


def test_evaluations_counts_what_a_step_asks():
    times = [6, 5, 3, 1, 0]
    assert sample.evaluations(sample.ddim(), S, times) == 4
    twice = lambda f, s, x, t, u, rng: f(x, t) + f(x, t)  # noqa: E731
    assert sample.evaluations(twice, S, times) == 8
    assert sample.evaluations(sample.Multistep(lambda f, s, x, times, rng: iter([f(x, 6)])), S, times) == 1
