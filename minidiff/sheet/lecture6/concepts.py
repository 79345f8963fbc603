"""What the quiz asks about training in practice: with numbers (ASKED), without (CONCEPTS; see ../concepts.py)."""

import numpy as np

from ...runs.batches import logit_normal
from ..computing import compute
from ..concepts import ask, near


def _told(n):
    """The error of the colour that n pixels tell."""
    return float(compute("pixel-average", n=n, t="1/2").result)


# fmt: off
ASKED = {  # by the quiz, instead of the entry's title
    "pixel-average": "n pixels show one colour c as (1 - t) c + t eps. The standard deviation of the best estimate of c",
    "gradient-accumulation": "The batch's gradient (a mean over its examples) from two parts' mean gradients",
    "gradient-noise": "Standard deviation of a batch's gradient, the mean over B examples, sigma known",
}
CONCEPTS = [
    ask("logit-normal", lambda: float(np.diff(logit_normal().cdf(np.array([0.25, 0.75])))[0]),
        "Logit-normal training times (mean 0, std 1). How many fall into the middle half, 1/4 to 3/4?",
        ("more than half of them", lambda p: p > 0.6, "it prefers the middle, where the velocity is hardest to guess"),
        ("half of them", near(0.5, 0.05), "that is the uniform law"),
        ("less than half of them", lambda p: p < 0.4, "it is a bell in the logit, thin at both ends")),
    ask("resolution-shift", lambda: float(compute("resolution-shift", m=4, n=1, t_n="1/2").result),
        "Training moves to pictures of twice the width (t = 1 is noise). To hide as much as t = 1/2 did, t has to be",
        ("larger", lambda t: t > 0.55, "four times the pixels average the noise away"),
        ("the same", near(0.5, 0.05), "the eye averages over more pixels"),
        ("smaller", lambda t: t < 0.45, "more pixels tell more about the picture, so it takes more noise")),
    ask("logit-normal", lambda: float(logit_normal(1.0).cdf(np.array(0.5))),
        "Logit-normal training times, their mean raised from 0 to 1 (times in 0..1). What share of them falls below 1/2?",
        ("less than before", lambda p: p < 0.45, "a positive logit is a time above 1/2"),
        ("half, as before", near(0.5, 0.05), "the median is the sigmoid of the mean, not 1/2"),
        ("more than before", lambda p: p > 0.55, "the sigmoid rises")),
    ask("pixel-average", lambda: _told(16) / _told(4),
        "A picture of one colour, noised to the same t, is made twice as wide and high. The error of its estimated colour",
        ("halves", near(0.5), "four times the pixels: the mean's standard deviation falls with the root of their number"),
        ("becomes a quarter", near(0.25), "that is the variance"),
        ("stays", near(1), "each pixel is as noisy as before, but there are more of them")),
]
