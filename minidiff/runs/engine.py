"""The room fast/, loaded where it is used: runs by the readable code alone never ask for it."""


def engine():
    """The package's room fast/. Raises ValueError where Numba is missing or does not load."""
    try:
        from .. import fast
    except Exception as e:  # a broken installation fails in many ways
        raise ValueError(f"Numba does not load ({e}); --plain runs the readable code without it") from e
    return fast
