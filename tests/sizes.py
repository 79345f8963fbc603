"""How large the rooms are, in nodes of the syntax tree, which cannot be packed: the limits, what is there.

    python tests/sizes.py             a line for each room; exit status 1 if one is over its limit

A node is whatever ast.walk finds, without operators and contexts, docstrings, annotations and Protocols. Text
that holds code (a .txt with a def or a class in it) counts by its words. Density is nodes a line of code: of
a line that holds more than a comment or a docstring.
"""

import ast
import re
import sys
import tokenize
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "minidiff"
LIMITS = {
    "core": 5000,
    "philox": 700,  # a file of the core that no lecture needs
    "continuous": 2500,
    "pictures": 3500,
    "evaluation": 4000,
    "fast": 12_500,
    "runs": 11_000,
    "cli": 13_000,
    "learn": 7000,
    "sheet": 16_000,
    "sheet, lectures": 33_500,
}
DENSEST = {"core": 8}  # nodes a line of code; 10 in other rooms
HELD = ast.Module | ast.ClassDef | ast.FunctionDef  # what has a docstring
UNCOUNTED = ast.operator | ast.unaryop | ast.cmpop | ast.boolop | ast.expr_context
NO_CODE = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}
NO_CODE |= {tokenize.ENCODING, tokenize.ENDMARKER}


def room_of(path):
    """The room of a file of the package: its folder, or the core; lectures and philox are counted apart."""
    first, *rest = path.relative_to(PACKAGE).parts
    if not rest:
        return "philox" if first == "philox.py" else "core"
    return "sheet, lectures" if first == "sheet" and rest[0].startswith("lecture") else first


def docstring_of(node):
    """The statement that is a module's, a class' or a function's docstring."""
    if isinstance(node, HELD) and ast.get_docstring(node, clean=False) is not None:
        return node.body[0]


def is_protocol(node):
    """class X(Protocol), which only describes."""
    bases = node.bases if isinstance(node, ast.ClassDef) else []
    return any("Protocol" in (getattr(b, "id", ""), getattr(b, "attr", "")) for b in bases)


def count(node):
    """Nodes in this part of a tree."""
    if isinstance(node, UNCOUNTED) or is_protocol(node):
        return 0
    words = [docstring_of(node), getattr(node, "annotation", None), getattr(node, "returns", None)]
    return 1 + sum(count(child) for child in ast.iter_child_nodes(node) if child not in words)


def code_lines(path, tree):
    """How many lines hold code."""
    found = set()
    with path.open("rb") as file:
        for token in tokenize.tokenize(file.readline):
            if token.type not in NO_CODE:
                found |= set(range(token.start[0], token.end[0] + 1))
    for words in map(docstring_of, ast.walk(tree)):
        if words is not None:
            found -= set(range(words.lineno, words.end_lineno + 1))
    return len(found)


def sizes():
    """{room: (nodes, lines of code)}, the largest first."""
    found = {}
    for path in sorted(PACKAGE.rglob("*")):
        nodes = lines = 0
        if path.suffix == ".py":
            tree = ast.parse(path.read_text(encoding="utf-8"))
            nodes, lines = count(tree), code_lines(path, tree)
        elif path.suffix == ".txt":
            text = path.read_text(encoding="utf-8")
            nodes = len(re.findall(r"\w+", text)) if re.search(r"^\s*(def|class) \w", text, re.M) else 0
        if nodes:
            before = found.get(room_of(path), (0, 0))
            found[room_of(path)] = before[0] + nodes, before[1] + lines
    return dict(sorted(found.items(), key=lambda item: -item[1][0]))


def over(room, nodes, lines):
    """What is wrong with a room's size, in words: "" if nothing."""
    if nodes > LIMITS.get(room, 0):
        return f"{nodes} nodes, at most {LIMITS.get(room, 0)}"
    density, most = nodes / max(lines, 1), DENSEST.get(room, 10)
    return f"{density:.2f} nodes a line of code, at most {most}" if density > most else ""


def main():
    found, wrong = sizes(), 0
    print(f"{'room':16}{'nodes':>8}{'limit':>8}{'density':>9}")
    for room, (nodes, lines) in found.items():
        said = over(room, nodes, lines)
        wrong += bool(said)
        print(f"{room:16}{nodes:8}{LIMITS.get(room, 0):8}{nodes / max(lines, 1):9.2f}  {said}".rstrip())
    print(f"{'all':16}{sum(nodes for nodes, _ in found.values()):8}")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
