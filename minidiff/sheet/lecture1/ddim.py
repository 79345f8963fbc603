"""Lecture 1: DDIM. x_0_hat, the data that eps_hat implies; steps with the same marginals and less fresh noise, or none."""

import math

import numpy as np

from ... import exact, gaussian, sampling
from .. import oracles
from ..entry import SHARE, Formula
from .l_simple import probabilities


def _clean_error(c, rng):
    """The squared distance from x_0 to the picture that eps_hat implies, found by bisection."""
    return (oracles.x_0_from_eps(c.beta, c.t, c.x_t, c.eps_hat) - c.x_0) ** 2


def _best_picture(c, rng):
    """E[x_0 | x_t] for data +1 or -1: Bayes over the two."""
    return probabilities(c.beta, c.t, c.x_t, (1, -1)) @ (1, -1)


def _kept_noise(c, t, s, var):
    """The weight of x_t's unit noise in x_s for which x_s, with fresh noise of this variance, has its marginal variance."""
    x, p = oracles.gaussian_grid(0.0, 1.0, 601)
    return oracles.root(lambda k: k * k * (p @ x**2) + var - oracles.forward_moments(c.beta, s)[1], 0.0, 1.0)


def _family_mean(c, rng):
    """The mean of x_{t-1} given x_0 and x_t: its mean given x_0, plus the part of x_t's noise that is kept."""
    (here, var), (there, _) = (oracles.forward_moments(c.beta, i, mean=c.x_0) for i in (c.t, c.s))
    return there + _kept_noise(c, c.t, c.s, c.sigma**2) * (c.x_t - here) / math.sqrt(var)


def _sigma_limit(c, rng):
    """The largest sigma that leaves room for x_{t-1}'s variance: bisection on the variance that is left."""
    return oracles.root(lambda sigma: sigma * sigma - oracles.forward_moments(c.beta, c.s)[1], 0.0, 1.0)


def _marginal(weight):
    """Var(x_{t-1} | x_0) after a step that keeps x_t's noise with this weight, minus that of the forward chain."""

    def oracle(c, rng):
        ab_t, ab_s = c.alpha_bar[c.t], c.alpha_bar[c.s]
        x, p = oracles.gaussian_grid(
            0.0, math.sqrt(oracles.forward_moments(c.beta, c.t)[1]), 601
        )  # x_t - its mean
        moved = weight(ab_t, ab_s, c.sigma) * x / math.sqrt(1 - ab_t)
        return p @ moved**2 + c.sigma**2 - oracles.forward_moments(c.beta, c.s)[1]

    return oracle


def _sigma_of_ddpm(c, rng):
    """The sigma at which the mean has the same slope in x_t as the posterior's, by Bayes on a grid; bisection."""
    low, high = (oracles.posterior(c.beta, c.t, c.s, 0.7, x_t)[0] for x_t in (0.0, 1.0))
    noise_t, noise_s = (oracles.forward_moments(c.beta, i)[1] for i in (c.t, c.s))
    kept = (high - low) ** 2 * noise_t  # the variance that the posterior's mean takes over from x_t
    return oracles.root(lambda sigma: sigma * sigma + kept - noise_s, 0.0, 1.0)


def _same_noise(c, rng):
    """x_{t-1} of the x_0 and eps_hat that make x_t: x_0 by bisection, then noised to t - 1."""
    mean, var = oracles.forward_moments(c.beta, c.s, mean=oracles.x_0_from_eps(c.beta, c.t, c.x_t, c.eps_hat))
    return mean + math.sqrt(var) * c.eps_hat


def _ask_step(f, c):
    """The library's step with a denoiser that answers eps_hat."""
    return f()(lambda x_t, t: np.array([[c.eps_hat]]), c.schedule, np.array([[c.x_t]]), c.t, c.s, None)[0, 0]


X_0_HAT = "((x_t - sqrt(1 - alpha_bar[t]) * eps_hat) / sqrt(alpha_bar[t]))"
RESIDUAL = "(x_t - sqrt(alpha_bar[t]) * x_0) / sqrt(1 - alpha_bar[t])"
FAMILY = {"own": {"sigma": (SHARE, "sigma_t, the fresh noise's standard deviation, at most sqrt(1 - alpha_bar_{t-1})")},
          "derive": lambda c: {"sigma": min(c.sigma, 1 - c.alpha_bar[c.s])}}  # fmt: skip

