"""flow: here t = 0 is noise and t = 1 is data."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import DTYPES, betas, coarse, grid, log_normal, numerical_gradient, product_of_alphas

from minidiff.continuous import flow, ode
from minidiff.continuous.process import VE, VP
from minidiff.evaluation.floors import floor_of
from minidiff.exact import Mixture
from minidiff.gaussian import q_sample
from minidiff.objective import Denoiser, target_of
from minidiff.schedule import from_betas

S = coarse()
M, STD = 0.8, 0.6
GAUSSIAN = Mixture([1.0], [[M]], [[[STD**2]]])
PARTS = [(0.4, -1.0, 0.3), (0.6, 0.9, 0.2)]  # weight, mean, variance of one-dimensional data
TWO = Mixture([0.4, 0.6], [[-1.0], [0.9]], [[[0.3]], [[0.2]]])
X = np.array([[-1.7], [-0.3], [0.0], [0.6], [2.1]])
WEIGHT, MEAN = np.array([0.4, 0.6]), np.array([[0.8, -0.5], [-0.7, 0.9]])
COV = np.array([[[0.3, 0.1], [0.1, 0.2]], [[0.25, -0.05], [-0.05, 0.4]]])
PLANE = Mixture(WEIGHT, MEAN, COV)


def gaussian_velocity(x, t):
    """d/dt of x_t = t M + std_t y, for the y that leads to x: paths keep their standard score."""
    var = t**2 * STD**2 + (1 - t) ** 2
    return M + (t * STD**2 - (1 - t)) / var * (x - t * M)


def density(x, t):
    """p_t on the plane: t x_1 + (1 - t) x_0, with determinants and inverses."""
    total = 0
    for w, mu, cov in zip(WEIGHT, MEAN, COV):
        C, y = t**2 * cov + (1 - t) ** 2 * np.eye(2), x - t * mu
        total += (
            w
            * np.exp(-0.5 * np.sum(y @ np.linalg.inv(C) * y, axis=-1))
            / np.sqrt(np.linalg.det(2 * np.pi * C))
        )
    return total


def test_path_has_the_worked_value_and_its_ends():
    x_0, x_1 = np.array([[-2.0]]), np.array([[6.0]])
    assert flow.path(x_0, x_1, 0.25)[0, 0] == 0
    assert flow.path(x_0, x_1, 0.0) == x_0 and flow.path(x_0, x_1, 1.0) == x_1
    assert flow.path(np.zeros((2, 3)), np.ones((2, 3)), np.array([0.2, 0.7])).tolist() == [
        [0.2] * 3,
        [0.7] * 3,
    ]


@given(st.floats(-3, 3), st.floats(-3, 3), st.floats(0, 0.95))
def test_conditional_velocity_is_the_lines_direction(a, b, t):
    """x_1 - x_0 at every t of the line, which is the path's own slope; from 3 to -1 it is -4."""
    x_0, x_1 = np.array([[a]]), np.array([[b]])
    u = flow.conditional_velocity(flow.path(x_0, x_1, t), x_1, t)[0, 0]
    assert abs(u - (b - a)) < 1e-12 / (1 - t)
    slope = (flow.path(x_0, x_1, t + 0.01) - flow.path(x_0, x_1, t))[0, 0] / 0.01
    assert abs(u - slope) < 1e-11
    assert flow.conditional_velocity(np.array([[3.0]]), np.array([[-1.0]]), 0.0)[0, 0] == -4


@pytest.mark.parametrize("t", [0.0, 0.1, 0.5, 0.9])
def test_marginal_velocity_is_the_average_direction(t):
    """E[x_1 - x_0 | x_t = x] by quadrature over x_1: then x_0 = (x - t x_1) / (1 - t)."""
    u, x_1 = flow.marginal_velocity(TWO), np.linspace(-9, 9, 40_001)
    for x in X:
        x_0 = (x[0] - t * x_1) / (1 - t)
        p = sum(w * np.exp(log_normal(x_1, m, v)) for w, m, v in PARTS) * np.exp(log_normal(x_0, 0, 1))
        assert abs(u(x[None], t)[0, 0] - (p * (x_1 - x_0)).sum() / p.sum()) < 1e-9


