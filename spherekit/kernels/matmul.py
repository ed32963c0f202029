"""Products of two or four rows with a precomputed table, whose columns are SIMD lanes.

    out[i, j] = sum_k a[row_i + k stride] table[first + k width + j],   j < width

The rows are the real and imaginary parts of one map or of two. Four rows and four registers of lanes give
sixteen sums, all of which stay in registers. Each row is summed in the order of k, independently of the
number of rows.
"""

from spherekit._core.jit import leaf
from spherekit.kernels.simd import load, splat, spread, store, width


@leaf
def product2(lanes, a, row, im, stride, table, first, count, out, target):
    """Multiply rows ``row`` and ``row + im``, the two parts of one map."""
    w = width(lanes)
    s0 = s1 = splat(lanes, 0.0)
    for k in range(count):
        v, i = load(lanes, table, first + k * w), row + k * stride
        s0 = s0 + spread(lanes, a, i) * v
        s1 = s1 + spread(lanes, a, i + im) * v
    store(out, target, s0)
    store(out, target + w, s1)


@leaf
def product4(lanes, a, row, im, next_map, stride, table, first, count, out, target):
    """Multiply rows ``row`` and ``row + im`` of one map, and those of the next, at ``next_map`` beyond."""
    w = width(lanes)
    s0 = s1 = s2 = s3 = splat(lanes, 0.0)
    for k in range(count):
        v, i = load(lanes, table, first + k * w), row + k * stride
        s0 = s0 + spread(lanes, a, i) * v
        s1 = s1 + spread(lanes, a, i + im) * v
        s2 = s2 + spread(lanes, a, i + next_map) * v
        s3 = s3 + spread(lanes, a, i + next_map + im) * v
    store(out, target, s0)
    store(out, target + w, s1)
    store(out, target + 2 * w, s2)
    store(out, target + 3 * w, s3)
