"""The book's own rules: who imports whom, which equation stands where, and that the README tells the truth."""

import ast
import inspect
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
from minidiff import schedule
from minidiff import __main__ as cli
from minidiff.runs import names
from minidiff.sheet import SHEET

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "minidiff"
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = {
    p.relative_to(ROOT).as_posix(): p.read_text(encoding="utf-8")
    for p in [ROOT / "README.md", *ROOT.glob("examples/**/*.md")]
}
ROOMS = ["continuous", "pictures", "evaluation", "fast", "runs", "sheet", "cli", "learn"]
LIMITS = {"continuous": 700, "pictures": 450, "evaluation": 350, "fast": 1700, "runs": 1100, "sheet": 2600, "cli": 1700,
          "learn": 700}  # lines; not moved  # fmt: skip
PAPERS = (
    "DDPM|DDIM|Improved DDPM|Score SDE|Progressive Distillation|VDM|EDM|DPM-Solver|Min-SNR|SD3|Flow Matching"
)
PAPERS += "|Rectified Flow|CFG|Guided Diffusion|RePaint|FID|SSIM|GroupNorm|DiT"
PAPERS += "|Adam|Transformer|CME296|Szekely|Bonneel|Salmon|Box"
FILES = sorted(p for p in PACKAGE.rglob("*.py"))
TAG = re.compile(rf"\[((?:{PAPERS})[^\]]*)\]")


def listed(folder):
    """The reading order of a folder: the names in its __init__'s docstring, each with its description."""
    doc = ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8")))
    return re.findall(r"^(?:    )?(\w+)  +\S", doc, re.M)


def lines_of(path):
    return path.read_text(encoding="utf-8").splitlines()


def imports_of(path):
    """The package's modules that a file imports anywhere, as paths from minidiff/, and the packages beyond."""
    inside, outside, here = set(), set(), path.relative_to(PACKAGE).parent.parts
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = [*here[: len(here) - node.level + 1], *(node.module or "").split(".")]
            base = "/".join(part for part in base if part)
            for alias in node.names:
                deeper = f"{base}/{alias.name}".strip("/")
                known = (PACKAGE / f"{deeper}.py").exists() or (PACKAGE / deeper).is_dir()
                inside.add(deeper if known else base)
        elif isinstance(node, ast.ImportFrom):
            outside.add(node.module.split(".")[0])
        elif isinstance(node, ast.Import):
            outside |= {a.name.split(".")[0] for a in node.names}
    return inside - {"", "__version__"}, outside


@pytest.mark.parametrize(
    "folder",
    [PACKAGE, *(PACKAGE / room for room in ROOMS), PACKAGE / "sheet" / "language"],
    ids=lambda p: p.name,
)
def test_a_folders_list_is_its_files(folder):
    there = {p.stem for p in folder.glob("*.py")} - {"__init__", "__main__"}
    there |= {p.name for p in folder.iterdir() if (p / "__init__.py").exists()}
    assert sorted(listed(folder)) == sorted(there)


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.relative_to(PACKAGE).with_suffix("").as_posix())
def test_arrows_go_down_only(path):
    """The core imports the core, a room also the rooms before it; a file imports from those above it in its folder's list."""
    here, (inside, outside) = path.relative_to(PACKAGE).with_suffix("").parts, imports_of(path)
    core, room = listed(PACKAGE)[: -len(ROOMS)], here[0] if len(here) > 1 else None
    for name in sorted(inside):
        first, *rest = name.split("/")
        if first == room and here[-1] != "__init__" and here[:-1] == tuple(name.split("/")[:-1]):
            assert listed(path.parent).index(rest[-1]) < listed(path.parent).index(here[-1]), (
                f"{name} stands below"
            )
        elif first in ROOMS and first != room:
            assert here[0] == "__main__" or (room and ROOMS.index(first) < ROOMS.index(room)), (
                f"{name} is not above"
            )
        elif room is None and here[0] not in ("__init__", "__main__"):
            assert core.index(first) < core.index(here[0]), f"{name} stands below"
    allowed = {"numpy"} | sys.stdlib_module_names
    allowed |= {"numba", "llvmlite"} if here == ("fast", "kernels") else set()
    allowed |= (
        {"matplotlib"} if here in (("runs", "figures"), ("cli", "pages"), ("pictures", "glyphs")) else set()
    )
    allowed |= {"tqdm"} if here == ("runs", "progress") else set()
    assert outside <= allowed


SNIFFS = {"fast/threads.py": 2}  # what a system and an OpenBLAS have can only be asked of them


def test_nothing_is_decided_by_looking_for_attributes():
    """No hasattr, no getattr with a default: what a caller must know of a thing stands in the thing's definition."""
    found = {}
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                sniff = node.func.id == "hasattr" or (node.func.id == "getattr" and len(node.args) == 3)
                if sniff:
                    name = path.relative_to(PACKAGE).as_posix()
                    found[name] = found.get(name, 0) + 1
    assert found == SNIFFS


def test_sizes():
    """DESIGN's limits in lines: the core is one evening's reading, no file is long, the core's lines are not wide."""
    core = list(PACKAGE.glob("*.py"))
    assert len(core) <= 20 and sum(len(lines_of(p)) for p in core) <= 1400
    assert all(len(line) <= 110 for p in core for line in lines_of(p))
    for room, limit in LIMITS.items():
        files = [
            p
            for p in FILES
            if p.relative_to(PACKAGE).parts[0] == room and not re.search(r"lecture\d", p.as_posix())
        ]
        assert sum(len(lines_of(p)) for p in files) <= limit, room
    assert [p.name for p in FILES if len(lines_of(p)) > 250] == ["kernels.py"]


