"""What a network may be asked for, and how each answer becomes eps_hat: one network, four objectives.

    objective   the network sees    it learns                              eps_hat
    eps         x_t, t              eps                                    out
    x0          x_t, t              x_0                                    (x_t - sqrt(ab_t) out) / sqrt(1 - ab_t)
    v           x_t, t              sqrt(ab_t) eps - sqrt(1 - ab_t) x_0    sqrt(1 - ab_t) x_t + sqrt(ab_t) out
    flow        y = kappa x_t, r    data - noise                           y - r out

(The last row is flow.py's: r is its time, and y = kappa x_t lies on its straight path.) All four are a x_t + b out, so
whatever was learnt, every sampler and its compiled loop can use it: `Denoiser`. An error of the answer, times b, is an
error of eps_hat, which is how the weights below compare.
"""

from dataclasses import dataclass

import numpy as np

from . import flow
from .gaussian import q_sample, snr, v_from_eps
from .schedule import in_data_dtype, on_axes_of, pick


def as_eps(objective, schedule, t):
    """a, b of eps_hat = a x_t + b out, each shaped like t.    The table above; t > 0."""
    ab_t = np.asarray(schedule.at(t, t), np.float64)
    if objective == "flow":
        r, kappa = flow.time_of(ab_t)
        return kappa, -r
    return {
        "eps": (np.zeros_like(ab_t), np.ones_like(ab_t)),
        "x0": (1 / np.sqrt(1 - ab_t), -np.sqrt(ab_t / (1 - ab_t))),
        "v": (np.sqrt(1 - ab_t), np.sqrt(ab_t)),
    }[objective]


def example(objective, schedule, x_0, t, eps):
    """(x_in, t_in, target): what the network sees and what it should answer, for data x_0 (B, d) and noise eps.

    t (B,): whole times 1..T, for "flow" real times 0..1 of flow.py.
    """
    if objective == "flow":
        return flow.path(eps, x_0, t), flow.CLOCK * t, x_0 - eps
    target = {"eps": lambda: eps, "x0": lambda: x_0, "v": lambda: v_from_eps(schedule, x_0, t, eps)}[objective]()
    return q_sample(schedule, x_0, t, eps), t, target


OBJECTIVES = ("eps", "x0", "v", "flow")


def simple(schedule, t):
    """None: the network's own answer counts 1 at every t, as in L_simple."""
    return None


def derived(schedule, t):
    """w = beta_t^2 / (2 var alpha_t (1 - ab_t)), var = beta_t: what eps's error counts in the ELBO.    [DDPM eq. 12]"""
    beta_t = schedule.beta[t]
    return beta_t / (2 * schedule.alpha[t] * (1 - schedule.alpha_bar[t]))


def min_snr(schedule, t, gamma=5.0):
    """w = min(SNR_t, gamma) / SNR_t of eps's error: x_0's error counts as min(SNR_t, gamma).    [Min-SNR section 3.4]"""
    ratio = snr(schedule, t)
    return np.minimum(ratio, gamma) / ratio


WEIGHTS = {"simple": simple, "derived": derived, "min-snr": min_snr}


def weight_of(weight, objective, schedule, t):
    """What the squared error of the network's answer counts at t (B,); None where all count 1."""
    w = WEIGHTS[weight](schedule, t)
    return None if w is None else w * as_eps(objective, schedule, t)[1] ** 2


def uniform(rng, shape):
    """Times in [0, 1), all alike."""
    return rng.random(shape)


def logit_normal(rng, shape, mean=0.0, std=1.0):
    """sigmoid(mean + std z): times in the middle, where the answer is least certain, come most often.    [SD3 section 3.1]"""
    return 1 / (1 + np.exp(-mean - std * rng.standard_normal(shape)))


TIMES = {"uniform": uniform, "logit-normal": logit_normal}


