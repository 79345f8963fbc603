"""Lecture 3, flow matching.

straight_paths  a line from noise to data, and what a velocity does to a density
flow_matching   flow matching: the average velocity of all lines through a point
walking         flow matching: walking along the velocity, and how straight the walk is
"""

from . import flow_matching, straight_paths, walking

ENTRIES = [
    f
    for section in (
        straight_paths,
        flow_matching,
        walking,
    )
    for f in section.ENTRIES
]
