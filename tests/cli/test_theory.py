"""doctor, oracle, notation."""

import json

import pytest
from command_line import answer, run

from minidiff.sheet import dictionary


@pytest.mark.parametrize(
    ("words", "healthy"),
    [("--T 1000", True), ("--T 50", False), ("--T 400", True), ("--T 300", False),
     ("--schedule cosine --T 20", True), ("--data-std 40", False), ("--schedule linear-scaled --T 30", True)],
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


def test_oracle_has_the_table_of_spacings(capsys):
    """ddim, eta = 0, 50 of 1000 steps: 0.127, 0.124, 0.127 for the three; and the parts make the whole."""
    for spacing, std in (("leading", 0.127), ("trailing", 0.124), ("linspace", 0.127)):
        r = answer(capsys, "oracle", "--sampler", "ddim", "--steps", "50", "--spacing", spacing)
        assert abs(r["result"]["std"] - std) < 5e-4 and r["evaluations"] == 50
        for what in ("mean", "std"):
            assert abs(r["bias"][what] - r["bias_of_the_start"][what] - r["bias_of_the_steps"][what]) < 1e-15
    r = answer(
        capsys, "oracle", "--var", "gaussian-optimal", "--steps", "5", "--data-mean", "2", "--data-std", "0.3"
    )
    assert abs(r["bias_of_the_steps"]["std"]) < 1e-12 > abs(r["bias_of_the_steps"]["mean"])
    assert run("oracle", "--sampler", "heun", "--T", "50") == 0
    assert "steps are finite" in capsys.readouterr().out


def test_notation_prints_the_dictionary(capsys):
    assert len(answer(capsys, "notation")["notation"]) == len(dictionary.DICTIONARY)
    assert run("notation", "prince") == 0
    out = capsys.readouterr().out
    assert "z_t" in out and "Karras" not in out
