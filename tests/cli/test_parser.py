"""parser: what is mistyped is one line, with the nearest name."""

import subprocess
import sys

import pytest
from command_line import answer, refused


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
        (
            ["train", "--data", "moons", "--batch", "1000000000000"],
            "batch must be at least 1 and whole, at most 1000000",
        ),
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
        (
            ["train", "--data", "moons", "--label-column", "a"],
            "a label column is for a .csv file, and moons is none",
        ),
        (["train", "--data", "moons", "--shape", "1", "two"], "invalid int value: 'two'"),
        ([], "required"),
        (["info", "none.npz"], "there is no file none.npz"),
    ],
)
def test_mistakes_are_named_in_one_line(capsys, words, said):
    err = refused(capsys, *words)
    assert any(part in err for part in said.split("|"))


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


def test_options_are_written_out_and_formulas_found_in_any_case(capsys):
    """--step could have been --steps, until there is another option that begins like it."""
    for words in (["oracle", "--spac", "linspace"], ["demo", "--qui"], ["doctor", "--sched", "cosine"]):
        assert "unknown argument" in refused(capsys, *words)
    for name in ("Posterior-Variance", "POSTERIOR_VARIANCE", "posterior-variance"):
        assert answer(capsys, "show", name)["name"] == "posterior-variance"


def test_python_m_minidiff_is_the_command():
    done = subprocess.run(
        [sys.executable, "-m", "minidiff", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("minidiff ")
