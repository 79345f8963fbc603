"""Learning with minidiff: what lessons, evenings, museum and exam need beside the book itself.

exercises    judges a number that was worked by hand
ideas        what one picture shows: two sides of a right angle, the score as a compass
experiments  experiments of a second whose outcome shows a mistake
mistakes     a museum of one-line mistakes, planted in a copy
study        two evenings, idea by idea, and an exam
samplers     samplers from the same noise, on data whose perfect denoiser is known
explore      the page to play with, as one HTML file
commands     the commands of this room
"""

from .exercises import near as near

COMMANDS = """
study commands.study  Two evenings, idea by idea, and a mock exam.
$ minidiff study --exam 90
--exam N  a mock exam of so many minutes, with key and marks
--pdf FILE  print the exam, the key on its own pages
--forget  begin anew: what was answered is forgotten
--seed N  of the questions (default: others each time)

mistakes commands.mistakes  A museum of one-line mistakes.
$ minidiff mistakes off-by-one
name? NAME  one of them: make it in a copy and see (default: the list)
--out FILE  where to draw it (default runs/mistakes/NAME.png)

explore commands.explore  Diffusion to play with, as one HTML page.
$ minidiff explore --out explore.html
--data D  points in the plane or digits, by name or as a file (default: mixture, moons and digits)
--out FILE=explore.html  where to write it
"""  # written as in cli/parser.py
