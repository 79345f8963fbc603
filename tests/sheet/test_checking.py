"""check and equal: a student's own version is judged rightly."""

import contextlib
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
from minidiff.sheet.checking import check, close, equal
from minidiff.sheet.entry import random_case, round_cases
from minidiff.sheet.language import ExpressionError, evaluate, parse, show
from minidiff.sheet.verdict import Verdict
from minidiff.sheet.version import agree, version_of

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
        ways = [
            f"({args[0]}) * (({args[1]})**-1)",
            f"\\frac{{{args[0]}}}{{{args[1]}}}",
            f"(1/({args[1]}))·({args[0]})",
        ]
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


def test_only_where_the_right_answer_is_not_finite_a_case_is_skipped():
    """The precision of the posterior is infinite at t = 1, and its variance 1/inf = 0."""
    verdict = check("posterior-precision", "alpha[t]/beta[t] + 1/(1-alpha_bar[t-1])")
    assert verdict and verdict.exit_status == 0
    assert re.search(r"equal on \d+ random schedules; \d+ more \(t = 1\) skipped", str(verdict))
    assert verdict.data["equal"] + verdict.data["skipped"] == 200 and verdict.data["skipped"] > 10
    assert check("posterior-variance", "1/(alpha[t]/beta[t] + 1/(1-alpha_bar[t-1]))").data["equal"] == 200


def only_first(alpha_bar, beta, t):
    """Right at t = 1, no number elsewhere."""
    return 0.0 if t == 1 else math.nan


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [("posterior-variance", r"\frac{1-\bar\alpha_{1-t}}{1-\bar\alpha_t}\beta_t",
      "alpha_bar[-1] does not exist: indices are 0..2"),
     ("gaussian-score", r"\left(\mu-x\right)/\sigma^2 + 0*\sqrt{x}", "nan, which is no number"),
     ("gaussian-score", r"sqrt((\mu-x)/\sigma^2)^2", "nan, which is no number"),
     ("forward-closed-form", r"\sqrt{\bar\alpha_t}x_0+\sqrt{1-\bar\alpha_t}\epsilon + 0*log(eps)",
      "nan, which is no number"),
     ("posterior-variance", only_first, "nan, which is no number"),
     ("snr", "1e300*1e300", "inf, which is no number")],
)  # fmt: skip
def test_what_gives_no_number_where_the_right_answer_has_one_is_wrong(name, text, words):
    verdict = check(name, text)
    assert verdict.status == "wrong" and f"yours           {words}" in str(verdict), verdict


@pytest.mark.parametrize(
    "entry", [f for f in EXPRESSIONS if "alpha_bar[t-1]" in f.answer], ids=lambda f: f.name
)
def test_an_index_that_is_turned_round_is_wrong(entry):
    verdict = check(entry.name, entry.answer.replace("alpha_bar[t-1]", r"\bar\alpha_{1-t}"))
    assert verdict.status == "wrong" and "alpha_bar[-1] does not exist" in str(verdict)


def test_an_index_that_is_no_whole_number_is_not_understood():
    verdict = check("posterior-variance", "beta[1-alpha_bar[t-1]]*42")
    assert verdict.exit_status == 2 and "does not exist: an index is a whole number\n  beta[" in str(verdict)
    assert verdict.data["position"] == 0
    assert not check("posterior-variance", "beta(1-alpha_bar[t-1])*42")


STEP = r"\frac{1}{\sqrt{\alpha_t}}(x_t - \frac{1-\alpha_t}{\sqrt{1-\bar\alpha_t}}%s) + \sigma_t z"


@pytest.mark.parametrize(
    ("name", "text", "asked", "given"),
    [("ddpm-step", STEP % "eps_theta(x_{t-1}, t-1)", "x_s", "x_t"),
     ("ddpm-step", STEP % "eps_theta(x_t, t-1)", "t - 1", "t"),
     ("ddpm-step", STEP % r"\epsilon_\theta(\alpha_t x_0 + \beta_t \epsilon, t)",
      "alpha[t] * x_0 + beta[t] * eps", "x_t"),
     ("ddpm-step", STEP % r"\epsilon_\theta^{(t-1)}(x_t)", "t - 1", "t"),
     ("reverse-sde", r"f - g^2 s_\theta(x_0, T-t)", "x_0", "x_t"),
     ("flow-euler-step", "x_t + h u(x_0, 0)", "x_0", "x_t"),
     ("tweedie-ve", r"x_tilde + sigma^2 s_\theta(x, sigma)", "x", "x_tilde"),
     ("cfg", "eps_u(x_t, t) + w(eps_c(x_t, t-1) - eps_u(x_t, t))", "t - 1", "t")],
)  # fmt: skip
def test_a_network_that_is_asked_elsewhere_is_wrong_and_named(name, text, asked, given):
    verdict = check(name, text)
    assert verdict.status == "wrong"
    assert f"is asked at {asked}; it is given {given}" in verdict.data["misconception"]
    assert verdict.data["misconception"] in str(verdict)


