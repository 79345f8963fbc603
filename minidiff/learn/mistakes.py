"""A museum of real mistakes, of one line each: what they do, how one would notice, and the test that does.

A mistake is planted in a copy of the package, an experiment runs there and here, and the two outcomes stand
side by side.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..runs.names import pick

PACKAGE = Path(__file__).parents[1]


class Mistake(NamedTuple):
    """One changed line, as mistakes.toml says it."""

    name: str
    what: str
    file: str
    right: str
    wrong: str
    test: str
    experiment: str
    noticed: str
    met: str = ""


MISTAKES = [
    Mistake(**m)
    for m in tomllib.loads((PACKAGE / "learn" / "mistakes.toml").read_text(encoding="utf-8"))["mistake"]
]


def find(name):
    """The Mistake of that name. Raises ValueError for another one."""
    return pick("mistake", {m.name: m for m in MISTAKES}, name)


def plant(mistake, folder):
    """A copy of the package in the folder, with the mistake in it."""
    shutil.copytree(PACKAGE, folder / "minidiff", ignore=shutil.ignore_patterns("__pycache__"))
    path = folder / "minidiff" / f"{mistake.file}.py"
    path.write_text(path.read_text(encoding="utf-8").replace(mistake.right, mistake.wrong), encoding="utf-8")


def outcomes(mistake):
    """What the mistake's experiment finds here, and in a copy with it: {name: number or rows} each."""
    found = []
    with tempfile.TemporaryDirectory() as home:
        plant(mistake, Path(home))
        for root in (PACKAGE.parent, Path(home)):
            file = Path(home) / "found.npz"
            command = [
                sys.executable,
                "-W",
                "ignore",
                "-m",
                "minidiff.learn.experiments",
                mistake.experiment,
                str(file),
            ]
            env = os.environ | {"PYTHONPATH": str(root), "OPENBLAS_NUM_THREADS": "1"}
            subprocess.run(command, check=True, env=env, cwd=root)
            with np.load(file) as arrays:
                found.append({k: arrays[k] for k in arrays.files})
    return found
