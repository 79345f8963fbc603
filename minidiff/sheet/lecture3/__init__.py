"""Lecture 3: flow matching.

Read in this order; each file ends with its ENTRIES; concepts.py is what the quiz asks.

    probability_paths  the straight path from noise to data, and what a velocity does to a density
    other_paths        any path, the circle, one that ends a little blurred
    flow_matching      the average velocity of all paths through a point, which is what a network learns
    conversions        from the velocity to noise and data, and to diffusion's letters
    rectified_flow     sampling by Euler steps, how straight its paths are, reflow
    sampling           better steps than Euler's, how dense the samples lie, what pairs cost
"""

TITLE = "Lecture 3: flow matching"
SECTIONS = "probability_paths other_paths flow_matching conversions rectified_flow sampling".split()
