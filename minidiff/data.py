"""What we learn from: points in the plane, handwritten digits, letters from fonts, or a file of one's own.

    letter   name   shape    meaning
    x_0      x      (N, d)   float32, of size about 1, like the noise; a picture is one row
             shape  (2,), (8, 8), ...  what a row looks like
             label  (N,)     what a row shows, or None

Everything is made or shipped: nothing is downloaded. The digits: see digits.txt beside them for their makers and licence.
"""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .cli.files import is_idx, read_npz, read_table
from .cli.names import unknown
from .exact import Mixture
from .noise import DATA, stream

N_POINTS = 10_000


@dataclass(frozen=True, eq=False)
class Dataset:
    """Rows to learn from; row * scale + offset is in the units they came in. mixture is their exact law, if known."""

    name: str
    x: object  # an array, or Rows
    shape: tuple
    scale: np.ndarray | float = 1.0
    offset: np.ndarray | float = 0.0
    label: np.ndarray | None = None
    mixture: Mixture | None = None
    levels: int | None = None  # how many grey values there are, evenly from -1 to 1; None for continuous data
    columns: list | None = None  # of a .csv: the names of all columns, or "1", "2", ...
    label_column: str | None = None  # the one of them that is the label
    notes: str = ""  # about columns that may not be meant as data


def mixture():
    """Five Gaussians of unequal weight, width and direction."""
    angle = np.arange(5) * 2 * np.pi / 5
    mean = 1.4 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    along = np.stack([np.cos(3 * angle), np.sin(3 * angle)], axis=1)
    cov = 0.01 * np.eye(2) + 0.08 * along[:, :, None] * along[:, None, :]
    return Mixture(np.array([0.3, 0.1, 0.25, 0.15, 0.2]), mean, cov)


def eight_gaussians():
    """Eight equal narrow Gaussians on a circle."""
    angle = np.arange(8) * 2 * np.pi / 8
    mean = 1.4 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return Mixture(np.full(8, 1 / 8), mean, np.tile(0.01 * np.eye(2), (8, 1, 1)))


def moons(n, rng):
    """Two half circles that embrace each other."""
    upper = rng.random(n) < 0.5
    angle = np.pi * rng.random(n)
    x = np.where(upper, np.cos(angle), 1 - np.cos(angle)) - 0.5
    y = np.where(upper, np.sin(angle), 0.5 - np.sin(angle)) - 0.25
    return 1.3 * np.stack([x, y], axis=1) + 0.06 * rng.standard_normal((n, 2))


def ring(n, rng):
    """A circle of radius 1.4."""
    angle = 2 * np.pi * rng.random(n)
    return 1.4 * np.stack([np.cos(angle), np.sin(angle)], axis=1) + 0.06 * rng.standard_normal((n, 2))


def swiss_roll(n, rng):
    """A spiral of one and a half turns."""
    angle = np.pi * (1.5 + 3 * rng.random(n))
    return np.stack([angle * np.cos(angle), angle * np.sin(angle)], axis=1) / 7 + 0.04 * rng.standard_normal((n, 2))


def checkerboard(n, rng):
    """The dark fields of a 4 x 4 board."""
    column, row = rng.integers(0, 4, n), rng.integers(0, 2, n)
    corner = np.stack([column, 2 * row + column % 2], axis=1) - 2
    return 0.85 * (corner + rng.random((n, 2)))


MIXTURES = {"mixture": mixture, "eight-gaussians": eight_gaussians}  # their exact law is known
TOYS = {"moons": moons, "ring": ring, "swiss-roll": swiss_roll, "checkerboard": checkerboard}
NAMES = [*MIXTURES, *TOYS, "digits", "glyphs"]


def digits():
    """1,797 handwritten digits, 8 x 8 grey levels 0..16 brought to [-1, 1], with their labels."""
    a = read_npz(Path(__file__).with_name("digits.npz"))
    return Dataset("digits", (a["x"].reshape(-1, 64) / 8 - 1).astype(np.float32), (8, 8), 8.0, 8.0, a["label"], levels=17)


# matplotlib's faces that have real digits and letters (its symbol fonts claim to, and draw operators instead)
FACES = [f"DejaVu{kind}" for kind in ("Sans", "Sans-Bold", "Sans-Oblique", "Sans-BoldOblique", "Serif", "Serif-Bold")]
FACES += ["DejaVuSerif-Italic", "DejaVuSerif-BoldItalic", "DejaVuSansMono", "DejaVuSansMono-Bold", "cmr10", "cmss10"]
FACES += ["cmtt10", "cmb10", "STIXGeneral", "STIXGeneralBol", "STIXGeneralItalic", "STIXGeneralBolIta"]
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
    """n digits and capital letters in 18 faces, turned, sheared, scaled and moved: (n, size^2) in [-1, 1], labels (n,).

    No two are alike. Raises ValueError for a size outside 8..32.
    """
    if not 8 <= size <= 32:
        raise ValueError(f"the size of glyphs must lie in 8..32, got {size}")
    face, character = rng.integers(len(FACES), size=n), rng.integers(len(CHARACTERS), size=n)
    drawings = {(f, c): _draw(FACES[f], CHARACTERS[c]) for f, c in set(zip(face.tolist(), character.tolist()))}
    angle, shear, zoom = rng.uniform(-0.2, 0.2, n), rng.uniform(-0.2, 0.2, n), rng.uniform(0.8, 1.1, (n, 2))
    shift = rng.uniform(-0.06, 0.06, (n, 2))
    fine = 2 * size  # two samples a pixel each way, averaged below: no jagged edges
    v, u = np.meshgrid(*[(np.arange(fine) + 0.5) / fine - 0.5] * 2, indexing="ij")
    x = np.empty((n, size, size), np.float32)
    for i in range(n):
        cos, sin = np.cos(angle[i]), np.sin(angle[i])
        # where on the canvas each fine pixel looks
        row = ((v - shift[i, 0]) * cos - (u - shift[i, 1]) * sin) / zoom[i, 0]
        column = ((v - shift[i, 0]) * sin + (u - shift[i, 1]) * cos) / zoom[i, 1] + shear[i] * row
        where = np.clip(((np.stack([row, column]) + 0.5) * CANVAS).astype(int), 0, CANVAS - 1)
        seen = drawings[face[i], character[i]][where[0], where[1]]
        x[i] = 2 * seen.reshape(size, 2, size, 2).mean(axis=(1, 3)) - 1
    return x.reshape(n, -1), character.astype(np.uint8)


