"""Lecture 5: what networks cost: parameters, multiplications and sizes, all counted one by one."""

import itertools

import numpy as np

from ..entry import COUNT, REAL, Formula

SIZES = {"n": (COUNT, "number of tokens"), "d": (COUNT, "width of a token"), "p": (COUNT, "width of a patch"),
         "C": (COUNT, "channels that come in"), "K": (COUNT, "channels that go out"), "F": (COUNT, "width of the filter"),
         "H": (COUNT, "rows of the output"), "W": (COUNT, "columns of the output"), "I": (COUNT, "width of the input"),
         "S": (COUNT, "stride"), "P": (REAL, "what is cut off on either side, a whole number"),
         "k": (COUNT, "how often the U-Net has halved the picture")}  # fmt: skip


def _multiplied(*products):
    """Multiplications of matrix products (rows, inner, columns), counted one by one."""
    return float(sum(sum(1 for _ in itertools.product(*map(range, sizes))) for sizes in products))


def _whole(c, rng):
    """Four projections of all tokens, queries with keys, weights with values, and an MLP to 4 d and back."""
    layers = [(c.n, c.d, c.d)] * 4 + [(c.n, c.d, 4 * c.d), (c.n, 4 * c.d, c.d)]
    return _multiplied(*layers, (c.n, c.d, c.n), (c.n, c.n, c.d))


def _block(*outputs):
    """The weights of layers of width d with these outputs, and of the layer that comes back from 4 d, counted."""
    return lambda c, rng: float(
        sum(np.zeros((c.d, k * c.d)).size for k in outputs) + np.zeros((4 * c.d, c.d)).size
    )


def _spread(c, rng):
    """The pixels that a transposed convolution leaves: each input puts down a filter, P are cut off on either side."""
    reach = max(start + k for start in range(0, c.I * c.S, c.S) for k in range(c.F)) + 1
    return float(sum(c.P <= x < reach - c.P for x in range(reach)))


