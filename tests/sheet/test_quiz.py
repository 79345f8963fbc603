"""quiz: keys are right, options can be told apart, wrong options are the entry's own mistakes."""

import re

import pytest

from minidiff.sheet import find
from minidiff.sheet.check import close
from minidiff.sheet.quiz import quiz


@pytest.mark.parametrize("seed", range(3))
def test_quiz_keys_are_right_and_options_can_be_told_apart(seed):
    questions = quiz(24, seed)
    assert len(questions) == 24 and sum(bool(q.options) for q in questions) == 18
    for q in questions:
        assert q.text and q.steps
        if not q.options:
            assert q.judge(f"{q.answer:.5g}")[0] and not q.judge(f"{q.answer + 0.05 * abs(q.answer) + 0.01:.5g}")[0]
            continue
        assert close(float(q.steps[-1][1]), q.options[q.answer])  # the worked answer is the one that counts as right
        assert set(q.slips) == set(q.options) - {q.answer} and all(q.slips.values())
        values = list(q.options.values())
        assert all(abs(a - b) > 0.019 * max(abs(a), abs(b)) for i, a in enumerate(values) for b in values[:i])
        assert q.judge(q.answer.lower())[0] and q.judge(f"({q.answer})")[0]
        assert all(q.judge(letter) == (False, slip) for letter, slip in q.slips.items())
        with pytest.raises(ValueError, match="answer one of"):
            q.judge("7")
    assert [q.text for q in quiz(24, seed)] == [q.text for q in questions] != [q.text for q in quiz(24, seed + 9)]


def test_quiz_tells_the_distractors_numbers_too():
    """Whoever is told S alone knows that the number of evaluations is S."""
    asked = {q.name: q.text for lecture in (1, 2, 3) for q in quiz(80, 0, lecture)}
    assert re.search(r" T = \d+; S = \d+", asked["nfe"])
    assert " t_2 = " in asked["wiener-covariance"] and " x_0 = " in asked["one-euler-step"]


def test_quiz_by_lecture_and_its_limits():
    assert all(q.lecture == 1 for q in quiz(5, 1, lecture=1))
    for n, lecture, said in ((0, None, "n must lie"), (101, None, "n must lie"), (5, 99, r"lecture must be in 1..8, got 99")):
        with pytest.raises(ValueError, match=said):
            quiz(n, 0, lecture)


def test_every_slip_is_one_of_its_entry_and_the_key_says_it():
    for q in quiz(16, 4):
        assert set(q.slips.values()) <= {why for _, why in find(q.name).wrong}
        assert all(f": {why}" in line for line, (_, why) in zip(q.key()[1:], sorted(q.slips.items())))
