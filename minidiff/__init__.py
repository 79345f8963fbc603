"""minidiff: diffusion models from scratch, to be read from top to bottom. Lecture 1, the core: about an hour.

    ddpm        the page: algorithm 1 and algorithm 2 as two loops; start here
    protocols   the shapes of what is passed around; skip it at first
    schedule    how much of the picture is left at time t
    gaussian    the algebra: noising, posterior, x_0 <-> eps <-> v <-> score
    layers      the pieces of a network, each beside its gradient
    mlp         the denoiser eps_theta
    objective   eps, x_0 or v: what a network is asked, and what its errors cost: L_simple
    optim       clipping, Adam, EMA
    sampling    DDPM and DDIM: one step each, and which times they visit
    data        what we learn from
    noise       seeds, and the streams of random numbers that they name
    philox      a row's noise as a function of seed and row; no lecture needs it
    exact       a Gaussian mixture: density, score and perfect denoiser in closed form
    elbo        the likelihood's bound, term by term

Then rooms, each with a reading order of its own.

    continuous  lectures 2 and 3: SDEs, ODEs, solvers, flow matching
    pictures    lectures 4 and 5: convolutions, attention, a U-Net, guidance
    evaluation  lecture 7: how far are samples from data, and a sampler from its aim?
    fast        the same answers sooner
    runs        data by name, a network, its training, its pictures: a run
    sheet       the formulas, measured; a student's own formula, judged
    cli         the command line
    learn       two evenings, a museum of mistakes, something to play with
"""

from importlib import import_module

__version__ = "0.1.0"

_CORE = "ddpm protocols schedule gaussian layers mlp objective optim sampling data noise philox exact elbo"
_ROOMS = {  # and those of their modules that are handed out here
    "continuous": "process ode sde solvers flow",
    "pictures": "unet guidance",
    "evaluation": "metrics classifier floors recursion",
    "fast": "",
    "runs": "figures",
    "sheet": "dictionary",
    "cli": "",
    "learn": "",
}
_NAMES = {  # the central names, by the module that defines them
    "ddpm": "train sample",
    "schedule": "Schedule linear linear_scaled cosine from_betas",
    "gaussian": "q_sample posterior",
    "mlp": "MLP",
    "sampling": "ddpm_step ddim_step",
    "exact": "Mixture",
    "continuous.process": "VP",
    "pictures.unet": "UNet",
    "evaluation.recursion": "moments",
    "fast": "RowNoise generate noise_chain noise_jump",
    "sheet.checking": "check equal",
    "sheet.computing": "compute",
    "sheet.quizzing": "quiz",
    "cli.formulas": "show",
    "cli.pictures": "draw",
}
_MODULES = {name: name for name in [*_CORE.split(), *_ROOMS]}
for _room, _names in _ROOMS.items():
    _MODULES |= {_name: f"{_room}.{_name}" for _name in _names.split()}
_HOME = {_name: _module for _module, _names in _NAMES.items() for _name in _names.split()}
__all__ = sorted({*_HOME, *_MODULES})
__dir__ = __all__.copy  # what completion offers


def __getattr__(name: str):
    """Loads what is asked for: `import minidiff` itself costs nothing."""
    if name in _MODULES:
        return import_module(f"{__name__}.{_MODULES[name]}")
    if name in _HOME:
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
