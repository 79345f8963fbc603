"""The commands as their users meet them: what they print, write and refuse."""

import os
from pathlib import Path

import numpy as np
import pytest
from command_line import SMALL, answer, refused, run, write_bad_files

from minidiff.cli import commands
from minidiff.runs import checkpoint
from minidiff.runs.names import SAMPLERS, names_of


def test_train_sample_eval_info(capsys):
    result = answer(capsys, "train", "--data", "moons", "--steps", "60", "--out", "r", *SMALL)
    assert result["steps"] == 60 and result["d"] == 2
    assert set(result["files"]) == {"r/checkpoint.npz", "r/progress.png", "r/training.png"}
    # its own folder
    result = answer(
        capsys, "sample", "r", "--sampler", "ddim", "--steps", "8", "--eta", "0.5", "--n", "30", "--gif"
    )
    assert result["evaluations"] == 8 and result["sampler"] == "ddim(eta=0.5)"
    drawn = {f"r/ddim-eta-0.5-8/{f}" for f in ("samples.npy", "samples.png", "reverse.png", "trajectory.gif")}
    assert set(result["files"]) == drawn and np.load("r/ddim-eta-0.5-8/samples.npy").shape == (30, 2)
    result = answer(capsys, "eval", "r", "--n", "60", "--var", "beta", "--threads", "1")
    assert result["evaluations"] == 40 and result["n"] == 60
    assert result["energy_distance"] > 0 < result["energy_floor"]
    result = answer(capsys, "info", "r")
    assert result["data"] == "moons" and result["steps"] == 60 and result["T"] == 40
    assert result["parameters"] == (2 + 32) * 16 + 16 + 16 * 16 + 16 + 16 * 2 + 2
    assert all(np.isfinite(v) for v in result.values() if isinstance(v, float))


def test_rows_of_a_run_are_files_of_their_own(capsys, a_run):
    words = ["--sampler", "ddim", "--steps", "4"]
    answer(capsys, "sample", "r", *words, "--n", "90", "--out", "all")
    result = answer(capsys, "sample", "r", *words, "--rows", "30:90")
    assert result["files"] == ["r/ddim-eta-0-4-rows-30-90/samples.npy"]  # and no pictures
    assert result["n"] == 60 and result["rows"] == [30, 90] and result["of"] == 90
    some = [
        answer(capsys, "sample", "r", *words, "--rows", "0:30", "--n", "90", "--out", "some")["files"],
        *[result["files"]],
    ]
    assert np.array_equal(np.load("all/samples.npy"), np.concatenate([np.load(file) for (file,) in some]))


def test_text_output_says_what_was_written_and_what_to_do_next(capsys):
    assert run("train", "--data", "mixture", "--steps", "20", *SMALL) == 0
    out = capsys.readouterr().out
    assert "wrote" in out and "checkpoint.npz" in out and "next: minidiff sample" in out
    assert os.path.exists("runs/mixture/training.png")
    assert run("sample", "runs/mixture/checkpoint.npz", "--n", "5", "--out", "there") == 0
    assert os.path.exists("there/samples.png")
    assert run("eval", "runs/mixture", "--n", "20") == 0
    assert "noise floor" in capsys.readouterr().out
    assert run("info", "runs/mixture") == 0
    capsys.readouterr().out.encode("cp1252")  # a Windows terminal can print it


def test_a_file_of_ones_own_from_training_to_its_own_units(capsys):
    rng = np.random.default_rng(0)
    np.savetxt(
        "mine.csv",
        np.column_stack([100 + rng.standard_normal(200), rng.uniform(0, 1, 200), np.full(200, 7.0)]),
        delimiter=",",
    )
    run("train", "--data", "mine.csv", "--steps", "200", "--out", "r", *SMALL)
    assert run("sample", "r", "--n", "50", "--out", "r") == 0
    samples = np.loadtxt("r/samples.csv", delimiter=",")  # no names came, so none go
    assert samples.shape == (50, 3) and 90 < samples[:, 0].mean() < 110
    assert not {"samples.npy", "samples.png"} & set(os.listdir("r"))
    os.chdir("r")
    assert run("eval", ".", "--n", "20") == 0  # found again from another folder
    os.remove("../mine.csv")
    assert run("sample", ".", "--n", "5") == 0  # the data are not needed


