"""Products of a few rows with a stored table, lanes side by side.

    out[i, j] = sum_k a[row_i + k step] b[first + k width + j],   j < width

The rows come as the real and imaginary parts of one map or of two: four rows and four registers of lanes
keep sixteen sums in registers. Every row is summed in the order of k, whatever stands beside it.
"""

from spherekit._core.jit import leaf
from spherekit.kernels.simd import load, splat, spread, store, width


@leaf
def product2(lanes, a, at, im, step, b, first, count, out, to):
    """Rows ``at`` and ``at + im``."""
    w = width(lanes)
    s0 = s1 = splat(lanes, 0.0)
    for k in range(count):
        v, i = load(lanes, b, first + k * w), at + k * step
        s0 = s0 + spread(lanes, a, i) * v
        s1 = s1 + spread(lanes, a, i + im) * v
    store(out, to, s0)
    store(out, to + w, s1)


@leaf
def product4(lanes, a, at, im, other, step, b, first, count, out, to):
    """Rows ``at`` and ``at + im``, and the same of the next map, ``other`` further on."""
    w = width(lanes)
    s0 = s1 = s2 = s3 = splat(lanes, 0.0)
    for k in range(count):
        v, i = load(lanes, b, first + k * w), at + k * step
        s0 = s0 + spread(lanes, a, i) * v
        s1 = s1 + spread(lanes, a, i + im) * v
        s2 = s2 + spread(lanes, a, i + other) * v
        s3 = s3 + spread(lanes, a, i + other + im) * v
    store(out, to, s0)
    store(out, to + w, s1)
    store(out, to + 2 * w, s2)
    store(out, to + 3 * w, s3)
