"""One process, seven notations: what each paper's letters are in minidiff's, and formulas that convert both ways.

    here      alpha_bar_t (ab), integer t, x_t = sqrt(ab_t) x_0 + sqrt(1 - ab_t) eps

An Entry converts one quantity: to(value, ab) from here to theirs, back(theirs, ab) from theirs to here; ab is alpha_bar
at the same moment, for those that need it. `minidiff notation` prints this table; the tests run it both ways.
"""

from dataclasses import dataclass

import numpy as np

FUNCTIONS = {"sqrt": np.sqrt, "log": np.log, "exp": np.exp}


@dataclass(frozen=True)
class Entry:
    """A symbol of a paper, what it means, the letter that it has here; theirs by a formula, and ours, in which theirs is y."""

    paper: str
    symbol: str
    meaning: str
    here: str
    formula: str
    inverse: str

    def to(self, value, ab=None):
        """Theirs, number or array.    [EDM table 1] [VDM section 3] [Score SDE eq. 11] [CME296 lecture 3]"""
        return eval(self.formula, FUNCTIONS | {"ab": ab, self.here: value})

    def back(self, theirs, ab=None):
        """Ours."""
        return eval(self.inverse, FUNCTIONS | {"ab": ab, "y": theirs})


DICTIONARY = [
    Entry("Ho (DDPM)", "alpha-bar_t", "share of x_0's variance left at t", "ab", "ab", "y"),
    Entry("Ho (DDPM)", "epsilon", "the noise in x_t", "eps", "eps", "y"),
    Entry("DDIM", "alpha_t", "what Ho calls alpha-bar_t (not 1 - beta_t!)", "ab", "ab", "y"),
    Entry("DDIM", "sigma_t", "std of a step's fresh noise", "var", "sqrt(var)", "y**2"),
    Entry("Prince", "alpha_t", "what Ho calls alpha-bar_t (not 1 - beta_t!)", "ab", "ab", "y"),
    Entry("Prince", "z_t", "the noisy picture (his x is our x_0)", "x_t", "x_t", "y"),
    Entry("Karras (EDM)", "sigma", "noise level; grows without bound", "ab", "sqrt((1 - ab) / ab)", "1 / (1 + y**2)"),
    Entry("Karras (EDM)", "x", "noisy picture that was never shrunk", "x_t", "x_t / sqrt(ab)", "sqrt(ab) * y"),
    Entry("VDM", "alpha_t", "signal's factor, a root", "ab", "sqrt(ab)", "y**2"),
    Entry("VDM", "sigma_t", "noise's factor, a root", "ab", "sqrt(1 - ab)", "1 - y**2"),
    Entry("VDM", "gamma_t", "minus the log of the signal-to-noise ratio", "ab", "log((1 - ab) / ab)", "1 / (1 + exp(y))"),
    Entry("Song (score SDE)", "int beta(s) ds", "all variance replaced until t", "ab", "-log(ab)", "exp(-y)"),
    Entry("Song (score SDE)", "s(x, t)", "the score, grad log p_t", "eps", "-eps / sqrt(1 - ab)", "-sqrt(1 - ab) * y"),
    Entry("flow matching", "t", "0 is noise, 1 is data", "ab", "sqrt(ab) / (sqrt(ab) + sqrt(1 - ab))",
          "y**2 / (y**2 + (1 - y)**2)"),
    Entry("flow matching", "x_t", "point of the straight line", "x_t", "x_t / (sqrt(ab) + sqrt(1 - ab))",
          "(sqrt(ab) + sqrt(1 - ab)) * y"),
    Entry("flow matching", "x_0", "the noise (x_1 is the data)", "eps", "eps", "y"),
]  # fmt: skip
