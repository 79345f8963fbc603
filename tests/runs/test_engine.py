"""engine: runs by the readable code alone need nothing of fast/, nor Numba."""

import subprocess
import sys

import pytest
from command_line import SMALL, run

from minidiff import fast
from minidiff.runs.engine import engine

BLOCKED = """
import sys

class Broken:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("numba", "llvmlite"):
            raise OSError("a library is missing")

sys.meta_path.insert(0, Broken())
from minidiff.__main__ import main

status = main(sys.argv[1:])
loaded = [name for name in sys.modules if name.startswith("minidiff.fast") or name == "numba"]
sys.exit(f"loaded {loaded}" if loaded and "--plain" in sys.argv else status)
"""


def without_numba(*words):
    return subprocess.run(
        [sys.executable, "-c", BLOCKED, *words], capture_output=True, text=True, check=False
    )


def test_plain_runs_where_numba_does_not_load(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for words in (
        "train --data moons --steps 3 --out r",
        "sample r --n 5 --steps 3",
        "eval r --n 9 --steps 3",
    ):
        ended = without_numba(*words.split(), *(SMALL if words[0] == "t" else ()), "--plain")
        assert ended.returncode == 0, ended.stderr
    assert without_numba("oracle", "--T", "20").returncode == 0  # which has no engine
    ended = without_numba("sample", "r", "--n", "5")
    assert ended.returncode == 2 and "Numba does not load (a library is missing); --plain" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_the_engine_is_the_room_fast():
    assert engine() is fast


def test_plain_asks_no_engine(capsys, monkeypatch):
    """With every engine forbidden training, its growing picture, samples, their way and the GIF all work."""

    def forbidden(*args, **kwargs):
        raise AssertionError("an engine was asked")

    for name in ("gradients", "trusted_update", "generate", "denoiser"):
        monkeypatch.setattr(fast, name, forbidden)
    words = "train --data digits --model unet --steps 1 --plain --out r".split()
    assert run(*words, *SMALL) == 0
    assert run("sample", "r", "--n", "2", "--steps", "2", "--plain", "--gif") == 0
    with pytest.raises(AssertionError, match="an engine"):
        run("sample", "r", "--n", "2", "--steps", "2")
