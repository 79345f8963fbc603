"""The formula sheet: every formula of the course, measured by a road that does not use it.

    language    the small safe language in which a formula is typed
    entry       what an entry is, and the numbers it is tried on
    oracles     Bayes on a grid, quadrature, simulated chains, finite differences
    lecture1    ... to lecture8: the entries
    verdict     what a judgement looks like
    check       is a student's own formula right?
    compute     a formula with one's own numbers
    verify      the sheet itself, measured
    quiz        questions with numbers, whose distractors are real slips
    explain     all that is known of an entry, in words and as curves
    dictionary  every paper's letters, converted both ways

SHEET holds the entries in the course's order; find(name) is one of them.
"""

import difflib

from . import lecture1, lecture2, lecture3, lecture4, lecture5, lecture6, lecture7, lecture8
from .entry import Formula

__all__ = ["SHEET", "Formula", "find"]
LECTURES = (lecture1, lecture2, lecture3, lecture4, lecture5, lecture6, lecture7, lecture8)
SHEET = sorted((f for lecture in LECTURES for f in lecture.ENTRIES), key=lambda f: f.number)


def find(name):
    """The entry of that name, in small letters or large. Raises ValueError with the names that come close."""
    known, lower = {f.name: f for f in SHEET}, str(name).lower().replace("_", "-")
    if lower in known:
        return known[lower]
    words = set(lower.split("-"))
    close = [*difflib.get_close_matches(lower, known, n=3), *(n for n in known if words & set(n.split("-")))]
    close = list(dict.fromkeys(close))[:6]
    near = f"did you mean {', '.join(close)}?" if close else "minidiff show lists them"
    raise ValueError(f"there is no formula named {name!r}; {near}")
