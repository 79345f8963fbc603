"""The command line: names in, exit status out. It alone knows everything.

parser      all commands and their options
printing    text for people, JSON for scripts
progress    how far long work is, and a Ctrl-C that loses nothing
files       reading with one clear error, writing beside and renaming
datasets    a user's own data
names       every name that can be typed, and what it stands for
checkpoint  a training run in one file
runs        a run: begun, trained, drawn from
figures     arrays in, pictures out
plots       the pictures of a run
commands    demo, train, sample, eval, info
theory      doctor, oracle, notation: what can be said without a network
bench       how fast, and what share of this machine's limit
formulas    the commands of the formula sheet
"""

from .parser import main

__all__ = ["main"]
