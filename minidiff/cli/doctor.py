"""Does a schedule end in noise? Sampling starts from N(0, I); if x_T still knows the data, that is the wrong start."""

from ..gaussian import prior_kl, snr
from ..schedule import SCHEDULES
from .names import pick

LIMIT = 0.01  # nats a coordinate


def _nats(name, T, std):
    """prior_kl of a schedule that may not exist for this T (then it is infinite)."""
    try:
        return prior_kl(SCHEDULES[name](T), std**2)
    except ValueError:
        return float("inf")


def examine(name, T, data_std):
    """What the schedule `name` with T steps leaves of data with that standard deviation: a dict of numbers, and advice.

    Raises ValueError for an unknown name, a T that the schedule refuses, or a data_std that is not positive.
    """
    schedule = pick("schedule", SCHEDULES, name)(T)
    if not data_std > 0:
        raise ValueError(f"data_std must be positive, got {data_std}")
    nats = float(prior_kl(schedule, data_std**2))
    result = {
        "schedule": name, "T": T, "alpha_bar_T": float(schedule.alpha_bar[-1]), "snr_T": float(snr(schedule, T)),
        "beta_min": float(schedule.beta[1:].min()), "beta_max": float(schedule.beta.max()), "prior_kl": nats,
        "limit": LIMIT, "healthy": nats <= LIMIT,
    }  # fmt: skip
    return result if result["healthy"] else result | {"advice": _advice(name, T, data_std)}


def _advice(name, T, data_std):
    """The smallest change that helps: scaled data, more steps, or another schedule."""
    if data_std > 1 and _nats(name, T, 1.0) <= LIMIT:
        return "Scale the data to std 1 first."
    longer = next((f"T >= {n}" for n in range(T, 4000) if _nats(name, n, data_std) <= LIMIT), None)
    others = [f"--schedule {other}" for other in SCHEDULES if other != name and _nats(other, T, data_std) <= LIMIT]
    return f"Use {' or '.join(filter(None, [longer, *others])) or 'data of smaller std'}."
