"""Lecture 6, training in practice.

training  when to train, how noisy at which resolution
"""

from . import training

ENTRIES = [f for section in (training,) for f in section.ENTRIES]