class Rows:
    """Pictures that stay where they are: rows[index] reads, flattens and scales only those that are asked for."""

    ndim, dtype = 2, np.dtype(np.float32)

    def __init__(self, raw, scale, offset):
        self.raw, self.scale, self.offset, self.shape = raw, scale, offset, (len(raw), raw[0].size)

    def __len__(self):
        return len(self.raw)

    def __getitem__(self, index):
        picked = np.asarray(self.raw[index], np.float32)
        scaled = (picked - np.float32(self.offset)) / np.float32(self.scale)
        return scaled.reshape(*picked.shape[: 1 - self.raw.ndim], self.shape[1])


def from_file(path, shape=None, label_column=None):
    """The user's rows: tables brought to mean 0 and variance 1 by column, pictures (N, H, W[, 3]) to [-1, 1] by their range.

    Rows of H W numbers are pictures too where the shape says so.
    """
    raw, about = read_table(path, label_column)
    if raw.ndim == 2 and shape is not None and len(shape) > 1:
        if min(shape) < 1 or math.prod(shape) != raw.shape[1]:
            said = f"{path} has rows of {raw.shape[1]} numbers, not of {' x '.join(map(str, shape))}"
            raise ValueError("; ".join([said, *filter(None, [about.get("notes")])]))
        raw, about["notes"] = raw.reshape(-1, *shape), ""
    if raw.ndim > 2:
        if raw.ndim > 4 or (raw.ndim == 4 and raw.shape[-1] not in (1, 3)):
            first = raw.ndim == 4 and raw.shape[1] in (1, 3)
            hint = ": np.moveaxis(x, 1, -1) puts the colours last" if first else ""
            raise ValueError(f"{path} must hold pictures (N, H, W) or (N, H, W, 3), it holds the shape {raw.shape}{hint}")
        raw = raw[..., 0] if raw.shape[-1] == 1 and raw.ndim == 4 else raw
        low, high = (0.0, 255.0) if raw.dtype == np.uint8 else (float(raw.min()), float(raw.max()))
        offset, scale = (low + high) / 2, (high - low) / 2 or 1.0
        if max(-low, high) > float(np.finfo(np.float32).max):
            raise ValueError(f"{path} holds numbers too large to scale")
        levels = 256 if raw.dtype == np.uint8 else None
        return Dataset(str(path), Rows(raw, scale, offset), raw.shape[1:], scale, offset, levels=levels, **about)
    rows = raw.astype(np.float64)
    offset, scale = rows.mean(axis=0), rows.std(axis=0)
    scale[scale == 0] = 1.0
    if not np.isfinite(scale).all():
        raise ValueError(f"{path} holds numbers too large to average")
    return Dataset(str(path), ((rows - offset) / scale).astype(np.float32), raw.shape[1:], scale, offset, **about)


def load(name, seed=0, shape=None, label_column=None):
    """The Dataset of that name, or of the file at that path. "glyphs" is 16 x 16; "glyphs-28" another size.

    Raises ValueError for a name that is neither, listing the known ones, and for a shape or label_column it cannot have.
    """
    name = str(name)
    if label_column is not None and Path(name).suffix != ".csv":
        raise ValueError(f"a label column is for a .csv file, and {name} is none")
    file = Path(name).suffix in (".npy", ".npz", ".csv") or is_idx(name)
    data = from_file(name, shape, label_column) if file else _made(name, stream(seed, DATA))
    if shape is not None and tuple(shape) != data.shape:
        raise ValueError(f"{name} has rows of the shape {data.shape}, not {tuple(shape)}")
    return data


def _made(name, rng):
    if name in MIXTURES:
        exact = MIXTURES[name]()
        return Dataset(name, exact.sample(N_POINTS, rng, np.float32), (2,), mixture=exact)
    if name in TOYS:
        return Dataset(name, TOYS[name](N_POINTS, rng).astype(np.float32), (2,))
    if name == "digits":
        return digits()
    if name == "glyphs" or (name.startswith("glyphs-") and name[7:].isdigit()):
        size = int(name[7:] or 16)
        x, label = glyphs(size, N_POINTS, rng)
        return Dataset(name, x, (size, size), label=label)
    raise unknown("data", [*NAMES, "glyphs-SIZE", "an .npy, .npz, .csv or IDX file"], name)
