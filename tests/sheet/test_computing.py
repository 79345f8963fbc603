"""compute: one's own numbers, every intermediate value."""

import math
from dataclasses import replace
from fractions import Fraction

import pytest

from minidiff.sheet import find
from minidiff.sheet.checking import check
from minidiff.sheet.computing import LIMITS, compute, typed, worked
from minidiff.sheet.entry import round_cases


def test_compute_takes_any_two_of_x_0_eps_and_x_t(monkeypatch):
    trio = replace(
        find("forward-closed-form"),
        name="trio",
        letters="beta t x_0 eps x_t",
        answer="x_0 + 10 eps + 100 x_t",
    )
    monkeypatch.setattr("minidiff.sheet.computing.find", lambda name: trio)
    x_t = 0.8 * 2 + 0.6 * 3  # alpha_bar_1 = .64
    for numbers in ({"x_0": 2, "eps": 3}, {"x_0": 2, "x_t": x_t}, {"eps": 3, "x_t": x_t}):
        assert math.isclose(compute("trio", beta=[0.36], t=1, **numbers).result, 2 + 30 + 100 * x_t)
    with pytest.raises(ValueError, match="trio needs x_0, x_t"):
        compute("trio", beta=[0.36], t=1, eps=1)


def test_a_letter_with_a_meaning_of_its_own_is_asked_for():
    assert compute("conv-output", I=16, F=3, P=1, S=1).result == 16  # same padding keeps the width


def test_whole_numbers_are_rounded_down_where_the_formula_says_so_and_counts_may_be_large():
    assert compute("conv-output", I=224, F=7, P=3, S=2).result == len(range(-3, 224 + 3 - 7 + 1, 2)) == 112
    assert str(compute("lora-parameters", r=16, d=10**9, k=4096)).endswith("= 16000065536")
    with pytest.raises(ValueError, match=r"d must be a whole number in 1..1000000000"):
        compute("lora-parameters", r=16, d=10**9 + 1, k=1)


@pytest.mark.parametrize(
    ("name", "numbers", "words"),
    [("kl-gaussians", {"mu_1": 0, "sigma_1": -1, "mu_2": 0, "sigma_2": 1},
      "sigma_1 must not be below 0, got -1"),
     ("fid-2d", {"a": -4, "b": 1, "c": 1, "d": 1, "r": 0}, "a must not be below 0, got -4 .first variance"),
     ("fid-2d", {"a": 4, "b": 1, "c": 1, "d": 1, "r": 2}, "no covariance is larger"),
     ("wiener-covariance", {"t_1": 3, "t_2": 2}, "t_1 <= t_2, got t_2 = 2, t_1 = 3"),
     ("ve-variance", {"sigma_1": 3, "sigma_2": 2}, "sigma_1 <= sigma_2"),
     ("speed-up", {"T": 10, "S": 20}, "S <= T"), ("nfe", {"T": 10, "S": 20}, "S <= T"),
     ("langevin-variance", {"sigma": 1, "a": 5}, "a < 4 sigma"),
     ("dit-tokens", {"I": 33, "p": 2}, "p divides I"),
     ("conv-output", {"I": 4, "F": 7, "P": 1, "S": 1}, "lie within"),
     ("conv-output", {"I": 9, "F": 7, "P": -1, "S": 1}, "P >= 0"),
     ("ssim", {"mu_1": 1, "mu_2": 1, "sigma_1": 1, "sigma_2": 1, "cov": -2, "C_1": 1, "C_2": 1},
      "no covariance is larger"),
     ("ddim-family-mean", {"beta": [0.1, 0.2], "t": 2, "x_0": 1, "eps": 1, "sigma": 0.9}, "sigma <= sqrt"),
     ("ddim-skip", {"beta": [0.1, 0.2, 0.3], "tau": [1, 1, 3], "x_t": 1, "eps_hat": 1},
      "tau must ascend, each time once"),
     ("ddim-skip", {"beta": [0.1, 0.2, 0.3], "tau": [3, 1], "x_t": 1, "eps_hat": 1}, "tau must ascend"),
     ("logit-normal", {"t": 0, "mu": 0, "sigma": 1}, "has no value for these numbers: .* is not defined")],
)  # fmt: skip
def test_numbers_that_cannot_be_are_refused_with_the_reason(name, numbers, words):
    with pytest.raises(ValueError, match=words):
        compute(name, **numbers)


