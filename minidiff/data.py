"""What we learn from: points in the plane, and handwritten digits.

letter   name   shape    meaning
x_0      x      (N, d)   float32, of size about 1, like the noise; a picture is one row
         shape  (2,), (8, 8), ...  what a row looks like
         label  (N,)     what a row shows, or None
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .exact import Mixture


@dataclass(frozen=True, eq=False)
class Dataset:
    """Rows to learn from; row * scale + offset is in their own units. mixture is their density, if known."""

    name: str
    x: object  # an array, or what reads its rows from a file when asked for them (datasets.Rows)
    shape: tuple
    scale: np.ndarray | float = 1.0
    offset: np.ndarray | float = 0.0
    label: np.ndarray | None = None
    mixture: Mixture | None = None
    levels: int | None = None  # how many grey values there are, evenly from -1 to 1; None for continuous data
    columns: list | None = None  # of a .csv: the names of all columns, or "1", "2", ...
    label_column: str | None = None  # the one of them that is the label
    notes: str = ""  # what looks odd about a file


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
    spiral = angle[:, None] / 7 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return spiral + 0.04 * rng.standard_normal((n, 2))


def checkerboard(n, rng):
    """The dark fields of a 4 x 4 board."""
    column, row = rng.integers(0, 4, n), rng.integers(0, 2, n)
    corner = np.stack([column, 2 * row + column % 2], axis=1) - 2
    return 0.85 * (corner + rng.random((n, 2)))


def digits():
    """1,797 handwritten digits, 8 x 8 grey levels 0..16 brought to -1..1; digits.txt names their makers."""
    with np.load(Path(__file__).with_name("digits.npz")) as file:
        x, label = file["x"].reshape(-1, 64), file["label"]
    return Dataset("digits", (x / 8 - 1).astype(np.float32), (8, 8), 8.0, 8.0, label, levels=17)
