"""classifier: judged itself first, on what it has not seen."""

import math

import numpy as np
import pytest
from hypothesis import given
from support import DELTA, assert_gradient, numerical_gradient, seeds

from minidiff import data
from minidiff.evaluation.classifier import Classifier, backward, cross_entropy, forward, learn
from minidiff.evaluation.metrics import JUDGE
from minidiff.noise import stream

DIGITS, SHOWN = data.digits()


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


def test_it_reads_the_digits_that_it_has_not_seen(reader):
    """Its own number, and the same from the rows that were held out, by the stream that chose them."""
    held = stream(0, JUDGE, 2).permutation(len(DIGITS))[: len(DIGITS) // 5]
    # one error in a hundred is 4 of 359 rows: 22 and more, above 6 %, come once in 3e9 (Poisson)
    assert reader.accuracy >= 0.94 and reader.accuracy == np.mean(reader.label(DIGITS[held]) == SHOWN[held])
    assert reader.features(DIGITS[:3]).shape == (3, 192)


def test_its_accuracy_is_not_that_of_a_good_memory():
    """Labels by chance cannot be known: of 80 held-out rows half + sqrt(log(1 / delta) / 160) (Hoeffding)."""
    rng = np.random.default_rng(0)
    x, label = rng.standard_normal((400, 16)).astype(np.float32), rng.integers(0, 2, 400)
    made = learn(x, label, (4, 4), steps=1000, width=64)
    assert np.mean(made.label(x) == label) > 0.75  # four fifths of them it has learnt by heart
    assert made.accuracy <= 0.5 + math.sqrt(math.log(1 / DELTA) / 160)


def test_the_same_seed_makes_the_same_judge():
    a, b, c = (learn(DIGITS[:50], SHOWN[:50], (8, 8), seed, steps=5, width=8).params for seed in (1, 1, 2))
    assert all(np.array_equal(a[k], b[k]) for k in a) and not np.array_equal(a["W_1"], c["W_1"])


@pytest.mark.parametrize(("rows", "label"), [(20, None), (20, SHOWN[:19]), (9, SHOWN[:9]), (20, 3)])
def test_too_few_rows_or_labels_are_named(rows, label):
    with pytest.raises(ValueError, match="one label a row and ten rows"):
        learn(DIGITS[:rows], label, (8, 8))


def test_a_classifier_is_what_its_parameters_say():
    params = {f"W_{k}": np.eye(2) for k in (1, 2, 3)} | {f"b_{k}": np.zeros(2) for k in (1, 2, 3)}
    assert np.array_equal(Classifier(params, 1.0).label(np.array([[3.0, 1.0], [1.0, 3.0]])), [0, 1])
