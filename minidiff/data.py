"""What we learn from: points in the plane, and handwritten digits. Rows of size about 1, like the noise."""

from pathlib import Path

import numpy as np


def moons(n: int, rng) -> np.ndarray:
    """Two half circles that embrace each other: (n, 2)."""
    upper = rng.random(n) < 0.5
    angle = np.pi * rng.random(n)
    x = np.where(upper, np.cos(angle), 1 - np.cos(angle)) - 0.5
    y = np.where(upper, np.sin(angle), 0.5 - np.sin(angle)) - 0.25
    return 1.3 * np.stack([x, y], axis=1) + 0.06 * rng.standard_normal((n, 2))


def ring(n: int, rng) -> np.ndarray:
    """A circle of radius 1.4: (n, 2)."""
    angle = 2 * np.pi * rng.random(n)
    return 1.4 * np.stack([np.cos(angle), np.sin(angle)], axis=1) + 0.06 * rng.standard_normal((n, 2))


def swiss_roll(n: int, rng) -> np.ndarray:
    """A spiral of one and a half turns: (n, 2)."""
    angle = np.pi * (1.5 + 3 * rng.random(n))
    spiral = angle[:, None] / 7 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return spiral + 0.04 * rng.standard_normal((n, 2))


def checkerboard(n: int, rng) -> np.ndarray:
    """The dark fields of a 4 x 4 board: (n, 2)."""
    column, row = rng.integers(0, 4, n), rng.integers(0, 2, n)
    corner = np.stack([column, 2 * row + column % 2], axis=1) - 2
    return 0.85 * (corner + rng.random((n, 2)))


def digits() -> tuple[np.ndarray, np.ndarray]:
    """1,797 handwritten digits, 8 x 8 grey levels 0..16 brought to -1..1: x (1797, 64) float32 and the digit
    each row shows (1797,). digits.txt names their makers."""
    with np.load(Path(__file__).with_name("digits.npz")) as file:
        return (file["x"].reshape(-1, 64) / 8 - 1).astype(np.float32), file["label"]
