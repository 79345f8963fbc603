"""What a denoiser is trained to make small."""

import numpy as np


def l_simple(eps_hat, eps):
    """L_simple = 1/B sum_b ||eps_b - eps_hat_b||^2,  dL/deps_hat = 2/B (eps_hat - eps).    [DDPM eq. 14]

    eps_hat, eps (B, ...) -> loss (a float, summed over the coordinates and averaged over the batch), deps_hat.
    Its least value is not 0 but exact.Mixture.loss_floor: x_t does not determine eps. Raises ValueError for unequal shapes.
    """
    if eps_hat.shape != eps.shape:
        raise ValueError(f"eps_hat and eps must have one shape, got {eps_hat.shape} and {eps.shape}")
    error = eps_hat - eps
    loss = float(np.sum(error.astype(np.float64) ** 2)) / len(eps)
    return loss, (2 / len(eps)) * error


def loss_and_grads(model, params, x_t, t, eps):
    """L_simple of the model on (x_t, t, eps) and its gradient by every parameter."""
    eps_hat, cache = model.forward(params, x_t, t)
    loss, deps_hat = l_simple(eps_hat, eps)
    return loss, model.backward(deps_hat, cache)
