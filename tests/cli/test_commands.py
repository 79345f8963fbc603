"""The command line as its users meet it: what it prints, writes, refuses, and what Ctrl-C leaves."""

import json
import os
import signal
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from command_line import answer, refused, run
from test_data import write_bad_files

from minidiff import train as training
from minidiff.cli import checkpoint, commands, figures, progress
from minidiff.cli import printing as report
from minidiff.cli import runs as workbench
from minidiff.continuous import solvers
from minidiff.fast.noise import RowNoise
from minidiff.sheet import dictionary

SMALL = ["--width", "16", "--depth", "1", "--batch", "16", "--schedule", "linear-scaled", "--T", "40"]


def test_train_sample_eval_info(capsys):
    result = answer(capsys, "train", "--data", "moons", "--steps", "60", "--out", "r", *SMALL)
    assert result["steps"] == 60 and result["d"] == 2
    assert set(result["files"]) == {"r/checkpoint.npz", "r/progress.png", "r/training.png"}
    result = answer(
        capsys, "sample", "r", "--sampler", "ddim", "--steps", "8", "--eta", "0.5", "--n", "30", "--gif"
    )  # its own folder
    assert result["evaluations"] == 8 and result["sampler"] == "ddim(eta=0.5)"
    drawn = {f"r/ddim-eta-0.5-8/{f}" for f in ("samples.npy", "samples.png", "reverse.png", "trajectory.gif")}
    assert set(result["files"]) == drawn and np.load("r/ddim-eta-0.5-8/samples.npy").shape == (30, 2)
    result = answer(capsys, "eval", "r", "--n", "60", "--var", "beta", "--threads", "1")
    assert result["evaluations"] == 40 and result["n"] == 60 and result["energy_distance"] > 0 < result["energy_floor"]
    result = answer(capsys, "info", "r")
    assert result["data"] == "moons" and result["steps"] == 60 and result["T"] == 40
    assert result["parameters"] == (2 + 32) * 16 + 16 + 16 * 16 + 16 + 16 * 2 + 2
    assert all(np.isfinite(v) for v in result.values() if isinstance(v, float))


def test_text_output_says_what_was_written_and_what_to_do_next(capsys):
    assert run("train", "--data", "mixture", "--steps", "20", *SMALL) == 0
    out = capsys.readouterr().out
    assert (
        "wrote" in out
        and "checkpoint.npz" in out
        and "next: minidiff sample" in out
        and os.path.exists("runs/mixture/training.png")
    )
    assert run("sample", "runs/mixture/checkpoint.npz", "--n", "5", "--out", "there") == 0 and os.path.exists(
        "there/samples.png"
    )
    assert run("eval", "runs/mixture", "--n", "20") == 0
    assert "noise floor" in capsys.readouterr().out
    assert run("info", "runs/mixture") == 0
    capsys.readouterr().out.encode("cp1252")  # a Windows terminal can print it


def test_resume_is_bit_for_bit(capsys):
    run("train", "--data", "moons", "--steps", "30", "--out", "whole", *SMALL)
    run("train", "--data", "moons", "--steps", "11", "--out", "parts", *SMALL)
    assert run("train", "--resume", "--steps", "30", "--out", "parts") == 0
    a, b = (checkpoint.load(f"{name}/checkpoint.npz") for name in ("whole", "parts"))
    assert a.losses == b.losses
    for group in ("params", "ema", "m", "v"):
        for k in a.model.shapes:
            assert np.array_equal(getattr(a.state, group)[k], getattr(b.state, group)[k])


def test_a_file_of_ones_own_from_training_to_its_own_units(capsys):
    rng = np.random.default_rng(0)
    np.savetxt(
        "mine.csv", np.column_stack([100 + rng.standard_normal(200), rng.uniform(0, 1, 200), np.full(200, 7.0)]), delimiter=","
    )
    run("train", "--data", "mine.csv", "--steps", "200", "--out", "r", *SMALL)
    assert run("sample", "r", "--n", "50", "--out", "r") == 0
    samples = np.loadtxt("r/samples.csv", delimiter=",")  # no names came, so none go
    assert samples.shape == (50, 3) and 90 < samples[:, 0].mean() < 110
    assert not {"samples.npy", "samples.png"} & set(os.listdir("r"))
    os.chdir("r")
    assert run("eval", ".", "--n", "20") == 0  # found again from another folder


