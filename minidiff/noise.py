"""Where every random number comes from: streams named by a seed, what they are for, and a number.

A stream depends on its name alone: step 500 of training draws the same noise, interrupted at 499 or not.
"""

import numpy as np

DATA, INIT, TRAIN, SAMPLE, JUDGE, BENCH, EPOCH = range(7)  # what for: equal seeds must not mean equal noise


def check_seed(seed):
    """Raises TypeError or ValueError unless seed is a whole number >= 0."""
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer):
        raise TypeError(f"seed must be a whole number, got {seed!r}")
    if seed < 0:
        raise ValueError(f"seed must not be negative, got {seed}")


def name_of(seed, purpose, number=0):
    """The numbers that seed a stream. A seed's words above the first go last: NumPy joins them all."""
    check_seed(seed)
    return [int(seed) % 2**32, purpose, number, int(seed) // 2**32]


def stream(seed, purpose, number=0):
    """The numpy Generator named (seed, purpose, number); purpose and number are below 2^32."""
    return np.random.default_rng(name_of(seed, purpose, number))