@pytest.mark.parametrize(
    ("name", "text"),
    [("ddpm-step", STEP % network) for network in
     (r"\epsilon_\theta(\sqrt{\bar\alpha_t} x_0 + \sqrt{1-\bar\alpha_t} \epsilon, t)",
      r"\epsilon_\theta^{(t)}(x_t)", r"\epsilon_\theta(x_t)", r"\epsilon_\theta(x, t)", r"\epsilon_\theta",
      r"\epsilon_\theta(x_t, t)")]
    + [("reverse-sde", r"f - g^2 s_\theta(x, t)"), ("reverse-sde", r"f - g^2 s_\theta(x_t, t)"),
       ("score-from-velocity", "(t u_t(x) - x)/(1-t)"),
       ("flow-euler-step", "x_t + h u(t x_1 + (1-t) x_0, t)"),
       ("ddpm-last-step", r"(x_1 - \sqrt{\beta_1} \epsilon_\theta(x_1, 1))/\sqrt{\alpha_1}"),
       ("cfg", "eps_u(x_t, t) + w(eps_c(x_t, t) - eps_u(x_t, t))")],
)  # fmt: skip
def test_a_network_that_is_asked_where_it_is_given_is_right(name, text):
    assert (verdict := check(name, text)), verdict


def test_a_network_asked_for_nonsense_is_not_understood():
    verdict = check("ddpm-step", STEP % "eps_theta(garbage, drop table)")
    assert verdict.exit_status == 2 and "unknown name 'garbage'" in str(verdict)
    assert (STEP % "eps_theta(").index("eps_theta(") + 10 == verdict.data["position"]


def test_a_circle_is_no_explanation():
    for text in ("alpha_bar[t]", "alpha_bar[t-1] * alpha[t]", lambda alpha_bar, t: alpha_bar[t]):
        verdict = check("alpha-bar", text)
        assert verdict.status == "wrong" and "uses alpha_bar, which it should explain" in str(verdict)
    # the velocity, without the score
    marginal = "mu + (t*sigma^2 - (1-t))/((t*sigma)^2 + (1-t)^2) * (x - t*mu)"
    verdict = check("velocity-from-score", marginal)
    assert verdict.status == "wrong" and "does not use score" in str(verdict) and "read as" in str(verdict)
    assert check("marginal-velocity-gaussian", marginal)
    for idle in ("0*score", "(score - score)", "0*score/2"):
        assert "does not use score" in str(check("velocity-from-score", f"{marginal} + {idle}"))

    def given(t, x, score, mu, sigma):
        return mu + (t * sigma**2 - (1 - t)) / ((t * sigma) ** 2 + (1 - t) ** 2) * (x - t * mu)

    assert "does not use score" in str(check("velocity-from-score", given))


def test_a_formula_that_is_right_but_for_a_gap_is_told_where_the_gap_is():
    """Weng's mean of the posterior is 0/0 where x_0 is known: 1/(1 - alpha_bar_0) is infinite in it twice."""
    above = "sqrt(alpha[t])/beta[t]*x_t + sqrt(alpha_bar[t-1])/(1 - alpha_bar[t-1])*x_0"
    verdict = check("posterior-mean", f"({above}) / (alpha[t]/beta[t] + 1/(1 - alpha_bar[t-1]))")
    assert verdict.status == "wrong" and "; t = 1; " in str(verdict)
    said = (
        r"why +it agrees wherever it is finite, on 1\d\d of 200 random schedules; "
        r"elsewhere \(t = 1\) it is nan \(0/0"
    )
    assert re.search(said, str(verdict))
    gap = check("forward-closed-form", "sqrt(alpha_bar[t])*x_0 + sqrt(1 - alpha_bar[t])*eps + 0*beta[t+1]")
    assert not gap and "agrees wherever" not in str(gap) and "does not exist" in str(gap)  # an index, no 0/0


@pytest.mark.parametrize("entry", EXPRESSIONS, ids=lambda f: f.name)
def test_no_letter_alone_is_right_unless_it_is_the_answer(entry):
    rng, right = np.random.default_rng(1), version_of(entry.answer, next(round_cases(entry)))
    cases = [random_case(entry, rng) for _ in range(20)]
    for k in entry.scope:
        for text in (
            (f"{k}[t]", f"{k}[t-1]", f"{k}[T]", f"{k}[tau[i]]") if isinstance(cases[0][k], tuple) else (k,)
        ):
            with contextlib.suppress(ExpressionError):  # no t, T or tau
                if all(agree(version_of(text, cases[0]).real(c), right.real(c)) for c in cases):
                    assert text == entry.answer or not check(entry.name, text), text


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


