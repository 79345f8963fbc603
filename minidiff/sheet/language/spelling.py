r"""What people type or paste, cut into tokens: one spelling for β_t, beta_t, \beta_t and βₜ.

A token is a number, a word (beta, alpha, sqrt, ...), an accent that belongs to the next word (bar, hat, tilde) or a sign.
Indices arrive as the sign _ and then a group, powers as the sign **. Each token remembers where it stood, for the caret.
"""

import re
import unicodedata
from typing import NamedTuple

LENGTH = 2000
GREEK = dict(zip("αβγδεϵηθλμµνπστφϕω∅", "alpha beta gamma delta eps eps eta theta lambda mu mu nu pi sigma tau phi phi omega "
                 "varnothing".split()))  # fmt: skip
SPELLING = {"epsilon": "eps", "varepsilon": "eps", "varphi": "phi", "ab": "alpha_bar", "abar": "alpha_bar", "ln": "log",
            "alphabar": "alpha_bar", "eps_theta": "eps_hat", "s_theta": "score", "eps_varnothing": "eps_u",
            "eps_emptyset": "eps_u", "eps_uncond": "eps_u", "eps_y": "eps_c", "eps_cond": "eps_c", "x0": "x_0", "xt": "x_t",
            "x0_hat": "x_0_hat", "MAX": "peak", "MSE": "mse"}  # fmt: skip
NOTATIONS = {  # other books' letters -> ours
    "ddpm": {},
    "ddim": {"alpha": "alpha_bar"},  # Song, Meng, Ermon 2020
    "prince": {"alpha": "alpha_bar", "x": "x_0", "z_t": "x_t", "z_s": "x_s"},  # Understanding Deep Learning
}
SIGNS = {"−": "-", "–": "-", "·": "*", "×": "*", "∗": "*", "⋅": "*", "÷": "/", "^": "**", "‖": "|", "∣": "|", "…": "..",
         "√": "sqrt", "∑": "sum", "∏": "prod", "Σ": "sum", "Π": "prod"}  # fmt: skip
COMMANDS = {"cdot": "*", "times": "*", "lVert": "|", "rVert": "|", "lvert": "|", "rvert": "|", "vert": "|", "Vert": "|",
            "dfrac": "frac", "tfrac": "frac"}  # fmt: skip
UNREAD = {"mathbb": "an expectation", "mathcal": "a distribution", "nabla": "a gradient", "partial": "a derivative",
          "int": "an integral"}  # fmt: skip
SKIPPED = set("left right big Big bigl bigr Bigl Bigr quad qquad displaystyle".split())
ACCENTS = {"mathbf": "", "mathrm": "", "boldsymbol": "", "bm": "", "bar": "bar", "overline": "bar", "hat": "hat",
           "tilde": "tilde", "\u0304": "bar", "\u0305": "bar", "\u0302": "hat", "\u0303": "tilde"}  # fmt: skip
UP, DOWN = (dict(zip(a, b)) for a, b in (("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+"), ("₀₁₂₃₄₅₆₇₈₉₋₊ₜₛᵢ", "0123456789-+tsi")))
PART = re.compile(
    r"(?P<number>(\d+(\.(?!\.)\d*)?|\.\d+)([eE][+-]?\d+)?)|(?P<word>[A-Za-z][A-Za-z0-9]*(_[A-Za-z0-9]+)*)"
    r"|\\(?P<command>[A-Za-z]+)|(?P<space>\s+|~|\$|&|\\[,;:! ])|(?P<sign>\\\||\\[{}]|\*\*|\.\.|[-+*/()\[\]{},_|=])",
    re.A,
)


class ExpressionError(ValueError):
    """What was typed cannot be understood or computed. .position is the character's place, .text what was typed."""

    def __init__(self, message, text="", position=0):
        super().__init__(message)
        self.message, self.text, self.position = message, text, position

    def __str__(self):
        start = max(0, self.position - 60)
        line = "".join(" " if c.isspace() else c for c in self.text[start : start + 120])
        marks = sum(unicodedata.combining(c) > 0 for c in self.text[start : self.position])  # these take no room
        return f"{self.message}\n  {line}\n  {' ' * (self.position - start - marks)}^" if self.text else self.message


def _with_subscript(word, names):
    """sigma1 is sigma_1, log10 is log_10."""
    if word in names:
        return word
    if (m := re.fullmatch(r"([A-Za-z]+)(\d+)", word)) and (m[1] == "log" or f"{m[1]}_{m[2]}" in names):
        return f"{m[1]}_{m[2]}"
    return word


WORDS = ("in", "for", "sum", "abs", "exp", "log", "sin", "cos", "min", "max")  # never letters typed together


