"""dictionary: every conversion there and back, and against a statement that does not use it."""

import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import log_normal

from minidiff.continuous.process import VP
from minidiff.sheet.dictionary import DICTIONARY
from minidiff.sheet.language import evaluate, parse

ENTRIES = {(e.paper, e.symbol): e for e in DICTIONARY}
shares = st.floats(0.001, 0.999)


def at(ab, data=0.7, noise=-1.3):
    """alpha_bar, x_0, eps and the x_t that they make."""
    return ab, data, noise, math.sqrt(ab) * data + math.sqrt(1 - ab) * noise


def vp_integral(t=0.6, n=1000):
    """int_0^t beta of VP by midpoints (exact: beta is a straight line)."""
    return sum(VP().beta((k + 0.5) * t / n) for k in range(n)) * t / n


def time_on_the_line(ab):
    """Where on the line from noise to data signal and noise are mixed as t : 1 - t."""
    ratio = math.sqrt(ab / (1 - ab))
    return ratio / (1 + ratio)


def slope_of_log_density(ab, data, x_t):
    p = [log_normal(x_t + h, math.sqrt(ab) * data, 1 - ab) for h in (1e-4, -1e-4)]
    return (p[0] - p[1]) / 2e-4  # of a parabola: exact but for rounding


# paper, symbol -> does this value, theirs, have the property that defines it?  (theirs, ab, x_0, eps, x_t)
STATEMENTS = {
    ("Ho (DDPM)", "alpha-bar_t"): lambda y, ab, x_0, eps, x_t: (
        math.sqrt(y) * x_0 + math.sqrt(1 - y) * eps - x_t
    ),
    ("Ho (DDPM)", "epsilon"): lambda y, ab, x_0, eps, x_t: math.sqrt(ab) * x_0 + math.sqrt(1 - ab) * y - x_t,
    ("DDIM", "alpha_t"): lambda y, ab, x_0, eps, x_t: math.sqrt(y) * x_0 + math.sqrt(1 - y) * eps - x_t,
    ("DDIM", "sigma_t"): lambda y, ab, x_0, eps, x_t: y * y - ab,  # the value handed over below is a variance
    ("Prince", "alpha_t"): lambda y, ab, x_0, eps, x_t: math.sqrt(y) * x_0 + math.sqrt(1 - y) * eps - x_t,
    ("Prince", "z_t"): lambda y, ab, x_0, eps, x_t: y - x_t,
    ("Karras (EDM)", "sigma"): lambda y, ab, x_0, eps, x_t: x_0 + y * eps - x_t / math.sqrt(ab),
    ("Karras (EDM)", "x"): lambda y, ab, x_0, eps, x_t: (y - x_0) ** 2 - eps**2 * (1 / ab - 1),
    ("VDM", "alpha_t"): lambda y, ab, x_0, eps, x_t: y * x_0 + math.sqrt(1 - y**2) * eps - x_t,
    ("VDM", "sigma_t"): lambda y, ab, x_0, eps, x_t: math.sqrt(1 - y**2) * x_0 + y * eps - x_t,
    ("VDM", "gamma_t"): lambda y, ab, x_0, eps, x_t: 1 / (1 + math.exp(y)) - ab,  # alpha^2 = sigmoid(-gamma)
    ("Song (score SDE)", "int beta(s) ds"): lambda y, ab, x_0, eps, x_t: (
        math.exp(-y / 2) * x_0 + math.sqrt(-math.expm1(-y)) * eps - x_t
    ),
    ("Song (score SDE)", "s(x, t)"): lambda y, ab, x_0, eps, x_t: y - slope_of_log_density(ab, x_0, x_t),
    ("flow matching", "t"): lambda y, ab, x_0, eps, x_t: y - time_on_the_line(ab),
    ("flow matching", "x_t"): lambda y, ab, x_0, eps, x_t: (
        y - (time_on_the_line(ab) * x_0 + (1 - time_on_the_line(ab)) * eps)
    ),
    ("flow matching", "x_0"): lambda y, ab, x_0, eps, x_t: math.sqrt(ab) * x_0 + math.sqrt(1 - ab) * y - x_t,
}  # fmt: skip


def test_every_entry_has_a_statement():
    assert set(STATEMENTS) == set(ENTRIES) and len(ENTRIES) == len(DICTIONARY)


@pytest.mark.parametrize("key", STATEMENTS, ids=" ".join)
@given(ab=shares)
def test_there_means_what_the_paper_says_and_back_is_back(key, ab):
    entry, (_, x_0, eps, x_t) = ENTRIES[key], at(ab)
    value = {"ab": ab, "var": ab, "x_t": x_t, "eps": eps}[entry.here]
    theirs = entry.to(value, ab)
    # 1 / ab and 1 / (1 - ab) up to 1e3 enlarge roundings; the slope's own is 1e-16 * 1e3 / 1e-4
    assert abs(STATEMENTS[key](theirs, ab, x_0, eps, x_t)) < 1e-7
    assert abs(entry.back(theirs, ab) - value) < 1e-11


@given(shares, st.floats(-3, 3))
def test_back_and_there_again(ab, value):
    """From their side, on arrays: to(back(y)) = y, for y in the range that the symbol has."""
    for entry in DICTIONARY:
        y = np.array([value]) if entry.here in ("x_t", "eps") else entry.to(np.array([ab]), np.array([ab]))
        again = entry.to(entry.back(y, np.array([ab])), np.array([ab]))
        assert np.abs(again - y).max() < 1e-10 * (1 + np.abs(y).max())


def test_songs_integral_is_that_of_beta():
    entry = ENTRIES["Song (score SDE)", "int beta(s) ds"]
    assert abs(entry.to(VP().alpha_bar_at(0.6)) - vp_integral()) < 1e-9
    assert abs(entry.back(vp_integral()) - VP().alpha_bar_at(0.6)) < 1e-12


def test_worked_values():
    """Half signal, half noise: EDM's sigma 1, VDM's gamma 0, the line's middle; a share of 1/5 is sigma 2."""
    for key, value in (
        (("Karras (EDM)", "sigma"), 1.0),
        (("VDM", "gamma_t"), 0.0),
        (("flow matching", "t"), 0.5),
    ):
        assert abs(ENTRIES[key].to(0.5) - value) < 1e-15
    assert abs(ENTRIES["Karras (EDM)", "sigma"].to(0.2) - 2) < 1e-15
    assert abs(ENTRIES["Karras (EDM)", "sigma"].back(2.0) - 0.2) < 1e-15


@pytest.mark.parametrize("entry", DICTIONARY, ids=lambda e: f"{e.paper} {e.symbol}")
def test_the_formulas_can_be_typed(entry):
    """What is printed means the same in the language of the sheet."""
    letters = {"ab": 0.3, "a": 0.3, "x_t": -0.7, "eps": 1.9, "var": 0.04, "y": 0.6}
    for formula, converted in (
        (entry.formula, entry.to(letters[entry.here], 0.3)),
        (entry.inverse, entry.back(0.6, 0.3)),
    ):
        typed = parse(re.sub(r"\bab\b", "a", formula), letters)
        assert abs(evaluate(typed, letters) - converted) < 1e-14
