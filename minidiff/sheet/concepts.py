"""Questions without numbers: what happens if? The package measures each answer.

A Concept holds a function that measures, and options that say what each of them expects to be measured. The first option is
the right one: its expectation holds and no other's does, which the tests see. The quiz shuffles them. The questions stand in
the lectures' folders; what several of them measure with stands here.
"""

from collections.abc import Callable
from importlib import import_module
from typing import NamedTuple

import numpy as np

from ..evaluation.recursion import moments
from ..exact import Mixture
from ..sampling import trailing
from ..schedule import linear
from . import LECTURES

T, LINEAR, COARSE = 1000, linear(1000), linear(20, 0.05, 0.3)
ONES, TWO_BUMPS = np.ones((1, 1)), Mixture([0.5, 0.5], [[-1.0], [1.0]], [[[0.01]], [[0.01]]])


class Concept(NamedTuple):
    """options: ((text, expects(measured) -> bool, why it is right or wrong), ...), the right one first."""

    name: str  # the entry that explains it
    measure: Callable
    text: str
    options: tuple


def ask(name, measure, text, *options):
    """A Concept."""
    return Concept(name, measure, text, options)


def concepts_of(lecture=None):
    """The Concepts of a lecture, or of all."""
    chosen = [where for k, where in enumerate(LECTURES, 1) if lecture in (None, k)]
    return [concept for where in chosen for concept in import_module(f"{where.__name__}.concepts").CONCEPTS]


def asked_of(entry):
    """What the quiz asks with numbers: the title, or a sentence of the lecture where that leaves a convention open."""
    lecture = import_module(f"{LECTURES[entry.lecture - 1].__name__}.concepts")
    return lecture.ASKED.get(entry.name, entry.title)


def near(value, tolerance=1e-9):
    """Expects all that is measured to be that value."""
    return lambda found: bool(np.all(np.abs(np.subtract(found, value)) <= tolerance))


def rng():
    """The same draws each time."""
    return np.random.default_rng(0)


def bell(mean, std):
    """Gaussian data of one coordinate."""
    return Mixture(np.ones(1), np.array([[mean]]), np.array([[[std**2]]]))


def spread(step, steps=50, std=0.15, stop=None):
    """Standard deviation of what a sampler makes of N(0.2, std^2) data with the perfect denoiser, exactly."""
    _, covs = moments(step, LINEAR, [0.2], [[std**2]], trailing(T, steps)[:stop])
    return float(np.sqrt(covs[-1][0, 0]))
