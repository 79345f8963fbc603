r"""A function and its argument: in brackets, or what print means by \log 2\pi\sigma^2."""

import re
from fractions import Fraction

from .spelling import FUNCTIONS

SPACES = ("\\,", "\\;", "\\:", "\\ ", "\\quad")


def function(parser, token):
    r"""A function with its base, root or power: \log_2 x, \sqrt[3]{x}, \sin^2 x."""
    name = token.text
    if name in ("min", "max"):
        parser.expect("(")
        a = parser.group(",")
        return parser.node("call", (name, a, parser.group(")")), token)
    if name == "sqrt" and parser.take("["):
        root = parser.group("]")
        one = parser.node("number", (Fraction(1),), token)
        return parser.node("**", (parser.factor(), parser.node("/", (one, root), token)), token)
    base = parser.factor() if name == "log" and parser.take("_") else None
    power = parser.factor() if parser.take("**") else None
    if power and power.op == "neg":
        parser.fail(f"it may be 1/{name} or the inverse function: write 1/{name}(...)", token)
    bracket = parser.next.text in ("(", "{", "[")
    inside = parser.factor() if bracket else _unbracketed(parser, token)
    call = sigmoid(parser, inside, token) if name == "sigmoid" else parser.node("call", (name, inside), token)
    if base:
        call = parser.node("/", (call, parser.node("call", ("log", base), token)), token)
    return parser.node("**", (call, power), token) if power else call


def sigmoid(parser, inside, token):
    """1 / (1 + exp(-x)) as a Node."""
    one, down = parser.node("number", (Fraction(1),), token), parser.node("neg", (inside,), token)
    return parser.node(
        "/", (one, parser.node("+", (one, parser.node("call", ("exp", down), token)), token)), token
    )


def _unbracketed(parser, token):
    r"""The argument of a function without brackets: a factor; \log 2\pi\sigma^2 and \cos\omega(m-n) are of the product."""
    name, start = token.text, parser.next
    inside = parser.expression(4)
    if name == "sqrt":  # in what is copied from a page the line above is lost
        goes_on = parser.touches() or parser.next.text in ("+", "-")
        if goes_on and start.kind == "number" and parser.text[token.position] == "√":
            parser.fail(
                f"where does the root end? write √({start.text}) or √({start.text}{parser.next.text} ...)",
                start,
            )
        return inside
    if start.text == "frac":
        return inside
    while start.text != "sqrt" and parser.begins_factor() and parser.next.text not in FUNCTIONS - {"sqrt"}:
        angle = name in ("sin", "cos") and parser.next.text in ("(", "t", "m", "n", "k")
        if not (angle or start.kind == "number" or start.text == "pi") or parser.text[
            : parser.next.position
        ].endswith(SPACES):
            parser.fail(
                f"it may be of the product, {name}(a b), or of its first factor, {name}(a) b: write brackets"
            )
        inside = parser.node("*", (inside, parser.expression(4)), token)
    if parser.next.text == "/" and parser.tokens[parser.at + 1].text not in FUNCTIONS - {"sqrt"}:
        divided, below = parser.take(), parser.expression(4)
        one, other = (
            re.split("_|$", str(n.args[0]))[0] if n.op in ("name", "index") else "" for n in (inside, below)
        )
        if not one or one != other:  # log sigma_2/sigma_1 is the logarithm of a ratio
            parser.fail(f"it may be {name}(a / b) or {name}(a) / b: write brackets", divided)
        inside = parser.node("/", (inside, below), divided)
    return inside
