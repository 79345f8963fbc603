"""The command line with pictures: a conditional U-Net from training to judgement, on a network of no size."""

import json
import os
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from command_line import answer, refused, run

from minidiff.cli import commands, printing
from minidiff.cli import parser as cli
from minidiff.evaluation import samples as evaluation
from minidiff.evaluation.classifier import learn
from minidiff.layers import views
from minidiff.runs import checkpoint
from minidiff.runs.drawing import draw

TINY = "--width 8 --depth 1 --batch 16 --schedule linear-scaled --T 40 --warmup 5".split()
UNET = ["--model", "unet", *TINY]
FEW = ["--sampler", "ddim", "--steps", "4"]


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """A conditional run on digits, and the same without labels."""
    home = tmp_path_factory.mktemp("runs")
    for name, words in (("c", ["--conditional"]), ("plain", [])):
        assert run("train", "--data", "digits", "--steps", "2", "--out", home / name, *UNET, *words) == 0
    return home


def test_training_writes_the_run_and_a_picture_that_grew(digits):
    assert sorted(os.listdir(digits / "c")) == ["checkpoint.npz", "progress.png", "training.png"]
    kept, plain = (checkpoint.load(digits / name / "checkpoint.npz") for name in ("c", "plain"))
    assert kept.kind == "unet" and kept.model.labels == 10 and kept.model.width == 8 and kept.goal.warmup == 5
    assert plain.model.labels == 0 and "E" not in plain.model.shapes
    assert views(kept.state.params, kept.model.shapes)["E"].shape[0] == 11  # the eleventh is no label


def test_labels_are_drawn_in_turn(capsys, digits):
    def labels(*words):
        result = answer(capsys, "sample", digits / "c", *FEW, "--out", "o", *words)
        written = {Path(f).name for f in result["files"]}
        assert {"samples.npy", "samples.png", "reverse.png"} <= written <= set(os.listdir("o"))
        assert np.load("o/samples.npy").shape == (result["n"], 8, 8)
        return np.load("o/labels.npy").tolist() if "labels.npy" in written else None

    assert labels("--n", "5", "--label", "3,5") == [3, 5, 3, 5, 3]
    assert labels("--n", "12") == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]
    assert labels("--n", "3", "--label", "7", "--w", "0.5") == [7, 7, 7]
    assert labels("--n", "3", "--label", "none") == [
        10,
        10,
        10,
    ]  # the null label, and not those of the samples before


def test_w_0_and_no_label_are_the_same_pictures_and_labels_make_others(digits):
    kept, drawn = checkpoint.load(digits / "c" / "checkpoint.npz"), {}
    averaged = views(kept.state.ema, kept.model.shapes)
    averaged["W_out"][:] = averaged["W_mod"][:] = 0.1  # two steps have hardly moved them from 0
    labels = "--label 3 --w 0", "--label none", "--label 3", "--label 4", "--label 3 --w 5", "--label 3 --w 2"
    for words in labels:
        args = cli.parser().parse_args(["sample", "c", "--n", "6", *FEW, *words.split()])
        how, times = commands.sampler_of(args, kept, 1)
        drawn[words] = draw(kept, how, times, args.n, 0, commands.condition_of(args, kept))[0]
    assert np.array_equal(drawn["--label 3 --w 0"], drawn["--label none"])
    assert np.array_equal(drawn["--label 3"], drawn["--label 3 --w 2"])  # the default
    different = [drawn[w] for w in ("--label none", "--label 3", "--label 4", "--label 3 --w 5")]
    for i, a in enumerate(different):
        assert not any(np.array_equal(a, b) for b in different[:i])


def test_eval_judges_pictures(capsys, digits, monkeypatch):
    monkeypatch.setattr(evaluation, "learn", partial(learn, steps=200))
    result = answer(capsys, "eval", digits / "c", *FEW, "--n", "30", "--out", "o")
    assert sorted(os.listdir("o")) == ["eval.png", "nearest.png"]
    pictures = result["pictures"]
    assert set(pictures) == {"n", "d", "frechet", "classifier", "to_the_nearest", "denoising"}
    assert pictures["n"] == 30
    assert "n = 30 is too few for covariances of 64 numbers" in printing.pictures_text(pictures)
    assert "too few" not in printing.pictures_text(pictures | {"n": 128})
    assert "grey pictures only" not in printing.pictures_text(pictures)
    assert all(v["distance"] > 0 < v["floor"] for v in pictures["frechet"].values())
    assert len(pictures["frechet"]) == 3
    assert pictures["classifier"]["accuracy"] > 0.5 and 0 <= pictures["classifier"]["agreement"] <= 1
    assert sum(pictures["classifier"]["classes"]) == 30


