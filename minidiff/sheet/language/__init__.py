r"""The small safe language in which a formula is typed, on a keyboard or pasted from LaTeX.

    (1 - alpha_bar[t-1]) / (1 - alpha_bar[t]) * beta[t]      arrays are indexed by times, 0..T; beta_t is beta[t]
    (1 - ᾱ_{t-1})/(1 - ᾱ_t) · β_t,  √(1-β_t) x_0,  σ²        what people type; 2ab and tx_1 are products
    sum(beta[i] for i in 1..t),  prod(alpha[i] for i in 1..t)
    \frac{1-\bar\alpha_{t-1}}{1-\bar\alpha_t}\beta_t         what people paste: LaTeX with its fonts, brackets and accents
    \tilde\beta_t = ...,  c x_0 \quad\text{where } c = 2     what stands before = is left out, a letter may be defined behind
    \nabla\log p_t(x),  \beta(t),  \mathrm{SNR}_t            letters of the entry as papers write them
    np.sqrt(alphas_cumprod[t]) * x0 + sigma_t * noise        code

Operators bind as in Python: -a**2 is -(a**2), a**b**c is a**(b**c). A product without a sign binds like one with it:
1/2 x is (1/2) x. Without parentheses log σ² is log(σ²), log 2πσ² of the product and log σ_2/σ_1 of the ratio; log(σ)² is
(log σ)², and so is log² σ. What print leaves open is asked about: x/2σ, log a b, √1 − β, βt, x_t-1, e beside ε, a = b = c.
log is natural, log_10 x and log10(x) are not. A network or a field may be written with what it is asked: eps_theta(x_t, t),
u_t(x). Asked elsewhere it answers another number than its letter.
beta without an index is beta[t]. Nothing is executed: names and functions come from a list, and length, depth,
powers and work are bounded. Numbers are exact fractions for as long as the values are; division by zero is inf or nan.

    spelling   what was typed, cut into tokens
    paste      what stands around a formula
    reals      numbers, exact or with the error that rounding may have made
    networks   what a network is asked
    functions  a function and its argument
    symbols    a letter with its accents and its index
    parser     tokens, grouped into a tree
"""

import math
from decimal import Context, Decimal
from fractions import Fraction
from typing import NamedTuple

from .networks import NETWORKS
from .parser import BINDING, Node, Parser
from .reals import CALLS, OPERATIONS, Near, number
from .spelling import NOTATIONS, ExpressionError

__all__ = ["NETWORKS", "NOTATIONS", "ExpressionError", "Near", "Node", "Tree", "evaluate", "intermediate", "parse", "show",
           "used"]  # fmt: skip
WORK = 20_000  # operations
CONSTANTS = {"pi": math.pi, "e": math.e}
ELSEWHERE = (
    Fraction(61, 83),
    Fraction(97, 71),
)  # slopes in place and time of what a network answers elsewhere


class Tree(NamedTuple):
    """A parsed expression: what was typed, its outermost operation, what stood before =, and whether that is 1/v or so."""

    text: str
    root: Node
    left: str = ""
    indirect: bool = False


def parse(text, scope, notation="ddpm", asks=None):
    """The Tree of what was typed. scope maps each known name to a number or an array (only that is looked at).

    notation names another book's letters (NOTATIONS). asks: {a network's letter: (place, time) that it means}, by
    default the NETWORKS anywhere. Raises ExpressionError, with the place of what is not understood.
    """
    if not text.strip():
        raise ExpressionError("the formula is empty")
    parser = Parser(text, scope, notation, asks)
    root = parser.expression()
    if parser.next.kind != "end":
        parser.fail(f"{parser.next.text!r} is not expected here")
    return Tree(text, root, parser.left, parser.indirect)


