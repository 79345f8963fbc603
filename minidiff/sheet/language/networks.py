"""What a network is asked: eps_theta(x_t, t), eps_theta^{(t)}(x_t) and u_t(x) name a place and a time."""

import re

from .paste import depths, group_end

NETWORKS = (
    "eps_hat",
    "eps_u",
    "eps_c",
    "score",
    "u",
)  # the letters that may have arguments, unless an entry says which
PLACES = (
    "x x_t x_tilde x_s x_0 x_1 eps t s T".split()
)  # known where a network is asked, whatever else is in scope
PLACE = re.compile(r"\((?:hat|bar|tilde)?\{*(?:x|z(?=\}*_))\}*(?:_\{?\w+(?:-1)?\}*)?\)")  # (x), (x_{t-1})


def asked(parser, name, token, index):
    """The Node of a network's letter, name alone where nothing stands behind it; index is its subscript: u_t is u at t."""
    names, parser.names = parser.names, dict.fromkeys(PLACES, 1) | parser.names
    place, time = None, parser.time_index(index) if index else None
    if [t.text for t in parser.tokens[parser.at : parser.at + 3]] == [
        "**",
        "{",
        "(",
    ]:  # the DDIM paper's eps_theta^{(t)}
        parser.at += 1
        time = parser.factor()
    if _are_arguments(parser):
        parser.take("(")
        place = parser.expression()
        if parser.take(","):
            if time:
                parser.fail(f"the time of {name} is given twice", token)
            time = parser.expression()
        parser.expect(")")
    given = [type(parser)(text, parser.names, "ddpm", {}).expression() for text in parser.asks[name]] or (
        None,
        None,
    )
    parser.names = names
    if place is time is None:
        return parser.node("name", (name,), token)
    return parser.node("asked", (name, place, given[0], time, given[1]), token)


def _are_arguments(parser):
    """(x_t, t) and (x_t) behind a network are what it is asked; (x_t - x_0) is a factor."""
    inside = parser.tokens[parser.at : group_end(parser.tokens, parser.at)]
    text, comma = (
        "".join(t.text for t in inside),
        any(t.text == "," and d == 1 for t, d in zip(inside, depths(inside))),
    )
    return text.startswith("(") and (comma or bool(PLACE.fullmatch(text)))
