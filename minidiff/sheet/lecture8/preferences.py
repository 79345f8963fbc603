"""Lecture 8: the best law under a reward and a KL, the reward's loss, DPO."""

import math

from .. import oracles
from ..entry import COUNT, POSITIVE, REAL, SHARE, Formula

TWO = {"p": (SHARE, "the old law's probability of answer 1; there are two answers"), "r_1": (REAL, "reward of answer 1"),
       "r_2": (REAL, "reward of answer 2"), "beta_kl": (POSITIVE, "beta, weight of the KL")}  # fmt: skip
LINE = {"mu": (REAL, "mean of the old law"), "sigma": (POSITIVE, "its standard deviation"),
        "a": (REAL, "slope of the reward r(x) = a x"), "beta_kl": (POSITIVE, "beta, weight of the KL")}  # fmt: skip
PAIR = {"r_w": (REAL, "reward of the one that was preferred"), "r_l": (REAL, "reward of the other")}
POLICY = {"q_w": (SHARE, "the trained law's probability of the preferred one"), "q_l": (SHARE, "and of the other"),
          "p_w": (SHARE, "the frozen reference's probability of the preferred one"), "p_l": (SHARE, "and of the other"),
          "beta_kl": (POSITIVE, "beta, weight of the KL")}  # fmt: skip
ERRORS = {"e_w": (POSITIVE, "squared error of the trained network on the preferred picture"), "e_l": (POSITIVE, "on the other"),
          "f_w": (POSITIVE, "the frozen reference's on the preferred picture"), "f_l": (POSITIVE, "on the other"),
          "beta_kl": (POSITIVE, "beta, weight of the KL"), "n": (COUNT, "number of steps, T")}  # fmt: skip


def _kl(q, p):
    """KL of (q, 1 - q) to (p, 1 - p), from its definition."""
    return q * math.log(q / p) + (1 - q) * math.log((1 - q) / (1 - p))


def _slope(f, q):
    """df/dq of a function of a probability, by finite differences."""
    return oracles.difference(f, q, 1e-3 * q * (1 - q))


def _objective(c):
    return lambda q: q * c.r_1 + (1 - q) * c.r_2 - c.beta_kl * _kl(q, c.p)


def _best(c, rng):
    """The probability of answer 1 at which reward less beta KL is no longer rising, by bisection."""
    return oracles.root(lambda q: -_slope(_objective(c), q), 1e-14, 1 - 1e-14)


def _tilted(c):
    """Mean and variance of the law with the density p(x) e^(r(x) / beta), normalised on a grid."""
    shift = abs(c.a) * c.sigma**2 / c.beta_kl
    return oracles.refined_moments(lambda x: oracles.log_bell(x, c.mu, c.sigma**2) + c.a * x / c.beta_kl, c.mu,
                                   12 * c.sigma + shift)  # fmt: skip


def _cost(c, rng):
    """KL of the tilted law to the old one: E log(q / p), both on a grid."""
    mean, var = _tilted(c)
    x, q = oracles.gaussian_grid(mean, math.sqrt(var))
    return q @ (oracles.log_bell(x, mean, var) - oracles.log_bell(x, c.mu, c.sigma**2))


def _loss(c, rng=None):
    return -math.log(oracles.chance(c.r_w - c.r_l))


def _explained(c, rng=None):
    """The difference of rewards for which what is trained is the best: it makes up for beta times the slope of the KL.

    Only the shares of both answers among the two count.
    """
    q, p = c.q_w / (c.q_w + c.q_l), c.p_w / (c.p_w + c.p_l)
    return _slope(lambda q: c.beta_kl * _kl(q, p), q)


def _diffusion(c, rng):
    """DPO's loss for T steps whose laws are Gaussians of variance 1/2 around the network's answers."""
    bell = lambda error: oracles.log_bell(math.sqrt(error), 0.0, 0.5)  # noqa: E731
    ratios = [sum(bell(e) - bell(f) for _ in range(c.n)) for e, f in ((c.e_w, c.f_w), (c.e_l, c.f_l))]
    return -math.log(oracles.chance(c.beta_kl * float(ratios[0] - ratios[1])))


