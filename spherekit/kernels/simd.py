"""SIMD vectors as values in jitted code.

``Lanes(width)`` names a vector type. In a kernel, ``load(lanes, a, i)`` and ``splat(lanes, x)`` make such
vectors; ``+ - *`` act lane by lane and may fuse into FMA; ``store(a, i, v)`` writes one back. A width
beyond the machine's is split by LLVM into several registers, which is how a kernel written once, in plain
operators, keeps 32 rings in flight. The width travels as the type of an argument, so that the compiled
cache sees it.
"""

import operator

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import (
    NativeValue,
    intrinsic,
    models,
    overload,
    register_model,
    typeof_impl,
    unbox,
)

I32, I64, F64 = ir.IntType(32), ir.IntType(64), ir.DoubleType()
_FLAGS = ("contract",)


class Lanes:
    """A vector of ``width`` float64, a power of two from 4 on."""

    def __init__(self, width):
        self.width = width


class LanesType(types.Opaque):
    def __init__(self, width):
        self.width = width
        super().__init__(name=f"Lanes({width})")


class VectorType(types.Type):
    def __init__(self, width):
        self.width = width
        self.llvm = ir.VectorType(F64, width)
        super().__init__(name=f"float64x{width}")


@typeof_impl.register(Lanes)
def _typeof_lanes(lanes, context):
    return LanesType(lanes.width)


register_model(LanesType)(models.OpaqueModel)


@unbox(LanesType)
def _unbox_lanes(typ, obj, c):
    return NativeValue(c.context.get_dummy_value())


@register_model(VectorType)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager, typ):
        super().__init__(manager, typ, typ.llvm)


# --- code generation helpers ------------------------------------------------------------------------


def _data(context, builder, array_type, array):
    return context.make_array(array_type)(context, builder, array).data


def _constant(value, width, element=F64):
    return ir.Constant(ir.VectorType(element, width), [value] * width)


def _splat(builder, x, width):
    undefined = ir.Constant(ir.VectorType(x.type, width), ir.Undefined)
    first = builder.insert_element(undefined, x, ir.Constant(I32, 0))
    return builder.shuffle_vector(first, undefined, _constant(0, width, I32))


def _lanes_of(builder, v, start, count):
    mask = ir.Constant(ir.VectorType(I32, count), list(range(start, start + count)))
    return builder.shuffle_vector(v, v, mask)


def _element(array_type):
    """LLVM type of a float array's elements; vectors are float64 whatever the array holds."""
    return F64 if array_type.dtype.bitwidth == 64 else ir.FloatType()


def _load(builder, pointer, element, width):
    vector = ir.VectorType(element, width)
    v = builder.load(builder.bitcast(pointer, vector.as_pointer()), align=element_bytes(element))
    return v if element is F64 else builder.fpext(v, ir.VectorType(F64, width))


def _store(builder, pointer, element, v):
    vector = ir.VectorType(element, v.type.count)
    if element is not F64:
        v = builder.fptrunc(v, vector)
    builder.store(v, builder.bitcast(pointer, vector.as_pointer()), align=element_bytes(element))


def element_bytes(element):
    return 8 if element is F64 else 4


def _transpose(builder, rows):
    """Transpose ``len(rows)`` vectors of that many lanes by log2 stages of pairwise shuffles."""
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


# --- loads, stores, arithmetic ----------------------------------------------------------------------


@intrinsic
def load(typing, lanes, array, index):
    """The vector at array[index : index + width]."""

    def generate(context, builder, signature, args):
        pointer = builder.gep(_data(context, builder, array, args[1]), [args[2]])
        return _load(builder, pointer, _element(array), lanes.width)

    return VectorType(lanes.width)(lanes, array, types.intp), generate


@intrinsic
def store(typing, array, index, v):
    """array[index : index + width] = v."""

    def generate(context, builder, signature, args):
        pointer = builder.gep(_data(context, builder, array, args[0]), [args[1]])
        _store(builder, pointer, _element(array), args[2])
        return context.get_dummy_value()

    return types.void(array, types.intp, v), generate


