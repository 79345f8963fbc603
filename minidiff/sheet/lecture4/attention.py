"""Lecture 4: attention, and CLIP's loss."""

import math

import numpy as np

from ...pictures import layers
from .. import oracles
from ..entry import COUNT, POSITIVE, REAL, Formula

LOGITS = {"a": (REAL, "q . k_1"), "b": (REAL, "q . k_2"), "d": (COUNT, "length of q and k"),
          "v_1": (REAL, "first value"), "v_2": (REAL, "second value")}  # fmt: skip
SIMILARITIES = {"s_11": (REAL, "similarity of image 1 and text 1, a pair"), "s_12": (REAL, "of image 1 and text 2"),
                "s_21": (REAL, "of image 2 and text 1"), "s_22": (REAL, "of image 2 and text 2, a pair"),
                "temp": (POSITIVE, "the temperature tau that divides the similarities")}  # fmt: skip


def _dot_variance(c, rng=None):
    """Var(q . k) for q, k ~ N(0, I): d times the second moment of q_1 k_1, by a double integral."""
    x, p = oracles.gaussian_grid(0.0, 1.0, 301)
    return sum(p @ (x[:, None] * x) ** 2 @ p for _ in range(c.d))


def _unit_scale(c, rng=None):
    """The number that q . k / number has variance 1 for, by bisection."""
    var = _dot_variance(c)
    return oracles.root(lambda s: 1 - var / s**2, 1e-3, 100.0)


def _attention(c, rng):
    """w v_1 + (1 - w) v_2, where log(w / (1 - w)) is the difference of the logits; w by bisection."""
    difference = (c.a - c.b) / _unit_scale(c)
    w = oracles.root(lambda w: math.log(w) - math.log1p(-w) - difference, 1e-300, 1 - 1e-16)
    return w * c.v_1 + (1 - w) * c.v_2


def _ask_attention(f, c):
    """The library's answer to one query along the first coordinate, whose keys lie there at a and b."""
    along = np.eye(1, c.d)
    return f(along[None], np.array([[c.a], [c.b]])[None] * along, np.array([[[c.v_1], [c.v_2]]]))[0][0, 0, 0]


def _rows(axis):
    """The largest distance of a query's total weight from 1, for a softmax over this axis of (queries, keys)."""

    def gap(c, rng):
        logits = np.array([[c.a, c.b, 0.3], [c.b, -c.a, 1.1]])
        weights = np.exp(logits)
        return np.abs((weights / weights.sum(axis=axis, keepdims=True)).sum(axis=1) - 1).max()

    return gap


def _clip(c, rng):
    """Mean of -log P(an image picks its text) and -log P(a text picks its image), with Gumbel noise."""
    races = ((c.s_11, c.s_12), (c.s_22, c.s_21), (c.s_11, c.s_21), (c.s_22, c.s_12))
    return np.mean([-math.log(oracles.wins(np.array(race) / c.temp)) for race in races])


def _rows_loss(a, b):
    return f"log(1 + exp(({b} - {a})/temp))"


IMAGES = f"{_rows_loss('s_11', 's_12')} + {_rows_loss('s_22', 's_21')}"
TEXTS = f"{_rows_loss('s_11', 's_21')} + {_rows_loss('s_22', 's_12')}"
ALL = "log(exp(s_11/temp) + exp(s_12/temp) + exp(s_21/temp) + exp(s_22/temp))"


def _softmax(scale):
    return f"(exp(a/{scale})*v_1 + exp(b/{scale})*v_2) / (exp(a/{scale}) + exp(b/{scale}))"


