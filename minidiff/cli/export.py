"""A run for another engine: its averaged weights, what it is, and the same network as that engine's code."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np

from ..layers import views
from ..runs.files import folder, replacing
from ..runs.names import names_of, pick
from .commands import run_at
from .printing import Report

# ENGINE/base.py.txt, then KIND.py.txt, the network, then use.py.txt: load, eps_theta, ddim
TEMPLATES = Path(__file__).parent
TARGETS = {"pytorch": 'python -c "import model, torch; print(model.ddim(model.load(), torch.randn(4, {d})))"'}


def config_of(run):
    """All that a network's weights do not say, as JSON has it."""
    sizes = {"kind": run.kind, "d": run.model.d, "labels": run.labels} | asdict(run.model)
    about = names_of(run.goal) | {"step": run.state.step, "shape": run.shape, "schedule": run.schedule_name}
    arrays = {"scale": run.scale, "offset": run.offset, "alpha_bar": run.schedule.alpha_bar}
    return sizes | about | {name: np.asarray(a).tolist() for name, a in arrays.items()}


def export(args):
    """Writes model.py, config.json and weights.npz into a folder."""
    (run, home), next_command = run_at(args.run), pick("engine", TARGETS, args.to)
    out, report = Path(args.out or home / args.to), Report(args, to=args.to)
    if (out / "model.py").exists():
        raise ValueError(f"{out / 'model.py'} exists and may be yours by now: give another --out")
    folder(out)
    parts = (TEMPLATES / args.to / f"{name}.py.txt" for name in ("base", run.kind, "use"))
    model = "".join(part.read_text(encoding="utf-8") for part in parts)
    config = ",\n".join(f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in config_of(run).items())
    for name, text in {"config.json": f"{{\n{config}\n}}\n", "model.py": model}.items():
        with replacing(out / name) as beside:
            beside.write_text(text, encoding="utf-8")
    with replacing(out / "weights.npz") as beside, open(beside, "wb") as f:
        np.savez(f, **views(run.state.ema, run.model.shapes))
    for name in ("config.json", "model.py", "weights.npz"):
        report.wrote(out / name)
    report.say(f"next: cd {out} && {next_command.format(d=run.model.d)}")
    return report.done()
