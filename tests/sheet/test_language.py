"""The language of formulas: Python's own arithmetic is the oracle, every spelling means the same, nothing typed breaks it."""

import math
import re
from fractions import Fraction as F

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from minidiff.sheet.language import NOTATIONS, ExpressionError, evaluate, intermediate, parse, show, used

SCOPE = {
    "beta": (0, F(1, 10), F(1, 5), F(1, 2)), "alpha": (1, F(9, 10), F(4, 5), F(1, 2)),
    "alpha_bar": (1, F(9, 10), F(18, 25), F(9, 25)), "tau": (0, 2, 3), "T": 3, "t": 2, "i": 1, "s": 1, "x_0": F(3, 2),
    "x_t": F(1, 3), "x_s": F(7), "eps": F(-1, 2), "eps_hat": F(2, 7), "sigma": F(3), "z": F(5), "mu_1": F(11),
}  # fmt: skip


def number(text, scope=SCOPE, notation="ddpm"):
    return evaluate(parse(text, scope, notation), scope)


# expressions in the common part of Python's language and ours, with Python's value; F() keeps Python's integers exact
atoms = st.sampled_from(["x_0", "sigma", "eps", "2", "3", "0.5", "t", "beta[t]", "alpha_bar[t-1]", "beta[tau[i]-1]"])
trees = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from([" + ", "-", "*", " / "]), inner).map("".join),
        inner.map(lambda a: f"({a})"),
        inner.map(lambda a: f"-{a}"),
        st.tuples(atoms, st.sampled_from(["**2", "**-1", "**2**2", "**0"])).map("".join),
        inner.map(lambda a: f"abs({a})"),
    ),
    max_leaves=12,
)


class Array(tuple):
    """Indexed by a whole Fraction as well."""

    def __getitem__(self, i):
        return super().__getitem__(int(i))


def python(text):
    """The same text by Python's own parser, every number a Fraction."""
    arrays = {k: Array(v) for k, v in SCOPE.items() if isinstance(v, tuple)}
    return eval(re.sub(r"(?<![\w.])\d+\.?\d*", r"F('\g<0>')", text), {"F": F, **SCOPE, **arrays})


@settings(deadline=None, max_examples=300)
@given(trees)
def test_precedence_and_arithmetic_are_pythons(text):
    try:
        expected = python(text)
    except ZeroDivisionError:
        assert not math.isfinite(number(text)) or "abs" in text or "/" in text
        return
    got = number(text)
    assert got == expected or (isinstance(got, float) and math.isclose(got, expected, rel_tol=1e-9))


@settings(deadline=None, max_examples=200)
@given(trees)
def test_what_is_shown_reads_back_as_the_same(text):
    tree = parse(text, SCOPE)
    again = parse(show(tree.root), SCOPE)
    assert show(again.root) == show(tree.root)
    a, b = evaluate(tree, SCOPE), evaluate(again, SCOPE)
    assert a == b or (a != a and b != b)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("-2**2", -4), ("2**-1", F(1, 2)), ("2^3^2", 512), ("1/2 x_0", F(3, 4)), ("2 x_0 sigma", 9), ("2(1+2)", 6),
        ("floor(3.5)", 3), ("floor(-x_0)", -2),
        ("-x_0**2", F(-9, 4)), ("sqrt(4)", 2), ("√4", 2), ("√(9/4)", F(3, 2)), ("log 1", 0), ("exp 0", 1), ("|eps|", F(1, 2)),
        ("log(1)**2", 0), ("sqrt 4 ** 2", 4), ("sqrt(4) ** 2", 4), ("1e-2", F(1, 100)), (".5", F(1, 2)), ("5.", 5), ("+3", 3),
        ("sum(beta[i] for i in 1..t)", F(3, 10)), ("prod(alpha[j] for j in 1..3)", F(9, 25)), ("sum(i**2 for i in 1..4)", 30),
        ("sum(sum(j for j in 1..i) for i in 1..3)", 10), ("prod(alpha[i] for i in 3..1)", 1), ("sum(i for i in 2..1) + i", 1),
    ],
)  # fmt: skip
def test_worked_values_are_exact(text, value):
    got = number(text)
    assert got == value and isinstance(got, F)


