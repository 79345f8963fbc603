"""functions: which part of a product is a function's argument, as print means it."""

import math

import pytest
from formula_language import SCOPE, number

from minidiff.sheet.language import ExpressionError, parse, show

SCOPE = SCOPE | {"omega": 2, "m": 3, "n": 5, "sigma_1": 2, "sigma_2": 7, "mu_2": 13}


@pytest.mark.parametrize(
    ("text", "read"),
    [
        (r"\log 2\pi\sigma^2", "log(2 * pi * sigma**2)"),
        (r"\log\sigma_2/\sigma_1", "log(sigma_2 / sigma_1)"), (r"\cos\omega(m-n)", "cos(omega * (m - n))"),
        (r"\sin\omega t", "sin(omega * t)"), (r"\sin^2 x_0", "sin(x_0)**2"),
        (r"\sin\frac{\pi t}{2}\,x_0", "sin(pi * t / 2) * x_0"), (r"\log\sigma^2", "log(sigma**2)"),
        ("log(sigma)^2", "log(sigma)**2"), (r"\log(2)/\log(3)", "log(2) / log(3)"),
        (r"\log 8/\log 2", "log(8) / log(2)"), (r"\log_2 8", "log(8) / log(2)"),
        (r"\sin\omega m\cos\omega n", "sin(omega * m) * cos(omega * n)"), (r"\sqrt[3]{x_0}", "x_0**(1 / 3)"),
        (r"\exp\left\{-x_0\right\}", "exp(-x_0)"), ("max(x_0, 1) - min(x_0, 1)", "max(x_0, 1) - min(x_0, 1)"),
        (r"\mathrm{sigmoid}(x_0)", "1 / (1 + exp(-x_0))"), ("√ᾱ_t x_0", "sqrt(alpha_bar[t]) * x_0"),
    ],
)  # fmt: skip
def test_the_argument_is_what_print_means(text, read):
    assert show(parse(text, SCOPE).root) == read


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (r"\log\sigma x_0", r"log\(a b\), or of its first factor"),
        (r"\log 2\,x_0", "or of its first factor"), (r"\log\sigma/x_0", r"log\(a / b\) or log\(a\) / b"),
        ("√1 − ᾱ_t ε", r"write √\(1\) or √\(1- ...\)"), ("√2σ", r"write √\(2\) or √\(2sigma ...\)"),
        (r"\sin^{-1} x_0", "1/sin or the inverse function"), ("min(x_0)", "expected ','"),
    ],
)  # fmt: skip
def test_two_usual_readings_are_asked_about(text, words):
    with pytest.raises(ExpressionError, match=words):
        parse(text, SCOPE)


def test_functions_have_their_values():
    assert math.isclose(number(r"\sqrt[3]{27}"), 3, rel_tol=1e-12)
    assert number("min(2, 3) + 10 max(2, 3)") == 32
    assert math.isclose(number(r"\operatorname{sigmoid}(0)"), 0.5) and number(r"\lfloor 7/2 \rfloor") == 3
