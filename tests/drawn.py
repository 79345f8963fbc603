"""What makes a figure readable from the last row: named axes, round ticks, large type, words set apart."""

from unittest.mock import patch

import numpy as np
from matplotlib.text import Text


def texts_of(fig):
    """The texts that are drawn, with their boxes in pixels; the figure would also name ticks off its axes."""
    found, draw = [], Text.draw

    def recorded(text, renderer):
        if text.get_visible() and text.get_text().strip():
            found.append((text, Text.get_window_extent(text, renderer)))
        draw(text, renderer)

    with patch.object(Text, "draw", recorded):
        fig.canvas.draw()
    return found


def assert_readable(fig, size=13):
    """Axes with tick labels have a name, ticks are round, no text touches another one or leaves the figure.

    Type is of `size` points where the figure is 10 inches wide.
    """
    texts = texts_of(fig)
    for ax in fig.axes:
        for axis in (ax.xaxis, ax.yaxis):
            ticks = [text.get_text() for text, _ in texts if text in axis.get_ticklabels(which="both")]
            assert not ticks or axis.label.get_text(), f"no name for the axis with {ticks}"
            numbers = [tick.replace("\N{MINUS SIGN}", "-") for tick in ticks]
            values = [float(v) for v in numbers if v.replace(".", "", 1).lstrip("-").isdigit()]
            assert all(v == float(f"{v:.2g}") or np.log2(abs(v)) % 1 == 0 for v in values), (
                f"ticks {values} are not round"
            )
    for i, (text, box) in enumerate(texts):
        shown = text.get_size() * 10 / fig.get_figwidth()
        assert shown >= size, f"{text.get_text()!r} has {shown:.1f} points where the figure is 10 inches wide"
        inside = box.x0 >= -1 and box.y0 >= -1 and box.x1 <= fig.bbox.x1 + 1 and box.y1 <= fig.bbox.y1 + 1
        assert inside, f"{text.get_text()!r} leaves the figure: {box}"
        for other, around in texts[:i]:
            beside = box.x0 + 1 > around.x1 or around.x0 + 1 > box.x1
            apart = beside or box.y0 + 1 > around.y1 or around.y0 + 1 > box.y1
            assert apart, f"{text.get_text()!r} and {other.get_text()!r} overlap"
