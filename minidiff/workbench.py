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


def new_run(data, name, model, *, schedule, T, width, depth, batch, lr, seed):
    """A Run at step 0."""
    from .checkpoint import MODELS, Run
    from .schedule import SCHEDULES, pick
    from .train import start

    noising, model = pick("schedule", SCHEDULES, schedule)(T), pick("model", MODELS, model)(data.x.shape[1], width, depth)
    return Run(model, start(model, seed), noising, name, data.shape, batch, lr, data.scale, data.offset, schedule)


def data_of(run):
    """The data that a run was trained on. Raises ValueError where the file has changed since."""
    import numpy as np

    from . import data as datasets

    data = datasets.load(run.data, run.state.seed)
    same = data.x.shape[1] == run.model.d and np.array_equal(data.scale, run.scale) and np.array_equal(data.offset, run.offset)
    if not same:
        raise ValueError(f"{run.data} is not what it was when the run began: its columns, mean or range differ")
    return data


def draw(run, step, times, n, seed, what):
    """n samples (n, d), and the seconds they took."""
    import numpy as np

    from .noise import RowNoise
    from .sample import generate

    rng = RowNoise(seed)
    x_T = rng.standard_normal((n, run.model.d), np.float32)
    began = time.perf_counter()
    with bar(n * (len(times) - 1), "row-steps", what) as progress:
        x_0 = generate(step, run.eps_theta(), run.schedule, x_T, times, rng, progress.update)
    if not np.isfinite(x_0).all():
        raise FloatingPointError(f"{np.sum(~np.isfinite(x_0).all(axis=1))} of {n} samples are not finite")
    return x_0, time.perf_counter() - began


def draw_path(run, step, times, n, seed, frames):
    """About `frames` stages (n, d) on the way from noise to data, and their times."""
    import numpy as np

    from .noise import RowNoise
    from .sample import sample

    rng = RowNoise(seed)
    x_T = rng.standard_normal((n, run.model.d), np.float32)
    keep = set(np.linspace(0, len(times) - 1, min(frames, len(times))).round().astype(int).tolist())
    walk = enumerate(itertools.chain([x_T], sample(step, run.eps_theta(), run.schedule, x_T, times, rng)))
    return [x for k, x in walk if k in keep], [int(times[k]) for k in sorted(keep)]


def fit(run, data, steps, path):
    """Trains run up to `steps` with a progress bar and checkpoints at `path`. Returns False if the user stopped it."""
    import numpy as np

    from .checkpoint import load, save
    from .files import folder
    from .train import train

    training = train(run.model, run.state, run.schedule, data.x, steps=steps, batch=run.batch, lr=run.lr)
    folder(path.parent)  # only now: a mistake in the arguments leaves no empty folder
    saved = time.monotonic()
    try:
        with Interrupt() as interrupt, bar(steps, "step", "training") as progress:
            progress.update(run.state.step)
            for state in training:
                run.losses.append(state.loss)
                progress.update()
                if state.step % 50 == 0:
                    error = np.mean(run.losses[-500:]) / run.model.d
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

    parts = np.array_split(np.array(run.losses) / run.model.d, min(200, len(run.losses)))
    ends = np.cumsum([len(p) for p in parts])
    floor = None
    if data.mixture is not None:
        rng, times = stream(run.state.seed, JUDGE), np.ceil(run.schedule.T * (np.arange(50) + 0.5) / 50)
        floor = np.mean([data.mixture.loss_floor(run.schedule, int(t), 1000, rng)[0] for t in times]) / run.model.d
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
