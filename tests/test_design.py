"""The book's own rules: who imports whom, which equation stands where, that the README tells the truth."""

import ast
import inspect
import itertools
import re
import shlex
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
import sizes
from matplotlib.figure import Figure
from mutate import NAMED

import minidiff
from minidiff import __main__ as cli
from minidiff import schedule
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
NEXT = {"sheet", "sheet, lectures"}  # the next issue rewrites these rooms; then this set and its uses go
MODULES = {  # every module and package of the package, as paths from minidiff/
    path.relative_to(ROOT / "minidiff").with_suffix("").as_posix().removesuffix("/__init__")
    for path in PACKAGE.rglob("*.py")
} - {"__init__", "__main__"}
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


def module_of(parts, least=1):
    """The module that these parts name, from minidiff/: theirs, or the one that holds what they name."""
    known = ("/".join(parts[:n]) for n in range(len(parts), least - 1, -1))
    return next((name for name in known if name in MODULES), "")


def named_in(text, here):
    """The modules that a string names: "minidiff.learn", ".learn.commands", "learn.commands.study".

    And what a room's own table of commands names, "commands.train".
    """
    for dots, word in re.findall(r"(?<![\w./-])(\.*)(\w+(?:\.\w+)*)(?![\w/.-])", text):
        parts, base = word.split("."), list(here)
        if parts[0] == "minidiff":
            yield module_of(parts[1:])
        elif dots:
            base = base[: len(base) - len(dots) + 1]
            yield module_of([*base, *parts], len(base) + 1)
        elif len(parts) > 1:
            yield module_of([*base, *parts], len(base) + 1)
            yield module_of(parts)


def imports_of(path):
    """(module of the package, function in which it is imported) of a file, names given as strings included.

    Modules are paths from minidiff/. And the packages beyond.
    """
    inside, outside, here = set(), set(), path.relative_to(PACKAGE).parent.parts
    tree = ast.parse(path.read_text(encoding="utf-8"))
    docstrings = set(map(sizes.docstring_of, ast.walk(tree)))

    def visit(node, within):
        if node in docstrings:
            return
        if isinstance(node, ast.ImportFrom) and node.level:
            base = [*here[: len(here) - node.level + 1], *(node.module or "").split(".")]
            base = [part for part in base if part]
            inside.update((module_of([*base, alias.name]), within) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            outside.add((node.module.split(".")[0], within))
        elif isinstance(node, ast.Import):
            outside.update((a.name.split(".")[0], within) for a in node.names)
        elif isinstance(node, ast.Call) and "import_module" in ast.unparse(node.func):
            names = [a.value.strip(".") for a in node.args if isinstance(a, ast.Constant)]
            inside.update((module_of(n.removeprefix("minidiff.").split(".")), within) for n in names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            inside.update((name, within) for name in named_in(node.value, here))
        for child in ast.iter_child_nodes(node):
            visit(child, child.name if isinstance(child, ast.FunctionDef) else within)

    visit(tree, "")
    own = path.relative_to(PACKAGE).with_suffix("").as_posix().removesuffix("/__init__")
    return {(name, within) for name, within in inside if name not in ("", own)}, outside


@pytest.mark.parametrize(
    "folder",
    [PACKAGE, *(PACKAGE / room for room in ROOMS), PACKAGE / "sheet" / "language"],
    ids=lambda p: p.name,
)
def test_a_folders_list_is_its_files(folder):
    there = {p.stem for p in folder.glob("*.py")} - {"__init__", "__main__"}
    there |= {p.name for p in folder.iterdir() if (p / "__init__.py").exists()}
    assert sorted(listed(folder)) == sorted(there)


EXCEPT_FOR = {  # the page: it uses what the reader meets next, and lecture 7 at its end
    "ddpm": "protocols schedule gaussian layers mlp objective optim sampling data noise",
    "main": "evaluation/metrics",
}
BEYOND = {  # who may import what is not NumPy or Python's own
    "fast/kernels": {"numba", "llvmlite"},
    "runs/figures": {"matplotlib"},
    "cli/pages": {"matplotlib"},
    "pictures/glyphs": {"matplotlib"},
    "runs/progress": {"tqdm"},
}


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.relative_to(PACKAGE).with_suffix("").as_posix())
def test_arrows_go_down_only(path):
    """The core imports the core, a room also those before it; a file, those above it in its folder's list.

    The page stands first and shows where the others lead.
    """
    here, (inside, outside) = path.relative_to(PACKAGE).with_suffix("").parts, imports_of(path)
    core, room = listed(PACKAGE)[: -len(ROOMS)], here[0] if len(here) > 1 else None
    for name, within in sorted(inside) if here != ("__init__",) else []:
        first, *rest = name.split("/")
        if here == ("ddpm",):
            allowed = EXCEPT_FOR["ddpm"] if within != "main" else EXCEPT_FOR["main"]
            assert name in allowed.split(), f"the page imports {name}"
        elif first == room and here[-1] != "__init__" and here[:-1] == tuple(name.split("/")[:-1]):
            above = listed(path.parent)
            assert above.index(rest[-1]) < above.index(here[-1]), f"{name} stands below"
        elif first in ROOMS and first != room:
            above = here[0] == "__main__" or (room and ROOMS.index(first) < ROOMS.index(room))
            assert above, f"{name} is not above"
        elif room is None and here[0] != "__main__":
            assert first != "ddpm" and core.index(first) < core.index(here[0]), f"{name} stands below"
    allowed = {"numpy"} | sys.stdlib_module_names | BEYOND.get("/".join(here), set())
    for name, within in outside:
        assert name in allowed or (here, within, name) == (("ddpm",), "draw", "matplotlib"), name


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("minidiff.learn", "learn"), (".learn.commands.study", "learn/commands"),
        ("learn.commands", "learn/commands"), ("study commands.study  Two evenings", "cli/commands"),
        ("..learn.study", "learn/study"), ("gaussian.posterior", "gaussian"), ("out.npy", ""),
        ("evaluation.metrics", "evaluation/metrics"), ("commands", ""), ("a word. schedule follows", ""),
        ("sheet/tests.txt", ""), ("font.size", ""),
    ],
)  # fmt: skip
def test_a_module_that_a_string_names_is_found(text, named):
    here = () if text.startswith(".learn") else ("cli",)
    assert {*named_in(text, here)} - {""} == {named} - {""}


