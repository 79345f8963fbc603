"""Lecture 4: latents, conditions, guidance.

Read in this order; each file ends with its ENTRIES; concepts.py is what the quiz asks.

    autoencoder      the ELBO of a latent model: KL and reconstruction
    latents          how a code is drawn, what the KL's weight does, how large a latent is
    attention        attention, CLIP's loss
    tokens           softmax, what attention costs, SigLIP's loss
    conditions       Bayes for scores, dropped conditions, what guidance draws from
    guidance         by a classifier, and without one
    guided_sampling  guidance of data and velocities, negative prompts, rescaling
"""

TITLE = "Lecture 4: latents, conditions, guidance"
SECTIONS = "autoencoder latents attention tokens conditions guidance guided_sampling".split()
