"""Lecture 1: what a network may be asked for (eps, x_0 or v), and what an error of one counts as an error of another."""

import math

import numpy as np

from ... import elbo, gaussian, objective, sampling
from .. import oracles
from ..entry import POSITIVE, REAL, Formula

V = {"v_hat": (REAL, "what the network answers, v_theta(x_t, t)"), "v": (REAL, "the v in x_t")}


def _speed(c, x_0, eps):
    """dx/d angle where x turns from x_0 to eps and now is x_t, by finite differences; the angle by the walked chain."""
    mean, var = oracles.forward_moments(c.beta, c.t)
    turned = lambda angle: math.cos(angle) * x_0 + math.sin(angle) * eps  # noqa: E731
    return oracles.difference(turned, math.atan2(math.sqrt(var), mean))


def _of_v(c, x_t, v):
    """x_0 and eps that make this x_t and this v: two equations, their coefficients measured."""
    mean, var = oracles.forward_moments(c.beta, c.t)
    return np.linalg.solve([[mean, math.sqrt(var)], [_speed(c, 1.0, 0.0), _speed(c, 0.0, 1.0)]], [x_t, v])


def _eps(c, x_t, x_0):
    """How many standard deviations x_t is from its mean given x_0, by bisection."""
    mean, var = oracles.forward_moments(c.beta, c.t, mean=x_0)
    return oracles.root(lambda eps: mean + math.sqrt(var) * eps - x_t, -1e4, 1e4)


def _v_error_of_x_0(c, rng):
    """The squared distance of the two v that x_0 and its guess imply at this x_t."""
    v, v_hat = (_speed(c, x_0, _eps(c, c.x_t, x_0)) for x_0 in (c.x_0, c.x_0_hat))
    return (v_hat - v) ** 2


def _eps_error_of_v(c, rng, x_t=0.6):
    """The squared distance of the two eps that v and its guess imply at one x_t."""
    return (_of_v(c, x_t, c.v_hat)[1] - _of_v(c, x_t, c.v)[1]) ** 2


def _clipped(c, rng, x_t=0.6):
    """The weight of eps's squared error at which an error of 1 in x_0 counts as much as the SNR, but gamma at most."""
    mean, var = oracles.forward_moments(c.beta, c.t)
    counts = mean**2 / var if mean**2 < c.gamma * var else c.gamma
    error = (_eps(c, x_t, 1.0) - _eps(c, x_t, 0.0)) ** 2
    return oracles.root(lambda w: w * error - counts, 0.0, 2.0)


def _kl_of_guess(c, rng):
    """KL of two posteriors of one variance, for x_0 and for its guess: Bayes on a grid, quadrature."""
    (mean, var), (off, _) = (oracles.posterior(c.beta, c.t, c.s, x_0, c.x_t) for x_0 in (c.x_0, c.x_0_hat))
    if not var:
        return math.inf  # t = 1: the posterior is certain
    x, p = oracles.gaussian_grid(mean, math.sqrt(var))
    return p @ (oracles.log_bell(x, mean, var) - oracles.log_bell(x, off, var))


def _ask_term(f, c):
    """The library's L_{t-1} of a denoiser whose picture is x_0_hat, whatever x_t is."""
    if not c.s:
        return math.nan
    guess = lambda x_t, t: gaussian.eps_from_x_0(c.schedule, x_t, t, np.full_like(x_t, c.x_0_hat))  # noqa: E731
    return f(guess, c.schedule, np.array([[c.x_0]]), c.t, sampling.beta_tilde, np.random.default_rng(0))[0]


SNR, SNR_S = "alpha_bar[t] / (1 - alpha_bar[t])", "alpha_bar[t-1] / (1 - alpha_bar[t-1])"
OVER = "gamma * (1 - alpha_bar[t]) / alpha_bar[t]"  # gamma / SNR
CIRCLE = "the two equations for x_t and v solved, v's coefficients by finite differences along the circle"

