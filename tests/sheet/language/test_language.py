"""language: Python's own arithmetic is the oracle, IEEE where it is undefined, fractions where they exist."""

import math
import re
from fractions import Fraction as F
from pathlib import Path

import pytest
from formula_language import SCOPE, number
from hypothesis import given, settings
from hypothesis import strategies as st

from minidiff.sheet.language import evaluate, intermediate, parse, show, used

# expressions in the common part of Python's language and ours, with Python's value; F() keeps Python's
# integers exact


atoms = st.sampled_from(
    ["x_0", "sigma", "eps", "2", "3", "0.5", "t", "beta[t]", "alpha_bar[t-1]", "beta[tau[i]-1]"]
)


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
    numbers = {k: F(v) for k, v in SCOPE.items() if k not in arrays}
    return eval(re.sub(r"(?<![\w.])\d+\.?\d*", r"F('\g<0>')", text), {"F": F, **numbers, **arrays})


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
        ("-2**2", -4), ("2**-1", F(1, 2)), ("2^3^2", 512), ("1/2 x_0", F(3, 4)), ("2 x_0 sigma", 9),
        ("2(1+2)", 6), ("floor(3.5)", 3), ("floor(-x_0)", -2), ("-x_0**2", F(-9, 4)), ("sqrt(4)", 2),
        ("√4", 2), ("√(9/4)", F(3, 2)), ("log 1", 0), ("exp 0", 1), ("|eps|", F(1, 2)), ("log(1)**2", 0),
        ("sqrt 4 ** 2", 4), ("sqrt(4) ** 2", 4), ("1e-2", F(1, 100)), (".5", F(1, 2)), ("5.", 5), ("+3", 3),
        ("sum(beta[i] for i in 1..t)", F(3, 10)), ("prod(alpha[j] for j in 1..3)", F(9, 25)),
        ("sum(i**2 for i in 1..4)", 30), ("sum(sum(j for j in 1..i) for i in 1..3)", 10),
        ("prod(alpha[i] for i in 3..1)", 1), ("sum(i for i in 2..1) + i", 1),
    ],
)  # fmt: skip
def test_worked_values_are_exact(text, value):
    got = number(text)
    assert got == value and isinstance(got, F)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1/0", math.inf), ("-1/0", -math.inf), ("0/0", math.nan), ("9**9**9**9", math.inf),
        ("exp(9**9)", math.inf), ("log 0", -math.inf), ("log(-1)", math.nan), ("sqrt(-1)", math.nan),
        ("0**-1", math.inf), ("(-8)**(1/3)", math.nan), ("sin(1/0)", math.nan), ("1/(1/0)", 0),
        ("(9**60)**60**-1", 9.0), ("exp(exp(exp(exp(9))))", math.inf),
    ],
)  # fmt: skip
def test_arithmetic_is_ieee_and_never_raises(text, value):
    got = number(text)
    assert got == value or math.isclose(got, value, rel_tol=1e-12) or (got != got and value != value)


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


def test_the_page_of_worked_numbers_is_right():
    """Each line of examples/from_elbo_to_l_simple.md, printed to 4 decimals: right to half of the last."""
    text = (Path(__file__).parents[3] / "examples" / "from_elbo_to_l_simple.md").read_text()
    beta, alpha_bar = (0.0, 0.1, 0.2, 0.4), [1.0]
    alpha = tuple(1 - b for b in beta)
    for a in alpha[1:]:
        alpha_bar.append(alpha_bar[-1] * a)
    scope = {"beta": beta, "alpha": alpha, "alpha_bar": tuple(alpha_bar)}
    scope |= {"x_0": 2.0, "eps": 0.5, "eps_hat": 0.3}
    lines = [line for block in re.findall(r"```numbers\n(.*?)```", text, re.S) for line in block.splitlines()]
    for line in lines:
        *name, expression, printed = line.split(" = ")
        value = float(evaluate(parse(expression, scope), scope))
        assert abs(value - float(printed)) <= 0.5e-4, line
        scope |= dict.fromkeys(name, value)
    assert len(lines) > 20
