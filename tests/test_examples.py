"""Each example runs, small, and draws its one figure."""

import importlib.util
import inspect
from pathlib import Path

import numpy as np
import pytest

from minidiff.runs import figures

FILES = sorted(p for p in (Path(__file__).parents[1] / "examples").glob("*.py") if not p.stem.startswith("peer_"))


def loaded(path):
    spec = importlib.util.spec_from_file_location("example", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def drawn(monkeypatch, tmp_path):
    """drawn(number, steps) -> the axes of that example's figure."""
    figs = []
    monkeypatch.setattr(figures, "save", lambda fig, path: figs.append(fig))

    def run(number, steps):
        (path,) = (p for p in FILES if p.stem.startswith(number))
        loaded(path).main(steps=steps, out=tmp_path / "figure.png")
        return figs[0].axes

    return run


def test_the_bars_of_the_elbo_are_its_terms_by_name(drawn):
    (ax,) = drawn("07", 24)
    names = [label.get_text() for label in ax.get_xticklabels()]
    assert names == [f"$L_{{{k}}}$" for k in range(25)] and np.array_equal(ax.get_xticks(), np.arange(25))
    terms, lost = ax.containers
    assert len(terms) == len(lost) == 25 and ax.get_xlabel() and ax.get_ylabel()


def test_no_network_lies_below_the_floor(drawn):
    above, below = drawn("08", 40)
    floor, *networks = (bars.lines[0].get_ydata() for bars in above.containers)
    assert len(networks) == 2 and all(np.all(network >= floor) for network in networks)
    assert all(bars.has_yerr for ax in (above, below) for bars in ax.containers)
    assert above.get_ylabel() and below.get_ylabel() and below.get_xlabel() == "t"


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_example(path, tmp_path):
    module = loaded(path)
    parameters = inspect.signature(module.main).parameters
    assert "steps" in parameters and parameters["seed"].default == 0
    out = module.main(steps=24, out=tmp_path / "figure.png")
    assert out.read_bytes()[1:4] == b"PNG" and len(list(tmp_path.iterdir())) == 1
    assert len(path.read_text().splitlines()) < 60
