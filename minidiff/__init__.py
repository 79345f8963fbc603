"""minidiff: diffusion models from scratch, to be read from top to bottom.

Start at schedule: what stands above it is machinery.

    kernels     every compiled loop; each has a readable twin further down
    threads     blocks of rows, side by side
    noise       where every random number comes from
    schedule    how much of the picture is left at time t
    gaussian    the algebra: noising, posterior, x_0 <-> eps <-> v <-> score
    exact       a Gaussian mixture: density, score and perfect denoiser in closed form
    files       reading with one clear error, writing beside and renaming
    data        what we learn from
    layers      the pieces of a network, each beside its gradient
    images      the pieces for pictures: convolutions, norms, attention
    loss        L_simple
    objective   eps, x_0 or v: what a network is asked, and what its errors count
    ode         Euler, Heun, Runge-Kutta
    flow        the flow's lens: straight paths, velocity, reflow (time runs the other way)
    guidance    towards a class, or around what is known of a picture
    fast        the MLP at speed; skip it at first
    winograd    3 x 3 convolutions with a quarter of the products; skip it too
    fast_unet   the U-Net at speed; skip it too
    mlp         the denoiser eps_theta
    unet        the denoiser for pictures, told the time and a label
    optim       clipping, Adam, EMA
    sample      DDPM and DDIM: one step each, one loop
    sde         the score's lens: SDEs, the probability-flow ODE, exact likelihood
    elbo        the likelihood's bound, term by term
    solvers     more samplers: ODE, SDE, DPM-Solver, Langevin
    recursion   what a sampler does to Gaussian data, exactly
    train       algorithm 1, as a generator
    checkpoint  a run in one file
    report      what the commands print
    metrics     how far samples are from data
    classifier  which digit is it? a judge that is trained in seconds
    evaluation  drawn pictures in numbers, each beside its floor
    expression  the small safe language in which a formula is typed
    formulas    the formula sheet, measured; a student's own formula, judged
    figures     the pictures
    pages       the formula sheet and the quiz, printed
    bench       how fast, and what share of this machine's limit
    dictionary  every paper's letters, converted both ways
    doctor      does a schedule end in noise?
    progress    how far the work is, and Ctrl-C
    workbench   train a run, draw from it, make its pictures
    commands    what each command does
    answers     the commands that answer a question
    sheet       the commands of the formula sheet
    cli         the command line

A file imports only from files above it.
"""

import importlib

__version__ = "0.1.0"

_HOME = {
    "Schedule": "schedule", "VP": "schedule", "linear": "schedule", "linear_scaled": "schedule", "cosine": "schedule",
    "from_betas": "schedule", "q_sample": "gaussian", "posterior": "gaussian", "noise_chain": "gaussian",
    "noise_jump": "gaussian",
    "Mixture": "exact", "MLP": "mlp", "UNet": "unet", "RowNoise": "noise", "ddpm": "sample", "ddim": "sample",
    "generate": "sample", "moments": "recursion",
    "check": "formulas.check", "equal": "formulas.check", "compute": "formulas.compute",
}  # fmt: skip
_MODULES = [line.split()[0] for line in __doc__.splitlines() if line.startswith("    ")]
__all__ = sorted([*_HOME, *_MODULES])


def __getattr__(name):
    """The central names, loaded when first used: `import minidiff` itself costs nothing."""
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    if name in _HOME:
        return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return __all__
