"""files: all or nothing."""

import os

import pytest

from minidiff.runs import files


def test_replacing_is_all_or_nothing(tmp_path):
    path = tmp_path / "f"
    with files.replacing(path) as beside:
        beside.write_text("new")
    assert path.read_text() == "new"
    with pytest.raises(RuntimeError), files.replacing(path) as beside:
        beside.write_text("half")
        raise RuntimeError
    assert path.read_text() == "new" and os.listdir(tmp_path) == ["f"]


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="cannot be written"):
        files.folder(tmp_path / "file" / "below")
    assert files.folder(tmp_path / "a" / "b").is_dir() and not list((tmp_path / "a" / "b").iterdir())
