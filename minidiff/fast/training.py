"""Training sooner: ddpm.train with the gradients of fast/mlp.py or fast/unet.py, and one pass for an
update."""

import math
from functools import cache

import numpy as np

from .. import ddpm, optim
from ..mlp import MLP
from ..objective import eps_prediction, loss_and_grads
from ..pictures.unet import UNet
from . import kernels, mlp, trust, unet
from .threads import one_blas_thread

ENGINES = {MLP: mlp.Gradients, UNet: unet.Gradients}  # model -> what computes its gradients sooner


def gradients(model, T, dtype, say=trust.say):
    """objective.loss_and_grads sooner, for parameters and data of that dtype and times up to T.

    At its first call with so many rows it makes their buffers and compares; where the engine does not say
    what loss_and_grads says, that is told, and loss_and_grads runs, as it does for other models and data.
    """
    one_blas_thread()
    make = ENGINES.get(type(model))

    @cache
    def trusted(rows, whole, told):
        engine = make(model, rows, T, dtype)
        said = trust.gradients(engine.few(), T, whole, told)
        if said:
            say(said)
        return None if said else engine

    def sooner(asked, params, x_t, t, target, *label, weight=None):
        as_made = asked == model and params.dtype == x_t.dtype == target.dtype == dtype
        as_made = as_made and x_t.shape == target.shape and np.ndim(t) == 1
        engine = as_made and trusted(len(t), t.dtype.kind in "iu", bool(label))
        if engine:
            return engine(params, x_t, t, target, *label, weight=weight)
        return loss_and_grads(asked, params, x_t, t, target, *label, weight=weight)

    return sooner if make else loss_and_grads


def update(state, grads, lr=1e-3, max_norm=1.0, decay=0.999) -> None:
    """optim.update in one pass over the vectors: the same State, and the same FloatingPointError."""
    norm = float(np.linalg.norm(grads))
    if not math.isfinite(norm):
        return optim.update(state, grads, lr, max_norm, decay)
    state.step += 1
    scale = max_norm / norm if norm > max_norm else 1.0
    decay = optim.ema_decay(state.step, decay)
    vectors = state.params, grads, state.m, state.v, state.ema
    kernels.adam(*vectors, scale, state.step, lr, 0.9, 0.999, 1e-8, decay)


def trusted_update(dtype, say=trust.say):
    """update, or optim.update where the two disagree, which is told."""
    said = trust.update(optim.update, update, dtype)
    if said:
        say(said)
    return optim.update if said else update


def train(model, state, schedule, batches, *, objective=eps_prediction, update=None, say=trust.say):
    """ddpm.train with the gradients and, unless another is given, the update of this file."""
    dtype = state.params.dtype
    update = update or trusted_update(dtype, say)
    sooner = gradients(model, schedule.T, dtype, say)
    return ddpm.train(model, state, schedule, batches, objective=objective, gradients=sooner, update=update)
