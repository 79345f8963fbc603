"""Where every random number comes from: streams named by a seed, what they are for, and a number.

A stream is a function of its name alone, so that step 500 of a training run draws the same noise whether or not the
run was interrupted at 499, and row 7 of a batch of samples whether or not rows 8 to 1,000 are drawn with it.
"""

import numpy as np

DATA, INIT, TRAIN, SAMPLE, JUDGE = range(5)  # what a stream is for: equal seeds must not mean equal noise


def check_seed(seed):
    """Raises TypeError or ValueError unless seed is a whole number >= 0."""
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer):
        raise TypeError(f"seed must be a whole number, got {seed!r}")
    if seed < 0:
        raise ValueError(f"seed must not be negative, got {seed}")


def stream(seed, purpose, number=0):
    """The numpy Generator named (seed, purpose, number)."""
    check_seed(seed)
    return np.random.default_rng([seed, purpose, number])


class RowNoise:
    """Standard normals for sampling: a row's k-th draw depends on (seed, row, k), not on the number of rows beside it.

    Rows are drawn in blocks of BLOCK, each from its own stream and always in full: 1 row costs as much as BLOCK rows.
    """

    BLOCK = 16

    def __init__(self, seed):
        check_seed(seed)
        self.seed = seed
        self._streams = {}

    def draws(self, n, first, last, shape, dtype):
        """The next n draws of rows first..last - 1: (n, last - first, *shape). `first` must be a multiple of BLOCK."""
        z = np.empty((n, last - first, *shape), dtype)
        for row in range(first, last, self.BLOCK):
            if row not in self._streams:
                self._streams[row] = stream(self.seed, SAMPLE, row // self.BLOCK)
            block = self._streams[row].standard_normal((n, self.BLOCK, *shape), dtype)
            z[:, row - first : row - first + self.BLOCK] = block[:, : last - row]
        return z

    def standard_normal(self, shape, dtype=np.float64):
        """The next draw of rows 0..shape[0] - 1."""
        return self.draws(1, 0, shape[0], shape[1:], dtype)[0]