def test_resume_is_bit_for_bit(capsys, digits):
    words = ["train", "--data", "digits", "--conditional", *UNET]
    run(*words, "--steps", "1", "--out", "parts")
    assert run("train", "--resume", "--steps", "2", "--out", "parts", "--threads", "1") == 0
    a, b = checkpoint.load("parts/checkpoint.npz"), checkpoint.load(digits / "c" / "checkpoint.npz")
    assert a.losses == b.losses
    for group in ("params", "ema", "m", "v"):
        assert np.array_equal(getattr(a.state, group), getattr(b.state, group))


def test_colours_of_ones_own_from_training_to_their_own_units(capsys):
    """Colours on disk, even with the variance that ddpm asks the data for."""
    pictures = np.random.default_rng(0).integers(0, 256, (40, 4, 4, 3), dtype=np.uint8)
    np.savez("mine.npz", x=pictures, label=np.arange(40) % 2)
    np.save("mine.npy", pictures)
    assert run("train", "--data", "mine.npz", "--conditional", "--steps", "1", "--out", "r", *UNET) == 0
    assert run("train", "--data", "mine.npy", "--steps", "1", "--out", "s", *UNET) == 0
    assert run("sample", "s", "--n", "3", "--var", "gaussian-optimal", "--steps", "3") == 0
    assert run("sample", "r", "--n", "3", "--out", "r", *FEW) == 0
    assert np.load("r/samples.npy").shape == (3, 4, 4, 3) and np.load("r/labels.npy").tolist() == [0, 1, 0]
    capsys.readouterr()
    for home in ("r", "s"):
        found = answer(capsys, "eval", home, "--n", "6", *FEW)["pictures"]
        assert "classifier" not in found and "denoising" not in found
        assert os.path.exists(f"{home}/nearest.png")
        assert (
            "(no PSNR, SSIM and classifier: minidiff has them for grey pictures only)"
            in printing.pictures_text(found)
        )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--label", "12"], "label must be none or numbers in 0..9"),
        (["--label", "3,10"], "got '3,10'"),
        (["--label", "-1"], "label must be none or numbers"),
        (["--label", "3,,4"], "label must be none or numbers"),
        (["--label", "three"], "label must be none or numbers"),
        (["--label", "2.0"], "label must be none or numbers"),
        (["--w", "nan"], "w must be a finite number, got nan"),
        (["--w", "inf"], "w must be a finite number, got inf"),
        (["--label", "none", "--w", "nan"], "w must be a finite number, got nan"),
        (["--w", "two"], "invalid float value"),
    ],
)
@pytest.mark.parametrize("command", ["sample", "eval"])
def test_labels_and_weights_that_cannot_be_are_named(capsys, digits, command, words, said):
    before = sorted(os.listdir(digits / "c"))
    assert said in refused(capsys, command, digits / "c", "--n", "4", "--out", "new", *words)
    assert sorted(os.listdir(digits / "c")) == before


@pytest.mark.parametrize("words", [["--label", "3"], ["--w", "2"], ["--label", "none"]])
def test_a_run_without_labels_has_none_to_ask_for(capsys, digits, words):
    assert "need a run that was trained with --conditional" in refused(
        capsys, "sample", digits / "plain", *words
    )


def picture_files():
    """name -> (arrays, options, what is said)."""
    rng = np.random.default_rng(0)

    def pictures(*shape):
        return rng.integers(0, 256, (12, *shape), dtype=np.uint8)

    mixed = np.empty(2, object)
    mixed[:] = [pictures(4, 4), pictures(6, 6)]
    return {
        "odd": ({"x": pictures(5, 5)}, [], "size must be a multiple of 2 (2^depth), got 5"),
        "wide": ({"x": pictures(4, 6)}, [], "H = W, got (4, 6)"),
        "flat": ({"x": rng.standard_normal((12, 4))}, [], "needs pictures, "),
        "deep": ({"x": pictures(8, 8)}, ["--depth", "4"], "size must be a multiple of 16 (2^depth)"),
        "unequal": ({"x": mixed}, [], "holds objects, expected numbers"),
        "no-labels": ({"x": pictures(4, 4)}, ["--conditional"], "has no labels"),
        "float-labels": (
            {"x": pictures(4, 4), "label": np.ones(12)},
            ["--conditional"],
            "whole numbers 0..999, got float64",
        ),
        "fewer-labels": (
            {"x": pictures(4, 4), "label": np.ones(11, int)},
            [],
            "label must have the shape (12,), got (11,)",
        ),
        "large-labels": (
            {"x": pictures(4, 4), "label": np.full(12, 1000)},
            ["--conditional"],
            "got int64 1000..1000",
        ),
        "words": ({"x": np.full((12, 4, 4), "a")}, [], "must hold numbers"),
        "groups": ({"x": pictures(4, 4)}, ["--width", "6"], "width must be a multiple of 4 (groups), got 6"),
        "warm": ({"x": pictures(4, 4)}, ["--warmup", "-1"], "warmup must be"),
    }


