"""Lecture 6: training in practice.

One file, which ends with its ENTRIES; concepts.py is what the quiz asks.

    training  which times to train on, how much noise a resolution needs
"""
