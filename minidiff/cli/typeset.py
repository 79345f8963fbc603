"""How a formula is written on paper: typed words and LaTeX, as matplotlib's mathtext draws them rightly."""

import re

GREEK = "alpha|beta|gamma|lambda|sigma|theta|phi|eta|mu|rho|tau|omega|pi"
NAMED = {
    "alpha_bar": r"\bar\alpha",
    "x_0_hat": r"\hat{x}_0",
    "eps_hat": r"\hat\epsilon",
    "eps_theta": r"\epsilon_\theta",
    "eps": r"\epsilon",
    "beta-tilde": r"\tilde\beta",
}
# alpha_bar[t-1], x_{t-1}, sigma_1^2: a name, its index, its power; not within ddim-eta, an entry's name;
# a single letter with an index, or before =
LETTER = re.compile(
    r"(?<![\w\\])(?<![a-z]-)"
    rf"({'|'.join(NAMED)}|{GREEK}|[A-Za-z](?=_\w|_{{|\[)|[a-z](?= = ))"
    r"(?:_(\w+)|_{([^}]*)}|\[([^\]]*)\])?(?:(?:\^|\*\*)(\d))?(?!\w|-[a-z])"
)
SIGNS = {
    "sqrt(": "√(",
    "**2": "²",
    "^2": "²",
    "**": "^",
    "*": "·",
    ">=": "≥",
    "<=": "≤",
    "!=": "≠",
    "||": "‖",
}
SIGNS |= {" - ": " − ", " = ": "\xa0=\xa0"}
SIGN = re.compile("|".join(map(re.escape, SIGNS)) + r"|(?<![\w)])-(?=\d)")
# (what, instead): letters that would run together, and signs that mathtext spaces where a printer would not
APART = (
    # a tanh, not atanh
    (r"(?<=[\w})])\s*(?=\\(?:log|exp|tanh|cos|sin|min|max)(?![a-z]))", r"\\,"),
    # what is summed begins beside the limits, nor do the limits continue what stands before them
    (r"(\\(?:sum|prod|int)(?:[_^](?:{[^}]*}|\w))*)(?![_^\w])", r"\1\\,"),
    (r"(?<=[\w})])\s*(?=\\(?:sum|prod)(?![a-z]))", r"\\;"),
    # a minus, not a longer bar
    (r"-\s*(?=\\frac)", r"-\\,"),
    (r"}\s*(?=\\left)", r"}\\,"),
    # no gaps in x_{1:t-1}
    (r"(?<=_{)[^{}]*(?=})", lambda i: i[0].replace("-", "{-}").replace(":", "\N{RATIO}")),
    (r"\^\*", "^{*}"),
    ("'", "\N{PRIME}"),
    (r"\\frac", r"\\dfrac"),
)


def _letter(found):
    name, *indices, power = found.groups()
    index = re.sub(rf"\b({GREEK})\b", r"\\\1", "".join(filter(None, indices)).replace(" ", ""))
    index = index.replace("..", r"\ldots ")
    written = NAMED.get(name, name if len(name) == 1 else rf"\{name}") + f"_{{{index}}}" * bool(index)
    return formula(written + f"^{power}" * bool(power))


def words(text):
    """Plain text with its letters as mathematics: alpha_bar[t], x_{t-1} and eps as a paper writes them."""
    text = re.sub(r"\bN\((\w+), ", "N(\\1,\xa0", text)  # N(mu, sigma^2) stays in one line
    for pattern, instead in ((LETTER, _letter), (SIGN, lambda sign: SIGNS.get(sign[0], "−"))):
        parts = text.split("$")  # every second one is mathematics already
        text = "$".join(part if k % 2 else pattern.sub(instead, part) for k, part in enumerate(parts))
    return text


def formula(latex):
    """The formula as mathtext is to draw it."""
    for what, instead in APART:
        latex = re.sub(what, instead, latex)
    return f"${latex}$"
