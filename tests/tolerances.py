"""The tolerances of the tests, all of them: by kind of statement, type of number and L.

They come from the analysis of rounding, or from what the best other codes reach; they are never
loosened to make a test pass. "Absolute" is said of results of order one, which coefficients of unit
variance give; else the tolerance is relative to the largest value. What holds for one test alone
stands in its file, with its reason.
"""

import numpy as np

# --- float64: by how much is computed -------------------------------------------------------------

#: One formula or a product of few factors: some units in the last place. Absolute, or relative of each value.
LAST_PLACES = 1e-15

#: A short sum: a matrix of degree l < 10, the weights of a quadrature, a statistic, one row. Absolute, or
#: relative of each value.
SHORT_SUM = 1e-14

#: Identities between two computed float64 results (Parseval, symmetries), relative; one transform of a
#: signal of L < 64 against another route to it, absolute.
IDENTITY = 1e-13

#: Several transforms in a row (rotations, wavelets, layers, moduli), or sums over signals and channels,
#: against another route. Absolute, or relative of each value.
CHAIN = 1e-12

# --- transforms -----------------------------------------------------------------------------------

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

#: Spectra of masked fields against another code's: several transforms, and an inverse matrix of condition
#: number below 100. Relative to the largest value.
NAMASTER = 1e-10

#: d^l_mn and sY_lm / sqrt((2l+1)/4pi) at single points, absolute (the functions are at most 1):
#: to l = 2047, near the poles and elsewhere alike.
POINT = 1e-13

#: <y, A x> against <A^H y, x>, relative to the product of the norms.
ADJOINT = {np.dtype(np.float64): 1e-12, np.dtype(np.float32): 3e-7}

#: Weights of the bilinear interpolation of HEALPix maps against another code's, per nside: absolute. A
#: longitude in pixels, up to 4 nside, and a colatitude in rings are rounded to some units in the last place.
INTERPOLATION_SLOPE = 2e-15

#: Pixel windows, absolute: the quadrature in pixels, and the sums over a subset of them.
PIXEL_WINDOW = 2e-7

#: The same against published windows that were extrapolated from those of larger pixels; by 1.4e-5 at most.
EXTRAPOLATED_WINDOW = 2e-5

# --- iterations -----------------------------------------------------------------------------------

#: What least squares and Jacobi iterations recover where the samples determine the signal.
ANALYSIS = 1e-9

#: Coefficients that commands find by iteration, at the default tolerance of 1e-8 of the residual. Absolute.
COMMAND = 1e-6

#: Samples from such coefficients: a sum of some tens of them. Absolute.
COMMAND_SAMPLES = 1e-5

# --- float32 --------------------------------------------------------------------------------------

#: Results that are summed in float32 throughout (networks, scattering), against those in float64. Absolute,
#: or relative to the largest value.
SINGLE = 1e-5

#: What is rounded to float32 a few times (values, statistics, derivatives), against float64. Absolute, or
#: relative of each value.
SINGLE_VALUES = 1e-6


def round_trip(grid_name, L, dtype=np.float64):
    """Largest absolute error of a round trip; at L = 1 that of L = 2, which is rounding."""
    if np.dtype(dtype) in (np.float32, np.complex64):
        return ROUND_TRIP_SINGLE
    return ROUND_TRIP_SLOPE.get(grid_name, ROUND_TRIP_SLOPE_ELSE) * max(L, 2)


def by_type(table, dtype):
    """The row of a table for a real or complex type."""
    return table[np.zeros(0, dtype).real.dtype]
