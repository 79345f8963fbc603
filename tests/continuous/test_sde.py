"""sde: the two equations of motion of a density, steps by probing, likelihood."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import DTYPES, betas, coarse, log_normal, product_of_alphas

from minidiff.continuous import sde
from minidiff.continuous.process import VE, VP, continuous
from minidiff.exact import Mixture
from minidiff.schedule import cosine, from_betas, linear

S = coarse()
WEIGHT, MEAN = np.array([0.4, 0.6]), np.array([[0.8, -0.5], [-0.7, 0.9]])
COV = np.array([[[0.3, 0.1], [0.1, 0.2]], [[0.25, -0.05], [-0.05, 0.4]]])
MIXTURE = Mixture(WEIGHT, MEAN, COV)
POINTS = np.array([[0.2, 0.1], [-0.9, 1.2], [1.5, -0.7], [0.0, -1.4]])
SMALL_VE = VE(0.1, 3.0)


def density(x, signal, noise_var):
    """The density of signal x_0 + sqrt(noise_var) eps, with determinants and inverses, no package code."""
    total = 0
    for w, mu, cov in zip(WEIGHT, MEAN, COV):
        C, y = signal**2 * cov + noise_var * np.eye(2), x - signal * mu
        total += (
            w
            * np.exp(-0.5 * np.sum(y @ np.linalg.inv(C) * y, axis=-1))
            / np.sqrt(np.linalg.det(2 * np.pi * C))
        )
    return total


def p_vp(x, t):
    ab = math.exp(-(0.1 * t + 19.9 * t * t / 2))
    return density(x, math.sqrt(ab), 1 - ab)


def p_ve(x, t):
    return density(x, 1.0, 0.1**2 * (30.0 ** (2 * t) - 1))


def score_vp(x, t):
    return MIXTURE.score(VP(), x, t)


def score_ve(x, t):
    return MIXTURE.score(SMALL_VE, x, t)


CASES = {"vp": (VP(), p_vp, score_vp), "ve": (SMALL_VE, p_ve, score_ve)}


def slope(f, x, t, h=1e-4):
    """df/dt, central: error h^2 f''' / 6."""
    return (f(x, t + h) - f(x, t - h)) / (2 * h)


def flux_divergence(f, x, t, h=1e-4):
    """div of a vector field f(x, t), central."""
    return sum((f(x + e, t) - f(x - e, t))[:, i] / (2 * h) for i, e in enumerate(h * np.eye(2)))


def laplacian(p, x, t, h=1e-3):
    return sum((p(x + e, t) - 2 * p(x, t) + p(x - e, t)) / h**2 for e in h * np.eye(2))


def residuals(name, t, u=None, g2_times=1.0):
    """What is left of the Fokker-Planck equation, or of the continuity equation if a velocity u is given."""
    process, p, _ = CASES[name]
    if u is not None:
        return np.abs(
            slope(p, POINTS, t) + flux_divergence(lambda x, t: u(x, t) * p(x, t)[:, None], POINTS, t)
        ).max()
    drift = flux_divergence(lambda x, t: process.f(t) * x * p(x, t)[:, None], POINTS, t)
    return np.abs(slope(p, POINTS, t) + drift - g2_times * process.g2(t) / 2 * laplacian(p, POINTS, t)).max()


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("t", [0.15, 0.3, 0.5])
def test_fokker_planck(name, t):
    """dp/dt = -div(f x p) + g^2 / 2 Laplace p for the process's f and g^2, p written without the package."""
    # differences are off by h^2 / 12 = 1e-7 of a fourth derivative, below 100 here, times g^2 / 2 < 6
    assert residuals(name, t) < 6e-5
    # a g that is not squared, or the half forgotten, would be seen
    assert residuals(name, t, g2_times=2.0) > 3e-3


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("t", [0.15, 0.3, 0.5])
def test_the_probability_flow_obeys_the_continuity_equation(name, t):
    """dp/dt = -div(u p) with u = f x - g^2 / 2 score; without the half it does not."""
    process, _, score = CASES[name]
    assert residuals(name, t, lambda x, t: sde.velocity(process, score, x, t)) < 1e-6
    assert residuals(name, t, lambda x, t: sde.velocity(process, lambda x, t: 2 * score(x, t), x, t)) > 3e-3


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("t", [0.1, 0.4, 0.9])
def test_scores_are_gradients_of_the_log_density(name, t):
    process, p, score = CASES[name]
    for i, e in enumerate(1e-5 * np.eye(2)):
        got = (np.log(p(POINTS + e, t)) - np.log(p(POINTS - e, t))) / 2e-5
        assert np.abs(got - score(POINTS, t)[:, i]).max() < 1e-6
    eps_theta = MIXTURE.eps_theta(process)
    assert np.abs(sde.score_of(eps_theta, process)(POINTS, t) - score(POINTS, t)).max() < 1e-12


@pytest.mark.parametrize("name", ["vp", "ve"])
def test_forward_steps_add_up_to_the_process(name):
    """Mean and variance of x_t | x_0 = 1.7 by 10,000 Euler-Maruyama steps, each probed, have closed forms."""
    process, n = (VP(), 10_000) if name == "vp" else (SMALL_VE, 10_000)
    probe, z = np.array([1.0, 0.0]), np.array([0.0, 1.0])
    mean, var, h = 1.7, 0.0, 1 / n
    for k in range(n):
        c_x, c_z = sde.forward_step(process, probe, k * h, (k + 1) * h, z)
        mean, var = c_x * mean, c_x**2 * var + c_z**2
    if name == "vp":
        # log mean: sum log(1 - beta h / 2) is off by h / 8 int beta^2 = 17e-4 and, a left sum, by
        # h / 4 (20 - 0.1) = 5e-4; 1 - var shrinks with the mean's square, less (beta h / 2)^2 at each step:
        # h / 4 int beta^2 = 34e-4 at most
        ab = math.exp(-10.05)
        assert abs(math.log(mean / 1.7) + 10.05 / 2) < 22e-4 + 1e-5
        assert abs(var - (1 - ab)) < 34e-4 + 1e-5
    else:  # a left sum of a growing g^2: off by at most h (g^2(1) - g^2(0))
        assert mean == 1.7
        assert abs(var - (9 - 0.01)) < h * 2 * math.log(30) * 9


@given(st.floats(0.1, 1), st.floats(0.05, 0.9), st.floats(-3, 3), st.floats(-3, 3), st.floats(-3, 3))
def test_steps_by_probing(t, part, x, score, z):
    """reverse_step, forward_step and velocity for VP and VE, from the processes' definitions."""
    s, X, Z = part * t, np.array([[x]]), np.array([[z]])
    for process, f, g2 in (
        (VP(), -(0.1 + 19.9 * t) / 2, 0.1 + 19.9 * t),
        (SMALL_VE, 0.0, 2 * math.log(30) * 0.01 * 900**t),
    ):
        back = sde.reverse_step(process, lambda x, t: np.full_like(x, score), X, t, s, Z)[0, 0]
        assert abs(back - (x - f * x * (t - s) + g2 * score * (t - s) + math.sqrt(g2 * (t - s)) * z)) < 1e-10
        there = sde.forward_step(process, X, s, s + 0.01, Z)[0, 0]
        f_s, g2_s = (f, g2) if s == t else (process.f(s), process.g2(s))
        assert abs(there - (x + f_s * x * 0.01 + math.sqrt(g2_s * 0.01) * z)) < 1e-10
        u = sde.velocity(process, lambda x, t: np.full_like(x, score), X, t)[0, 0]
        assert abs(u - (f * x - g2 * score / 2)) < 1e-10


@given(betas, st.floats(0.02, 0.98), st.floats(-3, 3), st.floats(-3, 3))
def test_velocity_by_angle_is_velocity_on_another_clock(b, part, x, eps):
    """tau = -2 log cos(theta) and dtau = beta dt: dtheta/dt = beta / (2 tan(theta)); both ask at one t."""
    k, asked = len(b) - 1, []

    def answer(x, t):
        asked.append(t)
        return np.full_like(x, eps)

    for process, t in ((VP(), part), (VP(3.0, 3.0), part), (continuous(from_betas(b)), k + part)):
        theta, ab, beta = sde.angle(process, t), process.alpha_bar_at(t), process.beta(t)
        assert abs(math.cos(theta) - math.sqrt(ab)) < 1e-13
        assert abs(math.sin(theta) - math.sqrt(1 - ab)) < 1e-13
        u = sde.velocity_by_angle(process, answer)(np.array([[x]]), theta)[0, 0]
        want = sde.velocity(process, sde.score_of(answer, process), np.array([[x]]), t)[0, 0]
        # 1 - ab >= 2e-5 (beta 0.001, a part 0.02 of it) has 5e-12 of its size in roundings of ab;
        # 3 / sqrt bounds eps's term
        assert abs(u * beta / (2 * math.tan(theta)) - want) < 1e-10 * beta * (3 + 3 / math.sqrt(1 - ab))
        # back from theta: 2e-14, roundings of tau < 8 where tan is large, over beta >= 0.001
        assert abs(asked[-2] - t) < 5e-11
    falling = [
        VP(25.0, b) for b in np.linspace(0.1, 20, 50)
    ]  # where the rounded root is above 1 now and then
    assert VP().time(VP().tau(0)) == 0 and all(vp.time(vp.tau(1)) <= 1 for vp in falling)


def test_langevin_step_has_the_known_stationary_spread():
    """N(1, 0.7^2): after many steps of 0.01 the std is 0.7018, of 0.02 it is 0.7036."""
    for a, std in ((0.01, 0.7018), (0.02, 0.7036)):
        x, z = np.array([1.0, 2.0, 1.0]), np.array([0.0, 0.0, 1.0])
        at_mean, moved, stirred = sde.langevin_step(-(x - 1) / 0.49, x, a, z)
        slope, noise = moved - at_mean, stirred - at_mean
        assert at_mean == 1 and abs(math.sqrt(noise**2 / (1 - slope**2)) - std) < 5e-5


def test_ve_and_vp_are_one_process_in_two_units():
    """y = sqrt(ab) x walks VP's flow, f = d log sqrt(ab) / dt, g^2 = -d log ab / dt, where x walks VE's."""

    class Shrunk:
        def f(self, t):
            return -0.5 * self.g2(t)

        def g2(self, t):  # ab = 1 / (1 + sigma2)
            return SMALL_VE.g2(t) / (1 + SMALL_VE.sigma2(t))

        def signal_and_noise(self, t):
            root = 1 / np.sqrt(1 + SMALL_VE.sigma2(t))
            return root, root * np.sqrt(SMALL_VE.sigma2(t))

    for t in (0.1, 0.5, 0.9):
        root = 1 / math.sqrt(1 + SMALL_VE.sigma2(t))
        u_ve = sde.velocity(SMALL_VE, score_ve, POINTS, t)
        u_vp = sde.velocity(Shrunk(), lambda x, t: MIXTURE.score(Shrunk(), x, t), root * POINTS, t)
        assert np.abs(u_vp - (root * u_ve + Shrunk().f(t) * root * POINTS)).max() < 1e-12  # d(root x)/dt
        assert (
            np.abs(p_ve(POINTS, t) - root**2 * np.exp(MIXTURE.log_prob(Shrunk(), root * POINTS, t))).max()
            < 1e-12
        )


J = np.array([[0.5, 2.0, -1.0], [0.3, -1.5, 0.7], [1.1, 0.2, 0.4]])
SIGNS = np.array(list(itertools.product([-1.0, 1.0], repeat=3)))


def test_divergence_is_the_jacobians_trace():
    """Of a linear field, and of u = (x_1 x_2, sin x_2, x_3^3 x_1), row by row."""

    def bent(x, t):
        return np.stack([x[:, 0] * x[:, 1], np.sin(x[:, 1]), x[:, 2] ** 3 * x[:, 0]], axis=1)

    x = np.random.default_rng(0).standard_normal((4, 3))
    assert np.abs(sde.divergence(lambda x, t: x @ J.T, x, 0.5) - (-0.6)).max() < 1e-9
    # central differences: h^2 / 6 u''' = 1e-8 times at most |x_1|
    assert (
        np.abs(sde.divergence(bent, x, 0.5) - (x[:, 1] + np.cos(x[:, 1]) + 3 * x[:, 2] ** 2 * x[:, 0])).max()
        < 1e-7
    )


