"""glyphs: each letter is there, in the middle, and no two are alike."""

import numpy as np
import pytest

from minidiff.pictures import glyphs


@pytest.mark.parametrize("size", [8, 13, 32])
def test_glyphs(size):
    x, label = glyphs.glyphs(size, 60, np.random.default_rng(0))
    ink = (x + 1) / 2
    assert x.shape == (60, size * size) and x.min() >= -1 and x.max() <= 1
    assert label.max() < len(glyphs.CHARACTERS)
    # a stroke is 3 or more of the canvas's 64 pixels wide, and each pixel averages 2 x 2 looks at it
    assert np.all(ink.max(axis=1) > 0.25) and 0.03 < ink.mean() < 0.5
    edge = np.concatenate(
        [ink.reshape(60, size, size)[:, [0, -1]].ravel(), ink.reshape(60, size, size)[:, :, [0, -1]].ravel()]
    )
    assert edge.mean() < 0.1  # centred
    assert len(np.unique(x, axis=0)) == 60


def test_every_face_has_every_character():
    for face in glyphs.FACES:
        drawn = {glyphs._draw(face, c).tobytes() for c in glyphs.CHARACTERS}
        assert len(drawn) == len(glyphs.CHARACTERS)
