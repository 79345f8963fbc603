"""What check answers: a Verdict; numbers and cases as one writes them."""

from collections.abc import Sized
from dataclasses import dataclass, field
from fractions import Fraction


@dataclass(frozen=True)
class Verdict:
    """right, wrong or not understood; str() says why, .data holds the numbers (for --json), .exit_status is 0, 1 or 2."""

    status: str
    text: str
    data: dict = field(default_factory=dict)

    @property
    def exit_status(self):
        """What a command returns: 0 right, 1 wrong, 2 not understood."""
        return ("right", "wrong", "not understood").index(self.status)

    def __bool__(self):
        return self.status == "right"

    def __str__(self):
        return self.text

    __repr__ = __str__  # a notebook shows this


def number(value):
    """A number as one writes it: 0.72, 1/14 (0.0714286), or six digits; words as they are."""
    if isinstance(value, str):
        return value
    if isinstance(value, Sized):
        return ", ".join(map(number, value))
    if isinstance(value, Fraction) and value.denominator > 1:
        decimal = f"{float(value):.6g}"
        return (
            decimal
            if Fraction(decimal) == value
            else f"{value} ({decimal})"
            if value.denominator < 1000
            else decimal
        )
    return str(value) if isinstance(value, int | Fraction) and abs(value) < 10**15 else f"{float(value):.6g}"


def written(case, letters):
    """The case as one line: what was chosen first, then what follows from it."""
    schedule = {"beta", "alpha", "alpha_bar", "T"} if "beta" in case else set()
    chosen = [f"beta_1..beta_{case['T']} = {number(case['beta'][1:])}"] if letters & schedule else []
    letters = letters | ({"x_0", "eps"} if "x_t" in letters else set())
    names = [k for k in case if k in letters and k not in schedule | {"s"}]
    return "; ".join(chosen + [f"{k} = {number(case[k])}" for k in names])
