"""A Frechet distance means nothing alone: it is never 0, and it falls with the number of pictures.

Real digits against other real digits, as many a side: that is the floor, and it is all bias. Beside it,
digits that are a little noisy, blurred or all alike. What a distance of 2 says depends on n.
"""

import numpy as np

from minidiff import data
from minidiff.evaluation.metrics import JUDGE, frechet
from minidiff.learn.ideas import curves
from minidiff.noise import stream
from minidiff.runs.figures import save


def blurred(x):
    """Each pixel with a fifth of each of its four neighbours."""
    p = x.reshape(-1, 8, 8)
    around = sum(np.roll(p, s, axis) for s in (1, -1) for axis in (1, 2))
    return ((p + 0.2 * around) / 1.8).reshape(len(x), 64)


def main(steps=8, seed=0, out="runs/14_evaluation_floors.png"):
    """`steps` is the number of random halves averaged for each point. Returns the figure's path."""
    (x, _), rng = data.digits(), stream(seed, JUDGE)
    made = {
        "half are one digit": lambda a: np.concatenate(
            [a[: len(a) // 2], np.repeat(a[:1], len(a) - len(a) // 2, 0)]
        ),
        "blurred": blurred,
        "noise of 0.2": lambda a: a + 0.2 * rng.standard_normal(a.shape),
        "real: the floor": lambda a: a,
    }
    counts, distances, lines = [50, 100, 200, 400, 800], [0.5, 1, 2, 5, 10], {}
    for name, f in made.items():
        line = []
        for n in counts:
            halves = [np.split(rng.permutation(len(x))[: 2 * n], 2) for _ in range(steps)]
            line.append(np.mean([frechet(f(x[a]), x[b]) for a, b in halves]))
        lines[name] = counts, line
    fig = curves(
        lines,
        "Even real digits are apart, more so the fewer there are: the floor",
        "n pictures a side",
        "Frechet distance to n real digits, pixels",
        xscale="log", yscale="log", xticks=counts, xticklabels=counts,
        yticks=distances, yticklabels=distances,
    )  # fmt: skip
    return save(fig, out)


if __name__ == "__main__":
    print("wrote", main())
