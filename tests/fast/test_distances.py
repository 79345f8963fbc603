"""distances: by the kernel in blocks of rows, as by the readable function."""

import numpy as np
from support import DTYPES

from minidiff.evaluation import metrics
from minidiff.fast import distances


def test_blocks_of_rows_make_up_the_matrix():
    """More rows than one block of 128. Two sums of 5 squares differ by 5 roundings of a square of at most 80."""
    for dtype in DTYPES:
        x, y = (3 * np.random.default_rng(0).standard_normal((n, 5)).astype(dtype) for n in (300, 7))
        fast, readable = distances(x, y), metrics.distances(x, y)
        assert fast.shape == (300, 7) and fast.dtype == dtype
        assert np.abs(fast**2 - readable**2).max() <= 2 * 5 * 80 * 5 * np.finfo(dtype).eps