@pytest.mark.parametrize("entry", EXPRESSIONS, ids=lambda f: f.name)
def test_a_small_mistake_is_seen(entry):
    """1e-9 of the number; and the answer itself is known well enough to see it."""
    verdict = check(entry.name, f"({entry.answer})*(1+1e-9)")
    assert verdict.status == "wrong" and "off by          1.0e-09" in str(verdict)
    assert check(entry.name, entry.answer)


def test_rounding_is_no_mistake():
    """Fractions have none; adding and taking away 100 roots loses 1e-14, of 1e20 nothing would be left."""
    assert check("snr", "alpha_bar[t]/(1-alpha_bar[t]) + 1e30 - 1e30")
    assert check("posterior-variance", "beta[t]*(1 - alpha_bar[t-1])/(1 - alpha_bar[t])")
    std = "sqrt(1 - alpha_bar[t])"
    assert check("forward-closed-form-std", f"{std} + 100 sqrt(2) - 100 sqrt(2)")
    assert check("forward-closed-form-std", f"({std}**50)**(1/50)")
    assert check("forward-closed-form-std", f"exp(log({std}))")
    verdict = check("forward-closed-form-std", f"2*{std} + 1e20*sqrt(2) - 1e20*sqrt(2)")
    assert verdict.exit_status == 2 and "rounding in your formula hides" in str(verdict)
    f = lambda alpha_bar, t: math.sqrt(1 - alpha_bar[t])  # noqa: E731
    assert check("forward-closed-form-std", f)
    assert not check("forward-closed-form-std", lambda alpha_bar, t: f(alpha_bar, t) * (1 + 1e-9))


def test_every_verdict_says_how_the_formula_was_read():
    for text in ("ab_t/(1-ab_t)", "ab_t/(1-ab_s)", "0/0"):
        assert f"read as {check('snr', text).data['read']}" in str(check("snr", text))
    assert "read as alpha_bar[t] / (1 - alpha_bar[t])" in str(
        check("snr", r"\frac{\bar\alpha_t}{1-\bar\alpha_t}")
    )
    assert "read as 1e+300 * beta[t]" in str(check("snr", "1e300 beta"))
    assert "1.00000001" in str(check("snr", "1.00000001"))


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
        (max, "the arguments of max have no names"),
        (None, "a formula is an expression or a function of the letters, got None"),
    ):
        verdict = check("alpha-bar", f)
        assert verdict.exit_status == 2 and words in str(verdict)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1 +", "missing"),
        ("foo", "unknown name"),
        ("sum(1 for k in 1..10**6)", "operations"),
        ("", "the formula is empty"),
    ],
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
    assert equal(
        "1/(alpha[t]/beta[t] + 1/(1-alpha_bar[t-1]))", r"\frac{1-\bar\alpha_{t-1}}{1-\bar\alpha_t}\beta_t"
    )
    assert equal("x_t", "√(ᾱ_t) x_0 + √(1-ᾱ_t) ε") and equal("beta[tau[i]]", "1 - alpha[tau_i]")
    verdict = equal("x_t", "sqrt(ab_t) x_0 + (1-ab_t) eps")
    assert verdict.exit_status == 1 and "the other line" in str(verdict) and "x_0 = 2" in str(verdict)
    assert equal(r"\alpha_t", "x / x * alpha_t", notation="prince")
    for text in ("2ab", "a b + ab"):  # alpha_bar_t, or a times b?
        assert equal(text, "2 a b").exit_status == 2 and "write one of them" in str(equal(text, "2 a b"))
    assert equal("2ba", "2*a*b") and equal("ab_t", "alpha_bar[t]") and equal("ab[t]", "alpha_bar_t")
    assert equal("f - g^2 score", "f - g*g*score")
    assert equal("1/(1 + exp(r_l - r_w))", "exp(r_w)/(exp(r_w) + exp(r_l))")
    assert not equal("mu_1 + omega_1 m", "mu_1 + omega_2 m") and not equal("1e300*1e300", "1e300*1e300")
    assert not equal("eps_theta(x_s, s)", "eps_theta(x_t, t)")
    assert equal("eps_theta(x_{t-1}, t-1)", "eps_theta(x_s, s)")
    assert not equal("x_0", "exp(log(x_0))") and not equal("exp(log(x_0))", "x_0")  # no number where x_0 < 0
    square = str(equal("(a+b)^2", "a^2 + b^2"))
    assert square.count("read as") == 2 and "other t" not in square  # nothing here depends on t


