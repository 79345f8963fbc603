"""concepts: each answer is measured, and only the option that is marked as right expects what is measured."""

from importlib import import_module

import pytest

from minidiff.sheet import SHEET, find
from minidiff.sheet.concepts import asked_of, concepts_of

CONCEPTS = concepts_of()


@pytest.mark.parametrize("concept", CONCEPTS, ids=lambda c: f"{c.name}: {c.text[:60]}")
def test_the_first_option_and_no_other_is_what_is_measured(concept):
    found = concept.measure()
    assert [bool(expects(found)) for _, expects, _ in concept.options] == [True] + [False] * (
        len(concept.options) - 1
    )


def test_every_lecture_has_questions_and_each_its_own_entry():
    for lecture in range(1, 9):
        mine = concepts_of(lecture)
        assert len(mine) >= 4 and {find(c.name).lecture for c in mine} == {lecture}
    assert len(CONCEPTS) == sum(len(concepts_of(k)) for k in range(1, 9)) >= 40


def test_options_are_words_that_differ_and_each_has_a_reason():
    for concept in CONCEPTS:
        texts, _, reasons = zip(*concept.options)
        assert len(set(texts)) == len(texts) >= 3 and all(reasons)


CONCEDES = "convention,libraries,other form,other choice,a right step,n - 1,mean over,mean of both".split(",")


def test_where_a_wrong_option_is_right_elsewhere_the_question_says_which_is_meant():
    """A wrong version whose reason admits that others write it so needs more than a title."""
    names = [
        f.name for f in SHEET if any(word in why for _, why in f.wrong for word in CONCEDES) and f.answer
    ]
    assert {"langevin", "cfg", "group-advantage"} <= set(names)
    assert [name for name in names if asked_of(find(name)) == find(name).title] == []


def test_every_sentence_of_the_quiz_belongs_to_an_entry_of_its_lecture():
    for lecture in range(1, 9):
        asked = import_module(f"minidiff.sheet.lecture{lecture}.concepts").ASKED
        assert {find(name).lecture for name in asked} <= {lecture} and len(set(asked.values())) == len(asked)
