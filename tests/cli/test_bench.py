"""The benchmark's tasks do what they say, and refuse to time what is wrong. Nothing here looks at a clock."""

import json

import numpy as np
import pytest

from minidiff.cli import bench
from minidiff.cli import parser as cli
from minidiff.fast import kernels

DATA = np.random.default_rng(0).standard_normal((100, 2)).astype(np.float32)


def small_tasks():
    jump, chain = bench._noising(3200)
    return {
        "normals, float32": (bench._normals(4000), 4000, "normals/s", 0),
        "noising in one jump": (jump, 3200, "points/s", 0),
        "noising along the chain": (chain, 32 * bench.T, "point-steps/s", 0),
        "training step, batch 32": (bench._training_step(32, DATA), 20, "steps/s", 1e6),
        "DDPM, 1 x 1000 steps": (bench._sampling(1), 1000, "row-steps/s", 1e6),
    }


def test_bench_command(capsys, monkeypatch):
    monkeypatch.setattr(bench, "tasks", small_tasks)
    monkeypatch.setattr(bench, "startup", lambda: {"--help": 0.1})
    monkeypatch.setattr(cli.os, "environ", cli.os.environ.copy())
    assert cli.main(["bench", "--repeats", "1", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in result["work"]] == list(small_tasks())
    assert all(row["rate"] > 0 for row in result["work"]) and result["limits"]["blas_gflops"] > 0
    assert ["share_of_blas" in row for row in result["work"]] == [False, False, False, True, True]
    assert cli.main(["bench", "--repeats", "1"]) == 0
    assert "of one core's BLAS" in capsys.readouterr().out


def test_tasks_are_taken_in_turn():
    order = []
    medians = bench.interleaved({"a": lambda: order.append("a"), "b": lambda: order.append("b")}, 3)
    assert order == ["a", "b"] * 4 and set(medians) == {"a", "b"}


@pytest.mark.parametrize(
    ("kernel", "build"),
    [("normals32", lambda: bench._normals(100)), ("noise_jump", lambda: bench._noising(3200)),
     ("noise_chain", lambda: bench._noising(3200)), ("silu_backward", lambda: bench._training_step(32, DATA)),
     ("mlp_chain", lambda: bench._sampling(1))],
)  # fmt: skip
def test_a_wrong_result_is_not_timed(monkeypatch, kernel, build):
    right = getattr(kernels, kernel)

    def wrong(*args):
        answer = right(*args)
        out = args[-1] if answer is None else answer  # what it filled, or returned
        out *= 1.01
        return answer

    build()
    monkeypatch.setattr(kernels, kernel, wrong)
    with pytest.raises(AssertionError):
        build()


def test_repeats_must_be_positive(capsys):
    assert cli.main(["bench", "--repeats", "0"]) == 2
    assert "repeats must be at least 1, got 0" in capsys.readouterr().err
