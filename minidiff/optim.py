"""From a gradient to better parameters: clipping, Adam, and the average that one samples from.

letter  name           meaning
w, dw   params, grads  all parameters as one vector, and the loss's gradient by them
m, v    m, v           running means of dw and of dw^2
n       step           1 for the first update
"""

import math
from dataclasses import dataclass

import numpy as np

from .protocols import Array


@dataclass
class State:
    """All that training changes. ema is the running average of params, which is what one samples from."""

    params: Array
    ema: Array
    m: Array
    v: Array
    step: int = 0
    loss: float = math.nan


def start(params: Array) -> State:
    """The State before the first step."""
    return State(params, params.copy(), np.zeros_like(params), np.zeros_like(params))


def clip(grads: Array, max_norm=1.0) -> Array:
    """dw min(1, max_norm / ||dw||): one factor for all, so that the direction stays."""
    norm = np.linalg.norm(grads)
    return grads * (max_norm / norm) if norm > max_norm else grads


def adam(w: Array, dw: Array, m: Array, v: Array, step, lr, beta_1=0.9, beta_2=0.999, eps=1e-8):
    """The new w = w - lr m_hat / (sqrt(v_hat) + eps), m and v.    [Adam algorithm 1]"""
    # the gradient and its square, averaged over about the last 10 and 1,000 steps
    m = beta_1 * m + (1 - beta_1) * dw
    v = beta_2 * v + (1 - beta_2) * dw**2
    # both start at 0, so their weights add up to 1 - beta^n only: divide by that
    m_hat = m / (1 - beta_1**step)
    v_hat = v / (1 - beta_2**step)
    # each weight moves about lr a step, however large its gradient: the square root has dw's size
    return w - lr * m_hat / (np.sqrt(v_hat) + eps), m, v


def ema_decay(step, decay=0.999) -> float:
    """min(decay, (1 + n) / (10 + n)): an average that is not dominated by the first, untrained parameters."""
    return min(decay, (1 + step) / (10 + step))


def ema_update(ema: Array, w: Array, decay) -> Array:
    """ema <- decay ema + (1 - decay) w.    [DDPM appendix B]"""
    return decay * ema + (1 - decay) * w


def update(state: State, grads: Array, lr: float = 1e-3, max_norm: float = 1.0, decay: float = 0.999) -> None:
    """One step downhill: clip, adam and ema_update, in place. Raises FloatingPointError, with the step's
    number and before anything changes, if the gradient is not finite."""
    if not np.isfinite(grads).all():
        raise FloatingPointError(f"the gradient is not finite at step {state.step + 1}; try lr below {lr:g}")
    state.step += 1
    dw = clip(grads, max_norm)
    w, m, v = adam(state.params, dw, state.m, state.v, state.step, lr)
    state.params[:], state.m[:], state.v[:] = w, m, v
    state.ema[:] = ema_update(state.ema, w, ema_decay(state.step, decay))
