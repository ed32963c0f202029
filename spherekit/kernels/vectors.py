"""Vectors as types: what Numba and LLVM are told of them, and code for the functions on them.

`kernels.simd` has the functions that kernels call, `kernels.rows` those on whole rows.
"""

from llvmlite import ir
from numba.core import types
from numba.extending import NativeValue, models, register_model, typeof_impl, unbox

I32, I64, F32, F64 = ir.IntType(32), ir.IntType(64), ir.FloatType(), ir.DoubleType()


class Lanes:
    """A vector of ``width`` float64 or, ``single``, float32; a power of two from 4 on."""

    def __init__(self, width, single=False):
        self.type = LanesType(width, 32 if single else 64)  # made once: every call asks for it


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
    return context.make_array(array_type)(context, builder, array).data


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
    """LLVM type of a float array's elements, which need not be that of the lanes."""
    return F64 if array_type.dtype.bitwidth == 64 else F32


def convert(builder, v, element):
    """A scalar or vector as float64 or float32."""
    vector = isinstance(v.type, ir.VectorType)
    if (v.type.element if vector else v.type) is element:
        return v
    kind = ir.VectorType(element, v.type.count) if vector else element
    return builder.fpext(v, kind) if element is F64 else builder.fptrunc(v, kind)


def load_vector(builder, pointer, element, width, to=F64):
    """``width`` numbers of type ``element`` as a vector of type ``to``."""
    vector = ir.VectorType(element, width)
    v = builder.load(builder.bitcast(pointer, vector.as_pointer()), align=element_bytes(element))
    return convert(builder, v, to)


def store_vector(builder, pointer, element, v):
    v = convert(builder, v, element)
    builder.store(v, builder.bitcast(pointer, v.type.as_pointer()), align=element_bytes(element))


def element_bytes(element):
    return 8 if element is F64 else 4
