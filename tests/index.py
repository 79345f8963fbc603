"""Equation -> line -> test: the test that fails when a function is broken.

    python tests/index.py             breaks each function of minidiff/sheet/tests.txt in a copy
    python tests/index.py --find      finds a test for each function with an equation, rewrites tests.txt
                                      and equations.md

Exit status 1 if a test does not notice that its function is broken.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import local

from breaking import plant
from mutate import copy_of_the_project
from test_design import PACKAGE, ROOT, TAG, functions

TESTS, INDEX = PACKAGE / "sheet" / "tests.txt", ROOT / "examples" / "equations.md"
SLOW = "test_law.py test_design.py test_examples.py test_lessons.py cli learn".split()
WIDE = ["tests", *(f"--ignore=tests/{name}" for name in SLOW)]


def home_of(name):
    """The file of "gaussian.posterior", from minidiff/; of two with one name, the one that holds the rest."""
    module, *rest = name.split(".")
    for path in sorted(PACKAGE.rglob(f"{module}.py")):
        if re.search(rf"^(?:def|class) {rest[0]}\b|^{rest[0]} = ", path.read_text(encoding="utf-8"), re.M):
            return path.relative_to(PACKAGE)
    sys.exit(f"{name} stands in no file of the package")


def failures(folder, name, tests):
    """The tests that fail when the function is broken in the copy."""
    path = folder / "minidiff" / home_of(name)
    before = path.read_text(encoding="utf-8")
    plant(path, ".".join(name.split(".")[1:]))
    env = os.environ | {
        "PYTHONPATH": str(folder),
        "PYTHONDONTWRITEBYTECODE": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MINIDIFF_THREADS": "1",
        "CI": "true",  # then Hypothesis draws the same examples each time
    }
    options = "-q -p no:cacheprovider -W ignore --tb=no -rfE".split()
    command = [sys.executable, "-m", "pytest", *options, *tests]
    try:
        out = subprocess.run(
            command, cwd=folder, env=env, capture_output=True, text=True, timeout=600, check=False
        ).stdout
    finally:
        path.write_text(before, encoding="utf-8")
    return list(dict.fromkeys(re.findall(r"^(?:FAILED|ERROR) (tests/[\w/]+\.py::\w+)", out, re.M)))


def nearest(name, failed):
    """Of the tests that fail, the one that says most of the function's name."""
    words = set(re.findall(r"[a-z0-9]+", name.split(".", 1)[1].lower()))
    return max(
        failed, key=lambda t: len(words & set(re.findall(r"[a-z0-9]+", t.split("::")[1]))), default=None
    )


def rewrite(found):
    """tests.txt, and examples/equations.md: a row for each equation and function."""
    TESTS.write_text("".join(f"{name} {test}\n" for name, test in sorted(found.items())), encoding="utf-8")
    tags = [(tag, name) for name, doc in functions() for tag in TAG.findall(doc or "")]
    listed = re.findall(r"^\| ([^|]+?) \|", INDEX.read_text(encoding="utf-8"), re.M)
    order = {tag: i for i, tag in enumerate(dict.fromkeys(listed))}
    rows = sorted(set(tags), key=lambda row: (order.get(row[0], len(order)), row))
    table = "| where | in minidiff | the test that would fail |\n|---|---|---|\n"
    table += "".join(f"| {tag} | `{name}` | `{found[name].removeprefix('tests/')}` |\n" for tag, name in rows)
    before, _, after = INDEX.read_text(encoding="utf-8").split("<!-- equations -->\n")
    mark = "<!-- equations -->\n"
    INDEX.write_text(f"{before}{mark}{table}{mark}{after}", encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--find", action="store_true", help="find the tests anew")
    args, mine = parser.parse_args(), local()
    known = dict(line.split() for line in TESTS.read_text(encoding="utf-8").splitlines())
    wanted = {name for name, doc in functions() if TAG.findall(doc or "")} | set(known)

    def run(name):
        if not hasattr(mine, "folder"):
            mine.folder = copy_of_the_project(Path(tempfile.mkdtemp(dir=folder)))
        if not args.find:
            return name, next(iter(failures(mine.folder, name, [known[name]])), None)
        path = home_of(name)
        mirror = f"tests/{path.parent.as_posix()}/test_{path.stem}.py".replace("/./", "/")
        failed = failures(mine.folder, name, [mirror]) or failures(mine.folder, name, WIDE)
        print(f"{name} {nearest(name, failed)}", flush=True)
        return name, nearest(name, failed)

    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(os.cpu_count()) as pool:
        found = dict(pool.map(run, sorted(wanted)))
    for name in sorted(n for n, test in found.items() if test is None):
        print(f"{name} may be broken, and {known.get(name, 'no test')} does not notice")
    if args.find and None not in found.values():
        rewrite(found)
    noticed = sum(test is not None for test in found.values())
    print(f"{noticed} of {len(found)} broken functions are noticed by their test")
    return int(None in found.values())


if __name__ == "__main__":
    sys.exit(main())
