"""names: a name, and what it stands for."""

import numpy as np
import pytest
from support import coarse

from minidiff import sampling, schedule
from minidiff.fast.sampling import coefficients
from minidiff.runs.names import (
    DATA_SETS,
    MIXTURES,
    OBJECTIVES,
    POINTS,
    SCHEDULES,
    STRAIGHT,
    TIMES,
    WEIGHTS,
    goal_of,
    load,
    names_of,
    network_of,
    sampler,
    schedule_of,
)

S = coarse()


@pytest.mark.parametrize("name", DATA_SETS)
def test_every_data_set(name):
    d = load(name, 1)
    assert d.name == name and d.x.dtype == np.float32 and d.x.ndim == 2 and np.isfinite(d.x).all()
    assert d.x.shape[1] == np.prod(d.shape) and len(d.x) >= 1797
    assert np.array_equal(d.x, load(name, 1).x)
    assert 0.5 < (d.x**2).mean() < 1.2  # comparable to the noise
    if name in POINTS or name in MIXTURES:
        assert not np.array_equal(d.x, load(name, 2).x)
    if d.label is not None:
        assert d.label.shape == (len(d.x),)


@pytest.mark.parametrize("size", [7, 33])
def test_glyphs_of_other_sizes_are_refused(size):
    with pytest.raises(ValueError, match=rf"8..32, got {size}"):
        load(f"glyphs-{size}")


@pytest.mark.parametrize("name", ["moon", "", "glyphs-x", "x.txt", "/"])
def test_unknown_data_lists_the_known(name):
    with pytest.raises(ValueError, match=r"unknown data .*mixture, .*moons, .*digits, glyphs"):
        load(name)


@pytest.mark.parametrize(
    ("typed", "meant"), [("moon", "moons"), ("swiss_roll", "swiss-roll"), ("digit", "digits")]
)
def test_a_data_set_is_guessed(typed, meant):
    with pytest.raises(ValueError, match=rf"unknown data '{typed}'; did you mean {meant}\?"):
        load(typed)


def test_a_sampler_is_what_was_asked_for():
    """Its three coefficients from t = 4 to s = 2 are those of the step."""
    for options, step in (
        ({"name": "ddpm"}, sampling.ddpm_step()),
        ({"name": "ddpm", "var": "beta"}, sampling.ddpm_step(sampling.beta_of_step)),
        ({"name": "ddpm", "var": "gaussian-optimal", "data_var": lambda: 0.3},
         sampling.ddpm_step(sampling.gaussian_optimal(0.3))),
        ({"name": "ddim"}, sampling.ddim_step()), ({"name": "ddim", "eta": 0.5}, sampling.ddim_step(0.5)),
    ):  # fmt: skip
        read, drawn = coefficients(sampler(**options).step, S, 4, 2)
        expected, as_often = coefficients(step, S, 4, 2)
        assert np.array_equal(read, expected) and drawn == as_often
    labels = [
        sampler(**options).label
        for options in ({"name": "ddpm"}, {"name": "ddim"}, {"name": "ddim", "eta": 0.5})
    ]
    assert labels == ["ddpm", "ddim(eta=0)", "ddim(eta=0.5)"]
    straight = [sampler("rk4", straight=on) for on in (False, True)]
    assert [how.label for how in straight] == ["rk4", "flow rk4"]
    # where it walks the flow's own path there is no step on a schedule
    assert straight[0].step and straight[1].step is None
    assert straight[1].sampler is STRAIGHT["rk4"]
    assert sampler("dpm-solver++").step is None


def test_a_sampler_has_its_own_number_of_steps():
    assert [len(sampler(name).times(1000, None, "trailing")) - 1 for name in ("ddpm", "ddim", "heun")] == [
        1000,
        50,
        25,
    ]
    assert len(sampler("ddim").times(20, None, "trailing")) == 21  # there are no more
    assert sampler("ddim").times(100, 2, "leading").tolist() == [51, 1, 0]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: sampler("magic"), "unknown sampler 'magic'; known are ddpm, ddim, euler"),
        (
            lambda: sampler("ddpm", var="alpha"),
            "unknown var 'alpha'; known are beta-tilde, beta, gaussian-optimal",
        ),
        (lambda: sampler("heun", var="beta"), "--var means nothing to heun"),
        (lambda: sampler("ddpm", eta=0.5), "--eta means nothing to ddpm"),
        (lambda: sampler("ddim", eta=1.5), "eta must lie"),
        (lambda: goal_of("sigma", "simple", "uniform"), "unknown objective 'sigma'"),
        (lambda: schedule_of("linear", 0), "T must be at least 1, got 0"),
        (lambda: schedule_of("linear", 2.5), "T must be at least 1, got 2.5"),
        (lambda: schedule_of("cosin", 10), "did you mean cosine"),
        (lambda: network_of("mlp", d=0), "d must be a whole number of at least 1, got 0"),
        (lambda: network_of("mlp", d=2, width=2.5), "width must be a whole number of at least 1, got 2.5"),
        (lambda: network_of("mlp", d=2, depth=-1), "depth must be a whole number of at least 0, got -1"),
        (lambda: network_of("mlp", d=2, time_dim=5), "time_dim must be a multiple of 2"),
        (lambda: network_of("unet", size=28, depth=3), r"size must be a multiple of 8 \(2\^depth\), got 28"),
        (lambda: network_of("unet", size=8, width=6), r"width must be a multiple of 4 \(groups\), got 6"),
        (lambda: network_of("unet", size="8"), "size must be a whole number of at least 1, got '8'"),
    ],
)
def test_bad_names_are_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_a_goal_has_its_names_back():
    for objective in OBJECTIVES:
        for weight in WEIGHTS:
            for times in TIMES:
                goal = goal_of(objective, weight, times, warmup=7, drop=0.2)
                assert goal_of(**names_of(goal)) == goal and names_of(goal)["objective"] == objective


def test_schedules_go_by_their_functions_names():
    for name, make in SCHEDULES.items():
        assert make is getattr(schedule, name.replace("-", "_"))
