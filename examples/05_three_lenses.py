"""One density, three ways to walk it: the reverse SDE, the probability-flow ODE and the flow-matching ODE.

Behind the paths is the exact density at each time: two Gaussians, from noise (left) to data (right). The paths differ, the
crowd does not: SDE paths tremble, ODE paths never cross, and the flow's leave the noise in nearly straight lines.
"""

import numpy as np

from minidiff.cli import figures
from minidiff.continuous import flow, ode, sde
from minidiff.continuous.process import VP
from minidiff.exact import Mixture
from minidiff.noise import SAMPLE, stream


@figures.styled
def main(steps=400, seed=0, paths=16, out="runs/05_three_lenses.png"):
    """`steps` along each path. Returns the figure's path."""
    mixture = Mixture([0.35, 0.65], [[-1.3], [1.0]], [[[0.02]], [[0.06]]])
    process, rng = VP(), stream(seed, SAMPLE)
    x_T, times = rng.standard_normal((paths, 1)), np.linspace(1, 1e-3, steps + 1)

    def score(x, t):
        return mixture.score(process, x, t)

    x, stirred = x_T, [x_T]
    for t, s in zip(times[:-1], times[1:]):
        x = sde.reverse_step(process, score, x, t, s, rng.standard_normal(x.shape))
        stirred.append(x)
    smooth = [x_T, *ode.walk(ode.heun, lambda x, t: sde.velocity(process, score, x, t), x_T, times)]
    line = flow.Linear()
    straight = [x_T, *flow.sample(flow.marginal_velocity(mixture), x_T, 1 - times, ode.heun)]
    grid = np.linspace(-3, 3, 300)[:, None]

    def vp_density(t):
        return np.exp(mixture.log_prob(process, grid, t))

    def flow_density(t):
        scale = np.sqrt(t**2 + (1 - t) ** 2)  # to variance-preserving units and back
        return np.exp(mixture.log_prob(line, grid / scale, t)) / scale

    panels = {
        "reverse SDE": ("reverse-sde", stirred, vp_density, times),
        "probability-flow ODE": ("heun", smooth, vp_density, times),
        "flow matching's ODE": ("heun", straight, flow_density, 1 - times),
    }
    fig = figures.figure(11, 5)
    for ax, (title, (name, walked, density, at)) in zip(fig.subplots(1, 3, sharey=True), panels.items()):
        p = np.stack([density(t) for t in at[:: max(1, steps // 200)]], axis=1)
        ax.imshow(p**0.4, origin="lower", aspect="auto", extent=(0, 1, -3, 3), cmap="Greys", vmax=1.6)
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
