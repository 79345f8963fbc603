"""Lecture 8: one-step generators drawn to a teacher: distilled scores, matched distributions, a discriminator."""

import math

from .. import oracles
from ..entry import POSITIVE, REAL, Formula

SCORES = {"w": (POSITIVE, "weight w(t)"), "a": (REAL, "dx/dtheta: how the picture answers to the parameter"),
          "x": (REAL, "a picture, made by the generator"), "mu": (REAL, "mean of the data"),
          "sigma": (POSITIVE, "standard deviation of the data"), "mu_1": (REAL, "mean of the generator"),
          "sigma_1": (POSITIVE, "its standard deviation"), "mu_2": (REAL, "mean of the data"),
          "sigma_2": (POSITIVE, "their standard deviation")}  # fmt: skip
DENSITIES = {
    "p": (POSITIVE, "density of real pictures at x"),
    "q": (POSITIVE, "density of generated ones there"),
}


def _pull(c, rng):
    """The slope in theta of w/2 (x - target)^2, the target x - (eps_hat - eps) held fixed; by finite differences."""
    return oracles.difference(lambda theta: c.w / 2 * (c.a * theta + c.eps_hat - c.eps) ** 2, 0.0)


def _divergence(mean_1, std_1, mean_2, std_2):
    """KL of two Gaussians by quadrature, up to a number that does not hang on the means."""
    x, p = oracles.gaussian_grid(mean_1, std_1, 601)
    return p @ (oracles.log_bell(x, mean_1, std_1**2) - oracles.log_bell(x, mean_2, std_2**2))


def _noised(c, rng):
    """The slope in x of KL(x noised || data noised), by finite differences, times the noise's std over the signal's factor."""
    keep, noise = oracles.forward_moments(c.beta, c.t)
    wide = math.sqrt(oracles.forward_moments(c.beta, c.t, var=c.sigma**2)[1])
    slope = oracles.difference(
        lambda x: _divergence(keep * x, math.sqrt(noise), keep * c.mu, wide), c.x, 1e-2
    )
    return math.sqrt(noise) / keep * slope


def _matched(c, rng):
    """The slope in mu_1 of KL(generator || data), by finite differences."""
    return oracles.difference(lambda m: _divergence(m, c.sigma_1, c.mu_2, c.sigma_2), c.mu_1, 1e-2)


def _apart(c, rng):
    """The slope in x of log p_gen - log p_data, by finite differences."""
    log_p = lambda x: oracles.log_bell(x, c.mu_1, c.sigma_1**2) - oracles.log_bell(x, c.mu_2, c.sigma_2**2)  # noqa: E731
    return oracles.difference(log_p, c.x)


def _judge(c, rng):
    """The answer at which p log D + q log(1 - D) stops rising, by bisection; slopes by finite differences."""
    gain = lambda D: c.p * math.log(D) + c.q * math.log(1 - D)  # noqa: E731
    return oracles.root(lambda D: -oracles.difference(gain, D, 1e-3 * D * (1 - D)), 1e-6, 1 - 1e-6)


KEPT, NOISE = "alpha_bar[t]", "(1 - alpha_bar[t])"
WIDE = f"({KEPT}*sigma**2 + {NOISE})"

