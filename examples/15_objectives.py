"""What should a network be asked? The same recipe for eps, x_0, v and a flow's velocity, judged by what three samplers draw.

`python examples/15_objectives.py moons digits glyphs colours` prints README's table, for one seed. The figure shows how far
the samples are from data, as a multiple of the floor: data against other data.
"""

import sys
from pathlib import Path

import numpy as np

from minidiff.continuous.solvers import dpm_solver_pp_2m
from minidiff.evaluation.metrics import frechet, sliced_wasserstein
from minidiff.fast import RowNoise, generate
from minidiff.noise import JUDGE, stream
from minidiff.runs import figures
from minidiff.runs.names import OBJECTIVES, load
from minidiff.runs.use import gradient_steps, new_run
from minidiff.sample import Multistep, ddim, ddpm, trailing

SAMPLERS = {"DDPM": (ddpm(), 1000), "DDIM": (ddim(), 50), "DPM-Solver++": (Multistep(dpm_solver_pp_2m), 20)}


def colours(path, rng, n=3000):
    """Bytes as a user would bring them, (n, 8, 8, 3): a square of one colour on a background that runs between two others."""
    a, b, c = rng.uniform(0, 255, (3, n, 1, 1, 3))
    x = np.broadcast_to(a + (b - a) * np.linspace(0, 1, 8)[:, None, None], (n, 8, 8, 3)).copy()
    for i, (u, v) in enumerate(rng.integers(0, 5, (n, 2))):
        x[i, u : u + 4, v : v + 4] = c[i]
    np.save(path, x.astype(np.uint8))
    return str(path)


@figures.styled
def main(steps=4000, seed=0, names=("moons", "digits"), out="runs/15_objectives.png"):
    """`steps` of training for the MLP, three tenths of it for the U-Net. Returns the figure's path."""
    fig = figures.figure(6 * len(names), 5.5)
    for ax, name in zip(fig.subplots(1, len(names), squeeze=False)[0], names):
        kind = "mlp" if name in ("moons", "digits") else "unet"
        data = load(colours(Path(out).with_suffix(".npy"), stream(seed, JUDGE, 9)) if name == "colours" else name, seed)
        order = stream(seed, JUDGE).permutation(len(data.x))
        real, other = data.x[order[:500]], data.x[order[500:1000]]
        judge = frechet if len(data.shape) > 1 else lambda a, b: sliced_wasserstein(a, b, 128, stream(seed, JUDGE, 8))
        for asked, marker in zip(OBJECTIVES, "s^oD"):
            run = new_run(data, name, kind, objective=asked, seed=seed)
            *_, _ = gradient_steps(run, data, steps if kind == "mlp" else max(1, 3 * steps // 10), False)
            x_T = (rng := RowNoise(seed)).standard_normal((500, run.model.d), np.float32)
            walks = [(step, trailing(1000, min(n, 10 * steps))) for step, n in SAMPLERS.values()]
            drawn = [generate(step, run.eps_theta(), run.schedule, x_T, t, rng) for step, t in walks]
            far, floor = [judge(x, real) for x in drawn], judge(other, real)
            print(f"{name} {asked} " + "  ".join(f"{k} {v:.3g}" for k, v in zip(SAMPLERS, far)) + f"  floor {floor:.3g}")
            ax.semilogy(list(SAMPLERS), np.divide(far, floor), marker, ms=11, label=asked)
        ax.set(title=f"{name} (1: as far as other data)", ylabel="times the floor")
    ax.legend(title="asked for", frameon=False)
    return figures.save(fig, out)


if __name__ == "__main__":
    print("wrote", main(names=sys.argv[1:] or ("moons", "digits")))
