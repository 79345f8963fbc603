"""Lecture 3: flow matching. The average velocity of all paths through a point is what a network learns."""

import math

import numpy as np

from ...continuous import flow
from .. import oracles
from ..entry import POSITIVE, REAL, SHARE, Formula
from .probability_paths import line_velocity

TIME = {"t": (SHARE, "time from noise (0) to data (1)"), "x": (REAL, "a point on the way")}
GAUSSIAN = TIME | {"mu": (REAL, "mean of the data"), "sigma": (POSITIVE, "standard deviation of the data")}
PAIR = TIME | {"a": (POSITIVE, "one data point; the other, as frequent, is -a")}
LINEAR = PAIR | {"b": (REAL, "slope of a linear u_theta"), "mu": (REAL, "its value at x = 0")}


def _two_lines(c, rng=None, x=None):
    """E[x_1 - x_0 | x_t = x] over the two lines through x, by how likely their starts are."""
    ends = np.array([c.a, -c.a])
    x = np.asarray(c.x if x is None else x)[..., None]
    starts = x + (x - ends) * c.t / (1 - c.t)  # the line goes on backwards as it came
    likely = oracles.log_bell(starts, 0.0, 1.0)
    weights = np.exp(likely - likely.max(axis=-1, keepdims=True))
    return np.sum(weights * (ends - starts), axis=-1) / weights.sum(axis=-1)


def _lines(c, rng):
    """Mean of x_1 - x_0 over all lines through x, data N(mu, sigma^2)."""
    return line_velocity(c.x, c.t, c.mu, c.sigma)[0]


def _slope_of_log_p(c, rng):
    """d/dx log p_t(x), p_t from the integral over all data that x may belong to."""
    x_1, p = oracles.gaussian_grid(c.mu, c.sigma, 2001)
    return oracles.difference(
        lambda x: math.log(p @ np.exp(oracles.log_bell(x, c.t * x_1, (1 - c.t) ** 2))), c.x
    )


def _gaussian_velocity(c):
    """u_t(x) for Gaussian data: the regression of x_1 - x_0 on x_t."""
    var_t = (c.t * c.sigma) ** 2 + (1 - c.t) ** 2
    return c.mu + (c.t * c.sigma**2 - (1 - c.t)) / var_t * (c.x - c.t * c.mu)


def _losses(c, b, m, sign=1):
    """E (u_theta - (x_1 - x_0))^2 and E (u_theta - u_t)^2 of u_theta(x) = b x + m, over the starts and both ends.

    sign = -1 takes x_0 - x_1 for the target.
    """
    x_0, p = oracles.gaussian_grid(0.0, 1.0, 401)
    cfm = fm = 0.0
    for x_1 in (c.a, -c.a):
        x = x_0 + c.t * (x_1 - x_0)
        cfm += p @ (b * x + m - sign * (x_1 - x_0)) ** 2 / 2
        fm += p @ (b * x + m - _two_lines(c, x=x)) ** 2 / 2
    return cfm, fm


def _same_constant(c, rng, sign=1):
    """L_CFM - L_FM of one u_theta, less that of another."""
    (cfm, fm), (other_cfm, other_fm) = _losses(c, c.b, c.mu, sign), _losses(c, c.b + 1, c.mu - 2, sign)
    return cfm - fm - (other_cfm - other_fm)


def _gradients(c, rng):
    """d L_CFM / d slope less d L_FM / d slope, by finite differences."""
    return oracles.difference(
        lambda b: np.subtract(*_losses(c, b, c.mu)), c.b, 0.5
    )  # a parabola: any step is exact


def _products(c, rng, sign=1):
    """E u_theta (x_1 - x_0) less E u_theta u_t, over the starts and both ends."""
    x_0, p = oracles.gaussian_grid(0.0, 1.0, 401)
    gap = 0.0
    for x_1 in (c.a, -c.a):
        x = x_0 + c.t * (x_1 - x_0)
        gap += p @ ((c.b * x + c.mu) * (sign * (x_1 - x_0) - _two_lines(c, x=x))) / 2
    return gap


