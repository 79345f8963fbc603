"""The command line as tests use it: a command's JSON, or the one line with which it refuses."""

import json
import os

from minidiff import cli


def run(*words):
    return cli.main([str(w) for w in words])


def answer(capsys, *words):
    """The JSON that a command prints, and nothing else on stdout."""
    assert run(*words, "--json") == 0
    return json.loads(capsys.readouterr().out)


def refused(capsys, *words, status=2):
    """The one line on stderr of a command that exits with 2 and writes nothing."""
    before = sorted(os.listdir())
    try:
        assert run(*words) == status
    except SystemExit as e:
        assert e.code == status
    out, err = capsys.readouterr()
    assert out == "" and len(err.strip().splitlines()) == 1 and "Traceback" not in err
    assert sorted(os.listdir()) == before
    return err
