"""What should a network be asked? The same recipe for eps, x_0, v and a flow's velocity, judged by what three samplers draw.

`python examples/15_objectives.py moons digits glyphs colours` prints the table of measured.md; the figure divides by its floor.
"""

import sys

import numpy as np

from minidiff.continuous.solvers import dpm_solver_pp_2m
from minidiff.evaluation.metrics import frechet, sliced_wasserstein
from minidiff.fast import RowNoise, generate
from minidiff.noise import JUDGE, stream
from minidiff.runs.figures import BLUE, GREEN, GREY, ORANGE, figure, save, styled
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
    return path


@styled
def main(steps=4000, seed=0, names=("moons", "digits"), out="runs/15_objectives.png"):
    """`steps` of training for the MLP, three tenths of it for the U-Net. Returns the figure's path."""
    fig = figure(5.5 * len(names), 5.6)
    for ax, name in zip(fig.subplots(1, len(names), squeeze=False, sharey=True)[0], names):
        kind = "mlp" if name in ("moons", "digits") else "unet"
        data = load(colours(f"{out}.npy", stream(seed, JUDGE, 9)) if name == "colours" else name, seed)
        real, other = np.split(data.x[stream(seed, JUDGE).permutation(len(data.x))[:1000]], 2)
        judge = (
            frechet
            if len(data.shape) > 1
            else lambda a, b: sliced_wasserstein(a, b, 128, stream(seed, JUDGE, 8))
        )
        floor = judge(other, real)
        for k, (asked, color, marker) in enumerate(zip(OBJECTIVES, (BLUE, ORANGE, GREEN, "black"), "s^oD")):
            run = new_run(data, name, kind, objective=asked, seed=seed)
            *_, _ = gradient_steps(run, data, steps if kind == "mlp" else max(1, 3 * steps // 10), False)
            x_T = (rng := RowNoise(seed)).standard_normal((500, run.model.d), np.float32)
            walks = [(step, trailing(1000, min(n, 10 * steps))) for step, n in SAMPLERS.values()]
            far = [
                judge(generate(step, run.eps_theta(), run.schedule, x_T, t, rng), real) for step, t in walks
            ]
            print(
                f"{name} {asked} "
                + "  ".join(f"{k} {v:.3g}" for k, v in zip(SAMPLERS, far))
                + f"  floor {floor:.3g}"
            )
            ax.semilogy(
                np.arange(len(SAMPLERS)) + (k - 1.5) / 6,
                np.divide(far, floor),
                marker,
                color=color,
                ms=9,
                label=asked,
            )
        ax.set_xticks(range(len(SAMPLERS)), [f"{how}\n{n:,}" for how, (_, n) in SAMPLERS.items()])
        ax.set(title=name, xlabel="sampler and its steps", ylabel="distance to data, 1: other data's")
        ax.axhline(1, color=GREY, ls="--", lw=1)
    fig.axes[0].legend(title="asked for", frameon=False)
    fig.suptitle("Pictures: asked for eps, a network needs 1,000 steps; for v or flow, 20 will do")
    return save(fig, out)


if __name__ == "__main__":
    print("wrote", main(names=sys.argv[1:] or ("moons", "digits")))
