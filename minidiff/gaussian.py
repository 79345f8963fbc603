"""The algebra of Gaussians: everything that can be said about the noise before anything is learned.

    letter   name      shape       meaning
    x_0      x_0       (B, ...)    clean data
    x_t      x_t       (B, ...)    noisy data at time t
    epsilon  eps       (B, ...)    the standard normal noise inside x_t
    v        v         (B, ...)    sqrt(ab_t) eps - sqrt(1 - ab_t) x_0
    t, s     t, s      () or (B,)  times, s < t
             ab_t      like t      alpha-bar at t; 1 - ab_t is the variance of the noise in x_t

`schedule` is anything with .at(t, x) -> alpha_bar_t; q_step, noise_chain, prior_kl need a Schedule's steps.
"""

import numpy as np

from .arrays import keeps_dtype, on_axes_of


@keeps_dtype
def q_step(schedule, x_s, t, eps):
    """x_t = sqrt(1 - beta_t) x_{t-1} + sqrt(beta_t) eps.    [DDPM eq. 2]
    One step of the forward chain, x_s = x_{t-1}: shrink a little, add a little noise."""
    beta_t = on_axes_of(x_s, schedule.beta[schedule.check(t)])
    return np.sqrt(1 - beta_t) * x_s + np.sqrt(beta_t) * eps


@keeps_dtype
def q_sample(schedule, x_0, t, eps):
    """x_t = sqrt(ab_t) x_0 + sqrt(1 - ab_t) eps.    [DDPM eq. 4]
    All t steps at once: the sum of the steps' independent normal noises is one normal noise."""
    ab_t = schedule.at(t, x_0)
    # Why sqrt(1 - ab_t)? Independent parts add their variances. For unit data, ab_t + (1 - ab_t) = 1 keeps
    # the variance: the two square roots are the sides of a right angle whose hypotenuse has length 1.
    return np.sqrt(ab_t) * x_0 + np.sqrt(1 - ab_t) * eps


def noise_chain(schedule, x_0, times, rng):
    """x_0 -> x_1 -> ... -> x_T by q_step, kept at `times` (ascending): (len(times), B, ...).    [DDPM eq. 2]
    Many small steps: the slow way to what q_sample does at once."""
    times = np.asarray(times)
    if times.ndim != 1 or not times.size or np.any(np.diff([0, *times, schedule.T]) < 0):
        raise ValueError(f"times must ascend within 0..T = {schedule.T}, got {times}")
    path = [x_0]
    for t in range(1, times[-1] + 1):
        path.append(q_step(schedule, path[-1], t, rng.standard_normal(x_0.shape, x_0.dtype)))
    return np.stack([path[t] for t in times])


def check_order(t, s):
    """Raises ValueError unless s < t."""
    if np.any(np.asarray(s) >= np.asarray(t)):
        raise ValueError(f"s must be below t, got t = {t}, s = {s}")


def posterior_weights(schedule, x, t, s):
    """c_0, c_t, var of q(x_s | x_t, x_0) = N(c_0 x_0 + c_t x_t, var I), with x's axes.    [DDPM eq. 7]

        c_0 = sqrt(ab_s) (1 - a) / (1 - ab_t),    c_t = sqrt(a) (1 - ab_s) / (1 - ab_t),    a = ab_t / ab_s
        var = (1 - ab_s) / (1 - ab_t) (1 - a)

    For any s < t. With s = t - 1, a is alpha_t and 1 - a is beta_t. At s = 0 the variance is exactly 0: x_0
    is known."""
    check_order(t, s)
    ab_t, ab_s = schedule.at(t, x), schedule.at(s, x)
    a = ab_t / ab_s
    c_0 = np.sqrt(ab_s) * (1 - a) / (1 - ab_t)
    c_t = np.sqrt(a) * (1 - ab_s) / (1 - ab_t)
    return c_0, c_t, (1 - ab_s) / (1 - ab_t) * (1 - a)


@keeps_dtype
def posterior(schedule, x_0, x_t, t, s):
    """q(x_s | x_t, x_0) as (mean, var): where x_s was, for one who knows both ends.    [DDPM eq. 7]"""
    c_0, c_t, var = posterior_weights(schedule, x_t, t, s)
    return c_0 * x_0 + c_t * x_t, var