def test_hutchinson_over_all_signs_has_the_divergence_as_mean_and_the_stated_variance():
    """All 8 sign vectors instead of random ones: mean and variance are exact, no bound is needed."""
    x = np.tile([[0.3, -1.0, 0.8]], (8, 1))
    got = sde.hutchinson(lambda x, t: x @ J.T, x, 0.5, SIGNS)
    assert np.abs(got - np.einsum("bi,ij,bj->b", SIGNS, J, SIGNS)).max() < 1e-9
    z = np.array([[0.5, -2.0, 1.3]])  # other z than signs
    assert abs(sde.hutchinson(lambda x, t: x @ J.T, x[:1], 0.5, z)[0] - z[0] @ J @ z[0]) < 1e-9
    assert abs(got.mean() - np.trace(J)) < 1e-9
    assert abs(got.var() - sum((J[i, j] + J[j, i]) ** 2 for i in range(3) for j in range(i))) < 1e-8


@pytest.mark.parametrize("t", [0.2, 0.6])
def test_hutchinson_is_unbiased_for_a_mixtures_velocity(t):
    def u(x, t):
        return sde.velocity(VP(), score_vp, x, t)

    over_signs = [
        sde.hutchinson(u, POINTS, t, np.tile(z, (len(POINTS), 1)))
        for z in itertools.product([-1.0, 1.0], repeat=2)
    ]
    # differences, h^2 = 1e-8
    assert np.abs(np.mean(over_signs, axis=0) - sde.divergence(u, POINTS, t)).max() < 1e-5
    assert np.abs(np.std(over_signs, axis=0)).max() > 1e-2  # one z alone is not the divergence


