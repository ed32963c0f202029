"""SIMD vectors in jitted code: the operations that kernels call.

``Lanes(width)`` names a vector type. In a kernel, ``load(lanes, a, i)`` and ``splat(lanes, x)`` create such
vectors; ``+ - * /`` act lane by lane, and may be fused into FMA; ``store(a, i, v)`` writes a vector to an
array. LLVM splits vectors that are wider than the registers of the machine into several registers. Thus a
kernel, written once in plain operators, can process 32 rings at a time. The width is part of the type of an
argument, so that the on-disk cache of compiled code distinguishes it.

An array as an argument of a kernel is seven values, which each call unpacks and repacks; this takes most of
the time of compilation. Therefore kernels that are called by kernels take pointers: ``pointer(a, i)`` points
to element i of an array or of what another pointer points to. ``p[i]`` reads and writes, without
wraparound of negative indices; all operations of this module take arrays and pointers alike. A pointer does
not keep its array alive: point only into arguments of the kernel that Python calls, never into arrays that
a kernel allocates.

`simd_numpy` implements the same operations in NumPy. Where kernels run as plain Python
(`spherekit._core.jit.runs_as_python`), it replaces those of this module.
"""

import operator

from llvmlite import ir
from llvmlite.binding import get_host_cpu_features
from numba.core import cgutils, config, types
from numba.extending import (
    NativeValue,
    intrinsic,
    lower_builtin,
    models,
    register_model,
    type_callable,
    typeof_impl,
    unbox,
)

from spherekit._core.jit import runs_as_python
from spherekit.kernels import simd_numpy

I32, I64, F32, F64 = ir.IntType(32), ir.IntType(64), ir.FloatType(), ir.DoubleType()


class Lanes:
    """A vector type of ``width`` (a power of two >= 4) float64 or, with ``single``, float32 elements."""

    def __init__(self, width, single=False):
        self.type = LanesType(
            width, 32 if single else 64
        )  # an attribute, because every call reads it


class LanesType(types.Opaque):
    def __init__(self, width, bits):
        self.width, self.bits, self.vector = width, bits, VectorType(width, bits)
        super().__init__(name=f"Lanes({width}, {bits})")


class VectorType(types.Type):
    def __init__(self, width, bits):
        self.width, self.bits, self.element = width, bits, F32 if bits == 32 else F64
        self.llvm = ir.VectorType(self.element, width)
        super().__init__(name=f"float{bits}x{width}")


@typeof_impl.register(Lanes)
def _typeof_lanes(lanes, context):
    return lanes.type


register_model(LanesType)(models.OpaqueModel)


@unbox(LanesType)
def _unbox_lanes(typ, obj, c):
    return NativeValue(c.context.get_dummy_value())


@register_model(VectorType)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager, typ):
        super().__init__(manager, typ, typ.llvm)


# --- code generation helpers ------------------------------------------------------------------------


def data_pointer(context, builder, array_type, array):
    """Return the address of the elements of an array, or of what a pointer points to."""
    if isinstance(array_type, types.CPointer):
        return array
    # `context.make_array` would write the whole structure of the array to memory first.
    return context.data_model_manager[array_type].get(builder, array, "data")


def constant(value, width, element=F64):
    return ir.Constant(ir.VectorType(element, width), [value] * width)


def splat_vector(builder, x, width):
    undefined = ir.Constant(ir.VectorType(x.type, width), ir.Undefined)
    first = builder.insert_element(undefined, x, ir.Constant(I32, 0))
    return builder.shuffle_vector(first, undefined, constant(0, width, I32))


def lanes_of(builder, v, start, count):
    mask = ir.Constant(ir.VectorType(I32, count), list(range(start, start + count)))
    return builder.shuffle_vector(v, v, mask)


def element_type(array_type):
    """Return the LLVM type of the elements of a float array, which may differ from that of the lanes."""
    return F64 if array_type.dtype.bitwidth == 64 else F32


def convert(builder, v, element):
    """Convert a scalar or a vector to float64 or float32."""
    vector = isinstance(v.type, ir.VectorType)
    if (v.type.element if vector else v.type) is element:
        return v
    llvm_type = ir.VectorType(element, v.type.count) if vector else element
    return builder.fpext(v, llvm_type) if element is F64 else builder.fptrunc(v, llvm_type)


def load_vector(builder, pointer, element, width, result_element=F64):
    """Load ``width`` elements of type ``element`` as a vector of type ``result_element``."""
    vector = ir.VectorType(element, width)
    v = builder.load(builder.bitcast(pointer, vector.as_pointer()), align=element_bytes(element))
    return convert(builder, v, result_element)


