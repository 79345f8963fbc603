"""Lecture 1: the ELBO. What training maximises, how far it is below log p, and its terms.

    letter  meaning
    p       a made-up reverse chain from N(0, 1): p(x_{t-1} | x_t) = N(sqrt(alpha_t) x_t + b sqrt(beta_t), (1/2 + w) beta_t)
    q       the forward chain from x_0

p and q are Gaussian chains, so log p/q is quadratic in the noises: three nodes a noise average it exactly.
"""

import functools
import itertools
import math

import numpy as np

from .. import oracles
from ..entry import SHARE, Formula

MODEL = {
    "b": (SHARE, "how far the reverse mean is off, in sqrt(beta_t)"),
    "w": (SHARE, "its variance is (1/2 + w) beta_t"),
}
CHAIN = "beta x_0 b w"
NODES, WEIGHTS = (
    np.array([-math.sqrt(3), 0.0, math.sqrt(3)]),
    np.array([1, 4, 1]) / 6,
)  # E f(z), exact up to powers of five


def _log_normal(x, mean, var):
    return oracles.log_bell(x, mean, var) - 0.5 * math.log(2 * math.pi * var)


def _reverse(c, t, x_t):
    """Mean and variance of p(x_{t-1} | x_t)."""
    return math.sqrt(1 - c.beta[t]) * x_t + c.b * math.sqrt(c.beta[t]), (0.5 + c.w) * c.beta[t]


def _log_ratio(c, noises):
    """log p(x_{0:T}) / q(x_{1:T} | x_0) on the path that these noises make, density by density."""
    x, log_r = c.x_0, 0.0
    for t, eps in enumerate(noises, start=1):
        mean, x_s = math.sqrt(1 - c.beta[t]) * x, x
        x = mean + math.sqrt(c.beta[t]) * eps
        log_r = log_r + _log_normal(x_s, *_reverse(c, t, x)) - _log_normal(x, mean, c.beta[t])
    return log_r + _log_normal(x, 0.0, 1.0)


def _elbo(c):
    """E log p/q over all 3^T paths of q."""
    paths, weight = (np.array(list(itertools.product(u, repeat=c.T))) for u in (NODES, WEIGHTS))
    return weight.prod(axis=1) @ _log_ratio(c, paths.T)


def _log_p(c):
    """log p(x_0): p's chain keeps Gaussians Gaussian, so mean and variance from T down to 0 give it."""
    mean, var = 0.0, 1.0
    for t in range(c.T, 0, -1):
        (mean, noise), slope = _reverse(c, t, mean), math.sqrt(1 - c.beta[t])
        var = slope**2 * var + noise
    return _log_normal(c.x_0, mean, var)


def _given_x_0(c):
    """Mean and covariance of x_1..x_T given x_0, under q and under p: each chain a linear map of its noises."""
    q, mean_q = [np.zeros(c.T)], [c.x_0]
    for t in range(1, c.T + 1):
        q.append(math.sqrt(1 - c.beta[t]) * q[-1] + math.sqrt(c.beta[t]) * np.eye(c.T)[t - 1])
        mean_q.append(math.sqrt(1 - c.beta[t]) * mean_q[-1])
    p, mean_p = [np.eye(c.T + 1)[c.T]], [0.0]
    for t in range(c.T, 0, -1):
        mean, noise = _reverse(c, t, mean_p[0])
        p.insert(0, math.sqrt(1 - c.beta[t]) * p[0] + math.sqrt(noise) * np.eye(c.T + 1)[t - 1])
        mean_p.insert(0, mean)
    cov = np.array(p) @ np.array(p).T
    gain = cov[1:, 0] / cov[0, 0]
    conditioned = np.array(mean_p)[1:] + gain * (c.x_0 - mean_p[0]), cov[1:, 1:] - np.outer(gain, cov[0, 1:])
    return (np.array(mean_q)[1:], np.array(q)[1:] @ np.array(q)[1:].T), conditioned


