"""samples: real digits pass, noise does not, copies are found; a perfect network is as likely as perfect."""

import math
from contextlib import nullcontext
from types import SimpleNamespace

import numpy as np
import pytest
from support import coarse

from minidiff import data
from minidiff.continuous.process import continuous
from minidiff.evaluation import samples
from minidiff.exact import Mixture
from minidiff.schedule import linear_scaled

X, SHOWN = data.digits()
DIGITS = SimpleNamespace(x=X, label=SHOWN, shape=(8, 8))  # of runs' data sets, what is asked for here


def a_run(eps_theta):
    return SimpleNamespace(schedule=linear_scaled(40), shape=(8, 8), eps_theta=lambda: eps_theta)


@pytest.fixture
def judged(reader, monkeypatch):
    """What judge_pictures says of samples, with the judge that is there already."""
    monkeypatch.setattr(samples, "learn", lambda *_: reader)
    return lambda x_0, wish=(): samples.judge_pictures(x_0, wish, DIGITS, a_run(lambda x_t, t: 0 * x_t), 0)


def test_real_digits_pass_and_noise_does_not(judged):
    """600 real ones lie about as far as their floor; noise of their mean and spread is far beyond it."""
    rng = np.random.default_rng(1)
    rows = rng.permutation(len(DIGITS.x))[:600]
    real = judged(DIGITS.x[rows], (DIGITS.label[rows], 1.0))
    noise = DIGITS.x.mean(axis=0) + DIGITS.x.std(axis=0) * rng.standard_normal((600, 64))
    fake = judged(noise.astype(np.float32))
    assert list(real["frechet"]) == ["pixels", "32 principal components", "classifier's last layer"]
    assert real["n"] == 600
    for f, v in real["frechet"].items():
        # the halves of a floor share no row, the samples share some with the data: at most a few floors apart
        assert 0 < v["distance"] < 2 * v["floor"]
        assert fake["frechet"][f]["distance"] > 4 * fake["frechet"][f]["floor"]
    assert real["classifier"]["agreement"] >= 0.97 and "agreement" not in fake["classifier"]
    assert sum(real["classifier"]["classes"]) == 600 and min(real["classifier"]["classes"]) > 30
    assert fake["to_the_nearest"]["samples"] > fake["to_the_nearest"]["data"]


def test_what_was_learnt_by_heart_is_found(judged):
    """Training pictures with a trace of noise: each finds its own, at a distance of about 0.01 sqrt(64)."""
    rows = np.random.default_rng(0).permutation(len(DIGITS.x))[:40]
    noise = 0.01 * np.random.default_rng(1).standard_normal((40, 64))
    j = judged((DIGITS.x[rows] + noise).astype(np.float32))
    assert np.array_equal(j["nearest"], rows)
    assert 0.04 < j["to_the_nearest"]["samples"] < 0.16 < j["to_the_nearest"]["data"]


def test_denoising_says_what_one_evaluation_recovers():
    """With the noise itself it is everything, with the answer 0 nothing: x_t / sqrt(ab_t)."""
    x_0 = DIGITS.x[:50]
    t = int(np.argmin(np.abs(linear_scaled(40).alpha_bar - 0.5)))
    nothing = samples.denoising(a_run(lambda x_t, t: 0 * x_t), x_0, np.random.default_rng(0))
    noise = np.random.default_rng(0).standard_normal(x_0.shape, np.float32)
    perfect = samples.denoising(a_run(lambda x_t, t: noise), x_0, np.random.default_rng(0))
    assert nothing["t"] == t
    for name in ("psnr", "ssim"):
        assert nothing[name] == pytest.approx(nothing[f"{name}_of_x_t"], rel=1e-5)
    assert perfect["psnr"] > 100 and perfect["ssim"] > 1 - 1e-6
    # x_t / sqrt(ab_t) - x_0 is noise of variance (1 - ab) / ab, values span 2
    ratio = (1 - linear_scaled(40).alpha_bar[t]) / linear_scaled(40).alpha_bar[t]
    assert abs(nothing["psnr"] - 10 * math.log10(4 / ratio)) < 1


def test_pictures_without_labels_or_in_colour_are_judged_by_what_there_is():
    rng = np.random.default_rng(0)
    for shape in ((4, 4), (4, 4, 3)):
        d = math.prod(shape)
        x = rng.uniform(-1, 1, (40, d)).astype(np.float32)
        mine = SimpleNamespace(x=x, label=None, shape=shape)
        run = SimpleNamespace(
            schedule=linear_scaled(40), shape=shape, eps_theta=lambda: lambda x_t, t: 0 * x_t
        )
        j = samples.judge_pictures(mine.x[:10], (), mine, run, 0)
        assert "classifier" not in j and ("denoising" in j) == (len(shape) == 2) and j["n"] == 10


def test_network_and_perfect_denoiser_are_judged_on_the_same_noise():
    """A perfect network: term by term the two differ by rounding, not luck; the ODE's by its end, N(0, I)."""
    mixture, schedule = Mixture([0.4, 0.6], [[-0.9], [0.7]], [[[0.2]], [[0.3]]]), coarse()
    rows = SimpleNamespace(x=mixture.sample(20, np.random.default_rng(0)), mixture=mixture, levels=None)
    eps_theta = mixture.eps_theta(continuous(schedule))
    run = SimpleNamespace(
        schedule=schedule, model=SimpleNamespace(d=1), scale=1.0, eps_theta=lambda: eps_theta
    )
    silent = nullcontext(SimpleNamespace(update=lambda n=1: None))
    found = samples.likelihood(run, rows, 20, 0, lambda *what: silent)
    assert np.array_equal(found["network"]["terms"], found["exact"]["terms"])
    apart = found["network"]["ode"] - found["exact"]["ode"]
    # both walk the same path, so all that differs is the density at its end: sums of 20 numbers of size 1
    assert abs(apart - found["exact"]["wrong_end"]) < 1e-13 and abs(apart) > 1e-3
    # the flow's likelihood of x_1 is the mixture's but for Runge-Kutta's 100 steps: below 1e-3 as in test_sde
    assert abs(found["exact"]["ode"] - found["truth_at_1"]) < 1e-3 < abs(found["truth"] - found["truth_at_1"])