@intrinsic
def width(typing, lanes):
    """The number of lanes, a constant of the compiled code."""

    def generate(context, builder, signature, args):
        return ir.Constant(I64, lanes.width)

    return types.intp(lanes), generate


@intrinsic
def splat(typing, lanes, x):
    """The vector with ``x`` in every lane."""

    def generate(context, builder, signature, args):
        return _splat(builder, args[1], lanes.width)

    return VectorType(lanes.width)(lanes, types.float64), generate


@intrinsic
def spread(typing, lanes, array, index):
    """The vector with array[index] in every lane; index >= 0, which `splat` would have to find out."""

    def generate(context, builder, signature, args):
        pointer = builder.gep(_data(context, builder, array, args[1]), [args[2]])
        return _splat(builder, builder.load(pointer, align=8), lanes.width)

    return VectorType(lanes.width)(lanes, array, types.intp), generate


def _binary(instruction):
    @intrinsic
    def operation(typing, a, b):
        def generate(context, builder, signature, args):
            return getattr(builder, instruction)(*args, flags=_FLAGS)

        return a(a, b), generate

    return operation


def _overload_operator(python_operator, operation):
    @overload(python_operator)
    def implementation(a, b):
        if isinstance(a, VectorType) and a == b:
            return lambda a, b: operation(a, b)


for _operator, _instruction in (
    (operator.add, "fadd"),
    (operator.sub, "fsub"),
    (operator.mul, "fmul"),
):
    _overload_operator(_operator, _binary(_instruction))


@intrinsic
def accumulate(typing, total, a, b):
    """total + a * b, the wider vectors a and b folded onto the lanes of ``total`` in order."""

    def generate(context, builder, signature, args):
        v, a_, b_ = args
        fma = cgutils.get_or_insert_function(
            builder.module,
            ir.FunctionType(total.llvm, [total.llvm] * 3),
            f"llvm.fma.v{total.width}f64",
        )
        for start in range(0, a.width, total.width):
            x, y = (_lanes_of(builder, w, start, total.width) for w in (a_, b_))
            v = builder.call(fma, [x, y, v])
        return v

    return total(total, a, b), generate


@intrinsic
def magnitude(typing, v):
    """Absolute values."""

    def generate(context, builder, signature, args):
        return _absolute(builder, args[0])

    return v(v), generate


@intrinsic
def larger(typing, a, b):
    """The larger of two vectors, lane by lane."""

    def generate(context, builder, signature, args):
        return builder.select(builder.fcmp_ordered(">", *args), *args)

    return a(a, b), generate


@intrinsic
def reverse_pairs(typing, v):
    """The complex numbers of a vector in reverse order."""

    def generate(context, builder, signature, args):
        lanes = [i ^ 1 for i in reversed(range(v.width))]
        mask = ir.Constant(ir.VectorType(I32, v.width), lanes)
        return builder.shuffle_vector(args[0], args[0], mask)

    return v(v), generate


def _absolute(builder, v):
    name = f"llvm.fabs.v{v.type.count}f64"
    kind = ir.FunctionType(v.type, [v.type])
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), [v])


@intrinsic
def largest(typing, v):
    """The largest absolute value of the lanes."""

    def generate(context, builder, signature, args):
        return _highest(builder, _absolute(builder, args[0]))

    return types.float64(v), generate


@intrinsic
def highest(typing, v):
    """The largest value of the lanes."""

    def generate(context, builder, signature, args):
        return _highest(builder, args[0])

    return types.float64(v), generate


def _highest(builder, v):
    width = v.type.count
    while width > 1:
        width //= 2
        a, b = _lanes_of(builder, v, 0, width), _lanes_of(builder, v, width, width)
        v = builder.select(builder.fcmp_ordered(">", a, b), a, b)
    return builder.extract_element(v, ir.Constant(I32, 0))