def _kl_of_vectors(one, two):
    """KL of two Gaussian vectors: log determinants, a trace, a squared distance."""
    (m_1, S_1), (m_2, S_2) = one, two
    inverse, gap = np.linalg.inv(S_2), m_2 - m_1
    logs = np.linalg.slogdet(S_2)[1] - np.linalg.slogdet(S_1)[1]
    return 0.5 * (logs + np.trace(inverse @ S_1) + gap @ inverse @ gap - len(gap))


def _without_x_0(c, rng):
    """log p(x_0) - E log p(x_{0:T}) / q(x_{1:T}), where q wrongly has the marginal of x_1..x_T, not that given x_0."""
    (m, S), _ = _given_x_0(c)
    keep, _ = zip(*(oracles.forward_moments(c.beta, t) for t in range(1, c.T + 1)))
    loose = np.zeros(c.T), S + np.outer(keep, keep)
    return _log_p(c) - _elbo(c) - _kl_of_vectors((m, S), loose)


def _importance(c, rng, average=lambda log_r, p: math.log(p @ np.exp(log_r))):
    """log E_q[p/q] - log p(x_0) for the chain's first two steps, over a grid of both noises."""
    c = type(c)(c | {"T": 2})
    z = np.linspace(-20, 20, 161)
    bell = np.exp(oracles.log_bell(z, 0.0, 1.0))
    weight = np.outer(bell, bell).ravel() / bell.sum() ** 2
    log_r = _log_ratio(c, [u.ravel() for u in np.meshgrid(z, z, indexing="ij")])
    return average(log_r, weight) - _log_p(c)


def _gap(c, rng):
    """log p(x_0) - ELBO - KL(q || p) of the whole paths."""
    q, p = _given_x_0(c)
    return _log_p(c) - _elbo(c) - _kl_of_vectors(q, p)


def _gap_of_the_best_mean(c, rng):
    """log p(x_0) - ELBO where the mean is right for N(0, 1) data and the variance is not."""
    c = type(c)(c | {"b": 0.0, "w": 0.0})
    return _log_p(c) - _elbo(c)


def _kl(m_1, v_1, m_2, v_2):
    """E log N_1/N_2 under N_1, by three nodes: the log ratio is quadratic."""
    x = m_1 + math.sqrt(v_1) * NODES
    return WEIGHTS @ (_log_normal(x, m_1, v_1) - _log_normal(x, m_2, v_2))


@functools.lru_cache(maxsize=200)
def _posterior(betas, x_0, x_t):
    """Mean and variance of the last step back, by Bayes on a grid."""
    return oracles.posterior(betas, len(betas) - 1, len(betas) - 2, x_0, x_t)


def _terms(c, known=True, swapped=False):
    """(L_T, sum of L_{t-1} over t = 2..T, L_0); the posterior by Bayes on a grid, its mean a straight line in x_t.

    known: q(x_{t-1} | x_t, x_0), else q(x_{t-1} | x_t) of N(0, 1) data. swapped: KL(p || q).
    """
    steps = 0.0
    for t in range(2, c.T + 1):
        (m_0, v), (m_1, _) = (_posterior(tuple(c.beta[: t + 1]), c.x_0, x_t) for x_t in (0.0, 1.0))
        mean, var = oracles.forward_moments(c.beta, t, mean=c.x_0)
        for node, weight in zip(NODES, WEIGHTS):
            x_t = mean + math.sqrt(var) * node
            q = (m_0 + (m_1 - m_0) * x_t, v) if known else (math.sqrt(1 - c.beta[t]) * x_t, c.beta[t])
            p = _reverse(c, t, x_t)
            steps += weight * (_kl(*p, *q) if swapped else _kl(*q, *p))
    mean, var = oracles.forward_moments(c.beta, 1, mean=c.x_0)
    L_0 = -WEIGHTS @ _log_normal(c.x_0, *_reverse(c, 1, mean + math.sqrt(var) * NODES))
    return _kl(*oracles.forward_moments(c.beta, c.T, mean=c.x_0), 0.0, 1.0), steps, L_0