def evaluate(tree, scope, work=WORK):
    """The number, a Fraction while everything in it is exact, else a float with a bound of its .error; IEEE arithmetic.

    Raises ExpressionError for an index outside its array and for too much work.
    """
    left = work

    def value(node, scope):
        nonlocal left
        left -= 1
        if left < 0:
            raise ExpressionError(f"more than {work} operations", tree.text, node.position)
        op, args = node.op, node.args
        if op == "number":
            return args[0]
        if op == "name":
            return number(scope[args[0]] if args[0] in scope else CONSTANTS[args[0]])
        if op == "index":
            i, array = value(args[1], scope), scope[args[0]]
            if not (math.isfinite(i) and i == int(i) and 0 <= i < len(array)):
                where = f"indices are 0..{len(array) - 1}" if i == i // 1 else "an index is a whole number"
                raise ExpressionError(
                    f"{args[0]}[{float(i):g}] does not exist: {where}", tree.text, node.position
                )
            return number(array[int(i)])
        if op == "asked":  # any function that answers the letter's number where the letter says
            answer = number(scope[args[0]])
            for (asked, given), weight in zip(zip(args[1::2], args[2::2]), ELSEWHERE):
                answer += weight * (value(asked, scope) - value(given, scope)) if asked and given else 0
            return number(answer)
        if op in ("sum", "prod"):
            low, high = value(args[1], scope), value(args[2], scope)
            if not (math.isfinite(low) and math.isfinite(high) and low == int(low) and high == int(high)):
                raise ExpressionError("a sum runs over whole numbers", tree.text, node.position)
            total = Fraction(op == "prod")
            for i in range(int(low), int(high) + 1):
                term = value(args[3], {**scope, args[0]: i})
                total = number(total * term if op == "prod" else total + term)
            return total
        if op == "call":
            return number(CALLS[args[0]](*(value(a, scope) for a in args[1:])))
        return number(OPERATIONS[op](*(value(a, scope) for a in args)))

    return value(tree.root, scope)


def show(node, least=0):
    """The expression written out in our letters, with only the brackets it needs."""
    op, args = node.op, node.args
    if op == "number":
        if args[0].denominator == 1 and args[0] < 10**15:
            return f"{args[0]}"
        return str(Context(prec=50).divide(*map(Decimal, args[0].as_integer_ratio())).normalize()).replace(
            "E", "e"
        )  # 1e-9
    if op == "name":
        return args[0]
    if op == "index":
        return f"{args[0]}[{show(args[1])}]"
    if op == "call":
        return f"{args[0]}({', '.join(map(show, args[1:]))})"
    if op == "asked":
        place, time = (show(a) if a else "" for a in args[1::2])
        return (
            f"{args[0]}({place}, {time})"
            if place and time
            else f"{args[0]}({place})"
            if place
            else f"{args[0]}_{{{time}}}"
        )
    if op in ("sum", "prod"):
        return f"{op}({show(args[3])} for {args[0]} in {show(args[1])}..{show(args[2])})"
    binding = BINDING.get(op, 3)
    if op == "neg":
        text = f"-{show(args[0], 3)}"
    else:
        left, right = show(args[0], binding + (op == "**")), show(args[1], 3 if op == "**" else binding + 1)
        text = f"{left}{op}{right}" if op == "**" else f"{left} {op} {right}"
    return f"({text})" if binding < least else text


def used(node):
    """The names in an expression."""
    if node.op == "asked":  # not what it is asked
        return {node.args[0]}
    names = {node.args[0]} if node.op in ("name", "index") else set()
    inner = set().union(*(used(a) for a in node.args if isinstance(a, Node)))
    return names | (inner - {node.args[0]} if node.op in ("sum", "prod") else inner)


def intermediate(tree, scope):
    """[(what, its number), ...] in the order in which one would compute: every operation once, the whole expression last."""
    found = {}

    def visit(node):
        if node.op in ("number", "name"):
            return
        if node.op not in ("sum", "prod", "index"):  # what stands inside these depends on their index
            for a in node.args:
                if isinstance(a, Node):
                    visit(a)
        found[show(node)] = evaluate(Tree(tree.text, node), scope)

    visit(tree.root)
    return list(found.items())
