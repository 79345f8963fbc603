"""Steering a sampler towards a class: denoisers in, a denoiser out. (Around a known part: solvers.inpainting.)

letter   name       meaning
w        w          guidance weight: 0 ignores the condition, 1 is conditional, larger is sharper (elsewhere w - 1)
y        y          the condition, a label
"""

import numpy as np

from ..arrays import keeps_dtype
from ..gaussian import eps_from_score


def check_weight(w):
    """Raises ValueError unless w is finite."""
    if not np.isfinite(w):
        raise ValueError(f"w must be a finite number, got {w}")


def classifier_free(conditional, unconditional, w):
    """eps_hat = eps_u + w (eps_c - eps_u): a denoiser from two.    [CFG section 3.2]

    w = 0 and w = 1 ask only the one that counts. Raises ValueError for a w that is not finite.
    """
    check_weight(w)
    if w in (0, 1):
        return conditional if w else unconditional

    @keeps_dtype
    def guided(x_t, t):
        eps_u = unconditional(x_t, t)
        return eps_u + w * (conditional(x_t, t) - eps_u)

    return guided


def classifier(eps_theta, grad_log_p, schedule, w):
    """eps_hat = eps - w sqrt(1 - ab_t) grad log p(y | x_t).    [Guided Diffusion algorithm 2]

    The score of q(x_t) p(y | x_t)^w is the sum of two scores, and eps is -sqrt(1 - ab_t) times a score. grad_log_p(x_t, t) is
    the classifier's gradient by x_t; with the exact classifier the result is classifier_free's.
    """
    check_weight(w)

    @keeps_dtype
    def guided(x_t, t):
        return eps_theta(x_t, t) + w * eps_from_score(schedule, t, grad_log_p(x_t, t))

    return guided
