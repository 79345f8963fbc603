"""What we learn from: points in the plane, and handwritten digits. Rows of size about 1, like the noise."""

from pathlib import Path

import numpy as np

from .protocols import Array


def circle(angle) -> Array:
    """(cos, sin) of angles (n,): points (n, 2) on the unit circle."""
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


def moons(n: int, rng) -> Array:
    """Two half circles that embrace each other: (n, 2)."""
    upper = rng.random(n) < 0.5
    angle = np.pi * rng.random(n)
    x, y = circle(angle).T
    x = np.where(upper, x, 1 - x) - 0.5
    y = np.where(upper, y, 0.5 - y) - 0.25
    return 1.3 * np.stack([x, y], axis=1) + 0.06 * rng.standard_normal((n, 2))


def ring(n: int, rng) -> Array:
    """A circle of radius 1.4: (n, 2)."""
    angle = 2 * np.pi * rng.random(n)
    return 1.4 * circle(angle) + 0.06 * rng.standard_normal((n, 2))


def swiss_roll(n: int, rng) -> Array:
    """A spiral of one and a half turns: (n, 2)."""
    angle = np.pi * (1.5 + 3 * rng.random(n))
    spiral = angle[:, None] / 7 * circle(angle)
    return spiral + 0.04 * rng.standard_normal((n, 2))


def checkerboard(n: int, rng) -> Array:
    """The dark fields of a 4 x 4 board: (n, 2)."""
    column = rng.integers(0, 4, n)
    row = 2 * rng.integers(0, 2, n) + column % 2
    corner = np.stack([column, row], axis=1) - 2
    return 0.85 * (corner + rng.random((n, 2)))


def digits() -> tuple[Array, Array]:
    """1,797 handwritten digits, 8 x 8 grey levels 0..16 brought to -1..1 (digits.txt names their makers).
    Returns x (1797, 64) float32 and which digit each row shows, (1797,)."""
    with np.load(Path(__file__).with_name("digits.npz")) as file:
        x, label = file["x"], file["label"]
    return (x.reshape(-1, 64) / 8 - 1).astype(np.float32), label
