"""A sampler's mean and variance by conditional expectations, another road than recursion.py's."""

import math

import numpy as np
import pytest
from support import STEPS, coarse, gaussian_moments

from minidiff import recursion, sample
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
        assert (
            abs(m[0] - math.sqrt(S.alpha_bar[s]) * 1.7) < 1e-12
            and abs(v[0, 0] - (1 - S.alpha_bar[s])) < 1e-12
        )


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
    covs = recursion.moments(
        sample.ddim(), linear(1000), [0.2], [[0.15**2]], getattr(sample, spacing)(1000, 50)
    )[1]
    assert abs(math.sqrt(covs[-1][0, 0]) - std) < 5e-4


def test_recursion_refuses_a_step_that_is_not_affine():
    def clipped(*args):
        return np.clip(sample.ddim()(*args), -1, 1)

    with pytest.raises(ValueError, match="not affine"):
        recursion.moments(clipped, S, [0.5], [[1.0]], [6, 3, 0])
    assert np.allclose(
        recursion.moments(sample.ddim(), S, 0.5, 1.0, [6, 3, 0])[1][-1],
        recursion.moments(sample.ddim(), S, [0.5], [[1.0]], [6, 3, 0])[1][-1],
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
            recursion.moments(sample.Multistep(solver), S, [0.0], [[1.0]], [6, 3, 0])
