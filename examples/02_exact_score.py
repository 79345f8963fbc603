"""The score of a noisy mixture, one field of arrows over the density: they point to where data are likelier.

Left to right the noise shrinks: at first all arrows lead to one middle, in the end each to the nearest
cluster. The perfect denoiser answers the same arrow, turned round and scaled: eps* = -sqrt(1 - ab_t) score.
"""

from minidiff.exact import five_gaussians
from minidiff.learn.ideas import compass
from minidiff.runs.figures import save
from minidiff.schedule import linear


def main(steps=1000, seed=0, out="runs/02_exact_score.png"):
    """`steps` is T; nothing is drawn by chance. Returns the figure's path."""
    return save(compass(five_gaussians(), linear(steps), [steps // 2, steps // 5, steps // 20]), out)


if __name__ == "__main__":
    print("wrote", main())
