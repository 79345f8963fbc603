r"""LaTeX as one reads it in a terminal: \frac{1-\bar\alpha_{t-1}}{1-\bar\alpha_t} is (1-ᾱₜ₋₁)/(1-ᾱₜ).

Only what the sheet uses: fractions, roots, accents, indices and powers, Greek and a few signs.
"""

import re
import unicodedata

LETTERS = (
    "alpha α, beta β, gamma γ, Delta Δ, epsilon ε, eta η, lambda λ, mu μ, nabla ∇, omega ω, phi φ, pi π, "
    "rho ρ, sigma σ, Sigma Σ, tau τ, theta θ, partial ∂, sum ∑, prod ∏, int ∫, infty ∞, varnothing ∅, "
    "cdot ·, odot ⊙, langle ⟨, rangle ⟩, lfloor ⌊, rfloor ⌋, ldots …, | ‖"
)
RELATIONS = "succ ≻, sim ~, neq ≠, leq ≤, geq ≥, rightarrow →, Rightarrow ⇒"
SIGNS = dict(pair.split() for pair in LETTERS.split(", "))
SIGNS |= {name: f" {sign} " for name, sign in map(str.split, RELATIONS.split(", "))}
SIGNS |= {"quad": "\t", "qquad": "\t", ",": " ", " ": " ", "left": "", "right": ""}
ACCENTS = {"bar": "\u0304", "hat": "\u0302", "tilde": "\u0303", "dot": "\u0307"}
LOW = str.maketrans("0123456789+-=()aehijklmnoprstuvxβ", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓᵦ")
HIGH = str.maketrans("0123456789+-=()nkT", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿᵏᵀ")
ONE = r"(d?\w|\d+|[A-Z]+|\(.*\)|‖[^‖]*‖)[\u0300-\u036f₀-ₜᵢᵣᵤᵥᵦⱼ⁰-ⁿ²³ᵀ']*(_\w)?"  # one sign with its indices
# what needs no brackets in a fraction
ABOVE = rf"√?{ONE}|[^-+ ,/≤=]*"
BELOW = rf"√?{ONE}|([pqe]|[A-Za-z]{{2,}})\w*\([^()]*\)"


def _script(text, table, mark):
    """An index or a power: small signs where all of it has them."""
    text = text.strip()
    small = text.translate(table)
    if all(a != b for a, b in zip(text, small)):
        return small
    return mark + (text if len(text) == 1 else f"{{{text}}}")


def _bracketed(text, pattern=ONE):
    """In brackets, unless it is so short that none are needed."""
    text = text.strip()
    return text if re.fullmatch(pattern, text) and not re.search(r"\).*\(", text) else f"({text})"


def readable(latex):
    """The formula in one line of Unicode."""
    tokens = re.findall(r"\\[A-Za-z]+|\\.|.", latex)[::-1]

    def group(skip=" "):
        """The next token, or what stands between braces."""
        while tokens[-1] == skip:
            tokens.pop()
        token, parts = tokens.pop(), []
        if token != "{":
            return sign(token)
        while tokens[-1] != "}":
            parts.append(group(None))
        tokens.pop()
        return "".join(parts)

    def sign(token):
        name = token[1:]
        if token in "_^":
            return _script(group(), LOW if token == "_" else HIGH, token)
        if not name:
            return token
        if name in ACCENTS:
            return unicodedata.normalize("NFC", group() + ACCENTS[name])
        if name == "frac":
            above, below = group(), group()
            return f"{_bracketed(above, ABOVE)}/{_bracketed(below, BELOW)} "
        if name == "sqrt":
            return f"√{_bracketed(group())} "
        if name in ("mathcal", "mathrm"):
            return group()
        fraction = name not in SIGNS and tokens and tokens[-1] == r"\frac"
        return SIGNS.get(name, f" {name}({group().strip()}) " if fraction else f" {name} ")

    parts = []
    while tokens:
        parts.append(group(None))
    text = re.sub(r" +(?=[)\],])|(?<=[(\[]) +", "", "".join(parts))
    text = re.sub(r"(log|tanh|cos|exp|min) +(?=[_₀-₉(\[])", r"\1", text)
    text = re.sub(r"([∇Δ·⟨]) +(?=\w)", r"\1", re.sub(r"(log[₀-₉]+|_[θφ])(?=[A-Za-z])", r"\1 ", text))
    return re.sub(" *\t *", "   ", re.sub(" {2,}", " ", text)).strip()
