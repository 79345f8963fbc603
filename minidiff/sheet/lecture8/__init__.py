"""Lecture 8, alignment and distillation.

alignment  preferences, low rank, distillation, masked tokens
"""

from . import alignment

ENTRIES = [f for section in (alignment,) for f in section.ENTRIES]
