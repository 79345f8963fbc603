"""Each example runs, small, and draws its one figure."""

import importlib.util
import inspect
from pathlib import Path

import numpy as np
import pytest
from drawn import assert_readable

from minidiff.runs import figures
from minidiff.runs.names import SAMPLERS

FILES = sorted(
    p for p in (Path(__file__).parents[1] / "examples").glob("*.py") if not p.stem.startswith("peer_")
)


def loaded(path):
    spec = importlib.util.spec_from_file_location("example", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def drawn(monkeypatch, tmp_path):
    """drawn(number, steps) -> that example's figure."""
    figs = []
    monkeypatch.setattr(figures, "save", lambda fig, path: figs.append(fig))

    def run(number, steps):
        (path,) = (p for p in FILES if p.stem.startswith(number))
        loaded(path).main(steps=steps, out=tmp_path / "figure.png")
        return figs[0]

    return run


def look(line):
    return {"color": line.get_color(), "marker": line.get_marker(), "ls": line.get_linestyle()}


def test_samplers_look_different():
    assert set(SAMPLERS) <= set(figures.STYLES)
    assert figures.STYLES["dpm-solver-1"] == figures.STYLES["ddim"]  # the same step by another road
    looks = [style for name, style in figures.STYLES.items() if name != "dpm-solver-1"]
    assert len({style["marker"] for style in looks}) == len(looks)
    assert len({style["color"] for style in looks}) == len(looks) - 1  # ddpm with either variance


@pytest.mark.parametrize(("number", "samplers"), [("04", 3), ("06", 9)])
def test_samplers_have_one_look_in_all_figures(drawn, number, samplers):
    named = [
        line for ax in drawn(number, 32).axes for line in ax.lines if not line.get_label().startswith("_")
    ]
    assert [look(line) for line in named] == [
        figures.STYLES[line.get_label().split(":")[0]] for line in named
    ]
    assert len(named) == samplers


def test_the_bars_of_the_elbo_are_its_terms_by_name(drawn):
    (ax,) = drawn("07", 24).axes
    at = ax.get_xticks().tolist()
    assert [label.get_text() for label in ax.get_xticklabels()] == [f"$L_{{{k}}}$" for k in at]
    assert {0, 1, 24} <= set(at)
    terms, lost = ax.containers
    assert len(terms) == len(lost) == 25


def test_no_network_lies_below_the_floor(drawn):
    above, below = drawn("08", 40).axes
    floor, *networks = (bars.lines[0].get_ydata() for bars in above.containers)
    assert len(networks) == 2 and all(np.all(network >= floor) for network in networks)
    assert all(bars.has_yerr for ax in (above, below) for bars in ax.containers)


def test_an_ablation_is_named_with_the_number_where_its_curve_ends(drawn):
    (ax,) = drawn("12", 2).axes
    ends = [(line.get_label().split()[-1], line.get_ydata()[-1], line.get_xdata()[-1]) for line in ax.lines]
    assert len(ends) == 4 and all(said == f"{y:.3f}" and step == 2 for said, y, step in ends)


def spoilt(how):
    """A figure that can be read, and then how(axes)."""
    ax = (fig := figures.figure(8, 5)).subplots()
    ax.set(xlabel="t, steps", ylabel="loss", title="A finding", xticks=[0.2, 0.6], yticks=[0.5, 1])
    how(ax)
    return fig


@figures.styled
def test_what_cannot_be_read_is_seen():
    assert_readable(spoilt(lambda ax: ax.text(0.5, 0.5, "word")))
    for how, said in (
        (lambda ax: ax.set(xlabel=""), "no name for the axis"),
        (lambda ax: ax.set(xticks=[0.2, 0.475]), "not round"),
        (lambda ax: ax.text(0.5, 0.5, "word", fontsize=9), "points where the figure"),
        (lambda ax: [ax.text(x, 0.5, "word") for x in (0.5, 0.52)], "overlap"),
        (lambda ax: ax.text(0.5, -1, "word", in_layout=False), "leaves the figure"),
    ):
        with pytest.raises(AssertionError, match=said):
            assert_readable(spoilt(how))


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_example(path, tmp_path, monkeypatch):
    figs, save = [], figures.save
    monkeypatch.setattr(figures, "save", lambda fig, path: figs.append(fig) or save(fig, path))
    module = loaded(path)
    parameters = inspect.signature(module.main).parameters
    assert "steps" in parameters and parameters["seed"].default == 0
    out = module.main(steps=24, out=tmp_path / "figure.png")
    assert out.read_bytes()[1:4] == b"PNG" and len(list(tmp_path.iterdir())) == 1
    assert len(path.read_text().splitlines()) < 60
    assert_readable(*figs)
