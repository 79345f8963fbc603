"""verdict: numbers and cases as one writes them."""

from fractions import Fraction

import pytest

from minidiff.sheet.verdict import Verdict, number, written


@pytest.mark.parametrize(
    ("value", "said"),
    [(Fraction(18, 25), "0.72"), (Fraction(1, 14), "1/14 (0.0714286)"), (Fraction(3), "3"),
     (Fraction(1, 3001), "0.000333222"), (2 / 3, "0.666667"), ((Fraction(1, 10), 2), "0.1, 2")],
)  # fmt: skip
def test_a_number_is_written_as_on_paper(value, said):
    assert number(value) == said


def test_a_case_is_written_with_what_was_chosen_first():
    case = {"beta": (0, Fraction(1, 10), Fraction(1, 5)), "alpha": (1, 0.9, 0.8), "T": 2, "t": 2, "s": 1}
    case |= {"x_0": 2, "eps": 3, "x_t": 4}
    assert written(case, {"alpha", "t"}) == "beta_1..beta_2 = 0.1, 0.2; t = 2"
    assert written(case, {"x_t", "s"}) == "x_0 = 2; eps = 3; x_t = 4"  # x_t follows from the first two


def test_a_verdict_is_its_text_its_truth_and_its_exit_status():
    right, wrong, other = (Verdict(status, "said") for status in ("right", "wrong", "not understood"))
    assert right and not wrong and not other and [v.exit_status for v in (right, wrong, other)] == [0, 1, 2]
    assert str(right) == repr(right) == "said"
