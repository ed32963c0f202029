"""Transposed loads and stores: rows of arrays as lanes of SIMD vectors, and the inverse.

Eight rings of a map, or eight orders of a plane, are rows in memory; as lanes they are transformed together.
``offsets[row]`` is the position at which a row begins.
"""

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from spherekit._core.jit import leaf, runs_as_python
from spherekit.kernels import simd_numpy
from spherekit.kernels.simd import (
    I32,
    I64,
    data_pointer,
    element_type,
    lanes_of,
    load_vector,
    store_vector,
    width,
)


@intrinsic
def load_rows(typing, lanes, source, offsets, row, column, target, index):
    """target[index + c*width + i] = source[offsets[row+i] + column + c], i and c below the width."""

    def generate(context, builder, signature, args):
        columns = _load_columns(context, builder, signature, args)
        destination = data_pointer(context, builder, target, args[5])
        for c, v in enumerate(columns):
            position = builder.add(args[6], ir.Constant(I64, c * lanes.width))
            store_vector(builder, builder.gep(destination, [position]), element_type(target), v)
        return context.get_dummy_value()

    n = types.intp
    return types.void(lanes, source, offsets, n, n, target, n), generate


@intrinsic
def row_sums(typing, lanes, array, index):
    """Return the sums of ``width`` consecutive vectors, as the lanes of one vector."""

    def generate(context, builder, signature, args):
        rows = _read_vectors(context, builder, lanes, array, args[1], args[2])
        width = half = lanes.width
        while half > 1:
            half //= 2
            # Lane i of the sum of a pair adds the two halves of lanes that row i & half still contains.
            low = [i + (width - half if i & half else 0) for i in range(width)]
            high = [i + (width if i & half else half) for i in range(width)]
            masks = [ir.Constant(ir.VectorType(I32, width), m) for m in (low, high)]
            pairs = [(rows[i], rows[i + half]) for i in range(half)]
            shuffled = [[builder.shuffle_vector(a, b, m) for m in masks] for a, b in pairs]
            rows = [builder.fadd(a, b) for a, b in shuffled]
        return rows[0]

    return lanes.vector(lanes, array, types.intp), generate


