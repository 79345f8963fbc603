"""Every test of the command line works inside a folder of its own."""

import os

import pytest


@pytest.fixture(autouse=True)
def inside_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MINIDIFF_THREADS", raising=False)
    yield
    os.environ.pop("MINIDIFF_THREADS", None)  # --threads sets it
