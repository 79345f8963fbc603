r"""What stands around a formula that is pasted whole, and phrases of print that are one letter here.

A left side (x_t =), a condition (, where ...) and the sentence's full stop are cut off; \nabla\log p_t(x) is the letter score.
"""

import re

from .spelling import LENGTH, RELATIONS, SPELLING, UNREAD, WORDS, ExpressionError, Token

CONDITIONS = ("for", "if", "where", "with", "when", "and", "at")
OPENING, CLOSING = ("(", "[", "{"), (")", "]", "}")
GROUP = r"(?:\{ (?:[^{}]|\{[^{}]*\})* \}|\S+)"  # behind _: one sign or a group
GRADIENT = rf"nabla (?:_ {GROUP} )?"
LOG_P = rf"{GRADIENT}log (?:tilde )?[pq](?: _ (?:t|sigma|theta|\{{ sigma _ t \}}))?"
X_T = r"(?:x_t|x _ t)"
PLACE = rf"(?:(?:tilde )?(?:\{{ x \}}|x)|x_tilde|{X_T})"
NETWORK = r"(?:eps_hat|eps _ theta)"
PHRASES = [(letter, re.compile(r"(?<!\S)" + pattern + r"(?!\S)")) for letter, pattern in (
    ("score", rf"{LOG_P}(?: \( {PLACE}(?: [,;] (?:t|sigma))? \)|(?! \(| _))"),
    ("g", rf"(?:{LOG_P}|{GRADIENT}log p _ {GROUP}) \( y \| {PLACE}(?: [,;] t)? \)"),
    ("dp", rf"{GRADIENT}p(?: \( x \))?"),
    ("B", r"int _ 0 \*\* t beta (?:\( \w \)|_ \w) (?:d \w|d\w)"),
    ("b", r"beta (?:\( t \)|_ t)"),
    ("dsigma", r"frac \{ d sigma(?: _ t)? \} \{ (?:d t|dt) \}"),
    ("dt", r"(?:Delta|d) t"),
    ("u_h", rf"u _ \{{ t \+ h \}} \( {X_T} \+ h u _ t \( {X_T} \) \)"),
    ("u_m", rf"u _ \{{ t \+ h / 2 \}} \( {X_T} \+ (?:h / 2|frac \{{ h \}} \{{ 2 \}}) u _ t \( {X_T} \) \)"),
    ("nll", r"- log p \( x \)"),
    ("L", r"log p \( x \)"),
    ("x_hat", r"(?:E|mathbb \{ E \}|mathbb E) \[ x \| (?:tilde x|x_tilde) \]"),
    ("eps_c", rf"{NETWORK} \( [^(),]* ,(?: t ,)? [cy] \)"),
    ("eps_u", rf"{NETWORK} \( [^(),]*(?: ,(?: t ,)? (?:varnothing|emptyset)| , t)? \)"),
)]  # fmt: skip
WITHOUT = {
    "b": "beta",
    "g": "score",
    "eps_u": "eps_hat",
    "eps_c": "eps_hat",
}  # a phrase is no such letter beside these


def formula(tokens, text, names):
    """The tokens of the formula alone, what stood before its =, and whether that is more than one letter: 1/v = ...

    Raises ExpressionError where it is not clear which part is the formula, or one cannot be read.
    """

    def fail(message, token):
        raise ExpressionError(message, text, token.position)

    end, tokens = tokens[-1], phrases(ordered(tokens[:-1]), names)
    statements, main = [[]], 0
    for token, depth in zip(tokens, depths(tokens)):
        begins = token.text.split()[0] in CONDITIONS
        if token.kind == "text" and not begins:
            fail(f"the words {token.text!r} are not understood", token)
        if depth or not (begins or token.text in (",", ";", ":")):
            statements[-1].append(token)
            continue
        statements.append([token])
        if token.text == ":" and not any(t.text in (*RELATIONS, "=") for t in tokens):
            fail("':' is not expected here", token)
        main = (
            len(statements) - 1 if token.text == ":" else main
        )  # in x_t = ...: u_t = ... the second is meant
    start = statements[main][0].position + 1 if main else 0
    chosen = statements.pop(main)[main > 0 :]
    while chosen and chosen[-1].text == ".":
        chosen.pop()
    for separator, *rest in statements if main == 0 else []:
        if (
            rest
            and rest[0].text != "."
            and separator.kind != "text"
            and not any(t.text in (*RELATIONS, "=") for t in rest)
        ):
            fail(f"{separator.text!r} is not expected here", separator)
    parts = split(chosen, "=")
    formulas = [p for p in parts[1:] if p and not _is_statement(p, names)] or parts[-1:]
    if len(formulas) > 1:
        first, second = (text[p[0].position : p[-1].position + len(p[-1].text)].strip() for p in formulas[:2])
        fail(f"two right sides: give one of them, {first[:30]} or {second[:30]}", formulas[1][0])
    if not all(parts[1:]):
        fail("the right side is missing", end)
    left = text[start : chosen[len(parts[0])].position] if len(parts) > 1 else ""
    left = re.sub(r"^(\\begin\{\w+\*?\}|\\\[|[\s&$])+|[\s&]+$", "", left)
    chosen = formulas[0]
    for statement in 2 * statements:  # what is defined may stand in another definition
        chosen = _defined(
            chosen, split([t for t in statement if t.text not in (",", ";", ":", *CONDITIONS)], "="), names
        )
        if len(chosen) > LENGTH:
            fail("the formula is too long with what is defined behind it", end)
    for token in chosen:
        if token.text in UNREAD and token.kind == "unread":
            fail(f"{UNREAD[token.text]} cannot be typed, only what it comes to", token)
        if token.kind == "unread" or token.text == ".":
            fail(f"the character {token.text!r} is not understood", token)
    return [*chosen, end], left, len(parts) > 1 and not _one_quantity(parts[0])


