"""What keeps dtypes and axes straight: the one page of machinery. Skip it at first."""

import functools

import numpy as np


def keeps_dtype(f):
    """f with its answer in the dtype of the data it was given: the float arrays with the most axes.
    Coefficients are float64 all the same: in float32, 1 - alpha_bar[1] = 1e-4 would keep 4 digits of 7."""

    @functools.wraps(f)
    def wrapped(*args, **kwargs):
        data = [a for a in (*args, *kwargs.values()) if isinstance(a, np.ndarray) and a.dtype.kind == "f"]
        y = f(*args, **kwargs)
        if not data:
            return y
        axes = max(a.ndim for a in data)  # real times, one for each row, have fewer
        dtype = np.result_type(*(a.dtype for a in data if a.ndim == axes))
        return tuple(np.asarray(part, dtype) for part in y) if isinstance(y, tuple) else np.asarray(y, dtype)

    return wrapped


def on_axes_of(x, values):
    """values (B,) with axes of length 1 behind them, so that they multiply x (B, ...); a scalar stays one."""
    values = np.asarray(values)
    return values.reshape(values.shape + (1,) * (np.ndim(x) - values.ndim)) if values.ndim else values[()]
