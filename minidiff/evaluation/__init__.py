"""Lecture 7: how good are samples, and how good is a sampler?

metrics     how far samples are from data
classifier  which digit is it? trained in seconds, to judge samples of digits
floors      what a training loss is compared with
recursion   what a sampler does to Gaussian data, exactly
gap         what the ELBO loses against the exact likelihood
greys       L_0 of pictures with grey levels
samples     drawn pictures in numbers, each beside its noise floor
"""