def test_a_file_that_changed_is_not_resumed_or_judged(capsys):
    x = np.random.default_rng(0).standard_normal((50, 2))
    np.save("m.npy", x)
    run("train", "--data", "m.npy", "--steps", "5", "--out", "r", *SMALL)
    np.save("m.npy", x + 1)
    capsys.readouterr()
    for words in (["train", "--resume", "--out", "r", "--steps", "9"], ["eval", "r", "--n", "5"]):
        assert "is not what it was" in refused(capsys, *words)


def test_a_run_that_ends_with_broken_parameters_is_not_kept(capsys):
    with np.errstate(all="ignore"):
        err = refused(capsys, "train", "--data", "moons", "--steps", "1", "--lr", "1e300", "--out", ".", *SMALL, status=1)
    assert "not finite" in err and "no checkpoint was written" in err


def test_pictures_of_ones_own(capsys):
    np.save("p.npy", np.random.default_rng(0).integers(0, 255, (20, 5, 4), dtype=np.uint8))
    run("train", "--data", "p.npy", "--steps", "5", "--out", "r", *SMALL)
    assert run("sample", "r", "--n", "4", "--out", "r") == 0 and np.load("r/samples.npy").shape == (4, 5, 4)


def test_demo(capsys, monkeypatch):
    monkeypatch.setattr(commands, "QUICK", (40, 24))
    result = answer(capsys, "demo", "--quick", "--seed", "1")
    names = {"checkpoint.npz", "forward.png", "reverse.png", "samples.png", "training.png", "trajectory.gif"}
    assert set(os.listdir("runs/demo-quick")) == names | {"eps"} and os.listdir("runs/demo-quick/eps") == ["checkpoint.npz"]
    assert names == {f.split("/")[-1] for f in result["files"]}
    asked = [(s["sampler"], s["objective"], s["evaluations"], s["n"]) for s in result["samplers"]]
    assert asked == [("DDPM", "v", 1000, 24), ("DDIM", "v", 50, 24), ("DDIM", "eps", 50, 24)]
    runs = [checkpoint.load(f"runs/demo-quick{home}/checkpoint.npz") for home in ("", "/eps")]
    assert [checkpoint.names_of(r.goal)["objective"] for r in runs] == ["v", "eps"]
    assert run("sample", "runs/demo-quick/eps", "--sampler", "ddim", "--n", "3") == 0  # says what eps costs, in one line
    assert "this run answers eps: an error of eps_hat at t = T is divided by sqrt(alpha_bar_T), 157" in capsys.readouterr().out
    assert run("sample", "runs/demo-quick/eps", "--n", "3") == run("sample", "runs/demo-quick", "--steps", "9", "--n", "3") == 0
    assert "answers eps" not in capsys.readouterr().out  # with all steps, or for v, there is nothing to say


def test_table_aligns_numbers():
    assert report.table(["name", "x"], [["a", 1.23456], ["long", 10]]) == "name      x\na     1.235\nlong     10"


@pytest.mark.parametrize(
    ("words", "healthy"),
    [("--T 1000", True), ("--T 50", False), ("--T 400", True), ("--T 300", False), ("--schedule cosine --T 20", True),
     ("--data-std 40", False), ("--schedule linear-scaled --T 30", True)],
)  # fmt: skip
def test_doctor(capsys, words, healthy):
    assert run("doctor", *words.split(), "--json") == (0 if healthy else 1)
    result = json.loads(capsys.readouterr().out)
    assert result["healthy"] == healthy == (result["prior_kl"] <= 0.01) and ("advice" in result) != healthy


def test_doctor_gives_advice_that_works(capsys):
    assert run("doctor", "--T", "50") == 1
    out = capsys.readouterr().out
    assert "0.603" in out and "0.462" in out and "--schedule linear-scaled" in out
    T = int(out.split("T >= ")[1].split()[0])
    assert run("doctor", "--T", T) == 0 and run("doctor", "--T", T - 1) == 1
    assert run("doctor", "--data-std", "40") == 1
    assert "std 1" in capsys.readouterr().out


