"""A sampler's noise: each row's is a function of the seed and the row's number, so that sample 7 is the same
picture whether 10 or 1,000 are drawn. No lecture needs this file.

Nothing is remembered: a counter goes through Philox, and Box & Muller make normals of what comes out.
"""

import numpy as np

from .noise import SAMPLE
from .protocols import Array


def philox(counter, key) -> Array:
    """Philox4x32-10: four random 32-bit words for each counter.    [Salmon et al. 2011]
    counter (4, ...) and key (2,) hold 32-bit words in uint64; so does the answer, shaped like counter. A
    counter-based generator has no state: ten rounds of multiplying and mixing make neighbouring counters look
    unrelated."""
    c = [np.asarray(word, np.uint64) for word in counter]
    k_0, k_1 = (int(k) for k in key)
    low, half = np.uint64(0xFFFFFFFF), np.uint64(32)
    for _ in range(10):
        # 64-bit products of 32-bit words
        p = c[0] * np.uint64(0xD2511F53)
        q = c[2] * np.uint64(0xCD9E8D57)
        a = (q >> half) ^ c[1] ^ np.uint64(k_0)
        b = (p >> half) ^ c[3] ^ np.uint64(k_1)
        c = [a, q & low, b, p & low]
        k_0 = (k_0 + 0x9E3779B9) % 2**32
        k_1 = (k_1 + 0xBB67AE85) % 2**32
    return np.stack(c)


def normals(key, draw, first, n, dtype) -> Array:
    """Normals number first..first + n - 1 of a draw: sqrt(-2 log u_1) (cos, sin)(2 pi u_2).
    [Box & Muller 1958]    A counter (group, draw, 0, 0) gives four float32 normals from its four words, or
    two of float64, whose uniforms take two words each. No float32 lies beyond 6.7, no float64 beyond 8.6."""
    size = 4 if dtype == np.float32 else 2
    group = np.arange(first // size, -(-(first + n) // size), dtype=np.uint64)
    zero = np.zeros_like(group)
    w = philox([group, zero + np.uint64(draw), zero, zero], key).astype(np.float64)
    if size == 4:
        u_1 = (np.floor(w[[0, 2]] / 2) + 0.5) / 2**31
        angle = w[[1, 3]]
    else:
        high, low = np.floor(w[:1] / 2**5), np.floor(w[1:2] / 2**6)
        u_1 = (high * 2**26 + low + 0.5) / 2**53
        angle = w[2:3] + w[3:] / 2**32
    # 32 bits of angle: an angle within +-pi/4, and three bits that mirror it to all eight eighths of the
    # circle
    bits = np.floor(angle / 2**29).astype(int)
    theta = ((angle / 2**28 + 1) % 2 - 1) * np.pi / 4
    c, s = np.cos(theta), np.sin(theta)
    c, s = np.where(bits & 4, s, c), np.where(bits & 4, c, s)
    c, s = np.where(bits & 2, -c, c), np.where(bits & 1, -s, s)
    r = np.sqrt(-2 * np.log(u_1))
    z = np.stack([r * c, r * s], axis=1)  # (pairs, 2, groups)
    in_order = z.reshape(size, -1).T.ravel()
    return in_order[first % size :][:n].astype(dtype)


class RowNoise:
    """Standard normals for sampling: the k-th draw of row i is a function of (seed, k, i), whatever other
    rows there are (and of the row's shape and the dtype). first: the number of the row that is row 0 here, so
    that a machine can draw rows 4096.. of many. .taken counts the draws."""

    def __init__(self, seed: int, first: int = 0):
        self.key = np.random.SeedSequence([seed, SAMPLE]).generate_state(2, np.uint64) % 2**32
        self.first, self.taken = first, 0

    def take(self, n):
        """The number of the first of n draws, which are thereby taken."""
        self.taken += n
        return self.taken - n

    def at(self, draw, n, first, last, shape, dtype) -> Array:
        """Draws draw..draw + n - 1 of rows first..last - 1: (n, last - first, *shape), without taking them.
        Raises ValueError unless first is a multiple of 4, and for rows beyond the 2^33 numbers of a draw."""
        size = int(np.prod(shape))
        first, last = self.first + first, self.first + last
        if first % 4 or last * size > 2**33:  # a word of the counter counts groups of 2 or 4 numbers
            raise ValueError(
                f"rows {first}..{last} of {size} numbers: first must be a multiple of 4, and "
                f"all rows together have at most 2^33 numbers"
            )
        return self.draws(draw, n, first * size, (last - first) * size, dtype).reshape(
            n, last - first, *shape
        )

    def draws(self, draw, n, first, count, dtype) -> Array:
        """Numbers first..first + count - 1 of n draws: (n, count)."""
        z = np.empty((n, count), dtype)
        for k in range(n):
            z[k] = normals(self.key, draw + k, first, count, z.dtype)
        return z

    def standard_normal(self, shape, dtype=np.float64) -> Array:
        """The next draw of rows 0..shape[0] - 1."""
        return self.at(self.take(1), 1, 0, shape[0], shape[1:], dtype)[0]
