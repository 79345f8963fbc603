"""Real numbers: exact fractions while they can be, then floats that know how far rounding may have moved them.

A float's error is bounded as it is computed (Higham, Accuracy and Stability of Numerical Algorithms, 3.3): an operation passes
on the errors of its parts, times its slope, and adds its own rounding. IEEE arithmetic: 1/0 is inf and 0/0 nan.
"""

import functools
import math
from fractions import Fraction

POWER, LARGEST = 64, 2**900  # exponent and size of an exact number
UNIT = (
    2.0**-52
)  # twice the rounding of one operation: what exp, log and the like may be off, and the bound's own rounding


class Near(float):
    """A float within .error of the number that it stands for."""

    __slots__ = ("error",)

    def __new__(cls, value, error):
        """error is what the parts bring; the rounding of the value itself is added. Infinity counts as exact: 1/inf is 0."""
        self = super().__new__(cls, value)
        error = error + UNIT * abs(value) if math.isfinite(value) else 0.0
        self.error = error if error == error else math.inf  # 0 * inf: nothing is known
        return self

    def __add__(self, other):
        return Near(float(self) + float(other), self.error + error(other))

    def __sub__(self, other):
        return Near(float(self) - float(other), self.error + error(other))

    def __rsub__(self, other):
        return Near(float(other) - float(self), self.error + error(other))

    def __mul__(self, other):
        a, b, e, f = float(self), float(other), self.error, error(other)
        return Near(a * b, abs(a) * f + abs(b) * e + e * f)

    def __neg__(self):
        return Near(-float(self), self.error)

    def __abs__(self):
        return Near(abs(float(self)), self.error)

    __radd__, __rmul__ = __add__, __mul__


def error(a):
    """How far a float may be off; another number's is that of its float, which Fraction hands on where it meets a Near."""
    return a.error if isinstance(a, Near) else UNIT * abs(float(a))


def number(value):
    """A Fraction while it is exact and short, else a Near."""
    if type(value) is Near:
        return value
    if isinstance(value, int | Fraction):
        top, below = value.as_integer_ratio()
        if -LARGEST < top < LARGEST and below < LARGEST:
            return value if type(value) is Fraction else Fraction(value)
        return Near(top / below if abs(value) < 2**1000 else math.inf if top > 0 else -math.inf, 0.0)
    return Near(float(value), 0.0)


def _call(f, bound, *args):
    """f as IEEE has it: nan where it is not defined, inf where it is too large. bound(value, *args, *errors) is its error."""
    a, errors = [float(x) for x in args], [error(x) for x in args]
    try:
        value = f(*a)
    except ValueError:
        return Near(math.nan, 0.0)
    except OverflowError:
        return Near(math.inf, 0.0)
    try:
        return Near(value, bound(value, *a, *errors) if any(errors) else 0.0)
    except OverflowError:
        return Near(value, math.inf)


def sqrt(a):
    """The root, exact where it can be. Off by e under the root: off by e / sqrt(a), and never by more than sqrt(e)."""
    if isinstance(a, Fraction) and a >= 0:
        root = Fraction(math.isqrt(a.numerator), math.isqrt(a.denominator))
        if root * root == a:
            return root
    e = error(a)
    if -e <= a <= 0:  # a root of 0, as far as rounding lets one see
        return Near(0.0, math.sqrt(e))
    return (
        Near(math.sqrt(a), min(e / math.sqrt(a), math.sqrt(e)) if e else 0.0)
        if a > 0
        else Near(math.nan, 0.0)
    )


def _floor(a):
    off = error(a) if isinstance(a, Near) else 0
    low, high = a - off, a + off
    return (
        Fraction(math.floor(low))
        if math.isfinite(high) and math.floor(low) == math.floor(high)
        else Near(a, 1.0)
    )


def _log(a):
    if a in (0, 1):
        return Fraction(0) if a == 1 else Near(-math.inf, 0.0)
    return _call(math.log, lambda y, x, e: -math.log1p(-e / x) if e < x else math.inf, a)


def divide(a, b):
    """a / b as IEEE has it."""
    if isinstance(a, Fraction) and isinstance(b, Fraction) and b:
        return a / b
    x, y = float(a), float(b)
    value, room = (
        x / y if y else math.nan if x == 0 or x != x else math.copysign(math.inf, x),
        abs(y) - error(b),
    )
    if math.isinf(y):
        return Near(value, 0.0)
    return Near(value, (error(a) + abs(value) * error(b)) / room if room > 0 else math.inf)


def power(a, b):
    """a**b, exact for whole numbers."""
    if isinstance(b, Fraction) and b.denominator == 1 and abs(b) <= POWER and isinstance(a, Fraction):
        return a ** int(b) if a != 0 or b >= 0 else math.inf
    if b == Fraction(1, 2):
        return sqrt(a)
    return Near(math.inf, 0.0) if a == 0 and b < 0 else _call(math.pow, _powered, a, b)


def _powered(y, x, n, e, f):
    """The error of y = x**n, from the steepest place within e of x, and from f, that of n."""
    if math.isinf(x) or math.isinf(n):  # infinity counts as exact
        return 0.0
    if n < 1 and e >= abs(x):
        return math.inf
    return abs(n) * (abs(x) + (e if n >= 1 else -e)) ** (n - 1) * e + abs(y) * math.expm1(
        f * abs(math.log(abs(x) or 1))
    )


OPERATIONS = {"+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b, "/": divide, "**": power,
              "neg": lambda a: -a}  # fmt: skip
CALLS = {"sqrt": sqrt, "log": _log, "abs": abs, "floor": _floor}
CALLS |= {
    "min": lambda a, b: a if a <= b or a != a else b,
    "max": lambda a, b: a if a >= b or a != a else b,
}  # nan stays nan
CALLS["exp"] = lambda a: (
    Fraction(1) if a == 0 and not error(a) else _call(math.exp, lambda y, x, e: y * math.expm1(e), a)
)
CALLS |= {
    name: functools.partial(_call, getattr(math, name), lambda y, x, e: e) for name in ("sin", "cos", "tanh")
}