def test_marginal_velocity_at_the_ends():
    """At t = 0 x_0 is x and x_1 anything: the mean less x. At t = 1 x_1 is x and x_0 is 0 on average."""
    u = flow.marginal_velocity(TWO)
    assert np.abs(u(X, 0.0) - (0.4 * -1 + 0.6 * 0.9 - X)).max() < 1e-14
    assert np.abs(u(X, 1.0) - X).max() < 1e-14
    together = u(X, np.linspace(0, 1, 5))  # a time for each row
    assert all(abs(together[i, 0] - u(X[i : i + 1], i / 4)[0, 0]) < 1e-14 for i in range(5))


def test_one_euler_step_from_noise_ends_at_the_datas_mean():
    for mixture in (TWO, PLANE):
        d = mixture.mean.shape[1]
        x_0 = np.random.default_rng(0).standard_normal((4, d))
        (x_1,) = flow.sample(flow.marginal_velocity(mixture), x_0, [0, 1])
        assert np.abs(x_1 - mixture.weight @ mixture.mean).max() < 1e-14


@pytest.mark.parametrize("t", [0.2, 0.5, 0.8])
def test_the_continuity_equation(t):
    """dp/dt = -div(u p), p written without the package; the velocity of one component does not obey it."""
    x, h = np.array([[0.2, 0.1], [-0.9, 1.2], [1.5, -0.7], [0.0, -1.4]]), 1e-4

    def residual(u):
        out = (density(x, t + h) - density(x, t - h)) / (2 * h)
        for i, e in enumerate(h * np.eye(2)):
            out += ((u(x + e, t)[:, i] * density(x + e, t)) - (u(x - e, t)[:, i] * density(x - e, t))) / (
                2 * h
            )
        return np.abs(out).max()

    assert residual(flow.marginal_velocity(PLANE)) < 1e-6  # h^2 / 6 of a third derivative below 100
    assert residual(flow.marginal_velocity(Mixture([1.0], MEAN[:1], COV[:1]))) > 1e-2


@pytest.mark.parametrize("t", [0.15, 0.5, 0.85])
def test_velocity_score_and_noise_convert_both_ways(t):
    """Score: differences of the log-density. Noise: E[x_0 | x_t] by quadrature. Velocity: the mixture's."""
    u = flow.marginal_velocity(TWO)(X, t)

    def log_p(x):
        return np.log(sum(w * np.exp(log_normal(x, t * m, t**2 * v + (1 - t) ** 2)) for w, m, v in PARTS))

    score = (log_p(X + 1e-5) - log_p(X - 1e-5)) / 2e-5
    x_0 = np.linspace(-9, 9, 40_001)

    def log_joint(x):  # of x_0 and x_t = x, where x_1 = (x - (1 - t) x_0) / t
        p = sum(w * np.exp(log_normal((x - (1 - t) * x_0) / t, m, v)) for w, m, v in PARTS)
        return log_normal(x_0, 0, 1) + np.log(p + 1e-300)

    eps = np.array([[grid(lambda _, x=x: log_joint(x), -9, 9, 40_001)[0]] for x in X[:, 0]])
    # the score is known to 1e-10 / 2e-5 (rounding) + h^2 f''' / 6
    assert np.abs(flow.velocity_from_score(X, t, score) - u).max() < 1e-7
    assert np.abs(flow.score_from_velocity(X, t, u) - score).max() < 1e-7
    assert np.abs(flow.velocity_from_eps(X, t, eps) - u).max() < 1e-7
    assert np.abs(flow.eps_from_velocity(X, t, u) - eps).max() < 1e-7


