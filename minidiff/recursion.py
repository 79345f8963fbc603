"""What a sampler does to Gaussian data, exactly: the mean and covariance of x_s at every step, without sampling.

For x_0 ~ N(m, S) the perfect denoiser is affine in x_t, and so is every step that does nothing clever with it. Then
x_s = A x_t + h + C z, and a Gaussian stays one. At finite T the outcome is not N(m, S) even so: this says what it is,
and so separates a bug from a schedule that ends too early and from steps that are too long.

    letter   name   shape   meaning
    m, S     mean   (d,)    of the data; in the recursion, of x_t
             cov    (d, d)
"""

import numpy as np

from .exact import Mixture
from .sample import check_times


class _Unit:
    """An rng whose draw is the given z."""

    def __init__(self, z):
        self.z = z

    def standard_normal(self, shape, dtype=np.float64):
        return self.z.astype(dtype)


def moments(step, schedule, mean, cov, times, start=None):
    """E x_s and Cov x_s for all s in times (descending, the last is 0): lists of (d,) and (d, d).

        E x_s = A E x_t + h,    Cov x_s = A Cov x_t A^T + C C^T

    A, h and C are probed: the step is called at 0, at the unit vectors and with unit noise, so that a student's own
    step can be judged too. mean (d,), cov (d, d) are the data's; start = (mean, cov) of x_T, N(0, I) unless given.
    Raises ValueError for times that do not descend to 0, and for a step that is not affine.
    """
    times = check_times(schedule, times).tolist()
    mean, cov = np.atleast_1d(np.asarray(mean, np.float64)), np.atleast_2d(np.asarray(cov, np.float64))
    d = len(mean)
    eps_star = Mixture(np.ones(1), mean[None], cov[None]).eps_theta(schedule)
    zero, unit = np.zeros((d, d)), np.eye(d)
    means, covs = [start[0] if start else np.zeros(d)], [start[1] if start else np.eye(d)]
    for t, s in zip(times[:-1], times[1:]):
        h = step(eps_star, schedule, zero[:1], t, s, _Unit(zero[:1]))[0]
        A = (step(eps_star, schedule, unit, t, s, _Unit(zero)) - h).T
        C = (step(eps_star, schedule, zero, t, s, _Unit(unit)) - h).T
        far, z = np.arange(2.0, d + 2)[None], np.full((1, d), -3.0)
        probed, predicted = step(eps_star, schedule, far, t, s, _Unit(z))[0], A @ far[0] + h + C @ z[0]
        if not np.allclose(probed, predicted, rtol=1e-6, atol=1e-6):
            raise ValueError(f"the step from t = {t} to s = {s} is not affine in (x_t, z): it has no exact recursion")
        means.append(A @ means[-1] + h)
        covs.append(A @ covs[-1] @ A.T + C @ C.T)
    return means, covs
