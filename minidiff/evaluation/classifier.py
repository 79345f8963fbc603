"""A small classifier, trained in seconds: it says which digit a sample shows, and gives features of pictures.

    h_1 = silu(x W_1 + b_1),  h_2 = silu(h_1 W_2 + b_2),  logits = h_2 W_3 + b_3

The features are h_2. A picture whose class can be read is not yet a good one: look at the pictures too.
"""

from dataclasses import dataclass

import numpy as np

from ..layers import in_one_vector, linear, linear_backward, silu, silu_backward, views
from ..noise import stream
from ..optim import start, update
from .metrics import JUDGE


def cross_entropy(logits, label):
    """-1/B sum_b log softmax(logits_b)[label_b] and dlogits = (softmax - one hot) / B."""
    z = logits - logits.max(axis=1, keepdims=True)
    total = np.exp(z).sum(axis=1, keepdims=True)
    log_p = z - np.log(total)
    rows = np.arange(len(label))
    loss = -log_p[rows, label].mean()
    dlogits = np.exp(log_p)
    dlogits[rows, label] -= 1
    return float(loss), dlogits / len(label)


def forward(params, x):
    """logits (B, K), the features h_2 (B, width) and a cache, for x (B, d)."""
    u, c_1 = linear(x, params["W_1"], params["b_1"])
    h, a_1 = silu(u)
    u, c_2 = linear(h, params["W_2"], params["b_2"])
    h, a_2 = silu(u)
    logits, c_3 = linear(h, params["W_3"], params["b_3"])
    return logits, h, (c_1, a_1, c_2, a_2, c_3)


def backward(dlogits, cache):
    """Gradients by every parameter."""
    c_1, a_1, c_2, a_2, c_3 = cache
    g = {}
    dh, g["W_3"], g["b_3"] = linear_backward(dlogits, c_3)
    du = silu_backward(dh, a_2)
    dh, g["W_2"], g["b_2"] = linear_backward(du, c_2)
    du = silu_backward(dh, a_1)
    _, g["W_1"], g["b_1"] = linear_backward(du, c_1)
    return g


@dataclass(frozen=True, eq=False)
class Classifier:
    """What learn() returns: .label(x), .features(x), and its accuracy on held-out rows."""

    params: dict
    accuracy: float

    def features(self, x):
        """(B, width), the last hidden layer."""
        _, features, _ = forward(self.params, x)
        return features

    def label(self, x):
        """(B,), the likeliest class of each row."""
        logits, _, _ = forward(self.params, x)
        return logits.argmax(axis=1)


def learn(x, label, shape, seed=0, steps=2000, width=192):
    """A Classifier from pictures x (N, H W) and labels: four fifths to learn from, a fifth for its accuracy.

    Raises ValueError for fewer than ten rows, or for labels that are not one for each row.
    """
    if label is None or np.shape(label) != (len(x),) or len(x) < 10:
        got = f"{len(x)} rows and {np.shape(label)}"
        raise ValueError(f"a classifier needs one label a row and ten rows, got {got}")
    rng, batch = stream(seed, JUDGE, 2), 128
    order = rng.permutation(len(x))
    fifth = len(x) // 5
    held, rest = order[:fifth], order[fifth:]
    d, K = x.shape[1], int(np.max(label)) + 1
    shapes = {"W_1": (d, width), "W_2": (width, width), "W_3": (width, K)}
    shapes |= {"b_1": (width,), "b_2": (width,), "b_3": (K,)}
    params = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
    for W in params.values():
        if W.ndim == 2:
            W[:] = rng.standard_normal(W.shape) / np.sqrt(len(W))
    state = start(in_one_vector(params, shapes))
    for step in range(1, steps + 1):
        rows = rest[rng.integers(len(rest), size=batch)]
        # strokes should count, not pixels: every other batch is moved by up to a pixel, and all get noise
        dy, dx = rng.integers(-1, 2, 2)
        pictures = x[rows].reshape(batch, *shape[:2], -1)
        if step % 2:
            pictures = np.roll(pictures, (dy, dx), axis=(1, 2))
        seen = pictures.reshape(batch, d) + 0.1 * rng.standard_normal((batch, d), np.float32)
        logits, _, cache = forward(views(state.params, shapes), seen)
        _, dlogits = cross_entropy(logits, label[rows])
        grads = in_one_vector(backward(dlogits, cache), shapes)
        lr = 2e-3 * (1 - step / (steps + 1))
        update(state, grads, lr, max_norm=10.0, decay=0.99)
    averaged = views(state.ema, shapes)
    logits, _, _ = forward(averaged, x[held])
    right = logits.argmax(axis=1) == label[held]
    return Classifier(averaged, float(np.mean(right)))
