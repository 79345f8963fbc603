"""Runs the lessons, which are notebooks, without Jupyter: each in a fresh interpreter, from top to bottom.

    python tests/lessons.py                    compares what every lesson prints with what is stored in it
    python tests/lessons.py --write NAME ...   runs these notebooks and stores what they print and draw

An exercise is a cell that begins with `answer = ...` and ends with what judges it. Its metadata hold, for the
tests, a solution and wrong answers, each the right side of that first line:
{"exercise": {"solution": "...", "wrong": ["...", ...]}}.
"""

import argparse
import ast
import base64
import contextlib
import io
import json
import re
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

LESSONS = sorted((Path(__file__).parents[1] / "examples" / "lessons").glob("*.ipynb"))
NUMBER = re.compile(r"(?<![\w.])[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?")


def cells_of(path, kind):
    """The notebook's cells of a kind, code or markdown."""
    return [
        cell for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == kind
    ]


def value_of(source, names):
    """Runs a cell as a notebook does: (the value of its last expression or None, what it printed)."""
    body, last, printed = ast.parse(source).body, None, io.StringIO()
    with contextlib.redirect_stdout(printed):
        if body and isinstance(body[-1], ast.Expr) and not source.rstrip().endswith(";"):
            last = ast.Expression(body.pop().value)
        exec(compile(ast.Module(body, []), "cell", "exec"), names)
        value = eval(compile(last, "cell", "eval"), names) if last else None
    return value, printed.getvalue()


def outputs_of(value, printed, count):
    """What a notebook stores of it: text as printed, a figure as a PNG, any other value as its repr."""
    outputs = (
        [{"output_type": "stream", "name": "stdout", "text": printed.splitlines(True)}] if printed else []
    )
    if value is not None:
        data = {"text/plain": repr(value).splitlines(True)}
        if hasattr(value, "savefig"):
            drawn = io.BytesIO()
            # 800 pixels wide at most
            value.savefig(drawn, format="png", dpi=min(72, 800 / value.get_figwidth()))
            data = {"image/png": base64.b64encode(drawn.getvalue()).decode(), "text/plain": ["<a figure>"]}
        outputs.append(
            {"output_type": "execute_result", "execution_count": count, "metadata": {}, "data": data}
        )
    return outputs


def run(path):
    """[(outputs, [is the solution accepted?, is each wrong answer?]) of each code cell], in this process."""
    names, found = {"__name__": "__main__"}, []
    for count, cell in enumerate(cells_of(path, "code"), 1):
        source, accepted = "".join(cell["source"]), []
        if exercise := cell["metadata"].get("exercise"):
            first, _, rest = source.partition("\n")
            assert first.startswith("answer = "), (
                f"{path.name}: an exercise begins with answer = ..., not {first!r}"
            )
            for answer in (exercise["solution"], *exercise["wrong"]):
                accepted.append(bool(value_of(f"answer = {answer}\n{rest}", dict(names))[0]))
        found.append((outputs_of(*value_of(source, names), count), accepted))
    return found


def in_fresh_interpreter(path):
    """What run(path) finds in an interpreter of its own."""
    done = subprocess.run(
        [sys.executable, __file__, "--run", path], capture_output=True, text=True, check=False
    )
    assert not done.returncode, f"{path.name}\n{done.stderr}"
    return json.loads(done.stdout)


def texts(outputs):
    """What stands in a cell's outputs as text."""
    return "".join("".join(o.get("text") or o["data"]["text/plain"]) for o in outputs)


def same(a, b):
    """The same words, and the same numbers to the last digit printed, which processors round differently."""
    pairs = zip(NUMBER.findall(a), NUMBER.findall(b))
    units = ((Decimal(m), Decimal(n), Decimal(10) ** Decimal(m).as_tuple().exponent) for m, n in pairs)
    return NUMBER.sub("#", a) == NUMBER.sub("#", b) and all(abs(m - n) <= unit for m, n, unit in units)


def write(path):
    """Runs a notebook and stores its outputs in it."""
    book, found = json.loads(path.read_text(encoding="utf-8")), iter(in_fresh_interpreter(path))
    for count, cell in enumerate((c for c in book["cells"] if c["cell_type"] == "code"), 1):
        cell["outputs"], cell["execution_count"] = next(found)[0], count
    path.write_text(json.dumps(book, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--run", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--write", type=Path, nargs="+", metavar="NAME")
    args = parser.parse_args()
    if args.run:
        return print(json.dumps(run(args.run)))
    for path in args.write or []:
        write(path)
    different = 0
    for path in args.write or LESSONS:
        for cell, (outputs, _) in zip(cells_of(path, "code"), in_fresh_interpreter(path)):
            if not same(texts(cell["outputs"]), texts(outputs)):
                different += 1
                stored, now = texts(cell["outputs"]), texts(outputs)
                print(f"{path.name}, cell {cell['execution_count']}: stored\n{stored}\nnow\n{now}")
    return different


if __name__ == "__main__":
    sys.exit(main())
