"""Lecture 4: Bayes' rule for scores, what training with a dropped condition learns, what guidance draws from."""

import itertools
import math

import numpy as np

from .. import oracles
from ..entry import COUNT, POSITIVE, REAL, SHARE, Formula

CLASSES = {"a": (POSITIVE, "pictures of class y lie around a, of the other class, as frequent, around -a"),
           "sigma": (POSITIVE, "standard deviation around either"), "s_c": (REAL, "grad log p(x | y), at x"),
           "s_u": (REAL, "grad log p(x), at x")}  # fmt: skip
ANSWERS = {"eps_u": (REAL, "the noise guessed without a condition"), "eps_1": (REAL, "the noise guessed given y_1"),
           "eps_2": (REAL, "the noise guessed given y_2"), "p": (SHARE, "p(y_1 | x_t); y_1 and y_2 are all there is"),
           "w": (POSITIVE, "weight of y_1"), "w_2": (POSITIVE, "weight of y_2")}  # fmt: skip
DROPPED = {
    "p": (SHARE, "probability that an example's condition is dropped"),
    "n": (COUNT, "examples in the batch"),
}
BELLS = {"mu": (REAL, "mean of p(x)"), "mu_1": (REAL, "mean of p(x | y)"), "sigma": (POSITIVE, "their standard deviation"),
         "sigma_1": (POSITIVE, "standard deviation of p(x | y), less than that of p(x)"),
         "sigma_2": (POSITIVE, "standard deviation of p(x)")}  # fmt: skip


def _class_slope(c, rng):
    """d/dx log p(y | x), p(y | x) by Bayes, by finite differences of a step that suits the change of class."""

    def log_share(x):
        here, there = oracles.log_bell(x, c.a, c.sigma**2), oracles.log_bell(x, -c.a, c.sigma**2)
        return here - np.logaddexp(here, there)

    return oracles.difference(log_share, c.x, 5e-3 * c.sigma**2 / c.a)


def _scores(c):
    """grad log p(x | y) and grad log p(x) of the two classes: the mean of the one, and the mean of both, less x."""
    var = c["sigma"] ** 2
    return {"s_c": (c["a"] - c["x"]) / var, "s_u": (c["a"] * math.tanh(c["a"] * c["x"] / var) - c["x"]) / var}


def _noise_of(log_p):
    """Minus the slope at 0 of a log density: the noise, as all densities here stand for noise of unit width."""
    return -oracles.difference(log_p, 0.0)


def _both(c, rng):
    """The noise of the mixture of two densities, whose noises are eps_1 and eps_2, with the shares p and 1 - p at x = 0."""
    bell = lambda x, eps: math.exp(oracles.log_bell(x, -eps, 1.0) - oracles.log_bell(0.0, -eps, 1.0))  # noqa: E731
    return _noise_of(lambda x: math.log(c.p * bell(x, c.eps_1) + (1 - c.p) * bell(x, c.eps_2)))


def _two(c, rng):
    """The noise of log p(x) + w log p(y_1 | x) + w_2 log p(y_2 | x), each p(y | x) by Bayes."""
    free, first, second = (lambda x, e=e: oracles.log_bell(x, -e, 1.0) for e in (c.eps_u, c.eps_1, c.eps_2))
    return _noise_of(lambda x: free(x) + c.w * (first(x) - free(x)) + c.w_2 * (second(x) - free(x)))


def _any_dropped(c, rng):
    """The probability of all batches in which at least one example has lost its condition, one by one."""
    batches = itertools.product((True, False), repeat=c.n)
    return sum(math.prod(c.p if dropped else 1 - c.p for dropped in batch) for batch in batches if any(batch))


def _drawn(c, mean, std, free_mean, free_std):
    """Mean and variance of p(x) (p(x | y) / p(x))^w, normalised on a grid."""
    given, free = (
        lambda x, m=m, s=s: oracles.log_bell(x, m, s**2) for m, s in ((mean, std), (free_mean, free_std))
    )
    guided = lambda x: free(x) + c.w * (given(x) - free(x))  # noqa: E731
    return oracles.refined_moments(
        guided, free_mean, 12 * max(std, free_std) + (1 + c.w) * abs(mean - free_mean)
    )


