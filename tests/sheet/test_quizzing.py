"""quiz: keys are right, options can be told apart, wrong options are the entry's own mistakes."""

import re

import numpy as np
import pytest

from minidiff.sheet import find
from minidiff.sheet.checking import close
from minidiff.sheet.concepts import concepts_of
from minidiff.sheet.quizzing import _ask as question_of
from minidiff.sheet.quizzing import quiz


@pytest.mark.parametrize("seed", range(3))
def test_quiz_keys_are_right_and_options_can_be_told_apart(seed):
    questions = quiz(24, seed)
    assert len(questions) == 24 and sum(bool(q.options) for q in questions) == 18
    for q in questions:
        assert q.text and (q.steps or q.why)
        if not q.options:
            assert q.judge(f"{q.answer:.5g}")[0]
            assert not q.judge(f"{q.answer + 0.05 * abs(q.answer) + 0.01:.5g}")[0]
            continue
        assert set(q.slips) == set(q.options) - {q.answer} and all(q.slips.values())
        if q.steps:  # the worked answer is the one that counts as right
            assert close(float(q.steps[-1][1]), q.options[q.answer])
        values = list(q.options.values())
        assert len(set(values)) == len(values)
        assert q.why or all(
            abs(a - b) > 0.019 * max(abs(a), abs(b)) for i, a in enumerate(values) for b in values[:i]
        )
        assert q.judge(q.answer.lower())[0] and q.judge(f"({q.answer})")[0]
        assert all(q.judge(letter) == (False, slip) for letter, slip in q.slips.items())
        with pytest.raises(ValueError, match="answer one of"):
            q.judge("7")
    assert (
        [q.text for q in quiz(24, seed)]
        == [q.text for q in questions]
        != [q.text for q in quiz(24, seed + 9)]
    )


def test_quiz_tells_the_distractors_numbers_too():
    """Whoever is told S alone knows that the number of evaluations is S."""
    asked = {
        q.name: q.text for lecture in (1, 2, 3) for q in quiz(80, 0, lecture) if q.steps
    }  # those with numbers
    assert re.search(r" T = \d+; S = \d+", asked["nfe"])
    assert " t_2 = " in asked["wiener-covariance"] and " x_0 = " in asked["one-euler-step"]


def test_quiz_by_lecture_and_its_limits():
    assert all(q.lecture == 1 for q in quiz(5, 1, lecture=1))
    for n, lecture, said in (
        (0, None, "n must lie"),
        (101, None, "n must lie"),
        (5, 99, r"lecture must be in 1..8, got 99"),
    ):
        with pytest.raises(ValueError, match=said):
            quiz(n, 0, lecture)


def test_every_slip_is_one_of_its_entry_and_the_key_says_it():
    reasons = {why for c in concepts_of() for _, _, why in c.options}
    for q in quiz(16, 4):
        assert set(q.slips.values()) <= ({why for _, why in find(q.name).wrong} if q.steps else reasons)
        assert all(f": {why}" in line for line, (_, why) in zip(q.key()[1:], sorted(q.slips.items())))


def test_questions_without_numbers_are_mixed_in_and_not_repeated():
    for lecture in (None, *range(1, 9)):
        questions = quiz(12, 5, lecture)
        concepts = [q.text for q in questions if not q.steps]
        assert len(set(concepts)) == len(concepts) == 3
        assert all(q.why and q.key()[-1] == f"because {q.why}" for q in questions if not q.steps)


def test_without_a_seed_others_are_drawn_and_the_seed_draws_them_again():
    """Two draws of one seed in a million agree: a false alarm in 10^6."""
    one, other = quiz(8), quiz(8)
    assert one.seed != other.seed and str(quiz(8, one.seed)) == str(one)
    assert str(one).startswith("1. ") and one.key().startswith(f"1. {one[0].name}")


def test_a_question_states_its_convention_and_its_letters():
    asked = {name: question_of(find(name), np.random.default_rng(0), choose=True).text
             for name in ("cfg", "group-advantage", "langevin", "forward-step")}  # fmt: skip
    assert "w = 1 conditional" in asked["cfg"] and "divided by n" in asked["group-advantage"]
    assert "with a/2 before the score" in asked["langevin"]
    assert "x_s: the data one step earlier" in asked["forward-step"]


def test_a_wrong_answer_says_where_to_read_on(capsys, monkeypatch):
    questions = quiz(2, 3)
    wrong = next(letter for letter in questions[0].options if letter != questions[0].answer)
    typed = iter(["nothing", wrong, questions[1].answer])
    monkeypatch.setattr("builtins.input", lambda prompt: next(typed))
    assert questions.ask() == (1, 2)
    out = capsys.readouterr().out
    assert "answer one of" in out and f"read: minidiff show {questions[0].name}" in out
    assert f"minidiff show {questions[1].name}" not in out


def test_asking_ends_with_the_input(monkeypatch):
    def ended(prompt):
        raise EOFError

    monkeypatch.setattr("builtins.input", ended)
    assert quiz(3, 0).ask() == (0, 0)