@intrinsic
def load_complex_rows(typing, lanes, source, offsets, row, column, real, imag, index):
    """`load_rows` for interleaved complex numbers: even columns to ``real``, odd ones to ``imag``."""

    def generate(context, builder, signature, args):
        columns = _load_columns(context, builder, signature, args)
        targets = [
            data_pointer(context, builder, t, a) for t, a in ((real, args[5]), (imag, args[6]))
        ]
        element = element_type(real)
        for c, v in enumerate(columns):
            position = builder.add(args[7], ir.Constant(I64, c // 2 * lanes.width))
            store_vector(builder, builder.gep(targets[c % 2], [position]), element, v)
        return context.get_dummy_value()

    n = types.intp
    return types.void(lanes, source, offsets, n, n, real, imag, n), generate


@intrinsic
def load_pairs(typing, lanes, array, index, stride):
    """Load pairs of neighbors: array[index + j stride] and array[index + j stride + 1]."""

    def generate(context, builder, signature, args):
        v = ir.Constant(lanes.vector.llvm, ir.Undefined)
        for j, pointer in enumerate(
            _pair_pointers(context, builder, array, *args[1:], lanes.width)
        ):
            pair = load_vector(builder, pointer, element_type(array), 2, lanes.vector.element)
            padding = list(range(2)) + [2] * (lanes.width - 2)
            mask = ir.Constant(ir.VectorType(I32, lanes.width), padding)
            pair = builder.shuffle_vector(pair, ir.Constant(pair.type, ir.Undefined), mask)
            order = [lanes.width + i - 2 * j if i // 2 == j else i for i in range(lanes.width)]
            v = builder.shuffle_vector(v, pair, ir.Constant(ir.VectorType(I32, lanes.width), order))
        return v

    return lanes.vector(lanes, array, types.intp, types.intp), generate


@intrinsic
def store_pairs(typing, array, index, stride, v):
    """The inverse of `load_pairs`."""

    def generate(context, builder, signature, args):
        pointers = _pair_pointers(context, builder, array, *args[:3], v.width)
        for j, pointer in enumerate(pointers):
            store_vector(
                builder, pointer, element_type(array), lanes_of(builder, args[3], 2 * j, 2)
            )
        return context.get_dummy_value()

    return types.void(array, types.intp, types.intp, v), generate


@intrinsic
def weave(typing, array, index, a, b, c, d):
    """array[index + 4 i : index + 4 i + 4] = a_i, b_i, c_i, d_i."""

    def generate(context, builder, signature, args):
        halves = [_interleave(builder, x, y) for x, y in zip(args[2:4], args[4:6], strict=True)]
        v = _interleave(builder, *halves)
        pointer = builder.gep(data_pointer(context, builder, array, args[0]), [args[1]])
        store_vector(builder, pointer, element_type(array), v)
        return context.get_dummy_value()

    return types.void(array, types.intp, a, b, c, d), generate


def _interleave(builder, a, b):
    width = a.type.count
    mask = [i // 2 + width * (i % 2) for i in range(2 * width)]
    return builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(I32, 2 * width), mask))


def _pair_pointers(context, builder, array_type, array, index, stride, width):
    base = data_pointer(context, builder, array_type, array)
    for _ in range(width // 2):
        yield builder.gep(base, [index])
        index = builder.add(index, stride)


@intrinsic
def store_rows(typing, lanes, source, index, target, offsets, row, column, dummy):
    """The inverse of `load_rows`; rows with a negative offset go to ``dummy``, which is never read."""

    def generate(context, builder, signature, args):
        vectors = _read_vectors(context, builder, lanes, signature.args[1], args[1], args[2])
        _store_columns(context, builder, signature, vectors, args[3:])
        return context.get_dummy_value()

    n = types.intp
    return types.void(lanes, source, n, target, offsets, n, n, dummy), generate


@intrinsic
def store_complex_rows(typing, lanes, real, imag, index, target, offsets, row, column, dummy):
    """The inverse of `load_complex_rows`, with ``dummy`` as in `store_rows`."""

    def generate(context, builder, signature, args):
        half = lanes.width // 2
        planes = [
            _read_vectors(context, builder, lanes, t, a, args[3], half)
            for t, a in ((real, args[1]), (imag, args[2]))
        ]
        vectors = [v for pair in zip(*planes, strict=True) for v in pair]
        _store_columns(context, builder, signature, vectors, args[4:], first=4)
        return context.get_dummy_value()

    n = types.intp
    return types.void(lanes, real, imag, n, target, offsets, n, n, dummy), generate


def _row_pointer(context, builder, offsets_type, args, base, i):
    """Return (pointer to the element of row i, its offset) for args = (offsets, row, column)."""
    offsets, row, column = args
    position = builder.add(row, ir.Constant(I64, i))
    offset = builder.load(
        builder.gep(data_pointer(context, builder, offsets_type, offsets), [position])
    )
    return builder.gep(base, [builder.add(offset, column)]), offset


def _load_columns(context, builder, signature, args):
    lanes, source, offsets = signature.args[:3]
    base, rows = data_pointer(context, builder, source, args[1]), []
    for i in range(lanes.width):
        pointer, _ = _row_pointer(context, builder, offsets, args[2:5], base, i)
        row = load_vector(builder, pointer, element_type(source), lanes.width, lanes.vector.element)
        rows.append(row)
    return _transpose(builder, rows)


def _read_vectors(context, builder, lanes, array_type, array, index, count=None):
    width, result_element = lanes.width, lanes.vector.element
    base, element = data_pointer(context, builder, array_type, array), element_type(array_type)
    starts = (builder.add(index, ir.Constant(I64, c * width)) for c in range(count or width))
    return [
        load_vector(builder, builder.gep(base, [position]), element, width, result_element)
        for position in starts
    ]


def _store_columns(context, builder, signature, vectors, args, first=3):
    target, offsets = signature.args[first : first + 2]
    base = data_pointer(context, builder, target, args[0])
    dummy = data_pointer(context, builder, signature.args[-1], args[-1])
    element = element_type(target)
    dummy = builder.bitcast(dummy, base.type)
    for i, v in enumerate(_transpose(builder, vectors)):
        pointer, offset = _row_pointer(context, builder, offsets, args[1:4], base, i)
        skipped = builder.icmp_signed("<", offset, ir.Constant(I64, 0))
        store_vector(builder, builder.select(skipped, dummy, pointer), element, v)


def _transpose(builder, rows):
    """Transpose ``len(rows)`` vectors of as many lanes, in log2 stages of pairwise shuffles."""
    width, half = len(rows), len(rows) // 2
    lanes = range(width)
    while half:
        low = [k + width - half if k & half else k for k in lanes]
        high = [k + width if k & half else k + half for k in lanes]
        masks = [ir.Constant(ir.VectorType(I32, width), m) for m in (low, high)]
        for k in lanes:
            if not k & half:
                a, b = rows[k], rows[k + half]
                rows[k], rows[k + half] = (builder.shuffle_vector(a, b, m) for m in masks)
        half //= 2
    return rows


if runs_as_python():
    simd_numpy.replace(globals())


@leaf
def load_block(lanes, source, rows, first, count, work, start):
    """Load ``count`` elements of as many rows as there are lanes, transposed into the work array."""
    v = width(lanes)
    if count < v:
        for i in range(v):
            for j in range(count):
                work[start + j * v + i] = source[rows[first + i] + j]
        return
    # Where count is not a multiple of v, the last vector overlaps the previous one.
    for j in range(0, count + v - 1, v):
        c = min(j, count - v)
        load_rows(lanes, source, rows, first, c, work, start + c * v)


@leaf
def store_block(lanes, work, start, target, rows, first, count, dummy):
    """The inverse of `load_block`; rows with offset -1 are skipped."""
    v = width(lanes)
    if count < v:
        for i in range(v):
            for j in range(count):
                if rows[first + i] >= 0:
                    target[rows[first + i] + j] = work[start + j * v + i]
        return
    for j in range(0, count + v - 1, v):
        c = min(j, count - v)
        store_rows(lanes, work, start + c * v, target, rows, first, c, dummy)
