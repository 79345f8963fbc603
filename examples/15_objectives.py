"""What should a network be asked? One recipe for eps, x_0, v and a flow's velocity, by their samples."""

import sys

import numpy as np

from minidiff.evaluation.metrics import JUDGE, frechet, sliced_wasserstein
from minidiff.noise import stream
from minidiff.runs.drawing import draw
from minidiff.runs.figures import BLUE, GREEN, GREY, ORANGE, figure, save, styled
from minidiff.runs.names import OBJECTIVES, load, sampler
from minidiff.runs.training import gradient_steps, new_run
from minidiff.sampling import trailing

SAMPLERS = {"DDPM": 1000, "DDIM": 50, "DPM-Solver++": 20}


def colours(path, rng, n=3000):
    """Bytes as a user would bring them, (n, 8, 8, 3): a square of one colour on a background between two."""
    a, b, c = rng.uniform(0, 255, (3, n, 1, 1, 3))
    x = np.broadcast_to(a + (b - a) * np.linspace(0, 1, 8)[:, None, None], (n, 8, 8, 3)).copy()
    for i, (u, v) in enumerate(rng.integers(0, 5, (n, 2))):
        x[i, u : u + 4, v : v + 4] = c[i]
    np.save(path, x.astype(np.uint8))
    return path


def judge(x, real, seed):
    return frechet(x, real) if x.shape[1] > 2 else sliced_wasserstein(x, real, 128, stream(seed, JUDGE, 8))


@styled
def main(steps=4000, seed=0, names=("moons", "digits"), out="runs/15_objectives.png"):
    """`steps` of training for the MLP, three tenths of it for the U-Net. Returns the figure's path."""
    fig = figure(5.5 * len(names), 5.6, "Asked for eps, a network needs 1,000 steps; for v or flow, 20 do")
    for ax, name in zip(fig.subplots(1, len(names), squeeze=False, sharey=True)[0], names):
        kind = "mlp" if name in ("moons", "digits") else "unet"
        data = load(colours(f"{out}.npy", stream(seed, JUDGE, 9)) if name == "colours" else name, seed)
        real, other = np.split(data.x[stream(seed, JUDGE).permutation(len(data.x))[:1000]], 2)
        floor = judge(other, real, seed)
        for k, (asked, color, m) in enumerate(zip(OBJECTIVES, (BLUE, ORANGE, GREEN, "black"), "s^oD")):
            run, far = new_run(data, name, kind, objective=asked, seed=seed), []
            *_, _ = gradient_steps(run, data, steps if kind == "mlp" else max(1, 3 * steps // 10))
            for how, n in SAMPLERS.items():
                x_0, _ = draw(run, sampler(how.lower()), trailing(1000, min(n, 10 * steps)), 500, seed)
                far.append(judge(x_0, real, seed))
            print(name, asked, *(f"{how} {v:.3g}" for how, v in zip(SAMPLERS, far)), f"floor {floor:.3g}")
            ax.semilogy(np.arange(3) + k / 6 - 0.25, np.divide(far, floor), m, c=color, ms=9, label=asked)
        ax.set_xticks(range(3), [f"{how}\n{n:,}" for how, n in SAMPLERS.items()])
        ax.set(title=name, xlabel="sampler and its steps", ylabel="distance to data, 1: other data's")
        ax.axhline(1, color=GREY, ls="--", lw=1)
    fig.axes[0].legend(title="asked for", frameon=False)
    return save(fig, out)


if __name__ == "__main__":  # moons digits glyphs colours: prints the table of measured.md
    print("wrote", main(names=sys.argv[1:] or ("moons", "digits")))
