"""Lecture 5: networks.

One file, which ends with its ENTRIES; concepts.py holds questions without numbers.

    networks  convolutions, tokens, positions, adaLN
"""
