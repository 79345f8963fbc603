"""parser: what is not understood is one line and a caret, and nothing typed breaks it."""

from fractions import Fraction as F

import pytest
from formula_language import number
from hypothesis import example, given, settings
from hypothesis import strategies as st

from minidiff.sheet.language import ExpressionError


@pytest.mark.parametrize(
    ("text", "position", "words"),
    [
        ("", 0, "the formula is empty"), (" \t", 0, "the formula is empty"), ("1 +", 3, "is missing"),
        ("(1", 2, r"expected '\)', found the end"), ("1)", 1, "is not exp"),
        ("foo + 1", 0, "unknown name 'foo'; in scope are beta"), ("1 + gamma_t", 4, "unknown name 'gamma_t'"),
        ("2 3", 2, "two numbers"), ("1 § 2", 2, "the character '§' is not understood"),
        ("beta[t+2]", 0, r"beta\[4\] does not exist: indices are 0..3"),
        ("1 + beta[-1]", 4, "does not exist"), ("beta[1/2]", 0, "does not exist"),
        ("sum(beta)", 0, "write sum"), ("sum(i for i in 1..x_0)", 0, "whole numbers"),
        ("sum(beta[i] for 2 in 1..t)", 16, "name of an index"),
        ("sum(i for i in 1..99999)", 4, "more than 20000 operations"), ("9" * 50, 0, "too long"),
        ("1e999", 0, "too long"), ("(" * 60 + "1" + ")" * 60, 40, "more than 40 brackets"),
        ("-" * 60 + "1", 40, "more than 40"), ("+".join("1" * 300), 299, "more than 150 operations"),
        ("1" * 2001, 0, "may have 2000 characters"), ("x_0.__class__", 3, "character '.'"),
        ("__import__('os')", 11, "character"), ("\\bar", 4, "a name is missing"),
        ("\\hat{(x_0)}", 5, "a name is missing"),
        ("x_t = 2 x_0 = x_s", 14, "two right sides: give one of them, 2 x_0 or x_s"),
        ("1 + \\mathbb{E}[x_0]", 4, "an expectation cannot be typed"),
        ("\\nabla x_0", 0, "a gradient cannot"), ("x_0^{(i)}", 4, "a power or a label"),
        ("x_0^T z", 4, "a power or a transpose"), ("(2)^1/2", 4, "write brackets"),
        ("x_0/2sigma", 5, "it may be"), ("\\prod_{j=1}^t 1-\\beta_j", 15, "does the prod end here"),
    ],
)  # fmt: skip
def test_what_is_not_understood_is_one_line_and_a_caret(text, position, words):
    with pytest.raises(ExpressionError, match=words) as info:
        number(text)
    assert info.value.position == position
    lines = str(info.value).split("\n")
    if info.value.text:
        assert len(lines) == 3 and lines[2].strip() == "^"


pieces = st.sampled_from(
    "\\text{if} \\mathbf{ \\over \\sin^2 min( √1 σ' : = where a= \\sum^t_{i=1} \\nabla\\log p 𝑥𝑡 ᵢ₌ at bt "
    "x_t-1 alpha_bar β_t x_0 t T [ ] ( ) { } _ ^ ** * / + - | .. sqrt √ log \\frac \\sqrt \\bar \\hat "
    "\\sum_{i=1}^ sum( for i in 1 9 99 ² ⁻ ₜ ₋ ̄ . , = \\left( \\right) \\epsilon_\\theta e pi exp abs "
    "prod \\ $ é".split(" ")
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
@given(
    st.one_of(
        st.text(max_size=60),
        st.lists(pieces, max_size=40).map("".join),
        st.lists(pieces, max_size=30).map(" ".join),
    )
)
def test_nothing_that_is_typed_ends_in_a_traceback_or_hangs(text):
    try:
        value = number(text)
        assert isinstance(value, float | F)
    except ExpressionError as error:
        assert 0 <= error.position <= len(text) and str(error)
