"""The recursion's coefficients where rounding would show."""

import numpy as np

from spherekit.kernels.recursion_coefficients import difference_coefficients


def test_the_difference_form_starts_from_nothing():
    """At l = l0 the degree below does not exist: its factor is 0, not the root of a rounding error."""
    rga = np.empty(3 * 310)
    for n in (0, 2, -7):
        for m in range(300):
            if max(m, abs(n)) > 0:
                difference_coefficients(m, n, 305, rga)
                assert abs(rga[0]) < 1e-12, (m, n)