def test_samples_are_drawn_beside_data_that_are_still_there(capsys):
    np.save("p.npy", np.random.default_rng(0).standard_normal((50, 2)))
    run("train", "--data", "p.npy", "--steps", "5", "--out", "r", *SMALL)
    assert run("sample", "r", "--n", "4", "--out", "with") == 0
    os.remove("p.npy")
    assert run("sample", "r", "--n", "4", "--out", "without") == 0
    width = [
        int.from_bytes(Path(f"{home}/samples.png").read_bytes()[16:20], "big") for home in ("with", "without")
    ]
    assert width == [1000, 500]  # a panel is 500 pixels wide


def test_pictures_of_ones_own(capsys):
    np.save("p.npy", np.random.default_rng(0).integers(0, 255, (20, 5, 4), dtype=np.uint8))
    run("train", "--data", "p.npy", "--steps", "5", "--out", "r", *SMALL)
    assert run("sample", "r", "--n", "4", "--out", "r") == 0 and np.load("r/samples.npy").shape == (4, 5, 4)


def test_demo(capsys, monkeypatch):
    monkeypatch.setattr(commands, "QUICK", (40, 24))
    result = answer(capsys, "demo", "--quick", "--seed", "1")
    names = {"checkpoint.npz", "forward.png", "reverse.png", "samples.png", "training.png", "trajectory.gif"}
    assert set(os.listdir("runs/demo-quick")) == names | {"eps"}
    assert os.listdir("runs/demo-quick/eps") == ["checkpoint.npz"]
    assert names == {f.split("/")[-1] for f in result["files"]}
    asked = [(s["sampler"], s["objective"], s["evaluations"], s["n"]) for s in result["samplers"]]
    assert asked == [("DDPM", "v", 1000, 24), ("DDIM", "v", 50, 24), ("DDIM", "eps", 50, 24)]
    runs = [checkpoint.load(f"runs/demo-quick{home}/checkpoint.npz") for home in ("", "/eps")]
    assert [names_of(r.goal)["objective"] for r in runs] == ["v", "eps"]
    # says what eps costs, in one line
    assert run("sample", "runs/demo-quick/eps", "--sampler", "ddim", "--n", "3") == 0
    assert (
        "this run answers eps: an error of eps_hat at t = T is divided by sqrt(alpha_bar_T), 157"
        in capsys.readouterr().out
    )
    assert (
        run("sample", "runs/demo-quick/eps", "--n", "3")
        == run("sample", "runs/demo-quick", "--steps", "9", "--n", "3")
        == 0
    )
    assert "answers eps" not in capsys.readouterr().out  # with all steps, or for v, there is nothing to say


def test_bad_files_are_refused_in_one_line(capsys, tmp_path):
    for path, _ in write_bad_files(tmp_path):
        assert path.name in refused(capsys, "train", "--data", path, "--out", "r")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["sample", "r", "--sampler", "eulre"],
            "unknown sampler 'eulre'; did you mean euler? known are ddpm, ddim",
        ),
        (["sample", "r", "--var", "x"], "known are beta-tilde, beta"),
        (["sample", "r", "--spacing", "x"], "known are trailing, leading, linspace"),
        (["sample", "r", "--steps", "41"], "steps must lie in 1..T = 40, got 41"),
        (["sample", "r", "--steps", "0"], "steps must lie in 1..T = 40, got 0"),
        (["sample", "r", "--sampler", "ddim", "--eta", "1.5"], "eta must lie in [0, 1], got 1.5"),
        (["sample", "r", "--sampler", "ddim", "--eta", "nan"], "eta must lie in [0, 1]"),
        (["sample", "r", "--n", "0", "--out", "new"], "n must be at least 1, got 0"),
        (["eval", "r", "--n", "1", "--out", "new"], "n must be at least 2, got 1"),
        (["sample", "r", "--rows", "5:5", "--out", "new"], "rows must be A:B with 0 <= A < B, got '5:5'"),
        (["sample", "r", "--rows", "5-9", "--out", "new"], "rows must be A:B with 0 <= A < B, got '5-9'"),
        (["sample", "r", "--rows", "5:9", "--n", "8", "--out", "new"], "0 <= A < B <= n = 8, got '5:9'"),
        (["sample", "r", "--rows", "5:9", "--gif", "--out", "new"], "with --rows there are only numbers"),
        (["sample", "r", "--eta", "0.5"], "--eta means nothing to ddpm"),
        (["sample", "r", "--sampler", "ddim", "--var", "beta"], "--var means nothing to ddim"),
        (["train", "--resume", "--out", "r", "--lr", "1", "--seed", "3"], "leave out --lr, --seed"),
        (["train", "--resume", "--out", "r", "--steps", "3"], "is at step 5 already"),
        (["sample", "r", "--out", "x" * 300], "cannot be written"),
        (["eval", "r", "--seed", "-3"], "seed must not be negative"),
        (["train", "--data", "moons", "--out", "r"], "--resume continues it"),
        (["sample", "r", "--out", "r/checkpoint.npz/below"], "cannot be written"),
        (["train", "--resume", "--out", "r", "--steps", "0"], "is at step 5 already"),
    ],
)
def test_mistakes_on_a_run_leave_it_as_it_was(capsys, a_run, words, said):
    before = {f: os.path.getmtime(f"r/{f}") for f in os.listdir("r")}
    assert said in refused(capsys, *words)
    assert {f: os.path.getmtime(f"r/{f}") for f in os.listdir("r")} == before


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_every_sampler_draws_from_a_run_and_counts(capsys, run_of_each, sampler):
    result = answer(
        capsys, "sample", run_of_each / "v", "--sampler", sampler, "--steps", "6", "--n", "20", "--out", "o"
    )
    a_step = {"heun": 11, "rk4": 21, "langevin": 31}
    assert result["evaluations"] == a_step.get(sampler, 6) and np.isfinite(np.load("o/samples.npy")).all()
    result = answer(capsys, "oracle", "--sampler", sampler, "--steps", "6")
    assert result["evaluations"] == a_step.get(sampler, 6) and result["bias"]["std"] != 0