PAIRS = [
    ("beta[t]", ["beta_t", "β_t", r"\beta_t", r"\beta_{t}", "βₜ", "beta", "beta(t)", "beta[2]", "1 - alpha_t"]),
    ("alpha_bar[t-1]", ["ᾱ_{t-1}", r"\bar\alpha_{t-1}", r"\bar{\alpha}_{t-1}", r"\overline{\alpha}_{t-1}", "ᾱₜ₋₁", "ab_(t-1)",
                        "alpha_bar_{t - 1}", r"\bar{\alpha_{t-1}}", "α̅_{t−1}", "alphabar[s]", "α_bar_s"]),
    ("eps_hat", [r"\epsilon_\theta(x_t, t)", "ε_θ", r"\hat\epsilon", "eps_theta", r"\boldsymbol{\epsilon}_\theta(x_t,t)", "ε̂",
                 r"\epsilon_\theta^{(t)}(x_t)", r"\epsilon_\theta(x_t)"]),
    ("eps_hat * (x_t - x_0)", ["eps_hat (x_t - x_0)", r"\epsilon_\theta(x_t, t)(x_t - x_0)"]),
    ("log(8) / log(2)", ["log2(8)", "log_2 8", r"\log_{2}(8)", r"\log_2 8"]),
    ("1/2 * abs(x_t - x_0)", ["½|x_t - x_0|", r"\frac12\|x_t - x_0\|", "1/2 [|x_t - x_0|]"]),
    ("x_0", ["x0", "x₀", r"\mathbf{x}_0", "x_{0}", r"\mathbf{x_0}"]),
    ("x_s", ["x_{t-1}", "xₜ₋₁", r"\mathbf x_{t-1}"]),
    ("sigma**2 / 2", [r"\frac{\sigma_t^2}{2}", "σ²/2", r"\frac12\sigma^2", r"\dfrac12 \sigma^{2}", "0.5 σ^2", "σ·σ÷2"]),
    ("beta[tau[i]]", [r"\beta_{\tau_i}", "β_{τ_i}", "beta[tau_i]"]),
    ("abs(x_0 - x_t)**2", [r"\|x_0-x_t\|^2", "|x_0 − x_t|²", r"\lVert x_0 - x_t\rVert^2", "‖x_0-x_t‖^2"]),
    ("prod(alpha[i] for i in 1..t)", [r"\prod_{i=1}^t\alpha_i", r"\prod_{j=1}^{t} \alpha_j", "∏_{i=1}^t α_i", "alpha_bar_t"]),
    ("(1 - alpha_bar[t-1]) / (1 - alpha_bar[t]) * beta[t]",
     [r"\frac{1-\bar\alpha_{t-1}}{1-\bar\alpha_t}\beta_t", r"\tfrac{1-\bar\alpha_{t-1}}{1-\bar\alpha_t}\,\cdot\,\beta_t",
      "(1-ᾱ_{t-1})/(1-ᾱ_t) · β_t", r"$\frac{1 - \bar\alpha_{t-1}}{1 - \bar\alpha_t} \times \beta_t$"]),
    ("1/sqrt(alpha[t]) * (x_t - beta[t]/sqrt(1 - ab_t) * eps_hat) + sigma * z",
     [r"\frac1{\sqrt{\alpha_t}}\left(x_t-\frac{1-\alpha_t}{\sqrt{1-\bar\alpha_t}}\epsilon_\theta(x_t,t)\right)+\sigma_tz",
      "1/√α_t (x_t − β_t/√(1−ᾱ_t) ε_θ(x_t, t)) + σ_t z"]),
]  # fmt: skip


@pytest.mark.parametrize(("plain", "others"), PAIRS, ids=[plain for plain, _ in PAIRS])
def test_every_spelling_means_the_same(plain, others):
    for text in others:
        assert math.isclose(number(text), number(plain), rel_tol=1e-12), text


@pytest.mark.parametrize("text", ["a b + sigma_1 u", "ab + σ1 u", "ab + sigma1 u_t(x)", r"ab + \sigma_1 u_t(x_t)", "a b+σ₁u"])
def test_letters_that_are_typed_together(text):
    assert number(text, {"a": 2, "b": 3, "sigma_1": 5, "u": 7, "t": 1, "x": 11, "x_t": 13}) == 41


def test_other_books_letters():
    assert number("alpha_t", notation="ddim") == number("alpha_bar[t]") != number("alpha_t")
    assert number(r"\sqrt{\alpha_{t-1}}", notation="ddim") == number("sqrt(alpha_bar[t-1])")
    assert number("z_t + x + z_{t-1}", notation="prince") == number("x_t + x_0 + x_s")
    assert set(NOTATIONS) == {"ddpm", "ddim", "prince"}
    with pytest.raises(ValueError, match="unknown notation 'mine'; known are ddpm, ddim, prince"):
        parse("1", SCOPE, "mine")


