"""The names that a person types, one table a kind, and the things they stand for."""

import difflib
import re
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from .. import data, exact, objective, sampling, schedule
from ..continuous import flow, ode, solvers
from ..ddpm import sample
from ..mlp import MLP
from ..noise import DATA, stream
from ..pictures.glyphs import glyphs
from ..pictures.unet import UNet
from .batches import Goal, logit_normal, uniform
from .datasets import Dataset, from_file, is_file

SCHEDULES = {
    "linear": schedule.linear,
    "linear-scaled": schedule.linear_scaled,
    "cosine": schedule.cosine,
}
MODELS = {"mlp": MLP, "unet": UNet}
OBJECTIVES = {
    "eps": objective.eps_prediction,
    "x0": objective.x_0_prediction,
    "v": objective.v_prediction,
    "flow": flow.velocity_prediction,
}
WEIGHTS = {"simple": None, "derived": objective.derived, "min-snr": objective.min_snr}
TIMES = {"uniform": uniform, "logit-normal": logit_normal()}
SPACINGS = {
    "trailing": sampling.trailing,
    "leading": sampling.leading,
    "linspace": sampling.linspace,
}
VARIANCES = {  # ddpm's, given a function that says the variance of the data: only one of them asks
    "beta-tilde": lambda data_var: sampling.beta_tilde,
    "beta": lambda data_var: sampling.beta_of_step,
    "gaussian-optimal": lambda data_var: sampling.gaussian_optimal(data_var()),
}
SAMPLERS = {  # the step, or for ddpm and ddim what makes it; how many steps where nobody says, None: all T
    "ddpm": (sampling.ddpm_step, None),
    "ddim": (sampling.ddim_step, 50),
    "euler": (solvers.pf_ode(ode.euler), 50),
    "heun": (solvers.pf_ode(ode.heun), 25),
    "rk4": (solvers.pf_ode(ode.rk4), 15),
    "dpm-solver-1": (solvers.dpm_solver_1, 50),
    "dpm-solver++": (None, 25),
    "reverse-sde": (solvers.reverse_sde, None),
    "langevin": (solvers.langevin(), 100),
}
REMEMBERING = {"dpm-solver++": solvers.dpm_solver_pp_2m}  # whole samplers: a step alone is not enough
STRAIGHT = {name: flow.straight(method) for name, method in ode.METHODS.items()}  # of a flow run
MIXTURES = {
    "mixture": exact.five_gaussians,
    "eight-gaussians": exact.eight_gaussians,
}  # their density is known
POINTS = {
    "moons": data.moons,
    "ring": data.ring,
    "swiss-roll": data.swiss_roll,
    "checkerboard": data.checkerboard,
}
DATA_SETS = (*MIXTURES, *POINTS, "digits", "glyphs")
N = 10_000  # points, or glyphs, in a data set that is made


def unknown(kind, known, name):
    """The ValueError for a name that is not known: it says the most similar one, and lists them."""
    near = difflib.get_close_matches(str(name).lower(), known, n=1, cutoff=0.7)
    meant = f"did you mean {near[0]}? " if near else ""
    return ValueError(f"unknown {kind} {name!r}; {meant}known are {', '.join(known)}")


def pick(kind, known, name):
    """known[name]. Raises ValueError for another one: see unknown."""
    if name not in known:
        raise unknown(kind, known, name)
    return known[name]


def name_of(thing, table):
    """The name under which the table holds the thing itself."""
    return next(name for name, known in table.items() if known is thing)


def goal_of(objective, weight, times, **rest):
    """The Goal of those names. Raises ValueError for one that is not known."""
    asked = pick("objective", OBJECTIVES, objective)
    return Goal(asked, pick("weight", WEIGHTS, weight), pick("times", TIMES, times), **rest)


def names_of(goal):
    """What goal_of takes, by name."""
    names = {"objective": name_of(goal.objective, OBJECTIVES), "weight": name_of(goal.weight, WEIGHTS)}
    return names | {"times": name_of(goal.times, TIMES), "warmup": goal.warmup, "drop": goal.drop}


