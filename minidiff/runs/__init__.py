"""A run, for notebooks, examples and the command line alike: its data, its network, its training, its
pictures.

files       reading with one clear error, writing beside and renaming
progress    how far long work is, and a Ctrl-C that loses nothing
engine      the room fast/, where it is used
batches     rows in epochs, times, noise, labels: what training sees at a step
datasets    a user's own data
names       every name that can be typed, and what it stands for
checkpoint  a training run in one file
training    a run begun and trained
drawing     samples from a run, and the way there
figures     arrays in, pictures out
plots       the pictures of a run
"""
