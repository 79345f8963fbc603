"""The formula sheet: every entry measured, every wrong version refuted, and a student's own version judged rightly."""

import ast
import math
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from matplotlib.mathtext import MathTextParser

import minidiff
from minidiff.sheet import SHEET, find, oracles
from minidiff.sheet.check import check, equal
from minidiff.sheet.compute import compute
from minidiff.sheet.entry import LETTERS, random_case, round_cases
from minidiff.sheet.language import evaluate, parse, show
from minidiff.sheet.verdict import Verdict
from minidiff.sheet.verify import library, verify

NAMES = [f.name for f in SHEET]
EXPRESSIONS = [f for f in SHEET if f.answer is not None]
FOLDER = Path(minidiff.__file__).parent / "formulas"


@pytest.mark.parametrize("entry", SHEET, ids=NAMES)
def test_every_entry_is_measured_and_its_wrong_versions_refuted(entry):
    for seed in (0, 1, 2**31):
        result = verify(entry, seed)
        assert result["ok"], ([r for r in result["rows"] if not r["ok"]], [w for w in result["wrong"] if not w["ok"]])
    assert len(result["wrong"]) == len(entry.wrong) >= 1


@pytest.mark.parametrize("entry", SHEET, ids=NAMES)
def test_every_entry_can_be_read_and_drawn(entry):
    MathTextParser("agg").parse(f"${entry.latex}$")
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", entry.name) and entry.title and entry.measured and 1 <= entry.number <= 80
    assert entry.why.endswith(".") and entry.why.count(". ") == 0
    assert all(entry.meaning(k) for k in entry.scope) and (entry.source is None) == (entry.value is None)
    assert all(why and not why.endswith(".") for _, why in entry.wrong)
    if entry.source:
        assert callable(library(entry.source))


def test_names_are_unique_and_found():
    assert len(set(NAMES)) == len(NAMES)
    assert all(find(name).name == name for name in NAMES)
    for typed, near in (
        ("posterior-varience", "posterior-variance"),
        ("posterior_std", "posterior-variance"),
        ("xyz", "minidiff show lists them"),
    ):
        with pytest.raises(ValueError, match=near):
            find(typed)


# negative controls: verify must see a wrong answer, a wrong library function and a wrong version that is right


@pytest.mark.parametrize("entry", EXPRESSIONS, ids=[f.name for f in EXPRESSIONS])
def test_verify_sees_a_planted_mistake(entry):
    assert not verify(replace(entry, answer=f"1.001 * ({entry.answer}) + 0.1", wrong=()))["ok"]
    assert not verify(replace(entry, wrong=((f"({entry.answer}) * 2/2", "this is right"),)))["ok"]
    if entry.value:
        assert not verify(replace(entry, value=lambda f, c: 1.001 * entry.value(f, c) + 0.1, wrong=()))["ok"]


@pytest.mark.parametrize("entry", [f for f in SHEET if f.answer is None], ids=[f.name for f in SHEET if f.answer is None])
def test_verify_sees_a_false_statement(entry):
    """Where two things are said to differ, the false statement is of two that do not."""
    for wrong in [lambda c, rng: 0.0] if entry.relation == "!=" else [wrong for wrong, _ in entry.wrong]:
        assert not verify(replace(entry, oracle=wrong, wrong=()))["ok"]


# every wrong version is told, and every rewriting accepted


@pytest.mark.parametrize("entry", EXPRESSIONS, ids=[f.name for f in EXPRESSIONS])
def test_a_wrong_version_gets_a_counterexample_and_its_misconception(entry):
    for text, why in entry.wrong[-1:]:  # verify refutes all of them
        verdict = check(entry.name, text)
        assert verdict.status == "wrong" and verdict.exit_status == 1 and not verdict
        assert "counterexample" in str(verdict) and verdict.data["misconception"] == why
        found = verdict.data["counterexample"]
        assert ("beta" not in entry.scope or int(found.get("t", 2)) >= 2) and abs(
            verdict.data["yours"] - verdict.data["measured"]
        ) > 0


