"""Lecture 3: flow matching.

Read in this order; each file ends with its ENTRIES; concepts.py is what the quiz asks.

    probability_paths  the straight path from noise to data, and what a velocity does to a density
    flow_matching      the average velocity of all paths through a point, which is what a network learns
    rectified_flow     sampling by Euler steps, how straight its paths are, reflow
"""
