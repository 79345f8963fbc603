"""progress: bars, and lines where there is no terminal."""

import os
import subprocess
import sys

import pytest
from command_line import SMALL, run

from minidiff.runs import progress


def test_without_a_terminal_long_work_says_a_line_every_ten_seconds(capsys, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    with progress.bar(40, "steps", "training") as bar:
        for at, n in ((9.9, 3), (10, 1), (19.9, 1), (25, 1), (34.9, 2), (35, 1)):
            now[0] = at
            bar.update(n)
            bar.set_postfix_str("error 0.5", False)
    assert capsys.readouterr().err.splitlines() == [f"training: {n}/40 steps, error 0.5" for n in (4, 6, 9)]


def test_lines_without_a_terminal_say_the_error_once_it_is_known(capsys, monkeypatch):
    monkeypatch.setattr(progress, "SAY_EVERY", 0)
    assert run("train", "--data", "moons", "--steps", "60", "--out", "p", *SMALL) == 0
    lines = capsys.readouterr().err.splitlines()
    assert lines[49] == "training: 49/60 steps" and lines[-1].startswith("training: 60/60 steps, error ")
    assert run("sample", "p", "--n", "40", "--steps", "4") == 0
    assert "160/160 row-steps" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")
def test_a_narrow_terminal_keeps_the_error():
    import fcntl
    import pty
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 40, 0, 0))
    words = "-m minidiff train --data moons --steps 2000 --out r".split()
    command = [sys.executable, *words, *SMALL]
    process = subprocess.Popen(command, stderr=theirs, stdout=subprocess.DEVNULL)
    os.close(theirs)
    shown = b""
    try:
        while part := os.read(ours, 4096):
            shown += part
    except OSError:  # Linux, when the other end is closed
        pass
    os.close(ours)
    bars = [part for part in shown.decode().split("\r") if part.startswith("training:")]
    assert process.wait() == 0 and all(len(part) <= 40 for part in bars)
    assert any("/2000, error 0." in part for part in bars)  # of 2000 steps, some are drawn after the first 50
