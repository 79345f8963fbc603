"""Two evenings: what was answered wrong comes back, nothing is lost, and an exam's key and marks add up."""

import builtins
import json
from itertools import chain, repeat
from pathlib import Path

import pytest

from minidiff.learn import study
from minidiff.sheet import find
from minidiff.sheet.quizzing import quiz

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path):
    monkeypatch.setattr(study, "kept_at", lambda: tmp_path / "minidiff" / "study.json")
    return tmp_path / "minidiff" / "study.json"


def types(monkeypatch, *answers):
    """input() returns these, then the end of input."""
    said = chain(answers, repeat(None))

    def typed(prompt=""):
        answer = next(said)
        if answer is None:
            raise EOFError
        return answer

    monkeypatch.setattr(builtins, "input", typed)


def right_of(question):
    return question.answer if question.options else f"{question.answer:.9g}"


def wrong_of(question):
    return next(k for k in question.options if k != question.answer) if question.options else "1e9"


def test_every_idea_has_its_entries_its_place_to_look_and_questions():
    assert [i["lecture"] for i in study.IDEAS] == sorted(i["lecture"] for i in study.IDEAS)
    assert {i["lecture"] for i in study.IDEAS} == set(range(1, 9))
    assert {i["evening"] for i in study.IDEAS} == {1, 2}
    for idea in study.IDEAS:
        assert all(find(name).lecture == idea["lecture"] and find(name).answer for name in idea["entries"])
        assert (ROOT / idea["look"].removeprefix("python ").partition(",")[0]).exists()
        assert len(quiz(4, 0, names=idea["entries"])) == 4
        assert {q.name for q in quiz(4, 0, names=idea["entries"])} <= set(idea["entries"])
        text = study.as_text(idea)
        assert idea["title"] in text and " = " in text.partition("by hand:")[2]


def test_an_idea_is_done_after_its_questions_and_a_wrong_answer_comes_back(monkeypatch, home, capsys):
    first = study.IDEAS[0]
    questions = quiz(3, 5, names=first["entries"])
    types(monkeypatch, wrong_of(questions[0]), right_of(questions[1]), right_of(questions[2]))
    assert not study.go_on(study.Kept(), 5)  # the second idea's questions met the end of input
    kept = study.Kept.load()
    assert kept.done == [first["title"]] and kept.wrong == [[3, 5, first["entries"], 0]]
    types(monkeypatch, right_of(questions[0]))
    capsys.readouterr()
    assert study.again(kept) and study.Kept.load().wrong == []
    assert questions[0].text in capsys.readouterr().out


def test_an_answer_is_kept_before_the_next_question_is_asked(monkeypatch, home):
    questions = quiz(3, 5, names=study.IDEAS[0]["entries"])
    types(monkeypatch, wrong_of(questions[0]))
    assert not study.go_on(study.Kept(), 5)
    assert json.loads(home.read_text())["wrong"] == [[3, 5, study.IDEAS[0]["entries"], 0]]


def test_an_unreadable_file_counts_as_empty(home):
    home.parent.mkdir()
    for text in ("", "{", '{"done": 1, "what": 2}'):
        home.write_text(text)
        assert study.Kept.load() == study.Kept()


def test_an_exam_covers_the_course_repeats_by_its_seed_and_adds_its_marks_up(monkeypatch):
    asked = study.exam(90, 7)
    assert len(asked) == 18 and {q.lecture for _, q, _ in asked} == set(range(1, 9))
    assert (
        [q.text for _, q, _ in study.exam(90, 7)]
        == [q.text for _, q, _ in asked]
        != [q.text for _, q, _ in study.exam(90, 8)]
    )
    assert all(q.text.startswith(f"[{worth} marks] ") and worth in (2, 3, 5) for worth, q, _ in asked)
    assert {worth for worth, _, _ in asked} == {2, 3, 5}
    types(monkeypatch, *(right_of(q) if k % 2 else wrong_of(q) for k, (_, q, _) in enumerate(asked)))
    kept = study.Kept()
    assert study.sit(asked, 90, kept) == [worth * (k % 2) for k, (worth, _, _) in enumerate(asked)]
    assert kept.wrong == [place for k, (_, _, place) in enumerate(asked) if k % 2 == 0]
    with pytest.raises(ValueError, match="exam must last 10 to 300 minutes, got 5"):
        study.exam(5, 0)


def test_what_comes_after_the_last_minute_does_not_count(monkeypatch):
    asked, clock = study.exam(20, 0), iter([0.0, 0.0, 1.0, 2.0, 1201.0])
    monkeypatch.setattr(study.time, "monotonic", lambda: next(clock))
    types(monkeypatch, *(right_of(q) for _, q, _ in asked))
    assert study.sit(asked, 20, study.Kept()) == [asked[0][0], 0, 0, 0]
