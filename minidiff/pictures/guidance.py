"""Steering a sampler: towards a class, or around the part of a picture that is known. Denoisers and steps in, the same out.

letter   name       meaning
w        w          guidance weight: 0 ignores the condition, 1 is conditional, larger is sharper (elsewhere w - 1)
y        y          the condition, a label
m        mask       1 where the picture is known, 0 where it is to be filled in
"""

import numpy as np

from ..arrays import keeps_dtype
from ..gaussian import eps_from_score, q_sample


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


def inpainting(step, x_known, mask):
    """Returns the step that replaces what is known: x_s = m q_sample(x_known, s) + (1 - m) step(x_t).    [RePaint eq. 8]

    x_known and mask: a picture's shape, or one for each row; x_known is not looked at where mask is 0. The known part is
    noised anew at every s and does not depend on what the step drew elsewhere. The two parts therefore fit each other less
    than they should: this is not the exact conditional, and `recursion.moments` says by how much for Gaussian data.
    Raises ValueError for a mask of another shape, or with other values than 0 and 1.
    """
    x_known, mask = np.asarray(x_known), np.asarray(mask)
    if mask.shape != x_known.shape or not np.isin(mask, (0, 1)).all():
        raise ValueError(f"mask must hold 0 and 1 and have the picture's shape {x_known.shape}, got {mask.shape}")

    def inpaint(eps_theta, schedule, x_t, t, s, rng):
        x_s = step(eps_theta, schedule, x_t, t, s, rng)
        if mask.shape not in (x_s.shape, x_s.shape[1:]):
            raise ValueError(f"mask must have the shape {x_s.shape[1:]} of a row or {x_s.shape} of all, got {mask.shape}")
        known = np.broadcast_to(np.where(mask == 1, x_known, 0), x_s.shape).astype(x_s.dtype)
        if s > 0:  # as noisy as the rest is at s
            known = q_sample(schedule, known, s, rng.standard_normal(x_s.shape, x_s.dtype))
        return np.where(mask == 1, known, x_s)

    return inpaint
