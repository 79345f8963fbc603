"""The sheet's commands, the quiz, the printed pages, and the page of worked numbers."""

import io
import json
import re
from pathlib import Path

import pytest
from command_line import answer, refused, run
from matplotlib.backends.backend_pdf import PdfPages

from minidiff.cli import figures, pages
from minidiff.cli import formulas as sheet
from minidiff.sheet import SHEET, find
from minidiff.sheet.check import close
from minidiff.sheet.explain import curves, explain
from minidiff.sheet.language import evaluate, parse
from minidiff.sheet.quiz import quiz

EXPRESSIONS = [f for f in SHEET if f.answer is not None]


def test_the_page_of_worked_numbers_is_right():
    """Each line of examples/from_elbo_to_l_simple.md: printed to 4 decimals, so right to half of the last one."""
    text = (Path(__file__).parents[2] / "examples" / "from_elbo_to_l_simple.md").read_text()
    beta, alpha_bar = (0.0, 0.1, 0.2, 0.4), [1.0]
    alpha = tuple(1 - b for b in beta)
    for a in alpha[1:]:
        alpha_bar.append(alpha_bar[-1] * a)
    scope = {"beta": beta, "alpha": alpha, "alpha_bar": tuple(alpha_bar), "x_0": 2.0, "eps": 0.5, "eps_hat": 0.3}
    lines = [line for block in re.findall(r"```numbers\n(.*?)```", text, re.S) for line in block.splitlines()]
    for line in lines:
        *name, expression, printed = line.split(" = ")
        value = float(evaluate(parse(expression, scope), scope))
        assert abs(value - float(printed)) <= 0.5e-4, line
        scope |= dict.fromkeys(name, value)
    assert len(lines) > 20


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
        assert q.judge(q.answer.lower())[0] and q.judge(f"({q.answer})")[0] and q.judge(next(iter(q.slips)))[1]
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
    for n, lecture, said in ((0, None, "n must lie"), (5, 99, "no questions for lecture 99")):
        with pytest.raises(ValueError, match=said):
            quiz(n, 0, lecture)


