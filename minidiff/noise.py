"""Where every random number comes from: streams named by a seed, what they are for, and a number.

A stream depends on its name alone: step 500 of training draws the same noise, interrupted at 499 or not.
"""

import numpy as np

DATA, INIT, TRAIN, SAMPLE = range(4)  # what for: equal seeds must not mean equal noise. Rooms go on counting


def stream(seed: int, purpose: int, number: int = 0) -> np.random.Generator:
    """The numpy Generator named (seed, purpose, number), whole numbers below 2^32. Raises ValueError for
    others."""
    if not 0 <= seed < 2**32 or seed != int(seed):
        raise ValueError(f"seed must be a whole number in 0..2^32 - 1, got {seed!r}")
    return np.random.default_rng([int(seed), purpose, number])
