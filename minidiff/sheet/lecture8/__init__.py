"""Lecture 8: alignment and distillation.

Read in this order; each file ends with its ENTRIES; concepts.py is what the quiz asks.

    alignment         rewards from preferences, low-rank fine-tuning, distillation, masked tokens
    preferences       the best law under a reward and a KL, the reward's loss, DPO
    policy_gradients  REINFORCE, baselines, PPO, estimates of the KL, best of n
    distillation      consistency models and progressive distillation
    one_step          distilled scores, matched distributions, a discriminator
"""

TITLE = "Lecture 8: alignment and distillation"
SECTIONS = "alignment preferences policy_gradients distillation one_step".split()
