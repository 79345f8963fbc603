"""The pieces of a network for pictures, each layer f beside its gradient f_backward, as in layers.py.

letter          shape           meaning
x, y            (B, H, W, C)    a batch of pictures: rows, columns, and the channels last
W, b            (k, k, C, n), (n,)   what a convolution learns: k by k pixels of C channels give one pixel of n
scale, shift    (B, C)          what the time and the label say about each channel; gate too
q, k, v         (B, L, C)       attention's queries, keys and values of L places

dx has the shape of x and means dLoss/dx, and so on.
"""

import numpy as np


def patches(x, k, stride=1):
    """The k x k neighbours of each pixel, 0 beyond the edge: (B, H, W, C) -> (B, H / stride, W / stride, k^2 C)."""
    H, W = x.shape[1:3]
    edge = k // 2
    x = np.pad(x, ((0, 0), (edge, edge), (edge, edge), (0, 0)))
    shifted = [x[:, u : u + H : stride, v : v + W : stride] for u in range(k) for v in range(k)]
    return np.concatenate(shifted, axis=-1)


def patches_backward(dcols, shape, k, stride=1):
    """dx (of that shape): each pixel collects the gradients of all the patches that it was in."""
    B, H, W, C = shape
    edge = k // 2
    dx = np.zeros((B, H + 2 * edge, W + 2 * edge, C), dcols.dtype)
    for n, dshifted in enumerate(np.split(dcols, k * k, axis=-1)):
        u, v = divmod(n, k)
        dx[:, u : u + H : stride, v : v + W : stride] += dshifted
    return dx[:, edge : edge + H, edge : edge + W]


def conv(x, W, b, stride=1):
    """y_ij = sum_uv x_{i + u - k/2, j + v - k/2} W_uv + b: the same linear layer at each pixel's k x k neighbourhood.

    k is odd (1 or 3). stride 2 computes every second pixel of every second row.
    """
    k, n = W.shape[0], W.shape[-1]
    cols = patches(x, k, stride)
    y = cols.reshape(-1, cols.shape[-1]) @ W.reshape(-1, n) + b
    return y.reshape(*cols.shape[:3], n), (cols, x.shape, W, stride)


def conv_backward(dy, cache):
    """dx = what each patch got, collected,  dW = patches^T dy,  db = sum over pixels of dy."""
    cols, shape, W, stride = cache
    k, n = W.shape[0], W.shape[-1]
    dy = dy.reshape(-1, n)
    dW = (cols.reshape(len(dy), -1).T @ dy).reshape(W.shape)
    dcols = (dy @ W.reshape(-1, n).T).reshape(cols.shape)
    return patches_backward(dcols, shape, k, stride), dW, dy.sum(axis=0)


def pool(x):
    """Half the size: y is the mean of each 2 x 2 square of x."""
    B, H, W, C = x.shape
    return x.reshape(B, H // 2, 2, W // 2, 2, C).mean(axis=(2, 4)), None


def pool_backward(dy, cache):
    """A quarter of dy for each pixel of the square."""
    return dy.repeat(2, axis=1).repeat(2, axis=2) / 4


def upsample(x):
    """Twice the size: each pixel of x becomes a 2 x 2 square."""
    return x.repeat(2, axis=1).repeat(2, axis=2), None


def upsample_backward(dy, cache):
    """dx is the sum of dy over each 2 x 2 square."""
    B, H, W, C = dy.shape
    return dy.reshape(B, H // 2, 2, W // 2, 2, C).sum(axis=(2, 4))


def concat(x, y):
    """[x, y] channel beside channel: a skip connection, which hands on the detail that pooling has averaged away."""
    return np.concatenate([x, y], axis=-1), x.shape[-1]


def concat_backward(dz, cache):
    """dx and dy are the two parts of dz."""
    return dz[..., :cache], dz[..., cache:]


def group_norm(x, groups, eps=1e-5):
    """y = (x - mean) / sqrt(var + eps), over the pixels of a picture and the channels of a group (Wu & He 2018, section 3).

    No scale and shift of its own: film brings them.
    """
    B, H, W, C = x.shape
    parts = x.reshape(B, H * W, groups, C // groups)
    std = np.sqrt(parts.var(axis=(1, 3), keepdims=True) + eps).astype(x.dtype)
    y = (parts - parts.mean(axis=(1, 3), keepdims=True)) / std
    return y.reshape(x.shape), (y, std)


def group_norm_backward(dy, cache):
    """dx = (dy - mean(dy) - y mean(dy y)) / std: mean and std move with x as well."""
    y, std = cache
    dparts = dy.reshape(y.shape)
    along = (dparts * y).mean(axis=(1, 3), keepdims=True)
    return ((dparts - dparts.mean(axis=(1, 3), keepdims=True) - y * along) / std).reshape(dy.shape)


def film(x, scale, shift):
    """y = x (1 + scale) + shift: time and label turn each channel up or down (FiLM: Perez et al. 2018)."""
    return x * (1 + scale[:, None, None]) + shift[:, None, None], (x, scale)


def film_backward(dy, cache):
    """dx = dy (1 + scale),  dscale = sum over pixels of dy x,  dshift = sum over pixels of dy."""
    x, scale = cache
    return dy * (1 + scale[:, None, None]), (dy * x).sum(axis=(1, 2)), dy.sum(axis=(1, 2))


def gated(x, gate):
    """y = gate x: 0 at first, so that a block begins as the identity (adaLN-zero: Peebles & Xie 2023)."""
    return x * gate[:, None, None], (x, gate)


def gated_backward(dy, cache):
    """dx = dy gate,  dgate = sum over pixels of dy x."""
    x, gate = cache
    return dy * gate[:, None, None], (dy * x).sum(axis=(1, 2))


def attention(q, k, v):
    """y = P v,  P = softmax(q k^T / sqrt(C)): each place takes from those whose key fits its query.    [Transformer eq. 1]

    The largest logit is subtracted before exp, which changes nothing and cannot overflow.
    """
    logits = q @ k.swapaxes(1, 2) / np.sqrt(q.shape[-1]).astype(q.dtype)
    P = np.exp(logits - logits.max(axis=-1, keepdims=True))
    P /= P.sum(axis=-1, keepdims=True)
    return P @ v, (q, k, v, P)


def attention_backward(dy, cache):
    """dv = P^T dy,  dP = dy v^T,  dlogits = P (dP - sum_j P_j dP_j),  dq = dlogits k / sqrt(C),  dk = dlogits^T q / sqrt(C)."""
    q, k, v, P = cache
    dP = dy @ v.swapaxes(1, 2)
    dlogits = P * (dP - (P * dP).sum(axis=-1, keepdims=True)) / np.sqrt(q.shape[-1]).astype(q.dtype)
    return dlogits @ k, dlogits.swapaxes(1, 2) @ q, P.swapaxes(1, 2) @ dy


def embed(table, label):
    """y = table[label]: one row of numbers for each label, learnt.    label (B,) of whole numbers."""
    return table[label], (table, label)


def embed_backward(dy, cache):
    """dtable[n] = sum of dy over the rows whose label is n."""
    table, label = cache
    dtable = np.zeros_like(table)
    np.add.at(dtable, label, dy)
    return dtable
