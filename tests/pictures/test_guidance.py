"""guidance: on mixtures, where the guided density is known, and on Gaussians, where inpainting's bias is."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import (
    COARSE,
    DTYPES,
    Given,
    assert_mean,
    assert_variance,
    coarse,
    product_of_alphas,
    random_params,
    seeds,
)

from minidiff.continuous.flow import FlowDenoiser, velocity_of, velocity_prediction
from minidiff.ddpm import sample
from minidiff.evaluation.recursion import moments
from minidiff.exact import Mixture
from minidiff.objective import Denoiser, eps_prediction, v_prediction, x_0_prediction
from minidiff.philox import RowNoise
from minidiff.pictures import guidance
from minidiff.pictures.guidance import inpainting
from minidiff.pictures.unet import UNet
from minidiff.sampling import ddim_step, ddpm_step
from minidiff.schedule import from_betas

S = coarse()
COV = np.array([[[1.0, 0.3], [0.3, 0.5]], [[0.2, -0.1], [-0.1, 0.4]], [[0.7, 0.0], [0.0, 0.1]]])
M = Mixture(np.array([0.5, 0.2, 0.3]), np.array([[1.0, 0.5], [-1.0, 0.0], [0.5, -1.5]]), COV)
weights = st.floats(-1, 8)
times = st.integers(1, len(COARSE))


def part(y):
    return Mixture(np.ones(1), M.mean[y : y + 1], M.cov[y : y + 1])


def log_q(x, t, y):
    """log q(x_t = x | y), from the definition of a Gaussian."""
    ab = product_of_alphas(COARSE, t)
    cov = ab * COV[y] + (1 - ab) * np.eye(2)
    off = x - math.sqrt(ab) * M.mean[y]
    return -0.5 * off @ np.linalg.solve(cov, off) - 0.5 * math.log(np.linalg.det(2 * np.pi * cov))


def log_p(x, t, y):
    """log p(y | x_t = x), by Bayes."""
    joint = [M.weight[k] * math.exp(log_q(x, t, k)) for k in range(3)]
    return math.log(joint[y] / sum(joint))


def gradient(f, x, h=1e-4):
    """By four points: off by h^4 f^(5) / 30 and a few 1e-16 f / h, both below 1e-10 here."""
    e = h * np.eye(2)
    return np.array([(8 * (f(x + d) - f(x - d)) - f(x + 2 * d) + f(x - 2 * d)) / (12 * h) for d in e])


@settings(max_examples=30)
@given(seeds, times, st.integers(0, 2), weights)
def test_classifier_free_on_a_mixture_is_the_score_of_the_sharpened_density(seed, t, y, w):
    """grad log (q(x) p(y | x)^w), times -sqrt(1 - ab_t). 1e-8: above the differences' error, times w."""
    x = np.random.default_rng(seed).standard_normal((3, 2))
    got = guidance.classifier_free(part(y).eps_theta(S), M.eps_theta(S), w)(x, t)

    def log_guided(a):
        q = sum(M.weight[k] * math.exp(log_q(a, t, k)) for k in range(3))
        return math.log(q) + w * log_p(a, t, y)

    for a, eps_hat in zip(x, got):
        assert (
            np.abs(eps_hat + math.sqrt(1 - product_of_alphas(COARSE, t)) * gradient(log_guided, a)).max()
            < 1e-8
        )


class MixtureClassifier:
    """p(y | x_t) for the components y of M, which cannot be wrong: w_y q(x_t | y) / q(x_t), by Bayes."""

    def __init__(self, y):
        self.weight, self.component = M.weight[y], part(y)

    def log_prob(self, x_t, t):
        return np.log(self.weight) + self.component.log_prob(S, x_t, t) - M.log_prob(S, x_t, t)

    def grad(self, x_t, t):
        return self.component.score(S, x_t, t) - M.score(S, x_t, t)


@settings(max_examples=30)
@given(seeds, times, st.integers(0, 2), weights)
def test_with_the_exact_classifier_both_guidances_are_one(seed, t, y, w):
    """eps_u + w (eps_c - eps_u) = eps_u - w sqrt(1 - ab_t) grad log p(y | x_t), to rounding of 1 + |w|."""
    x, judge = 2 * np.random.default_rng(seed).standard_normal((5, 2)), MixtureClassifier(y)
    free = guidance.classifier_free(part(y).eps_theta(S), M.eps_theta(S), w)(x, t)
    assert np.abs(guidance.classifier(M.eps_theta(S), judge.grad, S, w)(x, t) - free).max() < 1e-11


