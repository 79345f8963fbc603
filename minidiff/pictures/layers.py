"""The pieces of a network for pictures: f beside its gradient f_backward, as in the core's layers.py.

letter          shape               meaning
x, y            (B, H, W, C)        a batch of pictures: rows, columns, and the channels last
W, b            (k, k, C, n), (n,)  of a convolution: k x k pixels of C channels give one pixel of n channels
scale, shift    (B, C)              what time and label do to each channel; gate too
q, k, v         (B, L, C)           queries, keys and values of attention at L places
"""

import numpy as np


def conv(x, W, b):
    """y_ij = sum_uv x_{i + u - k/2, j + v - k/2} W_uv + b, x = 0 beyond the edge; k odd.

    The same linear layer for each pixel, on its k x k neighbours: one matrix product on all such patches.
    """
    (B, H, width, C), (k, _, _, n) = x.shape, W.shape
    edge = (k // 2, k // 2)
    framed = np.pad(x, ((0, 0), edge, edge, (0, 0)))
    moved = [framed[:, u : u + H, v : v + width] for u in range(k) for v in range(k)]
    patches = np.concatenate(moved, axis=-1).reshape(-1, k * k * C)
    y = patches @ W.reshape(-1, n) + b
    return y.reshape(B, H, width, n), (patches, W)


def conv_backward(dy, cache):
    """dx = conv(dy, W turned by 180 degrees, its C and n exchanged),  dW = patches^T dy,  db = sum dy."""
    patches, W = cache
    rows = dy.reshape(len(patches), -1)
    dW = (patches.T @ rows).reshape(W.shape)
    # x_i went into y_{i - u} with the weight W_u, so dy_{i - u} comes back with it:
    #   dx_i = sum_u dy_{i - u} W_u^T
    turned = W[::-1, ::-1].swapaxes(2, 3)
    dx, _ = conv(dy, turned, 0)
    return dx, dW, rows.sum(axis=0)


def pool(x):
    """Half the size: y is the mean of each 2 x 2 square of x."""
    B, H, W, C = x.shape
    squares = x.reshape(B, H // 2, 2, W // 2, 2, C)
    return squares.mean(axis=(2, 4)), None


def pool_backward(dy, cache):
    """A quarter of dy for each pixel of the square."""
    return doubled(dy) / 4


def doubled(x):
    """Twice the size: each pixel becomes a 2 x 2 square."""
    return x.repeat(2, axis=1).repeat(2, axis=2)


def join(low, kept):
    """[low at twice its size, kept]: what the whole picture shows, and the detail that pool took away."""
    return np.concatenate([doubled(low), kept], axis=-1), low.shape[-1]


def join_backward(dy, channels):
    """dlow is the sum of its channels over each 2 x 2 square,  dkept the other channels as they are."""
    dlow, dkept = dy[..., :channels], dy[..., channels:]
    mean, _ = pool(dlow)
    return 4 * mean, dkept


def group_norm(x, groups, eps=1e-5):
    """y = (x - mean) / sqrt(var + eps), over a picture's pixels and a group's channels (Wu & He 2018)."""
    B, H, W, C = x.shape
    parts = x.reshape(B, H * W, groups, C // groups)
    mean = parts.mean(axis=(1, 3), keepdims=True)
    var = parts.var(axis=(1, 3), keepdims=True)
    std = np.sqrt(var + eps).astype(x.dtype)
    y = (parts - mean) / std
    return y.reshape(x.shape), (y, std)


def group_norm_backward(dy, cache):
    """dx = (dy - mean(dy) - y mean(dy y)) / std, means over the same numbers as the norm's."""
    # of the n numbers that share mean and std, x_i moves the mean by 1 / n and the std by y_i / n, so
    #   dy_j/dx_i = [(j == i) - 1/n - y_j y_i / n] / std,    and dx_i = sum_j dy_j dy_j/dx_i
    #   is the formula above: dy_i itself, less the part that moves the mean, less the part that moves std
    y, std = cache
    dparts = dy.reshape(y.shape)
    by_mean = dparts.mean(axis=(1, 3), keepdims=True)
    by_std = y * (dparts * y).mean(axis=(1, 3), keepdims=True)
    dx = (dparts - by_mean - by_std) / std
    return dx.reshape(dy.shape)


def film(x, scale, shift):
    """y = x (1 + scale) + shift: time and label turn each channel up or down (FiLM: Perez et al. 2018)."""
    return x * (1 + scale[:, None, None]) + shift[:, None, None], (x, scale)


def film_backward(dy, cache):
    """dx = dy (1 + scale),  dscale = sum over pixels of dy x,  dshift = sum over pixels of dy."""
    x, scale = cache
    dx = dy * (1 + scale[:, None, None])
    return dx, (dy * x).sum(axis=(1, 2)), dy.sum(axis=(1, 2))


def gated(x, gate):
    """y = gate x: 0 at first, so that a block begins as the identity (adaLN-zero: Peebles & Xie 2023)."""
    return x * gate[:, None, None], (x, gate)


def gated_backward(dy, cache):
    """dx = dy gate,  dgate = sum over pixels of dy x."""
    x, gate = cache
    return dy * gate[:, None, None], (dy * x).sum(axis=(1, 2))


def attention(q, k, v):
    """y = P v,  P = softmax(q k^T / sqrt(C)).    [Transformer eq. 1]
    Each place takes from those whose key fits its query."""
    logits = q @ k.mT / np.sqrt(q.shape[-1]).astype(q.dtype)
    P = np.exp(logits - logits.max(axis=-1, keepdims=True))  # the same P, and exp cannot overflow
    P /= P.sum(axis=-1, keepdims=True)
    return P @ v, (q, k, v, P)


def attention_backward(dy, cache):
    """dv = P^T dy,  dP = dy v^T,  dlogits = P (dP - sum_j P_j dP_j),
    dq = dlogits k / sqrt(C),  dk = dlogits^T q / sqrt(C)."""
    q, k, v, P = cache
    dP = dy @ v.mT
    average = (P * dP).sum(axis=-1, keepdims=True)
    dlogits = P * (dP - average) / np.sqrt(q.shape[-1]).astype(q.dtype)
    return dlogits @ k, dlogits.mT @ q, P.mT @ dy
