"""What a denoiser is trained to make small."""

import numpy as np

from .arrays import on_axes_of


def l_simple(eps_hat, eps, weight=None):
    """L_simple = 1/B sum_b ||eps_b - eps_hat_b||^2,  dL/deps_hat = 2/B (eps_hat - eps).    [DDPM eq. 14]

    eps_hat, eps (B, ...) -> loss (a float, summed over the coordinates and averaged over the batch), deps_hat. With weight
    (B,), row b counts weight_b times; eps may be any other target (see objective.py).
    Its least value is not 0 but exact.Mixture.loss_floor: x_t does not determine eps. Raises ValueError for unequal shapes.
    """
    if eps_hat.shape != eps.shape:
        raise ValueError(f"eps_hat and eps must have one shape, got {eps_hat.shape} and {eps.shape}")
    error = eps_hat - eps
    weighted = error if weight is None else on_axes_of(error, weight).astype(error.dtype) * error
    loss = float(np.sum(weighted.astype(np.float64) * error)) / len(eps)
    return loss, (2 / len(eps)) * weighted


def loss_and_grads(model, params, x_t, t, eps, weight=None, **label):
    """L_simple of the model on (x_t, t, eps), label=... if it takes one, and its gradient by every parameter."""
    eps_hat, cache = model.forward(params, x_t, t, **label)
    loss, deps_hat = l_simple(eps_hat, eps, weight)
    return loss, model.backward(deps_hat, cache)
