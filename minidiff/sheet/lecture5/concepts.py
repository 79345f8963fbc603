"""What the quiz asks about networks: with numbers (ASKED), without (CONCEPTS; see ../concepts.py)."""

import numpy as np

from ...pictures import layers
from ..computing import compute
from ..concepts import ask, near, rng


def _shuffled():
    """How attention's answer changes when places are shuffled: (against itself, against the shuffled answer)."""
    x, order = rng().standard_normal((1, 6, 4)), [3, 1, 5, 0, 2, 4]
    y, moved = layers.attention(x, x, x)[0], layers.attention(x[:, order], x[:, order], x[:, order])[0]
    return abs(moved - y).max(), abs(moved - y[:, order]).max()


def _gate():
    """(the gradient of the gate, that of what it multiplies) at gate = 0."""
    _, cache = layers.gated(np.ones((1, 2, 2, 3)), np.zeros((1, 3)))
    dx, dgate = layers.gated_backward(np.ones((1, 2, 2, 3)), cache)
    return abs(dgate).max(), abs(dx).max()


def _convolved(n):
    """A picture of n x n pixels after a filter of 3 x 3, which is the same for every n."""
    return layers.conv(np.ones((1, n, n, 3)), np.ones((3, 3, 3, 8)), np.ones(8))[0]


# fmt: off
ASKED = {  # by the quiz, instead of the entry's title
    "position-dot": "PE_m . PE_n, the sum over two frequencies, a sine and a cosine each",
    "adaln": "What leaves an adaLN block",
    "conv-output": "Width of a convolution's output, rounded down",
    "conv-parameters": "Parameters of a convolution, biases included",
    "receptive-field": "How many pixels in a row one output of three convolutions sees",
    "group-norm": "Group norm of channel 1 of one pixel, channels 1, 2 and 3, 4 in a group each, variances divided by n",
    "layer-norm": "Layer norm of coordinate 1 of three, the variance divided by n",
}
CONCEPTS = [
    ask("position-dot", _shuffled,
        "Attention without positions: the places of a picture are shuffled. Its answers",
        ("are shuffled in the same way, else unchanged", lambda d: d[1] < 1e-12 < d[0], "it sees what is there, not where"),
        ("do not move", lambda d: d[0] < 1e-12, "each answer belongs to its query and moves with it"),
        ("change altogether", lambda d: d[1] > 1e-3, "every query sees the same keys as before")),
    ask("adaln-zero", _gate,
        "A block's gate starts at 0. What gets a gradient first?",
        ("the gate", lambda g: g[0] > 0 == g[1], "the layers within are multiplied by the gate, and so are their gradients"),
        ("the layers within the block", lambda g: g[1] > 0 == g[0], "their gradient is multiplied by the gate, 0"),
        ("nothing: such a block never learns", lambda g: g[0] == g[1] == 0, "its gradient is what it would let through")),
    ask("conv-parameters", lambda: [_convolved(n).size for n in (8, 16)],
        "A 3 x 3 convolution sees a picture of twice the width and height. Its output grows by 4; its parameters",
        ("stay the same", lambda n: n[1] == 4 * n[0], "the same filter is put down at more places"),
        ("grow by 4", lambda n: n[1] == n[0], "parameters belong to the filter, not to the places"),
        ("grow by 2", lambda n: n[1] == 2 * n[0], "parameters belong to the filter, not to the places")),
    ask("dit-tokens", lambda: compute("dit-tokens", I=32, p=1).result ** 2 / compute("dit-tokens", I=32, p=2).result ** 2,
        "A diffusion transformer halves its patches' width. Attention's table of weights (tokens x tokens) grows by",
        ("16", near(16), "4 times the tokens, each looking at 4 times as many"),
        ("4", near(4), "that is the number of tokens"),
        ("2", near(2), "that is the tokens of one row")),
    ask("adaln", lambda: np.subtract(*(layers.group_norm(a * rng().standard_normal((1, 4, 4, 4)), 2)[0] for a in (1, 10))),
        "What enters a group norm is multiplied by 10. What leaves it",
        ("is the same", near(0, 1e-4), "it divides by the standard deviation; what scales it comes after"),
        ("is 10 times as large", lambda d: abs(d).max() > 5, "a linear layer would do that"),
        ("is about 3 times as large", lambda d: 1 < abs(d).max() < 5, "it divides by the deviation, not by its root")),
]