def _parts(prior=1, steps=1, first=1, **which):
    """-ELBO minus the three terms, each times its factor: 0 where all factors are 1."""
    return lambda c, rng: -_elbo(c) - np.dot((prior, steps, first), _terms(c, **which))


def _rises_with_kl(c, rng):
    """The rise of the ELBO minus the rise of the KL terms when p's mean gets worse."""
    worse = type(c)(c | {"b": c.b + 1})
    return _elbo(worse) - _elbo(c) - (sum(_terms(worse)[:2]) - sum(_terms(c)[:2]))


def _bayes(c, rng, likelihood="step", prior="given", evidence=True):
    """1 - int q(x_t | x_s) q(x_s | x_0) / q(x_t | x_0) dx_s on a grid; x_s is uncertain from t = 2 on."""
    if c.s == 0:
        return 0.0 if (likelihood, prior, evidence) == ("step", "given", True) else math.nan
    (mean_s, var_s), (mean_t, var_t) = (oracles.forward_moments(c.beta, i, mean=c.x_0) for i in (c.s, c.t))
    (keep, noise), reach = oracles.forward_moments(c.beta, c.t, c.s), 12 + abs(c.x_0) + abs(c.x_t)
    x_s, dx = np.linspace(-reach, reach, 8001, retstep=True)
    seen = (
        _log_normal(c.x_t, keep * x_s, noise) if likelihood == "step" else _log_normal(c.x_t, mean_t, var_t)
    )
    before = _log_normal(x_s, mean_s, var_s) if prior == "given" else _log_normal(x_s, 0.0, 1.0)
    log_p = seen + before - evidence * _log_normal(c.x_t, mean_t, var_t)
    return 1 - np.exp(log_p).sum() * dx


