"""While a command works: how far it is, and a Ctrl-C that waits until a training step is finished and
saved."""

import signal
import sys
import time
from contextlib import nullcontext

from tqdm import tqdm

SAY_EVERY = 10  # seconds between two lines where there is no terminal for a bar


class Interrupt:
    """While entered, the first Ctrl-C only sets .asked; the second one stops."""

    asked = False

    def __enter__(self):
        self.before = signal.signal(signal.SIGINT, self._ask)
        return self

    def _ask(self, *_):
        self.asked = True
        signal.signal(signal.SIGINT, self.before)

    def __exit__(self, *_):
        signal.signal(signal.SIGINT, self.before)


class _Lines:
    """In a bar's place where there is no terminal: a line every SAY_EVERY seconds, so that short work says
    nothing."""

    def __init__(self, total, unit, what):
        self.what, self.of = what, f"/{total} {unit}" if total else f" {unit}"
        self.n, self.postfix, self.said = 0, "", time.monotonic()

    def set_postfix_str(self, text, refresh):
        self.postfix = f", {text}"

    def update(self, n=1):
        self.n += n
        if time.monotonic() - self.said >= SAY_EVERY:
            self.said = time.monotonic()
            print(f"{self.what}: {self.n}{self.of}{self.postfix}", file=sys.stderr, flush=True)


def bar(total, unit, what):
    """A progress bar on stderr. What matters stands first, as a narrow terminal cuts off the end."""
    if not sys.stderr.isatty():
        return nullcontext(_Lines(total, unit, what))
    form = "{desc}: {n_fmt}/{total_fmt}{postfix} {bar} {elapsed}<{remaining}, {rate_fmt}"
    return tqdm(
        total=total,
        unit=f" {unit}",
        desc=what,
        bar_format=form,
        dynamic_ncols=True,
        mininterval=0.2,
        leave=False,
    )