@pytest.mark.parametrize("name", CASES)
def test_likelihood_is_the_mixtures_closed_form(name):
    """int div u dt and the density at the end give log q(x_0) to 1e-5."""
    process, p, score = CASES[name]
    got, x_T = sde.log_likelihood(
        lambda x, t: sde.velocity(process, score, x, t),
        POINTS,
        lambda x: np.log(p(x, 1.0)),
        np.linspace(0, 1, 161),
    )
    assert np.abs(got - np.log(density(POINTS, 1.0, 0.0))).max() < 1e-5
    assert x_T.shape == POINTS.shape and np.abs(x_T - POINTS).max() > 0.1


@pytest.mark.parametrize(
    "schedule", [linear(1000), cosine(1000), from_betas([0.02, 0.3, 0.05, 0.4, 0.1, 0.5, 0.3])]
)
def test_likelihood_on_a_schedule_is_the_mixtures_closed_form(schedule):
    """From t = 1, in theta: twice the steps, a sixteenth of the error, although beta jumps between steps."""
    process, b = continuous(schedule), schedule.beta[1:]
    ab_1, ab_T = product_of_alphas(b, 1), product_of_alphas(b, len(b))
    u = sde.velocity_by_angle(process, MIXTURE.eps_theta(process))
    ends = [math.acos(math.sqrt(ab)) for ab in (ab_1, ab_T)]

    def log_p_T(x):
        return np.log(density(x, math.sqrt(ab_T), 1 - ab_T))

    got = [sde.log_likelihood(u, POINTS, log_p_T, np.geomspace(*ends, n + 1))[0] for n in (50, 100)]
    # e(50) = 16 e(100) for order 4, so e(100) is a fifteenth of the change; twice that for the terms of
    # higher order. The divergence's differences add h^2 / 6 = 2e-9 of a third derivative, which is below 50
    # along an arc of length pi / 2
    bound = 2 / 15 * np.abs(got[0] - got[1]).max() + 1e-7
    assert np.abs(got[1] - np.log(density(POINTS, math.sqrt(ab_1), 1 - ab_1))).max() < bound < 1e-3