@settings(max_examples=30)
@given(seeds, times)
def test_the_mixtures_classifier_is_bayes(seed, t):
    x = np.random.default_rng(seed).standard_normal((4, 2))
    judges = [MixtureClassifier(y) for y in range(3)]
    assert np.abs(sum(np.exp(j.log_prob(x, t)) for j in judges) - 1).max() < 1e-12
    for y, j in enumerate(judges):
        assert np.abs(j.log_prob(x, t) - [log_p(a, t, y) for a in x]).max() < 1e-11
        slope = j.grad(x, t)
        for a, g in zip(x, slope):
            assert np.abs(gradient(lambda a, j=j: float(j.log_prob(a[None], t)[0]), a) - g).max() < 1e-8


@pytest.mark.parametrize("dtype", DTYPES)
def test_no_weight_and_weight_1_are_the_plain_denoisers(dtype):
    """And only the one that counts is asked; other weights keep the dtype."""
    asked = []

    def says(name, value):
        return lambda x_t, t: (asked.append(name), np.full_like(x_t, value))[1]

    x = np.zeros((2, 3), dtype)
    for w, name, value in ((0, "u", 1.0), (0.0, "u", 1.0), (1, "c", 5.0), (1.0, "c", 5.0)):
        assert np.all(guidance.classifier_free(says("c", 5), says("u", 1), w)(x, 3) == value)
        assert set(asked) == {name}
        asked.clear()
    eps_hat = guidance.classifier_free(says("c", 5), says("u", 1), 2.5)(x, 3)
    assert np.all(eps_hat == 11) and eps_hat.dtype == dtype and sorted(asked) == ["c", "u"]
    assert guidance.classifier(says("u", 1), lambda x_t, t: x_t, S, 2.0)(x, 3).dtype == dtype


@pytest.mark.parametrize("w", [math.nan, math.inf, -math.inf])
def test_a_weight_that_is_not_finite_is_named(w):
    for f in (guidance.check_weight, lambda w: guidance.classifier_free(None, None, w),
              lambda w: guidance.classifier(None, None, S, w)):  # fmt: skip
        with pytest.raises(ValueError, match=f"w must be a finite number, got {w}"):
            f(w)


OBJECTIVES = {"eps": eps_prediction, "x0": x_0_prediction, "v": v_prediction, "flow": velocity_prediction}


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_guiding_the_answer_is_guiding_eps(objective):
    """The network's answer is affine in eps_hat with weights that no label enters: either can be combined."""
    model = UNet(4, width=4, depth=1, labels=3)
    params = random_params(model, np.random.default_rng(0))
    x = np.random.default_rng(1).standard_normal((4, 16))

    def eps_theta(network):
        if objective == "flow":
            return FlowDenoiser(network, S)
        return Denoiser(network, OBJECTIVES[objective], S)

    def guided(label, w):
        return guidance.classifier_free(model.eps_theta(params, label), model.eps_theta(params), w)

    label = np.array([0, 2, 1, 1])
    for t in (1, 4, 6):
        u, c = (eps_theta(model.eps_theta(params, known))(x, t) for known in (None, label))
        assert np.abs(u - c).max() > 1e-2  # the label matters
        for w in (-0.5, 0.0, 1.0, 3.0):
            # a dozen roundings of numbers of this size
            apart = np.abs(eps_theta(guided(label, w))(x, t) - (u + w * (c - u))).max()
            assert apart <= 1e-13 * np.abs(u).max() * (1 + abs(w))
    for k, row in enumerate(label):  # one label for all, and one a row
        one, all_rows = eps_theta(guided(int(row), 3.0))(x, 4), eps_theta(guided(label, 3.0))(x, 4)
        assert np.allclose(one[k], all_rows[k], rtol=1e-9, atol=1e-12)
    if objective == "flow":
        u, c = (velocity_of(model.eps_theta(params, known))(x, 0.3) for known in (None, label))
        velocity = velocity_of(guided(label, 3.0))
        assert np.abs(velocity(x, 0.3) - (u + 3 * (c - u))).max() <= 1e-12 * np.abs(u).max()


KNOWN, MEAN, COV_2 = np.array([1.5, np.nan]), np.array([0.5, -0.5]), np.array([[1.0, 0.8], [0.8, 1.0]])
MASK = np.array([1, 0])


@pytest.mark.parametrize("step", [ddpm_step(), ddim_step(), ddim_step(0.5)], ids=["ddpm", "ddim", "eta"])
def test_inpainting_gives_the_known_back_and_draws_the_rest(step):
    eps_theta = Mixture(np.ones(1), MEAN[None], COV_2[None]).eps_theta(S)
    x_T = RowNoise(0).standard_normal((8, 2), np.float32)
    for known, mask in (
        (KNOWN, MASK),
        (np.tile(KNOWN, (8, 1)), np.tile(MASK, (8, 1))),
        (KNOWN, MASK.astype(bool)),
    ):
        *_, x_0 = sample(inpainting(step, known, mask), eps_theta, S, x_T, range(6, -1, -1), RowNoise(1))
        assert x_0.dtype == np.float32 and np.all(x_0[:, 0] == 1.5) and len(set(x_0[:, 1].tolist())) == 8


