"""paste: left sides, conditions, environments, phrases of print; what is left out is known, doubts asked."""

import pytest
from formula_language import SCOPE

from minidiff.sheet.language import ExpressionError, parse, show

SCOPE = SCOPE | {"score": 4, "x": 5, "dt": 6}


@pytest.mark.parametrize(
    "text",
    [
        r"x_t = 2 x_0", r"x_t &= 2 x_0 \\", "x_t := 2 x_0", "2 x_0.", "2 x_0,", r"$2 x_0$", r"\( 2 x_0 \)",
        r"\[ 2 x_0 \]", r"\begin{aligned} x_t &= 2 x_0 \end{aligned}",
        r"\begin{equation}\label{eq:a} x_t = 2 x_0. \end{equation}", r"2 x_0 \tag{3}",
        r"2 x_0,\quad\text{where}\quad x_0\sim q", r"2 x_0 \quad\text{for } t > 1",
        r"2\,\mathbf{x}_0 \quad\text{if } t > 1", r"\Bigl(2 x_0\Bigr)", r"\left. 2 x_0 \right.",
        r"{4 x_0 \over 2}", r"2\odot\mathbf x_0", r"c x_0, \quad c = 2", r"x_t = 2 x_0: \quad 2 x_0",
        r"x_t \leftarrow 2 x_0", r"\|2 x_0\|_2^2 / (2 x_0)", r"x_t = \mathbb{E}[x_t|x_0] = 2 x_0",
    ],
)  # fmt: skip
def test_what_stands_around_a_formula_is_left_out(text):
    from minidiff.sheet.language import evaluate

    assert evaluate(parse(text, SCOPE), SCOPE) == 3


def test_what_is_left_out_is_known_and_so_is_whether_it_is_one_letter():
    for text, left, indirect in (
        ("2 x_0", "", False),
        (r"\hat{x}_0(x_t) = 2 x_0", r"\hat{x}_0(x_t)", False),
        (r"\frac{1}{v} = 2", r"\frac{1}{v}", True),
        (r"\sigma_t^2 = 2", r"\sigma_t^2", True),
        (r"\nabla_x\log p(x) = 2", r"\nabla_x\log p(x)", False),
        (r"\frac{dx}{dt} = 2", r"\frac{dx}{dt}", False),
        (r"\log\sigma = 2", r"\log\sigma", True),
    ):
        tree = parse(text, SCOPE)
        assert (tree.left, tree.indirect) == (left, indirect)


@pytest.mark.parametrize(
    "text",
    [
        r"\nabla\log p_t(x)",
        r"\nabla_x\log p(x)",
        r"\nabla_{\mathbf{x}_t}\log p_t(\mathbf{x}_t)",
        r"∇ log p",
        r"\nabla_x\ln q(x_t)",
    ],
)
def test_the_score_is_read_where_it_is_a_letter(text):
    assert show(parse(text, SCOPE).root) == "score"


@pytest.mark.parametrize(
    ("text", "position", "words"),
    [
        ("x_t = 2 x_0 = x_s", 14, "two right sides"), ("x_t =", 5, "the right side is missing"),
        ("x_0, x_t", 3, "',' is not expected"),
        (r"2 \text{or so} x_0", 2, "the words 'or so' are not"), (r"\nabla\log p(x|y)", 0, "a gradient"),
        ("x_0'", 3, "character"),
        (r"\nabla\log p_{t-1}(x)", 0, "a gradient"), (r"x_t = \mathbb{E}[x_0]", 6, "an expectation"),
    ],
)  # fmt: skip
def test_what_is_doubtful_is_asked_about_at_its_place(text, position, words):
    with pytest.raises(ExpressionError, match=words) as info:
        parse(text, SCOPE)
    assert info.value.position == position