def store_vector(builder, pointer, element, v):
    v = convert(builder, v, element)
    builder.store(v, builder.bitcast(pointer, v.type.as_pointer()), align=element_bytes(element))


def element_bytes(element):
    return 8 if element is F64 else 4


__all__ = [
    "Lanes",
    "accumulate",
    "exp2",
    "fma",
    "has_wide_registers",
    "highest",
    "larger",
    "largest",
    "load",
    "magnitude",
    "pointer",
    "reverse",
    "reverse_pairs",
    "splat",
    "spread",
    "spread_pair",
    "store",
    "width",
]

_FLAGS = ("contract",)


def has_wide_registers():
    """Return whether kernels are compiled for the 32 registers of 512 bits of AVX-512."""
    return "+avx512f" in (config.CPU_FEATURES or get_host_cpu_features().flatten())


# --- loads, stores, arithmetic ----------------------------------------------------------------------


@intrinsic
def pointer(typing, array, index):
    """Return a pointer to the element of the given flat index of a contiguous array, or beyond a pointer."""
    if isinstance(array, types.Array) and array.layout != "C":
        return None

    def generate(context, builder, signature, args):
        return builder.gep(data_pointer(context, builder, array, args[0]), [args[1]])

    return types.CPointer(array.dtype)(array, types.intp), generate


@intrinsic
def load(typing, lanes, array, index):
    """Return the vector at array[index : index + width]."""

    def generate(context, builder, signature, args):
        pointer = builder.gep(data_pointer(context, builder, array, args[1]), [args[2]])
        return load_vector(builder, pointer, element_type(array), lanes.width, lanes.vector.element)

    return lanes.vector(lanes, array, types.intp), generate


@intrinsic
def store(typing, array, index, v):
    """Set array[index : index + width] = v."""

    def generate(context, builder, signature, args):
        pointer = builder.gep(data_pointer(context, builder, array, args[0]), [args[1]])
        store_vector(builder, pointer, element_type(array), args[2])
        return context.get_dummy_value()

    return types.void(array, types.intp, v), generate


@intrinsic
def width(typing, lanes):
    """Return the number of lanes, a constant of the compiled code."""

    def generate(context, builder, signature, args):
        return ir.Constant(I64, lanes.width)

    return types.intp(lanes), generate


@intrinsic
def splat(typing, lanes, x):
    """Return the vector with ``x`` in every lane."""

    def generate(context, builder, signature, args):
        return splat_vector(builder, convert(builder, args[1], lanes.vector.element), lanes.width)

    return lanes.vector(lanes, types.float64), generate


@intrinsic
def spread(typing, lanes, array, index):
    """Return the vector with array[index] in every lane; ``index`` >= 0, which saves a wraparound check."""

    def generate(context, builder, signature, args):
        pointer = builder.gep(data_pointer(context, builder, array, args[1]), [args[2]])
        x = builder.load(pointer, align=element_bytes(element_type(array)))
        return splat_vector(builder, convert(builder, x, lanes.vector.element), lanes.width)

    return lanes.vector(lanes, array, types.intp), generate


@intrinsic
def spread_pair(typing, lanes, array, index):
    """Return the vector with array[index] in the even lanes and array[index + 1] in the odd ones."""

    def generate(context, builder, signature, args):
        pointer = builder.gep(data_pointer(context, builder, array, args[1]), [args[2]])
        v = load_vector(builder, pointer, element_type(array), 2, lanes.vector.element)
        mask = ir.Constant(ir.VectorType(I32, lanes.width), [i % 2 for i in range(lanes.width)])
        return builder.shuffle_vector(v, v, mask)

    return lanes.vector(lanes, array, types.intp), generate


def _lane_by_lane(python_operator, instruction):
    """Type and lower an operator on vectors inline, without a function and a status check for each use."""

    @type_callable(python_operator)
    def typing(context):
        def result(a, b):
            if isinstance(a, VectorType) and a == b:
                return a

        return result

    @lower_builtin(python_operator, VectorType, VectorType)
    def lower(context, builder, signature, args):
        return getattr(builder, instruction)(*args, flags=_FLAGS)


for _operator, _instruction in (
    (operator.add, "fadd"),
    (operator.sub, "fsub"),
    (operator.mul, "fmul"),
    (operator.truediv, "fdiv"),
):
    _lane_by_lane(_operator, _instruction)


@type_callable(operator.neg)
def _negative_type(context):
    return lambda v: v if isinstance(v, VectorType) else None


@lower_builtin(operator.neg, VectorType)
def _negative(context, builder, signature, args):
    return builder.fneg(args[0])


