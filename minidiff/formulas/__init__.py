"""The formula sheet: every formula of the course, measured by a road that does not use it.

    entry        what an entry is, and the numbers it is tried on
    oracles      Bayes on a grid, quadrature, simulated chains, finite differences
    probability  sums, densities, KL, products of Gaussians
    divergence   KL, for Gaussians, and from pure noise
    forward      one noising step, all steps at once, how much signal is left
    elbo         the bound, its gap, its terms, Bayes back
    reverse      the posterior, the gap of two means, the weight of the loss
    denoise      the simple loss and the best denoiser
    ancestral    DDPM's step and its variance
    implicit     DDIM: the implied picture, the family, the step
    skipping     fewer steps
    verdict      what a judgement looks like
    check        is a student's own formula right?
    compute      a formula with one's own numbers
    verify       the sheet itself, measured

SHEET holds the entries in the course's order; find(name) is one of them.
"""

import difflib

from . import ancestral, denoise, divergence, elbo, forward, implicit, probability, reverse, skipping
from .entry import Formula

__all__ = ["SHEET", "Formula", "find"]
SECTIONS = (probability, divergence, forward, elbo, reverse, denoise, ancestral, implicit, skipping)
SHEET = sorted((f for section in SECTIONS for f in section.ENTRIES), key=lambda f: f.number)


def find(name):
    """The entry of that name. Raises ValueError with the names that come close."""
    known = {f.name: f for f in SHEET}
    if name in known:
        return known[name]
    words = set(str(name).lower().replace("_", "-").split("-"))
    close = [*difflib.get_close_matches(str(name), known, n=3), *(n for n in known if words & set(n.split("-")))]
    close = list(dict.fromkeys(close))[:6]
    near = f"did you mean {', '.join(close)}?" if close else f"known are {', '.join(known)}"
    raise ValueError(f"there is no formula named {name!r}; {near}")
