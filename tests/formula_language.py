"""What the tests of the formula language share: letters with numbers, and an expression's value."""

from fractions import Fraction as F

from minidiff.sheet.language import evaluate, parse

SCOPE = {
    "beta": (0, F(1, 10), F(1, 5), F(1, 2)), "alpha": (1, F(9, 10), F(4, 5), F(1, 2)),
    "alpha_bar": (1, F(9, 10), F(18, 25), F(9, 25)), "tau": (0, 2, 3), "T": 3, "t": 2, "i": 1, "s": 1,
    "x_0": F(3, 2), "x_t": F(1, 3), "x_s": F(7), "eps": F(-1, 2), "eps_hat": F(2, 7),
    "sigma": F(3), "z": F(5), "mu_1": F(11),
}  # fmt: skip


def number(text, scope=SCOPE, notation="ddpm"):
    return evaluate(parse(text, scope, notation), scope)
