"""readable: LaTeX in one line of Unicode, every formula of the sheet."""

import pytest

from minidiff.cli.readable import readable
from minidiff.sheet import SHEET


@pytest.mark.parametrize("entry", SHEET, ids=lambda f: f.name)
def test_no_latex_is_left_of_any_formula(entry):
    text = readable(entry.latex)
    assert not {"\\", "\t", "\n"} & set(text) and "  " not in text.replace("   ", "")
    assert text.count("(") == text.count(")") and text.count("{") == text.count("}")


@pytest.mark.parametrize(
    ("latex", "text"),
    [(r"\tilde\beta_t = \frac{1-\bar\alpha_{t-1}}{1-\bar\alpha_t}\,\beta_t", "β̃ₜ = (1-ᾱₜ₋₁)/(1-ᾱₜ) βₜ"),
     (r"\frac{a}{2}x", "a/2 x"), (r"\frac{1}{2b}", "1/(2b)"), (r"\frac{a}{b(1-c)}", "a/(b(1-c))"),
     (r"\frac{(a)+(b)}{c}", "((a)+(b))/c"), (r"\frac{1}{(a)\,(b)}", "1/((a) (b))"), (r"\sqrt{a}b", "√a b"),
     (r"\sqrt{1-a}", "√(1-a)"), (r"e^{-B/2}", "e^{-B/2}"), (r"x_T^2", "x_T²"),
     (r"\log\frac{a}{b}", "log(a/b)"), (r"a\rightarrow b", "a → b"),
     (r"10\,\log_{10}\frac{M^2}{m}", "10 log₁₀ M²/m")],
)  # fmt: skip
def test_what_binds_stays_together(latex, text):
    """A fraction's parts get brackets unless they are one sign: what is read aloud must be what was set."""
    assert readable(latex) == text
