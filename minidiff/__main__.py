"""The command minidiff, also as python -m minidiff: the command line, and what the room learn adds to it."""

import sys

from . import learn
from .cli import parser as line


def parser():
    """All commands."""
    return line.parser((learn.__name__, learn.COMMANDS))


def main(argv=None):
    """The command line; returns the exit status."""
    return line.main(argv, parser)


if __name__ == "__main__":
    sys.exit(main())
