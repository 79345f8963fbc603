"""What a sampler does to Gaussian data, exactly: mean and covariance of x_s at every step, without sampling.

    letter  name       shape   meaning
    m, S    mean, cov  (d,), (d, d)  of the data; in the recursion, of x_t
    A, h, C            (d, d), (d,), (d, d)  one step, x_s = A x_t + h + C z

For x_0 ~ N(m, S) the perfect denoiser is a matrix times x_t plus a constant. So is every step that adds up
x_t, eps_hat and z with fixed weights, and a Gaussian stays one. At finite T the outcome is not N(m, S) even
so: this says what it is, and tells a bug from a schedule that ends early and from steps that are too long.
"""

import numpy as np

from ..exact import Mixture


def check_times(schedule, times) -> np.ndarray:
    """times as an array. Raises ValueError unless they descend within T..0 (above 0, some noise stays in)."""
    times = np.asarray(times)
    is_a_way = times.ndim == 1 and len(times) >= 2
    if not is_a_way or np.any(np.diff([schedule.T + 1, *times, -1]) >= 0):
        raise ValueError(f"times must descend within T..0, T = {schedule.T}, got {times}")
    return times


class Draws:
    """An rng whose draw number `which` is z and whose others are 0; it counts them."""

    def __init__(self, which=None, z=None):
        self.which, self.z, self.count = which, z, 0

    def standard_normal(self, shape, dtype=np.float64):
        """z or 0, of that shape."""
        z = self.z if self.count == self.which else 0
        self.count += 1
        return np.broadcast_to(z, shape).astype(dtype)


def _read_off(run, d, what):
    """A, h and a C for each draw of run(x, rng) = A x + h + sum_j C_j z_j, which is (steps, rows, d)."""
    zero, unit, rng = np.zeros((d, d)), np.eye(d), Draws()
    # at x = 0, at the unit vectors, and at unit noise
    h = run(zero[:1], rng)
    A = (run(unit, Draws()) - h).mT
    C = [(run(zero, Draws(j, unit)) - h).mT for j in range(rng.count)]
    h = h[:, 0]
    # and far away, where it shows whether there was more to it
    x, z = np.arange(2.0, d + 2), np.full(d, -3.0)
    predicted = A @ x + h
    if C:
        predicted += C[0] @ z
    found = run(x[None], Draws(0, z))[:, 0]
    if not np.allclose(found, predicted, rtol=1e-6, atol=1e-6):
        raise ValueError(f"{what} is not affine in (x_t, z): it has no exact recursion")
    return A, h, C


def perfect(mean, cov, process):
    """The perfect denoiser of N(mean, cov) data, and d. mean (d,) and cov (d, d), or two numbers."""
    mean, cov = np.atleast_1d(mean), np.atleast_2d(cov)
    mixture = Mixture(np.ones(1), mean[None], cov[None])
    return mixture.eps_theta(process), len(mean)


def moments(step, schedule, mean, cov, times, start=None, process=None):
    """E x_s = A E x_t + h,  Cov x_s = A Cov x_t A^T + sum_j C_j C_j^T, for all s in times: two lists.
    A, h and C_j are read off by calling the step, so that a student's own step can be judged too. mean (d,)
    and cov (d, d) are the data's; start = (mean, cov) of x_T, N(0, I) unless given. process is what the
    perfect denoiser knows the noise from, for steps that ask it between whole times. Raises ValueError for
    times that do not descend and for a step that is not affine."""
    times = check_times(schedule, times).tolist()
    eps_star, d = perfect(mean, cov, process or schedule)
    mean, cov = start or (np.zeros(d), np.eye(d))
    means, covs = [mean], [cov]
    for t, s in zip(times[:-1], times[1:]):

        def one(x, rng, t=t, s=s):
            return step(eps_star, schedule, x, t, s, rng)[None]

        (A,), (h,), C = _read_off(one, d, f"the step from t = {t} to s = {s}")
        mean = A @ mean + h
        cov = A @ cov @ A.T
        for (c,) in C:
            cov = cov + c @ c.T
        means.append(mean)
        covs.append(cov)
    return means, covs


def moments_of_sampler(sampler, schedule, mean, cov, times, start=None, process=None):
    """`moments` of a sampler that remembers earlier steps: A and h are read off from x_T to each x_s.
    sampler(eps_theta, schedule, x_T, times, rng) yields every x_s. Raises ValueError also if it draws."""
    times = check_times(schedule, times)
    eps_star, d = perfect(mean, cov, process or schedule)
    mean, cov = start or (np.zeros(d), np.eye(d))

    def whole(x, rng):
        return np.stack([*sampler(eps_star, schedule, x, times, rng)])

    A, h, C = _read_off(whole, d, "the solver")
    if C:
        raise ValueError("the solver remembers earlier steps and draws noise: it has no recursion here")
    means, covs = A @ mean + h, A @ cov @ A.mT
    return [mean, *means], [cov, *covs]
