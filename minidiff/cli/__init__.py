"""The command line: names in, exit status out. It alone knows everything.

printing    text for people, JSON for scripts
parser      all commands and their options
commands    demo, train, sample, eval, info
export      a run for another engine: weights and the same network as its code
theory      doctor, oracle, notation: what can be said without a network
bench       how fast, and what share of this machine's limit
formulas    the commands of the formula sheet
"""

from .parser import main

__all__ = ["main"]
