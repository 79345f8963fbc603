"""Lecture 7, evaluation.

evaluation  Elo, FID, PSNR, SSIM
"""

from . import evaluation

ENTRIES = [f for section in (evaluation,) for f in section.ENTRIES]
