"""A number that was worked by hand."""

import pytest

from minidiff.learn import near


@pytest.mark.parametrize(
    "answer, status", [(2.0, "right"), (2.019, "right"), (2.021, "wrong"), (-2.0, "wrong")]
)
def test_right_is_within_a_hundredth(answer, status):
    assert near(answer, 2.0).status == status and bool(near(answer, 2.0)) == (status == "right")


def test_an_exercise_that_was_not_done_says_what_to_do():
    assert near(None, 2.0).status == "not understood" and "None" in str(near(None, 2.0))