# fmt: off
ENTRIES = [
    Formula(
        name="attention-variance", number=72, lecture=4, title="Variance of q . k for unit Gaussian q and k",
        latex=r"\mathrm{Var}(q\cdot k) = d",
        why="Long vectors have large products, and a softmax of large numbers picks one and learns nothing.",
        letters="d", answer="d",
        oracle=_dot_variance, measured="one product's second moment by a double integral, d times",
        wrong=(
            ("sqrt(d)", "that is the standard deviation"),
            ("1", "that is one coordinate's share: d independent products add up"),
            ("d**2", "variances of independent terms add, they do not multiply"),
            ("2*d", "E q^2 k^2 is 1 for independent q and k"),
            ("0", "that is the mean"),
        ),
    ),
    Formula(
        name="attention-scale", number=72, lecture=4, title="What attention divides q . k by",
        latex=r"c = \sqrt{d},\quad \mathrm{Var}(q\cdot k/c) = 1",
        why="Logits of unit variance leave the softmax soft, however long the vectors.",
        letters="d", answer="sqrt(d)",
        oracle=_unit_scale, measured="bisection for the divisor that makes the variance 1",
        wrong=(
            ("d", "that is the variance: the root makes it 1, d makes it 1/d"),
            ("1", "without it the variance is d"),
            ("d**2", "twice too far: a divisor s divides the variance by s^2"),
            ("1/sqrt(d)", "that is the factor, not the divisor"),
        ),
    ),
    Formula(
        name="attention", number=72, lecture=4, title="Attention: one query, two keys",
        latex=r"y = \mathrm{softmax}(q K^T/\sqrt{d})\,V = \frac{e^{a/\sqrt{d}}\,v_1 + e^{b/\sqrt{d}}\,v_2}"
              r"{e^{a/\sqrt{d}} + e^{b/\sqrt{d}}}",
        why="An average of values, each counted by how well its key answers the query.",
        letters="a b d v_1 v_2", own=LOGITS, answer=_softmax("sqrt(d)"),
        oracle=_attention, measured="bisection for the weight whose log-odds are the difference of logits of unit variance",
        source=layers.attention, value=_ask_attention,
        wrong=(
            (_softmax("d"), "the divisor is sqrt(d), the standard deviation of q . k"),
            (_softmax("1"), "to be divided by sqrt(d) before the softmax"),
            (f"{_softmax('1')} / sqrt(d)", "the scale belongs inside the softmax: outside, the weights no longer add up to 1"),
            ("exp(a/sqrt(d))*v_1 + exp(b/sqrt(d))*v_2", "the weights are to be divided by their total"),
            ("(a*v_1 + b*v_2) / sqrt(d)", "the softmax is missing"),
            ("(v_1 + v_2) / 2", "that is attention that does not look"),
        ),
    ),
    Formula(
        name="attention-rows", number=72, lecture=4, title="Each query's weights add up to 1",
        latex=r"\sum_j\,\mathrm{softmax}(Q K^T/\sqrt{d_k})_{ij} = 1",
        why="A query shares out its attention among the keys.",
        letters="a b", own={"a": (REAL, "a logit"), "b": (REAL, "another")}, bound=1e-12,
        oracle=_rows(1), measured="two queries and three keys",
        wrong=((_rows(0), "the softmax runs over the keys, not over the queries"),),
    ),
    Formula(
        name="clip-loss", number=73, lecture=4, title="CLIP's loss of two pairs",
        latex=r"L = -\frac{1}{2N}\sum_i \left[\log\frac{e^{s_{ii}/\tau}}{\sum_j e^{s_{ij}/\tau}}"
              r" + \log\frac{e^{s_{ii}/\tau}}{\sum_j e^{s_{ji}/\tau}}\right]",
        why="Each picture has to find its caption among the batch, and each caption its picture.",
        letters="s_11 s_12 s_21 s_22 temp", own=SIMILARITIES, answer=f"({IMAGES} + {TEXTS}) / 4",
        oracle=_clip, measured="how often the pair wins a race with Gumbel noise, by quadrature",
        wrong=(
            (f"({IMAGES}) / 2", "one direction only: texts have to find their images as well"),
            (f"({TEXTS}) / 2", "one direction only: images have to find their texts as well"),
            (f"{ALL} - (s_11 + s_22) / (2*temp)", "the softmax runs over a row or a column, not over all N^2 entries"),
            (f"({IMAGES} + {TEXTS}) / 2", "the mean over both directions, not their sum"),
            (f"({IMAGES} + {TEXTS}) / 4 + (s_11 + s_22 - s_12 - s_21) / (2*temp)",
             "the pairs stand on the diagonal: off it the captions are the wrong ones"),
            (f"({IMAGES} + {TEXTS}) / 4".replace("/temp", "*temp"), "the temperature divides"),
            (f"({IMAGES} + {TEXTS}) / 4".replace("/temp", ""), "the temperature is missing"),
            (f"-({IMAGES} + {TEXTS}) / 4", "the sign: a loss is minus the log-likelihood"),
        ),
    ),
    Formula(
        name="clip-chance", number=73, lecture=4, title="CLIP's loss when all similarities are equal",
        latex=r"L = \log N",
        why="The loss of guessing: an untrained network starts there, whatever the temperature.",
        letters="n", own={"n": (COUNT, "the number of pairs, N")}, answer="log(n)",
        oracle=lambda c, rng: -math.log(oracles.wins([0.0] * c.n)), measured="how often one of n wins a race, by quadrature",
        wrong=(
            ("2 * log(n)", "the softmax runs over N candidates, not over all N^2 entries"),
            ("0", "that is the loss of knowing every pair"),
            ("1 / n", "that is the probability of a right guess, the loss is -log of it"),
            ("log(n) / n", "each row has log N of its own, and the loss is their mean"),
            ("-log(n)", "the sign: a loss is minus the log-likelihood"),
        ),
    ),
    Formula(
        name="cosine-similarity", number=73, lecture=4, title="Cosine similarity",
        latex=r"\cos(u, v) = \frac{u_1v_1 + u_2v_2}{\sqrt{u_1^2 + u_2^2}\,\sqrt{v_1^2 + v_2^2}}",
        why="Directions are compared, lengths are not: a loud caption is no better one.",
        letters="u_1 u_2 v_1 v_2", own={k: (REAL, f"coordinate of {k[0]}") for k in ("u_1", "u_2", "v_1", "v_2")},
        answer="(u_1*v_1 + u_2*v_2) / (sqrt(u_1**2 + u_2**2) * sqrt(v_1**2 + v_2**2))",
        oracle=lambda c, rng: math.cos(math.atan2(c.u_2, c.u_1) - math.atan2(c.v_2, c.v_1)), measured="the angle between both",
        wrong=(
            ("u_1*v_1 + u_2*v_2", "to be divided by both lengths"),
            ("(u_1*v_1 + u_2*v_2) / ((u_1**2 + u_2**2) * (v_1**2 + v_2**2))", "the lengths are roots of the sums of squares"),
            ("(u_1*v_1 + u_2*v_2) / sqrt(u_1**2 + u_2**2)", "v's length is to be divided out as well"),
            ("(u_1*v_1 + u_2*v_2) / (u_1**2 + u_2**2 + v_1**2 + v_2**2) * 2", "that also compares the lengths"),
            ("(u_1*v_2 - u_2*v_1) / (sqrt(u_1**2 + u_2**2) * sqrt(v_1**2 + v_2**2))", "that is the sine, up to its sign"),
        ),
    ),
]
