"""Learning with minidiff: what the lessons, the two evenings, the museum and the exam need beside the book itself.

exercises    judges a number that was worked by hand
ideas        what one picture shows: two sides of a right angle, the score as a compass
experiments  experiments of a second whose outcome shows a mistake
mistakes     a museum of one-line mistakes, planted in a copy
study        two evenings, idea by idea, and an exam
samplers   samplers from the same noise, on data whose perfect denoiser is known
explore      the page to play with, as one HTML file
commands     the commands of this room
"""

from .exercises import near as near
