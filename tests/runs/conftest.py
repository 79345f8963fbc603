"""Every test of the command line works inside a folder of its own."""

import os
import shutil

import pytest
from command_line import SMALL, run


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
