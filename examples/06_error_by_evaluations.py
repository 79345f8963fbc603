"""What an evaluation of the network buys: the error of every sampler, log-log, and (dotted) the slope that its order promises.

Above, the deterministic ones: how far they end from the exact probability flow of a mixture, stopped above t = 0. Below,
random ones: their bias of the standard deviation of Gaussian data, by recursion.py. No network: the errors are their own.
"""

import numpy as np

from minidiff import data
from minidiff.cli.pictures import named
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
    fig = figures.figure(10, 10)
    (above, below), fixed, random = fig.subplots(2, 1, sharex=True), {}, {}
    for name, p in {"euler": 1, "ddim": 1, "heun": 2, "dpm-solver++": 2, "rk4": 4}.items():
        ends, asked = zip(*[finish(ddim() if name == "ddim" else SAMPLERS[name][0], n) for n in counts])
        error = [np.sqrt(np.mean((x - exact) ** 2)) for x in ends]
        fixed[f"{name}: order {p}"] = asked, error
        above.plot(asked, error[-1] * (asked[-1] / np.array(asked)) ** p, ":", color=figures.GREY)
    std = np.sqrt(1 - (1 - 0.36) * process.at(end, 0.0))
    for name, step in {
        "ddpm": ddpm(),
        "ddpm(beta)": ddpm(beta),
        "reverse-sde": solvers.reverse_sde,
        "ddim": ddim(),
    }.items():
        covs = [
            moments(step, process, [0.8], [[0.36]], np.linspace(1, end, n + 1))[1][-1][0, 0] for n in counts
        ]
        random[name] = counts, np.abs(np.sqrt(covs) - std)
    ticks = [*counts, 2 * counts[-1], 4 * counts[-1]]  # an rk4 step asks four times
    scales = {"xscale": "log", "yscale": "log", "xticks": ticks, "xticklabels": ticks}
    title, ylabel = (
        "The higher the order (dotted: its slope), the more an evaluation buys",
        "distance to the exact end",
    )
    named(above, fixed, title=title, ylabel=ylabel, **scales, ylim=(3e-8, 1))
    title, ylabel = (
        "On Gaussian data: twice the evaluations, half the bias",
        "|bias of the standard deviation|",
    )
    named(
        below,
        random,
        title=title,
        ylabel=ylabel,
        xlabel="evaluations of the network",
        **scales,
        ylim=(1e-3, 0.5),
    )
    return figures.save(fig, out)


if __name__ == "__main__":
    print("wrote", main())