def test_quiz_in_a_terminal(capsys, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    right = quiz(2, 0)
    answers = iter(["x", right[0].answer, "q"])
    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr("builtins.input", lambda prompt: next(answers))
    assert run("quiz", "--n", "2") == 0
    out = capsys.readouterr().out
    assert "answer one of" in out and "right" in out and "1 of 1 right" in out


def test_quiz_prints_the_key_where_nobody_can_be_asked(capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert run("quiz", "--n", "3") == 0
    out = capsys.readouterr().out
    assert out.index("\nKey") > out.index("3. ")
    assert len(answer(capsys, "quiz", "--n", "3")["questions"]) == 3


def test_printed_pages(capsys):
    assert run("quiz", "--n", "9", "--pdf", "out/quiz.pdf") == 0
    assert run("verify", "posterior-variance", "ddim-step") == 0
    assert run("sheet", "--pdf", "out/sheet.pdf", "--lecture", "4") == 0
    for name in ("quiz", "sheet"):
        assert Path(f"out/{name}.pdf").read_bytes()[:5] == b"%PDF-"
    assert sorted(p.name for p in Path("out").iterdir()) == ["quiz.pdf", "sheet.pdf"]


def test_the_printed_sheet_says_what_failed(monkeypatch):
    """Read from the page as it is printed: which formula failed, in another colour, and how many did not."""
    printed, write = {}, PdfPages.savefig

    def read(pdf, fig):
        printed.update({text.get_text(): text.get_color() for text in fig.texts})
        write(pdf, fig)

    monkeypatch.setattr(PdfPages, "savefig", read)
    rows = {"ddim-step": {"ok": False, "error": 0.25, "wrong": []}, "snr": {"ok": True, "error": 1e-9, "wrong": [1, 2]}}
    path = pages.sheet(Path("bad.pdf"), rows, [find(name) for name in rows])
    assert path.read_bytes()[:5] == b"%PDF-" and any(text.startswith("1 of 2 measured") for text in printed)
    (failed,) = [text for text in printed if text.startswith("FAILED, error 2e-01, by ")]
    (held,) = [text for text in printed if text.startswith("measured, error 1e-09, by ")]
    assert "refuted" not in failed and held.endswith("2 wrong versions refuted") and printed[failed] != printed[held]


@pytest.mark.parametrize("entry", SHEET, ids=lambda f: f.name)
def test_show_tells_all_that_is_known(entry):
    e = explain(entry)
    assert e["why"] and e["symbols"] and e["measured"]
    if entry.source:
        file, line = e["place"].split(":")
        first = (Path(__file__).parents[2] / file).read_text().splitlines()[int(line) - 1]
        assert first.strip() == e["lines"].splitlines()[0].strip()


@pytest.mark.parametrize("entry", EXPRESSIONS, ids=lambda f: f.name)
def test_every_expression_can_be_drawn(entry):
    drawn, (x, y), xlabel = curves(entry, most=2)
    claimed = dict(zip(drawn[entry.answer][0], drawn[entry.answer][1]))
    off = [abs(claimed[a] - m) / max(1, abs(m)) for a, m in zip(x, y)]
    assert len(off) >= 4 and max(off) < 0.05 and xlabel  # Monte Carlo oracles are good to a few per cent


def test_show_draws_a_picture_and_lists(capsys):
    result = answer(capsys, "show", "posterior-variance", "--plot")
    assert Path(result["files"][0]).read_bytes()[1:4] == b"PNG" and result["place"].startswith("minidiff/gaussian.py:")
    assert len(answer(capsys, "show")["formulas"]) == len(SHEET)
    drawn, points, xlabel = curves(find("posterior-variance"))
    assert figures.claimed_and_measured(drawn, points, xlabel, "t", "x").axes[0].lines


@pytest.mark.parametrize("name", ["posterior-mean", "ddim-step", "ssim", "clip-loss"])
def test_long_formulas_stay_inside_their_picture(name):
    """The longest captions; and the numbers that were chosen are said."""
    entry = find(name)
    drawn, points, xlabel = curves(entry)
    fig = figures.claimed_and_measured(drawn, points, xlabel, entry.title, entry.latex)
    fig.canvas.draw()
    (legend,) = fig.legends
    for box in (legend.get_window_extent(), fig.axes[0].get_tightbbox()):
        assert box.x0 >= 0 and box.x1 <= fig.bbox.x1 and box.y0 >= 0 and box.y1 <= fig.bbox.y1
    assert legend.get_window_extent().y1 <= fig.axes[0].get_tightbbox().y0
    assert ("eps = " in xlabel) == (name == "posterior-mean") and "x_t = 1.7" not in xlabel and "more wrong" in xlabel


def test_verify_says_what_failed(capsys, monkeypatch):
    assert answer(capsys, "verify", "snr")["failed"] == []
    fake = {
        "name": "snr",
        "number": 15,
        "what": "answer",
        "claimed": 1.0,
        "measured": 2.0,
        "error": 1.0,
        "bound": 1e-9,
        "seconds": 0.0,
        "wrong": [],
    }
    monkeypatch.setattr(sheet, "_measured", lambda entries, seed: {"snr": fake | {"ok": False}})
    assert run("verify", "snr") == 1
    assert "FAILED" in capsys.readouterr().out


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
    assert "t = 1" in capsys.readouterr().out
    assert run("check", "forward-closed-form-std", "1 - alpha_bar[t]") == 1
    assert "variance" in capsys.readouterr().out
    assert run("equal", "1 - alpha_bar[t]", "1 - alpha[t]*alpha_bar[t-1]") == 0
    assert run("equal", "alpha[t]", "alpha_bar[t]") == 1
    capsys.readouterr()
    steps = answer(capsys, "compute", "forward-closed-form", "--beta", ".1,.2,.3", "--t", "2", "--x_0", "1.5", "--eps=-.5")[
        "steps"
    ]
    # sqrt(0.72) 1.5 - 0.5 sqrt(0.28)
    assert abs(float(steps[-1]["is"]) - 1.00822) < 1e-5
    assert run("check", "posterior-variance", "beta[t]", "--json") == 1
    assert json.loads(capsys.readouterr().out)["status"] == "wrong"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["check", "posterior-varianec", "1"], "did you mean posterior-variance"),
        (["check", "snr", "1", "--notation", "karras"], "unknown notation 'karras'"),
        (["check", "snr", " "], "the formula is empty"),
        (["show", "snr", "--plot", "--out", "text.csv"], "ends in .png"),
        (["compute", "snr", "--beta", ".1,,.2", "--t", "2"], "missing between commas"),
        (["compute", "snr"], "needs beta"),
        (["compute", "snr", "--beta", ".1,.2", "--t", "5"], "t must be a whole number in 1..2, got 5"),
        (["compute", "snr", "--beta", ".1,x", "--t", "1"], "beta must be a number, got 'x'"),
        (["compute", "snr", "beta", ".1"], "--LETTER VALUE"),
        (["compute", "snr", "--beta", ".1,2", "--t", "1"], "beta must list"),
        (["verify", "nothing"], "no formula named 'nothing'"),
        (["verify", "--lecture", "17"], "lecture must be one of"),
        (["show", "--plot"], "needs the NAME"),
        (["show", "markov", "--plot"], "is a statement"),
        (["quiz", "--n", "0"], "n must lie in 1..100"),
        (["quiz", "--pdf", "quiz.doc"], "ends in .pdf"),
        (["sheet", "--pdf", "/dev/null/sheet.pdf"], "cannot be written"),
    ],
)
def test_mistakes_are_one_line(capsys, words, said):
    assert said in refused(capsys, *words)


def test_every_slip_of_the_quiz_is_one_of_its_entry():
    for q in quiz(16, 4):
        assert set(q.slips.values()) <= {why for _, why in find(q.name).wrong}
