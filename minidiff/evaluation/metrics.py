"""How far samples are from data. A distance alone says nothing: compare it with data against other data.

letter   name   shape    meaning
x, y     x, y   (n, d)   two sets of points: are they from one distribution?
"""

import math

import numpy as np

JUDGE = 4  # the purpose of random streams in this room, next to noise.py's


def distances(x, y):
    """D_ij = |x_i - y_j|, Euclidean, for all pairs: (n, m) from x (n, d) and y (m, d)."""
    # |x - y|^2 = |x|^2 + |y|^2 - 2 x.y, in float64 and about y's mean: far from 0 it would lose its digits
    x_c, y_c = (np.asarray(points, np.float64) - y.mean(axis=0) for points in (x, y))
    both = np.sum(x_c**2, axis=1)[:, None] + np.sum(y_c**2, axis=1)
    squares = both - 2 * x_c @ y_c.T
    # so near that roundings count: from the differences
    i, j = np.nonzero(squares <= 1e-10 * both)
    squares[i, j] = np.sum((x_c[i] - y_c[j]) ** 2, axis=1)
    return np.sqrt(squares).astype(x.dtype)


def energy_distance(x, y):
    """2 E|x - y| - E|x - x'| - E|y - y'|.    [Szekely & Rizzo 2013]    0 for the same points, else
    positive."""
    distance, _, _ = energy_test(x, y, 0, None)
    return distance


def energy_test(x, y, permutations, rng):
    """The energy distance, its permutation p-value, and the least energy distance that would have had p <=
    0.05.

        p = (1 + number of relabelled distances that are as large) / (1 + permutations)

    Under the hypothesis that x and y are from one distribution, any relabelling of the points is as likely as
    the given one. The third number is the relabelled distances' 95 % quantile (NaN without permutations).
    """
    if x.ndim != 2 or y.ndim != 2 or x.shape[1] != y.shape[1] or not len(x) or not len(y):
        raise ValueError(f"x and y must be (n, d) and (m, d), got {x.shape} and {y.shape}")
    pooled = np.ascontiguousarray(np.concatenate([x, y]))
    D = distances(pooled, pooled).astype(np.float64)
    # with s_i = 1/n for points of x and -1/m for points of y, it is -s^T D s: one D serves all labelings
    s = np.concatenate([np.full(len(x), 1 / len(x)), np.full(len(y), -1 / len(y))])
    labelings = np.stack([s, *(rng.permutation(s) for _ in range(permutations))])
    energy = -np.sum((labelings @ D) * labelings, axis=1)
    # a relabelling can give back the same split: equal must count as equal, and each sum rounds at the scale
    # of D
    as_large = np.sum(energy[1:] >= energy[0] - 1e-12 * D.mean())
    least = float(np.quantile(energy[1:], 0.95)) if permutations else math.nan
    return max(float(energy[0]), 0.0), (1 + as_large) / (1 + permutations), least


def sliced_wasserstein(x, y, projections, rng):
    """sqrt(mean over directions u and ranks i of (sort(x u)_i - sort(y u)_i)^2).    [Bonneel et al. 2015]

    In one dimension the cheapest way to carry x onto y is in sorted order. Raises ValueError for unequal
    sizes.
    """
    if x.shape != y.shape or x.ndim != 2:
        raise ValueError(f"x and y must have one shape (n, d), got {x.shape} and {y.shape}")
    u = rng.standard_normal((x.shape[1], projections))
    u /= np.linalg.norm(u, axis=0)
    gap = np.sort(x.astype(np.float64) @ u, axis=0) - np.sort(y.astype(np.float64) @ u, axis=0)
    return math.sqrt(np.mean(gap**2))