def test_where_nothing_is_known_nothing_is_changed():
    eps_theta, x_T = M.eps_theta(S), RowNoise(0).standard_normal((8, 2), np.float64)
    paths = [
        list(sample(step, eps_theta, S, x_T, range(6, -1, -1), np.random.default_rng(0)))
        for step in (ddim_step(), inpainting(ddim_step(), KNOWN, 0 * MASK))
    ]
    assert np.array_equal(*paths)


def test_the_known_part_is_noised_to_the_time_of_the_rest():
    """x_s = sqrt(ab_s) x + sqrt(1 - ab_s) z with a z of its own, in rows that are pictures too."""
    known = np.array([[2.0, 0.0], [0.0, -1.0]])
    mask = np.array([[1, 0], [0, 1]])
    step = inpainting(ddpm_step(), known, mask)
    plain = ddpm_step()(lambda x, t: 0.3 * x, S, np.ones((3, 2, 2)), 5, 3, Given(-0.4))
    x_s = step(lambda x, t: 0.3 * x, S, np.ones((3, 2, 2)), 5, 3, Given(-0.4, 0.7))
    ab_s = product_of_alphas(COARSE, 3)
    want = np.where(mask, math.sqrt(ab_s) * known + math.sqrt(1 - ab_s) * 0.7, plain)
    assert np.abs(x_s - want).max() < 1e-15


def test_inpaintings_bias_is_what_simulation_gives_and_is_not_0():
    """Data N(m, S), the first coordinate known: 200,000 rows, the recursion and the exact conditional.

    The mean's distance from the conditional's is many times what n rows leave open, 7.2 std / sqrt(n); the
    variance's more than once: 2 sqrt(log(2 / delta) / n) = 2.4 % (Laurent & Massart).
    """
    n, schedule = 200_000, from_betas([0.05] * 3 + [0.2] * 4 + [0.4] * 5)
    step, t = inpainting(ddpm_step(), KNOWN, MASK), range(schedule.T, -1, -1)
    means, covs = moments(step, schedule, MEAN, COV_2, t)
    mean, var = means[-1][1], covs[-1][1, 1]
    eps_theta = Mixture(np.ones(1), MEAN[None], COV_2[None]).eps_theta(schedule)
    rng = np.random.default_rng(0)
    *_, x_0 = sample(step, eps_theta, schedule, rng.standard_normal((n, 2)), t, rng)
    assert np.all(x_0[:, 0] == 1.5) and means[-1][0] == 1.5 and not covs[-1][0].any()
    assert_mean(x_0[:, 1], mean, math.sqrt(var))
    assert_variance(x_0[:, 1], mean, var)
    exact_mean, exact_var = -0.5 + 0.8 * (1.5 - 0.5), 1 - 0.8**2
    assert abs(mean - exact_mean) > 10 * 7.2 * math.sqrt(var / n) and abs(var / exact_var - 1) > 0.03


def test_inpainting_without_correlation_has_no_bias_beyond_the_steps():
    """What is known says nothing then: the unknown coordinate goes its way as if alone."""
    step = inpainting(ddpm_step(), KNOWN, MASK)
    means, covs = moments(step, S, MEAN, np.diag([1.0, 0.3]), range(6, -1, -1))
    alone_means, alone_covs = moments(ddpm_step(), S, MEAN[1:], [[0.3]], range(6, -1, -1))
    assert abs(means[-1][1] - alone_means[-1][0]) < 1e-12
    assert abs(covs[-1][1, 1] - alone_covs[-1][0, 0]) < 1e-12


@pytest.mark.parametrize("mask", [np.array([1, 0, 1]), np.array([[1, 0]]), np.array(1)])
def test_a_mask_of_another_shape_is_named(mask):
    with pytest.raises(ValueError, match=r"mask must hold 0 and 1 and have the picture's shape \(2,\), got"):
        inpainting(ddpm_step(), KNOWN, mask)


def test_a_mask_that_fits_no_row_is_named_at_the_first_step():
    step = inpainting(ddpm_step(), np.zeros((4, 2)), np.ones((4, 2)))
    with pytest.raises(
        ValueError, match=r"mask must have the shape \(2,\) of a row or \(3, 2\) of all, got \(4, 2\)"
    ):
        next(sample(step, M.eps_theta(S), S, np.zeros((3, 2)), [6, 0], RowNoise(0)))


@pytest.mark.parametrize("value", [0.5, 2, -1, math.nan, math.inf])
def test_a_mask_with_other_values_is_refused(value):
    with pytest.raises(ValueError, match="mask must hold 0 and 1 and have"):
        inpainting(ddpm_step(), KNOWN, np.array([1, value]))