def rewritten(node, draw):
    """The expression with each operation in another form of the same value; all in brackets."""
    args = [rewritten(a, draw) if hasattr(a, "op") else a for a in node.args]
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
    text = ways[draw(st.integers(0, len(ways) - 1))]
    scale = draw(st.sampled_from(["", "", "", "3", "pi"]))
    return f"({scale}*({text}))/{scale}" if scale and node.op in "+-*/" else text


@settings(deadline=None, max_examples=2)
@given(st.data())
@pytest.mark.parametrize("entry", EXPRESSIONS, ids=[f.name for f in EXPRESSIONS])
def test_every_rewriting_of_the_answer_is_accepted(entry, data):
    scope = next(round_cases(entry))
    text = rewritten(parse(entry.answer, scope).root, data.draw)
    if len(text) > 2000:
        return
    verdict = check(entry.name, text)
    if "inside each other" in str(verdict):  # rewritten deeper than the parser goes
        return
    assert verdict, f"{text}: {verdict}"
    # a right form is right in any case, and not only in those that check draws
    c = random_case(entry, np.random.default_rng(data.draw(st.integers(0, 2**31))))
    a, b = (float(evaluate(parse(e, scope), c)) for e in (text, entry.answer))
    assert math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-12) or not (math.isfinite(a) and math.isfinite(b))


@pytest.mark.parametrize("entry", EXPRESSIONS, ids=[f.name for f in EXPRESSIONS])
def test_a_case_has_the_letters_it_says_and_round_ones_are_exact(entry):
    for c in [*round_cases(entry), random_case(entry, np.random.default_rng(0))]:
        assert list(c)[: len(entry.scope)] == entry.scope
        if "beta" in c:
            assert math.isclose(c["alpha_bar"][-1], math.prod(1 - b for b in c["beta"]), rel_tol=1e-12)
        if "tau" in c:
            assert c["tau"][0] == 0 and c["tau"][-1] == c["T"] and 1 <= c["i"] <= c["S"] == len(c["tau"]) - 1
        if "x_0_hat" in c:  # noised again with eps_hat it is x_t
            ab = float(c["alpha_bar"][c["tau"][c["i"]] if "tau" in c else c["t"]])
            assert math.isclose(c["x_t"], ab**0.5 * c["x_0_hat"] + (1 - ab) ** 0.5 * c["eps_hat"], rel_tol=1e-9)
        if {"x_0", "eps", "x_t"} <= set(c):  # Pythagoras: both weights from alpha_bar, squared
            ab = float(c["alpha_bar"][c["t"]])
            assert math.isclose(c["x_t"], ab**0.5 * c["x_0"] + (1 - ab) ** 0.5 * c["eps"], rel_tol=1e-12)


def test_the_oracles_do_not_see_the_sheet():
    """Nothing that could hold the judged formula is imported: numbers, grids and, where named, the exact mixture."""
    machinery = {"__init__", "entry", "verdict", "check", "compute", "verify", "quiz", "explain", "oracles"}
    for path in FOLDER.glob("*.py"):
        allowed = {"numpy", "math", "fractions", "itertools", "functools", "statistics"}
        if path.stem in machinery - {"oracles"}:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                assert {a.name for a in node.names} <= allowed
            elif isinstance(node, ast.ImportFrom):
                names = {a.name for a in node.names}
                if node.level == 1 and node.module is None:
                    assert names == {"oracles"}
                elif node.level:
                    assert (node.level, node.module) in {
                        (1, "entry"),
                        (1, "oracles"),
                        (2, "exact"),
                        (2, "noise"),
                        (2, "schedule"),
                    } or (node.level == 2 and names == {"noise_chain"})
                else:
                    assert node.module in allowed


# the worked examples


def test_beta_as_the_posterior_variance():
    verdict = check("posterior-variance", "beta[t]")
    text = str(verdict)
    assert "N(0, 1) data" in text and "beta_1..beta_2 = 0.1, 0.2; t = 2" in text and "Bayes on a grid" in text
    assert verdict.data["yours"] == 0.2 and abs(verdict.data["measured"] - 1 / 14) < 1e-9  # .1 / .28 * .2
    assert "t = 2: 190.00% too large" in text  # on the coarse schedule beta / beta~ = .145 / .05 = 2.9


