"""gap: what the bound loses, step by step, against closed forms and against bound and truth by quadrature."""

import math

import numpy as np
import pytest
from support import COARSE, coarse, log_normal, product_of_alphas

from minidiff import elbo
from minidiff.evaluation.gap import gap
from minidiff.exact import Mixture
from minidiff.sampling import beta_of_step, beta_tilde, gaussian_optimal

S = coarse()
Z, W = np.polynomial.hermite_e.hermegauss(48)
W = W / W.sum()


class Nodes:
    """An rng whose normals are the quadrature's nodes, for each x_0: averages by W are expectations."""

    def standard_normal(self, shape):
        return np.tile(Z, shape[0] // len(Z)).reshape(shape)


def gaussian_reverse(b, t, v):
    """Var(x_{t-1} | x_t) for data of variance v, from the joint Gaussian."""
    var_s, var_t = (product_of_alphas(b, k) * v + 1 - product_of_alphas(b, k) for k in (t - 1, t))
    return var_s - (1 - b[t - 1]) * var_s**2 / var_t


@pytest.mark.parametrize(("name", "var"), [("beta-tilde", beta_tilde), ("beta", beta_of_step)])
def test_the_gap_of_gaussian_data_is_known_step_by_step(name, var):
    """KL(q(x_T) || N(0, 1)), and at each step the KL of two Gaussians with one mean, all in closed form."""
    m, v, T = 0.8, 0.36, len(COARSE)
    mixture = Mixture([1.0], [[m]], [[[v]]])
    ab, gaps = product_of_alphas(COARSE, T), []
    for t in range(1, T + 1):
        a, b_t = product_of_alphas(COARSE, t), COARSE[t - 1]
        tilde = b_t * (1 - product_of_alphas(COARSE, t - 1)) / (1 - a)
        ratio = gaussian_reverse(COARSE, t, v) / (b_t if t == 1 or name == "beta" else tilde)
        gaps.append(0.5 * (ratio - 1 - math.log(ratio)))
    end = ab * v + 1 - ab
    gaps.append(0.5 * (end + ab * m**2 - 1 - math.log(end)))
    got = gap(mixture, mixture.eps_theta(S), S, 100_000, np.random.default_rng(0), var)
    for row, want in zip(got, gaps, strict=True):  # near-normal averages of 1e5 draws: false alarm 1e-12
        error = 7.2 * row.std() / math.sqrt(len(row))
        assert np.all(row >= 0) and abs(row.mean() - want) < error < 0.1 * want + 2e-4


def test_the_gaussian_optimal_variance_leaves_no_gap():
    """For Gaussian data the true reverse step is a Gaussian: with its variance no draw has a gap.

    But for that of L_0, by its beta_1.
    """
    mixture = Mixture([1.0], [[0.8, -0.3]], [0.36 * np.eye(2)])
    got = gap(mixture, mixture.eps_theta(S), S, 500, np.random.default_rng(1), gaussian_optimal(0.36))
    assert np.abs(got[1:-1]).max() < 1e-12 and got[0].mean() > 1e-4 and got[-1].mean() > 1e-3


def test_bound_and_gaps_add_up_to_the_truth():
    """On a mixture, where no gap has a closed form: E log q(x_0) = E ELBO (quadrature) + the gaps (draws)."""
    mixture = Mixture([0.4, 0.6], [[-0.9], [0.7]], [[[0.2]], [[0.3]]])
    parts = [(0.4, -0.9, 0.2), (0.6, 0.7, 0.3)]
    x = np.concatenate([m + math.sqrt(v) * Z for _, m, v in parts])
    w = np.concatenate([p * W for p, _, _ in parts])
    log_q = np.log(sum(p * np.exp(log_normal(x, m, v)) for p, m, v in parts))
    L = elbo.terms(mixture.eps_theta(S), S, np.repeat(x, len(Z))[:, None], Nodes())
    of_each_x_0 = L.reshape(len(L), len(x), len(Z)) @ W
    want = w @ log_q + w @ of_each_x_0.sum(axis=0)
    draws = gap(mixture, mixture.eps_theta(S), S, 100_000, np.random.default_rng(2))
    rows = draws.sum(axis=0)  # drawn from one x_0: paired
    bound = 7.2 * rows.std() / math.sqrt(len(rows))
    assert abs(rows.mean() - want) < bound < 0.1 * want


def test_gaps_at_some_times_only():
    mixture = Mixture([1.0], [[0.0]], [[[1.0]]])
    G = gap(mixture, mixture.eps_theta(S), S, 4, np.random.default_rng(0), times=[1, 4])
    assert np.isfinite(G[[0, 3, 6]]).all() and np.isnan(G[[1, 2, 4, 5]]).all()
