"""A Frechet distance means nothing alone: it is never 0, and it falls with the number of pictures.

Real digits against other real digits, as many a side: that is the floor, and it is all bias. Beside it, digits that are a
little noisy, blurred or all alike. What a distance of 2 says depends on n.
"""

import numpy as np

from minidiff import data
from minidiff.evaluation.metrics import frechet
from minidiff.noise import JUDGE, stream
from minidiff.runs import figures


def blurred(x):
    """Each pixel with a fifth of each of its four neighbours."""
    p = x.reshape(-1, 8, 8)
    around = sum(np.roll(p, s, axis) for s in (1, -1) for axis in (1, 2))
    return ((p + 0.2 * around) / 1.8).reshape(len(x), 64)


@figures.styled
def main(steps=8, seed=0, out="runs/14_evaluation_floors.png"):
    """`steps` is the number of random halves averaged for each point. Returns the figure's path."""
    x, rng = data.digits().x, stream(seed, JUDGE)
    made = {
        "other real digits: the floor": lambda a: a,
        "with noise of 0.2": lambda a: a + 0.2 * rng.standard_normal(a.shape),
        "blurred": blurred,
        "half of them the same digit": lambda a: np.concatenate([a[: len(a) // 2], np.repeat(a[:1], len(a) - len(a) // 2, 0)]),
    }
    counts = [50, 100, 200, 400, 800]
    fig = figures.figure(10, 6)
    ax = fig.subplots()
    for (name, f), color in zip(made.items(), (figures.GREY, figures.BLUE, figures.GREEN, figures.ORANGE)):
        line = []
        for n in counts:
            halves = [np.split(rng.permutation(len(x))[: 2 * n], 2) for _ in range(steps)]
            line.append(np.mean([frechet(f(x[a]), x[b]) for a, b in halves]))
        ax.loglog(counts, line, "o-", color=color, lw=2.5, label=name)
    ax.set(xlabel="n pictures a side", ylabel="Frechet distance, pixels")
    ax.legend(frameon=False)
    ax.set_title("Compare with the floor at the same n, never with 0")
    return figures.save(fig, out)


if __name__ == "__main__":
    print("wrote", main())
