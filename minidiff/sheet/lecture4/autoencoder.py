"""Lecture 4: the autoencoder of latent diffusion, its ELBO, KL and reconstruction term."""

import math

import numpy as np

from ... import gaussian
from .. import oracles
from ..entry import COUNT, POSITIVE, REAL, Formula

VAE = {"x": (REAL, "the picture, one number"), "a": (REAL, "the decoder: x | z is N(a z, sigma^2)"),
       "sigma": (POSITIVE, "the decoder's standard deviation"), "mu_1": (REAL, "the encoder's mean for this x"),
       "sigma_1": (POSITIVE, "the encoder's standard deviation")}  # fmt: skip


def _terms(c):
    """(log p(x), E_q log p(x | z), KL(q || p(z)), KL(q || p(z | x)), KL(p(z) || q), KL(p(z | x) || q)), all on one grid of z.

    The prior is N(0, 1); every density is normalised by counting.
    """
    reach = 12 * max(1.0, c.sigma_1) + abs(c.mu_1)
    z, step = np.linspace(-reach, reach, 16_001, retstep=True)

    def normalised(log_p):
        log_p = log_p - log_p.max()
        return log_p - math.log(np.exp(log_p).sum() * step)

    q, prior = (
        normalised(oracles.log_bell(z, c.mu_1, c.sigma_1**2)),
        normalised(oracles.log_bell(z, 0.0, 1.0)),
    )
    likely = oracles.log_bell(c.x, c.a * z, c.sigma**2) + oracles.log_density(0.0, 0.0, c.sigma)
    joint = prior + likely
    log_p_x = joint.max() + math.log(np.exp(joint - joint.max()).sum() * step)
    posterior = joint - log_p_x
    kl = lambda p, r: float(np.sum(np.exp(p) * (p - r)) * step)  # noqa: E731
    return (
        log_p_x,
        np.sum(np.exp(q) * likely) * step,
        kl(q, prior),
        kl(q, posterior),
        kl(prior, q),
        kl(posterior, q),
    )


def _left(*factors):
    """log p(x) less these multiples of the five other terms."""
    return lambda c, rng: float(np.dot((1, *(-f for f in factors)), _terms(c)))


def _kl_to_normal(c, rng):
    """E log q/p under q = N(mu, sigma^2), p = N(0, 1): the definition on a grid, one coordinate times d."""
    reach = 12 * max(1.0, c.sigma) + abs(c.mu)
    z, step = np.linspace(-reach, reach, 16_001, retstep=True)
    log_q, log_p = (
        u - math.log(np.exp(u).sum() * step)
        for u in (oracles.log_bell(z, c.mu, c.sigma**2), oracles.log_bell(z, 0.0, 1.0))
    )
    return c.d * np.sum(np.exp(log_q) * (log_q - log_p)) * step


def _reconstruction(c, rng):
    """-log density of d coordinates, one of them a distance r from its mean: Fourier inversion, one factor a coordinate."""
    return -oracles.log_density(c.r, 0.0, c.c) - (c.d - 1) * oracles.log_density(0.0, 0.0, c.c)


