"""What the quiz asks about flow matching: with numbers (ASKED), without (CONCEPTS; see ../concepts.py)."""

import numpy as np

from ...continuous import flow
from ..concepts import ONES, TWO_BUMPS, ask, bell, near, rng


def _on_line(t):
    """The conditional velocity on the line from 1 to 3."""
    return flow.conditional_velocity(flow.path(ONES, 3 * ONES, t), 3 * ONES, t).item()


def _flowed(u, steps):
    """(steps + 1, 200, 1): noise, and where Euler's steps along u take it."""
    x_0 = rng().standard_normal((200, 1))
    return np.stack([x_0, *flow.sample(u, x_0, np.linspace(0, 1, steps + 1))])


def _bend():
    """How far sampled paths are from their chords half-way, data N(0, 2^2)."""
    path = _flowed(flow.marginal_velocity(bell(0.0, 2.0)), 50)
    return abs(path[25] - (path[0] + path[-1]) / 2).max()


def _least_cfm():
    """The conditional loss of the true average velocity at t = 1/2, data N(0, 1)."""
    x_0, x_1 = rng().standard_normal((2, 1000, 1))
    return flow.cfm(flow.marginal_velocity(bell(0.0, 1.0))(flow.path(x_0, x_1, 0.5), 0.5), x_0, x_1)[0]


def _reflowed():
    """Straightness of pairs that the flow made over that of random pairs, data N(0, 2^2)."""
    u, x_0, times = (
        flow.marginal_velocity(bell(0.0, 2.0)),
        rng().standard_normal((300, 1)),
        (np.arange(10) + 0.5) / 10,
    )
    # what the new pairs teach: on a line x_1 = 2 x_0, so x_t = (1 + t) x_0
    made = flow.straightness(lambda x, t: x / (1 + t), x_0, flow.reflow(u, x_0, 20), times)
    return made / flow.straightness(u, x_0, bell(0.0, 2.0).sample(300, np.random.default_rng(1)), times)


# fmt: off
ASKED = {  # by the quiz, instead of the entry's title
    "non-unique-flow": "x' = sqrt(x), x(0) = 0: the solution that leaves 0 at once, at t",
    "straightness": "S = int_0^1 E Var(x_1 - x_0 | x_t) dt for independent pairs, 1-D data N(mu, sigma^2)",
    "transport-cost": "E (x_1 - x_0)^2 of independent pairs, x_0 of N(0, 1), x_1 of N(mu, sigma^2)",
    "transport-cost-reflow": "E (x_1 - x_0)^2 after reflow, x_0 of N(0, 1), x_1 of N(mu, sigma^2)",
    "one-euler-step": "Where one Euler step from t = 0 to 1 along the average velocity lands: data N(mu, sigma^2)",
    "cfm-minimum": "The least conditional flow matching loss at t, 1-D data N(mu, sigma^2)",
}
CONCEPTS = [
    ask("flow-path", lambda: flow.path(np.array([[5.0]]), np.array([[7.0]]), 0.0).item(),
        "In flow matching's letters (lecture 3), what is x_t at t = 0?",
        ("noise", near(5), "time runs from noise to data, against diffusion's"),
        ("data", near(7), "that is diffusion's direction"),
        ("their mean", near(6), "that is at t = 1/2")),
    ask("conditional-velocity", lambda: [_on_line(t) for t in (0.0, 0.5, 0.999)],
        "(x_1 - x) / (1 - t) for t -> 1, along the line that ends at x_1:",
        ("is constant", near(2, 1e-6), "what is left of the way shrinks as fast as the time"),
        ("blows up", lambda u: u[2] > 100, "x_1 - x goes to 0 as well"),
        ("goes to 0", lambda u: abs(u[2]) < 0.1, "the time left goes to 0 as well")),
    ask("one-euler-step", lambda: _flowed(flow.marginal_velocity(TWO_BUMPS), 1)[-1],
        "The perfect average velocity, one Euler step from t = 0 to 1, data in two bumps at -1 and 1. Where do samples "
        "land?",
        ("all at the mean, 0", near(0, 1e-6), "u_0(x_0) is E[x_1] - x_0, whatever the start"),
        ("half at each bump", lambda x: np.all(abs(abs(x) - 1) < 0.5), "that takes more steps: at t = 0 all are alike"),
        ("spread like the noise", lambda x: x.std() > 0.5, "the step takes the start off again")),
    ask("conditional-is-not-marginal", lambda: flow.marginal_velocity(TWO_BUMPS)(np.zeros((1, 1)), 0.5).item(),
        "Two equally likely training lines cross at x = 0, t = 1/2, one from -1 to 1, one from 1 to -1. u_t(x) is",
        ("0, their average", near(0), "a squared error learns the mean"),
        ("the velocity of one of them, at random", lambda u: abs(u) > 1, "a network has one answer for each x and t"),
        ("infinite", lambda u: not np.isfinite(u), "an average of finite velocities is finite")),
    ask("cfm-minimum", _least_cfm,
        "The least conditional flow matching loss, over all networks, is",
        ("above 0", lambda loss: loss > 0.1, "x_t does not tell which line it is on"),
        ("0", near(0, 1e-6), "that is the least of the marginal loss, which nobody can compute"),
        ("below 0", lambda loss: loss < 0, "a mean of squares")),
    ask("paths-curve", _bend,
        "All training lines are straight. Are the sampled paths, for N(0, 2^2) data?",
        ("no, they bend", lambda off: off > 0.05, "the average of lines that cross is no line"),
        ("yes, exactly", lambda off: off < 1e-3, "that holds after reflow, on a line"),
        ("yes, but for the solver's errors", lambda off: 1e-3 < off < 0.05, "the bend is far larger than they")),
    ask("reflow-untangles", _reflowed,
        "Reflow: pairs that the flow itself made, data N(0, 2^2). How straight are they, against random pairs?",
        ("straight", lambda r: r < 0.01, "on a line the flow's own pairs do not cross"),
        ("as bent as before", near(1, 0.2), "random pairs cross; these do not"),
        ("more bent", lambda r: r > 1.2, "fewer crossings bend less")),
]
