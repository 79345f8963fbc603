"""plots: the pictures of a run."""

from minidiff.cli import checkpoint, plots, runs


def test_the_forward_pictures_captions_do_not_touch(a_run):
    """One is drawn for each of nine times; long captions ran into each other."""
    run_ = checkpoint.load("r/checkpoint.npz")
    fig = plots.forward(run_, runs.data_of(run_), 0)
    fig.canvas.draw()
    boxes = [ax.title.get_window_extent() for ax in fig.axes]
    assert len(boxes) > 5 and all(a.x1 < b.x0 for a, b in zip(boxes, boxes[1:]))
