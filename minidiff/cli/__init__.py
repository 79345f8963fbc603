"""The command line: names in, exit status out. It alone knows everything.

parser      all commands and their options
commands    demo, train, sample, eval: one function a command
answers     info, doctor, bench, oracle, notation: commands that answer a question
formulas    the commands of the formula sheet
runs        a training run: begun, trained, drawn from
checkpoint  a run in one file
files       reading with one clear error, writing beside and renaming
progress    how far long work is, and a Ctrl-C that loses nothing
printing    what the commands print
figures     the pictures
pages       the formula sheet and the quiz, on paper
bench       how fast, and what share of this machine's limit
doctor      does a schedule end in noise?
"""

from .parser import main

__all__ = ["main"]
