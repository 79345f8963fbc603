"""check and equal: a student's own version is judged rightly."""

import math
import random
import re
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import minidiff
from minidiff.sheet import SHEET
from minidiff.sheet.check import check, close, equal
from minidiff.sheet.entry import random_case, round_cases
from minidiff.sheet.language import ExpressionError, evaluate, parse, show
from minidiff.sheet.verdict import Verdict

EXPRESSIONS = [f for f in SHEET if f.answer is not None]


@pytest.mark.parametrize("entry", EXPRESSIONS, ids=lambda f: f.name)
def test_a_wrong_version_gets_a_counterexample_and_its_misconception(entry):
    text, why = entry.wrong[-1]  # verify refutes all of them
    verdict = check(entry.name, text)
    assert verdict.status == "wrong" and verdict.exit_status == 1 and not verdict
    assert "counterexample" in str(verdict) and verdict.data["misconception"] == why
    assert not close(verdict.data["yours"], verdict.data["measured"])
    if entry.counts_steps():
        assert int(verdict.data["counterexample"]["t"]) >= 2


def rewritten(node, rng):
    """The expression with each operation in another form of the same value; all in brackets."""
    args = [rewritten(a, rng) if hasattr(a, "op") else a for a in node.args]
    ways = [show(node)]
    if node.op == "+":
        ways = [f"({args[1]}) + ({args[0]})", f"({args[0]}) - (-({args[1]}))"]
    elif node.op == "-":
        ways = [f"-(({args[1]}) - ({args[0]}))", f"({args[0]}) + (-1)*({args[1]})"]
    elif node.op == "*":
        ways = [f"({args[1]})({args[0]})", f"({args[0]}) / (1/({args[1]}))"]
    elif node.op == "/":
        ways = [f"({args[0]}) * (({args[1]})**-1)", f"\\frac{{{args[0]}}}{{{args[1]}}}", f"(1/({args[1]}))·({args[0]})"]
    elif node.op == "**" and show(node.args[1]) == "2":
        ways = [f"({args[0]})*({args[0]})", f"({args[0]})²"]
    elif node.op == "call" and node.args[0] == "sqrt":
        ways = [f"({args[1]})**0.5", f"\\sqrt{{{args[1]}}}", f"√({args[1]})"]
    elif node.op == "neg":
        ways = [f"(-1)({args[0]})", f"0 - ({args[0]})"]
    text = rng.choice(ways)
    scale = rng.choice(["", "", "", "3", "pi"])
    return f"({scale}*({text}))/{scale}" if scale and node.op in "+-*/" else text


@pytest.mark.parametrize("entry", EXPRESSIONS, ids=lambda f: f.name)
def test_every_rewriting_of_the_answer_is_accepted(entry):
    """Two other forms of each answer; one that has grown beyond what the language reads is drawn again."""
    scope, rng, accepted = next(round_cases(entry)), random.Random(entry.name), 0
    while accepted < 2:
        text = rewritten(parse(entry.answer, scope).root, rng)
        try:
            tree = parse(text, scope)
        except ExpressionError as error:
            assert "2000 characters" in error.message or "inside each other" in error.message
            continue
        assert (verdict := check(entry.name, text)), f"{text}: {verdict}"
        # a right form is right in any case, and not only in those that check draws
        c = random_case(entry, np.random.default_rng(rng.randrange(2**31)))
        a, b = float(evaluate(tree, c)), float(evaluate(parse(entry.answer, scope), c))
        assert math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-12) or not (math.isfinite(a) and math.isfinite(b))
        accepted += 1


def test_beta_as_the_posterior_variance():
    verdict = check("posterior-variance", "beta[t]")
    text = str(verdict)
    assert "N(0, 1) data" in text and "beta_1..beta_2 = 0.1, 0.2; t = 2" in text and "Bayes on a grid" in text
    assert verdict.data["yours"] == 0.2 and abs(verdict.data["measured"] - 1 / 14) < 1e-9  # .1 / .28 * .2
    assert "t = 2: 190.00% too large" in text  # on the coarse schedule beta / beta~ = .145 / .05 = 2.9


def test_the_posterior_precision_is_right_and_t_1_is_skipped():
    verdict = check("posterior-variance", "1/(alpha[t]/beta[t] + 1/(1-alpha_bar[t-1]))")
    assert verdict and verdict.exit_status == 0
    assert re.search(r"equal on \d+ random schedules; \d+ more \(t = 1\) skipped", str(verdict))
    assert verdict.data["equal"] + verdict.data["skipped"] == 200 and verdict.data["skipped"] > 10


def test_a_variance_where_a_std_was_asked_for_and_fresh_noise_in_ddim():
    assert "variance" in check("forward-closed-form-std", "1 - alpha_bar[t]").data["misconception"]
    fresh = "√ᾱ_{t-1} (x_t - √(1-ᾱ_t) ε_θ)/√ᾱ_t + √(1-ᾱ_{t-1}) z"
    assert "implicit" in check("ddim-step", fresh).data["misconception"]
    assert check("ddim-step", fresh.replace(" z", " ε_θ"))
    assert check("ddim-step", fresh.replace(" z", " ε_θ").replace("ᾱ", "α"), notation="ddim")
    assert not check("ddim-step", fresh.replace(" z", " ε_θ").replace("ᾱ", "α"))