@pytest.mark.parametrize("name", picture_files())
def test_pictures_that_do_not_fit_are_named_and_nothing_is_written(capsys, name):
    arrays, options, said = picture_files()[name]
    np.savez(f"{name}.npz", **arrays, allow_pickle=True)
    assert said in refused(capsys, "train", "--data", f"{name}.npz", "--out", "r", *UNET, *options)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["--data", "digits", "--conditional"],
            "--conditional needs labels and the model unet: the model mlp takes none",
        ),
        (["--data", "moons", "--model", "unet"], "--model unet needs pictures, moons has rows of 2 numbers"),
        (["--data", "moons", "--model", "unet", "--conditional"], "moons has no labels"),
    ],
)
def test_models_that_do_not_fit_are_named(capsys, words, said):
    assert said in refused(capsys, "train", *words, "--out", "r")


def test_resume_keeps_what_the_run_was_made_with(capsys, digits):
    words = "--conditional --model unet --warmup 3".split()
    err = refused(capsys, "train", "--resume", "--out", digits / "c", *words)
    assert "leave out --model, --warmup, --conditional" in err


def test_a_run_knows_what_it_is(capsys, digits):
    assert run("info", digits / "c", "--json") == 0
    assert json.loads(capsys.readouterr().out)["data"] == "digits"


def test_rows_of_pixels_are_offered_as_pictures_and_stay_so(capsys):
    """From training on rows to samples that are pictures, in the data's units; and to resuming, judging."""
    rows = np.random.default_rng(0).integers(0, 256, (40, 64), dtype=np.uint8)
    np.save("rows.npy", rows)
    np.savetxt("rows.csv", np.column_stack([np.arange(40) % 2, rows]), delimiter=",", fmt="%d")
    words = ["train", "--data", "rows.npy", "--out", "r", *UNET]
    assert "has rows of 64 numbers: 8 x 8 pixels? then --shape 8 8" in refused(capsys, *words)
    assert "rows.npy has rows of 64 numbers, not of 8 x 9" in refused(capsys, *words, "--shape", "8", "9")
    said = refused(capsys, *words, "--shape", "8", "8", "--conditional")
    assert "an .npz with x and label, a .csv with a column label" in said
    assert run(*words, "--shape", "8", "8", "--steps", "1") == 0
    assert run("train", "--resume", "--steps", "2", "--out", "r") == 0
    assert run("sample", "r", "--n", "3", "--out", "r", *FEW) == 0
    assert np.load("r/samples.npy").shape == (3, 8, 8)
    kept = checkpoint.load("r/checkpoint.npz")
    assert kept.shape == (8, 8) and kept.offset == kept.scale == 127.5
    capsys.readouterr()
    assert "denoising" in answer(capsys, "eval", "r", "--n", "6", *FEW)["pictures"]
    assert "leave out --shape" in refused(capsys, "train", "--resume", "--out", "r", "--shape", "8", "8")
    words = ["train", "--data", "rows.csv", "--out", "s", "--shape", "8", "8", "--steps", "1", *UNET]
    assert "is a column of labels among them? --label-column" in refused(capsys, *words)
    assert run(*words, "--label-column", "1", "--conditional") == 0
    assert run("sample", "s", "--n", "3", "--label", "1,0", "--out", "s", *FEW) == 0
    samples = np.loadtxt("s/samples.csv", delimiter=",")
    assert samples.shape == (3, 65) and samples[:, 0].tolist() == [1, 0, 1]  # the label where it was
    assert run("sample", "s", "--n", "2", "--label", "none", "--out", "s", *FEW) == 0
    assert np.loadtxt("s/samples.csv", delimiter=",")[:, 0].tolist() == [2, 2]
