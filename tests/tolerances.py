"""The tolerances of the tests, all of them: by kind of statement, type of number and L.

They come from the analysis of rounding, or from what the best other codes reach; they are never
loosened to make a test pass.
"""

import numpy as np

#: Largest absolute error of forward(inverse(flm)) per L, for coefficients of unit variance.
ROUND_TRIP_SLOPE = {"gl": 5e-15}
ROUND_TRIP_SLOPE_ELSE = 7e-15

#: float32, relative to the largest coefficient: rounding at the border alone gives 1.3e-7 of a
#: coefficient, at any L.
ROUND_TRIP_SINGLE = 3e-7

#: The same of batches, which are multiplied in float32.
ROUND_TRIP_SINGLE_BATCH = 1.5e-6

#: Root mean square error of a round trip at any spin |s| <= 15 over that at spin 0, L = 128. The
#: two recursions differ a little (0.93 to 1.26, by grid, with no growth in s); draws add 0.05.
SPIN_TO_SPIN = 1.5

#: Against the definitions in naive.py at L < 10, relative to the largest value.
DEFINITION = {np.dtype(np.float64): 1e-13, np.dtype(np.float32): 3e-7}

#: Against stored values of other codes at L <= 256, relative to the largest value.
STORED = 1e-12

#: d^l_mn and sY_lm / sqrt((2l+1)/4pi) at single points, absolute (the functions are at most 1):
#: to l = 2047, near the poles and elsewhere alike.
POINT = 1e-13

#: <y, A x> against <A^H y, x>, relative to the product of the norms.
ADJOINT = {np.dtype(np.float64): 1e-12, np.dtype(np.float32): 3e-7}

#: Identities between two computed float64 results (Parseval, symmetries), relative.
IDENTITY = 1e-13

#: What least squares and Jacobi iterations recover where the samples determine the signal.
ANALYSIS = 1e-9


def round_trip(grid_name, L, dtype=np.float64):
    """Largest absolute error of a round trip; at L = 1 that of L = 2, which is rounding."""
    if np.dtype(dtype) in (np.float32, np.complex64):
        return ROUND_TRIP_SINGLE
    return ROUND_TRIP_SLOPE.get(grid_name, ROUND_TRIP_SLOPE_ELSE) * max(L, 2)


def by_type(table, dtype):
    """The row of a table for a real or complex type."""
    return table[np.zeros(0, dtype).real.dtype]