def test_no_module_has_the_name_of_an_exported_function():
    """md.sample is a function and nothing else: an attribute that is a module may hide one of its name."""
    functions = {n for n in minidiff.__all__ if not inspect.ismodule(getattr(minidiff, n))}
    stems = {name.split("/")[-1] for name in MODULES if "lecture" not in name}
    assert {"train", "sample", "check"} <= functions and not stems & functions


SNIFFS = {"fast/threads.py": 2}  # what a system and an OpenBLAS have can only be asked of them


def test_nothing_is_decided_by_looking_for_attributes():
    """No hasattr, no getattr with a default: what a caller must know of a thing stands in its definition."""
    found = {}
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                sniff = node.func.id == "hasattr" or (node.func.id == "getattr" and len(node.args) == 3)
                if sniff:
                    name = path.relative_to(PACKAGE).as_posix()
                    found[name] = found.get(name, 0) + 1
    assert found == SNIFFS


@pytest.fixture(scope="module")
def found():
    return sizes.sizes()


@pytest.mark.parametrize("room", sizes.LIMITS)
def test_a_room_keeps_to_its_size(room, found):
    """DESIGN's limits in nodes of the syntax tree, and how dense its lines are."""
    if room in NEXT:
        pytest.skip("the next issue's")
    assert sizes.over(room, *found[room]) == ""


def test_a_room_without_a_limit_has_no_nodes(found):
    assert set(found) == set(sizes.LIMITS)
    assert {room.split(",")[0] for room in found} == {*ROOMS, "core", "philox"}


def test_what_is_counted(tmp_path, monkeypatch):
    """Operators, contexts, docstrings, annotations, Protocols are not; text with code in it is, by words."""
    for code, nodes in (
        ("x = 1", 4), ("x = a + b", 6), ("x: int = 1", 4), ("x[0] = -y", 7), ("a < b and c", 7),
        ('"""Words."""', 1), ('def f(x: int, y=1) -> str:\n    """Words."""\n    return x', 8),
        ("class A(Protocol):\n    x: int", 1), ("class A(B):\n    x: int", 5),
    ):  # fmt: skip
        assert sizes.count(ast.parse(code)) == nodes, code
    monkeypatch.setattr(sizes, "PACKAGE", tmp_path)
    (tmp_path / "room").mkdir()
    (tmp_path / "room" / "a.py").write_text('"""Words."""\n\n# a comment\nx = (1 +\n     2)  # another\n')
    (tmp_path / "room" / "b.txt").write_text("def f(x):\n    return x\n")
    (tmp_path / "room" / "words.txt").write_text("defined as a class of its own\n")
    assert sizes.sizes() == {"room": (6 + 5, 2)}
    assert sizes.over("room", 11, 2) == "11 nodes, at most 0"
    assert sizes.over("core", 900, 100) == "9.00 nodes a line of code, at most 8"
    assert sizes.over("core", 800, 100) == sizes.over("runs", 1000, 100) == ""


