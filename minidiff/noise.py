"""Where every random number comes from: streams named by a seed, what they are for, and a number.

A stream is a function of its name alone, so that step 500 of a training run draws the same noise whether or not the
run was interrupted at 499. (fast/noise.py does the same for each row of a sampler's noise.)
"""

import numpy as np

DATA, INIT, TRAIN, SAMPLE, JUDGE, BENCH, EPOCH = range(7)  # what a stream is for: equal seeds must not mean equal noise


def check_seed(seed):
    """Raises TypeError or ValueError unless seed is a whole number >= 0."""
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer):
        raise TypeError(f"seed must be a whole number, got {seed!r}")
    if seed < 0:
        raise ValueError(f"seed must not be negative, got {seed}")


def name_of(seed, purpose, number=0):
    """The numbers that seed a stream.

    NumPy joins all numbers' 32-bit words: [2**32 + 5, 0, 0] would be [5, 1, 0]. So a seed's further words go last.
    """
    check_seed(seed)
    return [int(seed) % 2**32, purpose, number, int(seed) // 2**32]


def stream(seed, purpose, number=0):
    """The numpy Generator named (seed, purpose, number); purpose and number are below 2^32."""
    return np.random.default_rng(name_of(seed, purpose, number))
