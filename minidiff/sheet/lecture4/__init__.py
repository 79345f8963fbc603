"""Lecture 4, latents, conditions, guidance.

autoencoder  the autoencoder: its ELBO, KL and reconstruction
attention    attention, CLIP's loss
guidance     by a classifier, and without one
"""

from . import attention, autoencoder, guidance

ENTRIES = [
    f
    for section in (
        autoencoder,
        attention,
        guidance,
    )
    for f in section.ENTRIES
]