def test_files_are_short_and_lines_are_not_wide():
    of_now = [p for p in FILES if sizes.room_of(p) not in NEXT]
    assert [p.name for p in of_now if len(lines_of(p)) > 300] == ["kernels.py"]
    assert [p.name for p in of_now for line in lines_of(p) if len(line) > 110] == []


def test_every_module_has_tests_of_its_name():
    """minidiff/continuous/ode.py -> tests/continuous/test_ode.py; tests/sheet judges lectures together."""
    tests = ROOT / "tests"
    modules = [
        p.relative_to(PACKAGE)
        for p in FILES
        if not p.stem.startswith("__") and "lecture" not in p.parent.name
    ]
    assert [m.as_posix() for m in modules if not (tests / m.parent / f"test_{m.stem}.py").exists()] == []


def test_importing_minidiff_loads_nothing_heavy():
    heavy = {"numpy", "numba", "matplotlib", "tqdm"}
    code = f"import sys, minidiff, minidiff.cli; assert not {heavy} & set(sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_nothing_is_read_from_docstrings():
    """With -OO there are none, and no assertions: every name handed out loads, and the command line helps."""
    code = "import minidiff; [getattr(minidiff, name) for name in minidiff.__all__]; assert False"
    for command in (["-c", code], ["-m", "minidiff", "--help"]):
        out = subprocess.run([sys.executable, "-OO", *command], capture_output=True, text=True, check=False)
        assert out.returncode == 0 and out.stderr == "", out.stderr
    assert "train" in out.stdout


def test_central_names():
    for name in minidiff.__all__:
        assert getattr(minidiff, name) is not None
    assert minidiff.linear is schedule.linear and "cosine" in dir(minidiff)
    with pytest.raises(AttributeError, match="nothing"):
        minidiff.nothing  # noqa: B018


def functions():
    """(name as in "gaussian.posterior" or "sde.velocity", docstring) of everything public, methods too."""
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
                    own = inspect.isfunction(g) and g.__qualname__.startswith(name)
                    if own and not method.startswith("_"):
                        yield f"{parts[-1]}.{name}.{method}", inspect.getdoc(g)


def test_everything_public_has_a_docstring():
    assert [name for name, doc in functions() if not doc and not re.match(r"protocols\.\w+\.", name)] == []


def test_equation_index_is_the_docstrings_tags():
    """The table | tag | function | test | against the tags in docstrings: a stale or a missing row fails."""
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
    """A notebook shows the value of a cell's last expression; what is printed is what the comment says."""
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
    known = names.DATA_SETS, names.SCHEDULES, names.MODELS, names.OBJECTIVES, names.WEIGHTS, names.TIMES
    for name in itertools.chain(*known):
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
    files = {"setup.py", "README.md", "LICENSE", "CONTRIBUTING.md", "pyproject.toml"}
    assert tracked == {"minidiff", "tests", "examples"} | files


def test_every_named_mistake_finds_its_line_and_its_test():
    """mutate.py plants them for minutes in CI; a line that has outrun its mistake is seen here in no time."""
    for what, file, before, after, test in NAMED:
        path, name = test.split("::")
        text = (PACKAGE / f"{file}.py").read_text(encoding="utf-8")
        assert text.count(before) == 1 and before != after, what
        assert f"def {name.split('[')[0]}(" in (ROOT / "tests" / path).read_text(encoding="utf-8"), what


def test_readme_counts_the_sheet():
    assert f"as {len(SHEET)} entries" in README
    assert f"so are {sum(len(f.wrong) for f in SHEET)} wrong versions" in README


def test_the_readmes_verdict_is_what_check_says():
    (shown,) = re.findall(
        r'```text\n\$ minidiff check posterior-variance "beta\[t\]"\n(.*?)```', README, re.S
    )
    assert shown.strip() == str(minidiff.check("posterior-variance", "beta[t]"))