def check(objective, weight, times):
    """Raises ValueError for an unknown name, and for a weight that the objective has no use for."""
    if objective not in OBJECTIVES:
        raise ValueError(f"unknown objective {objective!r}; known are {', '.join(OBJECTIVES)}")
    pick("weight", WEIGHTS, weight)
    pick("times", TIMES, times)
    if objective == "flow" and weight != "simple":
        raise ValueError(f"weight {weight!r} needs a schedule's steps, which the objective flow has none of; use simple")


def draw_times(objective, times, schedule, rng, shape):
    """t for training: whole times 1..T, or for "flow" real ones in 0..1."""
    if objective != "flow" and times == "uniform":
        return rng.integers(1, schedule.T + 1, size=shape)
    u = TIMES[times](rng, shape)
    return u if objective == "flow" else np.clip(np.ceil(schedule.T * u), 1, schedule.T).astype(int)


@dataclass(frozen=True, eq=False)
class Denoiser:
    """eps_theta(x_t, t) of a network that was trained on `objective`; network(x, t) -> its answer."""

    network: object
    objective: str
    schedule: object

    def _inputs(self, t):
        """kappa and the network's time."""
        if self.objective != "flow":
            return 1.0, t
        r, kappa = flow.time_of(np.asarray(self.schedule.at(t, t), np.float64))
        return kappa, flow.CLOCK * r

    @in_data_dtype
    def __call__(self, x_t, t):
        """eps_hat = a x_t + b out, (B, ...)."""
        (a, b), (kappa, t_in) = as_eps(self.objective, self.schedule, t), self._inputs(t)
        y = (on_axes_of(x_t, kappa) * x_t).astype(x_t.dtype)
        return on_axes_of(x_t, a) * x_t + on_axes_of(x_t, b) * self.network(y, t_in)

    @property
    def asks(self):
        """How many networks one answer takes: two if it is guided."""
        return getattr(self.network, "asks", 1)

    @property
    def chain(self):
        """x <- c_x x + c_eps eps_hat + c_z z by the network's own chain, with the coefficients of its answer instead."""
        inner = self.network.chain

        def chain(x_T, times, c_x, c_eps, c_z, z):
            times = np.asarray(times)
            (a, b), (kappa, t_in) = as_eps(self.objective, self.schedule, times), self._inputs(times)
            kappa = np.broadcast_to(kappa, times.shape)
            after = np.append(kappa[1:], 1.0)  # the walk is in y = kappa x, and ends in x
            y = (kappa[0] * x_T).astype(x_T.dtype)
            return inner(y, t_in, after * (c_x + c_eps * a) / kappa, after * c_eps * b, after * c_z, z)

        return chain


def denoiser(network, objective, schedule):
    """The network as eps_theta: itself if it learnt eps."""
    return network if objective == "eps" else Denoiser(network, objective, schedule)


def velocity(network, objective):
    """The network as flow.py's velocity u(x, r). Raises ValueError for one that was not trained as one."""
    if objective != "flow":
        raise ValueError(f"only a network trained with the objective flow is a velocity, this one learnt {objective}")
    return lambda x, r: network(x, flow.CLOCK * np.asarray(r))


def floor_of(objective, mixture, schedule, t, n, rng):
    """The least loss at t for a mixture: loss_floor / b^2, because every other answer's error is eps's over b."""
    if objective == "flow":
        return flow.loss_floor(mixture, t, n, rng)
    floor, error = mixture.loss_floor(schedule, t, n, rng)
    b = float(as_eps(objective, schedule, t)[1])
    return floor / b**2, error / b**2


def unit(objective, weight, times, schedule, d, rng):
    """The loss of answering 0 to data of mean square 1: what "knows nothing" is. A weight is averaged over 10,000 times."""
    t = draw_times(objective, times, schedule, rng, 10_000)
    w = weight_of(weight, objective, schedule, t)
    return d * (2 if objective == "flow" else 1) * (1 if w is None else float(w.mean()))
