"""What an evaluation of the network buys: every sampler's error, log-log; dotted, the slope of its order.

Above, the deterministic ones: how far they end from the exact probability flow of a mixture, stopped above
t = 0. Below, random ones: their bias of the standard deviation of Gaussian data, by evaluation/recursion.py.
No network: the errors are their own.
"""

from functools import partial

import numpy as np

from minidiff import VP, ddim_step, ddpm_step, figures, moments, ode, sample, solvers
from minidiff.cli.pictures import named
from minidiff.exact import five_gaussians
from minidiff.noise import SAMPLE, stream
from minidiff.sampling import beta_of_step

ODES = {"euler: order 1": ode.euler, "heun: order 2": ode.heun, "rk4: order 4": ode.rk4}
FIXED = {name: partial(sample, solvers.pf_ode(method)) for name, method in ODES.items()}
FIXED |= {"ddim: order 1": partial(sample, ddim_step()), "dpm-solver++: order 2": solvers.dpm_solver_pp_2m}
RANDOM = {"ddpm": ddpm_step(), "ddpm(beta)": ddpm_step(beta_of_step), "reverse-sde": solvers.reverse_sde}
RANDOM["ddim"] = ddim_step()


@figures.styled
def main(steps=256, seed=0, out="runs/06_error_by_evaluations.png"):
    """`steps` is the largest number of steps. Returns the figure's path."""
    process, mixture, end = VP(), five_gaussians(), 0.05
    x_T = stream(seed, SAMPLE).standard_normal((64, 2))
    counts = [n for n in (8, 16, 32, 64, 128, 256, 512) if n <= steps]

    def finish(sampler, n):
        times = np.linspace(1, end, n + 1)
        *_, x = sampler(mixture.eps_theta(process), process, x_T, times, None)
        return x, solvers.evaluations(sampler, process, times)

    exact, _ = finish(FIXED["rk4: order 4"], 4 * steps)
    (above, below), fixed, random = (fig := figures.figure(10, 10)).subplots(2, 1, sharex=True), {}, {}
    for name, sampler in FIXED.items():
        ends, asked = zip(*[finish(sampler, n) for n in counts])
        error = [np.sqrt(np.mean((x - exact) ** 2)) for x in ends]
        fixed[name] = asked, error
        above.plot(asked, error[-1] * (asked[-1] / np.array(asked)) ** int(name[-1]), ":", color=figures.GREY)
    std = np.sqrt(1 - (1 - 0.36) * process.alpha_bar_at(end))
    for name, step in RANDOM.items():
        covs = [moments(step, process, [0.8], [[0.36]], np.linspace(1, end, n + 1))[1][-1] for n in counts]
        random[name] = counts, np.abs(np.sqrt(np.ravel(covs)) - std)
    ticks = [*counts, 2 * counts[-1], 4 * counts[-1]]  # an rk4 step asks four times
    scales = {"xscale": "log", "yscale": "log", "xticks": ticks, "xticklabels": ticks}
    title = "The higher the order (dotted: its slope), the more an evaluation buys"
    named(above, fixed, title=title, ylabel="distance to the exact end", **scales, ylim=(3e-8, 1))
    asked, scales = "evaluations of the network", scales | {"ylabel": "|bias of the standard deviation|"}
    title = "On Gaussian data: twice the evaluations, half the bias"
    named(below, random, title=title, xlabel=asked, **scales, ylim=(1e-3, 0.5))
    return figures.save(fig, out)


if __name__ == "__main__":
    print("wrote", main())