def test_bad_files_are_refused_in_one_line(capsys, tmp_path):
    for path, _ in write_bad_files(tmp_path):
        assert path.name in refused(capsys, "train", "--data", path, "--out", "r")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["train", "--data", "moon"], "known are mixture"),
        (["train"], "--data is needed"),
        (["train", "--data", "moons", "--model", "gpt"], "unknown model 'gpt'; known are mlp"),
        (["train", "--data", "moons", "--schedule", "sigmoid"], "known are linear, linear-scaled, cosine"),
        (["train", "--data", "moons", "--T", "0"], "T must be at least 1"),
        (["train", "--data", "moons", "--schedule", "linear-scaled", "--T", "20"], "T > 20"),
        (["train", "--data", "moons", "--steps", "0"], "steps must be at least 1"),
        (["train", "--data", "moons", "--steps", "many"], "invalid int value: 'many'"),
        (["train", "--data", "moons", "--batch", "0"], "batch must be"),
        (["train", "--data", "moons", "--lr", "-1"], "lr must be positive"),
        (["train", "--data", "moons", "--lr", "inf"], "lr must be positive and finite"),
        (["train", "--data", "moons", "--batch", "1000000000000"], "batch must be at least 1 and whole, at most 1000000"),
        (["train", "--data", "x" * 300 + ".csv"], "File name too long|there is no file"),
        (["doctor", "--T", "1000000000000000"], ""),
        (["doctor", "--data-std", "1e200"], ""),
        (["train", "--data", "moons", "--width", "0"], "width must be"),
        (["train", "--data", "moons", "--seed", "-1"], "seed must not be negative, got -1"),
        (["train", "--data", "moons", "--threads", "0"], "threads must be at least 1 and at most 64, got 0"),
        (["train", "--resume", "--out", "none"], "there is no file none"),
        (["sample", "none"], "there is no file none"),
        (["doctor", "--T", "-5"], "T must be at least 1, got -5"),
        (["doctor", "--schedule", "x"], "unknown schedule 'x'"),
        (["doctor", "--data-std", "0"], "data_std must be positive"),
        (["dance"], "unknown command 'dance'; known are demo, train"),
        (["trian"], "unknown command 'trian'; did you mean train? known are"),
        (["Train", "--data", "moons"], "did you mean train?"),
        (
            ["train", "--data", "moons", "--step", "5"],
            "minidiff train: unknown argument '--step'; did you mean --steps? known are",
        ),
        (["train", "--data", "moons", "--step=5"], "(see minidiff train --help)"),
        (["train", "moons"], "unknown argument 'moons'; known are --json, --data"),
        (["sample", "r", "--sampelr", "ddim"], "did you mean --sampler?"),
        (["--data", "moons"], "COMMAND"),
        (["train", "--data", "moon"], "did you mean moons?"),
        (["show", "posterior-varianse"], "did you mean posterior-variance"),
        (["notation", "karass"], "known are Ho (DDPM)"),
        (["train", "--data", "moons", "--label-column", "a"], "a label column is for a .csv file, and moons is none"),
        (["train", "--data", "moons", "--shape", "1", "two"], "invalid int value: 'two'"),
        ([], "required"),
        (["info", "none.npz"], "there is no file none.npz"),
    ],
)
def test_mistakes_are_named_in_one_line(capsys, words, said):
    err = refused(capsys, *words)
    assert any(part in err for part in said.split("|"))


@pytest.fixture
def a_run(capsys):
    run("train", "--data", "moons", "--steps", "5", "--out", "r", *SMALL)
    capsys.readouterr()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["sample", "r", "--sampler", "eulre"], "unknown sampler 'eulre'; did you mean euler? known are ddpm, ddim"),
        (["sample", "r", "--var", "x"], "known are beta-tilde, beta"),
        (["sample", "r", "--spacing", "x"], "known are trailing, leading, linspace"),
        (["sample", "r", "--steps", "41"], "steps must lie in 1..T = 40, got 41"),
        (["sample", "r", "--steps", "0"], "steps must lie in 1..T = 40, got 0"),
        (["sample", "r", "--sampler", "ddim", "--eta", "1.5"], "eta must lie in [0, 1], got 1.5"),
        (["sample", "r", "--sampler", "ddim", "--eta", "nan"], "eta must lie in [0, 1]"),
        (["sample", "r", "--n", "0", "--out", "new"], "n must be at least 1, got 0"),
        (["eval", "r", "--n", "1", "--out", "new"], "n must be at least 2, got 1"),
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