# fmt: off
ENTRIES = [
    Formula(
        name="vae-elbo", number=69, lecture=4, title="The VAE's ELBO and its gap",
        latex=r"\log p_\theta(x) = \mathrm{E}_q\log p_\theta(x|z) - \mathrm{KL}(q\,\|\,p(z))"
              r" + \mathrm{KL}(q\,\|\,p_\theta(z|x))",
        why="What the encoder gets wrong about the true posterior is just what the bound misses.",
        letters="x a sigma mu_1 sigma_1", own=VAE,
        oracle=_left(1, -1, 1, 0, 0), measured="all four terms by quadrature over z",
        wrong=(
            (_left(1, 1, 1, 0, 0), "the KL to the prior is taken off the reconstruction, it is a price"),
            (_left(1, 0, 1, -1, 0), "the prior is the second argument: the KL is an expectation under q"),
            (_left(1, -1, 0, 0, 1), "the true posterior is the second argument: the KL is an expectation under q"),
            (_left(1, -1, -1, 0, 0), "the ELBO is below log p: the gap is added to it"),
            (_left(1, -1, 0, 0, 0), "the ELBO is a bound: the gap to the true posterior is missing"),
            (_left(1, 0, 0, 0, 0), "reconstruction alone is not log p: both KLs are missing"),
        ),
    ),
    Formula(
        name="vae-bound", number=69, lecture=4, title="The VAE's ELBO is a lower bound",
        latex=r"\log p_\theta(x) \geq \mathrm{E}_q\log p_\theta(x|z) - \mathrm{KL}(q\,\|\,p(z))",
        why="Raising a lower bound raises what it bounds, or at least its guarantee.",
        letters="x a sigma mu_1 sigma_1", own=VAE, relation=">=",
        oracle=_left(1, -1, 0, 0, 0), measured="log p(x) less the ELBO, by quadrature over z",
        wrong=(
            (lambda c, rng: -_left(1, -1, 0, 0, 0)(c, rng), "it bounds log p from below, not from above"),
            (_left(1, 1, 0, 0, 0), "with + KL it is no bound: the price of the code is to be paid"),
        ),
    ),
    Formula(
        name="vae-kl", number=70, lecture=4, title="The VAE's KL to its prior",
        latex=r"\mathrm{KL}(\mathcal{N}(\mu,\sigma^2 I)\,\|\,\mathcal{N}(0,I)) ="
              r" \frac{1}{2}\sum_{i=1}^d(\mu_i^2 + \sigma_i^2 - 1 - \log\sigma_i^2)",
        why="It holds the codes near the origin and blurred, so that a latent drawn from N(0, I) means something.",
        letters="d mu sigma", own={"mu": (REAL, "the mean of each of the d coordinates"), "d": (COUNT, "length of the code"),
                                   "sigma": (POSITIVE, "the standard deviation of each")},
        answer="d/2 * (mu**2 + sigma**2 - 1 - log(sigma**2))",
        oracle=_kl_to_normal, measured="quadrature of q log(q/p), one coordinate times d",
        source=gaussian.kl, value=lambda f, c: c.d * f(c.mu, c.sigma**2, 0.0, 1.0),
        wrong=(
            ("d/2 * (mu**2 + sigma**2 - 1 - log(sigma))", "log sigma^2, which is 2 log sigma"),
            ("-d/2 * (mu**2 + sigma**2 - 1 - log(sigma**2))", "the sign: that is the ELBO's -KL"),
            ("d * (mu**2 + sigma**2 - 1 - log(sigma**2))", "the 1/2 is missing"),
            ("1/2 * (mu**2 + sigma**2 - 1 - log(sigma**2))", "each of the d coordinates counts"),
            ("d/2 * (mu**2 + exp(sigma**2) - 1 - sigma**2)", "exp is taken of what is a variance already, not its logarithm"),
            ("d/2 * (mu**2 + sigma**2 - log(sigma**2))", "-1 is missing: N(0, I) itself has to cost nothing"),
            ("d/2 * (mu**2 + sigma**2 - 1 + log(sigma**2))", "the logarithm's sign: a narrow code costs more"),
            ("d/2 * (mu**2 + sigma - 1 - log(sigma))", "the standard deviation stands where the variance belongs"),
            ("d/2 * (mu + sigma**2 - 1 - log(sigma**2))", "the mean is to be squared"),
        ),
    ),
    Formula(
        name="reconstruction", number=71, lecture=4, title="Reconstruction term of a Gaussian decoder",
        latex=r"-\log\mathcal{N}(x;\hat x,c^2 I) = \frac{\|x-\hat x\|^2}{2c^2} + \frac{d}{2}\log(2\pi c^2)",
        why="How much a squared error weighs against the KL is the decoder's choice of c, not a law.",
        letters="d r c", own={"r": (POSITIVE, "the distance ||x - x_hat||"), "c": (POSITIVE, "std of the decoder"),
                                 "x": ("", "the picture"), "x_hat": ("", "what the decoder draws")},
        derive=lambda c: {"r": (r := min(c["r"], 3 * c["c"])), "x": c["d"], "x_hat": c["d"] - r},  # further out no digits
        answer="r**2 / (2*c**2) + d/2 * log(2*pi*c**2)",
        oracle=_reconstruction, measured="Fourier inversion of the characteristic function, one factor a coordinate",
        wrong=(
            ("r**2", "the weight of the squared error is 1 / (2 c^2), and c has its own term"),
            ("r**2 / 2 + d/2 * log(2*pi)", "that is for c = 1: the weight of the squared error depends on c"),
            ("r**2 / (2*c**2)", "without the logarithm c could be made as large as one likes"),
            ("r**2 / c**2 + d/2 * log(2*pi*c**2)", "the 1/2 of the exponent is missing"),
            ("r**2 / (2*c) + d/2 * log(2*pi*c)", "c stands where c^2 belongs"),
            ("-r**2 / (2*c**2) - d/2 * log(2*pi*c**2)", "the sign: that is the log-likelihood, not the loss"),
            ("r**2 / (2*c**2) + 1/2 * log(2*pi*c**2)", "each of the d coordinates brings its own normaliser"),
            ("r / (2*c**2) + d/2 * log(2*pi*c**2)", "the distance is to be squared"),
        ),
    ),
]
