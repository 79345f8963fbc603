"""The algebra of Gaussians: everything that can be said about the noise before anything is learned.

letter   name      shape       meaning
x_0      x_0       (B, ...)    clean data
x_t      x_t       (B, ...)    noisy data at time t
epsilon  eps       (B, ...)    the standard normal noise inside x_t
v        v         (B, ...)    sqrt(ab_t) eps - sqrt(1 - ab_t) x_0
t, s     t, s      () or (B,)  times, s < t
         ab_t      like t      alpha-bar at t
         signal    like t      sqrt(ab_t), the share of x_0 in x_t
         noise     like t      sqrt(1 - ab_t), the share of eps; its square is the noise's variance
"""

import numpy as np

from .protocols import Array, Noise, Preserving, Process, Times
from .schedule import Schedule


def like(x, values) -> Array:
    """values, () or (B,), in x's dtype and with as many axes as x (B, ...): what multiplies its rows.
    Coefficients are worked out in float64 and rounded here, once: in float32, 1 - alpha_bar[1] = 1e-4 would
    keep 4 digits of 7."""
    x, values = np.asarray(x), np.asarray(values)
    dtype = x.dtype if x.dtype.kind == "f" else np.float64
    axes = (1,) * (x.ndim - values.ndim)
    return values.reshape(values.shape + axes).astype(dtype)


def shares(schedule: Process, t: Times, x: Array) -> tuple[Array, Array]:
    """signal and noise at t, ready to multiply arrays like x."""
    signal, noise = schedule.signal_and_noise(t)
    return like(x, signal), like(x, noise)


def q_step(schedule: Schedule, x_s: Array, t: Times, eps: Array) -> Array:
    """x_t = sqrt(1 - beta_t) x_{t-1} + sqrt(beta_t) eps.    [DDPM eq. 2]
    One step of the forward chain, x_s = x_{t-1}: shrink a little, add a little noise. t in 1..T."""
    beta_t = schedule.beta[t]
    signal, noise = like(x_s, np.sqrt(1 - beta_t)), like(x_s, np.sqrt(beta_t))
    return signal * x_s + noise * eps


def q_sample(schedule: Process, x_0: Array, t: Times, eps: Array) -> Array:
    """x_t = sqrt(ab_t) x_0 + sqrt(1 - ab_t) eps.    [DDPM eq. 4]
    All t steps at once: the sum of the steps' independent normal noises is one normal noise."""
    # Why sqrt(1 - ab_t)? Independent parts add their variances. For unit data, ab_t + (1 - ab_t) = 1 keeps
    # the variance: the two square roots are the sides of a right angle whose hypotenuse has length 1.
    signal, noise = shares(schedule, t, x_0)
    return signal * x_0 + noise * eps


def noise_chain(schedule: Schedule, x_0: Array, times, rng: Noise) -> Array:
    """x_0 -> x_1 -> ... -> x_T by q_step: the slow way to what q_sample does at once.    [DDPM eq. 2]
    Kept at `times`, whole numbers that ascend: (len(times), B, ...)."""
    path = [x_0]
    for t in range(1, times[-1] + 1):
        eps = rng.standard_normal(x_0.shape, x_0.dtype)
        path.append(q_step(schedule, path[-1], t, eps))
    return np.stack([path[t] for t in times])


def alpha_of_step(schedule: Preserving, t: Times, s: Times) -> Array:
    """a = ab_t / ab_s, what the steps from s to t keep of the variance: alpha_t if s = t - 1.
    Raises ValueError unless s < t."""
    if np.any(np.greater_equal(s, t)):
        raise ValueError(f"s must be below t, got t = {t}, s = {s}")
    return schedule.alpha_bar_at(t) / schedule.alpha_bar_at(s)


def posterior_weights(schedule: Preserving, t: Times, s: Times):
    """c_0, c_t, var of q(x_s | x_t, x_0) = N(c_0 x_0 + c_t x_t, var I), each shaped like t.    [DDPM eq. 7]

        c_0 = sqrt(ab_s) (1 - a) / (1 - ab_t),    c_t = sqrt(a) (1 - ab_s) / (1 - ab_t),    a = ab_t / ab_s
        var = (1 - ab_s) / (1 - ab_t) (1 - a)

    With s = t - 1, a is alpha_t and 1 - a is beta_t. At s = 0 the variance is exactly 0: x_0 is known."""
    a = alpha_of_step(schedule, t, s)
    ab_t, ab_s = schedule.alpha_bar_at(t), schedule.alpha_bar_at(s)
    c_0 = np.sqrt(ab_s) * (1 - a) / (1 - ab_t)
    c_t = np.sqrt(a) * (1 - ab_s) / (1 - ab_t)
    return c_0, c_t, (1 - ab_s) / (1 - ab_t) * (1 - a)