@given(st.floats(0.01, 0.99), st.floats(-3, 3), st.floats(-3, 3))
def test_conversions_round_trip(t, x, u):
    x, u, t = np.array([[x]]), np.array([[u]]), np.array([t])
    assert abs(flow.velocity_from_eps(x, t, flow.eps_from_velocity(x, t, u)) - u)[0, 0] < 1e-13 / t[0]
    assert abs(flow.velocity_from_score(x, t, flow.score_from_velocity(x, t, u)) - u)[0, 0] < 1e-13 / t[0] / (
        1 - t[0]
    )


@given(st.floats(0, 1000), st.floats(-3, 3), st.floats(-3, 3))
def test_straight_is_the_line_in_the_packages_time(t, data, noise):
    """t = 0 is data, T noise, and what is between them is `path` at 1 - t / T."""
    straight = flow.Straight()
    signal, share = straight.signal_and_noise(t)
    assert straight.T == 1000 and abs(signal + share - 1) < 1e-15 and abs(share - t / 1000) < 1e-15
    data, noise = np.array([[data]]), np.array([[noise]])
    line = flow.path(noise, data, 1 - t / 1000)
    assert np.abs(q_sample(straight, data, t, noise) - line).max() < 1e-14
    assert np.array_equal(target_of(flow.velocity_prediction, straight, data, t, noise), data - noise)
    ends = straight.signal_and_noise(np.array([0, 250, 1000]))
    assert ends[0].tolist() == [1, 0.75, 0] and ends[1].tolist() == [0, 0.25, 1]


@pytest.mark.parametrize(
    ("process", "t", "signal", "noise"),
    [
        (flow.Straight(), 300.0, 0.7, 0.3),
        (flow.Straight(), 900.0, 0.1, 0.9),
        (VE(0.1, 3.0), 0.5, 1.0, math.sqrt(0.29)),
        (VE(0.1, 3.0), 1.0, 1.0, math.sqrt(8.99)),
    ],
)
def test_a_mixture_on_any_process_is_bayes_on_a_grid(process, t, signal, noise):
    """q(x_t), E[x_0 | x_t] and E[eps | x_t] by sums over x_0, for any signal and noise, by hand."""
    x_0 = np.linspace(-9, 9, 40_001)
    prior = sum(w * np.exp(log_normal(x_0, m, v)) for w, m, v in PARTS) * (x_0[1] - x_0[0])
    log_q, score = TWO.log_prob(process, X, t), TWO.score(process, X, t)
    x_0_hat, eps = TWO.x_0_hat(process, X, t), TWO.eps(process, X, t)
    for i, x in enumerate(X[:, 0]):
        p = prior * np.exp(log_normal(x, signal * x_0, noise**2))
        mean = (p * x_0).sum() / p.sum()
        assert abs(log_q[i] - math.log(p.sum())) < 1e-9 and abs(x_0_hat[i, 0] - mean) < 1e-9
        assert abs(eps[i, 0] - (x - signal * mean) / noise) < 1e-9
        assert abs(score[i, 0] - (p * (signal * x_0 - x)).sum() / p.sum() / noise**2) < 1e-9


@given(betas, st.floats(-2, 2), st.floats(-2, 2), st.data())
def test_a_flow_denoiser_asks_on_the_line_and_walks_back_along_it(b, data, noise, draw):
    """x_t is stretched onto the line from noise to data, whose direction leads to the noise."""
    t, asked = draw.draw(st.integers(1, len(b))), []
    ab = product_of_alphas(b, t)
    x_t = np.array([[math.sqrt(ab) * data + math.sqrt(1 - ab) * noise]])

    def network(x, t):
        asked.append((x[0, 0], t / 1000))
        return np.full_like(x, data - noise)

    eps_hat = flow.FlowDenoiser(network, from_betas(b))(x_t, t)
    ((x, r),) = asked
    assert abs(x - ((1 - r) * data + r * noise)) < 1e-14 and 0 < r < 1
    assert abs(eps_hat[0, 0] - noise) < 1e-14


