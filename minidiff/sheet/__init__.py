"""The formula sheet: every formula of the course, measured in a way that does not use it.

    language    the small safe language in which a formula is typed
    entry       what an entry is, and the numbers it is tried on
    oracles     Bayes on a grid, quadrature, simulated chains, finite differences
    lecture1    noising, the ELBO, DDPM and DDIM
    lecture2    the score, and continuous time
    lecture3    flow matching
    lecture4    latents, conditions, guidance
    lecture5    networks
    lecture6    training in practice
    lecture7    evaluation
    lecture8    alignment and distillation
    verdict     right, wrong or not understood; numbers as one writes them
    version     a formula as somebody wrote it
    checking    is a student's own formula right?
    computing   a formula with one's own numbers
    verify      measures the sheet itself
    concepts    questions without numbers, whose answers the package measures; they stand in the lectures
    quizzing    questions with numbers, whose wrong options are real mistakes
    dictionary  every paper's letters, converted both ways

SHEET holds the entries in the course's order; find(name) is one of them, of_lecture(n) those of a lecture.
"""

import difflib
import importlib
import re

from .entry import Formula

__all__ = ["SHEET", "Formula", "find", "of_lecture"]


LECTURES = [importlib.import_module(f"{__name__}.lecture{k}") for k in range(1, 9)]
SECTIONS = [
    importlib.import_module(f"{lecture.__name__}.{name}") for lecture in LECTURES for name in lecture.SECTIONS
]
SHEET = sorted((f for section in SECTIONS for f in section.ENTRIES), key=lambda f: f.number)


ALIASES = {  # what else an entry is called
    "cfg": "cfg", "classifier-free": "cfg", "ddpm": "ddpm-step", "ddim": "ddim-step", "nll": "elbo", "vlb": "elbo",
    "l-0": "elbo-decomposition", "l-t": "prior-kl", "l-vlb": "elbo", "l-cfm": "cfm-gradient", "l-ddpm": "l-simple",
    "kl": "kl-gaussians", "beta-tilde": "posterior-variance", "mu-tilde": "posterior-mean", "x-0-hat": "clean-estimate",
    "q-sample": "forward-closed-form", "x-t": "forward-closed-form", "dsm": "dsm-target", "tweedie": "tweedie-vp",
    "heun": "solver-orders", "rk4": "solver-orders", "euler": "flow-euler-step", "euler-maruyama": "reverse-step",
    "dit": "dit-tokens", "vae": "vae-elbo", "clip": "clip-loss", "fid": "fid-1d", "elo": "elo-expected",
    "lora": "lora-parameters", "grpo": "group-advantage", "reflow": "reflow-untangles", "wiener": "wiener-increment",
}  # fmt: skip


def _words(text):
    return set(re.findall(r"[a-z0-9]+", text.lower()))


def find(name):
    """The entry of that name, in small letters or large, also by an alias or by words that only its title has.

    Raises ValueError with the names that come close.
    """
    known, lower = {f.name: f for f in SHEET}, re.sub(r"[_\s]+", "-", str(name).strip().lower())
    titled = [f for f in SHEET if _words(lower) and _words(lower) <= _words(f.title)]
    if (
        found := known.get(lower)
        or known.get(ALIASES.get(lower))
        or (titled[0] if len(titled) == 1 else None)
    ):
        return found
    alike = [f.name for f in [*titled, *SHEET] if f in titled or _words(lower) & _words(f.name)]
    close = [*difflib.get_close_matches(lower, known, n=3), *alike]
    near = (
        f"did you mean {', '.join(list(dict.fromkeys(close))[:6])}?" if close else "minidiff show lists them"
    )
    raise ValueError(f"there is no formula named {name!r}; {near}")


def of_lecture(lecture=None):
    """The entries of a lecture, or all. Raises ValueError for a lecture that has none."""
    chosen = [f for f in SHEET if lecture in (None, f.lecture)]
    if not chosen:
        raise ValueError(f"lecture must be in 1..{max(f.lecture for f in SHEET)}, got {lecture}")
    return chosen
