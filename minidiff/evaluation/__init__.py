"""Lecture 7: how good are samples?

metrics     how far samples are from data
classifier  which digit is it? trained in seconds, to judge samples of digits
floors      what a training loss is compared with
judge       drawn pictures in numbers, each beside its noise floor
"""