@intrinsic
def accumulate(typing, total, a, b):
    """Return total + a * b; wider vectors a and b are added to the lanes of ``total`` in order."""

    def generate(context, builder, signature, args):
        result, a_value, b_value = args
        fma = cgutils.get_or_insert_function(
            builder.module,
            ir.FunctionType(total.llvm, [total.llvm] * 3),
            f"llvm.fma.v{total.width}f{total.bits}",
        )
        for start in range(0, a.width, total.width):
            x, y = (lanes_of(builder, w, start, total.width) for w in (a_value, b_value))
            result = builder.call(fma, [x, y, result])
        return result

    return total(total, a, b), generate


@intrinsic
def magnitude(typing, v):
    """Return the absolute values."""

    def generate(context, builder, signature, args):
        return _absolute(builder, args[0])

    return v(v), generate


@intrinsic
def larger(typing, a, b):
    """Return the maximum of two vectors, lane by lane."""

    def generate(context, builder, signature, args):
        return builder.select(builder.fcmp_ordered(">", *args), *args)

    return a(a, b), generate


@intrinsic
def reverse_pairs(typing, v):
    """Return the complex numbers of a vector in reverse order."""

    def generate(context, builder, signature, args):
        lanes = [i ^ 1 for i in reversed(range(v.width))]
        mask = ir.Constant(ir.VectorType(I32, v.width), lanes)
        return builder.shuffle_vector(args[0], args[0], mask)

    return v(v), generate


@intrinsic
def reverse(typing, v):
    """Return the lanes in reverse order."""

    def generate(context, builder, signature, args):
        mask = ir.Constant(ir.VectorType(I32, v.width), list(reversed(range(v.width))))
        return builder.shuffle_vector(args[0], args[0], mask)

    return v(v), generate


def _absolute(builder, v):
    name = f"llvm.fabs.v{v.type.count}f{64 if v.type.element is F64 else 32}"
    llvm_type = ir.FunctionType(v.type, [v.type])
    return builder.call(cgutils.get_or_insert_function(builder.module, llvm_type, name), [v])


@intrinsic
def largest(typing, v):
    """Return the largest absolute value of the lanes."""

    def generate(context, builder, signature, args):
        return convert(builder, _highest(builder, _absolute(builder, args[0])), F64)

    return types.float64(v), generate


@intrinsic
def highest(typing, v):
    """Return the largest value of the lanes."""

    def generate(context, builder, signature, args):
        return convert(builder, _highest(builder, args[0]), F64)

    return types.float64(v), generate


def _highest(builder, v):
    width = v.type.count
    while width > 1:
        width //= 2
        a, b = lanes_of(builder, v, 0, width), lanes_of(builder, v, width, width)
        v = builder.select(builder.fcmp_ordered(">", a, b), a, b)
    return builder.extract_element(v, ir.Constant(I32, 0))


@intrinsic
def fma(typing, a, b, c):
    """Return a * b + c of float64 numbers, rounded once.

    Elsewhere the compiler chooses the products that it fuses, and the choice depends on the code around them.
    """

    def generate(context, builder, signature, args):
        return builder.fma(*args)

    return types.float64(types.float64, types.float64, types.float64), generate


@intrinsic
def exp2(typing, v):
    """Return 2**v for v <= 1000, exactly 0 below -1000; accurate to one or two ulp."""

    def generate(context, builder, signature, args):
        x, width = args[0], v.width
        magic = constant(6755399441055744.0, width)  # 1.5 * 2**52: adding it rounds to an integer
        shifted = builder.fadd(x, magic)
        fraction = builder.fsub(x, builder.fsub(shifted, magic))
        series = constant(_EXP2_SERIES[-1], width)
        for coefficient in reversed(_EXP2_SERIES[:-1]):
            product = builder.fmul(series, fraction, flags=_FLAGS)
            series = builder.fadd(product, constant(coefficient, width), flags=_FLAGS)
        bits = builder.bitcast(shifted, ir.VectorType(I64, width))
        bits = builder.shl(bits, constant(52, width, I64))
        bits = builder.add(bits, constant(1023 << 52, width, I64))
        value = builder.fmul(series, builder.bitcast(bits, v.llvm))
        underflows = builder.fcmp_ordered("<", x, constant(-1000.0, width))
        return builder.select(underflows, constant(0.0, width), value)

    return v(v), generate


def _exp2_series():
    """Return log(2)**k / k!, k = 0..13; further terms are below 1e-17 for |fraction| <= 1/2."""
    terms = [1.0]
    log2 = 0.6931471805599453094
    for k in range(1, 14):
        terms.append(terms[-1] * log2 / k)
    return terms


_EXP2_SERIES = _exp2_series()


# --- without a compiler ------------------------------------------------------------------------------

if runs_as_python():
    simd_numpy.replace(globals())
