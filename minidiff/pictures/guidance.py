"""Steering a sampler: towards a class (denoisers in, a denoiser out), or around a known part of a picture.

letter   name       meaning
w        w          guidance weight: 0 ignores the condition, 1 is conditional, larger is sharper
                    (some papers write 1 + w for it)
y        y          the condition, a label
"""

import numpy as np

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

    def guided(x_t, t):
        eps_u = unconditional(x_t, t)
        return eps_u + w * (conditional(x_t, t) - eps_u)

    return guided


def classifier(eps_theta, grad_log_p, schedule, w):
    """eps_hat = eps - w sqrt(1 - ab_t) grad log p(y | x_t).    [Guided Diffusion algorithm 2]

    The score of q(x_t) p(y | x_t)^w is the sum of two scores, and eps is -sqrt(1 - ab_t) times a score.
    grad_log_p(x_t, t) is the classifier's gradient by x_t; an exact one gives classifier_free's result.
    """
    check_weight(w)

    def guided(x_t, t):
        return eps_theta(x_t, t) + w * eps_from_score(schedule, t, grad_log_p(x_t, t))

    return guided


def inpainting(step, x_known, mask):
    """Returns the step that replaces what is known: x_s = m q_sample(x_known, s) + (1 - m) step(x_t).
    [RePaint eq. 8]

    x_known and mask: a picture's shape, or one for each row; x_known is not looked at where mask is 0. The
    known part is noised anew at every s, whatever the step drew elsewhere. The two parts therefore fit each
    other less than they should: this is not the exact conditional, and `recursion.moments` says by how much
    for Gaussian data. Raises ValueError for a mask of another shape, or with other values than 0 and 1.
    """
    x_known, mask = np.asarray(x_known), np.asarray(mask)
    if mask.shape != x_known.shape or not np.isin(mask, (0, 1)).all():
        expected = f"hold 0 and 1 and have the picture's shape {x_known.shape}"
        raise ValueError(f"mask must {expected}, got {mask.shape}")

    def inpaint(eps_theta, schedule, x_t, t, s, rng):
        x_s = step(eps_theta, schedule, x_t, t, s, rng)
        if mask.shape not in (x_s.shape, x_s.shape[1:]):
            shapes = f"{x_s.shape[1:]} of a row or {x_s.shape} of all"
            raise ValueError(f"mask must have the shape {shapes}, got {mask.shape}")
        known = np.broadcast_to(np.where(mask == 1, x_known, 0), x_s.shape).astype(x_s.dtype)
        if s > 0:  # as noisy as the rest is at s
            known = q_sample(schedule, known, s, rng.standard_normal(x_s.shape, x_s.dtype))
        return np.where(mask == 1, known, x_s)

    return inpaint
