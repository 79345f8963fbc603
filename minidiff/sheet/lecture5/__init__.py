"""Lecture 5: networks.

Read in this order; each file ends with its ENTRIES.

    networks       convolutions, tokens, positions, adaLN
    normalisation  layer, group and RMS norm, embedded times
    costs          parameters, multiplications and sizes
"""
