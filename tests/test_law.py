"""What is read is what runs: break a readable function in a copy of the package, and what runs changes.

That is training, sampling or noising. A copy is a package of its own, in which one function's numbers come
out 0.9 times as large. It has the engine of fast/ as it is (and this process' compiled kernels): the engine
has to notice that it no longer does what is written, and step aside.
"""

import importlib
import shutil
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from breaking import plant

import minidiff

PACKAGE = Path(minidiff.__file__).parent
FUNCTIONS = {  # file -> its functions and methods that train, sample or noise run
    "schedule": "from_betas Schedule.alpha_bar_at Schedule.signal_and_noise",
    "gaussian": "like shares q_step q_sample x_0_from_eps alpha_of_step posterior_weights noise_chain "
    "eps_from_score",
    "exact": "Mixture.components Mixture.score Mixture.eps MixtureDenoiser.__call__",
    "layers": "linear linear_backward silu silu_backward time_embedding views in_one_vector",
    "mlp": "MLP.init MLP.forward MLP.backward Network.__call__",
    "objective": "l_simple loss_and_grads v_prediction target_of as_eps min_snr weight_of Denoiser.__call__",
    "optim": "clip adam ema_decay ema_update update",
    "sampling": "beta_tilde ddpm_step ddim_step",
    "philox": "philox normals",
    "ddpm": "sample train",
    "pictures/guidance": "classifier_free",
    "pictures/layers": "conv conv_backward pool pool_backward join join_backward group_norm "
    "group_norm_backward film film_backward gated gated_backward attention attention_backward",
    "pictures/unet": "UNet.init UNet.forward UNet.backward",
}
CASES = [(file, name) for file, names in FUNCTIONS.items() for name in names.split()]
BROKEN_LINES = {  # what answers nothing, or only hands on: broken in its middle
    "update": ("dw = clip(grads, max_norm)", "dw = 0.9 * clip(grads, max_norm)"),
    "train": ("        update(state, grads)\n", "        update(state, 0.9 * grads)\n"),
}


def outcomes(name):
    """What the package of that name makes of the same seeds: numbers of training, sampling and noising."""
    core = "ddpm schedule exact mlp objective optim sampling fast pictures.unet pictures.guidance"
    ddpm, schedule, exact, mlp, objective, optim, sampling, fast, unet, guidance = (
        importlib.import_module(f"{name}.{module}") for module in core.split()
    )
    schedule = schedule.linear(12, 0.02, 0.3)

    def silent(line):
        pass

    rng, out = np.random.default_rng(0), {}
    models = {"mlp": mlp.MLP(16, 12, 1, 8), "unet": unet.UNet(4, width=4, depth=1, labels=2, time_dim=8)}
    x, x_T = rng.standard_normal((30, 16), np.float32), rng.standard_normal((6, 16), np.float32)
    label = np.arange(30) % 2
    step, times = sampling.ddpm_step(sampling.beta_tilde), np.array([12, 9, 5, 2, 1, 0])
    for kind, model in models.items():
        for max_norm in (1e9, 0.01):  # without clipping and with it: Adam does not see a gradient's size
            state = optim.start(model.init(np.random.default_rng(3)))
            state.params += rng.standard_normal(state.params.shape, np.float32) / 4
            drawn = []
            for rows in (slice(0, 8), slice(8, 16)):
                told = [label[rows]] if kind == "unet" else []
                drawn.append(
                    (x[rows], rng.integers(1, 13, 8), rng.standard_normal((8, 16), np.float32), *told)
                )
            ends = {"lr": 0.3, "max_norm": max_norm}
            downhill = partial(fast.trusted_update(np.float32, silent), **ends)
            asked = {"objective": objective.v_prediction, "update": downhill}
            list(fast.train(model, state, schedule, drawn, **asked, say=silent))
            out[f"loss {kind} {max_norm}"] = np.array([state.loss])
            for group in ("params", "ema", "m", "v"):
                out[f"{group} {kind} {max_norm}"] = getattr(state, group).copy()
        gradients = fast.gradients(model, 12, np.float32, silent)

        def weighted(model, params, x_t, t, target, *label, gradients=gradients):
            weight = objective.weight_of(objective.min_snr, objective.v_prediction, schedule, t)
            return gradients(model, params, x_t, t, target, *label, weight=weight)

        for end in ddpm.train(model, state, schedule, drawn, **asked, gradients=weighted):
            out[f"weighted loss {kind} {end.step}"] = np.array([end.loss])
        told = [(1,), (None,)] if kind == "unet" else [()]
        networks = [fast.denoiser(model.eps_theta(state.params, *y), silent) for y in told]
        network = guidance.classifier_free(*networks, 2.0) if kind == "unet" else networks[0]
        for eps_theta in (objective.Denoiser(network, objective.v_prediction, schedule), network):
            for way in (step, sampling.ddim_step()):
                x_0 = fast.generate(way, eps_theta, schedule, x_T, times, fast.RowNoise(1), say=silent)
                out[f"sample {kind} {len(out)}"] = x_0
    mixture = exact.Mixture([0.4, 0.6], [[1.0, 0], [-1, 0.5]], [0.2 * np.eye(2)] * 2).eps_theta(schedule)
    points = x_T[:, :2].copy()
    out["sample exact"] = fast.generate(step, mixture, schedule, points, times, fast.RowNoise(1), say=silent)
    out["chain"] = fast.noise_chain(schedule, x, [1, 12], fast.RowNoise(2), silent)
    t = np.arange(30) % 12 + 1
    out["jump"], out["noise"] = fast.noise_jump(schedule, x, t, fast.RowNoise(3), silent)
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
    if name in BROKEN_LINES:
        before, after = BROKEN_LINES[name]
        text = path.read_text(encoding="utf-8")
        assert text.count(before) == 1
        path.write_text(text.replace(before, after), encoding="utf-8")
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
