"""Lecture 1: noising, the ELBO, DDPM and DDIM.

Read in this order; each file ends with its ENTRIES; concepts.py is what the quiz asks.

    probability           sums and products of Gaussians, densities, Bayes' rule
    kl_divergence         KL, for Gaussians, and how far x_T is from pure noise
    forward               one noising step, all steps at once, how much signal is left
    schedules             alpha_bar by the cosine, from the log-SNR, with no signal at T
    elbo                  the bound, what it loses, its terms
    posterior             q(x_{t-1} | x_t, x_0), and what an error in eps_hat costs in the ELBO
    l_simple              the simple loss, how small it can be, the best denoiser
    parameterisation      what a network may be asked for: eps, x_0 or v
    ddpm                  DDPM's step and its variance
    ddim                  the predicted x_0, and a step without fresh noise
    accelerated_sampling  DDPM and DDIM on some of the times only
    variants              a learned variance, DDIM with some fresh noise, DDIM reversed, other subsequences
"""

TITLE = "Lecture 1: noising, the ELBO, DDPM and DDIM"
SECTIONS = (
    "probability kl_divergence forward schedules elbo posterior"
    " l_simple parameterisation ddpm ddim accelerated_sampling variants"
).split()
