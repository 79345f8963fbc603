"""Training sooner: train.train with the gradients of fast/mlp.py or fast/unet.py, and the optimiser in one pass."""

import math
from functools import cache

from .. import optim
from .. import train as readable
from ..mlp import MLP
from ..pictures.unet import UNet
from . import kernels, mlp, trust, unet
from .threads import one_blas_thread

GRADIENTS = {MLP: mlp.Gradients, UNet: unet.Gradients}  # model -> what computes its gradients sooner


def update(
    params, ema, m, v, grads, step, *, lr, max_norm=1.0, decay=0.999, beta_1=0.9, beta_2=0.999, eps=1e-8
):
    """optim.update, one kernel a tensor."""
    norm = optim.norm_of(grads)
    if not math.isfinite(norm):
        raise FloatingPointError(f"the gradient is not finite at step {step}")
    scale, decay = optim.clip(norm, max_norm), optim.ema_decay(step, decay)
    for k in params:
        kernels.adam(params[k], grads[k], m[k], v[k], ema[k], scale, step, lr, beta_1, beta_2, eps, decay)


def train(model, state, schedule, data, *, batch=128, say=trust.say, **how):
    """train.train with its arguments and answers. Where engine and readable code disagree, says so and uses the latter.
    Data of another dtype than the parameters take the readable gradients. The State's arrays move, its dicts stay."""
    readable.train(
        model, state, schedule, data, batch=batch, **how
    )  # refuses what does not fit; takes no step yet
    one_blas_thread()
    dtype = next(iter(state.params.values())).dtype
    make = GRADIENTS.get(type(model)) if data.dtype == dtype else None
    if make and (said := trust.gradients(model, make, schedule.T, dtype)):
        say(said)
        make = None
    if said := trust.update(optim.update, update, dtype):
        say(said)
    how["update"] = move = optim.update if said else update
    if make:
        engine = cache(
            lambda: make(model, batch, schedule.T, dtype)
        )  # made at the first step: train checks batch before
        rows = [None] * 4

        def row(k, tensors):
            """The vector in which params, ema, m or v stand; they move there if they do not yet."""
            if rows[k] is None or any(w.base is not rows[k] for w in tensors.values()):
                rows[k] = mlp.in_a_row(tensors, model.shapes)
                tensors.update(mlp.views(rows[k], model.shapes))
            return rows[k]

        how["gradients"] = lambda model, params, *args, **told: engine()(row(0, params), *args, **told)
        how["update"] = lambda *args, **told: move(
            *({"all": row(k, part)} for k, part in enumerate(args[:4])), {"all": args[4]}, args[5], **told
        )
    return readable.train(model, state, schedule, data, batch=batch, **how)
