"""Lecture 5: sizes of convolutions, numbers of tokens, positions, adaLN."""

import itertools
import math

import numpy as np

from ..entry import COUNT, REAL, Formula

CONV = {"I": (COUNT, "width of the input"), "F": (COUNT, "width of the filter"), "S": (COUNT, "stride"),
        "P": (REAL, "zeros added on either side, a whole number"), "C": (COUNT, "channels that come in"),
        "K": (COUNT, "channels that go out")}  # fmt: skip
LAYERS = {
    f"{k}_{i}": (COUNT, f"{what} of layer {i}")
    for i in (1, 2, 3)
    for k, what in (("F", "filter's width"), ("S", "stride"))
}
PLACES = {"m": (COUNT, "place of the query"), "n": (COUNT, "place of the key"), "omega": (REAL, "frequency"),
          "omega_1": (REAL, "first frequency"), "omega_2": (REAL, "second frequency")} | {
          f"{v}_{i}": (REAL, f"coordinate of {v}") for v in "qk" for i in (1, 2)}  # fmt: skip
BLOCK = {"x": (REAL, "what comes in"), "y": (REAL, "LN(x): mean 0, variance 1"), "a": (REAL, "the block: Op(y) = a y"),
         "gate": (REAL, "alpha, from the condition"), "scale": (REAL, "gamma, from the condition"),
         "shift": (REAL, "beta, from the condition")}  # fmt: skip


