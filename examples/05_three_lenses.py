"""One density, three ways to walk it: the reverse SDE, the probability-flow ODE and the flow-matching ODE.

Behind the paths is the exact density at each time: two Gaussians, from noise (left) to data (right). The paths differ, the
crowd does not: SDE paths tremble, ODE paths never cross, and the flow's leave the noise in nearly straight lines.
"""

from functools import partial

import numpy as np

from minidiff.continuous import flow, ode, sde
from minidiff.continuous.process import VP
from minidiff.exact import Mixture
from minidiff.noise import SAMPLE, stream
from minidiff.runs import figures


@figures.styled
def main(steps=400, seed=0, paths=16, out="runs/05_three_lenses.png"):
    """`steps` along each path. Returns the figure's path."""
    mixture = Mixture([0.35, 0.65], [[-1.3], [1.0]], [[[0.02]], [[0.06]]])
    process, rng = VP(), stream(seed, SAMPLE)
    x_T, times, score = (
        rng.standard_normal((paths, 1)),
        np.linspace(1, 1e-3, steps + 1),
        partial(mixture.score, process),
    )
    x, stirred = x_T, [x_T]
    for t, s in zip(times[:-1], times[1:]):
        x = sde.reverse_step(process, score, x, t, s, rng.standard_normal(x.shape))
        stirred.append(x)
    smooth = [x_T, *ode.walk(ode.heun, partial(sde.velocity, process, score), x_T, times)]
    line = flow.Linear()
    straight = [x_T, *flow.sample(flow.marginal_velocity(mixture), x_T, 1 - times, ode.heun)]
    grid = np.linspace(-3, 3, 300)[:, None]

    def density(process, t, scale=1.0):
        return np.exp(mixture.log_prob(process, grid / scale, t)) / scale

    at = times[:: max(1, steps // 200)]
    of_vp = [density(process, t) for t in at]  # the flow's is scaled to variance-preserving units and back
    of_flow = [density(line, t, np.sqrt(t**2 + (1 - t) ** 2)) for t in 1 - at]
    panels = {
        "reverse SDE": ("reverse-sde", stirred, of_vp),
        "probability-flow ODE": ("heun", smooth, of_vp),
        "flow matching's ODE": ("heun", straight, of_flow),
    }
    fig = figures.figure(11, 5)
    for ax, (title, (name, walked, p)) in zip(fig.subplots(1, 3, sharey=True), panels.items()):
        ax.imshow(
            np.stack(p, axis=1) ** 0.4,
            origin="lower",
            aspect="auto",
            extent=(0, 1, -3, 3),
            cmap="Greys",
            vmax=1.6,
        )
        color = figures.STYLES[name]["color"]
        ax.plot(np.linspace(0, 1, steps + 1), np.concatenate(walked, axis=1).T, color=color, lw=1.5)
        ax.set(title=title, xlabel="time", ylim=(-3, 3), yticks=[-2, 0, 2])
        ax.set_xticks([0, 1], ["noise", "data"])
        for label, side in zip(ax.get_xticklabels(), ("left", "right")):
            label.set_horizontalalignment(side)
    fig.axes[0].set_ylabel("x (grey: its density)")
    fig.suptitle("Three walks from noise to data: other paths, the same crowd at the end")
    return figures.save(fig, out)


if __name__ == "__main__":
    print("wrote", main())