@pytest.mark.parametrize("process", [S, VP()], ids=["schedule", "vp"])
def test_the_exact_velocity_is_the_exact_denoiser(process):
    """The average direction by quadrature becomes the mixture's E[eps | x_t], which no flow enters."""
    x_1 = np.linspace(-9, 9, 40_001)
    prior = sum(w * np.exp(log_normal(x_1, m, v)) for w, m, v in PARTS)

    def network(x, t):  # E[data - noise | x on the line], by sums over the data
        out, rows = np.empty_like(x), np.broadcast_to(np.asarray(t) / 1000, len(x))
        for i, (a, r) in enumerate(zip(x[:, 0], rows)):
            x_0 = (a - (1 - r) * x_1) / r
            p = prior * np.exp(log_normal(x_0, 0, 1))
            out[i] = (p * (x_1 - x_0)).sum() / p.sum()
        return out

    times = [1, 3, 6, np.array([1, 2, 3, 5, 6])] if process is S else [0.2, 0.6, np.linspace(0.1, 0.9, 5)]
    exact = flow.marginal_velocity(TWO)
    for t in times:
        eps = TWO.eps(process, X, t)
        assert np.abs(flow.FlowDenoiser(network, process)(X, t) - eps).max() < 1e-9
        closed = flow.FlowDenoiser(lambda x, t: exact(x, 1 - np.asarray(t) / 1000), process)(X, t)
        assert np.abs(closed - eps).max() < 1e-12


@pytest.mark.parametrize("t", [50.0, 500.0, 999.0, np.array([1.0, 200.0, 400.0, 600.0, 1000.0])])
def test_on_the_line_itself_the_velocity_is_an_objective_like_any_other(t):
    """objective.Denoiser on Straight: eps_hat = x_t - signal u, u the mixture's velocity."""
    straight, exact = flow.Straight(), flow.marginal_velocity(TWO)
    network = lambda x, t: exact(x, 1 - np.asarray(t) / 1000)  # noqa: E731
    eps_hat = Denoiser(network, flow.velocity_prediction, straight)(X, t)
    assert np.abs(eps_hat - TWO.eps(straight, X, t)).max() < 1e-12


def test_velocity_of_turns_the_clock():
    """t = 0 is the package's T, 1 its 0; times a row too."""
    u = flow.velocity_of(lambda x, t: t)
    assert (u(X, 0.0), u(X, 1.0), u(X, 0.25)) == (1000, 0, 750)
    assert u(X, np.array([0.0, 0.5, 1.0])).tolist() == [1000, 500, 0]


def quadrature(n=40):
    """x_0, x_1, weights: means over noise times TWO, exact for polynomials and to 1e-10 for the smooth u."""
    z, w = np.polynomial.hermite_e.hermegauss(n)
    w = w / w.sum()
    x_0, x_1, weight = [], [], []
    for p, m, v in PARTS:
        a, b = np.meshgrid(z, m + math.sqrt(v) * z, indexing="ij")
        x_0, x_1, weight = [*x_0, a.ravel()], [*x_1, b.ravel()], [*weight, p * np.outer(w, w).ravel()]
    return np.concatenate(x_0)[:, None], np.concatenate(x_1)[:, None], np.concatenate(weight)


@pytest.mark.parametrize("t", [0.2, 0.5, 0.8])
def test_cfm_has_the_gradient_of_flow_matching(t):
    """u_theta = a x + c: d/da, d/dc of both losses by quadrature; they differ by the floor for all a, c."""
    x_0, x_1, w = quadrature()
    x, apart = t * x_1 + (1 - t) * x_0, []
    u = flow.marginal_velocity(TWO)(x, t)
    for a, c in ((0.3, -0.2), (-1.0, 0.5), (2.0, 0.3)):
        rows = len(x) * flow.cfm(a * x + c, x_0, x_1)[1][:, 0]  # of each pair by itself
        for by in (x[:, 0], np.ones(len(x))):
            fm = w @ (2 * (a * x + c - u)[:, 0] * by)
            assert abs(w @ (rows * by) - fm) < 1e-7 and abs(fm) > 1e-3
        apart.append(w @ ((a * x + c - x_1 + x_0)[:, 0] ** 2 - (a * x + c - u)[:, 0] ** 2))
    assert np.ptp(apart) < 1e-7 and apart[0] > 0.1
    floor, error = floor_of(
        flow.velocity_prediction, TWO, flow.Straight(), 1000 * (1 - t), 20_000, np.random.default_rng(0)
    )
    assert abs(floor - apart[0]) < 7.2 * error < 0.1 * apart[0]  # near-normal average: false alarm 1e-12


