"""threads: blocks of rows, each once and in order."""

import os
import threading
import time

import pytest

from minidiff.fast import threads


@pytest.mark.parametrize("n_threads", [1, 2, 3])
def test_blocks_cover_all_rows_in_order(n_threads, monkeypatch):
    monkeypatch.setenv("MINIDIFF_THREADS", str(n_threads))
    assert threads.side_by_side(lambda i, j: (i, j), 10, 4) == [(0, 4), (4, 8), (8, 10)]
    assert threads.side_by_side(lambda i, j: (i, j), 3, 4) == [(0, 3)]


def test_an_error_in_a_block_reaches_the_caller(monkeypatch):
    monkeypatch.setenv("MINIDIFF_THREADS", "2")
    with pytest.raises(ZeroDivisionError):
        threads.side_by_side(lambda i, j: 1 // (i - 4), 10, 4)


def test_after_an_error_in_the_caller_nobody_still_works(monkeypatch):
    """The caller fails at once, the other takes its time: the error comes when that has ended, for good."""
    monkeypatch.setenv("MINIDIFF_THREADS", "2")
    caller, seen, begun = threading.get_ident(), [], threading.Event()

    def block(first, last):
        if threading.get_ident() == caller:
            assert begun.wait(10)
            raise KeyboardInterrupt
        begun.set()
        time.sleep(0.1)
        seen.append(first)

    with pytest.raises(KeyboardInterrupt):
        threads.side_by_side(block, 50, 1)
    assert len(seen) == 1


def test_number_of_threads(monkeypatch):
    monkeypatch.delenv("MINIDIFF_THREADS", raising=False)
    assert 1 <= threads.count() <= min(8, os.cpu_count())
    for wrong in ("0", "-1", "two", "1.5"):
        monkeypatch.setenv("MINIDIFF_THREADS", wrong)
        with pytest.raises(ValueError, match="MINIDIFF_THREADS must be a whole number of at least 1"):
            threads.count()