# fmt: off
ENTRIES = [
    Formula(
        name="v-target", number=26, lecture=1, title="What a v-network is asked for",
        latex=r"v_t = \sqrt{\bar\alpha_t}\,\epsilon - \sqrt{1-\bar\alpha_t}\,x_0",
        why="x_t turns from the picture to the noise along a circle, and v is the speed of that turn.",
        letters="beta t x_0 eps", answer="sqrt(alpha_bar[t]) * eps - sqrt(1 - alpha_bar[t]) * x_0",
        oracle=lambda c, rng: _speed(c, c.x_0, c.eps),
        measured="finite differences along the circle from x_0 to eps, the angle from the chain followed step by step",
        source=gaussian.v_from_eps, value=lambda f, c: f(c.schedule, np.array([c.x_0]), c.t, np.array([c.eps]))[0],
        wrong=(
            ("sqrt(alpha_bar[t]) * eps + sqrt(1 - alpha_bar[t]) * x_0", "the sign: while eps comes in, x_0 goes out"),
            ("sqrt(1 - alpha_bar[t]) * eps - sqrt(alpha_bar[t]) * x_0",
             "the roots are swapped: at little noise v is eps, at full noise it is -x_0"),
            ("alpha_bar[t] * eps - (1 - alpha_bar[t]) * x_0", "the roots are missing: cosine and sine are square roots here"),
            ("sqrt(1 - alpha_bar[t]) * x_0 - sqrt(alpha_bar[t]) * eps", "the sign of all: v points from the picture to noise"),
            ("eps - x_0", "that is the speed on a straight line from x_0 to eps; x_t moves on a circle"),
            ("sqrt(alpha_bar[t]) * x_0 + sqrt(1 - alpha_bar[t]) * eps", "that is x_t itself; v is at right angles to it"),
            ("sqrt(alpha[t]) * eps - sqrt(1 - alpha[t]) * x_0", "alpha_t is one step's share; x_t needs alpha_bar_t"),
        ),
    ),
    Formula(
        name="x0-from-v", number=30, lecture=1, title="The picture that the guessed v implies",
        latex=r"\hat x_0 = \sqrt{\bar\alpha_t}\,x_t - \sqrt{1-\bar\alpha_t}\,\hat v",
        why="Turn back by the same angle: no division, so an error does not grow even where x_t is nearly pure noise.",
        letters="beta t x_t v_hat", own=V, answer="sqrt(alpha_bar[t]) * x_t - sqrt(1 - alpha_bar[t]) * v_hat",
        oracle=lambda c, rng: _of_v(c, c.x_t, c.v_hat)[0], measured=CIRCLE,
        source=gaussian.x_0_from_v, value=lambda f, c: f(c.schedule, np.array([c.x_t]), c.t, np.array([c.v_hat]))[0],
        wrong=(
            ("(x_t - sqrt(1 - alpha_bar[t]) * v_hat) / sqrt(alpha_bar[t])", "that treats v as if it were eps"),
            ("sqrt(alpha_bar[t]) * x_t + sqrt(1 - alpha_bar[t]) * v_hat", "the sign: v leads to the noise, so go against it"),
            ("sqrt(1 - alpha_bar[t]) * x_t - sqrt(alpha_bar[t]) * v_hat", "the roots are swapped: with no noise x_0 is x_t"),
            ("sqrt(1 - alpha_bar[t]) * x_t + sqrt(alpha_bar[t]) * v_hat", "that is the noise that v implies"),
            ("alpha_bar[t] * x_t - (1 - alpha_bar[t]) * v_hat", "the roots are missing"),
            ("x_t - v_hat", "cosine and sine of the angle are missing: x_t turns back, it does not go straight on"),
        ),
    ),
    Formula(
        name="eps-from-v", number=30, lecture=1, title="The noise that the guessed v implies",
        latex=r"\hat\epsilon = \sqrt{1-\bar\alpha_t}\,x_t + \sqrt{\bar\alpha_t}\,\hat v",
        why="Turn on to the end of the quarter circle, and only noise is left.",
        letters="beta t x_t v_hat", own=V, answer="sqrt(1 - alpha_bar[t]) * x_t + sqrt(alpha_bar[t]) * v_hat",
        oracle=lambda c, rng: _of_v(c, c.x_t, c.v_hat)[1], measured=CIRCLE,
        source=gaussian.eps_from_v, value=lambda f, c: f(c.schedule, np.array([c.x_t]), c.t, np.array([c.v_hat]))[0],
        wrong=(
            ("sqrt(1 - alpha_bar[t]) * x_t - sqrt(alpha_bar[t]) * v_hat", "the sign: v leads to the noise"),
            ("sqrt(alpha_bar[t]) * x_t + sqrt(1 - alpha_bar[t]) * v_hat", "the roots are swapped: at full noise eps is x_t"),
            ("sqrt(alpha_bar[t]) * x_t - sqrt(1 - alpha_bar[t]) * v_hat", "that is the picture that v implies"),
            ("(1 - alpha_bar[t]) * x_t + alpha_bar[t] * v_hat", "the roots are missing"),
            ("(x_t - sqrt(alpha_bar[t]) * v_hat) / sqrt(1 - alpha_bar[t])", "that treats v as if it were x_0"),
            ("v_hat / sqrt(alpha_bar[t])", "v holds -sqrt(1 - alpha_bar_t) x_0 as well"),
        ),
    ),
    Formula(
        name="eps-from-x0", number=30, lecture=1, title="The noise in x_t, from the picture",
        latex=r"\epsilon = \frac{x_t - \sqrt{\bar\alpha_t}\,x_0}{\sqrt{1-\bar\alpha_t}}",
        why="What the picture does not explain in x_t is noise, measured in the noise's own width.",
        letters="beta t x_0 x_t", answer="(x_t - sqrt(alpha_bar[t]) * x_0) / sqrt(1 - alpha_bar[t])",
        oracle=lambda c, rng: _eps(c, c.x_t, c.x_0), measured="bisection for the eps that takes x_0 to x_t",
        source=gaussian.eps_from_x_0, value=lambda f, c: f(c.schedule, np.array([c.x_t]), c.t, np.array([c.x_0]))[0],
        wrong=(
            ("(x_t - sqrt(alpha_bar[t]) * x_0) / (1 - alpha_bar[t])", "that is minus the score: the root is missing"),
            ("(x_t - x_0) / sqrt(1 - alpha_bar[t])", "x_0 is shrunk in x_t: sqrt(alpha_bar_t) is missing"),
            ("x_t - sqrt(alpha_bar[t]) * x_0", "that is the noise as wide as it is in x_t; eps has unit width"),
            ("(x_t - sqrt(1 - alpha_bar[t]) * x_0) / sqrt(alpha_bar[t])", "the roots are swapped: that undoes eps, not x_0"),
            ("(sqrt(alpha_bar[t]) * x_0 - x_t) / sqrt(1 - alpha_bar[t])", "the sign: noise is what was added to the picture"),
            ("(x_t - sqrt(alpha[t]) * x_0) / sqrt(1 - alpha[t])", "alpha_t is one step's; from x_0 it is alpha_bar_t"),
        ),
    ),
    Formula(
        name="v-loss-in-x0", number=31, lecture=1, title="From an error of the picture to one of v",
        latex=r"\|\hat v - v\|^2 = (1 + \mathrm{SNR}_t)\,\|\hat x_0 - x_0\|^2 = \frac{\|\hat x_0 - x_0\|^2}{1-\bar\alpha_t}",
        why="At one x_t a wrong picture makes the noise wrong as well, and v holds both errors.",
        letters="beta t x_0 eps x_t eps_hat x_0_hat", needs="x_0_hat", answer="(x_0_hat - x_0)**2 / (1 - alpha_bar[t])",
        oracle=_v_error_of_x_0, measured="bisection for the noise that each picture implies; v by finite differences",
        wrong=(
            (f"{SNR} * (x_0_hat - x_0)**2", "that is eps's error: v has 1 more, the picture's own"),
            ("(x_0_hat - x_0)**2", "that is x_0's own loss: v's counts small t far more"),
            ("(1 - alpha_bar[t]) * (x_0_hat - x_0)**2", "x_0 stands in v with this factor, but eps is wrong as well"),
            ("(x_0_hat - x_0)**2 / alpha_bar[t]", "1 + SNR is 1 / (1 - alpha_bar_t); 1 / alpha_bar_t is 1 + 1/SNR"),
            ("(x_0_hat - x_0)**2 / sqrt(1 - alpha_bar[t])", "a squared error has the factor squared"),
        ),
    ),
    Formula(
        name="eps-loss-in-v", number=31, lecture=1, title="From an error of v to one of the noise",
        latex=r"\|\hat\epsilon - \epsilon\|^2 = \bar\alpha_t\,\|\hat v - v\|^2",
        why="v at full noise is the picture alone, so an error of v there hardly changes eps.",
        letters="beta t v v_hat", own=V, answer="alpha_bar[t] * (v_hat - v)**2",
        oracle=_eps_error_of_v, measured="two noises, each from the equations for one x_t and v",
        wrong=(
            ("(1 - alpha_bar[t]) * (v_hat - v)**2", "that is the error of x_0"),
            ("(v_hat - v)**2", "the two losses differ by a factor that depends on t"),
            ("sqrt(alpha_bar[t]) * (v_hat - v)**2", "the factor is squared with the error"),
            ("(v_hat - v)**2 / alpha_bar[t]", "inverted: an error of eps is the smaller one"),
            ("alpha[t] * (v_hat - v)**2", "alpha_t is one step's share; here it is alpha_bar_t"),
        ),
    ),
    Formula(
        name="min-snr", number=25, lecture=1, title="The min-SNR weight of eps's error",
        latex=r"w_t = \frac{\min(\mathrm{SNR}_t,\ \gamma)}{\mathrm{SNR}_t}",
        why="Nearly clean x_t are easy and would pull hardest on the network: their weight is cut.",
        letters="beta t gamma", own={"gamma": (POSITIVE, "the most that an error of x_0 may count; 5 in the paper")},
        answer=f"(1 + {OVER} - abs(1 - {OVER})) / 2",
        oracle=_clipped, measured="the smaller of SNR and gamma, over eps's error for an error of 1 in x_0, both by bisection",
        source=objective.min_snr, value=lambda f, c: f(c.schedule, c.t, c.gamma),
        wrong=(
            (f"(1 + {OVER} + abs(1 - {OVER})) / 2", "that is max: weights are cut, not raised"),
            (f"({SNR} + gamma - abs({SNR} - gamma)) / 2", "that is what an error of x_0 counts; one of eps has it over SNR"),
            (f"({SNR} + gamma - abs({SNR} - gamma)) / 2 * (1 - alpha_bar[t])", "that is the weight of v's error, over SNR + 1"),
            (OVER, "min is missing: where the SNR is below gamma the weight is 1"),
            (f"2 / (1 + {OVER} + abs(1 - {OVER})) ", "inverted: it is the large SNR, near clean data, that is cut"),
            ("1", "that is the simple loss, which cuts nothing"),
        ),
    ),
    Formula(
        name="elbo-snr", number=25, lecture=1, title="The ELBO's term as a loss of the picture",
        latex=r"L_{t-1} = \frac{1}{2}\,(\mathrm{SNR}_{t-1} - \mathrm{SNR}_t)\,\|x_0 - \hat x_0\|^2",
        why="A step back is worth the signal that it brings, so a wrong picture costs as much as the SNR rises.",
        letters="beta t x_0 eps x_t eps_hat x_0_hat", needs="x_0_hat",
        answer=f"1/2 * ({SNR_S} - {SNR}) * (x_0 - x_0_hat)**2",
        oracle=_kl_of_guess, measured="the KL of the posteriors for x_0 and its guess: Bayes on a grid, quadrature",
        source=elbo.term, value=_ask_term,
        wrong=(
            (f"({SNR_S} - {SNR}) * (x_0 - x_0_hat)**2", "the 1/2 of the Gaussian's exponent is missing"),
            (f"1/2 * ({SNR} - {SNR_S}) * (x_0 - x_0_hat)**2", "the sign: the SNR falls with t, and a KL is not negative"),
            (f"1/2 * {SNR} * (x_0 - x_0_hat)**2", "one step is worth the rise of the SNR, not all of it"),
            (f"1/2 * {SNR_S} * (x_0 - x_0_hat)**2", "x_t has told SNR_t already: only the rise counts"),
            ("1/2 * (alpha_bar[t-1] - alpha_bar[t]) * (x_0 - x_0_hat)**2", "alpha_bar stands where the SNR belongs"),
            (f"1/2 * ({SNR_S} - {SNR}) * abs(x_0 - x_0_hat)", "the distance is to be squared"),
        ),
    ),
]
