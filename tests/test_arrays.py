"""dtypes and axes."""

import numpy as np

from minidiff.arrays import keeps_dtype, on_axes_of


def test_data_dtype_is_kept_and_numbers_stay_numbers():
    double = keeps_dtype(lambda x, y: 2.0 * np.float64(1) * x + y)
    assert double(np.ones(2, np.float32), np.ones(2, np.float32)).dtype == np.float32
    assert double(np.ones(2, np.float32), np.ones(2)).dtype == np.float64
    assert double(np.ones((2, 3), np.float32), np.ones((2, 1))).dtype == np.float64
    assert double(np.ones((2, 3), np.float32), np.ones(3)).dtype == np.float32  # fewer axes: times, not data
    assert double(1.0, 2.0) == 4.0


def test_one_value_a_row_gets_axes_to_multiply_the_rows():
    x, values = np.ones((3, 2, 4)), np.array([2.0, 3.0, 5.0])
    assert on_axes_of(x, values).shape == (3, 1, 1)
    assert [float(row.min()) for row in on_axes_of(x, values) * x] == values.tolist()
    for scalar in (7.0, np.array(7.0)):
        assert np.ndim(on_axes_of(x, scalar)) == 0 and on_axes_of(x, scalar) == 7
    assert on_axes_of(0.0, values).shape == (3,)
