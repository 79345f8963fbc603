"""Lecture 5, networks.

networks  convolutions, tokens, positions, adaLN
"""

from . import networks

ENTRIES = [f for section in (networks,) for f in section.ENTRIES]