def _are_letters(word, names):
    """Is it two or three letters of the scope, typed together?"""
    return 1 < len(word) < 4 and word not in (*names, *WORDS) and SPELLING.get(word) not in names and set(word) <= set(names)


class Token(NamedTuple):
    """kind is number, word, accent, sign or end."""

    kind: str
    text: str
    position: int


def tokens(text, names, rename):
    """What was typed as a list of tokens, whatever the alphabet; the last one has the kind end. Raises ExpressionError.

    names are those in scope, rename maps a notation's to ours: with them alpha_bar_t is read as alpha_bar and the index t.
    """
    if len(text) > LENGTH:
        raise ExpressionError(f"an expression may have {LENGTH} characters, got {len(text)}")
    found, at, latex = [], 0, "\\" in text
    add = lambda kind, value, where: found.append(Token(kind, value, where))  # noqa: E731
    while at < len(text):
        c, here = text[at], at
        if m := PART.match(text, at):
            value, at, kind = m.group(), m.end(), m.lastgroup
            if kind == "command":
                word = m["command"]
                if word in ACCENTS:
                    add("accent", ACCENTS[word], here)
                elif word in UNREAD:
                    raise ExpressionError(f"{UNREAD[word]} cannot be typed, only what it comes to", text, here)
                elif word not in SKIPPED:
                    word = COMMANDS.get(word, word)
                    add("sign" if word in "*|" else "word", SPELLING.get(word, word), here)
            elif kind == "word":
                below = bool(found) and found[-1].text == "_"
                if below and latex and value.split("_")[0] not in (*ACCENTS, "theta"):
                    value, at = value[0], here + 1  # TeX's index is one character: \beta_tx_0
                if value == "ab" and {"a", "b", "alpha_bar"} <= set(names) and text[at : at + 1] not in ("_", "[", "("):
                    raise ExpressionError("'ab' may be alpha_bar_t or a times b here: write one of them, or a*b", text, here)
                value = _with_subscript(value, names)
                if not below and _are_letters(value, names):  # 2ab is 2 a b
                    for k, letter in enumerate(value):
                        add("word", letter, here + k)
                    continue
                parts, place = value.split("_"), here
                parts = [SPELLING.get(p, p) for p in parts]
                for k in range(len(parts), 0, -1):  # the longest name: alpha_bar_t is alpha_bar, t
                    head = SPELLING.get("_".join(parts[:k]), "_".join(parts[:k]))
                    if k == 1 or rename.get(head, head) in names:
                        break
                for i, part in enumerate([head, *parts[k:]]):
                    if i:
                        add("sign", "_", place)
                    add("number" if part.isdigit() else "word", part, place)
            elif kind != "space":
                add("number" if kind == "number" else "sign", {"\\|": "|", "\\{": "(", "\\}": ")"}.get(value, value), here)
            continue
        at += 1
        for table, opening, closing in ((UP, ("**", "("), ")"), (DOWN, ("_", "{"), "}")):
            if c in table:
                while at < len(text) and text[at] in table:
                    at += 1
                inner = tokens("".join(table[u] for u in text[here:at]), names, rename)[:-1]
                found += [*(Token("sign", o, here) for o in opening), *(Token(k, v, here + p) for k, v, p in inner)]
                add("sign", closing, here)
                break
        else:
            base, *marks = unicodedata.normalize("NFD", c)
            if c in ACCENTS or marks:  # a mark stands behind its letter, an accent before it
                if not marks and found and found[-1].kind == "word":
                    found.insert(-1, Token("accent", ACCENTS[c], here))
                    continue
                if marks and marks[0] in ACCENTS and (base in GREEK or base.isascii()):
                    add("accent", ACCENTS[marks[0]], here)
                    add("word", GREEK.get(base, base), here)
                    continue
            if c in GREEK or c in SIGNS:
                word = GREEK.get(c) or SIGNS[c]
                add("word" if word.isalpha() else "sign", word, here)
                if (m := re.match(r"\d+", text[at:], re.A)) and f"{word}_{m.group()}" in names:
                    add("sign", "_", here)  # σ1
            elif "⁄" in (parts := unicodedata.normalize("NFKD", c)):  # ½
                top, below = parts.split("⁄")
                found += [Token("number" if u.isdigit() else "sign", u, here) for u in ("(", top, "/", below, ")")]
            elif not c.isspace() and unicodedata.category(c) != "Cf":  # Cf: invisible marks that come with a paste
                raise ExpressionError(f"the character {c!r} is not understood", text, here)
    return [*found, Token("end", "", len(text))]
