"""Lecture 7: Elo ratings, FID, PSNR, SSIM."""

import math
from fractions import Fraction

import numpy as np

from .. import oracles
from ..entry import POSITIVE, REAL, SHARE, Formula

RATINGS = {"R_a": (REAL, "rating of a"), "R_b": (REAL, "rating of b"), "K": (POSITIVE, "largest change of a rating"),
           "score": (SHARE, "what a got: 1 win, 1/2 draw, 0 loss")}  # fmt: skip
FEATURES = {"mu_1": (REAL, "mean of the real features"), "sigma_1": (POSITIVE, "their standard deviation"),
            "mu_2": (REAL, "mean of the generated ones"), "sigma_2": (POSITIVE, "their standard deviation")}  # fmt: skip
PLANE = {"a": (POSITIVE, "first variance of the real features, a diagonal covariance"), "b": (POSITIVE, "the second"),
         "c": (POSITIVE, "first variance of the generated ones"), "d": (POSITIVE, "the second"),
         "r": (REAL, "the covariance of both")}  # fmt: skip
IMAGES = {"mu_1": (POSITIVE, "mean of the first picture"), "mu_2": (POSITIVE, "of the second"),
          "cov": (REAL, "covariance of both"), "C_1": (POSITIVE, "a small constant"), "C_2": (POSITIVE, "another")}  # fmt: skip


def _far_apart(c):
    """Ratings of the usual size."""
    return {k: 1000 + 100 * c[k] for k in ("R_a", "R_b")}


def _within(c):
    """A covariance that two pictures of these widths can have."""
    return {"cov": c.sigma_1 * c.sigma_2 * c["cov"] / (1 + abs(c["cov"]))}


def _expected(gap):
    """The chance of winning whose odds grow tenfold every 400 points, by bisection."""
    return oracles.root(lambda e: 400 * math.log10(e / (1 - e)) - gap, 1e-15, 1 - 1e-15)


def _likelier(c, rng):
    """R_a and a step uphill on the log-likelihood of the score; the slope by finite differences, in units of 400 / ln 10."""
    unit = 400 / math.log(10)
    gap = (c.R_a - c.R_b) / unit

    def log_likelihood(u):
        e = _expected(u * unit)
        return c.score * math.log(e) + (1 - c.score) * math.log(1 - e)

    return c.R_a + c.K * oracles.difference(log_likelihood, gap, 1e-2)


def _ranks(c, rng):
    """The least transport cost of one Gaussian to the other: E (x - y)^2 of equal quantiles, by quadrature."""
    (x, p), (y, _) = (oracles.gaussian_grid(m, s) for m, s in ((c.mu_1, c.sigma_1), (c.mu_2, c.sigma_2)))
    return p @ (x - y) ** 2


def _best_turn(c, rng):
    """E |x - y|^2 of the cheapest linear pairing: y is x made round, turned by an angle and shaped anew; the best angle.

    What the angle changes is a wave of it, whose height is the root of twice its mean square.
    """
    real, made = np.diag([math.sqrt(c.a), math.sqrt(c.b)]), np.linalg.cholesky([[c.c, c.r], [c.r, c.d]])
    angles = np.arange(8) * math.pi / 4
    wave = [
        np.trace(made @ np.array([[math.cos(u), -math.sin(u)], [math.sin(u), math.cos(u)]]) @ real)
        for u in angles
    ]
    return np.sum(real**2) + np.sum(made**2) - 2 * math.sqrt(2 * np.mean(np.square(wave)))


def _decibels(c, rng):
    """How often the peak's power has to be divided by 10^(1/10) until it is mse, by bisection."""
    return oracles.root(lambda x: c.mse - c.peak**2 * 10 ** (-x / 10), -200.0, 200.0)


def _likeness(c, rng=None):
    """The sine of twice the angle of the point (a, b)."""
    return math.sin(2 * math.atan2(c.b, c.a))


