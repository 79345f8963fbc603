"""batches: what training sees is a function of seed and step; each epoch shows each row once."""

import math
import tracemalloc
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import DELTA, seeds

from minidiff.continuous.flow import Straight
from minidiff.pictures.unet import UNet
from minidiff.runs.batches import CHUNK, Goal, batches, check, probabilities, rows_at, time_of, uniform
from minidiff.runs.datasets import Rows
from minidiff.runs.names import TIMES, load
from minidiff.schedule import linear_scaled

S = linear_scaled(50)
X = load("moons").x[:500]
UNET = UNet(4, width=4, depth=1, labels=3)
NUMBER = np.arange(30)
LABEL = (NUMBER % 3).astype(np.uint8)
PICTURES = np.random.default_rng(0).standard_normal((30, 16)).astype(np.float32)


def test_batches_depend_on_seed_and_step_alone():
    from_0 = batches(X, S, 5, 0, 8)
    for _ in range(CHUNK + 3):
        next(from_0)
    for a, b in zip(next(from_0), next(batches(X, S, 5, CHUNK + 3, 8))):
        assert np.array_equal(a, b)
    x_0, t, eps = next(batches(X, S, 6, 0, 5000))
    assert x_0.shape == eps.shape == (5000, 2) and t.min() == 1 and t.max() == S.T
    assert not np.array_equal(t[:8], next(batches(X, S, 5, 0, 8))[1])


def test_paired_noise_stays_with_its_row():
    """For reflow: row i of the data always comes with row i of the noise; fresh noise does not."""
    noise = 100 * X + 7
    paired, fresh = batches(X, S, 5, 3, 8, noise=noise), batches(X, S, 5, 3, 8)
    for (x_0, t, eps), (same_x, same_t, other) in zip(paired, fresh):
        assert np.array_equal(eps, 100 * x_0 + 7)
        assert np.array_equal(x_0, same_x) and np.array_equal(t, same_t) and not np.array_equal(eps, other)
        if t[0] > 40:
            break


