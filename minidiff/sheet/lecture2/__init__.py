"""Lecture 2: the score, and continuous time.

Read in this order; each file ends with its ENTRIES; concepts.py is what the quiz asks.

    score           what a score is, and Langevin's steps along it
    score_matching  how a score is learnt from noisy data
    tweedie         the score, eps_hat and x_0_hat tell the same
    sde             noising in continuous time: VP and VE
    reverse_sde     how a density flows; the reverse SDE, the probability-flow ODE
    solvers         orders of error, DPM-Solver
"""
