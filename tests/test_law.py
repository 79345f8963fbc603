"""What is read is what runs: break a readable function in a copy of the package, and what runs changes.

That is training, sampling or noising. A copy is a package of its own, in which one function's numbers come
out 0.9 times as large. It has the engine of fast/ as it is (and this process' compiled kernels): the engine
has to notice that it no longer does what is written, and step aside.
"""

import importlib
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from breaking import plant

import minidiff

PACKAGE = Path(minidiff.__file__).parent
FUNCTIONS = {  # file -> its functions and methods that train, sample or noise run
    "schedule": "from_betas Schedule.at",
    "gaussian": "q_step q_sample v_from_eps x_0_from_eps posterior_weights noise_chain eps_from_score",
    "exact": "Mixture.score Mixture.eps MixtureDenoiser.__call__",
    "layers": "linear linear_backward silu silu_backward add add_backward time_embedding",
    "mlp": "MLP.init MLP.forward MLP.backward",
    "objective": "l_simple loss_and_grads min_snr weight_of "
    "Objective.example Objective.as_eps Denoiser.__call__",
    "optim": "norm_of clip adam ema_decay ema_update update",
    "sample": "beta_tilde ddpm ddim sample",
    "pictures/guidance": "classifier_free",
    "pictures/layers": "conv conv_backward pool pool_backward join join_backward group_norm "
    "group_norm_backward film film_backward gated gated_backward attention attention_backward",
    "pictures/unet": "UNet.init UNet.forward UNet.backward",
}
CASES = [(file, name) for file, names in FUNCTIONS.items() for name in names.split()]
# update answers nothing: its rate is broken
UPDATE = "\n_right = update\n\n\ndef update(*a, lr, **k):\n    _right(*a, lr=0.9 * lr, **k)\n"


def outcomes(name):
    """What the package of that name makes of the same seeds: numbers of training, sampling and noising."""
    sub = {
        m: importlib.import_module(f"{name}.{m}")
        for m in ("schedule", "exact", "mlp", "objective", "train", "sample", "fast")
    }
    unet, guidance = (importlib.import_module(f"{name}.pictures.{m}") for m in ("unet", "guidance"))
    objective, fast, schedule = sub["objective"], sub["fast"], sub["schedule"].linear(12, 0.02, 0.3)

    def silent(line):
        pass

    rng, out = np.random.default_rng(0), {}
    goal = sub["train"].Goal(weight=objective.min_snr)
    models = {
        "mlp": sub["mlp"].MLP(16, 12, 1, 8),
        "unet": unet.UNet(4, width=4, depth=1, labels=2, time_dim=8),
    }
    x, x_T = rng.standard_normal((30, 16), np.float32), rng.standard_normal((6, 16), np.float32)
    label = np.arange(30) % 2
    step, times = sub["sample"].ddpm(sub["sample"].beta_tilde), np.array([12, 9, 5, 2, 1, 0])
    for kind, model in models.items():
        for max_norm in (1e9, 0.01):  # without clipping and with it: Adam does not see a gradient's size
            state = sub["train"].start(model, 0)
            for w in state.params.values():
                w += rng.standard_normal(w.shape, np.float32) / 4
            told = {"label": label} if model.labels else {}
            for _ in fast.train(
                model,
                state,
                schedule,
                x,
                steps=2,
                batch=8,
                lr=0.3,
                goal=goal,
                max_norm=max_norm,
                say=silent,
                **told,
            ):
                pass
            out[f"loss {kind} {max_norm}"] = np.array([state.loss])
            for group in ("params", "ema", "m", "v"):
                out[f"{group} {kind} {max_norm}"] = np.concatenate(
                    [w.ravel() for w in vars(state)[group].values()]
                )
        networks = [
            fast.denoiser(model.eps_theta(state.params, *y), silent)
            for y in (([0],) if model.labels else ((),))
        ]
        networks = networks if not model.labels else [
            fast.denoiser(model.eps_theta(state.params, y), silent) for y in (1, None)
        ]  # fmt: skip
        network = networks[0] if len(networks) == 1 else guidance.classifier_free(*networks, 2.0)
        for asked in (objective.v_prediction, objective.eps_prediction):
            eps_theta = objective.denoiser(network, asked, schedule)
            for sampler in (step, sub["sample"].ddim()):
                x_0 = fast.generate(sampler, eps_theta, schedule, x_T, times, fast.RowNoise(1), say=silent)
                out[f"sample {kind} {len(out)}"] = x_0
    mixture = (
        sub["exact"].Mixture([0.4, 0.6], [[1.0, 0], [-1, 0.5]], [0.2 * np.eye(2)] * 2).eps_theta(schedule)
    )
    out["sample exact"] = fast.generate(
        step, mixture, schedule, x_T[:, :2].copy(), times, fast.RowNoise(1), say=silent
    )
    out["noise"] = fast.noise_chain(schedule, x, [1, 12], fast.RowNoise(2), silent)
    return out


@pytest.fixture(scope="module")
def right():
    return outcomes("minidiff")


@pytest.mark.parametrize(("file", "name"), CASES, ids=[f"{file}.{name}" for file, name in CASES])
def test_what_is_read_is_what_runs(file, name, right, tmp_path, monkeypatch):
    copy = tmp_path / "broken"
    shutil.copytree(
        PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__", "sheet", "cli", "*.npz", "*.txt")
    )
    (copy / "fast" / "kernels.py").write_text("from minidiff.fast.kernels import *\n")
    path = copy / f"{file}.py"
    if name == "update":
        path.write_text(path.read_text(encoding="utf-8") + UPDATE, encoding="utf-8")
    else:
        plant(path, name)
    monkeypatch.syspath_prepend(tmp_path)
    try:
        with np.errstate(all="ignore"):
            broken = outcomes("broken")
    finally:
        for module in [m for m in sys.modules if m.split(".")[0] == "broken"]:
            del sys.modules[module]
    # two engines' roundings differ by 1e-5 of the largest number at most, a factor of 0.9 by 1e-3 or more
    changed = [k for k in right if not np.abs(broken[k] - right[k]).max() < 1e-3 * np.abs(right[k]).max()]
    assert changed, f"{file}.{name} is broken, and nothing that runs has noticed"
