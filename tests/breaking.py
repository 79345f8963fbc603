"""Breaks one function of a copy of the package: its numbers come out 0.9 times as large.

Used by test_law.py and index.py.
"""

import ast

BROKEN = '''

def _broken(f):
    """f with numbers 0.9 times as large, whatever they come out in."""
    import dataclasses, inspect, types

    def smaller(y):
        if isinstance(y, types.FunctionType):
            return lambda *args, **kwargs: smaller(y(*args, **kwargs))
        if isinstance(y, types.GeneratorType):
            return (smaller(part) for part in y)
        if dataclasses.is_dataclass(y) and not isinstance(y, type):
            fields = {k: smaller(v) for k, v in vars(y).items() if not k.startswith("_")}
            return dataclasses.replace(y, **{k: v for k, v in fields.items() if k in y.__dataclass_fields__})
        if isinstance(y, (tuple, list)):
            return type(y)(smaller(part) for part in y)
        if isinstance(y, dict):
            return {k: smaller(w) for k, w in y.items()}
        if isinstance(y, float):
            return 0.9 * y
        return (0.9 * y).astype(y.dtype) if getattr(getattr(y, "dtype", None), "kind", "?") in "fiu" else y

    if isinstance(f, type):  # every method that is its own
        for name, method in list(vars(f).items()):
            if inspect.isfunction(method) and (not name.startswith("_") or name == "__call__"):
                setattr(f, name, _broken(method))
        return f

    import functools

    @functools.wraps(f)
    def broken(*args, **kwargs):
        return smaller(f(*args, **kwargs))

    return broken

'''


def plant(path, name):
    """Breaks `name`, "f" or "Class.method", in the file at path, where it is defined."""
    text = path.read_text(encoding="utf-8")
    body, lines = ast.parse(text).body, text.splitlines()
    inner = body
    for part in name.split("."):
        node = next(n for n in inner if isinstance(n, ast.FunctionDef | ast.ClassDef) and n.name == part)
        inner = node.body
    at = min([node.lineno, *(d.lineno for d in node.decorator_list)]) - 1
    lines.insert(at, " " * node.col_offset + "@_broken")
    lines.insert(body[0].end_lineno, BROKEN)  # below the docstring
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
