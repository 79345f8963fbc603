r"""What stands around a formula that is pasted whole, and phrases of print that are one letter here.

A left side (x_t =), a condition (, where ...) and the sentence's full stop are cut off; \nabla\log p_t(x) is the letter score.
"""

import re
from typing import NamedTuple

from .spelling import RELATIONS, UNREAD, WORDS, ExpressionError, Token

CONDITIONS = ("for", "if", "where", "with", "when", "and", "at")
OPENING, CLOSING = ("(", "[", "{"), (")", "]", "}")
GROUP = r"(?:\{ (?:[^{}]|\{[^{}]*\})* \}|\S+)"  # behind _: one sign or a group
GRADIENT = rf"nabla (?:_ {GROUP} )?"
LOG_P = rf"{GRADIENT}log (?:tilde )?[pq] (?:_ (?:t|sigma|theta|\{{ (?:t|sigma|theta|sigma _ t) \}}) )?"
PLACE = r"(?:tilde )?(?:\{ )?(?:x|x_t|x_tilde)(?: \})?(?: _ (?:t|\{ t \}))?"
NETWORK = r"(?:eps_hat|eps _ (?:theta|\{ theta \}))"
PHRASES = [(letter, re.compile(r"(?<!\S)" + pattern + r"(?!\S)")) for letter, pattern in (
    ("score", rf"{LOG_P}(?:\( {PLACE}(?: [,;] (?:t|sigma))? \)|(?! \())"),
    ("g", rf"{LOG_P}\( y \| {PLACE}(?: [,;] t)? \)"),
    ("g", rf"{GRADIENT}log p _ {GROUP} \( y \| {PLACE}(?: [,;] t)? \)"),
    ("dp", rf"{GRADIENT}p(?: \( x \))?"),
    ("B", r"int _ (?:0|\{ 0 \}) \*\* (?:t|\{ t \}) beta (?:\( \w \)|_ \w|_ \{ \w \}) (?:d \w|d\w)"),
    ("b", r"beta (?:\( t \)|_ t|_ \{ t \})"),
    ("dsigma", r"frac \{ d sigma(?: _ (?:t|\{ t \}))? \} \{ (?:d t|dt) \}"),
    ("dt", r"(?:Delta|d) t"),
    ("eps_c", rf"{NETWORK} \( [^(),]* ,(?: t ,)? [cy] \)"),
    ("eps_u", rf"{NETWORK} \( [^(),]*(?: ,(?: t ,)? (?:varnothing|emptyset)| , t)? \)"),
)]  # fmt: skip
CONTAINED = {"g": "w", "b": "x b", "dt": "dt"}  # g is the classifier's gradient only beside a guidance weight


class Pasted(NamedTuple):
    """The tokens of the formula alone, what stood before its =, and whether that is more than one letter: 1/v = ..."""

    tokens: list
    left: str = ""
    indirect: bool = False


def formula(tokens, text, names):
    """The Pasted formula. Raises ExpressionError where it is not clear which part is the formula, or one cannot be read."""

    def fail(message, token):
        raise ExpressionError(message, text, token.position)

    end, tokens = tokens[-1], phrases(ordered(tokens[:-1]), names)
    outside = [k for k, depth in enumerate(depths(tokens)) if depth == 0]
    for k in outside:
        begins = tokens[k].text.split()[0] in CONDITIONS
        if tokens[k].kind == "text" and not begins:
            fail(f"the words {tokens[k].text!r} are not understood", tokens[k])
        if begins or (tokens[k].text in (",", ";") and any(t.text in (*RELATIONS, *CONDITIONS, "=") for t in tokens[k:])):
            tokens = tokens[:k]
            break
    while tokens and tokens[-1].text in (".", ",", ";"):
        tokens.pop()
    equals = [k for k in outside if k < len(tokens) and tokens[k].text == "="]
    parts = [tokens[a + 1 : b] for a, b in zip([-1, *equals], [*equals, len(tokens)])]
    formulas = [p for p in parts[1:] if p and not _is_statement(p, names)] or parts[-1:]
    if len(formulas) > 1:
        first, second = (text[p[0].position : p[-1].position + len(p[-1].text)].strip() for p in formulas[:2])
        fail(f"two right sides: give one of them, {first[:30]} or {second[:30]}", formulas[1][0])
    left = text[tokens[0].position : tokens[equals[0]].position].strip(" \t\n&:") if equals else ""
    chosen = formulas[0]
    if equals and not chosen:
        fail("the right side is missing", end)
    for token in chosen:
        if token.kind == "unread":
            what = f"{UNREAD[token.text]} cannot be typed, only what it comes to" if token.text in UNREAD else ""
            fail(what or f"the character {token.text!r} is not understood", token)
        if token.text in (".", ";"):
            fail(f"the character {token.text!r} is not understood", token)
    return Pasted([*chosen, end], left, bool(equals) and not _one_quantity(parts[0]))