def _fits(c):
    """Paddings below half of the filter, and input sizes that strides divide without a remainder."""
    P = min(int(abs(c.P)), (c.F - 1) // 2)
    return {"P": P, "I": c.S * (c.I - 1) + c.F - 2 * P}


def _placements(c, rng):
    """The positions of the filter, counted."""
    return float(sum(1 for start in range(-int(c.P), c.I + int(c.P), c.S) if start + c.F <= c.I + c.P))


def _parameters(c, rng):
    """Every weight counted, one by one."""
    return float(
        sum(1 for _ in itertools.product(range(c.K), range(c.C), range(c.F), range(c.F))) + len(range(c.K))
    )


def _seen(c, rng):
    """The width of the pixels that one output depends on, followed back layer by layer."""
    places = {0}
    for F, S in ((c.F_3, 1), (c.F_2, c.S_2), (c.F_1, c.S_1)):
        places = {S * place + k for place in places for k in range(F)}
    return float(max(places) - min(places) + 1)


def _patches(c, rng):
    """The upper left corners of all patches, counted."""
    return float(sum(1 for _ in itertools.product(range(0, c.I, c.p), repeat=2)))


def _dot(c, rng):
    """PE_m . PE_n of both vectors (sin, cos, sin, cos)."""
    pe_m, pe_n = (
        [f(w * place) for w in (c.omega_1, c.omega_2) for f in (math.sin, math.cos)] for place in (c.m, c.n)
    )
    return float(np.dot(pe_m, pe_n))


def _turned(c, rng):
    """The product of q and k as complex numbers, each rotated by its position."""
    q = complex(c.q_1, c.q_2) * np.exp(1j * c.omega * c.m)
    return (q.conjugate() * complex(c.k_1, c.k_2) * np.exp(1j * c.omega * c.n)).real


def _shifted(values=False, absolute=False):
    """The change of attention to two keys when all positions move by one."""

    def change(c, rng):
        answers = []
        for move in (0, 1):
            turn = [np.exp(1j * c.omega * (place + move)) for place in (c.m, c.n, c.n + 2)]
            turn[0] = 1.0 if absolute else turn[0]
            k, v = (complex(c.k_1, c.k_2), complex(c.q_2, 1)), (complex(1, c.q_1), complex(c.k_2, -1))
            q = complex(c.q_1, c.q_2) * turn[0]
            logits = [(q.conjugate() * key * r).real for key, r in zip(k, turn[1:])]
            weights = np.exp(np.array(logits) - max(logits))
            answers.append(
                weights @ [value * r if values else value for value, r in zip(v, turn[1:])] / weights.sum()
            )
        return abs(answers[1] - answers[0])

    return change


def _corners(c, rng):
    """The block between its corners, where words say what it gives: a line in each of gate, scale and shift.

    Gate 0 lets nothing through; gate 1 all; scale 0 leaves LN(x), scale 1 doubles it; shift 1 adds 1 to what Op gets.
    """
    total = 0.0
    for gate, scale, shift in itertools.product((0, 1), repeat=3):
        seen = [c.y, 2 * c.y][scale] + [0, 1][shift]
        corner = [c.x, c.x + c.a * seen][gate]
        share = [(1 - u, u)[at] for u, at in zip((c.gate, c.scale, c.shift), (gate, scale, shift))]
        total += math.prod(share) * corner
    return total


def _at_start(block):
    """How far a block of attention to two tokens is from the identity when the condition's layer has weights 0."""

    def change(c, rng):
        x = np.array([c.x, c.y, c.a])
        normal = (x - x.mean()) / x.std()
        return np.abs(block(x, np.tanh(normal[::-1]), np.zeros(3)) - x).max()

    return change


RESTS = "(q_1*k_1 + q_2*k_2) * cos(omega*({0})) {1} (q_2*k_1 - q_1*k_2) * sin(omega*({0}))"

# fmt: off
ENTRIES = [
    Formula(
        name="conv-output", number=76, lecture=5, title="Width of a convolution's output",
        latex=r"O = \lfloor\frac{I - F + 2P}{S}\rfloor + 1",
        why="So many places are there to put the filter down.",
        letters="I F P S", own=CONV, derive=_fits, answer="floor((I - F + 2*P) / S) + 1",
        oracle=_placements, measured="counting the places",
        wrong=(
            ("(I - F + 2*P) / S", "the first place counts as well: + 1"),
            ("(I - F + P) / S + 1", "both sides are padded: 2 P"),
            ("(I - F) / S + 1", "the padding is missing"),
            ("I - F + 2*P + 1", "the stride is missing"),
            ("(I + F - 2*P) / S + 1", "a wide filter has fewer places, padding gives more"),
            ("(I + 2*P) / S", "the filter has to lie within: it takes F"),
        ),
    ),
    Formula(
        name="conv-parameters", number=76, lecture=5, title="Parameters of a convolution",
        latex=r"N = (F^2 C + 1)\,K",
        why="Each of K filters looks at all C channels of its window, and has one bias.",
        letters="F C K", own=CONV, answer="(F**2 * C + 1) * K",
        oracle=_parameters, measured="counting the weights",
        wrong=(
            ("F**2 * C * K", "the K biases are missing"),
            ("(F**2 + 1) * K", "a filter looks at all C channels"),
            ("(F*C + 1) * K", "the filter has two sides, F^2"),
            ("F**2 * C * K + 1", "each of the K filters has a bias of its own"),
            ("F**2 * (C + 1) * K", "one bias a filter, not one a place"),
            ("F**2 * C * K + C", "the biases belong to the K channels that go out"),
        ),
    ),
    Formula(
        name="receptive-field", number=76, lecture=5, title="Receptive field of three layers",
        latex=r"R_3 = 1 + (F_1 - 1) + (F_2 - 1)\,S_1 + (F_3 - 1)\,S_1S_2",
        why="A step in a deep layer is as many pixels as all strides before it make.",
        letters="F_1 S_1 F_2 S_2 F_3", own=LAYERS, answer="1 + (F_1 - 1) + (F_2 - 1)*S_1 + (F_3 - 1)*S_1*S_2",
        oracle=_seen, measured="following one output back to its pixels",
        wrong=(
            ("F_1 + F_2 + F_3 - 2", "the strides of earlier layers stretch later filters"),
            ("1 + (F_1 - 1)*S_1 + (F_2 - 1)*S_1*S_2 + (F_3 - 1)*S_1*S_2", "only the strides before a layer count, not its own"),
            ("F_1 * F_2 * F_3", "widths add up, strides multiply"),
            ("F_1 + F_2 + F_3", "neighbouring filters share a pixel: F - 1 each"),
            ("F_1/S_1 + F_2/S_2 + F_3", "strides widen what is seen, they do not divide it"),
            ("1 + (F_1 - 1) + (F_2 - 1)*S_1 + (F_3 - 1)*S_2", "the strides of all earlier layers multiply"),
        ),
    ),
    Formula(
        name="dit-tokens", number=76, lecture=5, title="Tokens of a diffusion transformer",
        latex=r"N = (I/p)^2",
        why="Attention costs the square of it: half the patch is four times the tokens and sixteen times the work.",
        letters="I p", own=CONV | {"p": (COUNT, "width of a patch")}, derive=lambda c: {"I": c.I * c.p}, answer="(I/p)**2",
        oracle=_patches, measured="counting the patches",
        wrong=(
            ("I**2 / p", "a patch has p^2 pixels"),
            ("I / p", "that is one row of patches"),
            ("I**2", "that is the number of pixels, patches of p = 1"),
            ("p**2", "that is the number of pixels in one patch"),
            ("2*I / p", "rows and columns multiply"),
        ),
    ),
    Formula(
        name="position-dot", number=77, lecture=5, title="Product of two sinusoidal positions, two frequencies",
        latex=r"PE_m\cdot PE_n = \cos\omega_1(m-n) + \cos\omega_2(m-n)",
        why="How alike two places look hangs on their distance alone.",
        letters="m n omega_1 omega_2", own=PLACES, answer="cos(omega_1*(m-n)) + cos(omega_2*(m-n))",
        oracle=_dot, measured="the product of both vectors (sin, cos, sin, cos)",
        wrong=(
            ("cos(omega_1*(m+n)) + cos(omega_2*(m+n))", "the distance m - n counts, not the sum"),
            ("sin(omega_1*(m-n)) + sin(omega_2*(m-n))", "a place is like itself: cos, which is 1 at m = n"),
            ("cos(omega_1*(m-n)) * cos(omega_2*(m-n))", "a product of vectors adds up its coordinates"),
            ("cos((omega_1 + omega_2)*(m-n))", "the frequencies do not mix"),
            ("(cos(omega_1*(m-n)) + cos(omega_2*(m-n))) / 2", "that is the mean over the frequencies"),
            ("cos(omega_1*m)*cos(omega_1*n) + cos(omega_2*m)*cos(omega_2*n)", "the sines are missing"),
        ),
    ),
    Formula(
        name="rope", number=77, lecture=5, title="Rotary positions: the product of turned q and k",
        latex=r"(R_m q)^T (R_n k) = (q_1k_1 + q_2k_2)\cos\omega(n-m) + (q_2k_1 - q_1k_2)\sin\omega(n-m)",
        why="Turn each vector by its place, and only the angle between them, their distance, is left in the product.",
        letters="q_1 q_2 k_1 k_2 m n omega", own=PLACES, answer=RESTS.format("n-m", "+"),
        oracle=_turned, measured="both vectors turned as complex numbers",
        wrong=(
            (RESTS.format("m+n", "+"), "R_m^T turns back: the angles are subtracted"),
            (RESTS.format("n-m", "-"), "the sign: k is turned by n - m, not by m - n"),
            ("q_1*k_1 + q_2*k_2", "that is the product without positions"),
            (RESTS.format("n", "+"), "q has a place as well"),
            ("(q_1*k_1 + q_2*k_2) * cos(omega*(n-m))", "a turned vector has a part across: the sine is missing"),
        ),
    ),
    Formula(
        name="rope-shift", number=77, lecture=5, title="Rotary attention does not notice a shift",
        latex=r"\mathrm{Attention}(m, n) = \mathrm{Attention}(m+1, n+1)",
        why="Turning q and k is enough: the values say what is there, not where.",
        letters="q_1 q_2 k_1 k_2 m n omega", own=PLACES,
        oracle=_shifted(), measured="attention of one query to two keys before and after all places move by one",
        wrong=(
            (_shifted(values=True), "the values are not turned: else the answer turns with the place"),
            (_shifted(absolute=True), "q is turned as well as k, else the key's absolute place counts"),
        ),
    ),
    Formula(
        name="adaln", number=77, lecture=5, title="A block with adaptive layer norm (adaLN)",
        latex=r"x' = x + \alpha\,a\,((1+\gamma)\,y + \beta),\quad y = \mathrm{LN}(x),\ \mathrm{Op}(y) = a\,y",
        why="The condition turns the block's knobs: how loud it listens, around what, and how much of it is let through.",
        letters="x y a gate scale shift", own=BLOCK, answer="x + gate * a * ((1 + scale)*y + shift)",
        oracle=_corners, measured="a line between the corners 0 and 1 of gate, scale and shift",
        wrong=(
            ("x + gate * a * (scale*y + shift)", "the 1 + is missing: a network that starts at 0 would see nothing"),
            ("gate * a * ((1 + scale)*y + shift)", "the residual x is missing"),
            ("x + (1 + gate) * a * ((1 + scale)*y + shift)", "the gate has no 1 +: at 0 the block is the identity"),
            ("x + a * ((1 + scale)*y + shift)", "the gate is missing"),
            ("x + gate * a * ((1 + scale)*x + shift)", "the block sees LN(x), not x"),
            ("x + gate * a * (1 + scale)*(y + shift)", "the shift comes after the scale"),
            ("x + gate * (a*(1 + scale)*y + shift)", "the shift goes into the block, not past it"),
        ),
    ),
    Formula(
        name="adaln-zero", number=77, lecture=5, title="adaLN-Zero starts as the identity",
        latex=r"\alpha = 0:\quad x + \alpha\odot\mathrm{Op}(\ldots) = x",
        why="A deep stack that starts by doing nothing can be trained from the first step.",
        letters="x y a", own=BLOCK | {k: (REAL, "a coordinate") for k in "xya"},
        oracle=_at_start(lambda x, op, gate: x + gate * op), measured="a block with the condition's weights at 0",
        wrong=(
            (_at_start(lambda x, op, gate: x + (1 + gate) * op), "with 1 + gate the block is there from the start"),
            (_at_start(lambda x, op, gate: gate * op), "without the residual the block starts by erasing its input"),
        ),
    ),
]
