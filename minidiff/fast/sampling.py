"""Sampling sooner: a step c_x x_t + c_eps eps_hat + c_z z, three numbers for each t, runs in a compiled loop.

Blocks of rows walk all the way down in parallel threads. Any other step, denoiser or rng takes the readable
loop.
"""

from functools import partial

import numpy as np

from .. import philox
from ..continuous.flow import FlowDenoiser, Straight
from ..ddpm import sample
from ..evaluation.recursion import Draws, check_times
from ..exact import MixtureDenoiser
from ..mlp import MLP, Network
from ..objective import Denoiser, as_eps
from ..pictures.unet import UNet
from . import kernels, mlp, trust, unet
from .noise import RowNoise
from .threads import side_by_side

ROWS = 128  # a block: of width 128 its activations stay in the second-level cache
# What coefficients asks: x_t, eps_hat and z of four numbers side by side
PROBES = np.array([[1, 0, 0, 2.0], [0, 1, 0, -3.0], [0, 0, 1, 5.0]])


def _mixture_chain(eps_theta, times, c, x_T):
    m, c = eps_theta.mixture, c.astype(x_T.dtype)
    mlp.check_rows(x_T, m.mean.shape[1])
    signal, noise = eps_theta.schedule.signal_and_noise(times)
    precision = 1 / ((signal**2)[:, None, None] * m.var + (noise**2)[:, None, None])
    log_const = np.log(m.weight) + 0.5 * np.log(precision).sum(axis=2)

    def steps(x, z, now):
        at = signal[now], noise[now], log_const[now]
        return kernels.mixture_chain(x, *at, m.mean, m.axes, precision[now], c[now], z)

    return steps


def _with_answers(c, a, b):
    """The coefficients of x_t, out and z where eps_hat = a x_t + b out."""
    c_x, c_eps, c_z = c.T
    return np.stack([c_x + c_eps * a, c_eps * b, c_z], axis=1)


def _answered_chain(inner, eps_theta, times, c, x_T):
    a, b = as_eps(eps_theta.objective, eps_theta.schedule, times[:-1])
    return inner(times, _with_answers(c, a, b), x_T)


def _flow_chain(inner, eps_theta, times, c, x_T):
    """A FlowDenoiser's network sees y = kappa x_t: the loop is in y, and comes from x and ends in x."""
    signal, noise = eps_theta.schedule.signal_and_noise(times)
    kappa = 1 / (signal + noise)
    c = _with_answers(c, kappa[:-1], -(kappa * signal)[:-1])
    c *= kappa[1:, None]
    c[:, 0] /= kappa[:-1]
    steps, kappa = inner(Straight.T * kappa * noise, c, x_T), kappa.astype(x_T.dtype)

    def there_and_back(x, z, now):
        return steps(kappa[now.start] * x, z, now) / kappa[now.stop]

    return there_and_back


def _chain_of(eps_theta):
    """chain(times, c, x_T) -> steps, or None where there is no compiled loop.

    steps(x, z, now) takes the steps `now` (a slice) of those between times, x <- c_x x + c_eps eps_theta(x,
    t) + c_z z with c (S, 3); z (draws, *x.shape) holds a layer for each c_z != 0 among them.
    """
    kind = type(eps_theta)
    if kind is Network:
        return partial(mlp.chain, eps_theta) if type(eps_theta.model) is MLP else None
    if kind is MixtureDenoiser:
        return partial(_mixture_chain, eps_theta)
    answered = {Denoiser: _answered_chain, FlowDenoiser: _flow_chain}.get(kind)
    inner = answered and _chain_of(eps_theta.network)
    return inner and partial(answered, inner, eps_theta)


def _near(a, b, least=0.0):
    """Whether numbers agree but for roundings; np.allclose takes five times as long."""
    return bool(np.all(np.abs(a - b) <= 1e-9 * np.abs(b) + least))


def coefficients(step, schedule, t, s):
    """c_x, c_eps, c_z (n, 3) of a step x_s = c_x x_t + c_eps eps_hat + c_z z, and how often it draws.

    t and s (n,), or ints (then n = 1). Read off at unit x_t, eps_hat and z, and tried once more elsewhere, in
    four numbers of one call. Raises ValueError for a step of another form: one that asks the denoiser twice
    or about another x_t, draws noise twice, or bends.
    """
    x_t, eps_hat, z = np.repeat(PROBES[:, None], np.size(t), axis=1)
    asked, rng = [], Draws(0, z)

    def eps_theta(x_asked, t_asked):
        asked.append(np.array_equal(x_asked, x_t) and _near(t_asked, t))
        return eps_hat

    x_s = step(eps_theta, schedule, x_t, t, s, rng)
    if asked != [True] or rng.count > 1:
        found = f"it asks {len(asked)}, draws {rng.count}"
        raise ValueError(f"the step must ask the denoiser about x_t once and draw once, {found}")
    c = x_s[:, :3]
    if not _near(x_s[:, 3], c @ PROBES[:, 3], 1e-9):
        raise ValueError("the step is not a sum of x_t, eps_hat and z with fixed weights")
    return c, rng.count