def test_every_module_has_tests_of_its_name():
    """minidiff/continuous/ode.py -> tests/continuous/test_ode.py; lectures' entries are judged by tests/sheet together."""
    tests = ROOT / "tests"
    modules = [
        p.relative_to(PACKAGE)
        for p in FILES
        if not p.stem.startswith("__") and "lecture" not in p.parent.name
    ]
    assert [m.as_posix() for m in modules if not (tests / m.parent / f"test_{m.stem}.py").exists()] == []


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
    """(name as README writes it, docstring) of everything public, methods included: "gaussian.posterior", "sde.velocity"."""
    for path in FILES:
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        if parts[-1].startswith("__") or "lecture" in "".join(parts):
            continue
        module = import_module(".".join(("minidiff", *parts)))
        for name, f in vars(module).items():
            home = getattr(f, "__module__", None)
            kind = inspect.isfunction(f) or inspect.isclass(f) or hasattr(f, "py_func")
            if name.startswith("_") or home != module.__name__ or not kind:
                continue
            yield f"{parts[-1]}.{name}", inspect.getdoc(f)
            if inspect.isclass(f):
                for method, g in vars(f).items():
                    if (
                        not method.startswith("_")
                        and inspect.isfunction(g)
                        and g.__qualname__.startswith(name)
                    ):
                        yield f"{parts[-1]}.{name}.{method}", inspect.getdoc(g)


def test_everything_public_has_a_docstring():
    assert [name for name, doc in functions() if not doc and not name.startswith("cli.Parser")] == []


def test_equation_index_is_the_docstrings_tags():
    """The table | tag | function | test | against the tags found in docstrings: a stale or a missing row fails."""
    in_code = {(tag, name) for name, doc in functions() for tag in TAG.findall(doc or "")}
    table = PAGES["examples/equations.md"].split("<!-- equations -->")[1]
    in_table = set()
    for line in table.splitlines():
        if cells := re.match(r"\| ([^|]+) \| (.+) \|$", line):
            in_table |= {(cells[1].strip(), f) for f in re.findall(r"`([\w.]+)`", cells[2])}
    assert in_table == in_code


@pytest.mark.parametrize("page", PAGES)
def test_commands_that_are_shown_exist(page):
    parser = cli.parser()
    for block in re.findall(r"```sh\n(.*?)```", PAGES[page], re.S):
        for line in block.splitlines():
            for part in line.split("&&"):
                words = shlex.split(part, comments=True)
                if words[:1] == ["minidiff"]:
                    parser.parse_args(words[1:])  # SystemExit if it is not understood


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    for link in re.findall(r"\]\((?!http)([^)#]+)", PAGES[page]):
        assert ((ROOT / page).parent / link).exists(), link


def test_the_first_page_is_short_and_the_glossary_knows_its_files():
    assert len(README.splitlines()) <= 90
    words = re.findall(r"^\| [^|]+ \| [^|]+\. \| `([\w/]+\.py)` \|$", PAGES["examples/glossary.md"], re.M)
    assert len(words) == 60 and all((PACKAGE / file).exists() for file in words)


def test_the_notebooks_cell_runs_and_ends_with_its_figure(capsys):
    """A notebook shows the value of a cell's last expression. And what is printed is what the comment beside it says."""
    (block,) = re.findall(r"```python\n(.*?)```", PAGES["examples/measured.md"], re.S)
    *before, last = ast.parse(block).body
    names = {}
    exec(compile(ast.Module(before, []), "README.md", "exec"), names)
    assert isinstance(last, ast.Expr)
    assert isinstance(eval(compile(ast.Expression(last.value), "README.md", "eval"), names), Figure)
    (said,) = re.findall(r"print\(.*\)  # ([0-9.]+): ", block)
    assert f"{float(capsys.readouterr().out):.3f}" == said


def test_help_names_what_the_library_knows():
    helps = " ".join(
        cli.parser()._subparsers._group_actions[0].choices["train"].format_help().split()
    ).replace("- ", "-")  # argparse breaks lines at hyphens
    for name in [
        *names.DATA_SETS,
        *names.SCHEDULES,
        *names.MODELS,
        *names.OBJECTIVES,
        *names.WEIGHTS,
        *names.TIMES,
    ]:
        assert name in helps
    helps = " ".join(
        cli.parser()._subparsers._group_actions[0].choices["sample"].format_help().split()
    ).replace("- ", "-")  # argparse breaks lines at hyphens
    for name in [*names.SPACINGS, *names.SAMPLERS, *names.VARIANCES]:
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
    assert tracked == {
        "setup.py",
        "README.md",
        "LICENSE",
        "CONTRIBUTING.md",
        "pyproject.toml",
        "minidiff",
        "tests",
        "examples",
    }


def test_every_named_mistake_finds_its_line_and_its_test():
    """mutate.py plants them for minutes in CI; that a rewritten line has outrun its mistake is seen here in no time."""
    for what, file, before, after, test in NAMED:
        path, name = test.split("::")
        assert (PACKAGE / f"{file}.py").read_text(encoding="utf-8").count(before) == 1 and before != after, (
            what
        )
        assert f"def {name.split('[')[0]}(" in (ROOT / "tests" / path).read_text(encoding="utf-8"), what


def test_readme_counts_the_sheet():
    assert (
        f"as {len(SHEET)} entries" in README
        and f"so are {sum(len(f.wrong) for f in SHEET)} wrong versions" in README
    )


def test_the_readmes_verdict_is_what_check_says():
    (shown,) = re.findall(
        r'```text\n\$ minidiff check posterior-variance "beta\[t\]"\n(.*?)```', README, re.S
    )
    assert shown.strip() == str(minidiff.check("posterior-variance", "beta[t]"))