def split(tokens, sign):
    """The parts between the signs that stand in no bracket."""
    parts = [[]]
    for token, depth in zip(tokens, depths(tokens)):
        if depth == 0 and token.text == sign:
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


def _defined(tokens, parts, names):
    """The formula with a letter that is not in scope replaced by what a condition says that it is: where a = ..."""
    meant = _letter(parts[0]) if len(parts) == 2 and all(parts) else set()
    if not meant or meant & {*names, *WORDS} or any(t.kind == "unread" for t in parts[1]):
        return tokens
    letter, found, k = [t.text for t in parts[0]], [], 0
    while k < len(tokens):
        if [t.text for t in tokens[k : k + len(letter)]] == letter and not (found and found[-1].text == "_"):
            at = tokens[k].position
            found += [
                Token("sign", "(", at),
                *(t._replace(position=at) for t in parts[1]),
                Token("sign", ")", at),
            ]
            k += len(letter)
        else:
            found.append(tokens[k])
            k += 1
    return found


def depths(tokens):
    """How many brackets each token stands in; a bracket itself counts as inside."""
    depth, found = 0, []
    for token in tokens:
        depth += token.text in OPENING
        found.append(depth)
        depth -= token.text in CLOSING
    return found


def _is_statement(part, names):
    """E[x_1 - x_0 | x_t], an integral, or a letter that is not in scope: no formula where it stands in a chain of =."""
    named = len(part) > 1 and part[0].kind == "word" and part[0].text not in {*names, *WORDS} - {"min", "max"}
    unknown = (meant := _letter(part)) and not meant & {*names, *WORDS}
    return any(t.kind == "unread" for t in part) or unknown or (named and part[1].text in OPENING)


def _letter(part):
    """What a single letter with accents and index may be called; nothing where more stands there."""
    words = [t for t in part if t.kind == "word"]
    if not words or any(
        t.kind == "unread" or t.text in ("(", "[", "|", "+", "-", "*", "/", "**", "frac", ",") for t in part
    ):
        return set()
    whole = "_".join([words[0].text, *(t.text for t in part if t.kind == "accent")])
    behind = "".join(t.text for t in part).partition("_")[2].strip("{}").replace("t-1", "s")
    name = {whole, SPELLING.get(whole, whole), f"{whole}_{behind}", SPELLING.get(f"{whole}_{behind}", "")}
    return name | {f"{words[0].text}_{behind}{''.join('_' + t.text for t in part if t.kind == 'accent')}"}


def _one_quantity(part):
    r"""Is it one letter, with accents, index and arguments, or a derivative? 1/v, v^2 and \log v are not."""
    words = [t.text for t in part]
    if words[:2] == ["frac", "{"] and words[2:3] in (["d"], ["partial"], ["dx"]):
        return True
    more = {"+", "-", "*", "/", "**", "frac", "sqrt", "exp", "|", *([] if "nabla" in words else ["log"])}
    return (not part or part[0].kind != "number") and not any(
        depth == 0 and t.text in more for t, depth in zip(part, depths(part))
    )


def phrases(tokens, names):
    """Phrases of print as the letter in scope that they are: the score, a gradient, beta(t)."""
    for letter, pattern in PHRASES:
        if letter not in names or WITHOUT.get(letter) in names:
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
        argument = (
            [t.text for t in tokens[k : k + 3]] == ["(", "t", ")"] and found and found[-1].text == "2"
        )  # g^2(t)
        if (tokens[k].text == "_" or argument) and found:
            index = k + 3 if argument else group_end(tokens, k + 1)
            power = next((p for p in range(len(found) - 1, -1, -1) if found[p].text == "**"), None)
            if power is not None and group_end(found, power + 1) == len(found):
                found[power:power] = tokens[k:index]
                k = index
                continue
            if found[-1].text == "}":
                opening = max((p for p, t in enumerate(found) if t.text == "{"), default=0)
                before = found[opening - 1] if opening else None
                inside = found[opening + 1 : -1]
                alone = [t.kind for t in inside] in (["word"], ["accent", "word"])
                if alone and not (
                    before and (before.kind == "accent" or before.text in ("_", "**", "frac", "sqrt"))
                ):
                    found[opening:] = inside
        found.append(tokens[k])
        k += 1
        if (
            len(found) > 3
            and found[-4].text in ("_", "**")
            and found[-3].text == "{"
            and found[-1].text == "}"
        ):
            del found[-3], found[-1]  # _{t} is _t
    return found


def group_end(tokens, start):
    """Where the sign or the group ends that starts there."""
    depth = 0
    for k in range(start, len(tokens)):
        depth += (tokens[k].text in OPENING) - (tokens[k].text in CLOSING)
        if depth <= 0:
            return k + 1
    return len(tokens) + 1  # it does not
