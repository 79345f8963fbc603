"""The classifier of digits, trained once for all tests of this room."""

import pytest

from minidiff import data
from minidiff.evaluation.classifier import learn


@pytest.fixture(scope="session")
def reader():
    x, label = data.digits()
    return learn(x, label, (8, 8))