def test_cfm_and_its_gradient():
    rng = np.random.default_rng(0)
    u_hat, x_0, x_1 = rng.standard_normal((3, 4, 2))
    loss, du = flow.cfm(u_hat, x_0, x_1)
    assert abs(loss - sum(((u_hat - (x_1 - x_0)) ** 2).sum(axis=1)) / 4) < 1e-14
    assert np.abs(du - numerical_gradient(lambda: flow.cfm(u_hat, x_0, x_1)[0], u_hat)).max() < 1e-8


@pytest.mark.parametrize("t", [0.1, 0.5, 0.9])
def test_loss_floor_of_a_gaussian(t):
    """Var(x_1 - x_0 | x_t) from the joint Gaussian: 1 + v - Cov^2 / Var(x_t)."""
    v = STD**2
    want = 1 + v - (t * v - (1 - t)) ** 2 / (t**2 * v + (1 - t) ** 2)
    floor, _ = floor_of(
        flow.velocity_prediction, GAUSSIAN, flow.Straight(), 1000 * (1 - t), 50, np.random.default_rng(1)
    )
    # one Gaussian's trace is the same for every draw; its roundings over b^2 = t^2
    assert abs(floor - want) < 1e-12 / t**2


@pytest.mark.parametrize(("name", "order", "n"), [("euler", 1, 200), ("heun", 2, 100), ("rk4", 4, 40)])
def test_order_of_convergence(name, order, n):
    """From noise to data, t = 0..1: Gaussian data have x_1 = M + std x_0, a mixture keeps quantiles."""
    x, errors = np.array([[-1.5], [0.3], [1.2]]), []
    for steps in (n, 2 * n):
        *_, end = flow.sample(
            flow.marginal_velocity(GAUSSIAN), x, np.linspace(0, 1, steps + 1), ode.METHODS[name]
        )
        errors.append(np.abs(end - (M + STD * x)).max())
    assert errors[1] > 1e-12 and abs(math.log2(errors[0] / errors[1]) - order) < 0.15


def test_euler_has_the_published_errors():
    """From x_0 = -2 in 1, 2, 5, 10, 50 steps to M + std x_0 = -0.4: 1.2, 0.67, 0.30, 0.16, 0.03."""
    for steps, error in ((1, 1.2), (2, 0.67), (5, 0.30), (10, 0.16), (50, 0.03)):
        *_, end = flow.sample(
            flow.marginal_velocity(GAUSSIAN), np.array([[-2.0]]), np.linspace(0, 1, steps + 1)
        )
        assert abs(abs(end[0, 0] + 0.4) - error) < 0.006


def test_samples_keep_their_quantile():
    """What the flow makes of x_0 in one dimension: F_data(x_1) = F_noise(x_0)."""
    from statistics import NormalDist

    *_, x_1 = flow.sample(flow.marginal_velocity(TWO), X, np.linspace(0, 1, 201), ode.rk4)
    for before, after in zip(X[:, 0], x_1[:, 0]):
        F = sum(w * NormalDist(m, math.sqrt(v)).cdf(after) for w, m, v in PARTS)
        assert abs(F - NormalDist().cdf(before)) < 1e-7


DESIGN_0 = np.array([[1.0], [1.0], [-1.0], [-1.0]])
# mean, variances and no covariance as the independent pair's
DESIGN_1 = M + STD * np.array([[1.0], [-1.0], [1.0], [-1.0]])
MIDDLES = (np.arange(2000) + 0.5) / 2000