@intrinsic
def exp2(typing, v):
    """2**v for v <= 1000, exactly 0 below -1000; within an ulp or two."""

    def generate(context, builder, signature, args):
        x, width = args[0], v.width
        magic = _constant(6755399441055744.0, width)  # 1.5 * 2**52: adding it rounds to an integer
        shifted = builder.fadd(x, magic)
        fraction = builder.fsub(x, builder.fsub(shifted, magic))
        series = _constant(_EXP2_SERIES[-1], width)
        for coefficient in reversed(_EXP2_SERIES[:-1]):
            product = builder.fmul(series, fraction, flags=_FLAGS)
            series = builder.fadd(product, _constant(coefficient, width), flags=_FLAGS)
        bits = builder.bitcast(shifted, ir.VectorType(I64, width))
        bits = builder.shl(bits, _constant(52, width, I64))
        bits = builder.add(bits, _constant(1023 << 52, width, I64))
        value = builder.fmul(series, builder.bitcast(bits, v.llvm))
        tiny = builder.fcmp_ordered("<", x, _constant(-1000.0, width))
        return builder.select(tiny, _constant(0.0, width), value)

    return v(v), generate


def _exp2_series():
    """log(2)**k / k!, k = 0..13: the rest is below 1e-17 for |fraction| <= 1/2."""
    terms, log2 = [1.0], 0.6931471805599453094
    for k in range(1, 14):
        terms.append(terms[-1] * log2 / k)
    return terms


_EXP2_SERIES = _exp2_series()


# --- rows and lanes: transposed loads and stores -----------------------------------------------------


@intrinsic
def load_rows(typing, lanes, source, offsets, row, column, target, index):
    """target[index + c*width + i] = source[offsets[row+i] + column + c], i and c below the width."""

    def generate(context, builder, signature, args):
        columns = _load_columns(context, builder, signature, args)
        destination = _data(context, builder, target, args[5])
        for c, v in enumerate(columns):
            at = builder.add(args[6], ir.Constant(I64, c * lanes.width))
            _store(builder, builder.gep(destination, [at]), F64, v)
        return context.get_dummy_value()

    n = types.intp
    return types.void(lanes, source, offsets, n, n, target, n), generate


