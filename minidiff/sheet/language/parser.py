"""A precedence parser: tokens in, a tree of operations out. Names come from the scope, functions from a list."""

from fractions import Fraction
from typing import NamedTuple

from .functions import SPACES, function
from .networks import NETWORKS
from .paste import formula
from .spelling import FUNCTIONS, NOTATIONS, WORDS, ExpressionError, Speller, Token
from .symbols import CONSTANTS, symbol

NESTING, DEPTH = 40, 150  # of brackets; of operations inside each other
BINDING = {"+": 1, "-": 1, "*": 2, "/": 2, "**": 4}  # unary minus: 3


class Node(NamedTuple):
    """One operation: op is number, name, index, neg, call, sum, prod, asked or an operator; args: nodes, names, a Fraction.

    asked: the name of a network, its place, the place that its letter means, its time, the letter's time; None: not said.
    """

    op: str
    args: tuple
    position: int
    depth: int


class Parser:
    """Reads tokens from left to right: `expression(least)` reads on while operators bind at least as tightly as `least`."""

    def __init__(self, text, scope, notation, asks=None):
        if notation not in NOTATIONS:
            raise ValueError(f"unknown notation {notation!r}; known are {', '.join(NOTATIONS)}")
        self.text, self.names, self.rename = text, dict(scope), NOTATIONS[notation]
        self.asks = dict.fromkeys(NETWORKS, ()) if asks is None else asks
        self.tokens, self.left, self.indirect = formula(
            Speller(text, self.names, self.rename).read(), text, self.names
        )
        self.at, self.nesting, self.bars = 0, 0, 0
        self.running, self.each = (), ()  # indices of sums; those over coordinates: mu_i is mu

    def fail(self, message, token=None):
        """Raises ExpressionError at the token, the present one unless given."""
        raise ExpressionError(message, self.text, (token or self.next).position)

    @property
    def next(self):
        """The token that comes next."""
        return self.tokens[self.at]

    def take(self, *signs):
        """Reads the next token if it is one of the signs, or any token where no signs are given; else None."""
        token = self.next
        if signs and (token.kind not in ("sign", "word") or token.text not in signs):
            return None
        self.at += token.kind != "end"
        return token

    def expect(self, sign):
        """Reads a sign that has to come next."""
        if not self.take(sign):
            what = f"{self.next.text!r}" if self.next.text else "the end"
            self.fail(f"expected {sign!r}, found {what}")

    def node(self, op, args, token):
        """A Node at the token's place; refused where operations stand too deep inside each other."""
        depth = 1 + max((a.depth for a in args if isinstance(a, Node)), default=0)
        if depth > DEPTH:
            self.fail(f"more than {DEPTH} operations inside each other", token)
        return Node(op, args, token.position, depth)

    def expression(self, least=1):
        """Operations that bind at least as tightly as `least`, each with what it binds."""
        self.nesting += 1
        if self.nesting > NESTING:
            self.fail(f"more than {NESTING} brackets or signs inside each other")
        if token := self.take("-", "+"):
            left = self.expression(3)
            left = left if token.text == "+" else self.node("neg", (left,), token)
        else:
            left = self.factor()
        while True:
            token, sign = self.next, self.next.text if self.next.kind == "sign" else ""
            if self.begins_factor():
                if token.kind == "number" and self.tokens[self.at - 1].kind == "number":
                    self.fail("two numbers with nothing between them")
                op, sign = "*", ""  # a product without a sign
            elif (op := sign) not in BINDING:
                break
            if BINDING[op] < least:
                break
            self.at += bool(sign)
            # -a**2 is -(a**2), 2**-1 is allowed, a**b**c groups to the right
            if op == "**":
                self.check_power(left)
            below, right = self.next, self.expression(3 if op == "**" else BINDING[op] + 1)
            if op == "/" and below.text not in ("(", "{", "[", "|", *FUNCTIONS) and self.touches():
                below, letter = self.text[below.position : self.next.position], self.next.text
                self.fail(f"it may be ... / ({below} {letter}) or (... / {below}) {letter}: write brackets")
            left = self.node(op, (left, right), token)
        self.nesting -= 1
        return left

    def begins_factor(self):
        """Does a factor of a product without a sign come next?"""
        kind, text, _ = self.next
        if kind == "sign":  # x[1] is no product
            return (
                text in ("(", "{") or (text == "|" and not self.bars) or (text == "[" and not self.indexes())
            )
        return kind in ("number", "word", "accent") and text not in ("for", "in", "over")

    def check_power(self, base):
        """Asks about x^{(i)}, q^T k and x^1/2."""
        ahead = [t.text for t in self.tokens[self.at : self.at + 5]]
        if ahead[:2] == ["{", "("] and ahead[3:] == [")", "}"]:
            self.fail(f"({ahead[2]}) may be a power or a label: write **({ahead[2]}) for a power")
        if ahead[0] == "T" and base.op == "name":
            self.fail("T may be a power or a transpose: write **(T) for a power")
        if ahead[:2] == ["1", "/"]:
            self.fail("it may be **(1/...) or **1 / ...: write brackets")

    def indexes(self):
        """Does the [ that comes next stand at a name?"""
        before = self.text[: self.next.position]
        return self.tokens[self.at - 1].kind == "word" and not before.endswith((" ", ")", *SPACES))

    def touches(self):
        """Does a letter come next with no space before it? a/2b may be read in two ways, 1/2 b in one."""
        kind, text, at = self.next
        letter = kind == "accent" or (kind == "word" and (text in CONSTANTS or text not in WORDS))
        return letter and not (self.text[at - 1].isspace() or self.text[:at].endswith(SPACES))

    def group(self, close):
        r"""What stands in brackets, up to the closing one; {a \over b} is a fraction."""
        inside = self.expression()
        if over := self.take("over"):
            inside = self.node("/", (inside, self.expression()), over)
        self.expect(close)
        return inside

    def argument(self):
        r"""What \frac is followed by: a group in braces, one digit (\frac12 is 1/2), or one symbol."""
        token = self.next
        if token.kind == "number" and len(token.text) > 1 and token.text.isdigit():  # \frac12
            self.tokens[self.at : self.at + 1] = [token._replace(text=token.text[0]),
                                                  Token("number", token.text[1:], token.position + 1)]  # fmt: skip
        return self.factor()

    def factor(self):
        """A number, a symbol, a bracket, or a function with its argument."""
        kind, text, _ = token = self.take()
        if kind == "number":
            if len(text) > 40 or ("e" in text.lower() and abs(int(text.lower().split("e")[1])) > 300):
                self.fail("the number is too long", token)
            return self.node("number", (Fraction(text),), token)
        if kind == "sign" and text in ("(", "{", "["):
            return self.group({"(": ")", "{": "}", "[": "]"}[text])
        if kind == "sign" and text == "|":
            self.bars += 1
            inside = self.group("|")
            self.bars -= 1
            if self.next.text == "_" and (norm := self.subscript()[1]) != "2":  # ||x||_2 is the usual length
                self.fail(f"a norm with the index {norm} cannot be typed", token)
            return self.node("call", ("abs", inside), token)
        if kind == "word" and text == "frac":
            return self.node("/", (self.argument(), self.argument()), token)
        if kind == "word" and text in ("sum", "prod") and text not in self.names:
            return self.series(token)
        if kind == "word" and text in FUNCTIONS:
            return function(self, token)
        if kind in ("word", "accent"):
            return symbol(self, token)
        return self.fail("a number, a name or a bracket is missing here", token)

    def subscript(self):
        """An index after _: where it ends, its text, where it starts; None where there is none."""
        if not self.take("_"):
            return None
        start, grouped = self.at, self.next.text in ("{", "(")
        depth = 0
        while (token := self.take()).kind != "end":
            depth += (token.text in ("{", "(", "[")) - (token.text in ("}", ")", "]"))
            if depth <= 0 and self.next.text != "[":
                break
        inside = self.tokens[start + grouped : self.at - grouped]
        return self.at, "".join(t.text for t in inside), start

    def time_index(self, index):
        """The time at which a letter is meant: that of its index, _{t-1} or [t-1]."""
        tokens, at = self.tokens, self.at
        stop, _, self.at = index
        self.tokens = [
            *tokens[:stop],
            Token("end", "", tokens[stop].position),
        ]  # what stands behind it is not its
        inside = self.factor()
        self.tokens, self.at = tokens, at
        return inside

    def series(self, token):
        r"""sum(beta[i] for i in 1..t), or \sum_{i=1}^t beta_i, which sums the product that follows."""
        if self.take("_"):
            self.expect("{")
            name = self.take()
            self.expect("=")
            low = self.expression()
            self.expect("}")
            self.expect("**")
            high = self.factor()
            body = self.summand(name, 2, high)
            if body.op == "number" and self.next.text in ("+", "-"):
                self.fail(f"does the {token.text} end here? Write brackets")
        else:
            self.expect("(")
            ahead = [t.text for t in self.tokens[self.at :]]
            if "for" not in ahead[:-2]:
                self.fail(f"write {token.text}(beta[i] for i in 1..t)", token)
            body = self.summand(self.tokens[self.at + ahead.index("for") + 1], 1)
            self.expect("for")
            name = self.take()
            self.expect("in")
            low = self.expression()
            self.expect("..")
            high = self.expression()
            self.expect(")")
        return self.node(token.text, (name.text, low, high, body), token)

    def summand(self, name, least, high=None):
        """The term of a sum, in which the running index is a name as well."""
        if name.kind != "word":
            self.fail("the name of an index is missing here", name)
        outside = self.names, self.running, self.each
        self.names, self.running = self.names | {name.text: 1}, (*self.running, name.text)
        self.each += (name.text,) if high and high.args[0] == "d" else ()
        body = self.expression(least)
        self.names, self.running, self.each = outside
        return body