@keeps_dtype
def x_0_from_eps(schedule, x_t, t, eps):
    """x_0 = (x_t - sqrt(1 - ab_t) eps) / sqrt(ab_t).    [DDPM eq. 15] [DDIM eq. 9]"""
    ab_t = schedule.at(t, x_t)
    return (x_t - np.sqrt(1 - ab_t) * eps) / np.sqrt(ab_t)


@keeps_dtype
def eps_from_x_0(schedule, x_t, t, x_0):
    """eps = (x_t - sqrt(ab_t) x_0) / sqrt(1 - ab_t).    [DDPM eq. 15]    Needs t > 0: x_0 holds no noise."""
    ab_t = schedule.at(t, x_t)
    return (x_t - np.sqrt(ab_t) * x_0) / np.sqrt(1 - ab_t)


@keeps_dtype
def v_from_eps(schedule, x_0, t, eps):
    """v = sqrt(ab_t) eps - sqrt(1 - ab_t) x_0.    [Progressive Distillation section 4]"""
    ab_t = schedule.at(t, x_0)
    return np.sqrt(ab_t) * eps - np.sqrt(1 - ab_t) * x_0


@keeps_dtype
def x_0_from_v(schedule, x_t, t, v):
    """x_0 = sqrt(ab_t) x_t - sqrt(1 - ab_t) v: a turn back.    [Progressive Distillation section 4]"""
    ab_t = schedule.at(t, x_t)
    return np.sqrt(ab_t) * x_t - np.sqrt(1 - ab_t) * v


@keeps_dtype
def eps_from_v(schedule, x_t, t, v):
    """eps = sqrt(1 - ab_t) x_t + sqrt(ab_t) v.    [Progressive Distillation section 4]"""
    ab_t = schedule.at(t, x_t)
    return np.sqrt(1 - ab_t) * x_t + np.sqrt(ab_t) * v


@keeps_dtype
def score_from_eps(schedule, t, eps):
    """score = -eps / sqrt(1 - ab_t), t > 0; grad log q(x_t) if eps is E[eps | x_t].    [CME296 lecture 2]"""
    return -eps / np.sqrt(1 - schedule.at(t, eps))


@keeps_dtype
def eps_from_score(schedule, t, score):
    """eps = -sqrt(1 - ab_t) score.    [CME296 lecture 2]"""
    return -np.sqrt(1 - schedule.at(t, score)) * score


def snr(schedule, t):
    """SNR_t = ab_t / (1 - ab_t), signal's variance over noise's; infinite at t = 0.    [VDM section 3]"""
    ab_t = schedule.at(t, t)
    with np.errstate(divide="ignore"):
        return ab_t / (1 - ab_t)


def kl(mean_1, var_1, mean_2, var_2):
    """KL(N_1 || N_2) = 1/2 [log(var_2 / var_1) + (var_1 + (mean_1 - mean_2)^2) / var_2 - 1], in nats.
    [CME296 lecture 1]    Zero only where both agree; not symmetric. Arguments broadcast; variances are
    positive."""
    return 0.5 * (np.log(var_2 / var_1) + (var_1 + (mean_1 - mean_2) ** 2) / var_2 - 1)


def log_normal(x, mean, var):
    """log N(x; mean, var I) = -1/2 sum_i [(x_i - mean_i)^2 / var + log(2 pi var)].    [CME296 lecture 1]
    x (B, d) -> (B,); mean broadcasts; var is a positive number."""
    return -0.5 * np.sum((x - mean) ** 2 / var + np.log(2 * np.pi * var), axis=1)


def prior_kl(schedule, second_moment):
    """E KL(q(x_T | x_0) || N(0, 1)) = 1/2 [ab_T E x_0^2 - ab_T - log(1 - ab_T)].    [DDPM eq. 5]
    L_T: what x_T still knows of the data. second_moment is E x_0^2 of a coordinate."""
    ab_T = schedule.alpha_bar[-1]
    return 0.5 * (ab_T * second_moment - ab_T - np.log1p(-ab_T))


def product(mean_1, var_1, mean_2, var_2):
    """N_1 N_2 ~ N(mean, var), 1 / var = 1 / var_1 + 1 / var_2, mean = var (mean_1 / var_1 + mean_2 / var_2).
    [CME296 lecture 1]    Two opinions on one x: precisions add, and the more certain one weighs more."""
    var = 1 / (1 / var_1 + 1 / var_2)
    return var * (mean_1 / var_1 + mean_2 / var_2), var