@intrinsic
def load_complex_rows(typing, lanes, source, offsets, row, column, real, imag, index):
    """`load_rows` of interleaved complex numbers: even columns go to ``real``, odd ones to ``imag``."""

    def generate(context, builder, signature, args):
        columns = _load_columns(context, builder, signature, args)
        targets = [_data(context, builder, t, a) for t, a in ((real, args[5]), (imag, args[6]))]
        for c, v in enumerate(columns):
            at = builder.add(args[7], ir.Constant(I64, c // 2 * lanes.width))
            _store(builder, builder.gep(targets[c % 2], [at]), F64, v)
        return context.get_dummy_value()

    n = types.intp
    return types.void(lanes, source, offsets, n, n, real, imag, n), generate


@intrinsic
def load_pairs(typing, lanes, array, index, stride):
    """Pairs of neighbours from every ``stride``: array[index + j stride], array[index + j stride + 1]."""

    def generate(context, builder, signature, args):
        v = ir.Constant(ir.VectorType(F64, lanes.width), ir.Undefined)
        for j, pointer in enumerate(
            _pair_pointers(context, builder, array, *args[1:], lanes.width)
        ):
            pair = builder.load(pointer, align=8)
            wide = list(range(2)) + [2] * (lanes.width - 2)
            mask = ir.Constant(ir.VectorType(I32, lanes.width), wide)
            pair = builder.shuffle_vector(pair, ir.Constant(pair.type, ir.Undefined), mask)
            order = [lanes.width + i - 2 * j if i // 2 == j else i for i in range(lanes.width)]
            v = builder.shuffle_vector(v, pair, ir.Constant(ir.VectorType(I32, lanes.width), order))
        return v

    return VectorType(lanes.width)(lanes, array, types.intp, types.intp), generate


@intrinsic
def store_pairs(typing, array, index, stride, v):
    """The reverse of `load_pairs`."""

    def generate(context, builder, signature, args):
        pointers = _pair_pointers(context, builder, array, *args[:3], v.width)
        for j, pointer in enumerate(pointers):
            builder.store(_lanes_of(builder, args[3], 2 * j, 2), pointer, align=8)
        return context.get_dummy_value()

    return types.void(array, types.intp, types.intp, v), generate


def _pair_pointers(context, builder, array_type, array, index, stride, width):
    base, pair = _data(context, builder, array_type, array), ir.VectorType(F64, 2).as_pointer()
    for _ in range(width // 2):
        yield builder.bitcast(builder.gep(base, [index]), pair)
        index = builder.add(index, stride)


@intrinsic
def store_rows(typing, lanes, source, index, target, offsets, row, column, spare):
    """The reverse of `load_rows`; rows with a negative offset go to ``spare``, which nobody reads."""

    def generate(context, builder, signature, args):
        vectors = _read_vectors(context, builder, signature.args[1], args[1], args[2], lanes.width)
        _store_columns(context, builder, signature, vectors, args[3:])
        return context.get_dummy_value()

    n = types.intp
    return types.void(lanes, source, n, target, offsets, n, n, spare), generate


@intrinsic
def store_complex_rows(typing, lanes, real, imag, index, target, offsets, row, column, spare):
    """The reverse of `load_complex_rows`, with ``spare`` as in `store_rows`."""

    def generate(context, builder, signature, args):
        half = lanes.width // 2
        parts = [
            _read_vectors(context, builder, t, a, args[3], half, lanes.width)
            for t, a in ((real, args[1]), (imag, args[2]))
        ]
        vectors = [v for pair in zip(*parts, strict=True) for v in pair]
        _store_columns(context, builder, signature, vectors, args[4:], first=4)
        return context.get_dummy_value()

    n = types.intp
    return types.void(lanes, real, imag, n, target, offsets, n, n, spare), generate


def _row_pointer(context, builder, offsets_type, args, base, i):
    """(pointer to the element of row i, its offset) for args = (offsets, row, column)."""
    offsets, row, column = args
    at = builder.add(row, ir.Constant(I64, i))
    offset = builder.load(builder.gep(_data(context, builder, offsets_type, offsets), [at]))
    return builder.gep(base, [builder.add(offset, column)]), offset


def _load_columns(context, builder, signature, args):
    lanes, source, offsets = signature.args[:3]
    base, rows = _data(context, builder, source, args[1]), []
    for i in range(lanes.width):
        pointer, _ = _row_pointer(context, builder, offsets, args[2:5], base, i)
        rows.append(_load(builder, pointer, _element(source), lanes.width))
    return _transpose(builder, rows)


def _read_vectors(context, builder, array_type, array, index, count, width=None):
    width = width or count
    base = _data(context, builder, array_type, array)
    starts = (builder.add(index, ir.Constant(I64, c * width)) for c in range(count))
    return [_load(builder, builder.gep(base, [at]), F64, width) for at in starts]


def _store_columns(context, builder, signature, vectors, args, first=3):
    target, offsets = signature.args[first : first + 2]
    base = _data(context, builder, target, args[0])
    spare = _data(context, builder, signature.args[-1], args[-1])
    element = _element(target)
    spare = builder.bitcast(spare, base.type)
    for i, v in enumerate(_transpose(builder, vectors)):
        pointer, offset = _row_pointer(context, builder, offsets, args[1:4], base, i)
        dead = builder.icmp_signed("<", offset, ir.Constant(I64, 0))
        _store(builder, builder.select(dead, spare, pointer), element, v)


# --- work items -------------------------------------------------------------------------------------


@intrinsic
def next_item(typing, counter):
    """Take the next work item: counter[0] before an atomic increment."""

    def generate(context, builder, signature, args):
        pointer = _data(context, builder, counter, args[0])
        return builder.atomic_rmw("add", pointer, ir.Constant(I64, 1), "monotonic")

    return types.int64(counter), generate