def test_the_posterior_precision_is_right_and_t_1_is_skipped():
    verdict = check("posterior-variance", "1/(alpha[t]/beta[t] + 1/(1-alpha_bar[t-1]))")
    assert (
        verdict
        and verdict.exit_status == 0
        and re.search(r"equal on \d+ random schedules; \d+ more \(t = 1\) skipped", str(verdict))
    )
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
    [("1 +", "missing"), ("gamma", "unknown name"), ("sum(1 for k in 1..10**6)", "operations"), ("", "missing")],
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
    with pytest.raises(ValueError, match="is a statement"):
        compute("markov")


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


def test_compute_takes_any_two_of_x_0_eps_and_x_t(monkeypatch):
    trio = replace(find("forward-closed-form"), name="trio", letters="beta t x_0 eps x_t", answer="x_0 + 10 eps + 100 x_t")
    monkeypatch.setattr("minidiff.sheet.compute.find", lambda name: trio)
    x_t = 0.8 * 2 + 0.6 * 3  # alpha_bar_1 = .64
    for numbers in ({"x_0": 2, "eps": 3}, {"x_0": 2, "x_t": x_t}, {"eps": 3, "x_t": x_t}):
        assert math.isclose(compute("trio", beta=[0.36], t=1, **numbers).result, 2 + 30 + 100 * x_t)
    with pytest.raises(ValueError, match="trio needs x_0, x_t"):
        compute("trio", beta=[0.36], t=1, eps=1)


def test_a_letter_with_a_meaning_of_its_own_is_asked_for():
    assert compute("conv-output", I=16, F=3, P=1, S=1).result == 16  # same padding keeps the width


def test_flow_matching_s_time_is_a_number():
    assert compute("flow-path", t="1/4", x_0=-2, x_1=6).result == 0
    with pytest.raises(ValueError, match=r"t must lie in \[0, 1\]"):
        compute("flow-path", t=2, x_0=-2, x_1=6)
    assert check("flow-path", "x_0 + t(x_1 - x_0)") and check("conditional-velocity", r"\frac{x_1 - x_t}{1-t}")


def test_compute_keeps_numbers_that_a_drawn_case_would_not_have():
    assert math.isclose(compute("isotropic-density", d=1, sigma=1, r=10).result, -50 - math.log(2 * math.pi) / 2)


def test_checking_loads_neither_numba_nor_matplotlib():
    code = "import sys, minidiff; minidiff.check('snr', '1'); assert not {'numba', 'matplotlib'} & set(sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_compute_shows_every_value_in_exact_fractions():
    steps = dict(compute("posterior-variance", beta=[0.1, 0.2, 0.3], t=2).steps)
    assert (
        str(steps["(1 - alpha_bar[t - 1]) / (1 - alpha_bar[t]) * beta[t]"]) == "1/14"
        and str(steps["1 - alpha_bar[t]"]) == "7/25"
    )
    computed = compute("forward-closed-form", beta=[".1", ".2", ".3"], t=2, x_0="1.5", eps="-.5")
    assert math.isclose(computed.result, math.sqrt(0.72) * 1.5 - math.sqrt(0.28) * 0.5) and "alpha_bar[1..3]" in str(computed)
    assert str(compute("forward-closed-form", beta=[0.36], t=1, x_0=1, eps=1).result) == "7/5"
    assert compute("sum-of-gaussians", a=3, b="1/2").result == 9.25
    assert compute("dsm-target", x=1, eps="1/2", sigma=2).result == -0.25  # x_tilde = 2 follows, without a schedule
    assert compute("speed-up", T=1000, S=50).result == 20 and "T = 3; S = 2" in str(check("speed-up", "S / T"))


@pytest.mark.parametrize(
    ("numbers", "words"),
    [({"t": 2}, "needs beta"), ({"beta": [0.1], "t": 2}, r"t must be a whole number in 1..1, got 2"),
     ({"beta": [1.5], "t": 1}, "in \\(0, 1"), ({"beta": [0.1]}, "needs t"), ({"beta": [0.1], "t": 1, "w": 1}, "takes no 'w'"),
     ({"beta": ["x"], "t": 1}, "must be a number"), ({"beta": [], "t": 1}, "1 to 1000"),
     ({"beta": ["nan"], "t": 1}, "must be a number"), ({"beta": ["1e-99999999"], "t": 1}, "must be a number"),
     ({"beta": ["1/0"], "t": 1}, "must be a number"), ({"alpha": [0.5], "t": 1}, "takes no 'alpha'")],
)  # fmt: skip
def test_compute_says_what_is_missing_or_impossible(numbers, words):
    with pytest.raises(ValueError, match=words):
        compute("posterior-variance", **numbers)


