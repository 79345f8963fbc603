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
    centre = y.mean(axis=0)
    x_c, y_c = (np.asarray(points, np.float64) - centre for points in (x, y))
    of_x, of_y = np.sum(x_c**2, axis=1), np.sum(y_c**2, axis=1)
    both = of_x[:, None] + of_y
    squares = both - 2 * x_c @ y_c.T
    # so near that roundings count: from the differences
    i, j = np.nonzero(squares <= 1e-10 * both)
    squares[i, j] = np.sum((x_c[i] - y_c[j]) ** 2, axis=1)
    return np.sqrt(squares).astype(x.dtype)


def energy_distance(x, y):
    """2 E|x - y| - E|x - x'| - E|y - y'|: 0 for the same points, else positive.    [Szekely & Rizzo 2013]"""
    distance, _, _ = energy_test(x, y, 0, None)
    return distance


def energy_test(x, y, permutations, rng):
    """The energy distance, its permutation p-value, and from which energy distance on p would be below 0.05.

        p = (1 + number of relabelled distances that are as large) / (1 + permutations)

    Under the hypothesis that x and y are from one distribution, any relabelling of the points is as likely as
    the given one. The third number is the relabelled distances' 95 % quantile (NaN without permutations).
    """
    check_sets(x, y, 1)
    n, m = len(x), len(y)
    pooled = np.concatenate([x, y])
    D = distances(pooled, pooled).astype(np.float64)
    # with s_i = 1/n for points of x and -1/m for points of y, it is -s^T D s: one D serves all labelings
    s = np.repeat([1 / n, -1 / m], [n, m])
    relabelled = (rng.permutation(s) for _ in range(permutations))
    labelings = np.stack([s, *relabelled])
    energy, *others = -np.sum((labelings @ D) * labelings, axis=1)
    # a relabelling can give back the same split: equal must count as equal, and sums round at D's scale
    as_large = np.sum(others >= energy - 1e-12 * D.mean())
    p = (1 + as_large) / (1 + permutations)
    least = float(np.quantile(others, 0.95)) if permutations else math.nan
    return max(float(energy), 0.0), p, least


def check_sets(x, y, least):
    """Raises ValueError unless x is (n, d) and y (m, d), n and m at least `least`."""
    if x.ndim != 2 or y.ndim != 2 or x.shape[1] != y.shape[1] or min(len(x), len(y)) < least:
        got = f"{x.shape} and {y.shape}"
        raise ValueError(f"x and y must be (n, d) and (m, d) with n, m >= {least}, got {got}")


def sliced_wasserstein(x, y, projections, rng):
    """sqrt(mean over directions u and ranks i of (sort(x u)_i - sort(y u)_i)^2).    [Bonneel et al. 2015]

    In one dimension the cheapest way to carry x onto y is in sorted order. Raises ValueError unless there are
    as many points of y as of x.
    """
    if x.shape != y.shape or x.ndim != 2:
        raise ValueError(f"x and y must have one shape (n, d), got {x.shape} and {y.shape}")
    u = rng.standard_normal((x.shape[1], projections))
    u /= np.linalg.norm(u, axis=0)
    x_u, y_u = (np.sort(points.astype(np.float64) @ u, axis=0) for points in (x, y))
    return math.sqrt(np.mean((x_u - y_u) ** 2))


def judge(samples, data, rng, permutations=199):
    """Samples against data, and data against other data, the noise floor: a dict of numbers.

    n = min(len(samples), len(data) // 2, 1000) points a side. The floors are means over 5 random pairs of
    disjoint parts of the data.
    """
    n = min(len(samples), len(data) // 2, 1000)
    if n < 2:
        got = f"{len(samples)} and {len(data)}"
        raise ValueError(f"judging needs at least 2 samples and 4 data points, got {got}")

    def sliced(x, y):
        return sliced_wasserstein(x, y, 128, rng)

    def drawn(n):
        return data[rng.permutation(len(data))[:n]]

    samples, real = samples[:n], drawn(n)
    energy, p, least = energy_test(samples, real, permutations, rng)
    result = {"n": n, "energy_distance": energy, "p_value": float(p), "least_seen": least}
    result["sliced_wasserstein"] = sliced(samples, real)
    floors = []
    for _ in range(5):
        a, b = np.split(drawn(2 * n), 2)
        floors.append((energy_distance(a, b), sliced(a, b)))
    energy_floor, sliced_floor = np.mean(floors, axis=0)
    return result | {"energy_floor": float(energy_floor), "sliced_floor": float(sliced_floor)}


def root_of_covariance(x):
    """A with A A^T = the covariance of the rows of x."""
    cov = np.atleast_2d(np.cov(x, rowvar=False))
    var, axes = np.linalg.eigh(cov)
    return axes * np.sqrt(np.maximum(var, 0))


def frechet(x, y):
    """|m_x - m_y|^2 + tr(S_x + S_y - 2 (S_x^(1/2) S_y S_x^(1/2))^(1/2)).    [FID]

    The squared Wasserstein distance of two Gaussians with the features' means m and covariances S, x (n, d)
    and y (m, d). Its estimate is too large, by at least tr S (1/n + 1/m): compare it with real against real
    of the same sizes, not with 0.
    """
    check_sets(x, y, 2)
    x, y = x.astype(np.float64), y.astype(np.float64)
    apart = x.mean(axis=0) - y.mean(axis=0)
    A, B = root_of_covariance(x), root_of_covariance(y)
    # the trace is the least |A - B Q|^2 over rotations Q: never below 0, and nothing large cancels
    U, _, V = np.linalg.svd(B.T @ A)
    Q = U @ V
    return float(np.sum(apart**2) + np.sum((A - B @ Q) ** 2))


def principal(data, k):
    """Returns the features x -> the first k principal components of `data`, by its own mean and axes."""
    mean = data.mean(axis=0)
    _, _, axes = np.linalg.svd(data - mean, full_matrices=False)
    return lambda x: (x - mean) @ axes[:k].T


def psnr(x, y, span=2.0):
    """10 log10(span^2 / mean squared error) in dB, one for each row; span: of the values, 2 for [-1, 1]."""
    error = (x.astype(np.float64) - y).reshape(len(x), -1)
    mse = np.mean(error**2, axis=1)
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
    v_x = mean(x * x) - m_x**2
    v_y = mean(y * y) - m_y**2
    c_xy = mean(x * y) - m_x * m_y
    C_1 = (0.01 * span) ** 2
    C_2 = (0.03 * span) ** 2
    same_mean = (2 * m_x * m_y + C_1) / (m_x**2 + m_y**2 + C_1)
    same_shape = (2 * c_xy + C_2) / (v_x + v_y + C_2)
    return (same_mean * same_shape).mean(axis=(1, 2))
