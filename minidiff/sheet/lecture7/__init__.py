"""Lecture 7: evaluation.

One file, which ends with its ENTRIES; concepts.py holds questions without numbers.

    evaluation  Elo, FID, PSNR, SSIM
"""
