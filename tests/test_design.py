"""The book's own rules: who imports whom, which equation stands where, and that the README tells the truth."""

import ast
import inspect
import pkgutil
import re
import shlex
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from matplotlib.figure import Figure
from mutate import NAMED

import minidiff
from minidiff import data, sample, schedule
from minidiff.cli import checkpoint
from minidiff.cli import parser as cli
from minidiff.continuous import solvers
from minidiff.sheet import SHEET

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "minidiff"
README = (ROOT / "README.md").read_text(encoding="utf-8")
ORDER = [*minidiff._MODULES, "__main__"]
PAPERS = "DDPM|DDIM|Improved DDPM|Score SDE|Progressive Distillation|VDM|EDM|DPM-Solver|Min-SNR|SD3|Flow Matching"
PAPERS += "|Rectified Flow|CFG|Guided Diffusion|RePaint|FID|SSIM|GroupNorm|DiT"
PAPERS += "|Adam|Transformer|CME296|Szekely|Bonneel|Salmon|Box"
INNER = sorted(PACKAGE.glob("*/*.py"))  # the packages inside: expression, formulas
TAG = re.compile(rf"\[((?:{PAPERS})[^\]]*)\]")


def imports_of(path):
    """The sibling modules that a file imports anywhere, and the packages from outside."""
    siblings, outside = set(), set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            siblings |= {node.module.split(".")[0]} if node.module else {a.name for a in node.names}
        elif isinstance(node, ast.ImportFrom):
            outside.add(node.module.split(".")[0])
        elif isinstance(node, ast.Import):
            outside |= {a.name.split(".")[0] for a in node.names}
    return siblings - {"__version__"}, outside


def test_the_list_in_the_docstring_is_the_files():
    files = {p.stem for p in PACKAGE.glob("*.py")} - {"__init__", "__main__"} | {p.parent.name for p in INNER}
    assert set(minidiff._MODULES) == files and len(minidiff._MODULES) == len(files)


@pytest.mark.parametrize("name", ORDER)
def test_a_file_imports_only_from_files_above_it(name):
    if (PACKAGE / name).is_dir():
        pytest.skip("a package: its files are read below")
    siblings, outside = imports_of(PACKAGE / f"{name}.py")
    assert siblings <= set(ORDER[: ORDER.index(name)])
    if name == "kernels":
        assert not siblings
    assert ("numba" in outside) == (name == "kernels")
    assert ("matplotlib" in outside) == (name in ("figures", "data", "pages"))
    assert outside <= {"numba", "numpy", "matplotlib", "tqdm"} | sys.stdlib_module_names


@pytest.mark.parametrize("path", INNER, ids=lambda p: f"{p.parent.name}.{p.stem}")
def test_a_file_of_an_inner_package_imports_only_from_above(path):
    """`from ..x` must stand above its package in the list, `from .x` above it in the package's own."""
    files = {p.stem for p in path.parent.glob("*.py")} - {"__init__"}
    doc = ast.get_docstring(ast.parse((path.parent / "__init__.py").read_text(encoding="utf-8")))
    order = [name for name in re.findall(r"^    (\w+)  +\S", doc, re.M) if name in files] + ["__init__"]
    assert sorted(order) == sorted(files | {"__init__"})
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        names = {a.name.split(".")[0] for a in node.names}
        names = {node.module.split(".")[0]} if isinstance(node, ast.ImportFrom) and node.module else names
        level = getattr(node, "level", 0)
        if level == 2:
            assert names <= set(ORDER[: ORDER.index(path.parent.name)])
        elif level == 1:
            assert names & files <= set(order[: order.index(path.stem)])
        else:
            assert names <= {"numpy", "tqdm"} | sys.stdlib_module_names


def test_importing_minidiff_loads_nothing_heavy():
    code = "import sys, minidiff, minidiff.cli; assert not {'numpy', 'numba', 'matplotlib', 'tqdm'} & set(sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_central_names():
    for name in minidiff.__all__:
        assert getattr(minidiff, name) is not None
    assert minidiff.linear is schedule.linear and "cosine" in dir(minidiff)
    with pytest.raises(AttributeError, match="nothing"):
        minidiff.nothing  # noqa: B018


def functions():
    """(module.name, docstring) of everything public, methods included."""
    for info in pkgutil.iter_modules([str(PACKAGE)]):
        if info.name == "__main__":
            continue
        module = import_module(f"minidiff.{info.name}")
        for name, f in vars(module).items():
            home = getattr(f, "__module__", None)
            if (
                name.startswith("_")
                or home != module.__name__
                or not (inspect.isfunction(f) or inspect.isclass(f) or hasattr(f, "py_func"))
            ):
                continue
            yield f"{info.name}.{name}", inspect.getdoc(f)
            if inspect.isclass(f):
                for method, g in vars(f).items():
                    if not method.startswith("_") and inspect.isfunction(g) and g.__qualname__.startswith(name):
                        yield f"{info.name}.{name}.{method}", inspect.getdoc(g)


