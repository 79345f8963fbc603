"""A precedence parser: tokens in, a tree of operations out. Names come from the scope, functions from a list."""

from collections.abc import Sized
from fractions import Fraction
from typing import NamedTuple

from .networks import NETWORKS, asked
from .spelling import NOTATIONS, SPELLING, ExpressionError, Token, tokens

NESTING, DEPTH = 40, 150  # of brackets; of operations inside each other
FUNCTIONS = {"sqrt", "log", "exp", "sin", "cos", "tanh", "abs", "floor"}
CONSTANTS = ("pi", "e")
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
        self.tokens, self.at, self.nesting, self.bars = tokens(text, self.names, self.rename), 0, 0, 0

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
            opens = sign in ("(", "{") or (sign == "|" and not self.bars)
            opens |= sign == "[" and self.tokens[self.at - 1].kind != "word"  # x[1] is no product
            if (token.kind in ("number", "word", "accent") and token.text not in ("for", "in")) or opens:
                if token.kind == "number" and self.tokens[self.at - 1].kind == "number":
                    self.fail("two numbers with nothing between them")
                op, sign = "*", ""  # a product without a sign
            elif (op := sign) not in BINDING:
                break
            if BINDING[op] < least:
                break
            self.at += bool(sign)
            # -a**2 is -(a**2), 2**-1 is allowed, a**b**c groups to the right
            left = self.node(op, (left, self.expression(3 if op == "**" else BINDING[op] + 1)), token)
        self.nesting -= 1
        return left

    def group(self, close):
        """What stands in brackets, up to the closing one."""
        inside = self.expression()
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
            return self.node("call", ("abs", inside), token)
        if kind == "word" and text == "frac":
            return self.node("/", (self.argument(), self.argument()), token)
        if kind == "word" and text in ("sum", "prod") and text not in self.names:
            return self.series(token)
        if kind == "word" and text in FUNCTIONS:
            base = self.factor() if text == "log" and self.take("_") else None
            inside = self.factor() if self.next.text in ("(", "{") else self.expression(4)
            call = self.node("call", (text, inside), token)
            return self.node("/", (call, self.node("call", ("log", base), token)), token) if base else call
        if kind in ("word", "accent"):
            return self.symbol(token)
        return self.fail("a number, a name or a bracket is missing here", token)

    def subscript(self):
        """An index after _: its place among the tokens and its text; None where there is none."""
        if not self.take("_"):
            return None
        start, grouped = self.at, self.next.text in ("{", "(")
        depth = 0
        while (token := self.take()).kind != "end":
            depth += (token.text in ("{", "(", "[")) - (token.text in ("}", ")", "]"))
            if depth <= 0 and self.next.text != "[":
                break
        inside = self.tokens[start + grouped : self.at - grouped]
        return start, "".join(t.text for t in inside)

    def symbol(self, token):
        """A name with its accent and index: a number of the scope, or an element of one of its arrays."""
        first, accent, braces = token, "", 0
        while token.kind == "accent":
            accent += f"_{token.text}" if token.text else ""
            braces += bool(self.take("{"))
            token = self.take()
        if token.kind != "word":
            self.fail("a name is missing here", token)
        index = self.subscript()
        for _ in range(braces):
            self.expect("}")
        if index and index[1] in ("bar", "hat", "tilde"):  # α_bar_t
            accent, index = f"_{index[1]}", None
        index = index or self.subscript()
        base, sub = token.text, (index[1] if index else "").replace("t-1", "s")
        whole = self.our_name(base + accent)
        for name in (self.our_name(f"{base}_{sub}{accent}"), self.our_name(f"{base}{accent}_{sub}")) if index else (whole,):
            if name in self.names and not isinstance(self.names[name], Sized):
                return self.scalar(name, first)
        if whole in self.names and isinstance(self.names[whole], Sized):
            return self.node("index", (whole, self.time_index(index)), first)
        if whole in self.names and whole in self.asks and index:
            return self.scalar(whole, first, index)
        if whole in self.names and sub == "t":  # there is one t: sigma_t is sigma
            return self.scalar(whole, first)
        if whole in CONSTANTS and not index:
            return self.node("name", (whole,), first)
        typed = base + accent + (f"_{index[1]}" if index and index[1].isalnum() else f"_{{{index[1]}}}" if index else "")
        return self.fail(f"unknown name {typed!r}; in scope are {', '.join(self.names)}", first)

    def scalar(self, name, token, index=None):
        """A number of the scope, a network's with what it is asked."""
        return asked(self, name, token, index) if name in self.asks else self.node("name", (name,), token)

    def our_name(self, name):
        """Our name for a name of another spelling or book."""
        name = SPELLING.get(name, name)
        return self.rename.get(name, name)

    def time_index(self, index):
        """The time at which an array is meant: _{t-1}, [t-1] or (t-1); t where none is typed."""
        end = self.at
        if index:
            self.at = index[0]
            inside = self.factor()
            self.at = end
            return inside
        if self.next.text in ("[", "("):
            return self.factor()
        if "t" not in self.names:
            self.fail("an index is missing here, such as [i]")
        return self.node("name", ("t",), self.next)

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
            body = self.summand(name, 2)
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

    def summand(self, name, least):
        """The term of a sum, in which the running index is a name as well."""
        if name.kind != "word":
            self.fail("the name of an index is missing here", name)
        outside, self.names = self.names, self.names | {name.text: 1}
        body = self.expression(least)
        self.names = outside
        return body
