"""Learning with minidiff: what the lessons, the two evenings and the exam need beside the book itself.

exercises  judges a number that was worked by hand
ideas      the ideas that one picture shows: two sides of a right angle, the score as a compass
"""

from .exercises import near

__all__ = ["near"]