def test_everything_public_has_a_docstring():
    assert [name for name, doc in functions() if not doc and not name.startswith("cli.Parser")] == []


def test_equation_index_is_the_docstrings_tags():
    """README's table | tag | function | against the tags found in docstrings: a stale or a missing row fails."""
    in_code = {(tag, name) for name, doc in functions() for tag in TAG.findall(doc or "")}
    table = README.split("<!-- equations -->")[1]
    in_readme = set()
    for line in table.splitlines():
        if cells := re.match(r"\| ([^|]+) \| (.+) \|$", line):
            in_readme |= {(cells[1].strip(), f) for f in re.findall(r"`([\w.]+)`", cells[2])}
    assert in_readme == in_code


def test_readme_commands_exist():
    parser = cli.parser()
    for block in re.findall(r"```sh\n(.*?)```", README, re.S):
        for line in block.splitlines():
            for part in line.split("&&"):
                words = shlex.split(part, comments=True)
                if words[:1] == ["minidiff"]:
                    parser.parse_args(words[1:])  # SystemExit if it is not understood


def test_readmes_notebook_cell_runs_and_ends_with_its_figure(capsys):
    """A notebook shows the value of a cell's last expression. And what is printed is what the comment beside it says."""
    (block,) = re.findall(r"```python\n(.*?)```", README, re.S)
    *before, last = ast.parse(block).body
    names = {}
    exec(compile(ast.Module(before, []), "README.md", "exec"), names)
    assert isinstance(last, ast.Expr)
    assert isinstance(eval(compile(ast.Expression(last.value), "README.md", "eval"), names), Figure)
    (said,) = re.findall(r"print\(.*\)  # ([0-9.]+): ", block)
    assert f"{float(capsys.readouterr().out):.3f}" == said


def test_help_names_what_the_library_knows():
    helps = " ".join(cli.parser()._subparsers._group_actions[0].choices["train"].format_help().split()).replace(
        "- ", "-"
    )  # argparse breaks lines at hyphens
    for name in [*data.NAMES, *schedule.SCHEDULES, *checkpoint.OBJECTIVES, *checkpoint.WEIGHTS, *checkpoint.TIMES]:
        assert name in helps
    helps = " ".join(cli.parser()._subparsers._group_actions[0].choices["sample"].format_help().split()).replace(
        "- ", "-"
    )  # argparse breaks lines at hyphens
    for name in [*sample.SPACINGS, *solvers.SAMPLERS, *solvers.VARIANCES]:
        assert name in helps


def test_every_command_has_an_example_that_parses():
    for name, p in cli.parser()._subparsers._group_actions[0].choices.items():
        words = shlex.split(p.epilog.removeprefix("example: "))
        assert words[:2] == ["minidiff", name]
        cli.parser().parse_args(words[1:])


def test_top_level_holds_what_it_should():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    tracked = {line.split("/")[0] for line in listed.stdout.splitlines() if not line.startswith(".")}
    assert tracked == {"setup.py", "README.md", "LICENSE", "CONTRIBUTING.md", "pyproject.toml", "minidiff", "tests", "examples"}


def test_files_stay_small():
    assert all(len(p.read_text(encoding="utf-8").splitlines()) <= 250 for p in INNER)
    sizes = {p.name: len(p.read_text(encoding="utf-8").splitlines()) for p in PACKAGE.glob("*.py")}
    assert all(n <= 250 for name, n in sizes.items() if name != "kernels.py")
    core = ("schedule", "gaussian", "exact", "data", "layers", "loss", "mlp", "optim", "sample", "recursion")
    assert sum(sizes[f"{c}.py"] for c in core) < 1500 and sum(sizes.values()) < 6700


def test_every_named_mistake_finds_its_line_and_its_test():
    """mutate.py plants them for minutes in CI; that a rewritten line has outrun its mistake is seen here in no time."""
    for what, file, before, after, test in NAMED:
        path, name = test.split("::")
        assert (PACKAGE / f"{file}.py").read_text(encoding="utf-8").count(before) == 1 and before != after, what
        assert f"def {name.split('[')[0]}(" in (ROOT / "tests" / path).read_text(encoding="utf-8"), what


def test_readme_counts_the_sheet():
    assert f"as {len(SHEET)} entries" in README and f"so are {sum(len(f.wrong) for f in SHEET)} wrong versions" in README
