"""The command line as tests use it: a command's JSON, its one line of refusal, files that it must refuse."""

import json
import os
import shutil

import numpy as np
import pytest

from minidiff import __main__ as cli

SMALL = "--width 16 --depth 1 --batch 16 --schedule linear-scaled --T 40".split()  # a network of no size


def run(*words):
    return cli.main([str(w) for w in words])


@pytest.fixture(autouse=True)
def inside_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MINIDIFF_THREADS", raising=False)
    yield
    os.environ.pop("MINIDIFF_THREADS", None)  # --threads sets it


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """A run of five steps on moons."""
    home = tmp_path_factory.mktemp("trained") / "r"
    assert run("train", "--data", "moons", "--steps", "5", "--out", home, *SMALL) == 0
    return home


@pytest.fixture
def a_run(trained, capsys):
    """That run, as the folder r."""
    shutil.copytree(trained, "r")
    capsys.readouterr()


def answer(capsys, *words):
    """The JSON that a command prints, and nothing else on stdout."""
    assert run(*words, "--json") == 0
    return json.loads(capsys.readouterr().out)


def refused(capsys, *words, status=2):
    """The one line on stderr of a command that exits with 2 and writes nothing."""
    before = sorted(os.listdir())
    try:
        assert run(*words) == status
    except SystemExit as e:
        assert e.code == status
    out, err = capsys.readouterr()
    assert out == "" and len(err.strip().splitlines()) == 1 and "Traceback" not in err
    assert sorted(os.listdir()) == before
    return err


def bad_files(folder):
    """name -> (what is written, what is said)."""
    good = folder / "good.npy"
    np.save(good, np.ones((9, 2)))
    whole = good.read_bytes()
    return {
        "missing.npy": (None, "there is no file"),
        "folder.npy": ("folder", "is a folder"),
        "empty.npy": (b"", "is empty"),
        "empty.csv": (b"", "is empty"),
        "blank.csv": (b"\n \n", "is empty"),
        "cut.npy": (whole[:-5], "is cut off"),
        "stub.npy": (whole[:7], "is cut off"),
        "noise.npy": (b"hello world", "npy"),
        "noise.npz": (b"hello world", "cut off or is not"),
        "words.csv": (b"1,2\nthree,4\n", "not a table of numbers"),
        "ragged.csv": (b"1,2\n3\n", "not a table of numbers"),
        "nan-first.csv": (b"nan,inf\n1,2\n3,4\n", "NaN or infinity in row 0"),
        "huge.npy": (whole[:128].replace(b"(9, 2)", b"(9e9,)") + b"x", "is cut off"),
        "header.csv": (b"a,b\n", "not a table of numbers|at least two rows"),
        "nan.csv": (b"1,2\n3,nan\n", "NaN or infinity in row 1"),
        "one.csv": (b"1,2\n", "at least two rows"),
        "objects.npy": (np.array([{}, 2], dtype=object), "holds objects"),
        "text.npy": (np.array(["a", "b"]), "must hold numbers"),
        "complex.npy": (np.ones((3, 2), complex), "must hold numbers"),
        "inf.npy": (np.array([[1.0, 2], [np.inf, 3]]), "NaN or infinity in row 1"),
        "one.npy": (np.ones((1, 2)), "at least two rows"),
        "none.npy": (np.ones((0, 2)), "at least two rows"),
        "scalar.npy": (np.array(3.0), "at least two rows"),
        "thin.npy": (np.ones((3, 0)), "at least two rows"),
    }


def write_bad_files(folder):
    """Writes them all; returns [(path, words)]."""
    made = []
    for name, (content, words) in bad_files(folder).items():
        path = folder / name
        if content == "folder" if isinstance(content, str) else False:
            path.mkdir()
        elif isinstance(content, bytes):
            path.write_bytes(content)
        elif content is not None:
            np.save(path, content, allow_pickle=True)
        made.append((path, words))
    return made