# fmt: off
ENTRIES = [
    Formula(
        name="sds-gradient", number=80, lecture=8, title="Score distillation (SDS): the gradient for one noise",
        latex=r"\nabla_\theta L_\mathrm{SDS} = w(t)\,(\hat\epsilon-\epsilon)\,a,\quad a = \frac{\partial x}{\partial\theta}",
        why="The picture is moved against the noise that the teacher sees too much of; nothing goes back through the teacher.",
        letters="w eps_hat eps a", own=SCORES, answer="w * (eps_hat - eps) * a",
        oracle=_pull, measured="finite differences of w/2 (x - target)^2, the target x - (eps_hat - eps) held fixed",
        wrong=(
            ("w * (eps - eps_hat) * a", "the sign: a step goes against the gradient, away from the noise that is seen"),
            ("w * eps_hat * a", "the noise that was put in is taken off: same mean, far less stray"),
            ("w * (eps_hat - eps)", "the way from the parameter to the picture is missing"),
            ("w * (eps_hat - eps)**2 * a", "the difference itself, not its square"),
            ("(eps_hat - eps) * a", "the weight is missing"),
            ("w * (eps_hat - eps) / a", "the chain rule multiplies"),
        ),
    ),
    Formula(
        name="sds-gaussian", number=80, lecture=8, title="SDS on average: a perfect teacher of N(mu, sigma^2) data, w = 1",
        latex=r"\mathrm{E}[\hat\epsilon-\epsilon] = \frac{\sqrt{\bar\alpha_t\,(1-\bar\alpha_t)}\,(x-\mu)}"
              r"{\bar\alpha_t\sigma^2+1-\bar\alpha_t}",
        why="It vanishes at the mode only: SDS finds the likeliest picture and draws no sample, so its pictures look alike.",
        letters="beta t x mu sigma", own=SCORES, answer=f"sqrt({KEPT}*{NOISE}) * (x - mu) / {WIDE}", bound=1e-8,
        oracle=_noised, measured="std over factor times the slope of the KL of both noised laws, by quadrature",
        wrong=(
            (f"sqrt({KEPT}*{NOISE}) * (mu - x) / {WIDE}", "the sign: a step against it goes to the mean"),
            (f"sqrt({NOISE}) * (x - mu) / {WIDE}", "the mean difference of noised pictures is sqrt(alpha_bar) (x - mu)"),
            (f"sqrt({KEPT}) * (x - mu) / {WIDE}", "that is minus the score: a noise is sqrt(1 - alpha_bar) of it"),
            ("(x - mu) / sigma**2", "that is without noise"),
            (f"sqrt({KEPT}*{NOISE}) * x / {WIDE}", "it vanishes at the mean of the data"),
            (f"sqrt({KEPT}*{NOISE}) * (x - mu) / {NOISE}", "the data's width is missing"),
            ("0", "that is for samples of the data, on average over all; each is pulled"),
        ),
    ),
    Formula(
        name="dmd-direction", number=80, lecture=8, title="Distribution matching (DMD): the gradient at x, both laws Gaussian",
        latex=r"s_\mathrm{gen}(x) - s_\mathrm{data}(x) = \frac{x-\mu_2}{\sigma_2^2} - \frac{x-\mu_1}{\sigma_1^2}",
        why="Against it a picture goes where the data are denser than the generator's own pictures are.",
        letters="x mu_1 sigma_1 mu_2 sigma_2", own=SCORES, answer="(x - mu_2)/sigma_2**2 - (x - mu_1)/sigma_1**2",
        oracle=_apart, measured="finite differences of log p_gen - log p_data",
        wrong=(
            ("(x - mu_1)/sigma_1**2 - (x - mu_2)/sigma_2**2", "the sign: a score points to the mean, -(x - mu)/sigma^2"),
            ("(x - mu_2)/sigma_2**2", "without the generator's own score all pictures run to the mode"),
            ("(x - mu_2)/sigma_2 - (x - mu_1)/sigma_1", "a score is divided by the variance"),
            ("(mu_1 - mu_2)/sigma_2**2", "that is the mean over the generator's pictures"),
            ("(x - mu_2)/sigma_2**2 + (x - mu_1)/sigma_1**2", "the difference of both scores"),
            ("(x - mu_1)/sigma_2**2 - (x - mu_2)/sigma_1**2", "each mean with its own variance"),
        ),
    ),
    Formula(
        name="dmd-gradient", number=80, lecture=8, title="Distribution matching: slope of the KL in the generator's mean",
        latex=r"\frac{\partial}{\partial\mu_1}\,\mathrm{KL}(p_1\,\|\,p_2) = \frac{\mu_1-\mu_2}{\sigma_2^2}",
        why="The generator's own score has mean 0 over its own pictures, so only the data's says where to go.",
        letters="mu_1 sigma_1 mu_2 sigma_2", own=SCORES, answer="(mu_1 - mu_2) / sigma_2**2", bound=1e-8,
        oracle=_matched, measured="finite differences of the KL, by quadrature",
        wrong=(
            ("(mu_2 - mu_1) / sigma_2**2", "the sign: that is the way down"),
            ("(mu_1 - mu_2) / sigma_1**2", "the data's width: how much they mind a wrong mean"),
            ("(mu_1 - mu_2) / sigma_2", "the variance divides"),
            ("(mu_1 - mu_2)**2 / (2*sigma_2**2)", "that is the KL's part, not its slope"),
            ("(mu_1 - mu_2) / (sigma_1**2 + sigma_2**2)", "the KL takes the data's density at the generator's pictures"),
            ("mu_1 - mu_2", "the variance is missing"),
        ),
    ),
    Formula(
        name="best-discriminator", number=80, lecture=8, title="The best discriminator: real density p, generated q",
        latex=r"D^*(x) = \frac{p(x)}{p(x)+q(x)}",
        why="Bayes' rule for \"is it real\": its log-odds are log p/q, which is what the generator learns from.",
        letters="p q", own=DENSITIES, answer="p / (p + q)", bound=1e-8,
        oracle=_judge, measured="bisection for where p log D + q log(1 - D) stops rising, slopes by finite differences",
        wrong=(
            ("q / (p + q)", "that is the chance that it is generated"),
            ("p / q", "those are the odds"),
            ("log(p/q)", "those are the log-odds, before the sigmoid"),
            ("p", "a density is no probability: compare it with the other"),
            ("1/2", "that is for a perfect generator, q = p"),
            ("p**2 / (p**2 + q**2)", "the logarithms give p / D = q / (1 - D), no squares"),
        ),
    ),
]
