r"""What people type or paste, cut into tokens: one spelling for β_t, beta_t, \beta_t and βₜ.

A token is a number, a word (beta, alpha, sqrt, ...), an accent that belongs to the next word (bar, hat, tilde), a sign, or
what the language has no word for (unread). Indices arrive as the sign _ and then a group, powers as the sign **. Each token
remembers where it stood, for the caret. Fonts and spaces are dropped here, what stands around a formula in paste.py.
"""

import re
import unicodedata
from typing import NamedTuple

LENGTH = 2000
FUNCTIONS = {"sqrt", "log", "exp", "sin", "cos", "tanh", "abs", "floor", "min", "max", "sigmoid"}
WORDS = FUNCTIONS | {"frac", "sum", "prod", "over", "for", "in", "pi", "e"}
GREEK = dict(zip("αβγδεϵηθλμµνπστφϕω∅Δ∇∂∫", "alpha beta gamma delta eps eps eta theta lambda mu mu nu pi sigma tau phi "
                 "phi omega varnothing Delta nabla partial int".split()))  # fmt: skip
SPELLING = {"epsilon": "eps", "varepsilon": "eps", "varphi": "phi", "ab": "alpha_bar", "abar": "alpha_bar", "ln": "log",
            "alphabar": "alpha_bar", "a_bar": "alpha_bar", "alphas_cumprod": "alpha_bar", "alphas": "alpha", "betas": "beta",
            "eps_theta": "eps_hat", "eps_hat_theta": "eps_hat", "noise_pred": "eps_hat", "s_theta": "score", "x0": "x_0",
            "xt": "x_t", "x0_hat": "x_0_hat", "x_start": "x_0", "x_tau_i": "x_t", "x_hat_theta": "x_0_hat", "u_theta": "u",
            "v_theta": "u", "X_0": "x_0", "X_1": "x_1", "X_t": "x_t",
            "eps_varnothing": "eps_u", "eps_emptyset": "eps_u", "eps_uncond": "eps_u", "eps_y": "eps_c",
            "eps_cond": "eps_c", "MAX": "peak", "MSE": "mse", "a_dot": "da", "b_dot": "db", "sigma_dot": "dsigma"}  # fmt: skip
INSTEAD = {"noise": ("eps", "z"), "v": ("u",), "N": ("n",), "K": ("n",), "tau": ("temp",), "sigma_12": ("cov",), "eta": ("lr",),
           "gamma": ("scale", "gain"), "alpha": ("gate",), "beta": ("shift", "beta_kl"), "lambda": ("decay",), "d": ("decay",),
           "S_a": ("score",), "T": ("n",)}  # fmt: skip  # where the letter itself is not in scope
NOTATIONS = {  # other books' letters -> ours
    "ddpm": {},
    "ddim": {"alpha": "alpha_bar"},  # Song, Meng, Ermon 2020
    "prince": {"alpha": "alpha_bar", "x": "x_0", "z_t": "x_t", "z_s": "x_s"},  # Understanding Deep Learning
}
SIGNS = {"−": "-", "–": "-", "·": "*", "×": "*", "∗": "*", "⋅": "*", "⊙": "*", "÷": "/", "^": "**", "‖": "|", "∥": "|",
         "∣": "|", "…": "..", "√": "sqrt", "∑": "sum", "∏": "prod", "Σ": "sum", "Π": "prod", "≔": "=",
         "≈": "=", "←": "="}  # fmt: skip
COMMANDS = dict.fromkeys("cdot times odot ast".split(), "*") | dict.fromkeys(
    "dfrac tfrac cfrac".split(), "frac"
)
COMMANDS |= dict.fromkeys("lVert rVert lvert rvert vert Vert mid".split(), "|") | {"rfloor": ")"}
COMMANDS |= dict.fromkeys("coloneqq triangleq approx equiv leftarrow gets".split(), "=")
UNREAD = {"mathbb": "an expectation", "mathcal": "a distribution", "nabla": "a gradient", "partial": "a derivative",
          "int": "an integral"}  # fmt: skip
RELATIONS = set("< > ≤ ≥ ≠ ∼ ~ ∈ → leq geq le ge lt gt ne neq sim in to rightarrow".split())
SKIPPED = set(
    "left right middle displaystyle textstyle limits nolimits nonumber notag quad qquad bf rm it".split()
)
SKIPPED |= {size + side for size in ("big", "Big", "bigg", "Bigg") for side in ("", "l", "r", "m")}
FONTS = set(
    "mathbf mathrm mathit mathsf boldsymbol bm pmb vec text textrm textbf mbox operatorname underbrace".split()
)
ACCENTS = {"bar": "bar", "overline": "bar", "hat": "hat", "widehat": "hat", "tilde": "tilde", "widetilde": "tilde",
           "dot": "dot", "\u0307": "dot", "\u0304": "bar", "\u0305": "bar", "\u0302": "hat", "\u0303": "tilde"}  # fmt: skip
