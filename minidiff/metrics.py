"""How far samples are from data. A bare distance tells nobody anything: each stands beside its noise floor.

letter   name   shape    meaning
x, y     x, y   (n, d)   two sets of points: are they from one distribution?
"""

import math

import numpy as np

from . import kernels
from .threads import side_by_side


def distances_by_broadcasting(x, y):
    """|x_i - y_j|, (n, m).    Euclidean, for all pairs."""
    return np.sqrt(np.sum((x[:, None] - y[None]) ** 2, axis=-1)).astype(x.dtype)


def distances(x, y):
    """distances_by_broadcasting by the kernel, rows side by side."""
    return np.concatenate(side_by_side(lambda i, j: kernels.distances(x[i:j], y), len(x), 128))


def energy_distance(x, y):
    """2 E|x - y| - E|x - x'| - E|y - y'|.    [Szekely & Rizzo 2013]    0 where both are the same points, positive otherwise."""
    return energy_test(x, y, 0, None)[0]


def energy_test(x, y, permutations, rng):
    """Energy distance, and its permutation p-value: how often do randomly relabelled points lie as far apart?

    p is (1 + times the relabelled distance was as large) / (1 + permutations). All labelings share one matrix D of
    distances: with s_i = 1/n for x and -1/m for y, the energy distance is -s^T D s.
    """
    if x.ndim != 2 or y.ndim != 2 or x.shape[1] != y.shape[1] or not len(x) or not len(y):
        raise ValueError(f"x and y must be (n, d) and (m, d), got {x.shape} and {y.shape}")
    pooled = np.ascontiguousarray(np.concatenate([x, y]))
    D = distances(pooled, pooled).astype(np.float64)
    s = np.concatenate([np.full(len(x), 1 / len(x)), np.full(len(y), -1 / len(y))])
    labelings = np.stack([s, *(rng.permutation(s) for _ in range(permutations))])
    energy = -np.sum((labelings @ D) * labelings, axis=1)
    # a relabelling can give back the same split: equal must count as equal, and each sum rounds at the scale of D
    as_large = np.sum(energy[1:] >= energy[0] - 1e-12 * D.mean())
    return max(float(energy[0]), 0.0), (1 + as_large) / (1 + permutations)


def sliced_wasserstein(x, y, projections, rng):
    """sqrt(mean over directions u and ranks i of (sort(x u)_i - sort(y u)_i)^2).    [Bonneel et al. 2015]

    In one dimension the cheapest way to carry x onto y is in sorted order. Raises ValueError for unequal sizes.
    """
    if x.shape != y.shape or x.ndim != 2:
        raise ValueError(f"x and y must have one shape (n, d), got {x.shape} and {y.shape}")
    u = rng.standard_normal((x.shape[1], projections))
    u /= np.linalg.norm(u, axis=0)
    gap = np.sort(x.astype(np.float64) @ u, axis=0) - np.sort(y.astype(np.float64) @ u, axis=0)
    return math.sqrt(np.mean(gap**2))


def judge(samples, data, rng, permutations=199, projections=128, splits=5):
    """Samples against data, and data against other data of the same size (the noise floor): a dict of numbers.

    n = min(len(samples), len(data) // 2, 1000) points a side. The floors are means over `splits` random halves.
    """
    n = min(len(samples), len(data) // 2, 1000)
    if n < 2:
        raise ValueError(f"judging needs at least 2 samples and 4 data points, got {len(samples)} and {len(data)}")
    order = rng.permutation(len(data))
    energy, p = energy_test(samples[:n], data[order[:n]], permutations, rng)
    sliced = sliced_wasserstein(samples[:n], data[order[:n]], projections, rng)
    floors = []
    for _ in range(splits):
        order = rng.permutation(len(data))
        a, b = data[order[:n]], data[order[n : 2 * n]]
        floors.append((energy_distance(a, b), sliced_wasserstein(a, b, projections, rng)))
    energy_floor, sliced_floor = (float(f) for f in np.mean(floors, axis=0))
    return {
        "n": n, "energy_distance": energy, "energy_floor": energy_floor, "p_value": float(p),
        "sliced_wasserstein": sliced, "sliced_floor": sliced_floor,
    }  # fmt: skip