# fmt: off
ENTRIES = [
    Formula(
        name="classifier-gradient", number=74, lecture=4, title="Gradient of a classifier: two classes, around a and -a",
        latex=r"\nabla_x\log p(y\,|\,x) = \frac{2a}{\sigma^2}\,\frac{1}{1 + e^{2ax/\sigma^2}}",
        why="Where the class is certain already the push fades away: it is the doubt, 1 - p(y | x), that pushes.",
        letters="x a sigma", own=CLASSES, answer="2*a/sigma**2 / (1 + exp(2*a*x/sigma**2))",
        oracle=_class_slope, measured="finite differences of log p(y | x), by Bayes",
        wrong=(
            ("(a - x) / sigma**2", "that is the score of p(x | y): a classifier does not know how likely x is"),
            ("2*a/sigma**2", "where y is nearly certain there is little to gain: the factor 1 - p(y | x)"),
            ("2*a/sigma**2 / (1 + exp(-2*a*x/sigma**2))", "the factor is the doubt 1 - p(y | x), not p(y | x)"),
            ("-2*a/sigma**2 / (1 + exp(2*a*x/sigma**2))", "the sign: uphill is towards a"),
            ("1 / (1 + exp(2*a*x/sigma**2))", "that is the doubt alone; the logit 2 a x / sigma^2 has a slope of its own"),
            ("a/sigma**2 / (1 + exp(2*a*x/sigma**2))", "the classes are 2 a apart"),
        ),
    ),
    Formula(
        name="implicit-classifier", number=74, lecture=4, title="Bayes for scores: two denoisers are a classifier",
        latex=r"\nabla_x\log p(y\,|\,x) = s_y - s_\varnothing,\quad s_y = \nabla_x\log p(x\,|\,y)",
        why="The logarithm makes of Bayes' fraction a difference, and p(y), which x does not enter, has no gradient.",
        letters="x a sigma s_c s_u", needs="s_c s_u", own=CLASSES,
        asks=dict.fromkeys(("s_c", "s_u"), ("x", "t")), derive=_scores, answer="s_c - s_u",
        oracle=_class_slope, measured="finite differences of log p(y | x), by Bayes",
        wrong=(
            ("s_c", "that is the score of p(x | y); the classifier's gradient has log p(x) taken off"),
            ("s_u - s_c", "the sign: p(x) is below the fraction"),
            ("s_c + s_u", "Bayes divides by p(x)"),
            ("s_c / s_u", "the densities are divided, so their scores are subtracted"),
            ("s_u", "that is the unconditional score, which knows no class"),
        ),
    ),
    Formula(
        name="condition-dropout", number=75, lecture=4, title="How often a batch of n trains the unconditional denoiser at all",
        latex=r"P = 1 - (1-p)^n",
        why="One network learns both: now and then the caption is hidden, in most batches from somebody.",
        letters="n p", own=DROPPED, answer="1 - (1-p)**n",
        oracle=_any_dropped, measured="the probabilities of all batches with a dropped condition, added up",
        wrong=(
            ("n * p", "that is the mean number of them, which may be above 1"),
            ("p**n", "that is for all conditions being dropped"),
            ("(1-p)**n", "that is for none being dropped"),
            ("p", "that is one example's: more examples, more chances"),
            ("1 - p**n", "that is for at least one that keeps its condition"),
        ),
    ),
    Formula(
        name="unconditional-average", number=75, lecture=4, title="The unconditional denoiser averages the conditional ones",
        latex=r"\epsilon_\varnothing(x_t) = \sum_y\,p(y\,|\,x_t)\,\epsilon_y(x_t) = p\,\epsilon_1 + (1-p)\,\epsilon_2",
        why="Trained without the label, it has to bet on what the label may be, as far as x_t tells.",
        letters="eps_1 eps_2 p", own=ANSWERS, answer="p*eps_1 + (1-p)*eps_2", bound=1e-8,
        oracle=_both, measured="the slope of the mixture's log density by finite differences",
        wrong=(
            ("(eps_1 + eps_2) / 2", "x_t tells which class is likelier: p(y | x_t) counts, not how many there are"),
            ("(1-p)*eps_1 + p*eps_2", "the weights are swapped: p is the share of y_1"),
            ("eps_1 + eps_2", "an average, not a sum: the shares add up to 1"),
            ("0", "without a condition the noise is still guessed, from x_t alone"),
            ("p*eps_1", "the other class may be there as well"),
        ),
    ),
    Formula(
        name="two-conditions", number=75, lecture=4, title="Guidance by two conditions that are independent given x",
        latex=r"\tilde\epsilon = \epsilon_\varnothing + w\,(\epsilon_1 - \epsilon_\varnothing)"
              r" + w_2\,(\epsilon_2 - \epsilon_\varnothing)",
        why="Each condition brings a direction of its own, and directions are added.",
        letters="eps_u eps_1 eps_2 w w_2", own=ANSWERS,
        asks=dict.fromkeys(("eps_1", "eps_2"), ("x_t", "t")),
        answer="eps_u + w*(eps_1 - eps_u) + w_2*(eps_2 - eps_u)",
        oracle=_two, measured="the slope of log p(x) p(y_1 | x)^w p(y_2 | x)^w_2 by finite differences",
        wrong=(
            ("eps_u + w*(eps_1 - eps_u) + w_2*(eps_2 - eps_1)", "that is for an eps_2 that is told both conditions"),
            ("w*eps_1 + w_2*eps_2", "what both say without a condition would count w + w_2 times"),
            ("eps_u + w*eps_1 + w_2*eps_2", "only what a condition changes is added: eps_1 - eps_u"),
            ("eps_u + w*w_2*(eps_1 + eps_2 - 2*eps_u)", "each direction has its own weight"),
            ("(eps_u + w*(eps_1 - eps_u) + w_2*(eps_2 - eps_u)) / 2", "directions are added, not averaged"),
        ),
    ),
    Formula(
        name="guided-mean", number=75, lecture=4, title="Mean of p(x) p(y | x)^w: two Gaussians of one width",
        latex=r"\tilde\mu = \mu + w\,(\mu_1 - \mu)",
        why="With w above 1 samples lie beyond the class's own mean, away from the rest: saturated colours.",
        letters="mu mu_1 sigma w", own=BELLS, answer="mu + w*(mu_1 - mu)",
        oracle=lambda c, rng: _drawn(c, c.mu_1, c.sigma, c.mu, c.sigma)[0],
        measured="p(x) (p(x | y) / p(x))^w normalised on a grid",
        wrong=(
            ("mu_1", "that is w = 1: a larger weight leads beyond the class's mean"),
            ("mu + w*mu_1", "the difference of the means counts"),
            ("(mu + w*mu_1) / (1 + w)", "that is p(x) p(x | y)^w: p(y | x) has p(x) below the fraction"),
            ("mu_1 + w*(mu_1 - mu)", "that is the convention whose w is ours less 1"),
            ("mu + w*(mu - mu_1)", "the sign: towards the class"),
        ),
    ),
    Formula(
        name="guided-variance", number=75, lecture=4, title="Variance of p(x) p(y | x)^w: Gaussians of two widths",
        latex=r"\tilde\sigma^2 = \frac{1}{w/\sigma_1^2 + (1-w)/\sigma_2^2}",
        why="A class is narrower than all data, and guidance goes on that way: sharper samples, less variety.",
        letters="mu_1 sigma_1 sigma_2 w", own=BELLS, answer="1 / (w/sigma_1**2 + (1-w)/sigma_2**2)",
        derive=lambda c: {"sigma_1": min(c["sigma_1"], c["sigma_2"] * 4 / 5)},
        oracle=lambda c, rng: _drawn(c, c.mu_1, c.sigma_1, 0.0, c.sigma_2)[1],
        measured="p(x) (p(x | y) / p(x))^w normalised on a grid",
        wrong=(
            ("sigma_1**2", "that is w = 1: a larger weight narrows it further"),
            ("sigma_1**2 / w", "that is p(x | y)^w: p(x)^(1-w) widens it again"),
            ("w*sigma_1**2 + (1-w)*sigma_2**2", "precisions are added with these weights, not variances"),
            ("1 / (w/sigma_1**2 + 1/sigma_2**2)", "that is p(x) p(x | y)^w: p(y | x) has p(x) below the fraction"),
            ("1 / (w/sigma_1 + (1-w)/sigma_2)**2", "precisions are 1 / sigma^2"),
        ),
    ),
]
