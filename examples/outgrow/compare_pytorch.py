"""Is the exported network the same? Answers, gradients and samples of minidiff and of PyTorch.

On random weights and inputs:

    python examples/outgrow/compare_pytorch.py          (in an environment that holds both)

Exit 1 if an answer differs by more than 1e-5 or a gradient by more than 1e-4 of its tensor's largest entry.
"""

import contextlib
import importlib.util
import io
import math
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch

from minidiff import cli
from minidiff.layers import views
from minidiff.objective import loss_and_grads
from minidiff.runs import checkpoint
from minidiff.runs.names import load, sampler
from minidiff.runs.training import new_run

RUNS = {  # data, model, told the labels, objective, schedule
    "mlp eps": ("moons", "mlp", False, "eps", "linear"),
    "mlp v": ("digits", "mlp", False, "v", "linear"),
    "mlp x0": ("moons", "mlp", False, "x0", "cosine"),
    "mlp flow": ("moons", "mlp", False, "flow", "linear"),
    "unet v": ("digits", "unet", False, "v", "cosine"),
    "unet v, labels": ("digits", "unet", True, "v", "linear"),
    "unet eps, labels": ("glyphs-16", "unet", True, "eps", "linear"),
}


def exported(run, home):
    """model.py of the run's export, imported, and its Network."""
    checkpoint.save(home / "checkpoint.npz", run)
    with contextlib.redirect_stdout(io.StringIO()):
        assert cli.main(["export", str(home), "--out", str(home / "out")]) == 0
    spec = importlib.util.spec_from_file_location("model", home / "out" / "model.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module, module.load()


def random_run(data, model, labels, objective, schedule):
    """A run with random averaged weights: at first many are 0, and their mistakes would not show."""
    run = new_run(load(data), data, model, labels, objective=objective, schedule=schedule)
    rng = np.random.default_rng(0)
    for w in views(run.state.ema, run.model.shapes).values():
        w[...] = rng.standard_normal(w.shape) / math.sqrt(math.prod(w.shape[:-1]) if w.ndim > 1 else 4)
    return run


def off(theirs, ours):
    """The largest difference, in units of the largest entry."""
    return float(np.abs(theirs.detach().numpy() - ours).max() / np.abs(ours).max())


def compare(run, home):
    """(answer, eps_hat, gradients, samples): how far apart they are."""
    (model, net), rng, B = exported(run, home), np.random.default_rng(1), 20
    T, params = run.schedule.T, run.state.ema
    x_t, target = rng.standard_normal((2, B, run.model.d)).astype(np.float32)
    t, label = rng.integers(T // 10, T + 1, B), rng.integers(0, run.labels + 1, B) if run.labels else None
    told = () if label is None else (label,)
    x, when, y = torch.tensor(x_t), torch.tensor(t), None if label is None else torch.tensor(label)

    out = net(x, when, y)
    ((out - torch.tensor(target)) ** 2).sum(1).mean().backward()
    _, grads = loss_and_grads(run.model, params, x_t, t, target, *told)
    grads = views(grads, run.model.shapes)
    # a bias before a group norm changes nothing: its gradient is 0 but for rounding, and is measured by the
    # other tensors' size
    least = max(float(np.abs(dw).max()) for dw in grads.values()) / 100
    gradients = max(
        float(np.abs(net.get_parameter(k).grad.numpy() - dw).max()) / max(float(np.abs(dw).max()), least)
        for k, dw in grads.items()
    )
    eps_hat = off(model.eps_theta(net, x, when, y), run.eps_theta(label, 1.0, plain=True)(x_t, t))
    how = sampler("ddim")
    eps_theta = run.eps_theta(label, 1.0, plain=True)
    *_, x_0 = how.sampler(eps_theta, run.schedule, x_t, how.times(T, 5, "trailing"), None)
    samples = off(model.ddim(net, x, 5, y), run.in_data_units(x_0))
    answer, _ = run.model.forward(params, x_t, t, *told)
    return off(out, answer), eps_hat, gradients, samples


def main():
    bad = False
    print(f"PyTorch {torch.__version__}, NumPy {np.__version__}; differences as parts of the largest entry")
    for name, about in RUNS.items():
        with tempfile.TemporaryDirectory() as home:
            answer, eps_hat, gradients, samples = compare(random_run(*about), Path(home))
        print(f"{name:18} answer {answer:.1e}  eps_hat {eps_hat:.1e}  gradients {gradients:.1e}", end="  ")
        print(f"5 steps of DDIM {samples:.1e}")
        bad |= not (answer <= 1e-5 and eps_hat <= 1e-5 and gradients <= 1e-4)
    sys.exit(bad)


if __name__ == "__main__":
    main()
