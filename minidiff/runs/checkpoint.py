"""A training run, and how it is kept in one .npz file: numbers and one line of JSON, no pickled objects."""

import json
import math
from dataclasses import asdict, dataclass, field

import numpy as np

from .. import fast, objective
from ..continuous import flow
from ..continuous.process import continuous
from ..evaluation.floors import loss_of_0
from ..pictures.guidance import classifier_free
from ..schedule import Schedule, from_betas
from ..train import Goal, State
from .files import read_arrays, replacing
from .names import MODELS, goal_of, name_of, names_of, pick

FORMAT = 5
UNITS = ("scale", "offset", "low", "high")  # fields of a Run that are arrays
PLAIN = (
    "data",
    "shape",
    "batch",
    "lr",
    "schedule_name",
    "second_moment",
    "columns",
    "label_column",
)  # and those in JSON


@dataclass(repr=False)
class Run:
    """All that is needed to continue training, to sample, and to say what the run is."""

    model: object  # one of names.MODELS
    state: State
    schedule: Schedule
    data: str
    shape: tuple
    batch: int
    lr: float
    scale: np.ndarray | float = 1.0
    offset: np.ndarray | float = 0.0
    schedule_name: str = "linear"
    second_moment: float = 1.0  # E x_0^2, a coordinate
    goal: Goal = field(default_factory=Goal)
    losses: list = field(default_factory=list)  # the loss of every step so far
    low: np.ndarray | float = -1.0  # the range of the data, as the model sees them
    high: np.ndarray | float = 1.0
    columns: list | None = None  # of a .csv: see data.Dataset
    label_column: str | None = None

    def __repr__(self):
        learnt = f"{names_of(self.goal)['objective']} on {self.data}, {self.schedule_name} with T = {self.schedule.T}"
        return f"Run({self.model} learns {learnt}; step {self.state.step}, error {self.error():.4g})"

    @property
    def kind(self):
        """The model's name, "mlp" or "unet"."""
        return name_of(type(self.model), MODELS)

    @property
    def labels(self):
        """How many labels the model can be told: 0 if it takes none."""
        return self.model.labels

    def network(self, label, w, plain):
        """The averaged network, guided to a label with weight w: guidance is linear in the answer, whatever is asked."""
        ready = (lambda eps_theta: eps_theta) if plain else fast.denoiser
        without = ready(self.model.eps_theta(self.state.ema))
        if label is None:
            return without
        if not self.labels:
            raise ValueError(f"label must be left out: this run's {self.kind} was trained without labels")
        return classifier_free(ready(self.model.eps_theta(self.state.ema, label)), without, w)

    def eps_theta(self, label=None, w=1.0, plain=False):
        """eps_theta(x_t, t), whatever the network was trained to answer; label: None, one, or one a row."""
        return objective.denoiser(
            self.network(label, w, plain), self.goal.objective, continuous(self.schedule)
        )

    def velocity(self, label=None, w=1.0, plain=False):
        """The network as flow.py's u(x, t). Raises ValueError unless it was trained with the objective flow."""
        if (name := names_of(self.goal)["objective"]) != "flow":
            raise ValueError(
                f"only a network trained with the objective flow is a velocity, this one learnt {name}"
            )
        return flow.velocity_of(self.network(label, w, plain))

    def loss_of_0(self):
        """The loss of a network that answers 0: what a loss is compared with."""
        goal, process = self.goal, self.goal.objective.process(self.schedule)
        return loss_of_0(goal.objective, goal.weight, goal.times, process, self.model.d, self.second_moment)

    def recent_losses(self):
        """The last tenth of the losses, at most 500: single ones scatter, and their mean falls."""
        return self.losses[-min(500, -(-len(self.losses) // 10)) :]

    def error(self):
        """The mean of the recent losses, 1 for a network that answers 0."""
        return float(np.mean(self.recent_losses() or [math.nan])) / self.loss_of_0()

    def in_data_units(self, x):
        """Rows of the model as what the data was before it was scaled, (n, *shape)."""
        return (x * self.scale + self.offset).reshape(-1, *self.shape)


def save(path, run):
    """Writes the run beside `path`, then renames it: there is always a whole checkpoint."""
    s = run.state
    if not all(np.isfinite(w).all() for w in s.params.values()):
        raise FloatingPointError(
            f"parameters are not finite after step {s.step}, nothing is saved; a smaller lr may help"
        )
    meta = {"format": FORMAT, "model": {"kind": run.kind} | asdict(run.model), "goal": names_of(run.goal)}
    meta |= {"seed": s.seed, "step": s.step, "loss": s.loss} | {k: getattr(run, k) for k in PLAIN}
    arrays = {
        f"{group}/{k}": w for group in ("params", "ema", "m", "v") for k, w in getattr(s, group).items()
    }
    arrays |= {"beta": run.schedule.beta[1:], "losses": np.array(run.losses, np.float32)}
    arrays |= {k: np.asarray(getattr(run, k), np.float64) for k in UNITS}
    with replacing(path) as beside, open(beside, "wb") as f:
        np.savez(f, meta=np.array(json.dumps(meta)), **arrays)


def load(path):
    """The Run in a file. Raises ValueError for one that is missing, cut off, of another format, or does not fit its model."""
    arrays = read_arrays(path)
    try:
        meta = json.loads(str(arrays["meta"]))
        if meta["format"] != FORMAT:
            raise ValueError(f"{path} has the format {meta['format']}, this minidiff reads {FORMAT}")
        sizes = dict(meta["model"])
        model = pick("model", MODELS, sizes.pop("kind"))(**sizes)
        held = {name.split("/", 1)[1] for name in arrays if name.startswith("params/")}
        if other := sorted(held ^ set(model.shapes)):
            raise ValueError(
                f"{path} is a run of another network: only one of the two has {', '.join(other)}"
            )
        groups = {g: {k: arrays[f"{g}/{k}"] for k in model.shapes} for g in ("params", "ema", "m", "v")}
        state = State(**groups, seed=meta["seed"], step=meta["step"], loss=meta["loss"])
        about = (
            {k: meta[k] for k in PLAIN}
            | {k: arrays[k] for k in UNITS}
            | {"losses": arrays["losses"].ravel().tolist()}
        )
        run = Run(model, state, from_betas(arrays["beta"]), goal=goal_of(**meta["goal"]), **about)
        run.shape = tuple(run.shape)
    except (KeyError, TypeError, AttributeError, json.JSONDecodeError) as e:
        raise ValueError(f"{path} is not a checkpoint of minidiff: {type(e).__name__} {e}") from e
    kind = np.float64 if state.params["W_in"].dtype == np.float64 else np.float32
    fields = {
        f"{g}/{k}": (w, kind, [model.shapes[k]]) for g, tensors in groups.items() for k, w in tensors.items()
    }
    fields |= {name: (getattr(run, name), np.float64, [(), (model.d,)]) for name in UNITS}
    for name, (a, kind, shapes) in fields.items():
        if a.dtype != kind or a.shape not in shapes or not np.isfinite(a).all():
            expected = f"finite {kind.__name__} of shape {' or '.join(map(str, shapes))}"
            raise ValueError(f"{path}: {name} must be {expected}, got {a.dtype} {a.shape}")
    if math.prod(run.shape) != model.d or len(run.losses) != state.step:
        raise ValueError(
            f"{path}: shape {run.shape}, d = {model.d} and {len(run.losses)} losses do not fit together"
        )
    return run
