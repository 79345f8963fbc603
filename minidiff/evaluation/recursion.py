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
    if times.ndim != 1 or len(times) < 2 or np.any(np.diff([schedule.T + 1, *times, -1]) >= 0):
        raise ValueError(f"times must descend within T..0, T = {schedule.T}, got {times}")
    return times


class Draws:
    """An rng whose draw number `which` is z and whose others are 0; it counts them."""

    def __init__(self, which=None, z=None):
        self.which, self.z, self.count = which, z, 0

    def standard_normal(self, shape, dtype=np.float64):
        """z or 0, of that shape."""
        self.count += 1
        return np.broadcast_to(self.z if self.count - 1 == self.which else 0, shape).astype(dtype)


def _read_off(run, d, what):
    """A, h and a C for each draw of run(x, rng) = A x + h + sum_j C_j z_j, which is (steps, rows, d)."""
    zero, unit, rng = np.zeros((d, d)), np.eye(d), Draws()
    # at x = 0, at the unit vectors, and at unit noise
    h = run(zero[:1], rng)
    A = (run(unit, Draws()) - h).mT
    C = [(run(zero, Draws(j, unit)) - h).mT for j in range(rng.count)]
    # and far away, where it shows whether there was more to it
    far, z = np.arange(2.0, d + 2)[None], np.full(d, -3.0)
    predicted = A @ far[0] + h[:, 0] + (C[0] @ z if C else 0)
    if not np.allclose(run(far, Draws(0, z))[:, 0], predicted, rtol=1e-6, atol=1e-6):
        raise ValueError(f"{what} is not affine in (x_t, z): it has no exact recursion")
    return A, h[:, 0], C


def perfect(mean, cov, process):
    """mean (d,) and cov (d, d) as float64, and the perfect denoiser of N(mean, cov) data on a process."""
    mean, cov = np.atleast_1d(np.asarray(mean, np.float64)), np.atleast_2d(np.asarray(cov, np.float64))
    return mean, cov, Mixture(np.ones(1), mean[None], cov[None]).eps_theta(process)


def moments(step, schedule, mean, cov, times, start=None, process=None):
    """E x_s = A E x_t + h,  Cov x_s = A Cov x_t A^T + sum_j C_j C_j^T, for all s in times: two lists.
    A, h and C_j are read off by calling the step, so that a student's own step can be judged too. mean (d,),
    cov (d, d) are the data's; start = (mean, cov) of x_T, N(0, I) unless given; process is what the perfect
    denoiser knows the noise from, for steps that ask it between whole times. Raises ValueError for times that
    do not descend and a step that is not affine."""
    times = check_times(schedule, times).tolist()
    mean, cov, eps_star = perfect(mean, cov, process or schedule)
    d = len(mean)
    means, covs = ([part] for part in start or (np.zeros(d), np.eye(d)))
    for t, s in zip(times[:-1], times[1:]):

        def one(x, rng, t=t, s=s):
            return step(eps_star, schedule, x, t, s, rng)[None]

        A, h, C = _read_off(one, d, f"the step from t = {t} to s = {s}")
        means.append(A[0] @ means[-1] + h[0])
        covs.append(A[0] @ covs[-1] @ A[0].T + sum((c[0] @ c[0].T for c in C), np.zeros((d, d))))
    return means, covs


def moments_of_sampler(sampler, schedule, mean, cov, times, start=None, process=None):
    """`moments` of a sampler that remembers earlier steps: A and h are read off from x_T to each x_s.
    sampler(eps_theta, schedule, x_T, times, rng) yields every x_s. Raises ValueError also for one that
    draws."""
    times = check_times(schedule, times)
    mean, cov, eps_star = perfect(mean, cov, process or schedule)
    d = len(mean)
    first_mean, first_cov = start or (np.zeros(d), np.eye(d))

    def whole(x, rng):
        return np.stack([*sampler(eps_star, schedule, x, times, rng)])

    A, h, C = _read_off(whole, d, "the solver")
    if C:
        raise ValueError("the solver remembers earlier steps and draws noise: it has no recursion here")
    return [first_mean, *(A @ first_mean + h)], [first_cov, *(A @ first_cov @ A.mT)]
