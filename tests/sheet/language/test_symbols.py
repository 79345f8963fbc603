"""symbols: which letter is meant, with accents, index and arguments; an index that may be lost is asked."""

import pytest
from formula_language import SCOPE

from minidiff.sheet.language import ExpressionError, parse, show

SCOPE = SCOPE | {"x": 4, "f": 6, "g": 8, "eps_u": 9, "eps_c": 10, "d": 3, "mu": 2}


@pytest.mark.parametrize(
    ("text", "read"),
    [
        (r"\frac{\beta}{2\alpha(1-\bar\alpha)}", "beta[t] / (2 * alpha[t] * (1 - alpha_bar[t]))"),
        ("1 + ᾱ(σ²−1)", "1 + alpha_bar[t] * (sigma**2 - 1)"), ("alpha_bar(t-1)", "alpha_bar[t - 1]"),
        (r"\beta(t)", "beta[t]"), ("alpha(i)", "alpha[i]"), ("g(t)^2", "g**2"), ("g^2(t)", "g**2"),
        ("f(x,t)", "f"), (r"\mathbf{f}(\mathbf{x}, t)", "f"), (r"\sigma^2_t", "sigma**2"),
        ("σ²ₜ", "sigma**2"), (r"{\bar\alpha}_{t-1}", "alpha_bar[t - 1]"),
        (r"\epsilon_\theta(\mathbf{x}_t)", "eps_hat(x_t)"),
        (r"\epsilon_\varnothing + \epsilon_y", "eps_u + eps_c"),
        (r"\mathrm{SNR}(t)", "alpha_bar[t] / (1 - alpha_bar[t])"),
        (r"(1-\bar\alpha_t)\mathbf{I}", "(1 - alpha_bar[t]) * 1"),
        (r"\sum_{j=1}^d\mu_j^2", "sum(mu**2 for j in 1..d)"), ("abar[t-1]", "alpha_bar[t - 1]"),
        ("a_bar_t", "alpha_bar[t]"), ("alphas_cumprod[t] + betas[t]", "alpha_bar[t] + beta[t]"),
        (r"e^{-\sigma}", "e**-sigma"), (r"\hat\epsilon_\theta", "eps_hat"),
        (r"\boldsymbol\epsilon_{\boldsymbol\theta}", "eps_hat"),
    ],
)  # fmt: skip
def test_a_letter_is_what_print_means(text, read):
    assert show(parse(text, SCOPE).root) == read


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("alpha_bar_t-1", r"alpha_bar\[t-1\] or alpha_bar_t - 1"),
        (r"\bar\alpha_t-1", "- 1: write one of them"), ("x_t−1", "- 1"), ("βt", r"beta_t or beta \* t"),
        ("ᾱt−1", r"alpha_t or alpha \* t"), ("2e + x_0", "Euler's number or the noise"),
        ("e^2", "Euler's number or the noise"), ("alpha(1-t)", "an index or a factor"),
        ("x_0(x_t)", r"x_0 \* x_t or x_0 at x_t"),
    ],
)  # fmt: skip
def test_what_may_be_another_letter_is_asked_about(text, words):
    with pytest.raises(ExpressionError, match=words):
        parse(text, SCOPE)
