"""Lecture 7: evaluation.

One file, which ends with its ENTRIES; concepts.py is what the quiz asks.

    evaluation  Elo, FID, PSNR, SSIM
"""
