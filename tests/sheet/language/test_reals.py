"""reals: the error that a float says it has is never smaller than what it has, and not much larger."""

import math
import random
from decimal import Decimal, localcontext
from fractions import Fraction

import pytest

from minidiff.sheet.language.reals import CALLS, OPERATIONS, UNIT, Near, error, number

DIGITS = {"sqrt": Decimal.sqrt, "log": Decimal.ln, "exp": Decimal.exp, "abs": abs, "neg": lambda a: -a,
          "tanh": lambda a: 1 - 2 / ((2 * a).exp() + 1), "+": lambda a, b: a + b, "-": lambda a, b: a - b,
          "*": lambda a, b: a * b, "/": lambda a, b: a / b, "**": lambda a, b: a**b}  # fmt: skip
ONE = [k for k in DIGITS if k in CALLS or k == "neg"]
TWO = [k for k in DIGITS if k in OPERATIONS and k != "neg"]


def grown(rng):
    """(a number of reals, the same with 60 digits) after some random operations."""
    pool = []
    for _ in range(3):
        exact = Fraction(rng.randrange(1, 4000), 1000)
        pool.append((exact, Decimal(exact.numerator) / exact.denominator))
    for _ in range(rng.randrange(2, 9)):
        f = rng.choice(ONE + TWO)
        parts = [rng.choice(pool) for _ in range(2 if f in TWO else 1)]
        here = number((CALLS | OPERATIONS)[f](*(a for a, _ in parts)))
        if (
            math.isfinite(here)
            and 1e-9 < abs(here) < 1e9
            and not (f in ("sqrt", "log", "**") and parts[0][1] <= 0)
        ):
            pool.append((here, DIGITS[f](*(b for _, b in parts))))
    return pool[-1]


def test_the_error_is_within_its_bound_and_the_bound_within_a_thousand_roundings_of_usual_numbers():
    rng, small = random.Random(0), 0
    with localcontext(prec=60):
        for _ in range(4000):
            a, b = grown(rng)
            if isinstance(a, Fraction):
                assert abs(Decimal(a.numerator) / a.denominator - b) < Decimal("1e-45") * max(1, abs(b))
                continue
            assert abs(Decimal(float(a)) - b) <= Decimal(a.error), (a, b)
            small += a.error <= 1000 * UNIT * max(abs(a), 1)
    # of 4000, the rest exact or of bad condition: a bound that is always large shows nothing
    assert small > 2000


@pytest.mark.parametrize(
    ("f", "parts", "value"),
    [("-", (Near(1.0, 1e-9), Near(1.0, 0.0)), 0.0), ("/", (Near(1.0, 0.0), Near(1e-20, 1e-10)), 1e20),
     ("**", (Near(0.0, 1e-3), Fraction(2)), 0.0), ("log", (Near(1e-5, 1e-4),), math.log(1e-5)),
     ("sqrt", (Near(-1e-20, 1e-10),), 0.0)],
)  # fmt: skip
def test_what_is_lost_is_known(f, parts, value):
    """Digits that cancel, a divisor, logarithm or root that may be of 0: the error says so."""
    got = (CALLS | OPERATIONS)[f](*parts)
    least = {"-": 1e-9, "/": math.inf, "**": 1e-6, "log": math.inf, "sqrt": 1e-5}[f]
    assert math.isclose(got, value, abs_tol=1e-30) and least <= error(got) <= 3 * least


def test_infinity_is_exact_and_nothing_else_is_sure_of_it():
    assert OPERATIONS["/"](Fraction(1), Near(math.inf, 0.0)).error == 0 and Near(math.inf, 1.0).error == 0
    assert (Near(0.0, 0.0) * Near(1.0, math.inf)).error == math.inf
    assert number(Fraction(10) ** 600) == math.inf and number(-(Fraction(10) ** 600)) == -math.inf


def test_a_fraction_that_meets_a_float_is_rounded_whichever_stands_first():
    """1/3 is no float: taken from its float, what is left is that rounding."""
    third, near = Fraction(1, 3), Near(1 / 3, 0.0)
    lost = float(abs(third - Fraction(1 / 3)))
    for off in (third - near, near - third, -near + third, third + -near):
        assert off == 0 and off.error >= near.error + lost > near.error


def test_a_whole_number_is_its_own_floor_and_a_float_beside_one_is_not_sure():
    assert [CALLS["floor"](Fraction(a, 2)) for a in (6, 7, -1)] == [3, 3, -1]
    assert isinstance(CALLS["floor"](Fraction(3)), Fraction)
    assert CALLS["floor"](Near(3.5, 0.1)) == 3 and error(CALLS["floor"](Near(3.0, 1e-9))) >= 1