def _coefficients(step, schedule, times):
    """coefficients (S, 3) of all steps, at once where the step takes arrays; None for other steps."""
    last = len(times) - 2

    def one(k):
        c, drawn = coefficients(step, schedule, *times[k : k + 2].tolist())
        if drawn and c[0, 2] == 0 and k < last:  # the loop draws only where it adds, so other numbers
            raise ValueError("the step draws noise that it does not use")
        return c[0]

    try:
        c, _ = coefficients(step, schedule, times[:-1], times[1:])
        if all(_near(c[k], one(k), 1e-12) for k in (0, last // 2, last)):
            return c
    except (ValueError, TypeError):
        pass  # a step may take whole numbers only
    try:
        return np.stack([one(k) for k in range(last + 1)])
    except ValueError:
        return None


def _walk(steps, c, x_t, span, rng, progress):
    """x_t after the steps span = (first, last), block beside block."""
    x_s, draws = np.empty_like(x_t), c[:, 2] != 0
    draw = rng.take(np.count_nonzero(draws[slice(*span)]))
    chunk = max(1, 2**18 // (min(ROWS, len(x_t)) * x_t[0].size))  # steps whose noise fits the cache

    def walk(first, last):
        x, drawn = x_t[first:last], draw
        for k in range(*span, chunk):
            now = slice(k, min(k + chunk, span[1]))
            fresh = np.count_nonzero(draws[now])
            x = steps(x, rng.at(drawn, fresh, first, last, x.shape[1:], x.dtype), now)
            drawn += fresh
            progress(len(x) * (now.stop - k))
        x_s[first:last] = x

    side_by_side(walk, len(x_t), ROWS)
    return x_s


def _distrust(walk, step, eps_theta, schedule, x_T, times):
    """Compares walk with ddpm.sample on the run's own steps: the first two, one in the middle, the last one.

    17 rows fill whole tiles and leave one over. Of more than a block, a block and some of the last one go.
    """
    S, rest = len(times) - 1, (len(x_T) - 1) % ROWS + 1
    more = ROWS + min(17, rest) if len(x_T) > ROWS else 17
    rng, law_rng = RowNoise(0), RowNoise(0)
    for k, end, rows in ((0, min(2, S), 17), (S // 2, S // 2 + 1, more), (S - 1, S, 17)):
        x_t = x_T[:rows]
        *_, law = sample(step, eps_theta, schedule, x_t, times[k : end + 1], law_rng)
        got = walk(x_t, (k, end), rng, lambda n: None)
        if said := trust.disagreement("ddpm.sample and fast/sampling.py", law, got):
            return said
    return None


def denoiser(eps_theta, say=trust.say):
    """A U-Net's eps_theta sooner; any other as it is."""
    if type(eps_theta) is not Network or type(eps_theta.model) is not UNet:
        return eps_theta
    engine, model, rng = unet.Denoiser(eps_theta), eps_theta.model, np.random.default_rng(0)
    x_t, labels = rng.standard_normal((9, model.d)).astype(engine.dtype), rng.integers(0, model.labels + 1, 9)
    for rows, label, t in ((9, labels, 5), (1, model.labels, 700)):  # blocks of 8 and of 1
        few = model.eps_theta(engine.params, label)
        law, got = (f(x_t[:rows], t) for f in (few, unet.Denoiser(few, rows=8)))
        if said := trust.disagreement("pictures.unet.UNet.forward and fast.unet.Denoiser", law, got):
            say(said)
            return eps_theta
    return engine


def generate(step, eps_theta, schedule, x_T, times, rng, progress=lambda row_steps: None, say=trust.say):
    """x_0 (B, ...): where ddpm.sample ends.

    progress(n) is told of every n steps of a row that are done, n summing to B (len(times) - 1). Raises
    ValueError for times that do not descend within T..0, and an x_T that is no float array (B, ...).
    """
    times = check_times(schedule, times)
    if x_T.ndim < 2 or len(x_T) < 1 or x_T.dtype.kind != "f":
        raise ValueError(f"x_T must be a float array (rows, ...), not empty, got {x_T.dtype} {x_T.shape}")
    chain = isinstance(rng, philox.RowNoise) and _chain_of(eps_theta)
    if chain and (c := _coefficients(step, schedule, times)) is not None:
        walk = partial(_walk, chain(times, c, x_T), c)
        said = _distrust(walk, step, eps_theta, schedule, x_T, times)
        if not said:
            return walk(x_T, (0, len(c)), rng, progress)
        say(said)
    for x_s in sample(step, eps_theta, schedule, x_T, times, rng):
        progress(len(x_s))
    return x_s
