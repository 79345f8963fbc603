"""Lecture 7: evaluation.

Read in this order; each file ends with its ENTRIES.

    evaluation  Elo, FID, PSNR, SSIM
    distances   distances between sets of pictures: FID's limits, KID, energy and transport
    scores      Inception and CLIP score, precision and recall, bits per dimension, win rates
"""
