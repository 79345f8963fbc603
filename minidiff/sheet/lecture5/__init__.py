"""Lecture 5: networks.

Read in this order; each file ends with its ENTRIES; concepts.py is what the quiz asks.

    networks       convolutions, tokens, positions, adaLN
    normalisation  layer, group and RMS norm, embedded times
    costs          parameters, multiplications and sizes
"""

TITLE = "Lecture 5: networks"
SECTIONS = "networks normalisation costs".split()
