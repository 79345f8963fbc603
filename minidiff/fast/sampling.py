"""Sampling sooner: a step that is c_x x_t + c_eps eps_hat + c_z z, with three numbers for each t, runs in a compiled loop.

Blocks of rows walk all the way down in parallel threads. Any other step, denoiser or rng takes the readable loop.
"""

from functools import partial

import numpy as np

from ..exact import MixtureDenoiser
from ..mlp import MLPDenoiser
from ..objective import Denoiser
from ..pictures.unet import UNetDenoiser
from ..recursion import Draws
from ..sample import Multistep, check_start, sample
from . import kernels, mlp, trust, unet
from .noise import RowNoise
from .threads import side_by_side

ROWS = 128  # a block: of width 128 its activations stay in the second-level cache


def _mixture_chain(eps_theta, times, c_x, c_eps, c_z, real):
    m, ab = eps_theta.mixture, np.array([float(eps_theta.schedule.at(t, 0.0)) for t in times])
    precision = 1 / (ab[:, None, None] * m.var + 1 - ab[:, None, None])
    log_const, c = (
        np.log(m.weight) + 0.5 * np.log(precision).sum(axis=2),
        [u.astype(real) for u in (c_x, c_eps, c_z)],
    )

    def walk(x, z, now):
        at = np.sqrt(ab[now]), np.sqrt(1 - ab[now]), log_const[now]
        return kernels.mixture_chain(x, *at, m.mean, m.axes, precision[now], *(u[now] for u in c), z)

    return walk


def _answered_chain(eps_theta, inner, times, c_x, c_eps, c_z, real):
    """The network's own loop with the coefficients of its answer in place of those of eps_hat = a x_t + b out."""
    a, b = eps_theta.objective.as_eps(eps_theta.schedule, times)
    kappa, t_in = eps_theta.objective.sees(eps_theta.schedule, times)
    kappa = np.broadcast_to(kappa, times.shape)
    after = np.append(kappa[1:], 1.0)  # the walk is in y = kappa x, and ends in x
    walk = inner(t_in, after * (c_x + c_eps * a) / kappa, after * c_eps * b, after * c_z, real)
    return lambda x, z, now: walk(x if now.start else (kappa[0] * x).astype(real), z, now)


CHAINS = {MLPDenoiser: mlp.chain, MixtureDenoiser: _mixture_chain}  # denoiser -> its compiled loop


def _chain_of(eps_theta):
    """chain(times, c_x, c_eps, c_z, dtype) -> walk, or None. walk(x, z, now) takes the steps `now` (a slice) of those in times:
    x <- c_x x + c_eps eps_theta(x, t) + c_z z; z (draws, *x.shape) holds a layer for each c_z != 0 among them.
    """
    if type(eps_theta) is Denoiser:
        inner = _chain_of(eps_theta.network)
        return inner and partial(_answered_chain, eps_theta, inner)
    chain = CHAINS.get(type(eps_theta))
    return chain and partial(chain, eps_theta)


def _near(a, b, least=0.0):
    """Whether numbers agree but for roundings; np.allclose, five times as long, would be called often before each run."""
    return np.all(np.abs(a - b) <= 1e-9 * np.abs(b) + least)


def coefficients(step, schedule, t, s):
    """c_x, c_eps, c_z of a step x_s = c_x x_t + c_eps eps_hat + c_z z: (n,) each, t and s (n,) or ints (then n = 1).

    Read off at unit x_t, eps_hat and z, and tried once more elsewhere. Raises ValueError for a step of another form: one
    that asks the denoiser twice or about another x_t, draws noise twice, or bends.
    """

    def answer(x, eps_hat, z):
        x_t, asked, rng = np.full((np.size(t), 1), float(x)), [], Draws(0, z)

        def eps_theta(x_asked, t_asked):
            asked.append(np.array_equal(x_asked, x_t) and bool(_near(t_asked, t)))
            return np.full_like(x_t, eps_hat)

        x_s = step(eps_theta, schedule, x_t, t, s, rng)[:, 0]
        if asked != [True] or rng.count > 1:
            found = f"it asks {len(asked)}, draws {rng.count}"
            raise ValueError(f"the step must ask the denoiser about x_t once and draw once, {found}")
        return x_s

    c_x, c_eps, c_z = answer(1, 0, 0), answer(0, 1, 0), answer(0, 0, 1)
    if not _near(answer(2, -3, 5), 2 * c_x - 3 * c_eps + 5 * c_z, 1e-9):
        raise ValueError("the step is not a sum of x_t, eps_hat and z with fixed weights")
    return c_x, c_eps, c_z


