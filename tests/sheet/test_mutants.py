"""Never a false right: every small mistake in every answer is refuted, or is none, by another arithmetic.

A mutant is the answer with one thing changed: an index, a letter, a sign, a root, a square, a factor, a term,
what a network is asked. Whether it is a mistake is decided without the sheet's parser and arithmetic: Python
reads it and NumPy computes it, on other cases than check draws. A mutant that agrees there to 1e-9 of the
largest number met is computed again with 60 digits.
"""

import functools
import itertools
import math
import re
from decimal import Decimal, InvalidOperation, localcontext
from fractions import Fraction

import numpy as np
import pytest

from minidiff.sheet import SHEET
from minidiff.sheet.checking import ENOUGH, N, check
from minidiff.sheet.entry import random_case, round_cases
from minidiff.sheet.language import ExpressionError, Tree, evaluate, parse, show
from minidiff.sheet.version import agree, sees, version_of

EXPRESSIONS = [f for f in SHEET if f.answer is not None]
MUTANTS = 17_000  # at least; all refuted, or shown to be equal
SOME = 40  # of check's cases
ARRAYS = ("beta", "alpha", "alpha_bar")
WHOLE = parse("1 + t - 1", {"t": 1}).root  # nodes to build others of
ONE = WHOLE.args[1]


def op(sign, *args):
    """A Node of an operation."""
    return ONE._replace(op=sign, args=args)


def shifts(node):
    """A time or a place, one step early or late, or taken from 1."""
    return [op("-", node, ONE), op("+", node, ONE), op("-", ONE, node)]


def changed(node, entry):
    """The Nodes that a mistake at the node itself gives."""
    kind, args = node.op, node.args
    if kind == "number":
        return [node._replace(args=(args[0] + 1,)), node._replace(args=(args[0] / 2,))]
    if kind == "name":
        scalars = [k for k in entry.scope if k not in (*ARRAYS, "tau")]
        same = [
            k
            for k in scalars
            if args[0] in scalars and k != args[0] and entry.meaning(k)[0] == entry.meaning(args[0])[0]
        ]
        found = [op("neg", node), op("**", node, op("number", Fraction(2))), op("-", ONE, node)]
        if args[0] in entry.networks:
            place, time = (
                parse(text, entry.around(next(round_cases(entry)))).root for text in entry.networks[args[0]]
            )
            for asked in (
                (op("name", "x_s"), time),
                (place, op("-", time, ONE)),
                (op("neg", place), time),
                (op("name", "x_0"), time),
            ):
                found.append(op("asked", args[0], asked[0], None, asked[1], None))
            found.append(op("asked", args[0], op("*", ONE, place), None, time, None))  # right
        return found + [node._replace(args=(k,)) for k in same]
    if kind == "index":
        others = [k for k in ARRAYS if args[0] in ARRAYS and k != args[0]]
        at = [op("name", "T"), *shifts(args[1])] if args[0] in ARRAYS else shifts(args[1])
        found = [node._replace(args=(args[0], i)) for i in at] + [
            node._replace(args=(k, args[1])) for k in others
        ]
        if args[1].op == "index":  # alpha_bar[i] for alpha_bar[tau[i]]
            found.append(node._replace(args=(args[0], args[1].args[1])))
        return [*found, op("-", ONE, node), op("neg", node), op("call", "sqrt", node)]
    if kind == "call":
        return [args[1], op("**", node, op("number", Fraction(2))), op("neg", node)]
    if kind == "neg":
        return [args[0]]
    if kind in ("sum", "prod"):
        name, low, high, body = args
        return [op(kind, name, op("+", low, ONE), high, body), op(kind, name, low, op("-", high, ONE), body),
                op("sum" if kind == "prod" else "prod", *args)]  # fmt: skip
    a, b = args
    found = [a, b, *(op(other, a, b) for other in "+-*/" if other != kind)]
    return found + ([op(kind, b, a)] if kind != "**" else [])


