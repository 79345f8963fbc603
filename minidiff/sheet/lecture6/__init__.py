"""Lecture 6: training in practice.

One file, which ends with its ENTRIES.

    training  which times to train on, how much noise a resolution needs
"""
