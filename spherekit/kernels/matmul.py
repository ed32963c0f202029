"""Products of up to four rows with a table, lanes side by side.

    out[i, j] = sum_k a[row_i + k stride] table[first + k width + j],   j < width

The rows are the real and imaginary parts of one map or of two: four rows and four registers of lanes keep
sixteen sums in registers. Every row is summed in the order of k, whatever else is summed.
"""

from spherekit._core.jit import leaf
from spherekit.kernels.simd import load, splat, spread, store, width


@leaf
def product2(lanes, a, row, im, stride, table, first, count, out, target):
    """Rows ``row`` and ``row + im``."""
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
    """Rows ``row`` and ``row + im``, and the same of the next map, ``next_map`` further on."""
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
