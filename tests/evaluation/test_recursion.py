"""A sampler's mean and variance by conditional expectations, another road than recursion.py's."""

import math
from functools import partial

import numpy as np
import pytest
from support import STEPS, coarse, gaussian_moments

from minidiff import sampling
from minidiff.continuous.solvers import dpm_solver_pp_2m
from minidiff.ddpm import sample
from minidiff.evaluation import recursion
from minidiff.sampling import beta_of_step, ddim_step, ddpm_step
from minidiff.schedule import from_betas, linear, linear_scaled

S = coarse()
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


def by_hand_2m(b, mean, var, times):
    """Mean and variance down DPM-Solver++(2M) for N(mean, var) data: x_s as a number times x_T plus a number.

    E[x_0 | x_t] = mean + k (x_t - sqrt(ab_t) mean); the paper's step in lambda, drawn on from two answers.
    """
    lines, before = [(1.0, 0.0)], None
    for t, s in zip(times[:-1], times[1:]):
        slope, offset = lines[-1]
        ab_t, ab_s = (math.prod(1 - u for u in b[:k]) for k in (t, s))
        k = math.sqrt(ab_t) * var / (ab_t * var + 1 - ab_t)
        x_0_hat = np.array([k * slope, mean + k * (offset - math.sqrt(ab_t) * mean)])
        if s == 0:
            lines.append(tuple(x_0_hat))
            continue
        lam_t, lam_s = (0.5 * math.log(ab / (1 - ab)) for ab in (ab_t, ab_s))
        D, h = x_0_hat, lam_s - lam_t
        if before is not None:
            D = x_0_hat + h / 2 * (x_0_hat - before[0]) / (lam_t - before[1])
        kept = math.sqrt(1 - ab_s) / math.sqrt(1 - ab_t)
        lines.append(tuple(kept * np.array([slope, offset]) + math.sqrt(ab_s) * (1 - math.exp(-h)) * D))
        before = x_0_hat, lam_t
    return lines


@pytest.mark.parametrize("chain", range(len(CHAINS)))
@pytest.mark.parametrize("start", [(0.0, 1.0), (-0.7, 2.5)])
def test_a_sampler_that_remembers_through_whole_chains(chain, start):
    b, times = list(CHAINS[chain][0]), list(CHAINS[chain][1])
    parts = (0.8, 0.36), (-0.5, 2.0)
    given = (np.full(2, start[0]), start[1] * np.eye(2)) if start != (0.0, 1.0) else None
    means, covs = recursion.moments_of_sampler(
        dpm_solver_pp_2m, from_betas(b), *([0.8, -0.5], np.diag([0.36, 2.0])), times, given
    )
    for i, part in enumerate(parts):
        for (slope, offset), m, c in zip(by_hand_2m(b, *part, times), means, covs, strict=True):
            assert abs(m[i] - slope * start[0] - offset) < 1e-11 and abs(c[0, 1]) < 1e-13
            assert abs(c[i, i] - slope**2 * start[1]) < 1e-11


def test_a_step_lifted_to_a_sampler_has_the_steps_moments():
    """Two roads: A of each step, or A of the whole walk; data and start have correlations, a step turns x."""
    mean, cov = np.array([0.8, -0.5]), np.array([[0.36, 0.2], [0.2, 1.5]])
    start = np.array([0.3, -1.0]), np.array([[1.5, -0.4], [-0.4, 0.6]])
    R = np.array([[0.6, -1.1], [0.5, 0.7]])

    def turned(*args):
        return ddim_step()(*args) @ R.T

    for step in (ddim_step(), turned):
        one = recursion.moments(step, S, mean, cov, [6, 4, 1, 0], start)
        whole = recursion.moments_of_sampler(partial(sample, step), S, mean, cov, [6, 4, 1, 0], start)
        for a, b in zip(one, whole):
            assert len(a) == len(b) == 4 and np.abs(np.array(a) - np.array(b)).max() < 1e-12


@pytest.mark.parametrize("times", [[0, 6], [6, 6, 0], [6, 3, 4], [7, 0], [6, -1], [6], [], [[6, 0]], 6])
@pytest.mark.parametrize(
    "judge",
    [
        partial(recursion.moments, ddim_step()),
        partial(recursion.moments_of_sampler, partial(sample, ddim_step())),
        partial(recursion.moments_of_sampler, dpm_solver_pp_2m),
    ],
    ids=["step", "lifted", "sampler"],
)
def test_times_that_do_not_descend_are_named(judge, times):
    with pytest.raises(ValueError, match="times must descend within T..0, T = 6, got"):
        judge(S, [0.0], [[1.0]], times)


@pytest.mark.parametrize("times", [[6, 3, 0], [5, 2], range(6, -1, -1), np.array([6, 1])])
def test_times_that_descend_are_handed_back(times):
    assert recursion.check_times(S, times).tolist() == list(times)


