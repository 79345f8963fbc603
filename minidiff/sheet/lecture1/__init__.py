"""Lecture 1, diffusion: noising, the ELBO, DDPM, DDIM.

probability  sums, densities, KL, products of Gaussians
divergence   KL, for Gaussians, and from pure noise
forward      one noising step, all steps at once, how much signal is left
elbo         the bound, its gap, its terms, Bayes back
posterior    the posterior, and how its mean makes the loss
l_simple     the simple loss and the best denoiser
ddpm         DDPM's step and its variance
ddim         DDIM
fewer_steps  fewer steps
"""

from . import ddim, ddpm, divergence, elbo, fewer_steps, forward, l_simple, posterior, probability

ENTRIES = [
    f
    for section in (
        probability,
        divergence,
        forward,
        elbo,
        posterior,
        l_simple,
        ddpm,
        ddim,
        fewer_steps,
    )
    for f in section.ENTRIES
]
