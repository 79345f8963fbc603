"""The sheet's commands: what they print, exit with and refuse."""

import io
import json
from pathlib import Path

import pytest
from command_line import answer, refused, run

import minidiff
from minidiff.cli import formulas as sheet
from minidiff.cli import pages
from minidiff.sheet import SHEET
from minidiff.sheet.quizzing import quiz


def test_quiz_in_a_terminal(capsys, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    right = quiz(2, 7)
    answers = iter(["x", right[0].answer, "q"])
    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr("builtins.input", lambda prompt: next(answers))
    assert run("quiz", "--n", "2", "--seed", "7") == 0
    out = capsys.readouterr().out
    assert "answer one of" in out and "right" in out and "1 of 1 right; --seed 7 asks these again" in out


def test_quiz_prints_the_key_where_nobody_can_be_asked(capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert run("quiz", "--n", "3") == 0
    out = capsys.readouterr().out
    assert out.index("\nKey") > out.index("3. ")
    drawn = answer(capsys, "quiz", "--n", "3")
    assert len(drawn["questions"]) == 3
    assert answer(capsys, "quiz", "--n", "3", "--seed", str(drawn["seed"])) == drawn
    assert [q["text"] for q in answer(capsys, "quiz", "--n", "3")["questions"]] != [
        q["text"] for q in drawn["questions"]
    ]


def test_show_draws_a_picture_and_lists(capsys):
    result = answer(capsys, "show", "posterior-variance", "--plot")
    assert Path(result["files"][0]).read_bytes()[1:4] == b"PNG"
    assert result["place"].startswith("minidiff/gaussian.py:")
    assert result["drawn_with"].startswith("beta_1..beta_10 = 0.05, 0.1, ")
    assert [f["name"] for f in answer(capsys, "show")["formulas"]] == [f.name for f in SHEET]


def test_show_in_a_notebook_draws_the_cli_s_picture():
    page = minidiff.show("snr")._repr_markdown_()
    assert "data:image/png;base64,iVBORw0KGgo" in page and "SNR" in page  # a PNG's first bytes
    assert minidiff.quiz(2, 3)[0].text == quiz(2, 3)[0].text


def test_show_names_the_library_s_line_and_its_test(capsys):
    assert run("show", "posterior-variance") == 0
    out = capsys.readouterr().out
    assert "in the library: gaussian.posterior, minidiff/gaussian.py:" in out and "def posterior(" in out
    assert "its test: tests/test_gaussian.py::test_posterior_is_bayes_on_a_grid\n" in out


def test_verify_says_what_failed(capsys, monkeypatch):
    assert answer(capsys, "verify", "snr")["failed"] == []
    row = {"name": "snr", "number": 15, "what": "answer", "claimed": 1.0, "measured": 2.0, "error": 1.0}
    row |= {"bound": 1e-9, "seconds": 0.0, "wrong": [], "ok": False}
    monkeypatch.setattr(sheet, "_measured", lambda names, args: [row])
    assert run("verify", "snr") == 1
    out = capsys.readouterr().out
    assert "FAILED" in out and "failed: snr" in out


def test_check_equal_and_compute(capsys):
    assert run("check", "posterior-variance", r"\frac{1-\bar\alpha_{t-1}}{1-\bar\alpha_t}\beta_t") == 0
    assert run("check", "posterior-variance", "beta[t]") == 1
    out = capsys.readouterr().out
    assert "right: equal on 200" in out and "N(0, 1) data" in out and "beta_1..beta_2" in out
    assert run("check", "kernel-score", "-eps/sqrt(1-alpha_bar[t])") == 0 == run("equal", "-eps", "-(eps)")
    capsys.readouterr()
    assert run("check", "posterior-variance", "beta[t") == 2
    out, err = capsys.readouterr()
    assert out == "" and "^" in err
    assert run("check", "posterior-variance", "1/(alpha[t]/beta[t] + 1/(1-alpha_bar[t-1]))") == 0
    assert "equal on 200 random schedules\n  read as 1 / (alpha[t]" in capsys.readouterr().out
    assert run("check", "forward-closed-form-std", "1 - alpha_bar[t]") == 1
    assert "variance" in capsys.readouterr().out
    assert run("equal", "1 - alpha_bar[t]", "1 - alpha[t]*alpha_bar[t-1]") == 0
    assert run("equal", "alpha[t]", "alpha_bar[t]") == 1
    capsys.readouterr()
    numbers = "--beta .1,.2,.3 --t 2 --x_0 1.5 --eps=-.5".split()
    steps = answer(capsys, "compute", "forward-closed-form", *numbers)["steps"]
    # sqrt(0.72) 1.5 - 0.5 sqrt(0.28)
    assert abs(float(steps[-1]["is"]) - 1.00822) < 1e-5
    assert run("check", "posterior-variance", "beta[t]", "--json") == 1
    assert json.loads(capsys.readouterr().out)["status"] == "wrong"


def test_what_is_printed_is_one_file_and_only_the_booklet_is_measured(capsys, monkeypatch):
    """Exit 1 where a formula fails, and the booklet is there all the same."""
    failing = {"name": "logit-normal", "ok": False, "error": 1.0, "wrong": []}
    monkeypatch.setattr(sheet, "_measured", lambda names, args: [failing])
    commands = {
        "quiz": (["--n", "2"], 0),
        "sheet": (["--lecture", "6"], 0),
        "sheet --long": (["--lecture", "6"], 1),
    }
    for command, (words, status) in commands.items():
        assert run(*command.split(), *words, "--pdf", "out/p.pdf") == status
        assert Path("out/p.pdf").read_bytes()[:5] == b"%PDF-"
        assert [p.name for p in Path("out").iterdir()] == ["p.pdf"]
        said = capsys.readouterr().out
        assert f"wrote {Path('out/p.pdf')}" in said and ("failed: logit-normal" in said) == (status == 1)
        Path("out/p.pdf").unlink()


def test_a_pdf_that_fails_half_way_leaves_the_old_one(capsys, monkeypatch):
    def half(path, *_):
        path.write_text("half")
        raise ValueError("no room")

    Path("p.pdf").write_text("old")
    monkeypatch.setattr(pages, "quiz", half)
    assert "no room" in refused(capsys, "quiz", "--pdf", "p.pdf") and Path("p.pdf").read_text() == "old"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["check", "posterior-varianec", "1"], "did you mean posterior-variance"),
        (["check", "snr", "1", "--notation", "karras"], "unknown notation 'karras'"),
        (["check", "snr", " "], "the formula is empty"),
        (["equal", "", "1"], "the formula is empty"),
        (["show", "snr", "--plot", "--out", "text.csv"], "ends in .png"),
        (["compute", "snr", "--beta", ".1,,.2", "--t", "2"], "beta must be a number, got ''"),
        (["compute", "snr"], "needs beta"),
        (["compute", "snr", "--beta", ".1,.2", "--t", "5"], "t must be a whole number in 1..2, got 5"),
        (["compute", "snr", "--beta", ".1,x", "--t", "1"], "beta must be a number, got 'x'"),
        (["compute", "snr", "beta", ".1"], "--LETTER VALUE"),
        (["compute", "snr", "--beta", ".1,2", "--t", "1"], "beta must list"),
        (["verify", "nothing"], "no formula named 'nothing'"),
        (["verify", "--lecture", "17"], "lecture must be in 1..8, got 17"),
        (["quiz", "--lecture", "0"], "lecture must be in 1..8, got 0"),
        (["show", "--plot"], "needs the NAME"),
        (["show", "markov", "--plot"], "is a statement"),
        (["quiz", "--n", "0"], "n must lie in 1..100"),
        (["quiz", "--pdf", "quiz.doc"], "ends in .pdf"),
        (["sheet", "--pdf", "sheet.txt"], "--pdf needs a file that ends in .pdf, got sheet.txt"),
        (["sheet", "--pdf", "/dev/null/sheet.pdf"], "cannot be written"),
    ],
)
def test_mistakes_are_one_line(capsys, words, said):
    assert said in refused(capsys, *words)
