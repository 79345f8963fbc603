"""Lecture 6: training in practice.

Read in this order; each file ends with its ENTRIES; concepts.py is what the quiz asks.

    training   which times to train on, how much noise a resolution needs
    optimiser  Adam, weight decay, clipping, the learning rate
    averages   averages of parameters and of gradients, and what a training costs
"""

TITLE = "Lecture 6: training in practice"
SECTIONS = "training optimiser averages".split()
