"""Names that a person types, and the things they stand for."""

import difflib


def unknown(kind, known, name):
    """The ValueError for a name that is not known: it says the most similar one, and lists them."""
    near = difflib.get_close_matches(str(name).lower(), known, n=1, cutoff=0.7)
    meant = f"did you mean {near[0]}? " if near else ""
    return ValueError(f"unknown {kind} {name!r}; {meant}known are {', '.join(known)}")


def pick(kind, known, name):
    """known[name]. Raises ValueError for another one: see unknown."""
    if name not in known:
        raise unknown(kind, known, name)
    return known[name]
