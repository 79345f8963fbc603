"""A letter with its accents, its index and what it is asked: which letter in scope is it?"""

from collections.abc import Sized
from difflib import get_close_matches
from fractions import Fraction

from .functions import sigmoid
from .networks import asked
from .paste import group_end
from .spelling import INSTEAD, SPELLING

CONSTANTS = ("pi", "e")
TIMES = ("t", "s", "i", "j", "k", "T", "tau", "S")
AT = {
    "(t)": "f g b B x sigma sigma_t beta w",
    "(x)": "f p q",
    "(x,t)": "f",
    "(x_t,t)": "f x_0_hat",
    "(x_t)": "f x_0_hat x_hat",
}


def symbol(parser, token):
    """A name with its accent and index: a number of the scope, or an element of one of its arrays."""
    first, accent, braces = token, "", 0
    while token.kind == "accent":
        accent += f"_{token.text}"
        braces += bool(parser.take("{"))
        token = parser.take()
    if token.kind != "word":
        parser.fail("a name is missing here", token)
    index = parser.subscript()
    for _ in range(braces):
        parser.expect("}")
    if index and index[1] in ("bar", "hat", "tilde"):  # α_bar_t
        accent, index = f"_{index[1]}", None
    index = index or parser.subscript()
    node = _meant(parser, first, token.text, accent, index)
    _fail_where_an_index_is_lost(parser, first, token.text, index)
    return node


def _meant(parser, first, base, accent, index):
    names, sub = parser.names, (index[1] if index else "").replace("t-1", "s")
    whole = our_name(parser, base + accent)
    indexed = [f"{base}_{sub}{accent}", f"{base}{accent}_{sub}"]
    conditional = {"y": "c", "varnothing": "u", "emptyset": "u"}
    indexed += [f"{base}_{conditional[sub]}"] if sub in conditional else []
    for name in (our_name(parser, name) for name in indexed) if index else (whole,):
        if name in names and not isinstance(names[name], Sized):
            return _scalar(parser, name, first)
    if whole in names and isinstance(names[whole], Sized):
        return parser.node("index", (whole, parser.time_index(index) if index else _time(parser)), first)
    at_t = sub in ("t", *parser.each) and not whole[-1].isdigit()  # there is one t: sigma_t is sigma
    if whole in names and index and (at_t or whole in parser.asks):
        return _scalar(parser, whole, first, index)
    if whole == "sigma" and not index and parser.next.text == "(":
        return sigmoid(parser, parser.factor(), first)
    if whole == "SNR" and "alpha_bar" in names:
        share = parser.node(
            "index", ("alpha_bar", parser.time_index(index) if index else _time(parser)), first
        )
        noise = parser.node("-", (parser.node("number", (Fraction(1),), first), share), first)
        return parser.node("/", (share, noise), first)
    if whole in CONSTANTS and not index:
        power = [t.text for t in parser.tokens[parser.at : parser.at + 3] if t.text != "{"]
        if whole == "e" and {"eps", "eps_hat"} & set(names) and (power[:1] != ["**"] or power[1] == "2"):
            parser.fail("e may be Euler's number or the noise: write exp(1) or eps", first)
        return parser.node("name", (whole,), first)
    if whole == "I" and not index:  # the identity matrix behind a variance
        return parser.node("number", (Fraction(1),), first)
    typed = (
        base
        + accent
        + (f"_{index[1]}" if index and index[1].isalnum() else f"_{{{index[1]}}}" if index else "")
    )
    return parser.fail(f"unknown name {typed!r}{_way_out(base, typed, names)}", first)


def _way_out(base, typed, names):
    """What to type in place of an unknown name, in words; of many names in scope only the nearest."""
    if typed in ("eps_hat", "eps_theta") and "eps" in names:
        return "; here the noise is the true one: eps"
    if base in ("d", "dt", "dx", "dw", "dW") and ({*names} == {"f", "g", "score"} or {"b", "dt"} <= {*names}):
        return "; dw is sqrt(dt) z" if "dt" in names else "; a differential: type only the factor of dt"
    near = get_close_matches(typed, names, 5) if len(names) > 50 else names
    return f"; {'in scope' if near is names else 'near it'} are {', '.join(near)}" if near else ""


def our_name(parser, name):
    """Our name for a name of another spelling or book."""
    name = SPELLING.get(name, name)
    name = parser.rename.get(name, name)
    return next((n for n in (name, *INSTEAD.get(name, ())) if n in parser.names), name)


def _scalar(parser, name, token, index=None):
    """A number of the scope, a network's with what it is asked; that of f(x, t) or g(t) is what the letter means anyway."""
    if name in parser.asks:
        return asked(parser, name, token, index)
    inside = _bracket(parser)
    text = "".join(t.text for t in inside).translate({ord("{"): None, ord("}"): None})
    if f"({text})" in AT and name in AT[f"({text})"].split():
        parser.at += len(inside) + 2
    elif (
        len(inside) == 1
        and text not in parser.asks
        and inside[0].kind == "word"
        and text in ("t", "x", "x_t", "x_0", "z")
    ):
        parser.fail(
            f"{name}({text}) may be {name} * {text} or {name} at {text}: write the first with *, the second as {name}"
        )
    return parser.node("name", (name,), token)


def _bracket(parser):
    """The tokens in the round bracket that comes next; none where there is no such bracket."""
    start, end = parser.at + 1, group_end(parser.tokens, parser.at)
    return parser.tokens[start : end - 1] if parser.next.text == "(" and end <= len(parser.tokens) else []


def _time(parser):
    """The time of an array without an index below: [t-1], (t-1), or t; (1 - sigma) behind it is a factor."""
    inside = [t.text for t in _bracket(parser)]
    times = all(
        w in (*TIMES, "+", "-", "_", "[", "]", "{", "}") or w in parser.running or w.isdigit() for w in inside
    )
    if parser.next.text == "[" or (
        inside and times and (inside[0] in (*TIMES, *parser.running) or len(inside) == 1)
    ):
        return parser.factor()
    if "t" not in parser.names:
        parser.fail("an index is missing here, such as [i]")
    if inside and times:
        parser.fail(f"({' '.join(inside)}) may be an index or a factor: write [...] or * (...)")
    return parser.node("name", ("t",), parser.next)


def _fail_where_an_index_is_lost(parser, first, base, index):
    """Copied from a page, β_t is βt and x_{t-1} is x_t-1 or xt-1: asked about, never read as a product or a difference."""
    (_, later, at), text = parser.next, parser.text
    is_letter = base in ("alpha", "beta", "eps", "sigma", "mu", "x")
    if is_letter and not index and later in ("t", "T", "s") and "beta" in parser.names:
        parser.fail(f"it may be {base}_{later} or {base} * {later}: write one of them", first)
    one = parser.tokens[parser.at + 1 : parser.at + 2]
    shifted = later in ("-", "+") and one and one[0].text == "1" and one[0].position == at + 1
    if shifted and base not in TIMES and text[at - 1] in "t𝑡" and "t" in parser.names:
        typed = text[first.position : at]
        name = typed.removesuffix("t").removesuffix("_")
        parser.fail(f"it may be {name}[t{later}1] or {typed} {later} 1: write one of them", first)