def mutants(node, entry):
    """All trees that differ from this one in one place."""
    yield from changed(node, entry)
    for k, a in enumerate(node.args):
        inside = hasattr(a, "op") and not (node.op == "index" and a.op != "index")  # changed knows the index
        for other in mutants(a, entry) if inside else ():
            yield node._replace(args=(*node.args[:k], other, *node.args[k + 1 :]))


@functools.cache
def texts(entry):
    """{a mutant as one would type it: its tree}.

    None for one that asks a network, which only the parser gives its meaning.
    """
    tree = parse(entry.answer, next(round_cases(entry)))
    found = {show(m): m for m in mutants(tree.root, entry)}
    return {
        k: None if "asked" in repr(found[k]) else Tree(k, found[k])
        for k in sorted(found)
        if k != show(tree.root)
    }


class Array(list):
    """Indices from 0, as the sheet's."""

    def __getitem__(self, i):
        if i != int(i) or not 0 <= i < len(self):
            raise IndexError
        return super().__getitem__(int(i))


def python(text, networks):
    """The text as Python's own compiler has it; a network is a function of what it is asked."""
    text = re.sub(r"\blambda\b", "lambda_", text)  # a word of Python's
    text = re.sub(r" in (.+?)\.\.([^()]+)\)", r" in whole(\1, \2))", text)
    for k in networks:
        text = re.sub(rf"\b{k}\(", f"asked_{k}(", text)
    return compile(re.sub(r"(?<![\w.])(\d+\.?\d*(e-?\d+)?)", r"number('\1')", text), text, "eval")


def cosine(a):
    """By its series: Decimal has none."""
    terms = itertools.accumulate(
        range(1, 120), lambda term, k: term * -a * a / ((2 * k - 1) * (2 * k)), initial=Decimal(1)
    )
    return sum(terms)


def whole(low, high):
    """The numbers that a sum runs over."""
    if low != int(low):
        raise IndexError
    return map(type(low), range(int(low), int(high) + 1))


def where(f):
    """A function of positive numbers, nan elsewhere."""
    return lambda a: f(a) if a >= 0 else Decimal("nan")


PI = "3.14159265358979323846264338327950288419716939937510582097494459230781640629"
FLOATS = {k: getattr(np, k) for k in ("sqrt", "exp", "log", "tanh", "cos", "sin")} | {"number": np.float64}
DIGITS = {
    "number": Decimal, "sqrt": where(Decimal.sqrt), "exp": Decimal.exp, "log": where(Decimal.ln),
    "cos": cosine, "sin": lambda a: cosine(a - Decimal(PI) / 2),
    "tanh": lambda a: 1 - 2 / ((2 * a).exp() + 1),
}  # fmt: skip


def scope(entry, c, functions):
    """Letters and functions for python's code, from a case in fractions.

    With Decimal all that follows has its digits.
    """
    number, root = functions["number"], functions["sqrt"]

    def convert(v):
        if isinstance(v, tuple):
            return Array(map(convert, v))
        return number(float(v)) if isinstance(v, float) else number(v.numerator) / number(v.denominator)

    s = {k: convert(v) for k, v in c.items()}
    s["lambda_"] = s.get("lambda")
    s |= functions | {"min": min, "max": max, "abs": abs, "pi": number(PI)}
    s |= {
        "floor": lambda a: number(math.floor(a)),
        "whole": whole,
        "sum": lambda terms: sum(terms, number(0)),
        "prod": lambda terms: math.prod(terms, start=number(1)),
    }
    if "beta" in c:
        at = s["t"] if entry.counts_steps() else s["tau"][s["i"]] if entry.counts_steps("i") else 1
        ab_t = s["alpha_bar"][at]
        if {"x_0", "eps", "x_t"} <= set(entry.scope):
            s["x_t"] = root(ab_t) * s["x_0"] + root(1 - ab_t) * s["eps"]
        if "x_0_hat" in entry.scope:
            s["x_0_hat"] = (s["x_t"] - root(1 - ab_t) * s["eps_hat"]) / root(ab_t)
    around = {
        k: convert(v)
        for k, v in (entry.around(c) if entry.networks else {}).items()
        if not isinstance(v, tuple)
    }
    s = around | s
    for k, given in entry.networks.items():
        place, time = (eval(python(text, ()), s) for text in given)
        s[f"asked_{k}"] = functools.partial(network, s[k], place, time)
    return s