@pytest.mark.parametrize(
    ("text", "position", "words"),
    [
        ("", 0, "is missing"), ("1 +", 3, "is missing"), ("(1", 2, r"expected '\)', found the end"), ("1)", 1, "is not exp"),
        ("foo + 1", 0, "unknown name 'foo'; in scope are beta"), ("1 + gamma_t", 4, "unknown name 'gamma_t'"),
        ("2 3", 2, "two numbers"), ("1 § 2", 2, "the character '§' is not understood"),
        ("beta[t+2]", 0, r"beta\[4\] does not exist: indices are 0..3"), ("1 + beta[-1]", 4, "does not exist"),
        ("beta[1/2]", 0, "does not exist"), ("sum(beta)", 0, "write sum"), ("sum(i for i in 1..x_0)", 0, "whole numbers"),
        ("sum(beta[i] for 2 in 1..t)", 16, "name of an index"), ("sum(i for i in 1..99999)", 4, "more than 20000 operations"),
        ("9" * 50, 0, "too long"), ("1e999", 0, "too long"), ("(" * 60 + "1" + ")" * 60, 40, "more than 40 brackets"),
        ("-" * 60 + "1", 40, "more than 40"), ("+".join("1" * 300), 299, "more than 150 operations"),
        ("1" * 2001, 0, "may have 2000 characters"), ("x_0.__class__", 3, "character '.'"),
        ("__import__('os')", 11, "character"), ("\\bar", 4, "a name is missing"), ("\\hat{(x_0)}", 5, "a name is missing"),
        ("x_t = 2 x_0", 4, "the right side only"), ("1 + \\mathbb{E}[x_0]", 4, "an expectation cannot be typed"),
        ("\\nabla x_0", 0, "a gradient cannot"),
    ],
)  # fmt: skip
def test_what_is_not_understood_is_one_line_and_a_caret(text, position, words):
    with pytest.raises(ExpressionError, match=words) as info:
        number(text)
    assert info.value.position == position
    lines = str(info.value).split("\n")
    if info.value.text:
        assert len(lines) == 3 and lines[2].strip() == "^"


def test_the_caret_stands_under_what_was_typed():
    for text, wrong in (("ᾱ_t + foo", "f"), ("x" * 0 + "1 + " * 40 + "?", "?")):
        with pytest.raises(ExpressionError) as info:
            number(text)
        _, line, caret = str(info.value).split("\n")
        assert line[len(caret) - 1] == wrong


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1/0", math.inf), ("-1/0", -math.inf), ("0/0", math.nan), ("9**9**9**9", math.inf), ("exp(9**9)", math.inf),
        ("log 0", -math.inf), ("log(-1)", math.nan), ("sqrt(-1)", math.nan), ("0**-1", math.inf), ("(-8)**(1/3)", math.nan),
        ("sin(1/0)", math.nan), ("1/(1/0)", 0), ("(9**60)**60**-1", 9.0), ("exp(exp(exp(exp(9))))", math.inf),
    ],
)  # fmt: skip
def test_arithmetic_is_ieee_and_never_raises(text, value):
    got = number(text)
    assert got == value or math.isclose(got, value, rel_tol=1e-12) or (got != got and value != value)


def test_a_part_that_is_infinite_makes_no_number_where_that_is_asked_for():
    tree = parse("1/(1/0)", SCOPE)
    assert evaluate(tree, SCOPE) == 0 and math.isnan(evaluate(tree, SCOPE, finite=True))


def test_fractions_stay_exact_and_floats_stay_floats():
    assert number("sqrt(0.64) * x_0") == F(6, 5)
    assert isinstance(number("sqrt(2)"), float) and isinstance(number("x_0", SCOPE | {"x_0": 1.5}), float)
    assert number("3**-40 * 3**40") == 1


def test_names_and_steps_of_an_expression():
    tree = parse("sqrt(alpha_bar[t-1]) * x_0 + sum(beta[k] for k in 1..T) + pi", SCOPE)
    assert used(tree.root) == {"alpha_bar", "t", "x_0", "beta", "T", "pi"}
    steps = intermediate(parse("(1 - beta_t) x_0 + (1 - beta_t)", SCOPE), SCOPE)
    assert steps == [("beta[t]", F(1, 5)), ("1 - beta[t]", F(4, 5)), ("(1 - beta[t]) * x_0", F(6, 5)),
                     ("(1 - beta[t]) * x_0 + (1 - beta[t])", 2)]  # fmt: skip


pieces = st.sampled_from(
    "alpha_bar β_t x_0 t T [ ] ( ) { } _ ^ ** * / + - | .. sqrt √ log \\frac \\sqrt \\bar \\hat \\sum_{i=1}^ sum( for i in "
    "1 9 99 ² ⁻ ₜ ₋ ̄ . , = \\left( \\right) \\epsilon_\\theta e pi exp abs prod \\ $ é".split(" ")
)


@settings(deadline=None, max_examples=600)
@example("\\bar" * 400)
@example("(" * 2000)
@example("√" * 1999)
@example("2**" * 600 + "2")
@example("sum(sum(sum(i for i in 1..99) for j in 1..99) for k in 1..99)")
@example("sum(prod(9**64 for i in 1..99) for k in 1..99)")
@example("|" * 1000)
@example("x_" * 900)
@example("₋" * 900)
@example("beta[" * 300)
@example("sum(" * 300)
@given(st.one_of(st.text(max_size=60), st.lists(pieces, max_size=40).map("".join), st.lists(pieces, max_size=30).map(" ".join)))
def test_nothing_that_is_typed_ends_in_a_traceback_or_hangs(text):
    try:
        value = number(text)
        assert isinstance(value, float | F)
    except ExpressionError as error:
        assert 0 <= error.position <= len(text) and str(error)