def _coefficients(step, schedule, times):
    """coefficients for every pair of times, all at once where the step takes arrays; None for other steps."""
    pairs = list(zip(times[:-1].tolist(), times[1:].tolist()))
    try:
        c = np.stack(coefficients(step, schedule, times[:-1], times[1:]))
        if all(
            _near(c[:, [k]], coefficients(step, schedule, *pairs[k]), 1e-12) for k in (0, len(pairs) // 2, -1)
        ):
            return c
    except (ValueError, TypeError):
        pass  # a step may take whole numbers only
    try:
        return np.concatenate([coefficients(step, schedule, *pair) for pair in pairs], axis=1)
    except ValueError:
        return None


def _walk(chain, x_T, times, c, rng, progress):
    c_x, _, c_z = c
    steps = chain(times[:-1], *c, x_T.dtype)
    x_0, draw = np.empty_like(x_T), rng.take(np.count_nonzero(c_z))
    chunk = max(1, 2**18 // (min(ROWS, len(x_T)) * x_T[0].size))  # steps whose noise fits the cache

    def walk(first, last):
        x = x_T[first:last]
        for k in range(0, len(c_x), chunk):
            now = slice(k, k + chunk)
            drawn, fresh = np.count_nonzero(c_z[:k]), np.count_nonzero(c_z[now])
            z = rng.at(draw + drawn, fresh, first, last, x.shape[1:], x.dtype)
            x = steps(x, z, now)
            progress(len(x) * len(c_x[now]))
        x_0[first:last] = x

    side_by_side(walk, len(x_T), ROWS)
    return x_0


def denoiser(eps_theta, say=trust.say):
    """A U-Net's eps_theta sooner; any other as it is."""
    if type(eps_theta) is not UNetDenoiser:
        return eps_theta
    engine, d = unet.Denoiser(eps_theta), eps_theta.model.d
    rows = np.random.default_rng(0).standard_normal((2, d)).astype(engine.dtype)
    few = UNetDenoiser(eps_theta.model, eps_theta.params, None)
    what = f"{trust.place(type(eps_theta.model))}.forward and {trust.place(unet.Denoiser)}"
    if said := trust.disagreement(what, few(rows, 5), unet.Denoiser(few)(rows, 5)):
        say(said)
        return eps_theta
    return engine


def generate(step, eps_theta, schedule, x_T, times, rng, progress=lambda row_steps: None, say=trust.say):
    """x_0 (B, ...): where sample.sample ends.

    progress(n) is told of every n steps of a row that are done, n summing to B (len(times) - 1).
    """
    times, chain = check_start(schedule, x_T, times), _chain_of(eps_theta)
    compiled = chain and isinstance(rng, RowNoise) and not isinstance(step, Multistep)
    if compiled and (c := _coefficients(step, schedule, times)) is not None:
        rows, said = x_T[:17], None
        for ends, c_ends in ((times[:3], c[:, :2]), (times[-3:], c[:, -2:])):  # the first steps and the last
            *_, readable = sample(step, eps_theta, schedule, rows, ends, RowNoise(0))
            engine = _walk(chain, rows, ends, c_ends, RowNoise(0), lambda n: None)
            said = said or trust.disagreement("sample.sample and fast/sampling.py", readable, engine)
        if not said:
            return _walk(chain, x_T, times, c, rng, progress)
        say(said)
    for x_s in sample(step, eps_theta, schedule, x_T, times, rng):
        progress(len(x_s))
    return x_s
