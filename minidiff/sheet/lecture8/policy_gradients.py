"""Lecture 8: REINFORCE, baselines, PPO, estimates of the KL, best of n."""

import math

import numpy as np

from .. import oracles
from ..entry import COUNT, POSITIVE, REAL, SHARE, Formula
from .alignment import chance

POLICY = {"a": (REAL, "log-odds of answer 1, trained; there are two answers"), "p": (SHARE, "probability of answer 1"),
          "r_1": (REAL, "reward of answer 1"), "r_2": (REAL, "reward of answer 2"), "b": (REAL, "the baseline")}  # fmt: skip
GROUP = {f"r_{i}": (REAL, f"reward of answer {i}") for i in (1, 2, 3)}
CLIP = {"rho": (POSITIVE, "ratio of the new probability to that of the law which was sampled"), "A": (REAL, "the advantage"),
        "eps": (SHARE, "the clip range")}  # fmt: skip
RATIO = {
    "q": (SHARE, "the trained law's probability of what it drew"),
    "p": (SHARE, "the reference's probability of it"),
}
RANKS = {"n": (COUNT, "how many are drawn, of which the best is kept")}


def _uphill(c, rng=None):
    """The slope of the mean reward in the log-odds, by finite differences."""
    return oracles.difference(lambda a: chance(a) * (c.r_1 - c.r_2) + c.r_2, c.a, 1e-2)


def _learned(c, reward_less, drawn=None):
    """E of (reward less baseline) times the slope of the log-probability, over both answers."""
    p = chance(c.a)
    slopes = [oracles.difference(lambda a, s=s: math.log(chance(s * a)), c.a, 1e-2) for s in (1, -1)]
    weights = drawn or (p, 1 - p)
    return sum(w * reward_less(r) * slope for w, r, slope in zip(weights, (c.r_1, c.r_2), slopes))


def _off(reward_less, drawn=None):
    """How far REINFORCE with these is from the slope of the mean reward."""
    return lambda c, rng: _learned(c, lambda r: reward_less(c, r), drawn) - _uphill(c)


def _quietest(c, rng):
    """The baseline at which the estimate's variance is least: the vertex of a parabola, from three baselines."""
    slopes, chance = np.array([1 - c.p, -c.p]), np.array([c.p, 1 - c.p])

    def var(b):
        estimate = (np.array([c.r_1, c.r_2]) - b) * slopes
        return chance @ (estimate - chance @ estimate) ** 2

    below, at, above = var(-1.0), var(0.0), var(1.0)
    return (below - above) / (below - 2 * at + above) / 2


def _against_others(c, rng):
    """r_1 seen from the point around which the other rewards cancel, by bisection."""
    return c.r_1 - oracles.root(lambda m: 2 * m - c.r_2 - c.r_3, -1e3, 1e3)


def _walked(c, rng):
    """From ratio 1, where the objective is A, with the slope A as far as the clip range in the direction that A pushes."""
    if c.A > 0:
        way = c.rho - 1 if c.rho < 1 + c.eps else c.eps
    else:
        way = c.rho - 1 if c.rho > 1 - c.eps else -c.eps
    return c.A + c.A * way


def _area(c, rng=None):
    """The integral of 1 - 1/s from 1 to p / q, by Gauss and Legendre's rule on the logarithm of s."""
    u, w = np.polynomial.legendre.leggauss(40)
    half = math.log(c.p / c.q) / 2
    return half * float(w @ (np.exp(half * (u + 1)) - 1))


def _mean(estimate):
    """How far the mean of an estimate of log q / p is from KL(q || p), two answers; the KL is a slope by finite differences."""

    def gap(c, rng):
        q, p = np.array([c.q, 1 - c.q]), np.array([c.p, 1 - c.p])
        kl = oracles.difference(lambda s: float(np.sum(q**s * p ** (1 - s))), 1.0)
        return float(np.sum(q * estimate(p / q))) - kl

    return gap


def _best_of(f):
    """E of f(rank, density of the best of n at it) over best-of-n draws, by Gauss and Laguerre's rule; rank = e^-s."""

    def mean(c, rng):
        s, w = np.polynomial.laguerre.laggauss(20)  # weights for the integral with e^-s
        rank = np.exp(-s / c.n)  # the best of n lies below u with the chance u^n
        return float(w @ f(rank, c.n * rank ** (c.n - 1)))

    return mean


CUT = "(1 + (abs(rho - 1 + eps) - abs(rho - 1 - eps))/2)"

