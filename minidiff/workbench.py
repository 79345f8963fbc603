"""What the commands do with a run: train it, draw from it, make its pictures.

Modules are imported inside the functions, so that --help does not wait for NumPy, Numba and matplotlib.
"""

import itertools
import signal
import time

SAVE_EVERY = 20  # seconds between checkpoints


class Interrupt:
    """While entered, the first Ctrl-C only sets .asked, so that a training step is finished and saved; the second one stops."""

    asked = False

    def __enter__(self):
        self.before = signal.signal(signal.SIGINT, self._ask)
        return self

    def _ask(self, *_):
        self.asked = True
        signal.signal(signal.SIGINT, self.before)

    def __exit__(self, *_):
        signal.signal(signal.SIGINT, self.before)


def bar(total, unit, what):
    """A progress bar on stderr; none where nobody looks."""
    from tqdm import tqdm

    return tqdm(total=total, unit=unit, desc=what, disable=None, dynamic_ncols=True, mininterval=0.2, leave=False)


def new_run(data, name, model, *, schedule, T, width, depth, batch, lr, seed, objective, weight, times):
    """A Run at step 0."""
    from .checkpoint import MODELS, Run
    from .schedule import SCHEDULES, pick
    from .train import Goal, start

    goal = Goal(objective, weight, times)
    noising, model = pick("schedule", SCHEDULES, schedule)(T), pick("model", MODELS, model)(data.x.shape[1], width, depth)
    state = start(model, seed)
    return Run(model, state, noising, name, data.shape, batch, lr, data.scale, data.offset, schedule, goal)


def data_of(run):
    """The data that a run was trained on. Raises ValueError where the file has changed since."""
    import numpy as np

    from . import data as datasets

    data = datasets.load(run.data, run.state.seed)
    same = data.x.shape[1] == run.model.d and np.array_equal(data.scale, run.scale) and np.array_equal(data.offset, run.offset)
    if not same:
        raise ValueError(f"{run.data} is not what it was when the run began: its columns, mean or range differ")
    return data


def denoiser_for(run, step):
    """What the step asks: eps_theta, or the velocity itself for those that walk the straight path."""
    return run.velocity() if getattr(step, "on_velocity", False) else run.eps_theta()


def draw(run, step, times, n, seed, what):
    """n samples (n, d), the seconds they took, and the network evaluations each of them took."""
    import numpy as np

    from .noise import RowNoise
    from .sample import Counted, generate

    rng, eps_theta = RowNoise(seed), Counted(denoiser_for(run, step))
    x_T = rng.standard_normal((n, run.model.d), np.float32)
    began = time.perf_counter()
    with bar(n * (len(times) - 1), "row-steps", what) as progress:
        x_0 = generate(step, eps_theta, run.schedule, x_T, times, rng, progress.update)
    if not np.isfinite(x_0).all():
        raise FloatingPointError(f"{np.sum(~np.isfinite(x_0).all(axis=1))} of {n} samples are not finite")
    return x_0, time.perf_counter() - began, round(eps_theta.evaluations(n))


def draw_path(run, step, times, n, seed, frames):
    """About `frames` stages (n, d) on the way from noise to data, and their times."""
    import numpy as np

    from .noise import RowNoise
    from .sample import sample

    rng = RowNoise(seed)
    x_T = rng.standard_normal((n, run.model.d), np.float32)
    keep = set(np.linspace(0, len(times) - 1, min(frames, len(times))).round().astype(int).tolist())
    walk = enumerate(itertools.chain([x_T], sample(step, denoiser_for(run, step), run.schedule, x_T, times, rng)))
    return [x for k, x in walk if k in keep], [int(times[k]) for k in sorted(keep)]


def fit(run, data, steps, path):
    """Trains run up to `steps` with a progress bar and checkpoints at `path`. Returns False if the user stopped it."""
    import numpy as np

    from .checkpoint import load, save
    from .files import folder
    from .train import train

    training = train(run.model, run.state, run.schedule, data.x, steps=steps, batch=run.batch, lr=run.lr, goal=run.goal)
    nothing = run.knows_nothing()
    folder(path.parent)  # only now: a mistake in the arguments leaves no empty folder
    saved = time.monotonic()
    try:
        with Interrupt() as interrupt, bar(steps, "step", "training") as progress:
            progress.update(run.state.step)
            for state in training:
                run.losses.append(state.loss)
                progress.update()
                if state.step % 50 == 0:
                    error = np.mean(run.losses[-500:]) / nothing
                    progress.set_postfix_str(f"error {error:.3f} (1 = knows nothing)", False)
                if time.monotonic() - saved > SAVE_EVERY or interrupt.asked:
                    save(path, run)
                    saved = time.monotonic()
                if interrupt.asked:
                    return False
        save(path, run)
    except FloatingPointError as e:
        kept = f"{path} keeps step {load(path).state.step}" if path.exists() else "no checkpoint was written yet"
        raise FloatingPointError(f"{e}; {kept}") from e
    return True