def test_a_loss_that_is_not_finite_stops_with_the_step_and_keeps_the_checkpoint(capsys, a_run):
    run_ = checkpoint.load("r/checkpoint.npz")
    run_.state.params["b_out"][:] = 3e38  # finite, but its square is not
    checkpoint.save("r/checkpoint.npz", run_)
    before = Path("r/checkpoint.npz").read_bytes()
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # one line, and none from NumPy about what overflowed
        err = refused(capsys, "train", "--resume", "--out", "r", "--steps", "9", status=1)
        assert "step 6" in err and "keeps step 5" in err
        assert Path("r/checkpoint.npz").read_bytes() == before
        err = refused(capsys, "train", "--data", "moons", "--lr", "1e30", "--out", "far", status=1)
    assert "no checkpoint was written yet" in err and not Path("far").exists()


def test_ctrl_c_keeps_the_last_step_and_says_how_to_resume(capsys, monkeypatch):
    right = training.train

    def interrupted(*args, **settings):
        for state in right(*args, **settings):
            if state.step == 3:
                signal.raise_signal(signal.SIGINT)
            yield state

    monkeypatch.setattr(training, "train", interrupted)
    assert run("train", "--data", "moons", "--steps", "9", "--out", "r", *SMALL) == 130
    assert "minidiff train --out r --resume" in capsys.readouterr().err
    monkeypatch.setattr(training, "train", right)
    assert checkpoint.load("r/checkpoint.npz").state.step == 3 and run("train", "--resume", "--out", "r", "--steps", "5") == 0


def test_python_m_minidiff_is_the_command():
    done = subprocess.run([sys.executable, "-m", "minidiff", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("minidiff ")


@pytest.mark.parametrize("sampler", solvers.SAMPLERS)
def test_every_sampler_draws_from_a_run_and_counts(capsys, run_of_each, sampler):
    result = answer(capsys, "sample", run_of_each / "v", "--sampler", sampler, "--steps", "6", "--n", "20", "--out", "o")
    a_step = {"heun": 11, "rk4": 21, "langevin": 31}
    assert result["evaluations"] == a_step.get(sampler, 6) and np.isfinite(np.load("o/samples.npy")).all()
    result = answer(capsys, "oracle", "--sampler", sampler, "--steps", "6")
    assert result["evaluations"] == a_step.get(sampler, 6) and result["bias"]["std"] != 0


@pytest.fixture(scope="module")
def run_of_each(tmp_path_factory):
    """A small run for each objective."""
    home = tmp_path_factory.mktemp("runs")
    for objective in ("eps", "x0", "v", "flow"):
        words = ["train", "--data", "mixture", "--steps", "60", "--objective", objective, "--out", home / objective, *SMALL]
        assert run(*words) == 0
    return home


@pytest.mark.parametrize("objective", ["eps", "x0", "v", "flow"])
def test_every_objective_trains_resumes_samples_and_is_judged(capsys, run_of_each, objective):
    home = run_of_each / objective
    capsys.readouterr()
    assert answer(capsys, "info", home)["objective"] == objective
    result = answer(capsys, "sample", home, "--n", "20", "--out", "o")
    assert result["sampler"] == ("flow euler" if objective == "flow" else "ddpm(beta-tilde)")
    found = answer(capsys, "eval", home, "--sampler", "ddim", "--n", "50", "--likelihood", "--out", "o")["likelihood"]
    assert found["exact"]["elbo"] < found["truth"] and len(found["network"]["terms"]) == 41 and Path("o/elbo.png").exists()
    # 100 Runge-Kutta steps, each log(theta_T / theta_1) / 100 = 0.05 of theta: 0.05^5 / 120 a step where u grows as 1 / theta,
    # 3e-7 in all; differences of 1e-4 add less
    assert abs(found["exact"]["ode"] - found["truth_at_1"]) < 1e-5
    trained = answer(capsys, "train", "--resume", "--steps", "70", "--out", home)
    assert trained["from_step"] == 60 and trained["steps"] == 70


def test_oracle_has_the_table_of_spacings(capsys):
    """ddim, eta = 0, 50 of 1000 steps: 0.127 / 0.124 / 0.127 for leading, trailing, linspace; and the parts make the whole."""
    for spacing, std in (("leading", 0.127), ("trailing", 0.124), ("linspace", 0.127)):
        r = answer(capsys, "oracle", "--sampler", "ddim", "--steps", "50", "--spacing", spacing)
        assert abs(r["result"]["std"] - std) < 5e-4 and r["evaluations"] == 50
        for what in ("mean", "std"):
            assert abs(r["bias"][what] - r["bias_of_the_start"][what] - r["bias_of_the_steps"][what]) < 1e-15
    r = answer(capsys, "oracle", "--var", "gaussian-optimal", "--steps", "5", "--data-mean", "2", "--data-std", "0.3")
    assert abs(r["bias_of_the_steps"]["std"]) < 1e-12 > abs(r["bias_of_the_steps"]["mean"])
    assert run("oracle", "--sampler", "heun", "--T", "50") == 0
    assert "steps are finite" in capsys.readouterr().out


def test_notation_prints_the_dictionary(capsys):
    assert len(answer(capsys, "notation")["notation"]) == len(dictionary.DICTIONARY)
    assert run("notation", "prince") == 0
    out = capsys.readouterr().out
    assert "z_t" in out and "Karras" not in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["oracle", "--sampler", "ddmp"], "unknown sampler 'ddmp'"),
        (["oracle", "--sampler", "heun", "--eta", "0.5"], "--eta means nothing to heun"),
        (["oracle", "--var", "gama"], "unknown var 'gama'"),
        (["oracle", "--steps", "0"], "steps must lie in 1..T"),
        (["oracle", "--data-std", "-1"], "data-std"),
        (["oracle", "--data-mean", "nan"], "data-mean"),
        (["oracle", "--schedule", "quadratic"], "unknown schedule"),
        (["notation", "sohl"], "unknown paper 'sohl'"),
        (["train", "--data", "moons", "--objective", "score"], "unknown objective 'score'"),
        (["train", "--data", "moons", "--weight", "snr"], "unknown weight 'snr'"),
        (["train", "--data", "moons", "--times", "beta"], "unknown times 'beta'"),
        (["train", "--data", "moons", "--objective", "flow", "--weight", "derived"], "use simple"),
    ],
)
def test_mistakes_about_samplers_and_objectives_are_one_line(capsys, words, said):
    assert said in refused(capsys, *words)