# fmt: off
ENTRIES = [
    Formula(
        name="clean-estimate", number=30, lecture=1, title="The picture that the guessed noise implies",
        latex=r"\hat x_0 = \frac{x_t - \sqrt{1-\bar\alpha_t}\,\epsilon_\theta}{\sqrt{\bar\alpha_t}}",
        why="Guessing the noise is guessing the picture: the forward jump solved for x_0.",
        letters="beta t x_t eps_hat", answer=X_0_HAT,
        oracle=lambda c, rng: oracles.x_0_from_eps(c.beta, c.t, c.x_t, c.eps_hat),
        measured="bisection for the x_0 that eps_hat takes to x_t, noised step by step",
        source=gaussian.x_0_from_eps,
        value=lambda f, c: f(c.schedule, np.array([c.x_t]), c.t, np.array([c.eps_hat]))[0],
        wrong=(
            ("(x_t + sqrt(1 - alpha_bar[t]) * eps_hat) / sqrt(alpha_bar[t])", "the sign: the noise is taken away"),
            ("(x_t - sqrt(alpha_bar[t]) * eps_hat) / sqrt(1 - alpha_bar[t])", "the two roots are swapped"),
            ("(x_t + sqrt(alpha_bar[t]) * eps_hat) / sqrt(1 - alpha_bar[t])", "the sign is wrong and the roots are swapped"),
            ("(x_t - sqrt(1 - alpha_bar[t]) * eps_hat) / alpha_bar[t]", "x_0 has the weight sqrt(alpha_bar_t) in x_t"),
            ("(x_t - sqrt(1 - alpha[t]) * eps_hat) / sqrt(alpha[t])",
             "alpha_t undoes one step; from x_t to x_0 it is alpha_bar_t"),
            ("(x_t - (1 - alpha_bar[t]) * eps_hat) / sqrt(alpha_bar[t])", "1 - alpha_bar_t is a variance: its root is missing"),
            ("x_t - sqrt(1 - alpha_bar[t]) * eps_hat", "the shrinking is not undone"),
            ("x_t / sqrt(alpha_bar[t]) - sqrt(1 - alpha_bar[t]) * eps_hat", "the noise is to be divided as well"),
            ("(x_t - eps_hat) / sqrt(alpha_bar[t])", "eps has unit width; x_t holds sqrt(1 - alpha_bar_t) of it"),
        ),
    ),
    Formula(
        name="clean-estimate-best", number=30, lecture=1, title="The best picture, data +1 or -1",
        latex=r"\mathrm{E}[x_0\,|\,x_t] = \tanh\left(\frac{\sqrt{\bar\alpha_t}\,x_t}{1-\bar\alpha_t}\right)",
        why="Far from t = 0 the best guess lies between the pictures: it is their average, which looks blurred.",
        letters="beta t x_t", answer="tanh(sqrt(alpha_bar[t]) * x_t / (1 - alpha_bar[t]))",
        oracle=_best_picture, measured="Bayes over the two points",
        source=exact.Mixture,
        value=lambda f, c: (c.x_t - math.sqrt(1 - c.alpha_bar[c.t]) * f([0.5, 0.5], [[1.0], [-1.0]], np.zeros((2, 1, 1))).eps(
            c.schedule, np.array([[c.x_t]]), c.t)[0, 0]) / math.sqrt(c.alpha_bar[c.t]),
        wrong=(
            ("tanh(sqrt(alpha_bar[t]) * x_t / sqrt(1 - alpha_bar[t]))", "the noise's variance stands below, not its root"),
            ("tanh(alpha_bar[t] * x_t / (1 - alpha_bar[t]))", "x_0 has the weight sqrt(alpha_bar_t) in x_t"),
            ("tanh(x_t / (1 - alpha_bar[t]))", "x_0 is shrunk in x_t by sqrt(alpha_bar_t)"),
            ("x_t / abs(x_t)", "that is the likelier picture; the best answer is the average of both"),
            ("x_t / sqrt(alpha_bar[t])", "that leaves the noise in"),
            ("sqrt(alpha_bar[t]) * x_t", "that is E[x_0 | x_t] for N(0, 1) data"),
            ("0", "that is the mean without looking at x_t"),
        ),
    ),
    Formula(
        name="clean-error", number=31, lecture=1, title="From an error of the noise to one of the picture",
        latex=r"\|\hat x_0 - x_0\|^2 = \frac{1-\bar\alpha_t}{\bar\alpha_t}\,\|\epsilon_\theta - \epsilon\|^2",
        why="The same error in other units: deep in the noise a small error of eps is a large one of x_0.",
        letters="beta t x_0 eps x_t eps_hat", answer="(1 - alpha_bar[t]) / alpha_bar[t] * (eps_hat - eps)**2",
        oracle=_clean_error, measured="bisection for the picture that eps_hat implies, against the x_0 in x_t",
        wrong=(
            ("alpha_bar[t] / (1 - alpha_bar[t]) * (eps_hat - eps)**2", "the factor is inverted: it is 1/SNR"),
            ("(eps_hat - eps)**2", "the two losses are not the same: each t has its own factor"),
            ("sqrt((1 - alpha_bar[t]) / alpha_bar[t]) * (eps_hat - eps)**2", "the factor is squared with the error"),
            ("(1 - alpha_bar[t]) * (eps_hat - eps)**2", "dividing by sqrt(alpha_bar_t) counts squared as well"),
            ("(eps_hat - eps)**2 / alpha_bar[t]", "the noise in x_t has the width sqrt(1 - alpha_bar_t)"),
            ("(1 - alpha[t]) / alpha[t] * (eps_hat - eps)**2", "alpha_t is one step's; here it is alpha_bar_t"),
        ),
    ),
    Formula(
        name="ddim-family-mean", number=32, lecture=1, title="DDIM's family: the mean of q_sigma(x_{t-1} | x_t, x_0)",
        latex=r"\mu_\sigma = \sqrt{\bar\alpha_{t-1}}\,x_0 + \sqrt{1-\bar\alpha_{t-1}-\sigma_t^2}\ "
              r"\frac{x_t - \sqrt{\bar\alpha_t}\,x_0}{\sqrt{1-\bar\alpha_t}}",
        why="Keep of the old noise what the fresh noise leaves room for, and x_{t-1} has the variance it must have.",
        letters="beta t x_0 eps x_t sigma", **FAMILY,
        answer=f"sqrt(alpha_bar[t-1]) * x_0 + sqrt(1 - alpha_bar[t-1] - sigma**2) * {RESIDUAL}",
        oracle=_family_mean, measured="bisection for the weight of x_t's noise that gives x_{t-1} the chain's variance",
        wrong=(
            (f"sqrt(alpha_bar[t-1]) * x_0 + sqrt(1 - alpha_bar[t-1]) * {RESIDUAL}",
             "-sigma^2 is missing under the root: with the fresh noise x_{t-1} would be too wide"),
            (f"sqrt(alpha_bar[t-1]) * x_0 + sqrt(1 - alpha_bar[t-1] - sigma) * {RESIDUAL}", "sigma stands for sigma^2"),
            (f"sqrt(alpha_bar[t-1]) * x_0 + (sqrt(1 - alpha_bar[t-1]) - sigma) * {RESIDUAL}",
             "variances subtract, not standard deviations"),
            (f"sqrt(alpha_bar[t-1]) * x_0 + sqrt(1 - alpha_bar[t] - sigma**2) * {RESIDUAL}", "the noise belongs to t - 1"),
            (f"sqrt(alpha_bar[t-1]) * x_0 + sqrt(1 - alpha_bar[t-1] + sigma**2) * {RESIDUAL}",
             "the sign: fresh noise takes the old one's place"),
            (f"sqrt(alpha_bar[t-1]) * x_0 + (1 - alpha_bar[t-1] - sigma**2) * {RESIDUAL}", "the root is missing"),
            ("sqrt(alpha_bar[t-1]) * x_0 + sqrt(1 - alpha_bar[t-1] - sigma**2) * x_t",
             "the noise in x_t is meant, not x_t itself"),
            ("sqrt(alpha_bar[t-1]) * x_0", "the old noise is missing: that is the mean given x_0 alone"),
        ),
    ),
    Formula(
        name="ddim-marginal", number=32, lecture=1, title="DDIM's family keeps the marginals, whatever sigma",
        latex=r"q_\sigma(x_{t-1}|x_0) = \mathcal{N}(\sqrt{\bar\alpha_{t-1}}\,x_0,\ (1-\bar\alpha_{t-1})\,I)\quad"
              r"\mathrm{for\ every\ }\sigma",
        why="L_simple knows only the marginals, so one trained network serves every member of the family.",
        letters="beta t sigma", **FAMILY,
        oracle=_marginal(lambda ab_t, ab_s, sigma: math.sqrt(1 - ab_s - sigma**2)),
        measured="the family's step applied to x_t on a grid: its variance minus that of the walked chain",
        wrong=(
            (_marginal(lambda ab_t, ab_s, sigma: math.sqrt(1 - ab_s)), "without -sigma^2 under the root x_{t-1} is too wide"),
            (_marginal(lambda ab_t, ab_s, sigma: math.sqrt(max(0, 1 - ab_s - sigma))), "sigma stands where sigma^2 belongs"),
            (_marginal(lambda ab_t, ab_s, sigma: math.sqrt(1 - ab_t - sigma**2)), "the variance belongs to t - 1"),
            (_marginal(lambda ab_t, ab_s, sigma: math.sqrt(1 - ab_s) - sigma), "variances subtract, not standard deviations"),
        ),
    ),
    Formula(
        name="ddim-sigma-limit", number=32, lecture=1, title="The largest sigma of DDIM's family",
        latex=r"\max\,\sigma_t = \sqrt{1-\bar\alpha_{t-1}}",
        why="Fresh noise cannot be wider than all the noise that x_{t-1} may hold.",
        letters="beta t", answer="sqrt(1 - alpha_bar[t-1])",
        oracle=_sigma_limit, measured="bisection for the sigma that leaves no room for the old noise",
        wrong=(
            ("1 - alpha_bar[t-1]", "that is its square: 1 - alpha_bar is a variance"),
            ("sqrt(1 - alpha_bar[t])", "the fresh noise is in x_{t-1}, so the limit is that of t - 1"),
            ("sqrt((1 - alpha_bar[t-1]) / (1 - alpha_bar[t]) * beta[t])", "that is DDPM's member, not the widest"),
            ("sqrt(beta[t])", "beta_t may lie above or below the limit"),
            ("1", "that is the limit only where no signal is left"),
        ),
    ),
    Formula(
        name="ddim-ddpm-sigma", number=33, lecture=1, title="The sigma that gives DDPM back",
        latex=r"\sigma_t = \sqrt{\frac{1-\bar\alpha_{t-1}}{1-\bar\alpha_t}\,\beta_t}",
        why="DDPM is the member of the family whose noising is a Markov chain.",
        letters="beta t", answer="sqrt((1 - alpha_bar[t-1]) / (1 - alpha_bar[t]) * beta[t])",
        oracle=_sigma_of_ddpm, measured="bisection for the sigma at which the mean's slope in x_t is that of Bayes on a grid",
        source=sampling.beta_tilde, value=lambda f, c: math.sqrt(f(c.schedule, c.t, c.s)),
        wrong=(
            ("sqrt(beta[t])", "that is DDPM's other choice, which is no member: the mean would change, or not exist"),
            ("(1 - alpha_bar[t-1]) / (1 - alpha_bar[t]) * beta[t]", "that is sigma^2, beta-tilde"),
            ("sqrt((1 - alpha_bar[t]) / (1 - alpha_bar[t-1]) * beta[t])", "the ratio is inverted"),
            ("sqrt(1 - alpha_bar[t-1])", "that is the widest member: it forgets x_t"),
            ("0", "that is DDIM itself"),
            ("1", "that is eta; sigma is eta times the root of beta-tilde"),
        ),
    ),
    Formula(
        name="ddim-step", number=34, lecture=1, title="DDIM's step",
        latex=r"x_{t-1} = \sqrt{\bar\alpha_{t-1}}\,\hat x_0 + \sqrt{1-\bar\alpha_{t-1}}\,\epsilon_\theta",
        why="Guess the picture, then put back the same noise, as much as belongs at t - 1.",
        letters="beta t x_t eps_hat x_0_hat z",
        answer=f"sqrt(alpha_bar[t-1]) * {X_0_HAT} + sqrt(1 - alpha_bar[t-1]) * eps_hat",
        oracle=_same_noise, measured="bisection for the x_0 that eps_hat takes to x_t, noised to t - 1 with the same eps_hat",
        source=sampling.ddim_step, value=_ask_step,
        wrong=(
            (f"sqrt(alpha_bar[t-1]) * {X_0_HAT} + sqrt(1 - alpha_bar[t-1]) * z",
             "fresh noise: the I of DDIM stands for implicit, the step is deterministic and puts back eps_theta itself"),
            (f"sqrt(alpha_bar[t-1]) * {X_0_HAT} + sqrt(1 - alpha_bar[t]) * eps_hat",
             "the noise belongs to t - 1, as the signal does"),
            (f"sqrt(alpha[t-1]) * {X_0_HAT} + sqrt(1 - alpha[t-1]) * eps_hat", "DDIM's alpha is our alpha_bar"),
            ("(x_t - beta[t] / sqrt(1 - alpha_bar[t]) * eps_hat) / sqrt(alpha[t])",
             "that is DDPM's step without its noise (z = 0), which shrinks the samples: another mean"),
            (f"sqrt(alpha_bar[t-1]) * {X_0_HAT}", "the noise is to be put back"),
            (f"sqrt(alpha_bar[t]) * {X_0_HAT} + sqrt(1 - alpha_bar[t]) * eps_hat", "that is x_t again, not t - 1"),
            (f"alpha_bar[t-1] * {X_0_HAT} + (1 - alpha_bar[t-1]) * eps_hat", "the roots are missing"),
            (f"sqrt(alpha_bar[t-1]) * {X_0_HAT} - sqrt(1 - alpha_bar[t-1]) * eps_hat", "the sign: the noise is put back"),
            (X_0_HAT, "that is the guessed picture itself: the step goes to t - 1 only"),
        ),
    ),
]