def test_likelihood_with_a_wrong_end_is_wrong_by_what_is_predicted():
    """Stopped at t = 0.4 with N(0, I) there: the error is log N(x_T) - log q(x_T), x_T by the exact flow."""
    m, v, T = 0.8, 0.36, 0.4
    ab = math.exp(-(0.1 * T + 19.9 * T * T / 2))
    m_T, v_T = math.sqrt(ab) * m, ab * v + 1 - ab
    gaussian, x_0 = Mixture([1.0], [[m]], [[[v]]]), np.array([[-0.5], [0.8], [1.9]])
    x_T = m_T + math.sqrt(v_T / v) * (x_0[:, 0] - m)
    got, end = sde.log_likelihood(
        lambda x, t: sde.velocity(VP(), lambda x, t: gaussian.score(VP(), x, t), x, t),
        x_0, lambda x: log_normal(x[:, 0], 0, 1), np.linspace(0, T, 81),
    )  # fmt: skip
    error = log_normal(x_T, 0, 1) - log_normal(x_T, m_T, v_T)
    assert np.abs(end[:, 0] - x_T).max() < 1e-6
    assert np.abs(got - log_normal(x_0[:, 0], m, v) - error).max() < 1e-5 and np.abs(error).max() > 0.01


def test_likelihood_by_hutchinson_is_unbiased():
    """The mean over all four sign vectors, each kept along the whole path, is the exact likelihood."""

    def u(x, t):
        return sde.velocity(VP(), score_vp, x, t)

    times, end = np.linspace(0, 1, 81), lambda x: np.log(p_vp(x, 1.0))
    exact = sde.log_likelihood(u, POINTS, end, times)[0]
    over_signs = [
        sde.log_likelihood(
            u, POINTS, end, times, lambda u, x, t, z=z: sde.hutchinson(u, x, t, np.tile(z, (len(x), 1)))
        )[0]
        for z in itertools.product([-1.0, 1.0], repeat=2)
    ]
    assert np.abs(np.mean(over_signs, axis=0) - exact).max() < 1e-5


def test_bits_per_dim():
    assert sde.bits_per_dim(-6 * math.log(2), 3) == pytest.approx(2, rel=1e-15)
    assert sde.bits_per_dim(math.log(8), 3) == pytest.approx(-1, rel=1e-15)  # a density above 1


@pytest.mark.parametrize("dtype", DTYPES)
def test_dtype_follows_the_data(dtype):
    x, t, s = np.ones((3, 2), dtype), np.array([0.2, 0.5, 0.9]), np.array([0.1, 0.4, 0.5])
    for process in (VP(), SMALL_VE):
        together = (
            sde.reverse_step(process, lambda x, t: -x, x, t, s, x),
            sde.velocity(process, lambda x, t: -x, x, t),
            sde.langevin_step(-x, x, 0.1, x),
        )
        assert all(y.dtype == dtype and y.shape == x.shape for y in together)
        for i in range(3):  # a time for each row
            alone = sde.reverse_step(
                process, lambda x, t: -x, x[i : i + 1], float(t[i]), float(s[i]), x[i : i + 1]
            )
            assert np.allclose(together[0][i], alone[0], rtol=20 * np.finfo(dtype).eps)