def depths(tokens):
    """How many brackets each token stands in; a bracket itself counts as inside."""
    depth, found = 0, []
    for token in tokens:
        depth += token.text in OPENING
        found.append(depth)
        depth -= token.text in CLOSING
    return found


def _is_statement(part, names):
    """E[x_1 - x_0 | x_t] or an integral in a chain of = is no formula."""
    named = len(part) > 1 and part[0].kind == "word" and part[0].text not in {*names, *WORDS} - {"min", "max"}
    return any(t.kind == "unread" for t in part) or (named and part[1].text in OPENING)


def _one_quantity(part):
    r"""Is it one letter, with accents, index and arguments, or a derivative? 1/v, v^2 and \log v are not."""
    words = [t.text for t in part]
    if words[:2] == ["frac", "{"] and words[2:3] in (["d"], ["partial"], ["dx"]):
        return True
    outside = [t for t, depth in zip(part, depths(part)) if depth == 0]
    return not any(t.kind == "number" or t.text in ("+", "-", "*", "/", "**", "frac", "sqrt", "log", "exp", "|") for t in outside
                   if not (t.text in "log" and "nabla" in words))  # fmt: skip


def phrases(tokens, names):
    """Phrases of print as the letter in scope that they are: the score, a gradient, beta(t)."""
    for letter, pattern in PHRASES:
        if letter not in names or not set(CONTAINED.get(letter, "").split()) <= set(names) or (letter == "b" and "beta" in names):
            continue
        joined, starts = "", {}
        for k, token in enumerate(tokens):
            starts[len(joined)] = k
            joined += token.text + " "
        for m in reversed(list(pattern.finditer(joined))):
            first, last = starts[m.start()], starts.get(m.end() + 1, len(tokens))
            tokens = [*tokens[:first], Token("word", letter, tokens[first].position), *tokens[last:]]
    return tokens


def ordered(tokens):
    r"""An index stands before a power and at its letter: sigma^2_t, \prod^t_{s=1} and {\bar\alpha}_{t-1} as usually written."""
    found, k = [], 0
    while k < len(tokens):
        if tokens[k].text == "_" and found:
            index = _group(tokens, k + 1)
            power = next((p for p in range(len(found) - 1, -1, -1) if found[p].text == "**"), None)
            if power is not None and _group(found, power + 1) == len(found):
                found[power:power] = tokens[k:index]
                k = index
                continue
            if found[-1].text == "}":
                opening = max((p for p, t in enumerate(found) if t.text == "{"), default=0)
                before = found[opening - 1] if opening else None
                inside = found[opening + 1 : -1]
                alone = [t.kind for t in inside] in (["word"], ["accent", "word"])
                if alone and not (before and (before.kind == "accent" or before.text in ("_", "**", "frac", "sqrt", "}", "]"))):
                    found[opening:] = inside
        found.append(tokens[k])
        k += 1
    return found


def _group(tokens, start):
    """Where the sign or the group ends that starts there."""
    depth = 0
    for k in range(start, len(tokens)):
        depth += (tokens[k].text in OPENING) - (tokens[k].text in CLOSING)
        if depth <= 0:
            return k + 1
    return len(tokens)
