"""One density, three ways to walk it: the reverse SDE, the probability-flow ODE and the flow-matching ODE.

Behind the paths is the exact density at each time: two Gaussians, from noise (left) to data (right). The
paths differ, the crowd does not: SDE paths tremble, ODE paths never cross, and the flow's leave the noise in
nearly straight lines.
"""

from functools import partial

import numpy as np

from minidiff import VP, Mixture, figures, flow, ode, sde
from minidiff.noise import SAMPLE, stream


@figures.styled
def main(steps=400, seed=0, paths=16, out="runs/05_three_lenses.png"):
    """`steps` along each path. Returns the figure's path."""
    mixture = Mixture([0.35, 0.65], [[-1.3], [1.0]], [[[0.02]], [[0.06]]])
    process, rng, times = VP(), stream(seed, SAMPLE), np.linspace(1, 1e-3, steps + 1)
    x_T, score = rng.standard_normal((paths, 1)), partial(mixture.score, process)
    stirred = [x_T]
    for t, s in zip(times[:-1], times[1:]):
        z = rng.standard_normal(x_T.shape)
        stirred.append(sde.reverse_step(process, score, stirred[-1], t, s, z))
    smooth = [x_T, *ode.walk(ode.heun, partial(sde.velocity, process, score), x_T, times)]
    straight = [x_T, *flow.sample(flow.marginal_velocity(mixture), x_T, 1 - times, ode.heun)]
    grid, line = np.linspace(-3, 3, 300)[:, None], flow.Straight()
    at = times[:: max(1, steps // 200)]
    of_vp = [np.exp(mixture.log_prob(process, grid, t)) for t in at]
    of_flow = [np.exp(mixture.log_prob(line, grid, line.T * t)) for t in at]
    panels = {
        "reverse SDE": ("reverse-sde", stirred, of_vp),
        "probability-flow ODE": ("heun", smooth, of_vp),
        "flow matching's ODE": ("heun", straight, of_flow),
    }
    fig = figures.figure(11, 5)
    look = {"origin": "lower", "aspect": "auto", "extent": (0, 1, -3, 3), "cmap": "Greys", "vmax": 1.6}
    for ax, (title, (name, walked, p)) in zip(fig.subplots(1, 3, sharey=True), panels.items()):
        ax.imshow(np.stack(p, axis=1) ** 0.4, **look)
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
