"""A training run, and how it is kept in one .npz file: numbers and one line of JSON, no pickled objects."""

import json
import math
from dataclasses import asdict, dataclass, field

import numpy as np

from ..continuous.flow import FlowDenoiser, Straight, velocity_prediction
from ..continuous.process import continuous
from ..evaluation.floors import loss_of_0
from ..objective import Denoiser, eps_prediction, weight_of
from ..optim import State
from ..pictures.guidance import classifier_free
from ..schedule import Schedule, from_betas
from .batches import Goal, probabilities
from .engine import engine
from .files import read_arrays, replacing
from .names import MODELS, goal_of, name_of, names_of, network_of, pick

FORMAT = 6
VECTORS = ("params", "ema", "m", "v")  # a State's, each with all parameters
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
    seed: int
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
        learnt = f"{names_of(self.goal)['objective']} on {self.data}"
        schedule, step = f"{self.schedule_name} with T = {self.schedule.T}", self.state.step
        return f"Run({self.model} learns {learnt}, {schedule}; step {step}, error {self.error():.4g})"

    @property
    def kind(self):
        """The model's name, "mlp" or "unet"."""
        return name_of(type(self.model), MODELS)

    @property
    def labels(self):
        """How many labels the model can be told: 0 if it takes none."""
        return self.model.labels if self.kind == "unet" else 0

    @property
    def process(self):
        """How training mixes data and noise: along the schedule, or for a flow along straight lines."""
        return Straight() if self.goal.objective is velocity_prediction else self.schedule

    def network(self, label=None, w=1.0, plain=False):
        """The averaged network, guided to a label with weight w: guidance is linear in the answer."""

        def told(*label):
            network = self.model.eps_theta(self.state.ema, *label)
            return network if plain else engine().denoiser(network)

        if label is None:
            return told()
        if not self.labels:
            raise ValueError(f"label must be left out: this run's {self.kind} was trained without labels")
        return classifier_free(told(label), told(), w)

    def eps_theta(self, label=None, w=1.0, plain=False):
        """eps_theta(x_t, t), whatever the network was trained to answer; label: None, one, or one a row."""
        network, objective = self.network(label, w, plain), self.goal.objective
        if objective is eps_prediction:
            return network
        if objective is velocity_prediction:
            return FlowDenoiser(network, continuous(self.schedule))
        return Denoiser(network, objective, continuous(self.schedule))

    def loss_of_0(self):
        """The loss of a network that answers 0: what a loss is compared with."""
        goal, process = self.goal, self.process
        t, P = probabilities(goal.times, process)
        weight = goal.weight and weight_of(goal.weight, goal.objective, process, t)
        return loss_of_0(goal.objective, weight, P, process, t, self.model.d, self.second_moment)

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
    if not np.isfinite(s.params).all():
        wrong = f"parameters are not finite after step {s.step}, nothing is saved; a smaller lr may help"
        raise FloatingPointError(wrong)
    meta = {"format": FORMAT, "model": {"kind": run.kind} | asdict(run.model), "goal": names_of(run.goal)}
    meta |= {"seed": run.seed, "step": s.step, "loss": float(s.loss)} | {k: getattr(run, k) for k in PLAIN}
    arrays = {k: getattr(s, k) for k in VECTORS}
    arrays |= {"beta": run.schedule.beta[1:], "losses": np.array(run.losses, np.float32)}
    arrays |= {k: np.asarray(getattr(run, k), np.float64) for k in UNITS}
    with replacing(path) as beside, open(beside, "wb") as f:
        np.savez(f, meta=np.array(json.dumps(meta)), **arrays)


def load(path):
    """The Run in a file. Raises ValueError for one that is missing, cut off, of another format, or that does
    not fit its model."""
    arrays = read_arrays(path)
    try:
        meta = json.loads(str(arrays["meta"]))
        if meta["format"] != FORMAT:
            raise ValueError(f"{path} has the format {meta['format']}, this minidiff reads {FORMAT}")
        known = {*VECTORS, *UNITS, "meta", "beta", "losses"}
        if more := sorted(arrays.keys() - known):
            raise ValueError(f"{path} holds what no run has: {', '.join(more)}")
        sizes = dict(meta["model"])
        kind = sizes.pop("kind")
        pick("model", MODELS, kind)
        model = network_of(kind, **sizes)
        state = State(*(arrays[k] for k in VECTORS), step=meta["step"], loss=meta["loss"])
        about = {k: meta[k] for k in PLAIN} | {k: arrays[k] for k in UNITS}
        about |= {"losses": arrays["losses"].ravel().tolist(), "goal": goal_of(**meta["goal"])}
        run = Run(model, state, meta["seed"], from_betas(arrays["beta"]), **about)
        run.shape = tuple(run.shape)
        n = sum(math.prod(shape) for shape in model.shapes.values())
    except (KeyError, TypeError, AttributeError, json.JSONDecodeError) as e:
        raise ValueError(f"{path} is not a checkpoint of minidiff: {type(e).__name__} {e}") from e
    kind = np.float64 if state.params.dtype == np.float64 else np.float32
    fields = {name: (getattr(state, name), kind, [(n,)]) for name in VECTORS}
    fields |= {name: (getattr(run, name), np.float64, [(), (model.d,)]) for name in UNITS}
    for name, (a, kind, shapes) in fields.items():
        if a.dtype != kind or a.shape not in shapes or not np.isfinite(a).all():
            expected = f"finite {kind.__name__} of shape {' or '.join(map(str, shapes))}"
            raise ValueError(f"{path}: {name} must be {expected}, got {a.dtype} {a.shape}")
    if math.prod(run.shape) != model.d or len(run.losses) != state.step:
        counted = f"shape {run.shape}, d = {model.d} and {len(run.losses)} losses"
        raise ValueError(f"{path}: {counted} do not fit together")
    return run
