"""plots: the pictures of a run."""

import numpy as np

from minidiff.runs import checkpoint, plots, use
from minidiff.runs.names import load


def test_the_forward_pictures_captions_do_not_touch(a_run):
    """One is drawn for each of nine times; long captions ran into each other."""
    run_ = checkpoint.load("r/checkpoint.npz")
    fig = plots.forward(run_, use.data_of(run_), 0)
    fig.canvas.draw()
    boxes = [ax.title.get_window_extent() for ax in fig.axes]
    assert len(boxes) > 5 and all(a.x1 < b.x0 for a, b in zip(boxes, boxes[1:]))


def test_samples_stand_beside_as_many_data_or_alone():
    moons, drawn = load("moons"), np.random.default_rng(0).standard_normal((6000, 2))
    fig = plots.against(moons, {"few": drawn[:30], "many": drawn}, (2,), "title", 0)
    assert [(ax.get_title(), len(ax.collections[0].get_offsets())) for ax in fig.axes] == [
        ("data", 30),
        ("few", 30),
        ("many", 30),
    ]
    fig = plots.against(None, {"many": drawn}, (2,), "title", 0)
    assert [(ax.get_title(), len(ax.collections[0].get_offsets())) for ax in fig.axes] == [("many", 5000)]
