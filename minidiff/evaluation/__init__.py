"""Lecture 7: how good are samples?

metrics     how far samples are from data
classifier  which digit is it? a judge that is trained in seconds
floors      what a training loss is compared with
judge       drawn pictures in numbers, each beside its floor
"""