def network(letter, place, time, x, t):
    """Any function that answers its letter where the letter says."""
    return letter + 7 * (x - place) + 13 * (t - time)


def value(code, s):
    """The number, nan where an index leaves its array."""
    try:
        return eval(code, s)
    except (IndexError, ArithmeticError):
        return math.nan


def differs(code, right, scopes, tolerance):
    """Whether a mutant differs from the answer in some case, by more than tolerance of the numbers met."""
    for s, b in zip(scopes, right):
        if math.isfinite(b):
            a = value(code, s)
            if not math.isfinite(a) or abs(a - b) > tolerance * max(abs(a), abs(b), 1):
                return True
    return False


def prepared(entry):
    """Some of check's cases with the right answer, others for Python in float64 and in 60 digits.

    And how far these may be off.

    Letters that follow from others by an entry's own root or logarithm are floats in a case, within 1e-15 of
    what they mean.
    """
    rng, right = np.random.default_rng([0, 1]), version_of(entry.answer, next(round_cases(entry)))
    drawn = [(c, right.real(c)) for c in (random_case(entry, rng) for _ in range(SOME))]
    others = [random_case(entry, np.random.default_rng([7, k])) for k in range(40)]
    floats, digits = [scope(entry, c, FLOATS) for c in others], [scope(entry, c, DIGITS) for c in others[:4]]
    exact = not any(isinstance(v, float) for k, v in others[0].items() if k not in ("x_t", "x_0_hat"))
    finite = [(c, b) for c, b in drawn if math.isfinite(b)]
    return finite, floats, digits, Decimal("1e-40" if exact else "1e-12")


def refuted(entry, text, tree, cases):
    """What check does first, without the words: is there a case in which it differs from the right answer?"""
    typed, seen = version_of(text, next(round_cases(entry)), letters=entry) if tree is None else None, 0
    try:
        for c, b in cases:
            if not agree(a := evaluate(tree, c) if tree else typed.real(c), b):
                return True
            seen += sees(a, b)
    except ExpressionError:  # not understood, or an index that leaves its array
        return True
    return seen < SOME * ENOUGH / N  # not understood: rounding hides what it is


@pytest.mark.parametrize("entry", EXPRESSIONS, ids=lambda f: f.name)
def test_every_mutant_is_refuted_or_equal(entry):
    with np.errstate(all="ignore"), localcontext(prec=60) as context:
        context.traps[InvalidOperation] = False
        cases, floats, digits, tolerance = prepared(entry)
        answer = python(show(parse(entry.answer, cases[0][0]).root), entry.networks)
        rights = [[value(answer, s) for s in scopes] for scopes in (floats, digits)]
        for text, tree in texts(entry).items():
            code = python(text, entry.networks)
            mistake = differs(code, rights[0], floats, 1e-9)
            assert refuted(entry, text, tree, cases) == mistake, text
            assert mistake or not differs(code, rights[1], digits, tolerance), text


def test_thirty_mutants_in_full():
    """As text, and by check itself with its words; an equal one may be told that it goes in a circle."""
    every = [(entry, text) for entry in EXPRESSIONS for text in texts(entry)]
    for entry, text in every[:: len(every) // 30]:
        assert bool(check(entry.name, text)) != refuted(entry, text, None, prepared(entry)[0]), (
            entry.name,
            text,
        )
    assert len(every) >= MUTANTS
