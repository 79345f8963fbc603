"""export: what is written. That PyTorch gives the same answers from it, .ci/outgrow measures."""

import ast
import json
import math
import os
from pathlib import Path

import numpy as np
import pytest
from command_line import SMALL, answer, refused, run

from minidiff.layers import views
from minidiff.runs import checkpoint
from minidiff.schedule import linear_scaled

UNET = "--data digits --model unet --width 8 --depth 1 --batch 16 --steps 2 --conditional".split()


def config():
    return json.loads(Path("out/config.json").read_text(encoding="utf-8"))


def test_an_mlp_is_written_with_its_averaged_weights(capsys, a_run):
    result = answer(capsys, "export", "r", "--out", "out")
    assert result == {"to": "pytorch", "files": ["out/config.json", "out/model.py", "out/weights.npz"]}
    assert sorted(os.listdir("out")) == ["config.json", "model.py", "weights.npz"]
    run_, about = checkpoint.load("r/checkpoint.npz"), config()
    params, ema = (views(vector, run_.model.shapes) for vector in (run_.state.params, run_.state.ema))
    with np.load("out/weights.npz") as weights:
        assert set(weights) == set(ema)
        assert all(np.array_equal(weights[k], w) for k, w in ema.items())
        assert not np.array_equal(weights["W_0"], params["W_0"])
    sizes = {"kind": "mlp", "d": 2, "labels": 0, "width": 16, "depth": 1, "time_dim": 32}
    goal = {"objective": "v", "weight": "simple", "times": "uniform"}
    goal |= {"step": 5, "shape": [2], "schedule": "linear-scaled"}
    assert sizes | goal == {k: about[k] for k in sizes | goal}
    assert len(about["alpha_bar"]) == 41 and about["scale"] == 1.0 and about["offset"] == 0.0
    # 40 roundings
    alpha_bar = math.prod((1 - linear_scaled(40).beta).tolist())
    assert about["alpha_bar"][40] == pytest.approx(alpha_bar, rel=1e-12)


def test_a_unet_is_written_with_its_labels_and_units(capsys):
    run("train", "--out", "r", *UNET)
    capsys.readouterr()
    assert run("export", "r") == 0  # into the run's own folder
    assert "next: cd r/pytorch && python -c" in capsys.readouterr().out.replace(os.sep, "/")
    os.rename("r/pytorch", "out")
    about = config()
    assert about["kind"] == "unet" and about["labels"] == 10 and about["shape"] == [8, 8] and about["d"] == 64
    sizes = {"size": 8, "channels_in": 1, "width": 8, "depth": 1, "time_dim": 64, "groups": 4}
    assert sizes.items() <= about.items()
    with np.load("out/weights.npz") as weights:
        assert weights["E"].shape == (11, 64) and weights["W1_up_0"].shape == (3, 3, 24, 8)


def test_the_units_of_a_table_go_along(capsys):
    x = np.random.default_rng(0).standard_normal((90, 2)) * [3, 1] + [10, 0]
    np.save("m.npy", x)
    run("train", "--data", "m.npy", "--steps", "2", "--out", "r", *SMALL)
    assert run("export", "r", "--out", "out") == 0
    assert np.allclose(config()["scale"], x.std(axis=0)) and np.allclose(config()["offset"], x.mean(axis=0))


@pytest.mark.parametrize("kind", ["mlp", "unet"])
def test_the_module_is_whole_and_needs_torch_and_numpy_only(capsys, kind):
    """It parses, has what its first lines promise, and asks config for nothing that is not written there."""
    words = UNET if kind == "unet" else ["--data", "moons", "--steps", "2", *SMALL]
    run("train", "--out", "r", *words)
    run("export", "r", "--out", "out")
    text = Path("out/model.py").read_text(encoding="utf-8")
    tree, imported = ast.parse(text), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(node.module)
    assert imported == {"json", "pathlib", "numpy", "torch"}
    defined = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    assert {"Network", "load", "eps_theta", "ddim", "forward"} <= defined
    assert ("conv" in defined) == (kind == "unet")
    subscripts = [node for node in ast.walk(tree) if isinstance(node, ast.Subscript)]
    asked = {
        node.slice.value
        for node in subscripts
        if isinstance(node.slice, ast.Constant)
        and ast.unparse(node.value) in ("config", "self.config", "net.config", "c")
    }
    assert {"objective", "alpha_bar", "time_dim", "depth"} <= asked <= set(config())
    assert max(map(len, text.splitlines())) <= 128 and ast.get_docstring(tree)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["r", "--to", "pytorhc"], "unknown engine 'pytorhc'; did you mean pytorch?"),
        (["nowhere"], "there is no file nowhere"),
        (["r", "--out", "r/checkpoint.npz/below"], "cannot be written"),
        (["r", "--out", "mine"], "mine/model.py exists and may be yours by now: give another --out"),
    ],
)
def test_what_cannot_be_exported_is_said_and_nothing_is_written(capsys, a_run, words, said):
    os.mkdir("mine")
    Path("mine/model.py").write_text("mine", encoding="utf-8")
    assert said in refused(capsys, "export", *words).replace(os.sep, "/")
    assert os.listdir("mine") == ["model.py"] and not os.path.exists("r/pytorch")
