"""What a sampler does to Gaussian data, exactly: the mean and covariance of x_s at every step, without sampling.

For x_0 ~ N(m, S) the perfect denoiser is a matrix times x_t plus a constant, and so is every step that adds up x_t, eps_hat
and z with fixed weights. Then x_s = A x_t + h + C z, and a Gaussian stays one. At finite T the outcome is not N(m, S) even so:
this says what it is, and so separates a bug from a schedule that ends too early and from steps that are too long.

    letter   name   shape   meaning
    m, S     mean   (d,)    of the data; in the recursion, of x_t
             cov    (d, d)
"""

import numpy as np

from .exact import Mixture
from .sample import Multistep, check_times, sample


class Draws:
    """An rng whose draw number `which` is z and whose others are 0; it counts them."""

    def __init__(self, which=None, z=None):
        self.which, self.z, self.count = which, z, 0

    def standard_normal(self, shape, dtype=np.float64):
        """z or 0, of that shape."""
        self.count += 1
        return np.broadcast_to(self.z, shape).astype(dtype) if self.count - 1 == self.which else np.zeros(shape, dtype)


def _read_off(run, d, what):
    """A, h and one C for each draw of noise of run(x, rng) = A x + h + sum_j C_j z_j; run returns (steps, rows, d).

    Read off at x = 0, at the unit vectors and at unit noise; one more x, far away, shows whether there was more to it.
    """
    zero, unit, rng = np.zeros((d, d)), np.eye(d), Draws()
    h = run(zero[:1], rng)
    A = (run(unit, Draws()) - h).mT
    C = [(run(zero, Draws(j, unit)) - h).mT for j in range(rng.count)]
    far, z = np.arange(2.0, d + 2)[None], np.full(d, -3.0)
    got = run(far, Draws(0, z))[:, 0]
    predicted = A @ far[0] + h[:, 0] + (C[0] @ z if C else 0)
    if not np.allclose(got, predicted, rtol=1e-6, atol=1e-6):
        raise ValueError(f"{what} is not affine in (x_t, z): it has no exact recursion")
    return A, h[:, 0], C


def moments(step, schedule, mean, cov, times, start=None, process=None):
    """E x_s and Cov x_s for all s in times (descending, the last is 0): lists of (d,) and (d, d).

        E x_s = A E x_t + h,    Cov x_s = A Cov x_t A^T + sum_j C_j C_j^T

    A, h and C_j are read off by calling the step, so that a student's own step can be judged too; a solver that remembers
    earlier steps is read off from x_T to each x_s. mean (d,), cov (d, d) are the data's; start = (mean, cov) of x_T, N(0, I)
    unless given; process is what the perfect denoiser knows alpha_bar from, for steps that ask it between whole times.
    Raises ValueError for times that do not descend, a step that is not affine, and a Multistep that draws noise.
    """
    times = check_times(schedule, times).tolist()
    mean, cov = np.atleast_1d(np.asarray(mean, np.float64)), np.atleast_2d(np.asarray(cov, np.float64))
    d = len(mean)
    eps_star = Mixture(np.ones(1), mean[None], cov[None]).eps_theta(process or schedule)
    means, covs = [start[0] if start else np.zeros(d)], [start[1] if start else np.eye(d)]
    if isinstance(step, Multistep):
        A, h, C = _read_off(lambda x, rng: np.stack([*sample(step, eps_star, schedule, x, times, rng)]), d, "the solver")
        if C:
            raise ValueError("the solver remembers earlier steps and draws noise: it has no recursion here")
        return means + list(A @ means[0] + h), covs + list(A @ covs[0] @ A.mT)
    for t, s in zip(times[:-1], times[1:]):

        def one(x, rng, t=t, s=s):
            return step(eps_star, schedule, x, t, s, rng)[None]

        A, h, C = _read_off(one, d, f"the step from t = {t} to s = {s}")
        means.append(A[0] @ means[-1] + h[0])
        covs.append(A[0] @ covs[-1] @ A[0].T + sum((c[0] @ c[0].T for c in C), np.zeros((d, d))))
    return means, covs


def coefficients(step, schedule, t, s):
    """c_x, c_eps, c_z of a step x_s = c_x x_t + c_eps eps_hat + c_z z: (n,) each, t and s (n,) or ints (then n = 1).

    Read off at unit x_t, eps_hat and z, and tried once more elsewhere. Raises ValueError for a step of another form: one
    that asks the denoiser twice or about another x_t, draws noise twice, or bends.
    """

    def answer(x, eps_hat, z):
        x_t, asked, rng = np.full((np.size(t), 1), float(x)), [], Draws(0, z)

        def eps_theta(x_asked, t_asked):
            asked.append(np.array_equal(x_asked, x_t) and np.allclose(t_asked, t, rtol=1e-9, atol=0))
            return np.full_like(x_t, eps_hat)

        x_s = step(eps_theta, schedule, x_t, t, s, rng)[:, 0]
        if asked != [True] or rng.count > 1:
            raise ValueError(
                f"the step must ask the denoiser about x_t once and draw once, it asks {len(asked)}, draws {rng.count}"
            )
        return x_s

    c_x, c_eps, c_z = answer(1, 0, 0), answer(0, 1, 0), answer(0, 0, 1)
    if not np.allclose(answer(2, -3, 5), 2 * c_x - 3 * c_eps + 5 * c_z, rtol=1e-9, atol=1e-9):
        raise ValueError("the step is not a sum of x_t, eps_hat and z with fixed weights")
    return c_x, c_eps, c_z