def curve(run, data, figures):
    """The training curve: means over up to 200 stretches, and the exact floor where the data's law is known."""
    import numpy as np

    from .noise import JUDGE, stream
    from .objective import floor_of

    parts = np.array_split(np.array(run.losses) / run.knows_nothing(), min(200, len(run.losses)))
    ends = np.cumsum([len(p) for p in parts])
    floor, goal = None, run.goal
    if data.mixture is not None and (goal.weight, goal.times) == ("simple", "uniform"):
        rng, middle = stream(run.state.seed, JUDGE), (np.arange(50) + 0.5) / 50
        times = middle if goal.objective == "flow" else np.ceil(run.schedule.T * middle).astype(int).tolist()
        floors = [floor_of(goal.objective, data.mixture, run.schedule, t, 1000, rng)[0] for t in times]
        floor = np.mean(floors) / run.knows_nothing()
    return figures.training_curve(ends, [p.mean() for p in parts], floor)


def forward_figure(run, data, figures, rng):
    """A few rows of data dissolving into noise."""
    import numpy as np

    from .gaussian import noise_chain

    T = run.schedule.T
    times = np.unique(np.round(T * np.array([0, 0.05, 0.1, 0.2, 0.3, 0.45, 0.6, 0.8, 1])).astype(int))
    rows = data.x[:: max(1, len(data.x) // 3)][:3] if len(data.shape) > 1 else data.x[:800]
    path = noise_chain(run.schedule, rows, times, rng)
    labels = [f"t={t}\n{run.schedule.alpha_bar[t]:.0%} left" for t in times]
    return figures.strip(path, labels, data.shape, "Forward: a picture dissolves, step by step, into noise")


def reverse_figure(run, step, name, times, figures, seed):
    """A few rows of noise becoming data."""
    n = 3 if len(run.shape) > 1 else 800
    path, at = draw_path(run, step, times, n, seed, 9)
    return figures.strip(path, [f"t={t}" for t in at], run.shape, f"Reverse: {name} uncovers what the noise could be")


def likelihood(run, data, n, seed):
    """How likely the run's denoiser finds n rows of data, two ways: the ELBO by t, and the probability-flow ODE. A dict.

    The ODE starts at t = 1, on rows with the first step's noise in them; its divergence is estimated (hutchinson) beyond 3
    coordinates. Where the data are a mixture, the same for the perfect denoiser, and the truth.
    """
    import numpy as np

    from . import elbo, sde
    from .noise import JUDGE, stream

    rng, schedule, d = stream(seed, JUDGE, 1), run.schedule, run.model.d
    x_0 = data.x[rng.permutation(len(data.x))[:n]].astype(np.float64)
    z = rng.choice([-1.0, 1.0], size=x_0.shape)
    div = sde.divergence if d <= 3 else lambda u, x, t: sde.hutchinson(u, x, t, z)
    process, first = schedule.between, min(1, schedule.T - 1)
    ode_times = first + (schedule.T - first) * np.linspace(0, 1, 101) ** 2  # close together where the score is steep
    x_1 = np.sqrt(schedule.alpha_bar[1]) * x_0 + np.sqrt(1 - schedule.alpha_bar[1]) * rng.standard_normal(x_0.shape)
    network, result = run.eps_theta(), {"n": len(x_0), "levels": data.levels}

    def both(eps_theta, score, log_p_T, what):
        with bar(schedule.T + 100, "t", what) as progress:
            L = elbo.terms(eps_theta, schedule, x_0, rng, levels=data.levels, progress=progress.update)

            def u(x, t):
                return sde.velocity(process, score, x, t)

            flow, x_T = sde.log_likelihood(u, x_1, log_p_T, ode_times, div)
        return {"elbo": float(-L.sum(axis=0).mean()), "terms": L.mean(axis=1).tolist(), "ode": float(flow.mean())}, x_T

    def standard(x_T):
        return -0.5 * np.sum(x_T**2 + np.log(2 * np.pi), axis=1)

    result["network"], _ = both(network, sde.score_of(network, process), standard, "network")
    if (m := data.mixture) is not None:
        exact = m.eps_theta(process)
        result["exact"], x_T = both(
            exact, lambda x, t: m.score(process, x, t), lambda x: m.log_prob(process, x, schedule.T), "exact"
        )
        result["exact"]["wrong_end"] = float(np.mean(standard(x_T) - m.log_prob(process, x_T, schedule.T)))
        result["truth"] = float(m.log_prob(schedule, x_0, 0).mean())
        result["truth_at_1"] = float(m.log_prob(schedule, x_1, 1).mean())
        gaps = elbo.gap(m, exact, schedule, n, rng)
        result["exact"]["gap"] = gaps.mean(axis=1).tolist()
    return result
