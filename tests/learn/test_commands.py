"""study and mistakes as they are typed."""

import json

import pytest
from command_line import answer, refused, run


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("APPDATA", str(tmp_path / "home"))


def test_study_without_a_terminal_lists_the_ideas(capsys):
    found = answer(capsys, "study")
    assert len(found["ideas"]) >= 14 and not any(i["done"] for i in found["ideas"]) and found["wrong"] == 0


def test_an_exam_is_printed_with_its_key(capsys):
    assert run("study", "--exam", 20, "--seed", 3) == 0
    text = capsys.readouterr().out
    assert "Mock exam, 20 minutes, seed 3" in text and text.index("\nKey\n") > text.index("\n4. ")
    assert answer(capsys, "study", "--exam", 20, "--seed", 3)["marks"] > 0


def test_an_exam_on_paper(capsys, tmp_path):
    assert answer(capsys, "study", "--exam", 20, "--pdf", "exam.pdf")["files"] == ["exam.pdf"]
    assert (tmp_path / "exam.pdf").read_bytes().startswith(b"%PDF")


def test_a_mistake_is_made_and_shown(capsys, tmp_path):
    assert run("mistakes") == 0 and "off-by-one" in capsys.readouterr().out
    found = answer(capsys, "mistakes", "alpha-bar-for-its-root", "--out", "m.png")
    assert found["files"] == ["m.png"] and (tmp_path / "m.png").read_bytes()[1:4] == b"PNG"
    (row,) = json.loads(json.dumps(answer(capsys, "mistakes", "range-not-squared")["numbers"]))
    assert row["right"] == pytest.approx(40) and row["wrong"] == pytest.approx(36.99, abs=0.01)


def test_what_cannot_be_done_is_one_line(capsys):
    assert "unknown mistake 'x'" in refused(capsys, "mistakes", "x")
    assert "exam must last 10 to 300 minutes, got 3" in refused(capsys, "study", "--exam", 3)