@settings(max_examples=50)
@given(seeds, st.integers(1, 60), st.integers(1, 70), st.integers(0, 40))
def test_no_row_twice_before_all_were_seen(seed, n, batch, first):
    """Epoch e is the places e n..(e + 1) n - 1 of the steps put end to end, wherever one begins to read."""
    steps = range(first, first + 2 + 3 * n // batch)
    seen = np.concatenate([rows_at(step, seed, n, batch) for step in steps])
    skip = -first * batch % n  # what is left of the epoch that was running
    whole = seen[skip : skip + (len(seen) - skip) // n * n].reshape(-1, n)
    assert len(seen) == batch * len(steps) and len(whole) >= 1
    assert len(set(seen[:skip].tolist())) == skip
    assert np.array_equal(np.sort(whole, axis=1), np.broadcast_to(np.arange(n), whole.shape))


def test_batches_walk_through_the_epochs():
    """The rows themselves, 7 of 30 a step: across the borders of chunks, and entered in the middle."""
    number = NUMBER[:, None].astype(np.float32)
    steps = 3 * CHUNK
    seen = [x_0[:, 0] for x_0, *_ in islice(batches(number, S, 5, 0, 7), steps)]
    for epoch in np.concatenate(seen)[: steps * 7 // 30 * 30].reshape(-1, 30):
        assert np.array_equal(np.sort(epoch), NUMBER)
    for step in (1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK + 3):
        assert np.array_equal(next(batches(number, S, 5, step, 7))[0][:, 0], seen[step])


def test_the_order_is_a_function_of_seed_and_epoch():
    def epoch(seed, e):
        return rows_at(e, seed, 40, 40).tolist()  # a batch is an epoch

    assert epoch(1, 2) == epoch(1, 2)
    # 40! orders: two alike mean that something is not in their name
    assert len({tuple(epoch(seed, e)) for seed in range(5) for e in range(5)}) == 25


@pytest.mark.parametrize("wrong", [-1, 0.5, "10"])
def test_bad_warm_up_and_drop_are_named(wrong):
    with pytest.raises(ValueError, match="warmup must be"):
        Goal(warmup=wrong)
    for drop in (-0.1, 1.1, math.nan):
        with pytest.raises(ValueError, match=r"drop must lie in \[0, 1\]"):
            Goal(drop=drop)


class Asked:
    """Pictures (n, 4, 4) that are nowhere: counts how many rows it was asked for, and the most at once."""

    ndim, dtype = 3, np.dtype(np.float32)

    def __init__(self, n):
        self.n, self.asked, self.most = n, 0, 0

    def __len__(self):
        return self.n

    def __getitem__(self, index):
        rows = np.atleast_1d(np.arange(self.n)[index])
        self.asked, self.most = self.asked + len(rows), max(self.most, len(rows))
        return np.zeros((*np.shape(np.arange(self.n)[index]), 4, 4), np.float32)


def test_only_the_rows_of_the_batches_are_asked_for():
    raw = Asked(1000)
    rows = Rows(raw, 1.0, 0.0)
    check(rows, 16, 0, 10, 8, 1e-3)
    for x_0, _, _ in islice(batches(rows, S, 0, 0, 8), 10):
        assert x_0.shape == (8, 16)
    assert raw.most == 8 and raw.asked == 1 + 10 * 8  # one for the shape


def test_an_order_costs_8_bytes_a_row():
    """4 a row, twice while one epoch's order follows another's. 8 bytes a number, or two orders, are seen."""
    n, batch = 100_000, 150
    rows_at(0, 0, 10, 5)
    tracemalloc.start()
    for step in (0, 666, 667, 1333, 1334):  # 666 and 1333 hold an epoch's end
        rows_at(step, 0, n, batch)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak <= 8 * n + 2**16  # a batch's places and their epochs are a few times 8 * 150


def labels_seen(steps, drop=0.1):
    number = NUMBER[:, None].astype(np.float32)
    drawn = batches(number, S, 1, 0, 5000, label=LABEL, null=3, drop=drop)
    for x_0, _, _, y in islice(drawn, steps):
        yield x_0[:, 0].astype(int), y


def test_one_label_in_ten_is_dropped():
    """n = 80,000 independent drops: their share is 0.1 within sqrt(log(2 / delta) / (2 n)) (Hoeffding)."""
    rows, y = (np.concatenate(a) for a in zip(*labels_seen(CHUNK)))
    dropped = y == 3
    bound = math.sqrt(math.log(2 / DELTA) / (2 * len(y)))
    assert abs(dropped.mean() - 0.1) <= bound
    assert np.array_equal(y[~dropped], LABEL[rows[~dropped]])  # what is not dropped is the row's own
    for k in range(3):  # whatever the label was
        of_k = rows % 3 == k
        assert abs(dropped[of_k].mean() - 0.1) <= math.sqrt(math.log(2 / DELTA) / (2 * of_k.sum()))
    for drop, share in ((0.0, 0.0), (1.0, 1.0)):
        assert np.mean(next(labels_seen(1, drop))[1] == 3) == share


def test_256_labels_of_one_byte_have_room_for_none():
    label = np.arange(256, dtype=np.uint8)
    x = np.zeros((256, 1), np.float32)
    y = np.concatenate([b[3] for b in islice(batches(x, S, 0, 0, 256, label=label, null=256), 4)])
    assert y.max() == 256 and set(y.tolist()) == set(range(257))


@pytest.mark.parametrize(
    ("label", "words"),
    [
        (np.where(NUMBER == 7, 3, LABEL), r"label must hold 30 whole numbers in 0..2, got .* to 3"),
        (LABEL.astype(int) - 1, "got .* from -1"),
        (LABEL[:29], r"got .*\(29,\)"),
        (LABEL[:, None], r"got .*\(30, 1\)"),
        (LABEL.astype(float), "got float64"),
        (None, "label must be given for a model with labels"),
    ],
)
def test_labels_that_do_not_fit_are_named(label, words):
    with pytest.raises(ValueError, match=words):
        check(PICTURES, 16, 3, 1, 8, 1e-3, label)
    check(PICTURES, 16, 3, 1, 8, 1e-3, LABEL)


def test_labels_for_a_model_without_are_refused():
    with pytest.raises(ValueError, match="only then"):
        check(PICTURES, 16, 0, 1, 8, 1e-3, LABEL)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [({"steps": 0}, "steps must"), ({"batch": 0}, "batch must"), ({"lr": 0.0}, "lr must"),
     ({"lr": math.nan}, "lr must"), ({"batch": 2.5}, "batch must")],
)  # fmt: skip
def test_bad_settings_are_named(wrong, words):
    with pytest.raises(ValueError, match=words):
        check(X, 2, 0, **{"steps": 1, "batch": 8, "lr": 1e-3} | wrong)


def test_data_of_the_wrong_shape_is_named():
    for wrong in (X[:0], X[:, :1], X.ravel()):
        with pytest.raises(ValueError, match=r"data must have the shape \(N, 2\)"):
            check(wrong, 2, 0, 1, 8, 1e-3)


@given(st.integers(1, 300), st.floats(0, 1))
def test_a_part_of_the_way_is_the_step_it_falls_into(T, u):
    schedule = linear_scaled(T) if T > 20 else replace(linear_scaled(21), beta=np.zeros(T + 1))
    t = int(time_of(schedule, u))
    # step t holds ((t - 1) / T, t / T]; where T u rounds, a border may go to either side
    assert 1 <= t <= T and (t - 1) / T - 1e-12 <= u <= t / T + 1e-12


def test_on_the_straight_path_u_counts_from_noise():
    """The course's time: u = 0 is noise, which is T = 1000 here, and u = 1 is data."""
    assert time_of(Straight(), np.array([0.0, 0.25, 1.0])).tolist() == [1000.0, 750.0, 0.0]
    _, t, _ = next(batches(X, Straight(), 3, 0, 2000))
    assert t.dtype == np.float64 and 0 < t.min() < 10 and 990 < t.max() <= 1000


@pytest.mark.parametrize("name", TIMES)
@pytest.mark.parametrize("process", [S, Straight()], ids=["schedule", "straight"])
def test_probabilities_are_those_of_the_draws(name, process):
    """The two distributions agree within sqrt(log(2 / delta) / (2 n)) (DKW, Massart)."""
    t, P = probabilities(TIMES[name], process)
    assert len(t) == len(P) == 1000 and math.isclose(P.sum(), 1, rel_tol=1e-12) and P.min() >= 0
    drawn = time_of(process, TIMES[name].draw(np.random.default_rng(0), 100_000))
    bound = math.sqrt(math.log(2 / DELTA) / 2e5)
    for edge in np.linspace(0, process.T, 9):
        # a straight path's t stand in the middle of their thousandth, which is as much as is open here
        open_ = 0 if process is S else P.max()
        assert abs(np.mean(drawn <= edge) - P[t <= edge].sum()) <= bound + open_
    assert uniform is TIMES["uniform"]