# fmt: off
ENTRIES = [
    Formula(
        name="policy-gradient", number=80, lecture=8, title="Slope of the mean reward in the log-odds a, two answers",
        latex=r"\frac{d}{da}\mathrm{E}[r] = p\,(1-p)\,(r_1-r_2),\quad p = \frac{1}{1+e^{-a}}",
        why="Nothing is learned where one answer is sure: there is nothing to compare it with.",
        letters="a r_1 r_2", own=POLICY, answer="exp(a) / (1 + exp(a))**2 * (r_1 - r_2)", bound=1e-8,
        oracle=_uphill, measured="finite differences of the mean reward",
        wrong=(
            ("exp(a) / (1 + exp(a)) * (r_1 - r_2)", "the factor 1 - p is missing: at p = 1 there is no more to gain"),
            ("exp(a) / (1 + exp(a))**2 * (r_1 + r_2)", "raising one answer lowers the other: the difference counts"),
            ("exp(a) / (1 + exp(a)) * r_1", "what answer 2 loses is missing"),
            ("exp(a) / (1 + exp(a))**2 * (r_2 - r_1)", "the sign: towards the better answer"),
            ("r_1 - r_2", "a is not the probability: its slope p (1 - p) is missing"),
            ("r_1 / (1 + exp(a)) - r_2 * exp(a) / (1 + exp(a))", "the slopes of log p, each to be weighted by its probability"),
        ),
    ),
    Formula(
        name="reinforce", number=80, lecture=8, title="REINFORCE: the slope is a mean over what was drawn, with any baseline",
        latex=r"\nabla\,\mathrm{E}[r] = \mathrm{E}[(r-b)\,\nabla\log p(x)]",
        why="The slopes of log p have mean 0, so a constant may be taken off every reward, and that quiets the estimate.",
        letters="a b r_1 r_2", own=POLICY, bound=1e-8,
        oracle=_off(lambda c, r: r - c.b), measured="both sides by finite differences, the mean over both answers",
        wrong=(
            (_off(lambda c, r: r - r * c.b), "the baseline may not depend on the answer that was drawn"),
            (_off(lambda c, r: r - c.b, (1.0, 1.0)), "that is the sum over answers, each with the weight 1"),
            (_off(lambda c, r: c.b - r), "the sign: uphill"),
            (_off(lambda c, r: (r - c.b) ** 2), "the reward is not to be squared"),
        ),
    ),
    Formula(
        name="best-baseline", number=80, lecture=8, title="The baseline with the quietest estimate, two answers",
        latex=r"b^* = \frac{\mathrm{E}[g^2 r]}{\mathrm{E}[g^2]} = (1-p)\,r_1 + p\,r_2,\quad g = \nabla\log p(x)",
        why="It leans to the reward of the rare answer, whose slope is the steep one; of two answers no noise is left.",
        letters="p r_1 r_2", own=POLICY, answer="(1-p)*r_1 + p*r_2", bound=1e-8,
        oracle=_quietest, measured="the vertex of the variance, a parabola, from three baselines",
        wrong=(
            ("p*r_1 + (1-p)*r_2", "that is the mean reward, the usual baseline: good, not best"),
            ("(r_1 + r_2)/2", "that is best for p = 1/2 only"),
            ("0", "without a baseline the estimate is noisier"),
            ("(1-p)**2*r_1 + p**2*r_2", "g^2 = (1 - p)^2 comes with the probability p, and all is divided by E g^2"),
            ("r_1 - r_2", "a baseline is a reward, not a difference"),
        ),
    ),
    Formula(
        name="leave-one-out-advantage", number=80, lecture=8, title="Advantage of one of three answers over the others (RLOO)",
        latex=r"A_1 = r_1 - \frac{r_2+r_3}{2}",
        why="The others say what was to be expected, and they do not know how the first one turned out.",
        letters="r_1 r_2 r_3", own=GROUP, answer="r_1 - (r_2 + r_3)/2",
        oracle=_against_others, measured="bisection for the point around which the others cancel",
        wrong=(
            ("r_1 - (r_1 + r_2 + r_3)/3", "a baseline with r_1 in it hangs on what was drawn: two thirds of the right one"),
            ("r_1 - r_2 - r_3", "the mean of the others, not their sum"),
            ("(r_2 + r_3)/2 - r_1", "the sign: better than the others is an advantage"),
            ("r_1", "the baseline is missing"),
            ("r_1 - (r_2 + r_3)/3", "there are two others"),
            ("r_1 - (r_2 + r_3 + abs(r_2 - r_3))/2", "the mean of the others, not the best"),
        ),
    ),
    Formula(
        name="ppo-clip", number=80, lecture=8, title="PPO's clipped objective of one sample",
        latex=r"J = \min(\rho\,A,\ \min(\max(\rho, 1-\epsilon), 1+\epsilon)\,A)",
        why="A step may use old samples as long as the law is near the one that drew them; beyond there is nothing to gain.",
        letters="rho A eps", own=CLIP, answer=f"(rho*A + {CUT}*A - abs(rho*A - {CUT}*A)) / 2",
        oracle=_walked, measured="the way from ratio 1 on which A still has a slope",
        wrong=(
            ("rho*A", "without the clip nothing stops a ratio that runs away"),
            (f"{CUT}*A", "without the minimum a ratio that has gone the wrong way could not come back"),
            (f"(rho*A + {CUT}*A + abs(rho*A - {CUT}*A)) / 2", "the smaller of both, not the larger"),
            ("A", "the ratio is missing"),
            (f"(rho + {CUT} - abs(rho - {CUT})) / 2 * A", "A stands within the minimum: a negative one turns it round"),
            ("(rho*A + A - abs(rho*A - A)) / 2", "the clip range is missing: rho may go up to 1 + eps"),
        ),
    ),
    Formula(
        name="kl-k3", number=80, lecture=8, title="The KL's estimate k3 from one draw of q",
        latex=r"k_3 = \frac{p}{q} - 1 - \log\frac{p}{q},\quad x \sim q",
        why="A number of mean 0 is added to -log(p/q), and what comes out is never negative and strays less.",
        letters="p q", own=RATIO, answer="p/q - 1 - log(p/q)",
        oracle=_area, measured="the integral of 1 - 1/s from 1 to p / q, by quadrature",
        wrong=(
            ("log(q/p)", "that is k1: right on average as well, but often negative"),
            ("log(q/p)**2 / 2", "that is k2: never negative, but wrong on average"),
            ("q/p - 1 - log(q/p)", "p over q: the draws are from q"),
            ("p/q - log(p/q)", "the - 1 is missing: equal laws have no divergence"),
            ("p/q - 1 + log(p/q)", "the sign of the log: - log(p/q) is what is estimated"),
            ("(p - q) * log(p/q)", "that is a term of the symmetric divergence"),
        ),
    ),
    Formula(
        name="kl-k3-unbiased", number=80, lecture=8, title="k3 is right on average",
        latex=r"\mathrm{E}_q[k_3] = \mathrm{KL}(q\,\|\,p)",
        why="E_q of p/q is 1, whatever the laws, so p/q - 1 changes no mean.",
        letters="p q", own=RATIO,
        oracle=_mean(lambda r: r - 1 - np.log(r)),
        measured="the mean over two answers; the KL as a slope by finite differences",
        wrong=(
            (_mean(lambda r: np.log(r) ** 2 / 2), "k2 is right for nearly equal laws only"),
            (_mean(lambda r: 1 / r - 1 + np.log(r)), "with q/p the mean of what is added is not 0"),
            (_mean(lambda r: r - np.log(r)), "without the - 1 the mean is 1 too large"),
            (_mean(np.log), "the sign: that is minus the KL"),
        ),
    ),
    Formula(
        name="kl-k3-bound", number=80, lecture=8, title="k3 is never negative",
        latex=r"k_3 = \frac{p}{q} - 1 - \log\frac{p}{q} \geq 0",
        why="The logarithm lies below its tangent at 1, so each single draw gives a penalty and none a gift.",
        letters="p q", own=RATIO, relation=">=",
        oracle=_area, measured="the integral of 1 - 1/s from 1 to p / q, by quadrature",
        wrong=(
            (lambda c, rng: math.log(c.q / c.p), "k1 is negative where q is smaller than p"),
            (lambda c, rng: c.p / c.q - 1, "what is added to k1 has mean 0, so it is negative at times"),
            (lambda c, rng: c.p / c.q - 1 + math.log(c.p / c.q), "the sign of the log: both would rise together"),
            (lambda c, rng: -_area(c), "the tangent lies above the logarithm, not below"),
        ),
    ),
    Formula(
        name="best-of-n-kl", number=80, lecture=8, title="KL of the best of n to a single draw",
        latex=r"\mathrm{KL}(\mathrm{best\ of\ }n\,\|\,p) = \log n - \frac{n-1}{n}",
        why="It grows with the logarithm only: to keep the best of many is a cheap way to more reward.",
        letters="n", own=RANKS, answer="log(n) - (n-1)/n",
        oracle=_best_of(lambda rank, density: np.log(density)), measured="the mean log-density of the best rank, by quadrature",
        wrong=(
            ("log(n)", "the best is not always the same answer: (n - 1)/n less"),
            ("(n-1)/n", "log n less it"),
            ("log(n) + (n-1)/n", "the sign: log n is the most that it can be"),
            ("log(n) - 1/n", "at n = 1 there is no divergence: (n - 1)/n"),
            ("n - 1 - log(n)", "that is the divergence the other way round"),
            ("log(n) / n", "the best of n is one draw, not an average"),
        ),
    ),
    Formula(
        name="best-of-n-rank", number=80, lecture=8, title="Mean rank of the best of n, as a share of all answers",
        latex=r"\mathrm{E}[\max_i u_i] = \frac{n}{n+1}",
        why="The first few draws bring the most: what is left to gain shrinks like 1 / n.",
        letters="n", own=RANKS, answer="n / (n+1)",
        oracle=_best_of(lambda rank, density: rank), measured="the mean rank under its density, by quadrature",
        wrong=(
            ("1 - 1/n", "one draw is at 1/2 on average, not at 0"),
            ("1/2", "that is one draw's"),
            ("1 / (n+1)", "that is the worst of n"),
            ("1 - 1/2**n", "that is the chance that the best is above 1/2"),
            ("n / (n+2)", "the integral of u n u^(n-1) is n over n + 1"),
        ),
    ),
]
