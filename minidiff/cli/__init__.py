"""The command line: names in, exit status out. It alone knows everything.

printing    text for people, JSON for scripts
typeset     a formula as it is written on paper
pictures    figures of numbers, and what a schedule, a mixture or a run looks like
commands    demo, train, sample, eval, info
export      a run for another engine: weights and the same network as its code
theory      doctor, oracle, notation: what can be said without a network
bench       how fast, and what share of this machine's limit
readable    LaTeX as one reads it in a terminal
explain     all that is known of a formula, in words and as curves
pages       the sheet and a quiz, on paper
formulas    the commands of the formula sheet
parser      all commands and their options
"""

from .parser import main

__all__ = ["main"]
