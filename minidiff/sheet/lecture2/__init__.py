"""Lecture 2: the score, and continuous time.

Read in this order; each file ends with its ENTRIES; concepts.py is what the quiz asks.

    score             what a score is, and Langevin's steps along it
    score_matching    how a score is learnt from noisy data, or from clean data by its divergence
    tweedie           the score, eps_hat and x_0_hat tell the same
    preconditioning   a denoiser around a network whose numbers have size 1 at every noise level (EDM)
    sde               noising in continuous time: VP and VE
    levels            the linear VP, sigma as a clock, Karras' levels
    reverse_sde       how a density flows; the reverse SDE, the probability-flow ODE
    probability_flow  that ODE for VP and on the clock sigma, and the trace for a likelihood
    solvers           orders of error, DPM-Solver
    multistep         Heun's step, DPM-Solver++ with one answer and with two
"""

TITLE = "Lecture 2: the score, and continuous time"
SECTIONS = (
    "score score_matching tweedie preconditioning sde levels reverse_sde probability_flow solvers multistep"
).split()
