"""philox.RowNoise sooner: the same noise to a rounding, from a kernel."""

from functools import cache

import numpy as np

from .. import philox
from . import kernels, trust


def roundings(z):
    """eps (4 / r + 7 r), r = |(z_1, z_2)|: how far a kernel's float32 may be from z, pairs side by side (...,
    n).

    r = sqrt(-2 log u), and with u_0 = eps / 2, the largest share that a rounding takes:

    - u is an integer of 31 bits that is rounded, plus 1/2, rounded: log u is off by 2 u_0, r^2 by 4 u_0;
    - log m's polynomial is off by 0.02 u_0. Its 17 roundings are of terms of 0.035 together, those that put
      log m together of 0.09, 0.09 and 0.35: 1.3 u_0, and 2.7 u_0 of r^2. log 2's rounding, 31 times: 2 u_0;
    - the product e log 2 and the last sum: u_0 each of at most |log u| + 0.35, so 2 u_0 r^2 + 1.4 u_0.

    Altogether r^2 is off by at most u_0 (11 + 2 r^2), and r by half of that over r. A square root may be off
    by 4 u_0 r. The angle goes through 3 roundings of at most pi/4 and the polynomials for sin and cos are off
    by 0.1 u_0 and 1.7 roundings of 1: 4.2 u_0 r. The product r cos and the definition's own last rounding
    take u_0 r each. The sum is u_0 (5.5 / r + 11.2 r), less than eps (4 / r + 7 r). For z near 6.7, the
    largest, that is 48 eps or 12 units in the last place. Near 0 it is more: u, close to 1, has lost its last
    bits. There r is off by at most the root of what r^2 is: 4 / r stops growing at r = 2 sqrt(eps).
    """
    eps = np.finfo(np.float32).eps
    r = np.repeat(np.hypot(z[..., ::2], z[..., 1::2]), 2, axis=-1)
    return eps * (4 / np.maximum(r, 2 * np.sqrt(eps)) + 7 * r)


@cache
def _trusted(normals32):
    """Whether the kernel draws philox.normals: two draws far from the first number, through two blocks of
    1,024."""
    key, first, n = np.array([0x9E3779B9, 0x12345678], np.uint64), 4 * (2**30 + 7), 1301
    z = np.empty((2, n), np.float32)
    normals32(*key, 5, first, z)
    law = np.stack([philox.normals(key, 5 + k, first, n + 3, np.float32) for k in range(2)])
    alike = bool(np.all(np.abs(z - law[:, :n]) <= roundings(law)[:, :n]))
    if not alike:
        trust.say(f"philox.normals and fast.kernels.normals32 disagree: {trust.SO}")
    return alike


class RowNoise(philox.RowNoise):
    """philox.RowNoise; float32 numbers come from a kernel, once it has drawn what the definition draws."""

    def draws(self, draw, n, first, count, dtype) -> np.ndarray:
        """Numbers first..first + count - 1 of n draws: (n, count). first is a multiple of 4."""
        if np.dtype(dtype) != np.float32 or not _trusted(kernels.normals32):
            return super().draws(draw, n, first, count, dtype)
        z = np.empty((n, count), np.float32)
        kernels.normals32(*self.key, draw, first, z)
        return z
