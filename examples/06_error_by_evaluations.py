"""What an evaluation of the network buys: the error of every sampler, log-log, beside the slope that its order promises.

Left, the deterministic ones: how far they end from the exact probability flow of a mixture, stopped above t = 0. Right,
random ones: their bias of the standard deviation of Gaussian data, by recursion.py. No network: the errors are their own.
"""

import numpy as np

from minidiff import data
from minidiff.continuous import ode, solvers
from minidiff.continuous.process import VP
from minidiff.continuous.solvers import evaluations
from minidiff.noise import SAMPLE, stream
from minidiff.recursion import moments
from minidiff.runs import figures
from minidiff.runs.names import SAMPLERS
from minidiff.sample import beta, ddim, ddpm, sample


@figures.styled
def main(steps=256, seed=0, out="runs/06_error_by_evaluations.png"):
    """`steps` is the largest number of steps. Returns the figure's path."""
    process, mixture, end = VP(), data.mixture(), 0.05
    x_T = stream(seed, SAMPLE).standard_normal((64, 2))
    counts = [n for n in (8, 16, 32, 64, 128, 256, 512) if n <= steps]

    def finish(step, n):
        times = np.linspace(1, end, n + 1)
        *_, x = sample(step, mixture.eps_theta(process), process, x_T, times, None)
        return x, evaluations(step, process, times)

    exact, _ = finish(solvers.pf_ode(ode.rk4), 4 * steps)
    fig = figures.figure(14, 6)
    left, right = fig.subplots(1, 2)
    order = {"euler": 1, "ddim = dpm-solver-1": 1, "heun": 2, "dpm-solver++": 2, "rk4": 4}
    steppers = {k: v[0] for k, v in SAMPLERS.items()} | {"ddim = dpm-solver-1": ddim()}
    colors = (figures.BLUE, figures.GREEN, figures.ORANGE, "#CC79A7", figures.GREY)
    for (name, p), color in zip(order.items(), colors):
        ends, asked = zip(*[finish(steppers[name], n) for n in counts])
        error = [np.sqrt(np.mean((x - exact) ** 2)) for x in ends]
        left.loglog(asked, error, "o-", color=color, lw=2, label=f"{name}, order {p}")
        left.loglog(asked, error[-1] * (asked[-1] / np.array(asked)) ** p, ":", color=color, lw=1.5)
    left.set(xlabel="network evaluations", ylabel="distance to the exact end", title="deterministic (dotted: order's slope)")
    left.set_ylim(top=3)
    random = {"ddpm, beta-tilde": ddpm(), "ddpm, beta": ddpm(beta), "reverse SDE": solvers.reverse_sde, "ddim, eta = 0": ddim()}
    for (name, step), color in zip(random.items(), colors):
        covs = [moments(step, process, [0.8], [[0.36]], np.linspace(1, end, n + 1))[1][-1][0, 0] for n in counts]
        right.loglog(
            counts, np.abs(np.sqrt(covs) - np.sqrt(1 - (1 - 0.36) * process.at(end, 0.0))), "s-", color=color, lw=2, label=name
        )
    right.loglog(counts, 0.5 / np.array(counts), ":", color=figures.GREY, label="slope 1")
    right.set(xlabel="network evaluations", ylabel="|bias of the std|", title="N(0.8, 0.6^2) data, exactly")
    for ax in (left, right):
        ax.legend(frameon=False, fontsize=12)
    return figures.save(fig, out)


if __name__ == "__main__":
    print("wrote", main())