def test_checking_loads_neither_numba_nor_matplotlib():
    code = (
        "import sys, minidiff; minidiff.check('snr', '1'); "
        "assert not {'numba', 'matplotlib'} & set(sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@settings(deadline=None, max_examples=30)
@example("sum(sum(beta[i] for i in 1..9**9) for j in 1..9)")
@example("sum(sum(i for i in 1..40) for j in 1..40)")
@example("+".join(["alpha_bar[t]"] * 140))
@given(st.text(alphabet="βt_[]()^*/+-123 .sqrtεᾱ", max_size=40))
def test_any_text_gets_a_verdict(text):
    assert check("forward-step", text).status in ("right", "wrong", "not understood")


def test_the_other_lines_gap_is_named_and_no_index_slips_where_there_is_none():
    for left, right in (
        (r"\log x^2", r"2 \log x"),
        ("log(a*b)", "log(a)+log(b)"),
        ("log(x)", "log(x)+0*log(x-1)"),
    ):
        verdict = equal(left, right)
        why, count = verdict.data["misconception"], verdict.data["equal"]
        read = show(parse(right, {"x": 1, "a": 1, "b": 1}).root)
        assert not verdict and count < 200
        agrees = f"equal wherever both are numbers ({count} of 200); elsewhere `{read}` is nan (e.g. at "
        assert why.startswith(agrees) and re.match(r"(x|a) = \S+", why.removeprefix(agrees))
    assert "(e.g. at x = -1)" in str(equal(r"\log x^2", r"2 \log x"))
    assert "one step early" in str(equal("beta[t-1]", "beta[t]"))


def test_of_many_names_only_the_nearest_are_listed():
    assert str(equal("foo", "bar")).splitlines()[0] == "unknown name 'foo'"
    assert (
        str(equal("x", "omega_7"))
        .splitlines()[0]
        .startswith("unknown name 'omega_7'; near it are omega_2, omega_1,")
    )
    assert "in scope are f, g, score" in str(check("pf-ode", "f + foo"))


@pytest.mark.parametrize(
    "typed", (r"f\,dt", r"f + \mathrm{d}t", r"f + d\mathbf{x}", "f + g dw", "f dt", r"f + g d\bar{w}")
)
def test_a_differential_is_not_asked_for(typed):
    for name in ("reverse-sde", "pf-ode"):
        assert "a differential: type only the factor of dt" in str(check(name, typed))


def test_near_misses_get_a_way_out():
    for dw in ("dw", r"\mathrm{d}\mathbf{w}", r"d\mathbf{w}"):
        assert "dw is sqrt(dt) z" in str(check("vp-sde", f"x - b*x/2*dt + sqrt(b)*{dw}"))
    for eps in ("eps_theta", r"\epsilon_\theta(x_t,t)", "eps_hat"):
        typed = f"(x_t - beta[t]/sqrt(1-alpha_bar[t])*{eps})/sqrt(alpha[t])"
        assert "here the noise is the true one: eps" in str(check("posterior-mean-eps", typed))


@pytest.mark.parametrize("name, typed, why", (
    ("posterior-mean-eps", "(x_t - sqrt(1-alpha_bar[t])*eps)/sqrt(alpha[t])",
     "that removes all of the noise, as for x_0"),
    ("ddpm-step", "(x_t - (1-alpha[t])/sqrt(1-alpha[t])*eps_hat)/sqrt(alpha[t]) + sigma*z",
     "the noise of all t steps"),
    ("posterior-variance", "(1-alpha_bar[t-1])/1-alpha_bar[t]*beta[t]",
     "a bracket is missing: / takes only the 1"),
))  # fmt: skip
def test_misconceptions_of_the_posterior(name, typed, why):
    assert why in check(name, typed).data["misconception"]


@pytest.mark.parametrize("entry", EXPRESSIONS, ids=lambda f: f.name)
def test_two_wrong_versions_are_two_functions(entry):
    """Or two ways to write one mistake, with the same words."""
    rng = np.random.default_rng(3)
    cases = [random_case(entry, rng) for _ in range(20)]
    numbers = [[version_of(wrong, cases[0]).value(c) for c in cases] for wrong, _ in entry.wrong]
    for i, (_, why) in enumerate(entry.wrong):
        for j in range(i):
            same = np.allclose(numbers[i], numbers[j], rtol=1e-9, atol=0, equal_nan=True)
            assert not same or why == entry.wrong[j][1]