def schedule_of(name, T):
    """The Schedule of that name with T steps. Raises ValueError for a name that is not known, or no steps."""
    make = pick("schedule", SCHEDULES, name)
    if not isinstance(T, int) or T < 1:
        raise ValueError(f"T must be at least 1, got {T!r}")
    return make(T)


def network_of(kind, **sizes):
    """The model of that name and sizes. Raises ValueError for sizes that it cannot have."""
    model = MODELS[kind](**sizes)
    least = {"depth": 0, "labels": 0, "time_dim": 2}
    for name, value in vars(model).items():
        if not isinstance(value, int) or value < least.get(name, 1):
            raise ValueError(f"{name} must be a whole number of at least {least.get(name, 1)}, got {value!r}")
    divisors = [("time_dim", 2, "sines and cosines")]
    if kind == "unet":
        divisors += [("size", 2**model.depth, "2^depth"), ("width", model.groups, "groups")]
    for name, factor, why in divisors:
        if vars(model)[name] % factor:
            raise ValueError(f"{name} must be a multiple of {factor} ({why}), got {vars(model)[name]}")
    return model


@dataclass(frozen=True)
class Sampler:
    """A way from noise to data, and what a command has to know of it."""

    label: str
    step: object  # one step of it; None for a sampler that remembers earlier steps
    sampler: object  # sampler(eps_theta, schedule, x_T, times, rng), yielding every x_s
    steps: int | None  # where nobody says; None: all T

    def times(self, T, steps, spacing):
        """The descending times of that many steps, or of its own number, by the name of a spacing."""
        return pick("spacing", SPACINGS, spacing)(T, min(self.steps or T, T) if steps is None else steps)


def sampler(name, var=None, eta=None, data_var=lambda: 1.0, straight=False):
    """The Sampler of that name. Raises ValueError for one that is not known, and where an option means
    nothing.

    data_var() is the variance of the data. straight: of a flow run, where euler, heun and rk4 walk the
    straight path.
    """
    step, steps = pick("sampler", SAMPLERS, name)
    label = name
    for option, value, owner in (("var", var, "ddpm"), ("eta", eta, "ddim")):
        if value is not None and name != owner:
            raise ValueError(f"--{option} means nothing to {name}, got {value}")
    if straight and name in STRAIGHT:
        return Sampler(f"flow {name}", None, STRAIGHT[name], steps)
    if name in REMEMBERING:
        return Sampler(name, None, REMEMBERING[name], steps)
    if name == "ddpm":
        var = var or "beta-tilde"
        step = step(pick("var", VARIANCES, var)(data_var))
        label = f"ddpm({var})".removesuffix("(beta-tilde)")
    if name == "ddim":
        step = step(eta or 0.0)
        label = f"ddim(eta={eta or 0:g})"
    return Sampler(label, step, partial(sample, step), steps)


def load(name, seed=0, shape=None, label_column=None):
    """The Dataset of that name, or of the file at that path. "glyphs" is 16 x 16; "glyphs-28" another size.

    Raises ValueError for a name that is neither, listing the known ones, and for a shape or label_column it
    cannot have.
    """
    name, rng = str(name), stream(seed, DATA)
    if label_column is not None and Path(name).suffix != ".csv":
        raise ValueError(f"a label column is for a .csv file, and {name} is none")
    if is_file(name):
        found = from_file(name, shape, label_column)
    elif name in MIXTURES:
        mixture = MIXTURES[name]()
        x = mixture.sample(N, rng, np.float32)
        found = Dataset(name, x, (2,), mixture=mixture)
    elif name in POINTS:
        found = Dataset(name, POINTS[name](N, rng).astype(np.float32), (2,))
    elif name == "digits":
        x, label = data.digits()
        found = Dataset(name, x, (8, 8), 8.0, 8.0, label, levels=17)
    elif size := re.fullmatch(r"glyphs(?:-(\d+))?", name):
        size = int(size[1] or 16)
        x, label = glyphs(size, N, rng)
        found = Dataset(name, x, (size, size), label=label)
    else:
        raise unknown("data", [*DATA_SETS, "glyphs-SIZE", "an .npy, .npz, .csv or IDX file"], name)
    if shape is not None and tuple(shape) != found.shape:
        raise ValueError(f"{name} has rows of the shape {found.shape}, not {tuple(shape)}")
    return found