def test_draws_are_told_apart():
    """The draw that is asked for, 0 in the others' places, in shape and dtype as wanted; and their number."""
    rng = recursion.Draws(1, np.array([1.0, -2.0]))
    got = [rng.standard_normal((3, 2), np.float32) for _ in range(3)]
    assert rng.count == 3 and [z.dtype for z in got] == 3 * [np.float32]
    assert got[1].tolist() == 3 * [[1.0, -2.0]] and not got[0].any() and not got[2].any()
    assert not recursion.Draws().standard_normal((2, 2)).any()


def test_recursion_turns_with_the_data():
    """Rotating the data rotates the outcome: the covariance's off-diagonal part is right too."""
    c, s = math.cos(0.5), math.sin(0.5)
    R, cov, mean = np.array([[c, -s], [s, c]]), np.diag([0.3, 1.5]), np.array([0.4, -1.0])
    straight = recursion.moments(ddpm_step(), S, mean, cov, range(6, -1, -1))
    turned = recursion.moments(ddpm_step(), S, R @ mean, R @ cov @ R.T, range(6, -1, -1))
    assert np.allclose(turned[0][-1], R @ straight[0][-1], atol=1e-12)
    assert np.allclose(turned[1][-1], R @ straight[1][-1] @ R.T, atol=1e-12)


def test_recursion_from_the_true_start_is_the_truth_for_one_point():
    """Data that are one point, from the exact q(x_T): beta-tilde is the true variance, q(x_s) comes out."""
    times = range(6, -1, -1)
    ab = S.alpha_bar[6]
    start = (np.array([math.sqrt(ab) * 1.7]), np.array([[1 - ab]]))
    means, covs = recursion.moments(ddpm_step(), S, [1.7], [[0.0]], times, start)
    for s, m, v in zip(times, means, covs):
        assert abs(m[0] - math.sqrt(S.alpha_bar[s]) * 1.7) < 1e-12
        assert abs(v[0, 0] - (1 - S.alpha_bar[s])) < 1e-12


@pytest.mark.parametrize(
    ("T", "s2", "step", "var", "digit"),
    [
        (100, 1, ddpm_step(beta_of_step), 0.999, 5e-4), (100, 1, ddpm_step(), 0.921, 5e-4),
        (100, 1, ddim_step(), 0.963, 5e-4), (100, 0.25, ddpm_step(beta_of_step), 0.2578, 5e-5),
        (100, 0.25, ddpm_step(), 0.2192, 5e-5), (1000, 0.25, ddpm_step(beta_of_step), 0.25075, 5e-6),
        (1000, 0.25, ddpm_step(), 0.24613, 6e-6),
    ],
)  # fmt: skip
def test_recursion_has_the_values_found_elsewhere(T, s2, step, var, digit):
    covs = recursion.moments(step, linear_scaled(T), [0.0], [[s2]], range(T, -1, -1))[1]
    assert abs(covs[-1][0, 0] - var) < digit


@pytest.mark.parametrize(("spacing", "std"), [("leading", 0.127), ("trailing", 0.124), ("linspace", 0.127)])
def test_ddim_in_50_steps_by_spacing(spacing, std):
    covs = recursion.moments(
        ddim_step(), linear(1000), [0.2], [[0.15**2]], getattr(sampling, spacing)(1000, 50)
    )[1]
    assert abs(math.sqrt(covs[-1][0, 0]) - std) < 5e-4


def test_recursion_refuses_a_step_that_is_not_affine():
    def clipped(*args):
        return np.clip(ddim_step()(*args), -1, 1)

    with pytest.raises(ValueError, match="not affine"):
        recursion.moments(clipped, S, [0.5], [[1.0]], [6, 3, 0])
    assert np.allclose(
        recursion.moments(ddim_step(), S, 0.5, 1.0, [6, 3, 0])[1][-1],
        recursion.moments(ddim_step(), S, [0.5], [[1.0]], [6, 3, 0])[1][-1],
    )


def test_recursion_counts_every_draw_of_a_step():
    """Two draws a step, c_1 and c_2: variances add, coordinates stay apart."""

    def twice(eps_theta, schedule, x_t, t, s, rng):
        return (
            0.5 * x_t
            + 2 * rng.standard_normal(x_t.shape)
            + 3 * rng.standard_normal(x_t.shape) * np.array([1.0, -2.0])
        )

    covs = recursion.moments(twice, S, [0.0, 0.0], np.eye(2), [6, 3])[1]
    assert np.abs(covs[-1] - np.diag([0.25 + 4 + 9, 0.25 + 4 + 36])).max() < 1e-12


def test_recursion_refuses_what_it_cannot_judge():
    def noisy(eps_theta, schedule, x_T, times, rng):
        for _ in times[1:]:
            x_T = 0.5 * x_T + rng.standard_normal(x_T.shape)
            yield x_T

    def bent(eps_theta, schedule, x_T, times, rng):
        for _ in times[1:]:
            x_T = np.tanh(x_T)
            yield x_T

    for solver, words in (
        (noisy, "remembers earlier steps and draws noise"),
        (bent, "the solver is not affine"),
    ):
        with pytest.raises(ValueError, match=words):
            recursion.moments_of_sampler(solver, S, [0.0], [[1.0]], [6, 3, 0])