def judge(samples, data, rng, permutations=199):
    """Samples against data, and data against other data of the same size (the noise floor): a dict of
    numbers.

    n = min(len(samples), len(data) // 2, 1000) points a side. The floors are means over 5 random halves of
    the data.
    """
    n = min(len(samples), len(data) // 2, 1000)
    if n < 2:
        raise ValueError(
            f"judging needs at least 2 samples and 4 data points, got {len(samples)} and {len(data)}"
        )

    def sliced(x, y):
        return sliced_wasserstein(x, y, 128, rng)

    real = data[rng.permutation(len(data))[:n]]
    energy, p, least = energy_test(samples[:n], real, permutations, rng)
    result = {"n": n, "energy_distance": energy, "p_value": float(p), "least_seen": least}
    result["sliced_wasserstein"] = sliced(samples[:n], real)
    floors = []
    for _ in range(5):
        a, b = np.split(data[rng.permutation(len(data))[: 2 * n]], 2)
        floors.append((energy_distance(a, b), sliced(a, b)))
    energy_floor, sliced_floor = np.mean(floors, axis=0)
    return result | {"energy_floor": float(energy_floor), "sliced_floor": float(sliced_floor)}


def root_of_covariance(x):
    """A with A A^T = the covariance of the rows of x."""
    var, axes = np.linalg.eigh(np.atleast_2d(np.cov(x, rowvar=False)))
    return axes * np.sqrt(np.maximum(var, 0))


def frechet(x, y):
    """|m_x - m_y|^2 + tr(S_x + S_y - 2 (S_x^(1/2) S_y S_x^(1/2))^(1/2)).    [FID]

    The squared Wasserstein distance of two Gaussians with the features' means m and covariances S, x (n, d)
    and y (m, d). Its estimate is too large, by at least tr S (1/n + 1/m): compare it with real against real
    of the same sizes, not with 0.
    """
    if x.ndim != 2 or y.ndim != 2 or x.shape[1] != y.shape[1] or min(len(x), len(y)) < 2:
        raise ValueError(f"x and y must be (n, d) and (m, d) with n, m >= 2, got {x.shape} and {y.shape}")
    x, y = x.astype(np.float64), y.astype(np.float64)
    (var_x, axes_x), (var_y, axes_y) = (
        np.linalg.eigh(np.atleast_2d(np.cov(a, rowvar=False))) for a in (x, y)
    )
    A, B = (
        axes_x * np.sqrt(np.maximum(var_x, 0)),
        axes_y * np.sqrt(np.maximum(var_y, 0)),
    )  # A A^T = S_x, B B^T = S_y
    # the trace is the least |A - B Q|^2 over rotations Q: a sum of squares is never below 0, and nothing
    # large cancels
    U, _, V = np.linalg.svd(B.T @ A)
    return float(np.sum((x.mean(axis=0) - y.mean(axis=0)) ** 2) + np.sum((A - B @ U @ V) ** 2))


def principal(data, k):
    """Returns the features x -> the first k principal components of `data`, by its own mean and axes."""
    mean = data.mean(axis=0)
    axes = np.linalg.svd(data - mean, full_matrices=False)[2][:k]
    return lambda x: (x - mean) @ axes.T


def psnr(x, y, span=2.0):
    """10 log10(span^2 / mean squared error) in dB, one for each row; span: of the values, 2 for [-1, 1]."""
    mse = np.mean((x.astype(np.float64) - y).reshape(len(x), -1) ** 2, axis=1)
    with np.errstate(divide="ignore"):
        return 10 * np.log10(span**2 / mse)


def ssim(x, y, shape, span=2.0, window=7):
    """(2 m_x m_y + C_1) (2 c_xy + C_2) / ((m_x^2 + m_y^2 + C_1) (v_x + v_y + C_2)).    [SSIM section III]

    m, v, c: mean, variance and covariance in each window x window of pixels, over which it is averaged;
    C_1 = (0.01 span)^2, C_2 = (0.03 span)^2. x, y (B, H W) of pictures of shape (H, W); a number for each
    row, 1 where they are equal.
    """
    window = min(window, *shape)

    def mean(a):
        views = np.lib.stride_tricks.sliding_window_view(a, (window, window), axis=(1, 2))
        return views.mean(axis=(-1, -2))

    x, y = (np.asarray(a, np.float64).reshape(-1, *shape) for a in (x, y))
    m_x, m_y = mean(x), mean(y)
    v_x, v_y = mean(x * x) - m_x**2, mean(y * y) - m_y**2
    c_xy = mean(x * y) - m_x * m_y
    C_1, C_2 = (0.01 * span) ** 2, (0.03 * span) ** 2
    same_mean = (2 * m_x * m_y + C_1) / (m_x**2 + m_y**2 + C_1)
    same_shape = (2 * c_xy + C_2) / (v_x + v_y + C_2)
    return (same_mean * same_shape).mean(axis=(1, 2))
