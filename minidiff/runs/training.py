"""Begins a run and trains it: the page's loop with a progress bar, checkpoints and a Ctrl-C that loses
nothing."""

import itertools
import math
import time
import warnings
from types import SimpleNamespace

import numpy as np

from .. import optim
from ..ddpm import train
from ..noise import INIT, stream
from ..objective import loss_and_grads, weight_of
from .batches import batches, check
from .checkpoint import Run, load, save
from .engine import engine
from .files import folder
from .names import MODELS, goal_of, network_of, pick, schedule_of
from .names import load as load_data
from .progress import Interrupt, bar

SAVE_EVERY, LOOKS = 20, 8  # seconds between checkpoints, pictures of what is learnt
SETTINGS = {
    "schedule": "linear", "T": 1000, "width": 128, "depth": 3, "batch": 256, "lr": 3e-3, "seed": 0,
    "objective": "v", "weight": "simple", "times": "uniform", "warmup": 0,
}  # fmt: skip
UNET = {"width": 16, "depth": 2, "batch": 64, "lr": 2e-3, "warmup": 100}  # where it differs


def new_run(data, name, model, conditional=False, **settings):
    """A Run at step 0 on the Dataset of that name, with SETTINGS but for those given. conditional: told the
    labels."""
    s = SimpleNamespace(**SETTINGS | (UNET if model == "unet" else {}) | settings)
    pick("model", MODELS, model)
    noising = schedule_of(s.schedule, s.T)
    if (s.objective, s.weight) == ("flow", "derived"):
        raise ValueError("the weight derived needs a schedule's steps, which a flow has none of; use simple")
    goal = goal_of(s.objective, s.weight, s.times, warmup=s.warmup)
    if conditional and (data.label is None or model == "mlp"):
        why = f"the model {model} takes none"
        if data.label is None:
            why = f"{name} has no labels (a file may: an .npz with x and label, a .csv with a column label)"
        raise ValueError(f"--conditional needs labels and the model unet: {why}")
    if model == "mlp":
        network = network_of(model, d=data.x.shape[1], width=s.width, depth=s.depth)
    else:
        size, *colours = picture_shape(data, name, model)
        labels = int(data.label.max()) + 1 if conditional else 0
        sizes = {"size": size, "channels_in": colours[0] if colours else 1, "labels": labels}
        network = network_of(model, width=s.width, depth=s.depth, **sizes)
    about = {"columns": data.columns, "label_column": data.label_column, "goal": goal}
    about |= {"scale": data.scale, "offset": data.offset, "schedule_name": s.schedule}
    if len(data.shape) == 1:
        about |= {"low": data.x.min(axis=0), "high": data.x.max(axis=0)}
    about["second_moment"] = float(np.mean(evenly(data.x) ** 2))
    state = optim.start(network.init(stream(s.seed, INIT)))
    return Run(network, state, s.seed, noising, name, data.shape, s.batch, s.lr, **about)


def picture_shape(data, name, model):
    """(size,) or (size, colours) of square pictures. Raises ValueError for others."""
    if len(data.shape) == 1:
        d = data.shape[0]
        side = math.isqrt(d)
        hint = f"{side} x {side} pixels? then --shape {side} {side}" if side**2 == d > 8 else "leave it out"
        raise ValueError(f"--model {model} needs pictures, {name} has rows of {d} numbers: {hint}")
    if data.shape[0] != data.shape[1]:
        expected = "pictures of shape (H, W) or (H, W, C) with H = W"
        raise ValueError(f"--model {model} needs {expected}, got {data.shape}")
    return data.shape[1:]


def evenly(x):
    """10,000 rows of x or more, evenly spread: enough for a mean, where x may be too large to read whole."""
    return x[:: max(1, len(x) // 10_000)]


def data_of(run):
    """The data that a run was trained on. Raises ValueError where the file has changed since."""
    data = load_data(run.data, run.seed, run.shape, run.label_column)
    if not (np.array_equal(data.scale, run.scale) and np.array_equal(data.offset, run.offset)):
        raise ValueError(
            f"{run.data} is not what it was when the run began: its columns, mean or range differ"
        )
    return data


def gradient_steps(run, data, steps, plain=False):
    """The States that training goes through, up to that step. plain: by the readable code only."""
    goal, process, label = run.goal, run.process, data.label if run.labels else None
    check(data.x, run.model.d, run.labels, steps, run.batch, run.lr, label)
    gradients, update = loss_and_grads, optim.update
    if not plain:
        fast, dtype = engine(), run.state.params.dtype
        gradients, update = fast.gradients(run.model, process.T, dtype), fast.trusted_update(dtype)

    def weighted(model, params, x_t, t, target, *label):
        weight = weight_of(goal.weight, goal.objective, process, t)
        return gradients(model, params, x_t, t, target, *label, weight=weight)

    def warming_up(state, grads):
        """Slowly at first, while Adam's averages know only a few gradients."""
        part = min(1.0, (state.step + 1) / goal.warmup) if goal.warmup else 1.0
        update(state, grads, lr=run.lr * part)

    drawn = batches(
        data.x,
        process,
        run.seed,
        run.state.step,
        run.batch,
        times=goal.times,
        label=label,
        null=run.labels,
        drop=goal.drop,
    )
    states = train(
        run.model, run.state, process, drawn, objective=goal.objective,
        gradients=weighted if goal.weight else gradients, update=warming_up,
    )  # fmt: skip
    return itertools.islice(states, max(0, steps - run.state.step))


def fit(run, data, steps, path, look=lambda run: None, plain=False):
    """Trains run up to `steps` with a progress bar and checkpoints at `path`: the last one at Ctrl-C, which
    is a KeyboardInterrupt. look(run) is called before the first step and up to LOOKS times on the way, each
    time after twice as many steps."""
    run.loss_of_0()  # refuses a weight that the objective has not, before there is a folder
    training, first = gradient_steps(run, data, steps, plain), run.state.step
    looks = max(1, min(LOOKS, (steps - first) // 50))
    at = {first + round((steps - first) / 2**k) for k in range(looks)}
    is_new = not path.parent.exists()
    folder(path.parent)  # only now: a mistake in the arguments leaves no empty folder
    saved = time.monotonic()
    try:
        with Interrupt() as interrupt, bar(steps, "steps", "training") as progress, warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", RuntimeWarning
            )  # of an overflow: train looks for it, and says so in one line
            progress.update(first)
            look(run)
            for state in training:
                run.losses.append(state.loss)
                progress.update()
                if state.step % 50 == 0:
                    progress.set_postfix_str(f"error {run.error():.3f} (1: always 0)", False)
                if interrupt.asked or state.step >= steps or time.monotonic() - saved > SAVE_EVERY:
                    save(path, run)
                    saved = time.monotonic()
                if interrupt.asked:
                    more = f"minidiff train --out {path.parent} --resume --steps {steps}"
                    raise KeyboardInterrupt(
                        f"stopped at step {state.step}; {path} is saved. Continue with: {more}"
                    )
                if state.step in at:
                    look(run)
    except FloatingPointError as e:
        kept = (
            f"{path} keeps step {load(path).state.step}" if path.exists() else "no checkpoint was written yet"
        )
        raise FloatingPointError(f"{e}; {kept}") from e
    finally:
        if is_new and not any(path.parent.iterdir()):  # stopped before there was anything to keep
            path.parent.rmdir()