def _three_factors(c, rng):
    """Luminance, contrast and structure, C_3 = C_2 / 2, in exact fractions."""
    m_1, m_2, s_1, s_2, cov, C_1, C_2 = (
        Fraction(c[k]) for k in ("mu_1", "mu_2", "sigma_1", "sigma_2", "cov", "C_1", "C_2")
    )
    luminance = (m_1 * m_2 + m_1 * m_2 + C_1) / (m_1**2 + m_2**2 + C_1)
    contrast = (s_1 * s_2 + s_1 * s_2 + C_2) / (s_1**2 + s_2**2 + C_2)
    structure = (cov + C_2 / 2) / (s_1 * s_2 + C_2 / 2)
    return float(luminance * contrast * structure)


WIN = "1 / (1 + 10**((R_b - R_a)/400))"
DELTA, TAU = "sqrt(c*d - r**2)", "sqrt(c + d + 2*sqrt(c*d - r**2))"
LUMINANCE, WIDTHS = "(2*mu_1*mu_2 + C_1) / (mu_1**2 + mu_2**2 + C_1)", "(sigma_1**2 + sigma_2**2 + C_2)"

# fmt: off
ENTRIES = [
    Formula(
        name="elo-expected", number=80, lecture=7, title="Elo: the expected score",
        latex=r"E_a = \frac{1}{1 + 10^{(R_b-R_a)/400}}",
        why="Only the difference counts: 400 points more are odds of ten to one.",
        letters="R_a R_b", own=RATINGS, derive=_far_apart, answer=WIN,
        oracle=lambda c, rng: _expected(c.R_a - c.R_b),
        measured="bisection for the chance whose odds grow tenfold every 400 points",
        wrong=(
            ("1 / (1 + 10**((R_a - R_b)/400))", "the sign: that is b's expected score"),
            ("1 / (1 + exp((R_b - R_a)/400))", "the base is 10, not e"),
            ("10**((R_a - R_b)/400)", "those are the odds, not the chance"),
            ("R_a / (R_a + R_b)", "the difference of ratings counts, not their ratio"),
            ("1 / (1 + 10**((R_b - R_a)/200))", "ten to one takes 400 points"),
            ("1 / (1 + 2**((R_b - R_a)/400))", "the base is 10, not 2"),
        ),
    ),
    Formula(
        name="elo-update", number=80, lecture=7, title="Elo: the new rating",
        latex=r"R_a' = R_a + K\,(S_a - E_a),\quad E_a = \frac{1}{1 + 10^{(R_b-R_a)/400}}",
        why="An upset moves much, an expected result little: it is a gradient step on what the results say.",
        letters="R_a R_b K score", own=RATINGS, asks={"score": None}, derive=_far_apart,
        answer=f"R_a + K * (score - {WIN})", bound=1e-8,
        oracle=_likelier, measured="a step uphill on the log-likelihood, its slope by finite differences",
        wrong=(
            (f"R_a - K * (score - {WIN})", "the sign: who does better than expected gains"),
            ("R_a + K * (score - 1 / (1 + 10**((R_a - R_b)/400)))", "a's own expected score is taken off, not b's"),
            ("R_a + K * score", "what was expected is no news: take it off"),
            (f"R_a + (score - {WIN})", "the factor K is missing"),
            (f"R_a + K * score * {WIN}", "the difference of score and expectation counts"),
            ("R_a + K * (score - 1 / (1 + exp((R_b - R_a)/400)))", "the base is 10, not e"),
            (f"R_b + K * (score - {WIN})", "a's rating is a's old rating and a change"),
        ),
    ),
    Formula(
        name="fid-1d", number=80, lecture=7, title="FID of one feature",
        latex=r"\mathrm{FID} = (\mu_1-\mu_2)^2 + (\sigma_1-\sigma_2)^2",
        why="What it costs at least to carry the generated Gaussian onto the real one.",
        letters="mu_1 sigma_1 mu_2 sigma_2", own=FEATURES, answer="(mu_1 - mu_2)**2 + (sigma_1 - sigma_2)**2",
        oracle=_ranks, measured="carrying rank to rank, the cheapest way on a line, by quadrature",
        wrong=(
            ("abs(mu_1 - mu_2) + (sigma_1 - sigma_2)**2", "the means' distance is to be squared"),
            ("(mu_1 - mu_2)**2 + (sigma_1**2 - sigma_2**2)**2", "standard deviations are compared, not variances"),
            ("(mu_1 - mu_2)**2 + sigma_1**2 + sigma_2**2 - 2*sigma_1**2*sigma_2**2", "the root of the product is missing"),
            ("(mu_1 - mu_2)**2 + sigma_1**2 + sigma_2**2", "that is for pairs drawn at random; the cross term is missing"),
            ("sqrt((mu_1 - mu_2)**2 + (sigma_1 - sigma_2)**2)", "FID is the squared distance"),
            ("(mu_1 - mu_2)**2 + sigma_1**2 + sigma_2**2 - sigma_1*sigma_2", "the 2 of the cross term is missing"),
            ("(mu_1 - mu_2)**2 / (2*sigma_2**2)", "that is a KL of equal widths, which is not symmetric in general"),
        ),
    ),
    Formula(
        name="fid-2d", number=80, lecture=7, title="FID of two features: equal means, the real ones uncorrelated",
        latex=r"\mathrm{FID} = \mathrm{Tr}(\Sigma_1 + \Sigma_2 - 2(\Sigma_1\Sigma_2)^{1/2}) = "
              r"a + b + c + d - 2\sqrt{ac + bd + 2\sqrt{ab(cd - r^2)}},"
              r"\quad \Sigma_1 = \mathrm{diag}(a, b),\ \Sigma_2 = (c\ r;\ r\ d)",
        why="The root is a matrix root of the product: for two features its trace is sqrt(Tr + 2 sqrt(det)).",
        letters="a b c d r", own=PLANE, derive=lambda c: {"r": c.r * min(c.c, c.d) / (1 + abs(c.r))},
        answer="a + b + c + d - 2 * sqrt(a*c + b*d + 2*sqrt(a*b*(c*d - r**2)))",
        oracle=_best_turn, measured="the cheapest pairing of both Gaussians over all turns",
        wrong=(
            (f"a + b + c + d - 2 * (sqrt(a)*(c + {DELTA}) + sqrt(b)*(d + {DELTA})) / {TAU}",
             "the root of a product is not the product of roots: these matrices do not commute"),
            ("a + b + c + d - 2 * (sqrt(a*c) + sqrt(b*d))", "the root of a matrix is not that of its elements"),
            ("a + b + c + d - 2 * sqrt(a*c + b*d)", "the trace of a root is not the root of the trace"),
            ("a + b + c + d - 2 * (a*c + b*d)", "the root is missing"),
            ("a + b + c + d - sqrt(a*c + b*d + 2*sqrt(a*b*(c*d - r**2)))", "the 2 of the cross term is missing"),
            ("a + b + c + d", "that is for pairs drawn at random; the cross term is missing"),
        ),
    ),
    Formula(
        name="psnr", number=80, lecture=7, title="Peak signal-to-noise ratio in decibels",
        latex=r"\mathrm{PSNR} = 10\,\log_{10}\frac{\mathrm{MAX}^2}{\mathrm{MSE}}",
        why="Ten decibels are a tenth of the squared error.",
        letters="peak mse", own={"peak": (POSITIVE, "largest value of a pixel"), "mse": (POSITIVE, "mean squared error")},
        answer="10 * log(peak**2 / mse) / log(10)",
        oracle=_decibels, measured="bisection for how many tenths of a power of ten lie between peak^2 and mse",
        wrong=(
            ("20 * log(peak**2 / mse) / log(10)", "20 is for amplitudes: the mse is a square already"),
            ("10 * log(peak / mse) / log(10)", "the peak is to be squared as the error is"),
            ("10 * log(peak**2 / mse)", "decibels count powers of ten: log_10"),
            ("10 * log(mse / peak**2) / log(10)", "inverted: a small error is a large PSNR"),
            ("10 * log(1 / mse) / log(10)", "that is for a peak of 1"),
            ("log(peak**2 / mse) / log(10)", "those are bels; a decibel is a tenth"),
            ("10 * log(peak**2 / sqrt(mse)) / log(10)", "the error stays squared, no root"),
        ),
    ),
    Formula(
        name="likeness", number=80, lecture=7, title="How alike two positive numbers are",
        latex=r"l = \frac{2ab}{a^2+b^2}",
        why="It is 1 where both are equal, whatever their size, and falls with their ratio alone.",
        letters="a b", own={k: (POSITIVE, "a number above 0") for k in "ab"}, answer="2*a*b / (a**2 + b**2)",
        oracle=_likeness, measured="the sine of twice the angle of the point (a, b)",
        wrong=(
            ("a*b / (a**2 + b**2)", "the 2 is missing: a = b has to give 1"),
            ("2*a*b / (a + b)**2", "squares are added, not the numbers before squaring"),
            ("2*a*b / (a + b)", "that is the harmonic mean, which has a size"),
            ("(a**2 + b**2) / (2*a*b)", "inverted: that is at least 1"),
            ("(a - b)**2 / (a**2 + b**2)", "that is how unlike they are, 1 minus it"),
            ("2*sqrt(a*b) / (a + b)", "that compares the roots"),
        ),
    ),
    Formula(
        name="likeness-bound", number=80, lecture=7, title="It is never above 1",
        latex=r"\frac{2ab}{a^2+b^2} \leq 1",
        why="Because (a - b)^2 is not negative; SSIM's factors are built on it.",
        letters="a b", own={k: (POSITIVE, "a number above 0") for k in "ab"}, relation=">=",
        oracle=lambda c, rng: 1 - _likeness(c), measured="1 less the sine of twice an angle",
        wrong=((lambda c, rng: _likeness(c) - 1, "it is at most 1, and 1 only for a = b"),),
    ),
    Formula(
        name="ssim", number=80, lecture=7, title="Structural similarity, two factors",
        latex=r"\mathrm{SSIM} = \frac{(2\mu_1\mu_2+C_1)(2\sigma_{12}+C_2)}{(\mu_1^2+\mu_2^2+C_1)(\sigma_1^2+\sigma_2^2+C_2)}",
        why="Alike in brightness, in contrast and in what goes up and down together; the latter two share a factor.",
        letters="mu_1 mu_2 sigma_1 sigma_2 cov C_1 C_2", own=IMAGES, derive=_within,
        answer=f"{LUMINANCE} * (2*cov + C_2) / {WIDTHS}",
        oracle=_three_factors, measured="brightness, contrast and structure with C_3 = C_2 / 2, in exact fractions",
        wrong=(
            (f"{LUMINANCE} * (2*sigma_1*sigma_2 + C_2) / {WIDTHS}", "that is the contrast alone: the covariance belongs there"),
            (f"{LUMINANCE} * (cov + C_2) / {WIDTHS}", "the 2 is missing: a picture has to be 1 like itself"),
            (f"{LUMINANCE} * (2*cov + C_2) / (sigma_1 + sigma_2 + C_2)", "variances, not standard deviations"),
            (f"(2*cov + C_2) / {WIDTHS}", "the brightness is missing"),
            (f"{LUMINANCE} * (2*cov + C_1) / (sigma_1**2 + sigma_2**2 + C_1)", "the second factor has a constant of its own"),
            (f"{LUMINANCE} * 2*cov / (sigma_1**2 + sigma_2**2)", "without C_2 a flat picture divides by 0"),
            (f"{LUMINANCE} + (2*cov + C_2) / {WIDTHS}", "the factors are multiplied"),
        ),
    ),
]