@pytest.fixture(scope="module")
def run_of_each(tmp_path_factory):
    """A small run for each objective."""
    home = tmp_path_factory.mktemp("runs")
    for objective in ("eps", "x0", "v", "flow"):
        words = f"train --data mixture --steps 60 --objective {objective} --out".split()
        assert run(*words, home / objective, *SMALL) == 0
    return home


@pytest.mark.parametrize("objective", ["eps", "x0", "v", "flow"])
def test_every_objective_trains_resumes_samples_and_is_judged(capsys, run_of_each, objective):
    home = run_of_each / objective
    capsys.readouterr()
    assert answer(capsys, "info", home)["objective"] == objective
    result = answer(capsys, "sample", home, "--n", "20", "--out", "o")
    assert result["sampler"] == ("flow euler" if objective == "flow" else "ddpm")
    found = answer(capsys, "eval", home, "--sampler", "ddim", "--n", "50", "--likelihood", "--out", "o")[
        "likelihood"
    ]
    assert found["exact"]["elbo"] < found["truth"] and len(found["network"]["terms"]) == 41
    assert Path("o/elbo.png").exists()
    # 100 Runge-Kutta steps, each log(theta_T / theta_1) / 100 = 0.05 of theta: 0.05^5 / 120 a step where u
    # grows as 1 / theta, 3e-7 in all; differences of 1e-4 add less
    assert abs(found["exact"]["ode"] - found["truth_at_1"]) < 1e-5
    trained = answer(capsys, "train", "--resume", "--steps", "70", "--out", home)
    assert trained["from_step"] == 60 and trained["steps"] == 70


def test_a_csv_comes_back_as_one(capsys):
    x = np.column_stack([np.random.default_rng(0).uniform(5, 6, (150, 2)), np.arange(150) % 3])
    np.savetxt("iris.csv", x, delimiter=",", header="length,width,species", comments="")
    words = ["train", "--data", "iris.csv", "--steps", "3", *SMALL]
    assert run(*words, "--out", "r") == 0
    assert run("sample", "r", "--n", "4", "--steps", "4", "--out", "r") == 0
    assert Path("r/samples.csv").read_text().splitlines()[0] == "length,width,species"
    assert np.loadtxt("r/samples.csv", delimiter=",", skiprows=1).shape == (4, 3)
    # remembered by resume, sample and eval
    assert run(*words, "--label-column", "species", "--out", "s") == 0
    assert (
        run("train", "--resume", "--steps", "5", "--out", "s")
        == 0
        == run("eval", "s", "--n", "9", "--steps", "4")
    )
    assert run("sample", "s", "--n", "4", "--steps", "4", "--out", "s") == 0
    assert Path("s/samples.csv").read_text().splitlines()[0] == "length,width"
    assert not os.path.exists("s/samples.npy")
    capsys.readouterr()
    assert "leave out --label-column" in refused(
        capsys, "train", "--resume", "--out", "s", "--label-column", "species"
    )
    assert "has no column 'specie', it has length, width, species" in refused(
        capsys, *words, "--label-column", "specie"
    )
