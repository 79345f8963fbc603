"""The benchmark's tasks do what they say, and refuse to time what is wrong. Nothing here looks at a clock."""

import json
from pathlib import Path

import numpy as np
import pytest
from command_line import refused, run
from drawn import assert_readable

import minidiff
from minidiff.cli import bench
from minidiff.cli.pictures import limits_reached
from minidiff.fast import kernels
from minidiff.pictures import layers as images
from minidiff.pictures.unet import UNet
from minidiff.sampling import ddpm_step


def mlp_samples(rows):
    return bench.sampling(
        bench.MODEL, bench.MODEL.init(bench.stream(0, bench.BENCH)), rows, ddpm_step(), range(bench.T, -1, -1)
    )


def small_tasks():
    jump, chain = bench.noising(3200)
    return {
        "noising in one jump": (jump, 3200, "points/s", -32 * 3200),
        "noising along the chain": (chain, 32 * bench.T, "point-steps/s", 0),
        "training step, batch 32": (bench.training(bench.MODEL, 32, 2), 2, "steps/s", 1e6),
        "DDPM, 1 x 1000 steps": (mlp_samples(1), 1000, "row-steps/s", 1e6),
    }


def test_bench_command(capsys, monkeypatch):
    monkeypatch.setattr(bench, "tasks", small_tasks)
    assert run("bench", "--repeats", "1", "--json") == 0
    result = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in result["work"]] == list(small_tasks())
    assert all(row["rate"] > 0 for row in result["work"]) and result["limits"]["blas_gflops"] > 0
    assert ["share_of_blas" in row for row in result["work"]] == [False, False, True, True]
    assert ["share_of_copy" in row for row in result["work"]] == [True, False, False, False]
    assert run("bench", "--repeats", "1", "--plot", "b.png") == 0
    assert "of one core's BLAS" in capsys.readouterr().out and Path("b.png").read_bytes()[1:4] == b"PNG"


def test_a_picture_of_the_limits_is_readable_and_its_bars_are_the_shares():
    shares = {"DDPM, 1 x 1000 steps": (0.4, "40% of one core's BLAS"), "noising along the chain": (0.0, ""),
              "U-Net 8 x 8 x 16, training step, batch 64": (1.3, "130% of one core's BLAS")}  # fmt: skip
    fig = limits_reached(shares, "How near the machine's limit")
    assert_readable(fig)
    assert [bar.get_width() for bar in fig.axes[0].patches] == [0.4, 0.0, 1.3]


def test_the_unets_operations_are_those_of_its_layers(monkeypatch):
    """Counted while a picture goes forward: each product of a matrix by a row, a pixel or its neighbours."""
    unet, counted = UNet(8, width=8), []

    def counting(f):
        def wrapped(x, W, *rest):
            counted.append(2 * np.prod(x.shape[:-1]) * W.size)
            return f(x, W, *rest)

        return wrapped

    monkeypatch.setattr(images, "conv", counting(images.conv))
    monkeypatch.setattr(minidiff.pictures.unet, "linear", counting(minidiff.pictures.unet.linear))
    unet.forward(unet.init(np.random.default_rng(0)), np.zeros((1, 64), np.float32), np.array([3]))
    assert bench.flops_of(unet) == sum(counted)


def test_tasks_are_taken_in_turn():
    order = []
    medians = bench.interleaved({"a": lambda: order.append("a"), "b": lambda: order.append("b")}, 3)
    assert order == ["a", "b"] * 4 and set(medians) == {"a", "b"}


@pytest.mark.parametrize(
    ("kernel", "task"),
    [("noise_jump", lambda: bench.noising(3200)[0]), ("noise_chain", lambda: bench.noising(3200)[1]),
     ("mlp_gradients", lambda: bench.training(bench.MODEL, 32, 1)), ("mlp_chain", lambda: mlp_samples(1))],
)  # fmt: skip
def test_a_wrong_result_is_not_timed(monkeypatch, kernel, task):
    right = getattr(kernels, kernel)

    def wrong(*args):
        answer = right(*args)
        filled = [answer] if isinstance(answer, np.ndarray) else args[-1]  # what it returned, or filled
        for out in filled:
            out *= 1.01
        return answer

    task()()
    monkeypatch.setattr(kernels, kernel, wrong)
    with pytest.raises(AssertionError, match="disagree"):
        task()()


def test_repeats_must_be_positive(capsys):
    assert "repeats must be at least 1, got 0" in refused(capsys, "bench", "--repeats", "0")