@settings(deadline=None, max_examples=30)
@example("sum(sum(beta[i] for i in 1..9**9) for j in 1..9)")
@example("sum(sum(i for i in 1..40) for j in 1..40)")
@example("+".join(["alpha_bar[t]"] * 140))
@given(st.text(alphabet="βt_[]()^*/+-123 .sqrtεᾱ", max_size=40))
def test_any_text_gets_a_verdict(text):
    assert check("forward-step", text).status in ("right", "wrong", "not understood")


# the tools of the oracles, by closed forms they do not use


def test_tools():
    assert abs(oracles.log_density(1.3, 0.4, 0.7) + 0.5 * math.log(2 * math.pi * 0.49) + 0.81 / 0.98) < 1e-12
    mean, var = oracles.walk([0, 0.36, 0.75], 2, mean=5.0, var=4.0)
    assert abs(mean - 5 * 0.4) < 1e-15 and abs(var - (4 * 0.16 + 0.84)) < 1e-15
    x, p = oracles.gaussian_grid(1.0, 0.5)
    assert abs(p @ x**4 - (1 + 6 * 0.25 + 3 * 0.0625)) < 1e-12
    assert abs(oracles.difference(math.exp, 1.0) - math.e) < 1e-10
    assert abs(oracles.limit(lambda n: (1 + 1 / n) ** n, 16) - math.e) < 1e-9
    assert abs(oracles.root(lambda x: x**3 - 2, 0, 2) - 2 ** (1 / 3)) < 1e-15
    mean, var = oracles.posterior([0, 0.05, 0.1, 0.2, 0.15], 4, 3, 1.7, 0.6)
    assert abs(mean - 0.921401) < 5e-7 and abs(var - 0.113235) < 5e-7
    assert oracles.posterior([0, 0.05], 1, 0, 1.7, 0.6) == (1.7, 0.0)
    mean, var = oracles.closer(lambda x: -((x - 3) ** 2) / (2 * 0.01**2), 0.0, 60.0)  # narrower than the first grid's cells
    assert abs(mean - 3) < 1e-12 and abs(var - 1e-4) < 1e-14
    assert abs(oracles.clean([0, 0.36, 0.75], 2, 0.4 * 5 + 2 * math.sqrt(0.84), 2.0) - 5) < 1e-12
    plus, minus = oracles.which([0, 0.36], 1, 0.45, (1, -1))  # log odds 2 * .8 * .45 / .36 = 2
    assert abs(plus - 1 / (1 + math.exp(-2))) < 1e-15 and abs(plus + minus - 1) < 1e-15


@pytest.mark.parametrize("t", [0.0, 0.3, 0.5, 0.7, 1.0])
def test_the_average_line_is_the_regression_of_x_1_minus_x_0_on_x_t(t):
    noise, data = np.array([1.0, 0.0]), np.array([0.0, 0.6])  # x_0 and x_1 - mean in independent unit Gaussians
    direction, at = data - noise, t * data + (1 - t) * noise
    slope = direction @ at / (at @ at)
    mean, var = oracles.line_velocity(1.9, t, 0.8, 0.6)
    assert abs(mean - (0.8 + slope * (1.9 - t * 0.8))) < 1e-12
    assert abs(var - (direction @ direction - slope**2 * (at @ at))) < 1e-12


def test_monte_carlo_bounds_hold_and_are_not_idle():
    rng = np.random.default_rng(0)
    for _ in range(200):
        z = 3 * rng.standard_normal(1000)
        mean, bound = oracles.mean_of(z, 3.0)
        assert abs(mean) <= bound <= 8 * 3 / math.sqrt(1000)
        var, bound = oracles.variance_of(z)
        assert abs(var - 9) <= bound <= 9  # 2 sqrt(28 / 999) + 2 * 28 / 999 = .39 of it, widened by 1 / (1 - .39)


def test_all_letters_have_a_meaning():
    assert all(meaning for _, meaning in LETTERS.values())
