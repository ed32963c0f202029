"""Calls of kernels by their address: arguments, exceptions, one address for each type of the arguments."""

import numpy as np
import pytest

from spherekit._core.jit import jit
from spherekit.kernels.address_calls import address, call


@jit
def add_number(x, number):
    for i in range(x.size):
        x[i] += number


@jit
def refuse(x, number):
    if x[0] < number:
        raise ValueError("too small")


@jit
def call_twice(kernel, x, number):
    call(kernel, x, number)
    call(kernel, x, number)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_arguments_reach_the_kernel(dtype):
    x = np.arange(3, dtype=dtype)
    call_twice(address(add_number, x, 5), x, 5)
    np.testing.assert_array_equal(x, [10, 11, 12])


def test_exceptions_reach_the_caller():
    x = np.ones(2)
    kernel = address(refuse, x, 0)
    call_twice(kernel, x, 1)
    with pytest.raises(ValueError, match="too small"):
        call_twice(kernel, x, 2)


def test_an_address_is_that_of_the_types():
    double, single = np.ones(1), np.ones(1, np.float32)
    kernel = address(add_number, double, 1)
    assert kernel == address(add_number, np.zeros(7), 3)
    assert kernel != address(add_number, single, 1)
