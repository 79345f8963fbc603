"""Lectures 4 and 5: pictures.

glyphs    digits and letters from fonts: something to learn from
layers    convolution, norm, attention, each beside its gradient
unet      the denoiser for pictures, told the time and a label
guidance  towards a class, around a known part
"""
