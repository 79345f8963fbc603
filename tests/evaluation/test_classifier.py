"""classifier and evaluation: the judge is judged first, on what it has not seen."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from support import DELTA, assert_gradient, numerical_gradient, seeds

from minidiff import data
from minidiff.evaluation import judge as evaluation
from minidiff.evaluation.classifier import Classifier, backward, cross_entropy, forward, learn
from minidiff.noise import JUDGE, stream
from minidiff.schedule import linear_scaled

DIGITS = data.digits()


@pytest.fixture(scope="module")
def judge():
    return learn(DIGITS.x, DIGITS.label, DIGITS.shape)


@given(seeds)
def test_cross_entropy_by_its_definition_and_differences(seed):
    rng = np.random.default_rng(seed)
    logits, label = 3 * rng.standard_normal((4, 5)), rng.integers(0, 5, 4)
    loss, dlogits = cross_entropy(logits, label)
    p = [math.exp(z[k]) / sum(math.exp(v) for v in z) for z, k in zip(logits, label)]
    assert abs(loss + np.mean(np.log(p))) < 1e-12
    numerical = numerical_gradient(lambda: cross_entropy(logits, label)[0], logits)
    assert np.abs(numerical - dlogits).max() <= 1e-9 and np.abs(dlogits.sum(axis=1)).max() < 1e-15


def test_cross_entropy_of_certainty_does_not_overflow():
    loss, dlogits = cross_entropy(np.array([[1e4, 0.0], [1e4, 0.0]]), np.array([0, 1]))
    assert loss == 5e3 and np.array_equal(dlogits, [[0, 0], [0.5, -0.5]])


@given(seeds)
def test_backward_by_every_parameter(seed):
    rng = np.random.default_rng(seed)
    sizes = {"W_1": (3, 4), "b_1": 4, "W_2": (4, 4), "b_2": 4, "W_3": (4, 3), "b_3": 3}
    params = {k: rng.standard_normal(s) for k, s in sizes.items()}
    x, label = rng.standard_normal((5, 3)), rng.integers(0, 3, 5)
    logits, features, cache = forward(params, x)
    grads = backward(cross_entropy(logits, label)[1], cache)
    assert grads.keys() == params.keys() and features.shape == (5, 4)
    assert np.allclose(features @ params["W_3"] + params["b_3"], logits, rtol=1e-14)
    for k, w in params.items():
        assert_gradient(grads[k], lambda: cross_entropy(forward(params, x)[0], label)[0], w)


def test_it_reads_the_digits_that_it_has_not_seen(judge):
    """Its own number, and the same from the rows that were held out, found again by the stream that chose them."""
    held = stream(0, JUDGE, 2).permutation(len(DIGITS.x))[: len(DIGITS.x) // 5]
    # one error in a hundred is 4 of 359 rows: 22 and more, above 6 %, come once in 3e9 (Poisson)
    assert judge.accuracy >= 0.94 and judge.accuracy == np.mean(judge.label(DIGITS.x[held]) == DIGITS.label[held])
    assert judge.features(DIGITS.x[:3]).shape == (3, 192)


def test_its_accuracy_is_not_that_of_a_good_memory():
    """Labels by chance cannot be known: of 80 held-out rows at most half and sqrt(log(1 / delta) / 160) (Hoeffding)."""
    rng = np.random.default_rng(0)
    x, label = rng.standard_normal((400, 16)).astype(np.float32), rng.integers(0, 2, 400)
    made = learn(x, label, (4, 4), steps=1000, width=64)
    assert np.mean(made.label(x) == label) > 0.75  # four fifths of them it has learnt by heart
    assert made.accuracy <= 0.5 + math.sqrt(math.log(1 / DELTA) / 160)


def test_the_same_seed_makes_the_same_judge():
    a, b, c = (learn(DIGITS.x[:50], DIGITS.label[:50], (8, 8), seed, steps=5, width=8).params for seed in (1, 1, 2))
    assert all(np.array_equal(a[k], b[k]) for k in a) and not np.array_equal(a["W_1"], c["W_1"])


@pytest.mark.parametrize(("rows", "label"), [(20, None), (20, DIGITS.label[:19]), (9, DIGITS.label[:9]), (20, 3)])
def test_too_few_rows_or_labels_are_named(rows, label):
    with pytest.raises(ValueError, match="one label a row and ten rows"):
        learn(DIGITS.x[:rows], label, (8, 8))


def a_run(eps_theta):
    return SimpleNamespace(schedule=linear_scaled(40), shape=(8, 8), eps_theta=lambda: eps_theta)


@pytest.fixture
def judged(judge, monkeypatch):
    """What judge_pictures says of samples, with the judge that is there already."""
    monkeypatch.setattr(evaluation, "learn", lambda *_: judge)
    return lambda x_0, wish=(): evaluation.judge_pictures(x_0, wish, DIGITS, a_run(lambda x_t, t: 0 * x_t), 0)


def test_real_digits_pass_and_noise_does_not(judged):
    """600 real ones lie about as far as their floor; noise of their mean and spread a pixel is far beyond it."""
    rng = np.random.default_rng(1)
    rows = rng.permutation(len(DIGITS.x))[:600]
    real = judged(DIGITS.x[rows], (DIGITS.label[rows], 1.0))
    noise = DIGITS.x.mean(axis=0) + DIGITS.x.std(axis=0) * rng.standard_normal((600, 64))
    fake = judged(noise.astype(np.float32))
    assert list(real["frechet"]) == ["pixels", "32 principal components", "classifier's last layer"] and real["n"] == 600
    for f, v in real["frechet"].items():
        # the halves of a floor share no row, the samples share some with the data: never more than a few floors apart
        assert 0 < v["distance"] < 2 * v["floor"] and fake["frechet"][f]["distance"] > 4 * fake["frechet"][f]["floor"]
    assert real["classifier"]["agreement"] >= 0.97 and "agreement" not in fake["classifier"]
    assert sum(real["classifier"]["classes"]) == 600 and min(real["classifier"]["classes"]) > 30
    assert fake["to_the_nearest"]["samples"] > fake["to_the_nearest"]["data"]
    text = evaluation.pictures_text(real)
    assert "real against real" in text and "agrees with the label asked for" in text
    text.encode("cp1252")
    assert "agrees" not in evaluation.pictures_text(fake)


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
    nothing = evaluation.denoising(a_run(lambda x_t, t: 0 * x_t), x_0, np.random.default_rng(0))
    noise = np.random.default_rng(0).standard_normal(x_0.shape, np.float32)
    perfect = evaluation.denoising(a_run(lambda x_t, t: noise), x_0, np.random.default_rng(0))
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
        mine = data.Dataset("mine", rng.uniform(-1, 1, (40, d)).astype(np.float32), shape)
        run = SimpleNamespace(schedule=linear_scaled(40), shape=shape, eps_theta=lambda: lambda x_t, t: 0 * x_t)
        j = evaluation.judge_pictures(mine.x[:10], (), mine, run, 0)
        assert "classifier" not in j and ("denoising" in j) == (len(shape) == 2) and j["n"] == 10
        assert evaluation.pictures_text(j)


def test_a_classifier_is_what_its_parameters_say():
    params = {"W_1": np.eye(2), "b_1": np.zeros(2), "W_2": np.eye(2), "b_2": np.zeros(2), "W_3": np.eye(2), "b_3": np.zeros(2)}
    assert np.array_equal(Classifier(params, 1.0).label(np.array([[3.0, 1.0], [1.0, 3.0]])), [0, 1])