def test_the_forward_pictures_captions_do_not_touch(a_run):
    """One is drawn for each of nine times; long captions ran into each other."""
    run_ = checkpoint.load("r/checkpoint.npz")
    fig = workbench.forward_figure(run_, workbench.data_of(run_), figures, RowNoise(0))
    fig.canvas.draw()
    boxes = [ax.title.get_window_extent() for ax in fig.axes]
    assert len(boxes) > 5 and all(a.x1 < b.x0 for a, b in zip(boxes, boxes[1:]))


def test_the_loss_that_is_reported_is_that_of_the_last_tenth(a_run):
    run_ = checkpoint.load("r/checkpoint.npz")
    for n, last in ((0, 0), (1, 1), (19, 2), (300, 30), (9000, 500)):
        run_.losses = list(range(n))
        assert run_.recent_losses() == list(range(n - last, n))


def test_options_are_written_out_and_formulas_found_in_any_case(capsys):
    """--step could have been --steps, until there is another option that begins like it."""
    for words in (["oracle", "--spac", "linspace"], ["demo", "--qui"], ["doctor", "--sched", "cosine"]):
        assert "unknown argument" in refused(capsys, *words)
    for name in ("Posterior-Variance", "POSTERIOR_VARIANCE", "posterior-variance"):
        assert answer(capsys, "show", name)["name"] == "posterior-variance"


def test_a_csv_comes_back_as_one(capsys):
    x = np.column_stack([np.random.default_rng(0).uniform(5, 6, (150, 2)), np.arange(150) % 3])
    np.savetxt("iris.csv", x, delimiter=",", header="length,width,species", comments="")
    words = ["train", "--data", "iris.csv", "--steps", "3", *SMALL]
    assert run(*words, "--out", "r") == 0
    said = "iris.csv: column 3 'species' holds only 3 whole numbers: a label? --label-column species"
    assert capsys.readouterr().err.splitlines() == [said]
    assert run("sample", "r", "--n", "4", "--steps", "4", "--out", "r") == 0
    assert Path("r/samples.csv").read_text().splitlines()[0] == "length,width,species"
    assert np.loadtxt("r/samples.csv", delimiter=",", skiprows=1).shape == (4, 3)
    assert run(*words, "--label-column", "species", "--out", "s") == 0  # remembered by resume, sample and eval
    assert run("train", "--resume", "--steps", "5", "--out", "s") == 0 == run("eval", "s", "--n", "9", "--steps", "4")
    assert run("sample", "s", "--n", "4", "--steps", "4", "--out", "s") == 0
    assert Path("s/samples.csv").read_text().splitlines()[0] == "length,width" and not os.path.exists("s/samples.npy")
    capsys.readouterr()
    assert "leave out --label-column" in refused(capsys, "train", "--resume", "--out", "s", "--label-column", "species")
    assert "unknown column 'specie'; did you mean species?" in refused(capsys, *words, "--label-column", "specie")


