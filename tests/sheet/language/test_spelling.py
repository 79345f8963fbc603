"""spelling: all spellings mean the same, typed, in Unicode, in LaTeX; a caret stands under what was typed."""

import math

import pytest
from formula_language import SCOPE, number

from minidiff.sheet.language import NOTATIONS, ExpressionError, parse

PAIRS = [
    ("beta[t]",
     ["beta_t", "β_t", r"\beta_t", r"\beta_{t}", "βₜ", "beta", "beta(t)", "beta[2]", "1 - alpha_t"]),
    ("alpha_bar[t-1]",
     ["ᾱ_{t-1}", r"\bar\alpha_{t-1}", r"\bar{\alpha}_{t-1}", r"\overline{\alpha}_{t-1}", "ᾱₜ₋₁", "ab_(t-1)",
      "alpha_bar_{t - 1}", r"\bar{\alpha_{t-1}}", "α̅_{t−1}", "alphabar[s]", "α_bar_s"]),
    ("eps_hat",
     [r"\epsilon_\theta(x_t, t)", "ε_θ", r"\hat\epsilon", "eps_theta", r"\boldsymbol{\epsilon}_\theta(x_t,t)",
      "ε̂", r"\epsilon_\theta^{(t)}(x_t)", r"\epsilon_\theta(x_t)"]),
    ("eps_hat * (x_t - x_0)", ["eps_hat (x_t - x_0)", r"\epsilon_\theta(x_t, t)(x_t - x_0)"]),
    ("log(8) / log(2)", ["log2(8)", "log_2 8", r"\log_{2}(8)", r"\log_2 8"]),
    ("1/2 * abs(x_t - x_0)", ["½|x_t - x_0|", r"\frac12\|x_t - x_0\|", "1/2 [|x_t - x_0|]"]),
    ("x_0", ["x0", "x₀", r"\mathbf{x}_0", "x_{0}", r"\mathbf{x_0}"]),
    ("x_s", ["x_{t-1}", "xₜ₋₁", r"\mathbf x_{t-1}"]),
    ("sigma**2 / 2",
     [r"\frac{\sigma_t^2}{2}", "σ²/2", r"\frac12\sigma^2", r"\dfrac12 \sigma^{2}", "0.5 σ^2", "σ·σ÷2"]),
    ("beta[tau[i]]", [r"\beta_{\tau_i}", "β_{τ_i}", "beta[tau_i]"]),
    ("abs(x_0 - x_t)**2", [r"\|x_0-x_t\|^2", "|x_0 − x_t|²", r"\lVert x_0 - x_t\rVert^2", "‖x_0-x_t‖^2"]),
    ("prod(alpha[i] for i in 1..t)",
     [r"\prod_{i=1}^t\alpha_i", r"\prod_{j=1}^{t} \alpha_j", "∏_{i=1}^t α_i", "alpha_bar_t"]),
    ("(1 - alpha_bar[t-1]) / (1 - alpha_bar[t]) * beta[t]",
     [r"\frac{1-\bar\alpha_{t-1}}{1-\bar\alpha_t}\beta_t",
      r"\tfrac{1-\bar\alpha_{t-1}}{1-\bar\alpha_t}\,\cdot\,\beta_t", "(1-ᾱ_{t-1})/(1-ᾱ_t) · β_t",
      r"$\frac{1 - \bar\alpha_{t-1}}{1 - \bar\alpha_t} \times \beta_t$"]),
    ("1/sqrt(alpha[t]) * (x_t - beta[t]/sqrt(1 - ab_t) * eps_hat) + sigma * z",
     [r"\frac1{\sqrt{\alpha_t}}\left(x_t-\frac{1-\alpha_t}{\sqrt{1-\bar\alpha_t}}"
      r"\epsilon_\theta(x_t,t)\right)+\sigma_tz",
      "1/√α_t (x_t − β_t/√(1−ᾱ_t) ε_θ(x_t, t)) + σ_t z"]),
]  # fmt: skip


@pytest.mark.parametrize(("plain", "others"), PAIRS, ids=[plain for plain, _ in PAIRS])
def test_every_spelling_means_the_same(plain, others):
    for text in others:
        assert math.isclose(number(text), number(plain), rel_tol=1e-12), text


@pytest.mark.parametrize(
    "text", ["a b + sigma_1 u", "ab + σ1 u", "ab + sigma1 u_t(x)", r"ab + \sigma_1 u_t(x_t)", "a b+σ₁u"]
)
def test_letters_that_are_typed_together(text):
    assert number(text, {"a": 2, "b": 3, "sigma_1": 5, "u": 7, "t": 1, "x": 11, "x_t": 13}) == 41


@pytest.mark.parametrize("word", ["bt", "at", "xt", "std(x)", "abs x", "ab"])
def test_torn_names_are_never_a_product_in_silence(word):
    scope = SCOPE | dict.fromkeys("abxdst", 2)
    if word == "abs x":
        assert number(word, scope) == 2
    else:
        with pytest.raises(ExpressionError, match="write|unknown name"):
            number(word, scope)


@pytest.mark.parametrize(
    ("text", "value"),
    [("tx_1", 35), ("u_1v_1", 6), (r"tu_1(x_1 - 1)", 60), ("2x_1t", 70), (r"\frac d2", 1.5), ("𝑥₁ + 𝑡", 12),
     ("np.sqrt(x_1 + 2)", 3), ("torch.sqrt(x_1+2)", 3), ("math.sqrt(x_1 + 2)", 3), ("X_1", 7),
     ("∏ᵢ₌₁ᵗ 2", 32)],
)  # fmt: skip
def test_letters_side_by_side_and_code(text, value):
    assert number(text, {"t": 5, "x_1": 7, "u_1": 2, "v_1": 3, "d": 3}) == value


def test_other_books_letters():
    assert number("alpha_t", notation="ddim") == number("alpha_bar[t]") != number("alpha_t")
    assert number(r"\sqrt{\alpha_{t-1}}", notation="ddim") == number("sqrt(alpha_bar[t-1])")
    assert number("z_t + x + z_{t-1}", notation="prince") == number("x_t + x_0 + x_s")
    assert set(NOTATIONS) == {"ddpm", "ddim", "prince"}
    with pytest.raises(ValueError, match="unknown notation 'mine'; known are ddpm, ddim, prince"):
        parse("1", SCOPE, "mine")


def test_the_caret_stands_under_what_was_typed():
    for text, wrong in (("ᾱ_t + foo", "f"), ("x" * 0 + "1 + " * 40 + "?", "?")):
        with pytest.raises(ExpressionError) as info:
            number(text)
        _, line, caret = str(info.value).split("\n")
        assert line[len(caret) - 1] == wrong