PART = re.compile(
    r"(?P<space>\s+|~|\$|&|\\[,;:! ()\[\]]|\\\\(\[[\d.]+[a-z]+\])?|\\(left|right)\s*\.(?!\d)"
    r"|(np|numpy|torch|math|jnp)\.(?=[a-z])|\\(begin|end|label|tag|hspace|vspace)\*?\s*\{[^{}]*\})|(?P<number>(\d+(\.(?!\.)\d*)?|\.\d+)([eE][+-]?\d+)?)"
    r"|(?P<word>[A-Za-z][A-Za-z0-9]*(_[A-Za-z0-9]+)*)|\\(?P<command>[A-Za-z]+)"
    r"|(?P<sign>\\\||\\[{}]|\*\*|\.\.|:=|[-+*/()\[\]{},_|=.;])",
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
        marks = sum(
            unicodedata.combining(c) > 0 for c in self.text[start : self.position]
        )  # these take no room
        return (
            f"{self.message}\n  {line}\n  {' ' * (self.position - start - marks)}^"
            if self.text
            else self.message
        )


class Token(NamedTuple):
    """kind is number, word, accent, sign, unread, text (words of a sentence) or end."""

    kind: str
    text: str
    position: int


class Speller:
    """Cuts what was typed into .found, a list of Tokens.

    names are those in scope, rename maps a notation's to ours: with them alpha_bar_t is read as alpha_bar and the index t.
    """

    def __init__(self, text, names, rename):
        self.text, self.names, self.rename = text, names, rename
        self.found, self.latex, self.dropped = (
            [],
            "\\" in text,
            {},
        )  # closing braces of fonts: where to read on

    def add(self, kind, value, position):
        """Appends a Token."""
        self.found.append(Token(kind, value, position))

    def fail(self, message, position):
        """Raises ExpressionError at that character."""
        raise ExpressionError(message, self.text, position)

    def read(self):
        """All tokens, the last one of the kind end."""
        if len(self.text) > LENGTH:
            self.fail(f"an expression may have {LENGTH} characters, got {len(self.text)}", 0)
        at = 0
        while at < len(self.text):
            if at in self.dropped:
                at = self.dropped[at]
            elif m := PART.match(self.text, at):
                end = getattr(self, f"_{m.lastgroup}")(m) if m.lastgroup in ("word", "command") else None
                if m.lastgroup == "sign":
                    self.add(
                        "sign", {"\\|": "|", "\\{": "(", "\\}": ")", ":=": "="}.get(m.group(), m.group()), at
                    )
                elif m.lastgroup == "number":
                    self.add("number", m.group(), at)
                at = end or m.end()
            else:
                at = self._character(at)
        return [*self.found, Token("end", "", len(self.text))]

    def _command(self, m):
        r"""\beta and the like; the place where to read on, where that is not behind it."""
        word, here, after = m["command"], m.start(), m.end()
        if word in FONTS:
            if (opening := re.compile(r"\*?\s*\{").match(self.text, after)) is None:
                return after
            if self.found and self.found[-1].text == "_":
                return opening.end() - 1  # \sigma_\text{data} is \sigma_{data}
            closing = _closing(self.text, opening.end())
            inside = self.text[opening.end() : closing].strip()
            if word in ("text", "textrm", "mbox") and (
                " " in inside or inside in ("if", "where", "with", "for", "and")
            ):
                self.add("text", inside, here)
                return closing + 1
            label = re.compile(r"\s*_\s*\{").match(self.text, closing + 1) if word == "underbrace" else None
            self.dropped[closing] = _closing(self.text, label.end()) + 1 if label else closing + 1
            return opening.end()
        if word in ACCENTS:
            self.add("accent", ACCENTS[word], here)
        elif word in UNREAD or word in RELATIONS:
            self.add("unread", word, here)
        elif word == "lfloor":
            self.found += [Token("word", "floor", here), Token("sign", "(", here)]
        elif word not in SKIPPED:
            word = COMMANDS.get(word, word)
            self.add("sign" if word in "*|=)" else "word", SPELLING.get(word, word), here)
        return None

    def _word(self, m):
        """A name, with its index behind _; or a row of letters: 2ab is 2 a b."""
        value, here, indexed = m.group(), m.start(), self.text[m.end() : m.end() + 1]
        before = self.found[-1].text if self.found else ""
        letter = "".join(t.text for t in self.found[-3:])
        if letter.endswith("_{") and letter[:-1] + value in self.names:  # \sigma_{data}
            return self.add("word", value, here)
        if before in ("_", "**", "frac") and self.latex and value.split("_")[0] not in (*ACCENTS, "theta"):
            value = value[0]  # TeX's index is one character: \beta_tx_0
        name = self._name(value) if before != "_" else value.split("_")
        doubtful = (
            name and value in SPELLING and value not in self.names and indexed not in tuple("_[(")
        )  # ab: a times b?
        rows = self._rows(value) if before != "_" and (doubtful or not name) else []
        if rows:
            ways = [" * ".join(row) for row in rows] + (["_".join(name)] if name else [])
            if value[:-1] in ("a", "b") and value[1] == "t":
                ways += [
                    greek + "_t"
                    for greek in ("alpha", "beta")
                    if greek[0] == value[0] and greek in self.names
                ]
            if len(ways) > 1:
                self.fail(f"{value!r} may be {' or '.join(ways)} here: write one of them", here)
            if before == "**" or (len(value) > 2 and indexed == "(" and "_" not in value):
                self.fail(f"{value!r} is not known here; write {ways[0]} for a product", here)
        for piece in rows[0] if rows else [value]:
            for k, part in enumerate(self._name(piece) if rows else name or value.split("_")):
                if k:
                    self.add("sign", "_", here)
                self.add("number" if part.isdigit() else "word", part, here)
            here += len(piece)
        return here

    def _name(self, value):
        """[name] or [name, index] of a word that is a name in scope or a word of the language, else None."""
        m = re.fullmatch(r"([A-Za-z]+)(\d+)", value, re.A)  # sigma1 is sigma_1, log10 is log_10
        if value not in self.names and m and (m[1] == "log" or f"{m[1]}_{m[2]}" in self.names):
            value = f"{m[1]}_{m[2]}"
        typed = value.split("_")
        parts = [SPELLING.get(part, part) for part in typed]
        for k in range(
            len(parts), max(0, len(parts) - 2), -1
        ):  # the longest name: alpha_bar_t is alpha_bar, t
            head = SPELLING.get("_".join(typed[:k])) or SPELLING.get("_".join(parts[:k]), "_".join(parts[:k]))
            known = head in WORDS or any(
                n in self.names for n in (self.rename.get(head, head), *INSTEAD.get(head, ()))
            )
            if known and all(len(p) == 1 or p.isdigit() or p in self.names for p in parts[k:]):
                return [head, *parts[k:]]
        return None

    def _rows(self, value):
        """The ways to cut a word into two or more names in scope: the first two of them."""
        if len(value) > 60 or value in (*GREEK.values(), "std", "var"):
            return []
        ways = [*([] for _ in value), [[]]]
        for start in reversed(range(len(value))):
            for end in range(start + 1, len(value) + (start > 0)):
                piece = self._name(value[start:end]) if ways[end] and value[start].isalpha() else None
                if piece and (piece[0] == "pi" or piece[0] not in WORDS):
                    ways[start] += [[value[start:end], *rest] for rest in ways[end]]
            ways[start] = ways[start][:2]
        return ways[0]

    def _character(self, at):
        """A character beyond ASCII, or one that means nothing; the place where to read on."""
        c, here = self.text[at], at
        kind, _, plain = unicodedata.decomposition(c).partition("> ")
        if kind in ("<super", "<sub"):
            while at < len(self.text) and unicodedata.decomposition(self.text[at]).startswith(kind + ">"):
                at += 1
            inner = Speller(
                unicodedata.normalize("NFKC", self.text[here:at]), self.names, self.rename
            ).read()[:-1]
            opening, closing = (("**", "("), ")") if kind == "<super" else (("_", "{"), "}")
            self.found += [
                *(Token("sign", o, here) for o in opening),
                *(t._replace(position=here + t.position) for t in inner),
            ]
            self.add("sign", closing, here)
            return at
        if kind == "<fraction":  # ½
            top, below = unicodedata.normalize("NFKD", c).split("⁄")
            self.found += [
                Token("number" if u.isdigit() else "sign", u, here) for u in ("(", top, "/", below, ")")
            ]
            return at + 1
        c = (
            unicodedata.normalize("NFKC", c) if kind == "<font" and plain else c
        )  # mathematical italics, from a PDF
        base, *marks = unicodedata.normalize("NFD", c)
        if c in ACCENTS or marks:  # a mark stands behind its letter, an accent before it
            if not marks and self.found and self.found[-1].kind == "word":
                self.found.insert(-1, Token("accent", ACCENTS[c], here))
                return at + 1
            if marks and marks[0] in ACCENTS and (base in GREEK or base.isascii()):
                self.add("accent", ACCENTS[marks[0]], here)
                c = base
        word = GREEK.get(c) or SIGNS.get(c) or (c if c.isascii() and c.isalnum() else "")
        if word:
            kind = (
                "number"
                if word.isdigit()
                else "unread"
                if word in UNREAD
                else "word"
                if word.isalpha()
                else "sign"
            )
            self.add(kind, word, here)
            if (m := re.match(r"\d+", self.text[at + 1 :], re.A)) and f"{word}_{m.group()}" in self.names:
                self.add("sign", "_", here)  # σ1
        elif (
            not c.isspace() and unicodedata.category(c) != "Cf"
        ):  # Cf: invisible marks that come with a paste
            self.add("unread", c, here)
        return at + 1


def _closing(text, at):
    """The place of the } that closes a group which was opened before; the end where none does."""
    depth = 1
    for place in range(at, len(text)):
        depth += (text[place] == "{") - (text[place] == "}")
        if depth == 0:
            return place
    return len(text)