def _lines_differ(c, rng):
    """How far the two lines through x are from their average, at most."""
    ends = np.array([c.a, -c.a])
    return np.abs(ends - (c.x - ends * c.t) / (1 - c.t) - _two_lines(c, rng)).max()


def _ask_mixture(f, c):
    """The library's velocity for a mixture of one Gaussian."""
    from ...exact import Mixture

    data = Mixture(np.ones(1), np.full((1, 1), c.mu), np.full((1, 1, 1), c.sigma**2))
    return f(data)(np.array([[c.x]]), c.t)[0, 0]


def _ask_pair(f, c):
    """The library's velocity for two points, which are Gaussians of no width."""
    from ...exact import Mixture

    data = Mixture(np.full(2, 0.5), np.array([[c.a], [-c.a]]), np.zeros((2, 1, 1)))
    return f(data)(np.array([[c.x]]), c.t)[0, 0]


NEAR, FAR = (f"exp(-(x - t*{a})**2 / (2*(1-t)**2))" for a in ("a", "(-a)"))
WIDTH2 = "(t**2 * sigma**2 + (1-t)**2)"

# fmt: off
ENTRIES = [
    Formula(
        name="marginal-velocity", number=63, lecture=3, title="Average velocity at x: data a or -a",
        latex=r"u_t(x) = \mathrm{E}[x_1-x_0\,|\,x_t=x] = \frac{a\,\tanh(a\,t\,x/(1-t)^2) - x}{1-t}",
        why="Many lines pass through x: the flow takes their average direction, each counted by how likely it is there.",
        letters="t x a", own=PAIR, answer="(a * tanh(a*t*x / (1-t)**2) - x) / (1-t)",
        oracle=_two_lines, measured="the two lines through x, weighted by how likely their starts are",
        source=flow.marginal_velocity, value=_ask_pair,
        wrong=(
            ("-x / (1-t)", "that is the plain average of both lines: the likelier one counts more"),
            ("(a * x/abs(x) - x) / (1-t)", "that is the line to the nearest data point: the other may end here as well"),
            (f"({NEAR} * (a-x) + {FAR} * (-a-x)) / (2 * sqrt(2*pi) * (1-t)**2)", "the weights are to be divided by p_t(x)"),
            ("a * tanh(a*t*x / (1-t)**2) - x", "the rest of the way takes 1 - t only"),
            ("(a * tanh(a*t*x / (1-t)) - x) / (1-t)", "the path's variance is (1 - t)^2"),
            ("(a * tanh(a*x / (1-t)**2) - x) / (1-t)", "the data have come the share t of their way: t a, not a"),
            ("(a * tanh(a*(1-t)*x / t**2) - x) / t", "that is diffusion's direction of time"),
            ("(x - a * tanh(a*t*x / (1-t)**2)) / (1-t)", "the sign: the flow goes to the data"),
            ("a * tanh(a*t*x / (1-t)**2)", "that is E[x_1 | x_t = x], the end of the average line, not its direction"),
        ),
    ),
    Formula(
        name="marginal-velocity-gaussian", number=63, lecture=3, title="Average velocity at x: data N(mu, sigma^2)",
        latex=r"u_t(x) = \mu + \frac{t\,\sigma^2 - (1-t)}{t^2\sigma^2 + (1-t)^2}\,(x - t\mu)",
        why="Regression: how x_1 - x_0 varies with x_t, over how x_t varies.",
        letters="t x mu sigma", own=GAUSSIAN, answer=f"mu + (t*sigma**2 - (1-t)) / {WIDTH2} * (x - t*mu)",
        oracle=_lines, measured="Bayes on a grid of all lines through x",
        source=flow.marginal_velocity, value=_ask_mixture,
        wrong=(
            ("mu", "that is the average over all lines, not over those through x"),
            ("(mu - x) / (1-t)", "that is the line to the data's mean: x tells where its line ends"),
            (f"mu + (t*sigma**2 + (1-t)) / {WIDTH2} * (x - t*mu)", "x_0 enters the direction x_1 - x_0 with a minus"),
            (f"mu + (t*sigma - (1-t)) / {WIDTH2} * (x - t*mu)", "sigma stands where sigma^2 belongs"),
            (f"mu + (t*sigma**2 - (1-t)) / {WIDTH2} * (x - mu)", "the mean at time t is t mu"),
            (f"(t*sigma**2 - (1-t)) / {WIDTH2} * (x - t*mu)", "the mean velocity mu is missing"),
            ("mu + (t*sigma**2 - (1-t)) / (t*sigma + 1 - t)**2 * (x - t*mu)", "variances add, standard deviations do not"),
        ),
    ),
    Formula(
        name="velocity-from-score", number=64, lecture=3, title="Velocity from the score, straight path",
        latex=r"u_t(x) = \frac{x + (1-t)\,\nabla\log p_t(x)}{t}",
        why="Score and velocity know the same: one trained network serves diffusion and flow.",
        letters="t x score mu sigma", needs="score",
        own=GAUSSIAN | {"score": (REAL, "grad log p_t(x), here of data N(mu, sigma^2)")},
        derive=lambda c: {"score": (c.t * c.mu - c.x) / ((c.t * c.sigma) ** 2 + (1 - c.t) ** 2)},
        answer="(x + (1-t) * score) / t",
        oracle=_lines, measured="Bayes on a grid of all lines through x",
        source=flow.velocity_from_score, value=lambda f, c: f(np.array([c.x]), c.t, np.array([c.score]))[0],
        wrong=(
            ("(x + t * score) / (1-t)", "that is for diffusion's direction of time"),
            ("(x - (1-t) * score) / t", "the sign: the score points to the data, and so does the flow"),
            ("(x + (1-t)**2 * score) / t", "that is E[x_1 | x_t = x] (Tweedie): the velocity has 1 - t"),
            ("(x + score) / t", "the score counts with the noise that is left, 1 - t"),
            ("x + (1-t) * score", "to be divided by t"),
            ("(x + (1-t) * score) / (1-t)", "to be divided by t, the time gone by"),
            ("score", "the score belongs to the density, the velocity to the path: they are not the same"),
            ("-(1-t) * score", "that is E[x_0 | x_t = x], the noise alone"),
        ),
    ),
    Formula(
        name="score-from-velocity", number=64, lecture=3, title="Score from the velocity, straight path",
        latex=r"\nabla\log p_t(x) = \frac{t\,u_t(x) - x}{1-t}",
        why="A flow network can be asked for the score: back along the line gives the noise, and the noise the score.",
        letters="t x u mu sigma", needs="u", own=GAUSSIAN | {"u": (REAL, "u_t(x), here of data N(mu, sigma^2)")},
        derive=lambda c: {"u": _gaussian_velocity(c)}, answer="(t*u - x) / (1-t)",
        oracle=_slope_of_log_p, measured="finite differences of log p_t, integrated over the data",
        source=flow.score_from_velocity, value=lambda f, c: f(np.array([c.x]), c.t, np.array([c.u]))[0],
        wrong=(
            ("t*u - x", "that is -E[x_0 | x_t = x]; the score divides it by the noise's width 1 - t"),
            ("(x - t*u) / (1-t)", "the sign: the score is minus the noise over its width"),
            ("(t*u - x) / (1-t)**2", "the standard deviation 1 - t divides the noise, not the variance"),
            ("(t*u - x) / t", "the noise's width is 1 - t"),
            ("((1-t)*u - x) / t", "that is for diffusion's direction of time"),
            ("u", "the velocity belongs to the path, the score to the density"),
        ),
    ),
    Formula(
        name="cfm-gradient", number=65, lecture=3, title="Conditional and marginal flow matching have one gradient",
        latex=r"\nabla_\theta L_{CFM} = \nabla_\theta L_{FM}",
        why="Nobody can compute u_t for real data, but everybody can draw a line: its average does the same work.",
        letters="t a b mu", own=LINEAR,
        oracle=_gradients, measured="finite differences of both losses, by quadrature over two-point data",
        wrong=(
            (lambda c, rng: oracles.difference(lambda b: np.subtract(*_losses(c, b, c.mu, -1)), c.b, 0.5),
             "with the target x_0 - x_1 the network learns the way back"),
        ),
    ),
    Formula(
        name="cfm-constant", number=65, lecture=3, title="The two flow matching losses differ by a constant",
        latex=r"L_{CFM}(\theta) = L_{FM}(\theta) + \mathrm{const}",
        why="What the network cannot know, which of the lines through x it is on, costs the same whatever it answers.",
        letters="t a b mu", own=LINEAR,
        oracle=_same_constant, measured="quadrature: L_CFM - L_FM of two linear networks",
        wrong=(
            (lambda c, rng: np.subtract(*_losses(c, c.b, c.mu)), "they are not equal: L_CFM cannot reach 0"),
            (lambda c, rng: _same_constant(c, rng, sign=-1), "with the target x_0 - x_1 the difference depends on the network"),
        ),
    ),
    Formula(
        name="cfm-key-step", number=65, lecture=3, title="Why: against any network both targets have the same mean product",
        latex=r"\mathrm{E}\,\langle u^\theta(x_t), x_1-x_0\rangle = \mathrm{E}\,\langle u^\theta(x_t), u_t(x_t)\rangle",
        why="The network sees x_t only, and given x_t the mean of x_1 - x_0 is u_t: the only term with both is the same.",
        letters="t a b mu", own=LINEAR,
        oracle=_products, measured="quadrature of both products over two-point data",
        wrong=((lambda c, rng: _products(c, rng, sign=-1), "the direction is x_1 - x_0, data minus noise"),),
    ),
    Formula(
        name="conditional-is-not-marginal", number=65, lecture=3, title="One line's velocity is not the average velocity",
        latex=r"u_t(x\,|\,x_1) \neq u_t(x)",
        why="The losses agree on average, not line by line: a network learns the mean of contradicting answers.",
        letters="t x a", own=PAIR, relation="!=",
        oracle=_lines_differ, measured="the two lines through x against their average",
        wrong=((_lines_differ, "equal in expectation is not equal: the lines through x point elsewhere than their average"),),
    ),
    Formula(
        name="cfm-minimum", number=65, lecture=3, title="Least conditional flow matching loss at t: data of width sigma",
        latex=r"\min L_{CFM} = \mathrm{Var}(x_1-x_0\,|\,x_t) = \frac{\sigma^2}{t^2\sigma^2 + (1-t)^2}",
        why="A loss that stops falling above 0 is no failure: the rest is what x_t does not tell.",
        letters="t sigma", own=GAUSSIAN, answer=f"sigma**2 / {WIDTH2}",
        oracle=lambda c, rng: line_velocity(0.6, c.t, 0.0, c.sigma)[1],
        measured="Bayes on a grid of all lines through x",
        wrong=(
            ("0", "a perfect network knows the average line only: the others stay a surprise"),
            ("1 + sigma**2", "that is the variance of x_1 - x_0 before x_t is seen"),
            (f"(1-t)**2 * sigma**2 / {WIDTH2}", "that is Var(x_1 | x_t): the velocity's is larger by 1 / (1 - t)^2"),
            (f"sigma / {WIDTH2}", "sigma stands where sigma^2 belongs"),
            ("sigma**2 / (t*sigma + 1 - t)**2", "variances add, standard deviations do not"),
            (f"{WIDTH2}", "that is the variance of x_t"),
        ),
    ),
]