@pytest.mark.parametrize(
    ("text", "slip"),
    [("(1 - alpha_bar[t])**0.25", "root of"), ("-sqrt(1 - alpha_bar[t])", "opposite sign"),
     ("sqrt(1 - alpha_bar[t])/2", "half of"),
     ("1/sqrt(1 - alpha_bar[t])", "inverted"), ("2 sqrt(1 - alpha_bar[t])", "twice"),
     ("sqrt(1 - alpha_bar[t+1])", "one step late")],
)  # fmt: skip
def test_slips_of_any_formula_are_named(text, slip):
    assert slip in check("forward-closed-form-std", text).data["misconception"]


def test_a_small_mistake_is_seen_and_rounding_is_not():
    """1e-9 of the number divides them: 1e-8 is wrong, adding and taking away 100 (some 1e-14) is not."""
    assert not check("snr", "1.00000001 alpha_bar[t]/(1-alpha_bar[t])")
    assert check("alpha-bar", "alpha_bar[t] + 100 - 100") and not check("alpha-bar", "alpha_bar[t] + 0.00000001")


def test_where_a_version_agrees_is_said():
    text = str(check("two-step-merge", "1 - alpha_bar[t]"))
    assert "t = 2: agrees" in text and re.search(r"t = 6: [\d.]+% too large", text)


def test_functions_are_judged_like_expressions():
    assert minidiff.check("alpha-bar", lambda alpha, t: alpha[1 : t + 1].prod())
    assert minidiff.check("snr", lambda alpha_bar, t: alpha_bar[t] / (1 - alpha_bar[t]))
    verdict = check("alpha-bar", lambda alpha, t: alpha[:t].prod())
    assert not verdict and "nothing shifts" in verdict.data["misconception"]
    for f, words in (
        (lambda gamma: 1.0, "unknown argument 'gamma'"),
        (lambda t: [].pop(), "IndexError"),
        (lambda t: "a", "ValueError"),
    ):
        verdict = check("alpha-bar", f)
        assert verdict.exit_status == 2 and words in str(verdict)


@pytest.mark.parametrize(
    ("text", "words"),
    [("1 +", "missing"), ("gamma", "unknown name"), ("sum(1 for k in 1..10**6)", "operations"), ("", "the formula is empty")],
)
def test_what_is_not_understood_is_a_verdict(text, words):
    for verdict in (check("alpha-bar", text), equal(text, "1"), equal("1", text)):
        assert verdict.exit_status == 2 and words in str(verdict) and isinstance(verdict, Verdict)


def test_statements_and_unknown_names():
    assert check("markov", "0").exit_status == 2
    with pytest.raises(ValueError, match="no formula named 'nothing'"):
        check("nothing", "1")
    with pytest.raises(ValueError, match="unknown notation"):
        check("snr", "1", notation="mine")


def test_never_finite_is_not_right():
    assert check("snr", "0/0").status == "wrong" and equal("0/0", "0/0").status == "wrong"


def test_two_lines_of_a_derivation():
    assert equal("1/(alpha[t]/beta[t] + 1/(1-alpha_bar[t-1]))", r"\frac{1-\bar\alpha_{t-1}}{1-\bar\alpha_t}\beta_t")
    assert equal("x_t", "√(ᾱ_t) x_0 + √(1-ᾱ_t) ε") and equal("beta[tau[i]]", "1 - alpha[tau_i]")
    verdict = equal("x_t", "sqrt(ab_t) x_0 + (1-ab_t) eps")
    assert verdict.exit_status == 1 and "the other line" in str(verdict) and "x_0 = 2" in str(verdict)
    assert equal(r"\alpha_t", "x / x * alpha_t", notation="prince")
    for text in ("2ab", "a b + ab"):  # alpha_bar_t, or a times b?
        assert equal(text, "2 a b").exit_status == 2 and "write one of them" in str(equal(text, "2 a b"))
    assert equal("2ba", "2*a*b") and equal("ab_t", "alpha_bar[t]") and equal("ab[t]", "alpha_bar_t")
    square = str(equal("(a+b)^2", "a^2 + b^2"))
    assert square.count("read as") == 2 and "other t" not in square  # nothing here depends on t


def test_checking_loads_neither_numba_nor_matplotlib():
    code = "import sys, minidiff; minidiff.check('snr', '1'); assert not {'numba', 'matplotlib'} & set(sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@settings(deadline=None, max_examples=30)
@example("sum(sum(beta[i] for i in 1..9**9) for j in 1..9)")
@example("sum(sum(i for i in 1..40) for j in 1..40)")
@example("+".join(["alpha_bar[t]"] * 140))
@given(st.text(alphabet="βt_[]()^*/+-123 .sqrtεᾱ", max_size=40))
def test_any_text_gets_a_verdict(text):
    assert check("forward-step", text).status in ("right", "wrong", "not understood")
