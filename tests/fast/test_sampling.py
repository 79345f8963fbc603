"""The compiled loops against the readable one, on the same noise."""

import math

import numpy as np
import pytest
from support import (
    COARSE,
    DTYPES,
    STEPS,
    assert_mean,
    assert_variance,
    coarse,
    denoisers,
    expected,
    gaussian_moments,
    random_params,
)

from minidiff import exact, fast
from minidiff.continuous import ode, solvers
from minidiff.continuous.flow import FlowDenoiser
from minidiff.continuous.process import continuous
from minidiff.ddpm import sample
from minidiff.exact import Mixture
from minidiff.fast import sampling
from minidiff.fast.noise import RowNoise
from minidiff.fast.sampling import coefficients, generate
from minidiff.layers import in_one_vector
from minidiff.mlp import MLP
from minidiff.objective import Denoiser, v_prediction, x_0_prediction
from minidiff.sampling import ddim_step, ddpm_step, gaussian_optimal
from minidiff.schedule import from_betas

S = coarse()
X = np.random.default_rng(0).standard_normal((60, 3)).astype(np.float32)
T10 = np.linspace(0.01, 0.5, 10)


def test_gaussian_optimal_draws_at_the_last_step_too():
    """Samples started from the exact q(x_T) are the data, n = 2e5: sees 0.03 std of bias and 2 % of std."""
    data, rng = Mixture([1.0], [[0.8]], [[[0.36]]]), RowNoise(12)
    ab = S.alpha_bar[6]
    x_T = math.sqrt(ab) * 0.8 + math.sqrt(ab * 0.36 + 1 - ab) * rng.standard_normal((200_000, 1))
    x_0 = generate(ddpm_step(gaussian_optimal(0.36)), data.eps_theta(S), S, x_T, range(6, -1, -1), rng)
    assert_mean(x_0[:, 0], 0.8, 0.6)
    assert_variance(x_0[:, 0], 0.8, 0.36)


@pytest.mark.parametrize("name", STEPS)
def test_samples_have_the_recursions_moments(name):
    """generate with the exact denoiser, n = 2e5: sees 0.03 std of bias and 2 % of std."""
    s = from_betas(T10)
    data = Mixture([1.0], [[0.8]], [[[0.36]]])
    rng = RowNoise(11)
    x_0 = generate(
        STEPS[name], data.eps_theta(s), s, rng.standard_normal((200_000, 1)), range(10, -1, -1), rng
    )
    m, v = gaussian_moments(name, list(T10), 0.8, 0.36, list(range(10, -1, -1)))
    assert_mean(x_0[:, 0], m, math.sqrt(v))
    assert_variance(x_0[:, 0], m, v)


