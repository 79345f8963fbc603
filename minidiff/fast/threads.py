"""Runs blocks of rows in parallel threads.

The blocks are cut by size, never by the number of threads, and no sum crosses a block in an order that
depends on who finished first: results are the same bits for any number of threads. BLAS gets one thread of
its own, or it would fight for the same cores: the command line says so before NumPy loads, and
`one_blas_thread` where it was loaded already.
"""

import ctypes
import os
import threading
from concurrent.futures import ThreadPoolExecutor, wait
from functools import cache
from pathlib import Path

import numpy as np


def count():
    """How many threads to use: the environment variable MINIDIFF_THREADS, else all usable cores up to
    8."""
    wanted = os.environ.get("MINIDIFF_THREADS", "")
    if not wanted:
        usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        return min(usable, 8)
    if not wanted.isdigit() or int(wanted) < 1:
        raise ValueError(f"MINIDIFF_THREADS must be a whole number of at least 1, got {wanted!r}")
    return int(wanted)


@cache
def one_blas_thread():
    """Has the OpenBLAS that NumPy's wheels bring use one thread from now on. Another BLAS is not told."""
    home = Path(np.__file__).parent
    for library in [*home.parent.glob("numpy.libs/*openblas*"), *home.glob(".dylibs/*openblas*")]:
        blas = ctypes.CDLL(str(library))
        for name in (
            "scipy_openblas_set_num_threads64_",
            "scipy_openblas_set_num_threads",
            "openblas_set_num_threads",
        ):
            if hasattr(blas, name):
                getattr(blas, name)(1)


@cache
def _pool(n):
    return ThreadPoolExecutor(n, thread_name_prefix="minidiff")


def side_by_side(f, n, block):
    """[f(first, last) for the blocks of `block` rows that cover 0..n], on count() threads, one of
    them the caller's."""
    blocks = [(first, min(first + block, n)) for first in range(0, n, block)]
    answers = [None] * len(blocks)
    left = iter(range(len(blocks)))  # one for all: under Python's lock each block is taken once
    one_blas_thread()

    def work():
        try:
            for k in left:
                answers[k] = f(*blocks[k])
        finally:
            for _ in left:  # after an error or Ctrl-C: what has not begun will not
                pass

    others = min(count(), len(blocks)) - 1
    tasks = [_pool(others).submit(work) for _ in range(others)]
    try:
        work()
    finally:
        tasks = [task for task in tasks if not task.cancel()]
        wait(tasks)  # after an error too: nobody still writes
    for task in tasks:
        task.result()
    return answers


def summed(f, n, block):
    """The sums of the losses and gradients that f(first, last) gives, added up in the blocks' order."""
    losses, grads = zip(*side_by_side(f, n, block))
    total = grads[0]
    for g in grads[1:]:
        total += g
    return sum(losses), total


class Buffers(threading.local):
    """of(size): the buffers make(size), made once for each thread and size."""

    def __init__(self, make):
        self.of = cache(make)
