"""version: a formula as it was written, and what is compared."""

import math
from fractions import Fraction

import pytest

from minidiff.sheet import SHEET, find
from minidiff.sheet.entry import round_cases
from minidiff.sheet.language import ExpressionError, Near
from minidiff.sheet.version import MISTAKE, agree, sees, version_of


def test_exact_numbers_are_compared_exactly_and_floats_within_their_errors():
    third = Fraction(1, 3)
    assert agree(third, Fraction(2, 6)) and not agree(third, third + Fraction(1, 10**40))
    assert agree(Near(1.0, 1e-12), Near(1 + 1e-12, 0.0)) and not agree(Near(1.0, 1e-12), Near(1 + 3e-12, 0.0))
    assert not agree(Near(math.nan, 0.0), 1) and not agree(Near(math.inf, 0.0), 1)
    assert not agree(1, Near(math.nan, 0.0))
    assert sees(third, third) and sees(Near(1.0, 1e-12), Near(1.0, 0.0))
    assert not sees(Near(1.0, MISTAKE), Near(1.0, 0.0))


def test_an_expression_or_a_function():
    entry = find("snr")
    case = next(round_cases(entry))
    for formula in ("ab_t/(1-ab_t)", lambda alpha_bar, t: alpha_bar[t] / (1 - alpha_bar[t])):
        version = version_of(formula, case)
        # .72 / .28
        assert version.letters == {"alpha_bar", "t"} and agree(version.real(case), Fraction(18, 7))
        assert math.isclose(version.value(case), 18 / 7)
    outside = version_of("alpha_bar[t+1]", case)
    assert math.isnan(outside.value(case))
    assert outside.outside(case) == "alpha_bar[3] does not exist: indices are 0..2"
    with pytest.raises(ExpressionError, match="an index is a whole number"):
        version_of("alpha_bar[t/3]", case).value(case)


NETWORKS = [
    (f, k)
    for f in SHEET
    if f.answer is not None
    for k in f.networks
    if f"{k}" in version_of(f.answer, next(round_cases(f))).letters
]


@pytest.mark.parametrize(("entry", "letter"), NETWORKS, ids=[f"{f.name}-{k}" for f, k in NETWORKS])
def test_a_network_answers_its_letter_where_it_is_given_and_nowhere_else(entry, letter):
    place, time = entry.networks[letter]
    case = next(round_cases(entry))
    here, elsewhere = (
        version_of(f"{letter}({at})", case, letters=entry) for at in (f"{place}, {time}", f"x_0, {time}")
    )
    assert agree(here.real(case), case[letter]) and here.asked_elsewhere(entry, [case]) == ""
    assert not agree(elsewhere.real(case), case[letter])
    assert elsewhere.asked_elsewhere(entry, [case]).startswith(f"{letter} is asked at x_0; it is given ")