def test_samples_far_out_are_counted(capsys, a_run):
    """Four times -1..3 is -7..9, around 1; a constant column counts as one of 2, so four times it is 3..11."""
    run_ = checkpoint.load("r/checkpoint.npz")
    assert run_.low.shape == (2,) and np.all(run_.low < run_.high)
    run_.low, run_.high, run_.scale, run_.offset = np.array([-1, 7]), np.array([3, 7]), np.array([10, 1]), np.array([100, 0])
    x_0 = np.array([[-7.0, 7], [9, 3], [0, 11]])
    workbench._warn_beyond(run_, x_0)
    assert capsys.readouterr().err == ""
    workbench._warn_beyond(run_, np.concatenate([np.zeros((99, 2)), [[9.5, 0]]]) + [0, 7])  # 1 of 100 is not worth a word
    assert capsys.readouterr().err == ""
    workbench._warn_beyond(run_, np.concatenate([np.zeros((98, 2)), [[9.5, 0], [9.5, 0]]]) + [0, 7])
    assert capsys.readouterr().err.startswith("2 of 100 samples hold values")
    workbench._warn_beyond(run_, np.concatenate([x_0, [[-7.01, 7], [9.01, 7], [10, 11.01]]]))
    said = "3 of 6 samples hold values beyond four times the data's range (column 1: 29.9..200 for 90..130)\n"
    assert capsys.readouterr().err == said
    run_.state.ema["b_out"][:] = 1e3
    run_.scale, run_.offset = 1.0, 0.0  # moons
    checkpoint.save("r/checkpoint.npz", run_)
    for command in ("sample", "eval"):
        assert run(command, "r", "--n", "9", "--steps", "4", "--out", "o") == 0
        assert capsys.readouterr().err.startswith("9 of 9 samples hold values beyond four times the data's range (column ")


def test_without_a_terminal_long_work_says_a_line_every_ten_seconds(capsys, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    with progress.bar(40, "steps", "training") as bar:
        for at, n in ((9.9, 3), (10, 1), (19.9, 1), (25, 1), (34.9, 2), (35, 1)):
            now[0] = at
            bar.update(n)
            bar.set_postfix_str("error 0.5", False)
    assert capsys.readouterr().err.splitlines() == [
        "training: 4/40 steps, error 0.5", "training: 6/40 steps, error 0.5", "training: 9/40 steps, error 0.5"
    ]  # fmt: skip


def test_lines_without_a_terminal_say_the_error_once_it_is_known(capsys, monkeypatch):
    monkeypatch.setattr(progress, "SAY_EVERY", 0)
    assert run("train", "--data", "moons", "--steps", "60", "--out", "p", *SMALL) == 0
    lines = capsys.readouterr().err.splitlines()
    assert lines[49] == "training: 49/60 steps" and lines[-1].startswith("training: 60/60 steps, error ")
    assert run("sample", "p", "--n", "40", "--steps", "4") == 0
    assert "160/160 row-steps" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")
def test_a_narrow_terminal_keeps_the_error():
    import fcntl
    import pty
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 40, 0, 0))
    command = [sys.executable, "-m", "minidiff", "train", "--data", "moons", "--steps", "2000", "--out", "r", *SMALL]
    process = subprocess.Popen(command, stderr=theirs, stdout=subprocess.DEVNULL)
    os.close(theirs)
    shown = b""
    try:
        while part := os.read(ours, 4096):
            shown += part
    except OSError:  # Linux, when the other end is closed
        pass
    os.close(ours)
    bars = [part for part in shown.decode().split("\r") if part.startswith("training:")]
    assert process.wait() == 0 and all(len(part) <= 40 for part in bars)
    assert any("/2000, error 0." in part for part in bars)  # of 2000 steps, some are drawn after the first 50
