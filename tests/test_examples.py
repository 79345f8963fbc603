"""Each example runs, small, and draws its one figure."""

import importlib.util
import inspect
from pathlib import Path

import pytest

FILES = sorted(p for p in (Path(__file__).parents[1] / "examples").glob("*.py") if not p.stem.startswith("peer_"))


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_example(path, tmp_path):
    spec = importlib.util.spec_from_file_location("example", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    parameters = inspect.signature(module.main).parameters
    assert "steps" in parameters and parameters["seed"].default == 0
    out = module.main(steps=24, out=tmp_path / "figure.png")
    assert out.read_bytes()[1:4] == b"PNG" and len(list(tmp_path.iterdir())) == 1
    assert len(path.read_text().splitlines()) < 60
