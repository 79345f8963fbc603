"""minidiff: diffusion models from scratch, to be read from top to bottom. Lecture 1, the core: an evening.

    arrays      what keeps dtypes and axes straight; skip it at first
    schedule    how much of the picture is left at time t
    gaussian    the algebra: noising, posterior, x_0 <-> eps <-> v <-> score
    exact       a Gaussian mixture: density, score and perfect denoiser in closed form
    data        what we learn from
    noise       where every random number comes from
    layers      the pieces of a network, each beside its gradient
    mlp         the denoiser eps_theta
    objective   eps, x_0 or v: what a network is asked, and what its errors count: L_simple
    optim       clipping, Adam, EMA
    train       algorithm 1, as a generator
    sample      DDPM and DDIM: one step each, one loop
    recursion   what a sampler does to Gaussian data, exactly
    elbo        the likelihood's bound, term by term

Then rooms, each with a reading order of its own.

    continuous  lectures 2 and 3: SDEs, ODEs, solvers, flow matching
    pictures    lectures 4 and 5: convolutions, attention, a U-Net, guidance
    evaluation  lecture 7: how far are samples from data?
    fast        the same answers sooner
    runs        data by name, a network, its training, its pictures: a run
    sheet       the formulas, measured; a student's own formula, judged
    cli         the command line
    learn       two evenings, a museum of mistakes, something to play with
"""

import importlib

__version__ = "0.1.0"

_ROOMS = {  # the modules of rooms that are handed out here
    "continuous": "process ode sde solvers flow", "pictures": "unet guidance", "sheet": "dictionary",
    "evaluation": "metrics classifier judge", "runs": "figures",
}  # fmt: skip
_NAMES = {  # and the central names
    "schedule": "Schedule linear linear_scaled cosine from_betas", "gaussian": "q_sample posterior",
    "exact": "Mixture", "mlp": "MLP", "sample": "ddpm ddim", "recursion": "moments", "pictures.unet": "UNet",
    "continuous.process": "VP", "sheet.check": "check equal", "sheet.compute": "compute",
    "fast": "RowNoise generate noise_chain noise_jump", "sheet.quiz": "quiz",
    "cli.formulas": "show", "cli.pictures": "draw",
}  # fmt: skip
_HOME = {name: module for module, names in _NAMES.items() for name in names.split()}
_MODULES = {line.split()[0]: line.split()[0] for line in __doc__.splitlines() if line.startswith("    ")}
_MODULES |= {name: f"{room}.{name}" for room, names in _ROOMS.items() for name in names.split()}
__all__ = sorted({*_HOME, *_MODULES})
__dir__ = __all__.copy  # what completion offers


def __getattr__(name):
    """Loads what is asked for: `import minidiff` itself costs nothing."""
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{_MODULES[name]}")
    if name in _HOME:
        return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
