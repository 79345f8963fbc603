"""Lecture 8: alignment and distillation.

One file, which ends with its ENTRIES; concepts.py is what the quiz asks.

    alignment  rewards from preferences, low-rank fine-tuning, distillation, masked tokens
"""
