"""Lecture 5: networks.

One file, which ends with its ENTRIES.

    networks  convolutions, tokens, positions, adaLN
"""