def _fits(c):
    """A cut below half of the filter."""
    return {"P": min(int(abs(c.P)), (c.F - 1) // 2)}


def _level(c, rng):
    """Pixels times channels after halving k times, step by step."""
    size, channels = c.I, c.C
    for _ in range(c.k):
        size, channels = size // 2, channels + channels
    return float(sum(channels for _ in itertools.product(range(size), repeat=2)))


# fmt: off
ENTRIES = [
    Formula(
        name="transformer-cost", number=77, lecture=5, title="Multiplications of a transformer block, n tokens of width d",
        latex=r"N_\mathrm{mult} = 12\,n d^2 + 2\,n^2 d",
        why="Below 6 d tokens the weights cost most, above it the looking does: that is why DiTs take patches of latents.",
        letters="n d", own=SIZES, answer="12*n*d**2 + 2*n**2*d",
        oracle=_whole, measured="counting those of six layers, of q . k and of the weighted values",
        wrong=(
            ("12*n*d**2", "all pairs of tokens are missing: n^2 d for q . k and as much for the values"),
            ("4*n*d**2 + 2*n**2*d", "that is the attention alone: the MLP costs 8 n d^2"),
            ("12*n*d**2 + n**2*d", "the weights multiply the values as well: another n^2 d"),
            ("14*n*d**2", "tokens look at tokens: n^2 d, not n d^2"),
            ("12*d**2 + 2*n**2*d", "every token goes through the weights"),
            ("12*n*d**2 + 2*n**2", "a product q . k is d multiplications"),
        ),
    ),
    Formula(
        name="transformer-parameters", number=76, lecture=5, title="Weights of a transformer block, biases aside",
        latex=r"N_\mathrm{block} = 4 d^2 + 2\cdot 4 d^2 = 12\,d^2",
        why="A third of a transformer is attention, two thirds are its MLPs, and the number of tokens plays no part.",
        letters="d", own=SIZES, answer="12 * d**2",
        oracle=_block(1, 1, 1, 1, 4), measured="counting the weights of q, k, v, the output and an MLP of width 4 d",
        wrong=(
            ("4 * d**2", "that is the attention alone"),
            ("8 * d**2", "that is the MLP alone"),
            ("11 * d**2", "the output of attention is projected as well"),
            ("6 * d**2", "the MLP is 4 d wide inside"),
            ("24 * d**2", "that is the block's operations per token: a multiplication and an addition each"),
            ("12 * d", "a layer from d to d has d^2 weights"),
        ),
    ),
    Formula(
        name="dit-block-parameters", number=77, lecture=5, title="Weights of a DiT block with adaLN-Zero, biases aside",
        latex=r"N_\mathrm{DiT} = 12 d^2 + 6 d^2 = 18\,d^2",
        why="Scale, shift and gate of two branches are six vectors that a layer makes of the condition: half a block more.",
        letters="d", own=SIZES, answer="18 * d**2",
        oracle=_block(1, 1, 1, 1, 4, 6), measured="counting the block's weights and those from d to 6 d",
        wrong=(
            ("12 * d**2", "the layer that makes scale, shift and gate is missing"),
            ("15 * d**2", "attention and MLP each have scale, shift and gate: 6 vectors"),
            ("14 * d**2", "that is scale and shift of one branch"),
            ("16 * d**2", "the two gates are missing"),
            ("12 * d**2 + 6 * d", "the six vectors hang on the condition: a matrix from d to 6 d makes them"),
        ),
    ),
    Formula(
        name="patch-parameters", number=76, lecture=5, title="Parameters of the layer that makes tokens of patches",
        latex=r"N_\mathrm{patch} = p^2 C\,d + d",
        why="A patch is one long vector, which one linear layer turns into a token, the same for all patches.",
        letters="p C d", own=SIZES, answer="p**2 * C * d + d",
        oracle=lambda c, rng: float(np.zeros((c.p, c.p, c.C, c.d)).size + np.zeros(c.d).size),
        measured="counting the weights and the biases",
        wrong=(
            ("p**2 * C * d", "the d biases are missing"),
            ("p * C * d + d", "a patch has p^2 pixels"),
            ("p**2 * d + d", "a pixel has C channels"),
            ("p**2 * C * (d + 1)", "a bias for each number that goes out, d"),
            ("p**2 * C + d", "each of the d numbers sees the whole patch"),
        ),
    ),
    Formula(
        name="transposed-conv-output", number=76, lecture=5, title="Width of a transposed convolution's output",
        latex=r"O = (I-1)\,S - 2P + F",
        why="Each input puts down a whole filter, S pixels after the one before.",
        letters="I F P S", own=SIZES, derive=_fits, answer="(I - 1)*S - 2*P + F",
        oracle=_spread, measured="counting the pixels between the first and the last that a filter reaches",
        wrong=(
            ("I * S", "that is for F = S and P = 0: wide filters reach further"),
            ("(I - 1)*S + 2*P + F", "the padding is cut off here: it makes the output smaller"),
            ("I*S - 2*P + F", "the first filter begins at 0: I - 1 steps"),
            ("(I - F + 2*P) / S + 1", "that is a convolution, which makes pictures smaller"),
            ("(I - 1)*S - P + F", "cut off on both sides: 2 P"),
        ),
    ),
    Formula(
        name="conv-cost", number=76, lecture=5, title="Multiplications of a convolution",
        latex=r"N_\mathrm{mult} = H W\,F^2 C K",
        why="The weights are few and used at every pixel, so the large layers of a U-Net cost much and weigh little.",
        letters="H W F C K", own=SIZES, answer="H * W * F**2 * C * K",
        oracle=lambda c, rng: _multiplied((c.F, c.F, c.C, c.K)) * _multiplied((c.H, c.W)),
        measured="counting them at each pixel",
        wrong=(
            ("F**2 * C * K", "that is the number of weights: each is used at every pixel"),
            ("H * W * C * K", "a filter of F x F sees F^2 pixels, this is for 1 x 1"),
            ("H * W * F**2 * C", "each of the K filters costs as much"),
            ("H * W * F**2 * K", "each filter looks at all C channels"),
            ("H * W * F**2 * (C + K)", "every channel out looks at every channel in: they multiply"),
            ("H * W * (F**2 * C + 1) * K", "a bias is added, not multiplied"),
        ),
    ),
    Formula(
        name="unet-level", number=76, lecture=5, title="Numbers in a U-Net k levels down: sides halved, channels doubled",
        latex=r"N_k = (\frac{I}{2^k})^2\,2^k C = \frac{I^2 C}{2^k}",
        why="A quarter of the pixels with twice the channels: half the numbers, so that something has to be left out.",
        letters="I C k", own=SIZES, derive=lambda c: {"I": c.I * 2 ** min(c.k, 60)}, answer="I**2 * C / 2**k",
        oracle=_level, measured="halving and doubling step by step, then counting",
        wrong=(
            ("I**2 * C", "four times fewer pixels are not made up by twice the channels"),
            ("I**2 * C / 4**k", "the channels are doubled as well"),
            ("I**2 * C * 2**k", "there are fewer numbers, not more"),
            ("I**2 * C / (2*k)", "each level halves: 2^k, not 2 k"),
            ("I * C", "the picture has two sides: I / 2^k each"),
        ),
    ),
]