def test_every_limit_belongs_to_an_entry_and_its_own_cases_keep_it():
    for name in {name for name, _, _ in LIMITS}:
        for case in list(round_cases(find(name)))[:6]:
            assert math.isfinite(worked(find(name), case).result)


def test_numbers_may_be_typed_as_people_type_them():
    listed = compute("ddim-skip", beta=[0.1, 0.2, 0.3], tau=[1, 3], x_t=1, eps_hat=2)
    assert str(compute("ddim-skip", beta="0.1, 0.2 ,.3", tau=" 1,3", xt=1, epshat=2)) == str(listed)
    assert compute("forward-closed-form", beta=[0.36], t=1, x0=1, eps=1).result == Fraction(7, 5)
    assert typed(["--beta", ".1, .2", "--x0=-1", "--eps-hat", "2"]) == {
        "beta": ".1, .2",
        "x0": "-1",
        "eps_hat": "2",
    }
    with pytest.raises(ValueError, match="--LETTER VALUE"):
        typed(["--t"])


def test_a_notebook_shows_the_formula_and_the_numbers():
    shown = compute("speed-up", T=1000, S=50)._repr_markdown_()
    assert shown.startswith(f"$${find('speed-up').latex}$$\n") and "T / S = 20" in shown


def test_flow_matching_s_time_is_a_number():
    assert compute("flow-path", t="1/4", x_0=-2, x_1=6).result == 0
    with pytest.raises(ValueError, match=r"t must lie in \[0, 1\]"):
        compute("flow-path", t=2, x_0=-2, x_1=6)
    assert check("flow-path", "x_0 + t(x_1 - x_0)")
    assert check("conditional-velocity", r"\frac{x_1 - x_t}{1-t}")


def test_compute_keeps_numbers_that_a_drawn_case_would_not_have():
    assert math.isclose(
        compute("isotropic-density", d=1, sigma=1, r=10).result, -50 - math.log(2 * math.pi) / 2
    )


def test_compute_shows_every_value_in_exact_fractions():
    steps = dict(compute("posterior-variance", beta=[0.1, 0.2, 0.3], t=2).steps)
    assert str(steps["(1 - alpha_bar[t - 1]) / (1 - alpha_bar[t]) * beta[t]"]) == "1/14"
    assert str(steps["1 - alpha_bar[t]"]) == "7/25"
    computed = compute("forward-closed-form", beta=[".1", ".2", ".3"], t=2, x_0="1.5", eps="-.5")
    assert math.isclose(computed.result, math.sqrt(0.72) * 1.5 - math.sqrt(0.28) * 0.5)
    assert "alpha_bar[1..3]" in str(computed)
    assert str(compute("forward-closed-form", beta=[0.36], t=1, x_0=1, eps=1).result) == "7/5"
    assert compute("sum-of-gaussians", a=3, b="1/2").result == 9.25
    # x_tilde = 2 follows, without a schedule
    assert compute("dsm-target", x=1, eps="1/2", sigma=2).result == -0.25
    assert compute("speed-up", T=1000, S=50).result == 20
    assert "T = 3; S = 2" in str(check("speed-up", "S / T"))


def test_a_statement_is_not_computed():
    with pytest.raises(ValueError, match="is a statement"):
        compute("markov")


@pytest.mark.parametrize(
    ("numbers", "words"),
    [({"t": 2}, "needs beta"), ({"beta": [0.1], "t": 2}, r"t must be a whole number in 1..1, got 2"),
     ({"beta": [1.5], "t": 1}, "in \\(0, 1"), ({"beta": [0.1]}, "needs t"),
     ({"beta": [0.1], "t": 1, "w": 1}, "takes no 'w'"), ({"beta": ["x"], "t": 1}, "must be a number"),
     ({"beta": [], "t": 1}, "1 to 1000"), ({"beta": ["nan"], "t": 1}, "must be a number"),
     ({"beta": ["1e-99999999"], "t": 1}, "must be a number"), ({"beta": ["1/0"], "t": 1}, "must be a number"),
     ({"alpha": [0.5], "t": 1}, "takes no 'alpha'")],
)  # fmt: skip
def test_compute_says_what_is_missing_or_impossible(numbers, words):
    with pytest.raises(ValueError, match=words):
        compute("posterior-variance", **numbers)