# fmt: off
ENTRIES = [
    Formula(
        name="elbo", number=16, lecture=1, title="The evidence lower bound",
        latex=r"\log p_\theta(x_0) \geq \mathrm{E}_{q(x_{1:T}|x_0)}\left[\log\frac{p_\theta(x_{0:T})}{q(x_{1:T}|x_0)}\right]",
        why="The likelihood needs all paths at once; its bound needs only paths that the noising makes.",
        letters=CHAIN, own=MODEL, relation=">=",
        oracle=lambda c, rng: _log_p(c) - _elbo(c),
        measured="log p followed down the reverse chain, minus log p/q over 3^T paths",
        wrong=(
            (lambda c, rng: _elbo(c) - _log_p(c), "the other way round: the ELBO is a lower bound, Jensen's log is concave"),
            (lambda c, rng: _log_p(c) + _elbo(c), "the ratio is inverted: the model stands above, the noising below"),
            (lambda c, rng: -_kl_of_vectors(*_given_x_0(c)[::-1]),
             "under p_theta(x_{1:T} | x_0) the average is an upper bound: the expectation is under q"),
            (_without_x_0, "the conditioning is dropped: below stands q(x_{1:T} | x_0), the paths that start at this x_0"),
        ),
    ),
    Formula(
        name="elbo-importance-weight", number=16, lecture=1, title="Before Jensen: the average ratio is the likelihood",
        latex=r"p_\theta(x_0) = \mathrm{E}_{q(x_{1:T}|x_0)}\left[\frac{p_\theta(x_{0:T})}{q(x_{1:T}|x_0)}\right]",
        why="Multiply and divide by q: the integral over all paths becomes an average over those that q draws.",
        letters=CHAIN, own=MODEL,
        oracle=_importance, measured="two steps on a grid of both noises, against log p followed down the chain",
        wrong=(
            (lambda c, rng: _importance(c, rng, lambda log_r, p: p @ log_r),
             "that is the average of the logs, the ELBO: the log moved inside by Jensen"),
            (lambda c, rng: _importance(c, rng, lambda log_r, p: math.log(p @ np.exp(-log_r))), "the ratio is inverted"),
        ),
    ),
    Formula(
        name="elbo-gap", number=17, lecture=1, title="What the ELBO loses",
        latex=r"\log p_\theta(x_0) - \mathrm{ELBO} = \mathrm{KL}(q(x_{1:T}|x_0)\,\|\,p_\theta(x_{1:T}|x_0))",
        why="The bound is tight when the noising's paths are those by which the model would explain x_0.",
        letters=CHAIN, own=MODEL,
        oracle=_gap, measured="the model's joint covariance conditioned on x_0, against log p minus 3^T paths",
        wrong=(
            (lambda c, rng: _gap(c, rng) + _kl_of_vectors(*_given_x_0(c)) - _kl_of_vectors(*_given_x_0(c)[::-1]),
             "the KL is reversed: its expectation is under q, as the ELBO's is"),
            (_gap_of_the_best_mean, "the gap does not vanish with the best mean: the model's paths must be q's"),
            (lambda c, rng: _gap(c, rng) + 2 * _kl_of_vectors(*_given_x_0(c)), "the sign: the ELBO lies below log p"),
        ),
    ),
    Formula(
        name="elbo-decomposition", number=18, lecture=1, title="The ELBO, term by term",
        latex=r"-\mathrm{ELBO} = \mathrm{KL}(q(x_T|x_0)\|p(x_T)) + \sum_{t=2}^T \mathrm{E}\,\mathrm{KL}(q(x_{t-1}|x_t,x_0)"
              r"\|p_\theta(x_{t-1}|x_t)) - \mathrm{E}\,\log p_\theta(x_0|x_1)",
        why="One bound on whole paths becomes one small comparison of Gaussians a step.",
        letters=CHAIN, own=MODEL,
        oracle=_parts(), measured="log p/q over 3^T paths against each term, its posterior by Bayes on a grid",
        wrong=(
            (_parts(first=2), "the sum from t = 1 counts the last step twice: it is the reconstruction term already"),
            (_parts(prior=-1, steps=-1), "the KL terms carry a plus in -ELBO: a loss is made small"),
            (_parts(first=-1), "the reconstruction is a log-likelihood: it enters -ELBO with a minus"),
            (_parts(known=False), "q(x_{t-1} | x_t) without x_0 is not known in training, and is another Gaussian"),
            (_parts(prior=0), "KL to the prior has nothing to learn, but it is part of the bound"),
            (_parts(swapped=True), "the KL arguments are swapped: q comes first"),
            (_rises_with_kl, "a larger KL does not tighten the bound: every KL is subtracted from the ELBO"),
        ),
    ),
    Formula(
        name="posterior-bayes", number=19, lecture=1, title="Bayes' rule for the step back",
        latex=r"q(x_{t-1}|x_t,x_0) = \frac{q(x_t|x_{t-1})\,q(x_{t-1}|x_0)}{q(x_t|x_0)}",
        why="Given where it started, the way back is known: how likely x_{t-1} was, times how well it explains x_t.",
        letters="beta t x_0 x_t",
        oracle=_bayes, measured="1 minus the integral of the right side over x_{t-1}, on a grid",
        wrong=(
            (lambda c, rng: _bayes(c, rng, likelihood="jump", evidence=False),
             "q(x_t | x_0) belongs below: it does not depend on x_{t-1}, so it cannot be the likelihood"),
            (lambda c, rng: _bayes(c, rng, prior="data"), "the prior is q(x_{t-1} | x_0): everything is given x_0"),
            (lambda c, rng: _bayes(c, rng, evidence=False), "without the denominator it is proportional, not equal"),
        ),
    ),
]
