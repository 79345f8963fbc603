"""Lecture 2, the score, and continuous time.

score           what a score is, and Langevin's walk
score_matching  learning a score from noise
tweedie         the score, the guessed noise and the guessed picture are one
sde             noising in continuous time
reverse_sde     how a density flows, the reverse SDE, the probability-flow ODE
solvers         orders of error, DPM-Solver
"""

from . import reverse_sde, score, score_matching, sde, solvers, tweedie

ENTRIES = [
    f
    for section in (
        score,
        score_matching,
        tweedie,
        sde,
        reverse_sde,
        solvers,
    )
    for f in section.ENTRIES
]
