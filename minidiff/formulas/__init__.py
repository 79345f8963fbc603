"""The formula sheet: every formula of the course, measured by a road that does not use it.

    entry        what an entry is, and the numbers it is tried on
    oracles      Bayes on a grid, quadrature, simulated chains, finite differences
    probability  sums, densities, KL, products of Gaussians
    divergence   KL, for Gaussians, and from pure noise
    forward      one noising step, all steps at once, how much signal is left
    elbo         the bound, its gap, its terms, Bayes back
    reverse      the posterior, and how its mean makes the loss
    denoise      the simple loss and the best denoiser
    ancestral    DDPM's step and its variance
    implicit     DDIM
    skipping     fewer steps
    score        what a score is, and Langevin's walk
    matching     learning a score from noise
    tweedie      the score, the guessed noise and the guessed picture are one
    sde          noising in continuous time
    reversal     how a density flows, the reverse SDE, the probability-flow ODE
    solving      orders of error, DPM-Solver
    flow         a line from noise to data, and what a velocity does to a density
    marginal     flow matching: the average velocity of all lines through a point
    transport    flow matching: walking along the velocity, and how straight the walk is
    latents      the autoencoder: its ELBO, KL and reconstruction
    conditions   attention, CLIP's loss
    guidance     by a classifier, and without one
    networks     convolutions, tokens, positions, adaLN
    practice     when to train, how noisy at which resolution
    evaluation   Elo, FID, PSNR, SSIM
    tuning       preferences, low rank, distillation, masked tokens
    verdict      what a judgement looks like
    check        is a student's own formula right?
    compute      a formula with one's own numbers
    verify       the sheet itself, measured
    quiz         questions with numbers, whose distractors are real slips
    explain      all that is known of an entry, in words and as curves

SHEET holds the entries in the course's order; find(name) is one of them.
"""

import difflib

from . import (
    ancestral,
    conditions,
    denoise,
    divergence,
    elbo,
    evaluation,
    flow,
    forward,
    guidance,
    implicit,
    latents,
    marginal,
    matching,
    networks,
    practice,
    probability,
    reversal,
    reverse,
    score,
    sde,
    skipping,
    solving,
    transport,
    tuning,
    tweedie,
)
from .entry import Formula

__all__ = ["SHEET", "Formula", "find"]
SECTIONS = (
    probability,
    divergence,
    forward,
    elbo,
    reverse,
    denoise,
    ancestral,
    implicit,
    skipping,
    score,
    matching,
    tweedie,
    sde,
    reversal,
    solving,
    flow,
    marginal,
    transport,
    latents,
    conditions,
    guidance,
    networks,
    practice,
    evaluation,
    tuning,
)
SHEET = sorted((f for section in SECTIONS for f in section.ENTRIES), key=lambda f: f.number)


def find(name):
    """The entry of that name, in small letters or large. Raises ValueError with the names that come close."""
    known, lower = {f.name: f for f in SHEET}, str(name).lower().replace("_", "-")
    if lower in known:
        return known[lower]
    words = set(lower.split("-"))
    close = [*difflib.get_close_matches(lower, known, n=3), *(n for n in known if words & set(n.split("-")))]
    close = list(dict.fromkeys(close))[:6]
    near = f"did you mean {', '.join(close)}?" if close else "minidiff show lists them"
    raise ValueError(f"there is no formula named {name!r}; {near}")
