"""entry: what is written of each formula, and the numbers that it is tried on."""

import math
import re
from fractions import Fraction

import numpy as np
import pytest
from matplotlib.mathtext import MathTextParser

from minidiff.sheet import SHEET
from minidiff.sheet.entry import Letters, make_case, random_case, round_cases


@pytest.mark.parametrize("entry", SHEET, ids=lambda f: f.name)
def test_every_entry_can_be_read_and_drawn(entry):
    MathTextParser("agg").parse(f"${entry.latex}$")
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", entry.name)
    assert entry.title and entry.measured and 1 <= entry.number <= 80
    assert entry.why.endswith(".") and entry.why.count(". ") == 0
    assert all(entry.meaning(k)[1] for k in entry.scope) and (entry.source is None) == (entry.value is None)
    assert all(why and not why.endswith(".") for _, why in entry.wrong)


@pytest.mark.parametrize("entry", [f for f in SHEET if f.answer is not None], ids=lambda f: f.name)
def test_a_case_has_the_letters_it_says_and_round_ones_are_exact(entry):
    for c in [*round_cases(entry), random_case(entry, np.random.default_rng(0))]:
        assert list(c)[: len(entry.scope)] == entry.scope
        if "beta" in c:
            assert math.isclose(c["alpha_bar"][-1], math.prod(1 - b for b in c["beta"]), rel_tol=1e-12)
        if "tau" in c:
            assert c["tau"][0] == 0 and c["tau"][-1] == c["T"] and 1 <= c["i"] <= c["S"] == len(c["tau"]) - 1
        if "x_0_hat" in c:  # noised again with eps_hat it is x_t
            ab = float(c["alpha_bar"][c["tau"][c["i"]] if "tau" in c else c["t"]])
            assert math.isclose(
                c["x_t"], ab**0.5 * c["x_0_hat"] + (1 - ab) ** 0.5 * c["eps_hat"], rel_tol=1e-9
            )
        if {"x_0", "eps", "x_t"} <= set(c):  # Pythagoras: both weights from alpha_bar, squared
            ab = float(c["alpha_bar"][c["t"]])
            assert math.isclose(c["x_t"], ab**0.5 * c["x_0"] + (1 - ab) ** 0.5 * c["eps"], rel_tol=1e-12)


def test_letters_that_follow_are_not_chosen():
    letters = Letters(letters="beta t x_0 eps x_t d", own={"d": ("", "a letter of its own")})
    assert letters.scope == ["beta", "alpha", "alpha_bar", "T", "t", "x_0", "eps", "x_t", "d"]
    assert set(letters.free) == {"x_0", "eps"} and set(Letters(letters="x_t d").free) == {"x_t", "d"}
    assert letters.counts_steps() and not letters.counts_steps("i")
    assert not Letters(letters="t", own={"t": ("a number in (0, 1)", "flow matching's time")}).counts_steps()


def test_a_case_says_which_letters_it_has():
    F = Fraction
    case = make_case(Letters(letters="beta t x_0 eps x_t"), [F("0.36"), F("0.5")], 1, x_0=2, eps=-1)
    assert case == {
        "beta": (0, F("0.36"), F("0.5")), "alpha": (1, F("0.64"), F("0.5")),
        "alpha_bar": (1, F("0.64"), F("0.32")),
        "T": 2, "t": 1, "s": 0, "x_0": 2, "eps": -1, "x_t": 1,
    }  # fmt: skip
    assert case.x_t == 1  # .8 * 2 - .6
    assert math.isclose(case.schedule.alpha_bar[2], 0.32) and case.floats().beta.dtype == float
    with pytest.raises(AttributeError, match="the case has no letter 'z'; it has beta, alpha"):
        _ = case.z
