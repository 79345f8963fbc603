"""What the quiz asks about evaluation: with numbers (ASKED), without (CONCEPTS; see ../concepts.py)."""

import numpy as np

from ...evaluation import metrics
from ..computing import compute
from ..concepts import TWO_BUMPS, ask, near, rng


def _sets(n, seed=0):
    """Two sets of n points from one law."""
    x = np.random.default_rng(seed).standard_normal((2, n, 2))
    return x[0], x[1]


def _same_moments(n=300):
    """Draws of two bumps and of one bell, brought to mean 0 and variance 1."""
    sets = TWO_BUMPS.sample(n, rng()), rng().standard_normal((n, 1))
    return [(x - x.mean()) / x.std() for x in sets]


# fmt: off
ASKED = {  # by the quiz, instead of the entry's title
    "likeness": "SSIM's factor (no constants) for two positive numbers",
    "fid-1d": "FID (a squared distance) of one feature",
    "psnr": "PSNR in decibels",
    "elo-expected": "Elo's expected score of a (400 points: 10 to 1)",
    "elo-update": "a's new Elo rating (400 points: 10 to 1)",
    "kid": "Unbiased KID (cubic kernel, a squared distance) of two real and two generated pictures with one feature each",
    "inception-score": "Inception score (an exponential, from 1 on) of two pictures, two classes",
}
CONCEPTS = [
    ask("fid-1d", lambda: [metrics.frechet(*_sets(n)) for n in (50, 2000)],
        "FID between two sets drawn from one law, 50 or 2000 points each:",
        ("above 0, and less for more points", lambda f: f[0] > f[1] > 0, "means and covariances are estimates"),
        ("0 in both cases", near(0, 1e-6), "that holds for infinitely many points"),
        ("above 0, the same for both", lambda f: f[1] > 0 and abs(f[0] / f[1] - 1) < 0.2, "the errors of estimates shrink")),
    ask("fid-2d", lambda: [f(_sets(500)[0], _sets(500)[0]) for f in (metrics.frechet, metrics.energy_distance)],
        "A generator that only repeats its training pictures, judged against these pictures:",
        ("gets a perfect distance of 0", near(0, 1e-9), "distances of sets do not see copying: look for nearest neighbours"),
        ("gets a large distance", lambda f: min(f) > 0.1, "the sets agree point by point"),
        ("is found out by the energy distance", lambda f: f[0] < 1e-9 < f[1], "that too compares laws, not novelty")),
    ask("fid-1d", lambda: [f(*_same_moments()) for f in (metrics.frechet, metrics.energy_distance)],
        "Data in two bumps, samples from one bell with the same mean and variance. What does the Frechet distance say?",
        ("nearly 0: it sees means and covariances only", lambda f: f[0] < 1e-9 < 0.02 < f[1], "the energy distance sees more"),
        ("a large number: the shapes differ", lambda f: f[0] > 0.1, "shape beyond the covariance does not enter"),
        ("nothing: it needs Gaussian features", lambda f: not np.isfinite(f[0]), "it can be computed for any")),
    ask("psnr", lambda: np.subtract(*metrics.psnr(np.array([[0.01], [0.1]]), np.zeros((2, 1)))),
        "Every pixel's error becomes a tenth. PSNR rises by",
        ("20 dB", near(20, 1e-6), "the squared error is a hundredth"),
        ("10 dB", near(10, 1e-6), "a decibel counts powers, and the error is squared first"),
        ("40 dB", near(40, 1e-6), "the square is taken once")),
    ask("elo-update", lambda: float(compute("elo-update", R_a=1000, R_b=1000, K=32, score=1).result) - 1000,
        "Two models of equal rating, K = 32, one wins. It gains",
        ("16", near(16), "half of K: a win of 1 where 1/2 was expected"),
        ("32", near(32), "K is gained where no win at all was expected"),
        ("0: they were equal", near(0), "what counts is the result less what was expected")),
]
