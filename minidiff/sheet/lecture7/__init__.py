"""Lecture 7: evaluation.

Read in this order; each file ends with its ENTRIES; concepts.py is what the quiz asks.

    evaluation  Elo, FID, PSNR, SSIM
    distances   distances between sets of pictures: FID's limits, KID, energy and transport
    scores      Inception and CLIP score, precision and recall, bits per dimension, win rates
"""

TITLE = "Lecture 7: evaluation"
SECTIONS = "evaluation distances scores".split()