TILT = "(p*exp(r_1/beta_kl) + (1-p)*exp(r_2/beta_kl))"
LOG_RATIOS = "log(q_w/p_w) - log(q_l/p_l)"
ERROR = "(e_w - f_w) - (e_l - f_l)"

# fmt: off
ENTRIES = [
    Formula(
        name="kl-reward-optimum", number=80, lecture=8, title="Most reward at a price for leaving p: the best law, two answers",
        latex=r"q^*(x) = \frac{1}{Z}\,p(x)\,e^{r(x)/\beta},\quad Z = \sum_x p(x)\,e^{r(x)/\beta}",
        why="Reward shifts what the old law does, and a small beta lets it shift far; what p never does stays impossible.",
        letters="p r_1 r_2 beta_kl", own=TWO, answer=f"p*exp(r_1/beta_kl) / {TILT}",
        oracle=_best, measured="bisection for where reward less beta KL stops rising, slopes by finite differences", bound=1e-8,
        wrong=(
            (f"p*exp(r_1/beta_kl) / {TILT}".replace("/beta_kl)", "*beta_kl)"), "beta divides: a costly KL holds it back"),
            ("exp(r_1/beta_kl) / (exp(r_1/beta_kl) + exp(r_2/beta_kl))", "that starts from a uniform law: p is missing"),
            ("p*exp(r_1/beta_kl)", "to be divided by Z, the sum over all answers"),
            (f"p*exp(r_1/beta_kl) / {TILT}".replace("exp(r_", "exp(-r_"), "the sign: reward makes more likely"),
            (f"p*exp(r_1/beta_kl) / {TILT}".replace("/beta_kl)", ")"), "beta is missing"),
            ("p", "that is the old law, the best for an endless beta"),
        ),
    ),
    Formula(
        name="kl-reward-value", number=80, lecture=8, title="The most that reward less beta KL can be, two answers",
        latex=r"\max_q\ \mathrm{E}_q[r] - \beta\,\mathrm{KL}(q\,\|\,p) = \beta\,\log\,\mathrm{E}_p[e^{r/\beta}]",
        why="Between the old law's mean reward, at a large beta, and the best answer's, at a small one.",
        letters="p r_1 r_2 beta_kl", own=TWO, answer=f"beta_kl * log{TILT}",
        oracle=lambda c, rng: _objective(c)(_best(c, rng)), measured="reward less beta KL where it stops rising",
        wrong=(
            ("p*r_1 + (1-p)*r_2", "that is without leaving p: the log of a mean is more than the mean of the logs"),
            (f"log{TILT}", "the factor beta is missing: this has no unit, rewards have"),
            (f"-beta_kl * log{TILT}", "the sign: better than the old mean"),
            (f"log{TILT} / beta_kl", "beta stands in front"),
            ("p*r_1 + (1-p)*r_2 + (r_1 - r_2)**2*p*(1-p)/(2*beta_kl)", "that is the first two terms for a large beta"),
            ("(r_1 + r_2 + abs(r_1 - r_2))/2", "that is the best answer's reward, with the KL free"),
        ),
    ),
    Formula(
        name="tilted-gaussian", number=80, lecture=8, title="Mean of the best law for N(mu, sigma^2) and the reward a x",
        latex=r"\mathrm{E}_{q^*}[x] = \mu + \frac{a\,\sigma^2}{\beta}",
        why="The whole Gaussian moves uphill, as far as it is wide; its width stays.",
        letters="mu sigma a beta_kl", own=LINE, answer="mu + a*sigma**2/beta_kl",
        oracle=lambda c, rng: _tilted(c)[0], measured="the density p(x) e^(r(x) / beta), normalised on a grid",
        wrong=(
            ("mu + a*sigma/beta_kl", "the variance: a wide law gives way more easily"),
            ("mu + a*beta_kl*sigma**2", "beta divides: a costly KL holds it back"),
            ("mu - a*sigma**2/beta_kl", "the sign: towards more reward"),
            ("mu + a/beta_kl", "a narrow law hardly moves: sigma^2 is missing"),
            ("mu + a*sigma**2", "beta is missing"),
            ("a*sigma**2/beta_kl", "it starts from mu"),
            ("mu + a*sigma**2/(2*beta_kl)", "no half: that is in log E e^(r / beta), not in the mean"),
        ),
    ),
    Formula(
        name="tilted-gaussian-kl", number=80, lecture=8, title="What the best law for N(mu, sigma^2) and the reward a x costs",
        latex=r"\mathrm{KL}(q^*\,\|\,p) = \frac{a^2\sigma^2}{2\,\beta^2}",
        why="Reward grows like 1 / beta and the KL like 1 / beta^2, so more and more is paid for less and less.",
        letters="mu sigma a beta_kl", own=LINE, answer="a**2 * sigma**2 / (2 * beta_kl**2)",
        oracle=_cost, measured="E log(q / p) on a grid, q the density p e^(r / beta)",
        wrong=(
            ("a**2 * sigma**2 / beta_kl", "that is the gain of reward"),
            ("a**2 * sigma**2 / (2 * beta_kl)", "that is the gain less beta KL"),
            ("a**2 * sigma**2 / beta_kl**2", "the half of the Gaussian is missing"),
            ("a * sigma**2 / beta_kl", "that is how far the mean moves"),
            ("a**2 / (2 * beta_kl**2)", "a narrow law hardly moves: sigma^2 is missing"),
            ("a**2 * sigma**4 / (2 * beta_kl**2)", "the move a sigma^2 / beta is to be divided by sigma before squaring"),
        ),
    ),
    Formula(
        name="reward-loss", number=80, lecture=8, title="Loss of a reward model on one preference",
        latex=r"L = -\log\,\sigma(r_w - r_l) = \log(1 + e^{-(r_w-r_l)})",
        why="The likelihood of what people said: only differences of rewards can be learned, never their zero.",
        letters="r_w r_l", own=PAIR, answer="log(1 + exp(r_l - r_w))",
        oracle=_loss, measured="-log of the chance whose log-odds are the difference, by bisection",
        wrong=(
            ("log(1 + exp(r_w - r_l))", "the sign: that rewards the wrong one"),
            ("-1 / (1 + exp(r_l - r_w))", "the log is missing"),
            ("-log(1 + exp(r_l - r_w))", "a loss is minus the log-likelihood"),
            ("r_l - r_w", "that can be lowered without end: a pair that is right already should count little"),
            ("(r_w - r_l - 1)**2", "a preference says which one, not by how much"),
            ("log(1 + exp(-r_w))", "the other one counts as well"),
        ),
    ),
    Formula(
        name="reward-loss-gradient", number=80, lecture=8, title="Its slope in the preferred one's reward",
        latex=r"\frac{\partial L}{\partial r_w} = -\sigma(r_l - r_w)",
        why="How wrong the model was: a pair that it orders clearly teaches it nothing more.",
        letters="r_w r_l", own=PAIR, answer="-1 / (1 + exp(r_w - r_l))",
        oracle=lambda c, rng: oracles.difference(lambda d: -math.log(oracles.chance(d)), c.r_w - c.r_l, 1e-2),
        measured="finite differences of -log of a chance that bisection finds", bound=1e-8,
        wrong=(
            ("-1 / (1 + exp(r_l - r_w))", "that is large where the model is right already"),
            ("1 / (1 + exp(r_w - r_l))", "the sign: more reward, less loss"),
            ("-1", "a sure pair has no slope left"),
            ("-exp(r_w - r_l) / (1 + exp(r_w - r_l))**2", "that is the slope of the chance, not of its log"),
            ("-(r_w - r_l)", "that is the slope of a square"),
        ),
    ),
    Formula(
        name="dpo-reward", number=80, lecture=8, title="DPO: the difference of rewards that a law q stands for",
        latex=r"r_w - r_l = \beta\,\log\frac{q_w}{p_w} - \beta\,\log\frac{q_l}{p_l}",
        why="Each law is the best one for some reward, and in a difference the unknown Z cancels.",
        letters="q_w q_l p_w p_l beta_kl", own=POLICY, answer=f"beta_kl * ({LOG_RATIOS})",
        oracle=_explained, measured="the slope of beta KL at q, which the rewards have to make up for, by finite differences",
        bound=1e-8,
        wrong=(
            (LOG_RATIOS, "beta is missing"),
            (f"({LOG_RATIOS}) / beta_kl", "beta multiplies: with a costly KL the same move needs more reward"),
            ("beta_kl * (log(q_w) - log(q_l))", "the reference is missing: what was likely before needs no reward"),
            ("beta_kl * log(q_w/p_w)", "Z is not known: only differences are"),
            ("beta_kl * (log(q_w/p_w) + log(q_l/p_l))", "the other one's is taken off"),
            ("beta_kl * (q_w/p_w - q_l/p_l)", "the logarithms of the ratios"),
        ),
    ),
    Formula(
        name="dpo-loss", number=80, lecture=8, title="DPO's loss on one preference",
        latex=r"L = -\log\,\sigma(\beta\,\log\frac{q_w}{p_w} - \beta\,\log\frac{q_l}{p_l})",
        why="The reward's loss with the reward that the law itself stands for: no reward model and no sampling.",
        letters="q_w q_l p_w p_l beta_kl", own=POLICY, answer=f"log(1 + exp(-beta_kl * ({LOG_RATIOS})))", bound=1e-8,
        oracle=lambda c, rng: -math.log(oracles.chance(_explained(c))),
        measured="the reward's loss, its difference the slope of beta KL by finite differences",
        wrong=(
            (f"log(1 + exp(beta_kl * ({LOG_RATIOS})))", "the sign: that rewards the wrong one"),
            (f"-beta_kl * ({LOG_RATIOS})", "log sigma is missing: this falls without end"),
            ("log(1 + exp(-beta_kl * (log(q_w) - log(q_l))))", "the reference is missing"),
            ("log(1 + exp(-beta_kl * log(q_w/p_w)))", "the other one counts as well"),
            (f"log(1 + exp(-({LOG_RATIOS})))", "beta is missing"),
            (f"-1 / (1 + exp(-beta_kl * ({LOG_RATIOS})))", "the log is missing"),
            ("log(1 + exp(-beta_kl * (log(q_w) - log(q_l) + log(p_w) - log(p_l))))", "q is divided by the reference"),
        ),
    ),
    Formula(
        name="diffusion-dpo", number=80, lecture=8, title="Diffusion-DPO's loss at one time, one preference",
        latex=r"L = -\log\,\sigma(-\beta T\,[(e_w - f_w) - (e_l - f_l)]),\quad e = \|\epsilon-\hat\epsilon\|^2,"
              r"\ f = \|\epsilon-\hat\epsilon_{\mathrm{ref}}\|^2",
        why="A log-likelihood of a whole chain is not at hand; each step's is a squared error, and one of T stands for all.",
        letters="e_w f_w e_l f_l beta_kl n", own=ERRORS, answer=f"log(1 + exp(beta_kl * n * ({ERROR})))",
        oracle=_diffusion, measured="DPO's loss for T steps whose laws are Gaussians of variance 1/2", bound=1e-8,
        wrong=(
            (f"log(1 + exp(-beta_kl * n * ({ERROR})))", "the sign: a small error is a large likelihood"),
            (f"log(1 + exp(beta_kl * ({ERROR})))", "one time stands for all T"),
            ("log(1 + exp(beta_kl * n * (e_w - e_l)))", "the reference's errors are missing"),
            ("log(1 + exp(beta_kl * n * ((e_w + f_w) - (e_l + f_l))))", "the reference's errors are taken off"),
            ("e_w - e_l", "log sigma is missing: the other one's error would be raised without end"),
            ("e_w", "that is plain training on what was preferred"),
        ),
    ),
]
