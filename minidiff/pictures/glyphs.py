"""Digits and capital letters as pictures, drawn from the fonts that matplotlib brings along."""

from pathlib import Path

import numpy as np

# matplotlib's faces that have real digits and letters (its symbol fonts claim to, and draw operators instead)
FACES = """
    DejaVuSans DejaVuSans-Bold DejaVuSans-Oblique DejaVuSans-BoldOblique DejaVuSerif DejaVuSerif-Bold
    DejaVuSerif-Italic DejaVuSerif-BoldItalic DejaVuSansMono DejaVuSansMono-Bold cmr10 cmss10
    cmtt10 cmb10 STIXGeneral STIXGeneralBol STIXGeneralItalic STIXGeneralBolIta
""".split()
CHARACTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
CANVAS = 64  # pixels of the drawing that is turned, sheared and shrunk


def _draw(face, character):
    """One character of one face, centred on a (CANVAS, CANVAS) canvas, 0 paper to 1 ink."""
    import matplotlib
    from matplotlib.ft2font import FT2Font

    font = FT2Font(str(Path(matplotlib.get_data_path(), "fonts", "ttf", f"{face}.ttf")))
    font.set_size(52, 72)
    font.set_text(character)
    font.draw_glyphs_to_bitmap(antialiased=True)
    ink = np.asarray(font.get_image())[:CANVAS, :CANVAS]
    canvas = np.zeros((CANVAS, CANVAS))
    top, left = (CANVAS - ink.shape[0]) // 2, (CANVAS - ink.shape[1]) // 2
    canvas[top : top + ink.shape[0], left : left + ink.shape[1]] = ink / 255
    return canvas


def glyphs(size, n, rng):
    """n digits and capital letters in 18 faces, turned, sheared, scaled and moved: no two are alike.

    Returns x (n, size^2) in [-1, 1] and labels (n,). Raises ValueError for a size outside 8..32.
    """
    if not 8 <= size <= 32:
        raise ValueError(f"the size of glyphs must lie in 8..32, got {size}")
    face, character = rng.integers(len(FACES), size=n), rng.integers(len(CHARACTERS), size=n)
    kinds = set(zip(face.tolist(), character.tolist()))
    drawings = {(f, c): _draw(FACES[f], CHARACTERS[c]) for f, c in kinds}
    angle, shear, zoom = rng.uniform(-0.2, 0.2, n), rng.uniform(-0.2, 0.2, n), rng.uniform(0.8, 1.1, (n, 2))
    shift = rng.uniform(-0.06, 0.06, (n, 2))
    fine = 2 * size  # two samples a pixel each way, averaged below: no jagged edges
    along = (np.arange(fine) + 0.5) / fine - 0.5
    v, u = along[:, None], along
    x = np.empty((n, size, size), np.float32)
    for i in range(n):
        cos, sin = np.cos(angle[i]), np.sin(angle[i])
        # where on the canvas each fine pixel looks
        row = ((v - shift[i, 0]) * cos - (u - shift[i, 1]) * sin) / zoom[i, 0]
        column = ((v - shift[i, 0]) * sin + (u - shift[i, 1]) * cos) / zoom[i, 1] + shear[i] * row
        place = ((np.stack([row, column]) + 0.5) * CANVAS).astype(int)
        row, column = np.clip(place, 0, CANVAS - 1)
        ink = drawings[face[i], character[i]][row, column]
        x[i] = 2 * ink.reshape(size, 2, size, 2).mean(axis=(1, 3)) - 1
    return x.reshape(n, -1), character.astype(np.uint8)