@pytest.mark.parametrize("name", STEPS)
@pytest.mark.parametrize("which", ["mixture", "mlp"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("rows", [3, 40])
def test_generate_is_the_end_of_sample(name, which, dtype, rows):
    eps_theta, ends = denoisers(dtype)[which], []
    for run in (generate, lambda *a: list(sample(*a))[-1]):
        rng = RowNoise(4)
        x_T = rng.standard_normal((rows, 2), dtype)
        ends.append(run(STEPS[name], eps_theta, S, x_T, [6, 5, 3, 2, 0], rng))
    assert ends[0].dtype == ends[1].dtype == dtype
    # each of 4 steps rounds numbers of size max|x|; a random MLP's stretches an error less than 4 times
    assert np.abs(ends[0] - ends[1]).max() < 4**4 * 8 * np.finfo(dtype).eps * max(1, np.abs(ends[1]).max())


@pytest.mark.parametrize("which", ["mixture", "mlp"])
def test_same_bits_for_any_number_of_threads(which, monkeypatch):
    ends = []
    for n in ("1", "2"):
        monkeypatch.setenv("MINIDIFF_THREADS", n)
        rng = RowNoise(4)
        x_T = rng.standard_normal((700, 2), np.float32)
        ends.append(generate(ddpm_step(), denoisers(np.float32)[which], S, x_T, range(6, -1, -1), rng))
    assert np.array_equal(*ends)


def test_a_sample_does_not_depend_on_how_many_are_drawn():
    """At a vector's end a row may round otherwise; each of 6 steps stretches that less than 4 times."""
    eps_theta, ends = denoisers(np.float64)["mixture"], []
    for n in (5, 300):
        r = RowNoise(4)
        ends.append(generate(ddpm_step(), eps_theta, S, r.standard_normal((n, 2)), range(6, -1, -1), r))
    few, many = ends
    assert np.abs(few - many[:5]).max() < 4**6 * 8 * np.finfo(np.float64).eps * np.abs(many).max()


def test_generate_walks_what_is_not_compiled():
    """A step that is not affine, a plain Generator, or a denoiser without a chain: the loop itself."""

    def clipped(eps_theta, schedule, x_t, t, s, rng):
        return np.clip(ddim_step()(eps_theta, schedule, x_t, t, s, rng), -1, 1)

    eps_theta, x_T = denoisers(np.float64)["mixture"], np.random.default_rng(0).standard_normal((5, 2))
    told = []
    assert np.abs(generate(clipped, eps_theta, S, x_T, [6, 3, 0], RowNoise(0), told.append)).max() <= 1
    assert sum(told) == 10
    told.clear()
    a = generate(ddim_step(), eps_theta, S, x_T, [6, 3, 0], np.random.default_rng(0), told.append)
    b = generate(ddim_step(), lambda x, t: eps_theta(x, t), S, x_T, [6, 3, 0], RowNoise(0))
    assert np.array_equal(a, b) and sum(told) == 10
    told.clear()
    generate(ddim_step(), eps_theta, S, x_T, [6, 3, 0], RowNoise(0), told.append)
    assert sum(told) == 10


@pytest.mark.parametrize("which", ["mixture", "mlp"])
@pytest.mark.parametrize("rows", [5, 50])
def test_a_start_of_the_wrong_width_is_named(which, rows):
    for width in (1, 3):
        with pytest.raises(ValueError, match=r"shape \(B, 2\)"):
            generate(
                ddim_step(), denoisers(np.float64)[which], S, np.zeros((rows, width)), [6, 0], RowNoise(0)
            )


def test_few_rows_and_many_agree_to_rounding():
    """Rows that no whole tile covers, and many, on the same noise."""
    ends = [
        generate(ddpm_step(), denoisers(np.float64)["mlp"], S, r.standard_normal((n, 2)), range(6, -1, -1), r)
        for n, r in ((5, RowNoise(4)), (300, RowNoise(4)))
    ]
    assert np.abs(ends[0] - ends[1][:5]).max() < 4**6 * 8 * np.finfo(np.float64).eps * np.abs(ends[1]).max()


ANSWERS = {
    "eps": lambda network: network,
    "x0": lambda network: Denoiser(network, x_0_prediction, continuous(S)),
    "v": lambda network: Denoiser(network, v_prediction, continuous(S)),
    "flow": lambda network: FlowDenoiser(network, continuous(S)),
}


@pytest.mark.parametrize("kind", ANSWERS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("rows", [3, 40])
@pytest.mark.parametrize(
    "step", [ddpm_step(), ddim_step(), solvers.pf_ode(ode.euler)], ids=["ddpm", "ddim", "euler"]
)
def test_the_compiled_chain_is_the_readable_loop(kind, dtype, rows, step):
    model, rng = MLP(2, 24, 2, 8), np.random.default_rng(3)
    params = {k: (0.3 * rng.standard_normal(s)).astype(dtype) for k, s in model.shapes.items()}
    eps_theta, ends = ANSWERS[kind](model.eps_theta(in_one_vector(params, model.shapes))), []
    assert sampling._chain_of(eps_theta) is not None
    for run in (generate, lambda *a: list(sample(*a))[-1]):
        rng = RowNoise(4)
        ends.append(run(step, eps_theta, S, rng.standard_normal((rows, 2), dtype), [6, 5, 3, 1, 0], rng))
    assert ends[0].dtype == ends[1].dtype == dtype
    # as for eps alone (4 steps, each stretches an error less than 4 times), with answers that weigh up to
    # 1 / sqrt(1 - ab_1) = 5
    assert np.abs(ends[0] - ends[1]).max() < 4**4 * 40 * np.finfo(dtype).eps * max(1, np.abs(ends[1]).max())


def test_steps_of_another_form_and_other_denoisers_take_the_readable_loop():
    mixture = exact.Mixture([0.5, 0.5], [[1.0, 0, 0], [-1, 0, 0]], [0.2 * np.eye(3)] * 2)

    def clipped(*args):
        return np.clip(ddim_step()(*args), -1, 1)

    def twice(f, s, x, t, u, rng):
        return ddim_step()(lambda x, t: (f(x, t) + f(0.9 * x, t)) / 2, s, x, t, u, rng)

    def whole(*args):
        return ddim_step(0.0 if args[4] > 2 else 1.0)(*args)

    times = np.array([6, 5, 3, 2, 1, 0])
    for step, compiled in ((clipped, False), (twice, False), (whole, True), (ddpm_step(), True)):
        assert (sampling._coefficients(step, S, times) is not None) == compiled
        for eps_theta in (mixture.eps_theta(S), lambda x, t: 0.5 * x):
            ends = [fast.generate(step, eps_theta, S, X, times, fast.RowNoise(1)),
                    list(sample(step, eps_theta, S, X, times, fast.RowNoise(1)))[-1]]  # fmt: skip
            # five steps, each a few roundings of numbers of about 3, stretched by 1 / sqrt(alpha) < 2
            assert np.abs(ends[0] - ends[1]).max() < 2**5 * 5 * 10 * 3 * np.finfo(np.float32).eps


@pytest.mark.parametrize("name", STEPS)
def test_coefficients_are_those_of_the_step(name):
    """Against the step by way of x_0_hat, for all pairs s < t at once and one by one; numbers below 10."""
    pairs = [(t, s) for t in range(1, 7) for s in range(t)]
    together, _ = coefficients(STEPS[name], S, *np.array(pairs).T)
    for k, (t, s) in enumerate(pairs):
        want = [expected(name, COARSE, t, s, *unit) for unit in ((1, 0, 0), (0, 1, 0), (0, 0, 1))]
        alone, drawn = coefficients(STEPS[name], S, t, s)
        assert np.abs(together[k] - want).max() < 1e-12 and np.abs(alone[0] - want).max() < 1e-12
        assert drawn == (want[2] > 0)


def draws_twice(f, schedule, x_t, t, s, rng):
    return 0.5 * x_t + f(x_t, t) + rng.standard_normal(x_t.shape) + rng.standard_normal(x_t.shape)


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (lambda f, S, x, t, s, rng: f(x, t) + f(x, t), "it asks 2, draws 0"),
        (lambda f, S, x, t, s, rng: f(0.9 * x, t), "must ask the denoiser about x_t once"),
        (lambda f, S, x, t, s, rng: f(x, s), "must ask the denoiser about x_t once"),
        (draws_twice, "it asks 1, draws 2"),
        (lambda f, S, x, t, s, rng: np.clip(f(x, t), -1, 1), "not a sum of x_t, eps_hat and z"),
    ],
)
def test_coefficients_of_a_step_of_another_form_are_refused(step, words):
    with pytest.raises(ValueError, match=words):
        coefficients(step, S, 4, 2)


@pytest.mark.parametrize("kind", ANSWERS)
def test_noise_that_comes_in_pieces(kind, monkeypatch):
    """Rows so long that the noise of two steps fills what is drawn at a time; two blocks of rows."""
    d, model = 2**10, MLP(2**10, 8, 1, 4)
    eps_theta = ANSWERS[kind](model.eps_theta(random_params(model, np.random.default_rng(0), np.float32)))
    x_T, step = RowNoise(0).standard_normal((150, d), np.float32), ddpm_step()
    pieces, real = [], RowNoise.at
    monkeypatch.setattr(RowNoise, "at", lambda *args: pieces.append(args[2]) or real(*args))
    got = generate(step, eps_theta, S, x_T, range(6, -1, -1), RowNoise(1), say=pytest.fail)
    assert max(pieces) == 2 and pieces[-1] == 1
    *_, want = sample(step, eps_theta, S, x_T, range(6, -1, -1), RowNoise(1))
    # as above, of 6 steps; sums of 2^10 numbers of random sign lose about 2^5
    assert np.abs(got - want).max() < 4**6 * 40 * np.finfo(np.float32).eps * max(1, np.abs(want).max())


def test_noise_of_another_dtype_than_the_parameters():
    """float32 parameters, float64 noise as a RowNoise draws it: both loops count in float64."""
    model, rng = MLP(2, 24, 1, 8), np.random.default_rng(0)
    params = {k: (rng.standard_normal(s) / 4).astype(np.float32) for k, s in model.shapes.items()}
    x_T, times = RowNoise(0).standard_normal((20, 2)), np.array([6, 4, 1, 0])
    eps_theta = model.eps_theta(in_one_vector(params, model.shapes))
    *_, want = sample(ddpm_step(), eps_theta, S, x_T, times, RowNoise(1))
    got = generate(ddpm_step(), eps_theta, S, x_T, times, RowNoise(1), say=pytest.fail)
    # the readable code embeds the time in x_t's dtype too; sums of 24 numbers, through 3 layers and 3 steps
    assert got.dtype == np.float64
    assert np.abs(got - want).max() < 24 * 9 * np.finfo(float).eps * np.abs(want).max()
