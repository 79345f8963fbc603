"""names: a name, and what it stands for."""

import numpy as np
import pytest
from support import coarse

from minidiff import sample, schedule
from minidiff.fast.sampling import coefficients
from minidiff.runs.names import (
    DATA_SETS,
    MIXTURES,
    OBJECTIVES,
    POINTS,
    SCHEDULES,
    TIMES,
    WEIGHTS,
    goal_of,
    load,
    names_of,
    sampler,
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
        ({"name": "ddpm"}, sample.ddpm()), ({"name": "ddpm", "var": "beta"}, sample.ddpm(sample.beta)),
        ({"name": "ddpm", "var": "gaussian-optimal", "data_var": lambda: 0.3},
         sample.ddpm(sample.gaussian_optimal(0.3))),
        ({"name": "ddim"}, sample.ddim()), ({"name": "ddim", "eta": 0.5}, sample.ddim(0.5)),
    ):  # fmt: skip
        assert np.array_equal(coefficients(sampler(**options).step, S, 4, 2), coefficients(step, S, 4, 2))
    labels = [
        sampler(**options).label
        for options in ({"name": "ddpm"}, {"name": "ddim"}, {"name": "ddim", "eta": 0.5})
    ]
    assert labels == ["ddpm", "ddim(eta=0)", "ddim(eta=0.5)"]
    straight = [sampler("rk4", straight=on) for on in (False, True)]
    assert [how.label for how in straight] == ["rk4", "flow rk4"]
    assert [how.on_velocity for how in straight] == [False, True]


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
