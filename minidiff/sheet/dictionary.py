"""One process, seven notations: what each paper's letters are in minidiff's, and functions that convert both ways.

    here      alpha_bar_t (ab), integer t, x_t = sqrt(ab_t) x_0 + sqrt(1 - ab_t) eps

An Entry converts one quantity: to(value, ab) from here to theirs, back(theirs, ab) from theirs to here; ab is alpha_bar
at the same moment, for those that need it. `minidiff notation` prints this table; the tests run it both ways.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..continuous.flow import Linear, time_of
from ..gaussian import eps_from_score, score_from_eps


@dataclass(frozen=True)
class Entry:
    """A symbol of a paper: its meaning, what it is here, and the conversion there and back."""

    paper: str
    symbol: str
    meaning: str
    here: str
    formula: str
    to: Callable
    back: Callable


class At:
    """A process whose alpha_bar is given instead of a time: for the functions of gaussian.py and flow.py."""

    def __init__(self, ab):
        self.ab = ab

    def at(self, t, x):
        """alpha_bar, whatever t."""
        return self.ab


def same(value, ab=None):
    """The same quantity under another name."""
    return value


def root(ab, _=None):
    """sqrt(ab)."""
    return np.sqrt(ab)


def square(a, _=None):
    """a^2."""
    return a**2


def noise_root(ab, _=None):
    """sqrt(1 - ab)."""
    return np.sqrt(1 - ab)


def one_minus_square(s, _=None):
    """1 - s^2."""
    return 1 - s**2


def sigma_of(ab, _=None):
    """sigma = sqrt((1 - ab) / ab): the noise level once x_t is divided by sqrt(ab).    [EDM table 1]"""
    return np.sqrt((1 - ab) / ab)


def alpha_bar_of_sigma(sigma, _=None):
    """ab = 1 / (1 + sigma^2)."""
    return 1 / (1 + sigma**2)


def unscaled(x_t, ab):
    """x = x_t / sqrt(ab) = x_0 + sigma eps."""
    return x_t / np.sqrt(ab)


def scaled(x, ab):
    """x_t = sqrt(ab) x."""
    return x * np.sqrt(ab)


def gamma_of(ab, _=None):
    """gamma = log((1 - ab) / ab) = -log SNR.    [VDM section 3]"""
    return np.log((1 - ab) / ab)


def alpha_bar_of_gamma(gamma, _=None):
    """ab = sigmoid(-gamma)."""
    return 1 / (1 + np.exp(gamma))


def integral_of(ab, _=None):
    """int_0^t beta(s) ds = -log ab.    [Score SDE eq. 11]"""
    return -np.log(ab)


def alpha_bar_of_integral(integral, _=None):
    """ab = exp(-int_0^t beta(s) ds)."""
    return np.exp(-integral)


def flow_time_of(ab, _=None):
    """t = sqrt(ab) / (sqrt(ab) + sqrt(1 - ab)): flow matching's time, 0 for noise and 1 for data.    [CME296 lecture 3]"""
    return time_of(ab)[0]


def alpha_bar_of_flow_time(t, _=None):
    """ab = t^2 / (t^2 + (1 - t)^2)."""
    return Linear().at(t, t)


def on_the_line(x_t, ab):
    """x = x_t / (sqrt(ab) + sqrt(1 - ab)), a point of the straight path."""
    return time_of(ab)[1] * x_t


def off_the_line(x, ab):
    """x_t = (sqrt(ab) + sqrt(1 - ab)) x."""
    return x / time_of(ab)[1]


def score_of(eps, ab):
    """score = -eps / sqrt(1 - ab)."""
    return score_from_eps(At(ab), None, eps)


def eps_of(score, ab):
    """eps = -sqrt(1 - ab) score."""
    return eps_from_score(At(ab), None, score)


DICTIONARY = [
    Entry("Ho (DDPM)", "alpha-bar_t", "share of x_0's variance left at t", "ab", "ab", same, same),
    Entry("Ho (DDPM)", "epsilon", "the noise in x_t", "eps", "eps", same, same),
    Entry("DDIM", "alpha_t", "what Ho calls alpha-bar_t (not 1 - beta_t!)", "ab", "ab", same, same),
    Entry("DDIM", "sigma_t", "std of a step's fresh noise", "var", "sqrt(var)", root, square),
    Entry("Prince", "alpha_t", "what Ho calls alpha-bar_t (not 1 - beta_t!)", "ab", "ab", same, same),
    Entry("Prince", "z_t", "the noisy picture (his x is our x_0)", "x_t", "x_t", same, same),
    Entry("Karras (EDM)", "sigma", "noise level; grows without bound", "ab", "sqrt((1 - ab) / ab)", sigma_of,
          alpha_bar_of_sigma),
    Entry("Karras (EDM)", "x", "noisy picture that was never shrunk", "x_t", "x_t / sqrt(ab)", unscaled, scaled),
    Entry("VDM", "alpha_t", "signal's factor, a root", "ab", "sqrt(ab)", root, square),
    Entry("VDM", "sigma_t", "noise's factor, a root", "ab", "sqrt(1 - ab)", noise_root, one_minus_square),
    Entry("VDM", "gamma_t", "minus the log of the signal-to-noise ratio", "ab", "log((1 - ab) / ab)", gamma_of,
          alpha_bar_of_gamma),
    Entry("Song (score SDE)", "int beta(s) ds", "all variance replaced until t", "ab", "-log(ab)", integral_of,
          alpha_bar_of_integral),
    Entry("Song (score SDE)", "s(x, t)", "the score, grad log p_t", "eps", "-eps / sqrt(1 - ab)", score_of, eps_of),
    Entry("flow matching", "t", "0 is noise, 1 is data", "ab", "sqrt(ab) / (sqrt(ab) + sqrt(1 - ab))", flow_time_of,
          alpha_bar_of_flow_time),
    Entry("flow matching", "x_t", "point of the straight line", "x_t", "x_t / (sqrt(ab) + sqrt(1 - ab))", on_the_line,
          off_the_line),
    Entry("flow matching", "x_0", "the noise (x_1 is the data)", "eps", "eps", same, same),
]  # fmt: skip
