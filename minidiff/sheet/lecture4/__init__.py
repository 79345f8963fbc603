"""Lecture 4: latents, conditions, guidance.

Read in this order; each file ends with its ENTRIES; concepts.py is what the quiz asks.

    autoencoder  the ELBO of a latent model: KL and reconstruction
    attention    attention, CLIP's loss
    guidance     by a classifier, and without one
"""
