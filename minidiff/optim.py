"""From a gradient to better parameters: clipping, Adam, and the average that one samples from.

letter  name   meaning
w, dw   w, dw  a parameter tensor and its gradient, same shape
m, v    m, v   running means of dw and of dw^2
n       step   1 for the first update
"""

import math

import numpy as np


def norm_of(grads):
    """||all gradients||, as one vector."""
    return math.sqrt(sum(float(np.vdot(dw, dw)) for dw in grads.values()))


def clip(norm, max_norm):
    """scale = min(1, max_norm / ||all gradients||): one factor for all, so that the direction stays."""
    return min(1.0, max_norm / norm) if norm > 0 else 1.0


def adam(w, dw, m, v, step, lr, beta_1=0.9, beta_2=0.999, eps=1e-8):
    """The new w = w - lr m_hat / (sqrt(v_hat) + eps), m and v.    [Adam algorithm 1]"""
    # the gradient and its square, averaged over about the last 10 and 1,000 steps
    m = beta_1 * m + (1 - beta_1) * dw
    v = beta_2 * v + (1 - beta_2) * dw**2
    # both start at 0, so their weights add up to 1 - beta^n only: divide by that
    m_hat, v_hat = m / (1 - beta_1**step), v / (1 - beta_2**step)
    # each weight moves about lr a step, however large its gradient: the square root has dw's size
    return w - lr * m_hat / (np.sqrt(v_hat) + eps), m, v


def ema_decay(step, decay):
    """min(decay, (1 + n) / (10 + n)): an average that is not dominated by the first, untrained parameters."""
    return min(decay, (1 + step) / (10 + step))


def ema_update(ema, w, decay):
    """ema <- decay ema + (1 - decay) w.    [DDPM appendix B]"""
    return decay * ema + (1 - decay) * w


def update(params, ema, m, v, grads, step, *, lr, max_norm=1.0, decay=0.999):
    """clip, adam and ema_update for every tensor, in place.
    Raises FloatingPointError, before anything changes, if the gradient is not finite."""
    norm = norm_of(grads)
    if not math.isfinite(norm):
        raise FloatingPointError(f"the gradient is not finite at step {step}")
    scale = clip(norm, max_norm)
    for k, dw in grads.items():
        params[k][...], m[k][...], v[k][...] = adam(params[k], scale * dw, m[k], v[k], step, lr)
        ema[k][...] = ema_update(ema[k], params[k], ema_decay(step, decay))