def test_straightness_of_independent_pairs_is_s_pi_over_2():
    """u is affine, so S needs second moments only, and four pairs have those; midpoints err by 1e-7."""
    S_ = flow.straightness(flow.marginal_velocity(GAUSSIAN), DESIGN_0, DESIGN_1, MIDDLES)
    assert abs(S_ - STD * math.pi / 2) < 1e-6


def test_reflow_straightens_a_gaussian():
    """x_1 = M + std x_0: lines that do not cross, where the new velocity never turns; shorter, 2.0 -> 0.8."""
    u = flow.marginal_velocity(GAUSSIAN)
    x_1 = flow.reflow(u, DESIGN_0, 50)
    assert np.abs(x_1 - (M + STD * DESIGN_0)).max() < 1e-6

    def new(x, t):  # the noise on the line through x, then its direction
        x_0 = (x - t * M) / (1 - t + t * STD)
        return M + (STD - 1) * x_0

    assert flow.straightness(new, DESIGN_0, x_1, MIDDLES[::100]) < 1e-10
    assert flow.straightness(u, DESIGN_0, x_1, MIDDLES[::100]) > 0.01
    assert abs(np.mean((DESIGN_1 - DESIGN_0) ** 2) - 2.0) < 1e-14
    assert abs(np.mean((x_1 - DESIGN_0) ** 2) - 0.8) < 1e-6


def test_crossing_pairs_have_no_average_direction():
    """From +-1 to -+1: where the lines meet, t = 1/2, the average of 2 and -2 is 0."""
    both = Mixture([0.5, 0.5], [[1.0], [-1.0]], np.zeros((2, 1, 1)))
    assert abs(flow.marginal_velocity(both)(np.zeros((1, 1)), 0.5)[0, 0]) < 1e-14


def test_the_straight_path_is_walked_by_a_sampler():
    """times T..0 are t = 0..1: x_T ends at M + std x_T."""
    u, x_T = flow.marginal_velocity(GAUSSIAN), np.array([[-1.5], [0.3]])
    eps_theta = flow.FlowDenoiser(lambda x, t: u(x, 1 - t / 1000), S)
    *_, x_0 = flow.straight(ode.rk4)(eps_theta, S, x_T, range(6, -1, -1), None)
    assert np.abs(x_0 - (M + STD * x_T)).max() < 1e-3  # (1/6)^4
    *path, _ = flow.straight(ode.euler)(eps_theta, S, x_T, [6, 3, 0], None)
    assert np.abs(path[0] - (x_T + 0.5 * gaussian_velocity(x_T, 0.0))).max() < 1e-14


@pytest.mark.parametrize("times", [[1, 0], [0, 0.5, 0.5, 1], [0], [-0.1, 1], [0, 1.1], [[0, 1]]])
def test_times_that_do_not_ascend_are_named(times):
    with pytest.raises(ValueError, match="times must ascend within 0..1"):
        list(flow.sample(gaussian_velocity, X, times))


@pytest.mark.parametrize("dtype", DTYPES)
def test_dtype_follows_the_data(dtype):
    x, t = X.astype(dtype), np.linspace(0.1, 0.9, 5)
    velocities = flow.velocity_from_eps, flow.velocity_from_score
    for f in (flow.path, *velocities, flow.eps_from_velocity, flow.score_from_velocity):
        args = (x, x, t) if f is flow.path else (x, t, x)
        assert f(*args).dtype == dtype
    assert flow.conditional_velocity(x, x, t).dtype == flow.marginal_velocity(TWO)(x, t).dtype == dtype
    assert flow.reflow(flow.marginal_velocity(TWO), x, 2).dtype == dtype
    rows = np.arange(1, 6)
    assert flow.FlowDenoiser(lambda x, t: -x, S)(x, rows).dtype == dtype
    for i, t in enumerate(rows.tolist()):  # a time for each row
        alone = flow.FlowDenoiser(lambda x, t: -x, S)(x[i : i + 1], t)
        assert np.array_equal(alone[0], flow.FlowDenoiser(lambda x, t: -x, S)(x, rows)[i])
