"""typeset: what is drawn is what was meant."""

import re

import pytest
from matplotlib.mathtext import MathTextParser

from minidiff.cli.typeset import formula, words
from minidiff.sheet import SHEET

DRAW = MathTextParser("path")


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("the share alpha_bar[t - 1] of x_0", r"the share $\bar\alpha_{t{-}1}$ of $x_{0}$"),
        ("q(x_{t-1} | x_t, x_0)", "q($x_{t{-}1}$ | $x_{t}$, $x_{0}$)"),
        ("x_0_hat from eps_hat, mu_theta", r"$\hat{x}_0$ from $\hat\epsilon$, $\mu_{\theta}$"),
        ("sigma_1^2 and sigma**2, z**2", r"$\sigma_{1}^2$ and $\sigma^2$, z²"),
        ("for N(mu, sigma^2) data", "for N($\\mu$,\xa0$\\sigma^2$) data"),
        ("sqrt(1 - a) * -2 >= 3", "√(1 − a) · −2 ≥ 3"),
        ("t = 4; S = 2", "$t$\xa0=\xa04; S\xa0=\xa02"),
        (
            "beta-tilde, no metadata, ddim-eta, alpha-bar, eta_x",
            r"$\tilde\beta$, no metadata, ddim-eta, alpha-bar, $\eta_{x}$",
        ),
        (r"$\beta_t - x_0$ is set already", r"$\beta_t - x_0$ is set already"),
    ],
)
def test_words(typed, written):
    assert words(typed) == written == words(written)


def test_all_that_entries_say_can_be_drawn():
    said = {words(text) for f in SHEET for text in (f.title, f.why, f.measured, *(why for _, why in f.wrong))}
    letters = {word for text in said for word in text.split() if "$" in word}
    assert len(letters) > 100 and all(text.count("$") % 2 == 0 for text in said)
    DRAW.parse(" ".join(sorted(letters)))


def wide(latex):
    """The width of mathematics in units of its size."""
    return DRAW.parse(latex, 7200).width / DRAW.parse("$M$", 7200).width


@pytest.mark.parametrize(
    ("latex", "close"),
    [
        (r"a\tanh(x)", r"$a\mathrm{tanh}(x)$"),  # atanh is another function
        (r"d \log x", r"$d\mathrm{log}\,x$"),
        (r"a\log_2 x", r"$a\mathrm{log}_2\,x$"),
        (r"\sigma_1\exp(x)", r"$\sigma_1\mathrm{exp}(x)$"),
        (r"-\frac{a}{b}", r"$-\dfrac{a}{b}$"),  # the minus would lengthen the bar
        (r"\sum_{t=2}^T x_t", r"$\sum_{t=2}^T x_t$"),
        (r"\frac{1}{2}\sum_{i=1}^d x", r"$\dfrac{1}{2}\sum_{i=1}^d\,x$"),
        (r"\int p", r"$\int p$"),
        (r"\sqrt{a}\left(x\right)", r"$\sqrt{a}\left(x\right)$"),
    ],
)
def test_what_would_run_together_is_apart(latex, close):
    """By a thin space, 1/6 of the width of an M or so; a tenth is asked."""
    assert wide(formula(latex)) > wide(close) + 0.1


def test_marks_and_indices_are_close():
    assert wide(formula("x_{1:T}")) < wide("$x_{1:T}$") - 0.1
    assert wide(formula("x_{t-1}")) < wide("$x_{t-1}$") - 0.1
    assert wide(formula("x^*(t)")) < wide("$x^*(t)$") - 0.1
    assert wide(formula("x'=y")) < wide("$x'=y$") and formula(r"\frac{a}{b}") == r"$\dfrac{a}{b}$"
    for f in SHEET:
        assert not re.search(r"\\q?quad\w", f.latex), "LaTeX would take the letter for a part of the name"
