"""Lecture 5: networks.

One file, which ends with its ENTRIES; concepts.py is what the quiz asks.

    networks  convolutions, tokens, positions, adaLN
"""
