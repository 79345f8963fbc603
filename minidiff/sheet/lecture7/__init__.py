"""Lecture 7: evaluation.

One file, which ends with its ENTRIES.

    evaluation  Elo, FID, PSNR, SSIM
"""