def posterior(schedule: Preserving, x_0: Array, x_t: Array, t: Times, s: Times) -> tuple[Array, Array]:
    """q(x_s | x_t, x_0) as (mean, var): where x_s was, for one who knows both ends.    [DDPM eq. 7]
    For any s < t; var has x_t's axes."""
    c_0, c_t, var = (like(x_t, c) for c in posterior_weights(schedule, t, s))
    return c_0 * x_0 + c_t * x_t, var


def x_0_from_eps(schedule: Process, x_t: Array, t: Times, eps: Array) -> Array:
    """x_0 = (x_t - sqrt(1 - ab_t) eps) / sqrt(ab_t).    [DDPM eq. 15] [DDIM eq. 9]"""
    signal, noise = shares(schedule, t, x_t)
    return (x_t - noise * eps) / signal


def eps_from_x_0(schedule: Process, x_t: Array, t: Times, x_0: Array) -> Array:
    """eps = (x_t - sqrt(ab_t) x_0) / sqrt(1 - ab_t).    [DDPM eq. 15]    Needs t > 0: x_0 holds no noise."""
    signal, noise = shares(schedule, t, x_t)
    return (x_t - signal * x_0) / noise


def v_from_eps(schedule: Process, x_0: Array, t: Times, eps: Array) -> Array:
    """v = sqrt(ab_t) eps - sqrt(1 - ab_t) x_0.    [Progressive Distillation section 4]"""
    signal, noise = shares(schedule, t, x_0)
    return signal * eps - noise * x_0


def x_0_from_v(schedule: Process, x_t: Array, t: Times, v: Array) -> Array:
    """x_0 = sqrt(ab_t) x_t - sqrt(1 - ab_t) v: a turn back.    [Progressive Distillation section 4]"""
    signal, noise = shares(schedule, t, x_t)
    return signal * x_t - noise * v


def eps_from_v(schedule: Process, x_t: Array, t: Times, v: Array) -> Array:
    """eps = sqrt(1 - ab_t) x_t + sqrt(ab_t) v.    [Progressive Distillation section 4]"""
    signal, noise = shares(schedule, t, x_t)
    return noise * x_t + signal * v


def score_from_eps(schedule: Process, t: Times, eps: Array) -> Array:
    """score = -eps / sqrt(1 - ab_t), t > 0; grad log q(x_t) if eps is E[eps | x_t].    [CME296 lecture 2]"""
    _, noise = shares(schedule, t, eps)
    return -eps / noise


def eps_from_score(schedule: Process, t: Times, score: Array) -> Array:
    """eps = -sqrt(1 - ab_t) score.    [CME296 lecture 2]"""
    _, noise = shares(schedule, t, score)
    return -noise * score


def snr(schedule: Process, t: Times) -> Array:
    """SNR_t = ab_t / (1 - ab_t), signal's variance over noise's; infinite at t = 0.    [VDM section 3]"""
    signal, noise = schedule.signal_and_noise(t)
    with np.errstate(divide="ignore"):
        return signal**2 / noise**2


def kl(mean_1, var_1, mean_2, var_2):
    """KL(N_1 || N_2) = 1/2 [log(var_2 / var_1) + (var_1 + (mean_1 - mean_2)^2) / var_2 - 1], in nats.
    [CME296 lecture 1]    Zero only where both agree; not symmetric. Arguments broadcast; variances are
    positive."""
    ratio, gap = var_1 / var_2, (mean_1 - mean_2) ** 2 / var_2
    return 0.5 * (-np.log(ratio) + ratio + gap - 1)


def log_normal(x: Array, mean, var: float) -> Array:
    """log N(x; mean, var I) = -1/2 sum_i [(x_i - mean_i)^2 / var + log(2 pi var)].    [CME296 lecture 1]
    x (B, d) -> (B,); mean broadcasts; var is a positive number."""
    sigma2 = like(x, var)
    each = (x - mean) ** 2 / sigma2 + np.log(2 * np.pi * sigma2)
    return -0.5 * np.sum(each, axis=1)


def product(mean_1, var_1, mean_2, var_2):
    """N_1 N_2 ~ N(mean, var), 1 / var = 1 / var_1 + 1 / var_2, mean = var (mean_1 / var_1 + mean_2 / var_2).
    [CME296 lecture 1]    Two opinions on one x: precisions add, and the more certain one weighs more."""
    var = 1 / (1 / var_1 + 1 / var_2)
    return var * (mean_1 / var_1 + mean_2 / var_2), var
