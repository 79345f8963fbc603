"""networks: what a network is asked is read, and asked elsewhere it answers another number."""

import pytest
from formula_language import SCOPE

from minidiff.sheet.language import ExpressionError, evaluate, parse, show

ASKS = {"eps_hat": ("x_t", "t"), "u": ("x_t", "t")}
CASE = {**SCOPE, "x": SCOPE["x_t"], "x_s": 9, "eps_hat": 3, "u": 5}


def read(text):
    """(as it is shown, its number)"""
    tree = parse(text, CASE, asks=ASKS)
    again = parse(show(tree.root), CASE, asks=ASKS)
    assert show(again.root) == show(tree.root) and evaluate(again, CASE) == evaluate(tree, CASE)
    return show(tree.root), evaluate(tree, CASE)


@pytest.mark.parametrize(
    ("text", "shown"),
    [(r"\epsilon_\theta(x_t,t)", "eps_hat(x_t, t)"), (r"\epsilon_\theta^{(t)}(x_t)", "eps_hat(x_t, t)"),
     ("eps_hat_t", "eps_hat_{t}"), (r"\epsilon_{\theta}(\mathbf{x}_t, t)", "eps_hat(x_t, t)"),
     ("eps_hat(x_t + 0, 2 t - t)", "eps_hat(x_t + 0, 2 * t - t)"),
     ("eps_theta(x_t)", "eps_hat(x_t)"), ("ε_θ", "eps_hat"), (r"\epsilon_\theta^{(t)}", "eps_hat_{t}")],
)  # fmt: skip
def test_asked_where_its_letter_says_a_network_answers_its_letter(text, shown):
    assert read(text) == (shown, 3)


@pytest.mark.parametrize(
    ("text", "shown"),
    [("eps_theta(x_{t-1}, t-1)", "eps_hat(x_s, t - 1)"), ("u_t(x_0)", "u(x_0, t)"),
     ("u(x_0, 0)", "u(x_0, 0)"), ("u_s(x)", "u(x, s)"), ("eps_theta(x_t, t-1)", "eps_hat(x_t, t - 1)"),
     (r"\epsilon_\theta(\alpha_t x_0, t)", "eps_hat(alpha[t] * x_0, t)"),
     (r"\epsilon_\theta^{(t-1)}(x_t)", "eps_hat(x_t, t - 1)"), ("u_{t-1}", "u_{t - 1}")],
)  # fmt: skip
def test_asked_elsewhere_it_answers_another_number(text, shown):
    assert read(text)[0] == shown and read(text)[1] not in (3, 5)


def test_a_difference_behind_a_network_is_a_factor():
    assert read("eps_hat(x_t - x_0)") == read("eps_hat * (x_t - x_0)")
    assert read(r"\epsilon_\theta(x_t, t)(x_t - x_0)")[0] == "eps_hat(x_t, t) * (x_t - x_0)"


@pytest.mark.parametrize(
    ("text", "position", "words"),
    [("eps_theta(garbage, drop table)", 10, "unknown name 'garbage'"),
     ("eps_theta(x_t, t, t)", 16, r"expected '\)', found ','"),
     (r"\epsilon_\theta^{(t)}(x_t, t)", 0, "the time of eps_hat is given twice"),
     ("eps_theta(x_t, )", 15, "is missing")],
)  # fmt: skip
def test_what_is_asked_has_to_be_understood(text, position, words):
    with pytest.raises(ExpressionError, match=words) as info:
        read(text)
    assert info.value.position == position
