"""SIMD vectors of complex numbers: a vector of real parts and a vector of imaginary parts.

``+ - *`` act lane by lane; a factor of ``*`` may also be a real vector on the left. In memory, the real and
the imaginary parts are in two planes: ``imag`` is the distance from a real part to its imaginary part.
"""

import operator

from numba.core import types
from numba.extending import intrinsic, lower_builtin, models, register_model, type_callable

from spherekit._core.jit import runs_as_python
from spherekit.kernels import simd_numpy
from spherekit.kernels.simd import (
    VectorType,
    constant,
    convert,
    data_pointer,
    element_bytes,
    element_type,
    load_vector,
    splat_vector,
    store_vector,
)

_FLAGS = ("contract",)


class ComplexVectorType(types.Type):
    def __init__(self, vector):
        self.vector = vector
        super().__init__(name=f"complex({vector.name})")


@register_model(ComplexVectorType)
class _ComplexVectorModel(models.StructModel):
    def __init__(self, manager, typ):
        super().__init__(manager, typ, [("real", typ.vector), ("imag", typ.vector)])


def _real_and_imag(builder, z):
    return builder.extract_value(z, 0), builder.extract_value(z, 1)


def _join(context, builder, complex_type, real, imag):
    z = builder.insert_value(context.get_constant_undef(complex_type), real, 0)
    return builder.insert_value(z, imag, 1)


# --- loads and stores --------------------------------------------------------------------------------


@intrinsic
def load_complex(typing, lanes, array, index, imag):
    """Return the vector of the complex numbers at ``index``."""
    result = ComplexVectorType(lanes.vector)

    def generate(context, builder, signature, args):
        pointer = builder.gep(data_pointer(context, builder, array, args[1]), [args[2]])
        pointers = pointer, builder.gep(pointer, [args[3]])
        element = element_type(array)
        vectors = [
            load_vector(builder, p, element, lanes.width, lanes.vector.element) for p in pointers
        ]
        return _join(context, builder, result, *vectors)

    return result(lanes, array, types.intp, types.intp), generate


@intrinsic
def store_complex(typing, array, index, imag, z):
    """Write a vector of complex numbers at ``index``."""

    def generate(context, builder, signature, args):
        pointer = builder.gep(data_pointer(context, builder, array, args[0]), [args[1]])
        pointers = pointer, builder.gep(pointer, [args[2]])
        for p, part in zip(pointers, _real_and_imag(builder, args[3]), strict=True):
            store_vector(builder, p, element_type(array), part)
        return context.get_dummy_value()

    return types.void(array, types.intp, types.intp, z), generate


@intrinsic
def spread_complex(typing, lanes, array, index):
    """Return the vector with the complex number array[2 index] + i array[2 index + 1] in every lane."""
    result = ComplexVectorType(lanes.vector)

    def generate(context, builder, signature, args):
        base, element = data_pointer(context, builder, array, args[1]), element_type(array)
        first = builder.add(args[2], args[2])
        vectors = []
        for position in first, builder.add(first, first.type(1)):
            x = builder.load(builder.gep(base, [position]), align=element_bytes(element))
            vectors.append(
                splat_vector(builder, convert(builder, x, lanes.vector.element), lanes.width)
            )
        return _join(context, builder, result, *vectors)

    return result(lanes, array, types.intp), generate


@intrinsic
def complex_zero(typing, lanes):
    """Return the vector of zeros."""
    result = ComplexVectorType(lanes.vector)

    def generate(context, builder, signature, args):
        zero = constant(0.0, lanes.width, lanes.vector.element)
        return _join(context, builder, result, zero, zero)

    return result(lanes), generate


# --- arithmetic --------------------------------------------------------------------------------------


@intrinsic
def times_i(typing, z):
    """Return i z."""

    def generate(context, builder, signature, args):
        real, imag = _real_and_imag(builder, args[0])
        return _join(context, builder, z, builder.fneg(imag), real)

    return z(z), generate


def _part_by_part(python_operator, instruction):
    """Type and lower a sum or difference of two complex vectors, inline."""

    @type_callable(python_operator)
    def typing(context):
        return lambda a, b: a if isinstance(a, ComplexVectorType) and a == b else None

    @lower_builtin(python_operator, ComplexVectorType, ComplexVectorType)
    def lower(context, builder, signature, args):
        pairs = zip(*(_real_and_imag(builder, z) for z in args), strict=True)
        vectors = [getattr(builder, instruction)(x, y, flags=_FLAGS) for x, y in pairs]
        return _join(context, builder, signature.return_type, *vectors)


_part_by_part(operator.add, "fadd")
_part_by_part(operator.sub, "fsub")


@type_callable(operator.mul)
def _product_type(context):
    def result(a, b):
        if isinstance(b, ComplexVectorType) and a in (b, b.vector):
            return b

    return result


@lower_builtin(operator.mul, ComplexVectorType, ComplexVectorType)
def _product(context, builder, signature, args):
    (a, b), (c, d) = (_real_and_imag(builder, z) for z in args)
    ac, bd = builder.fmul(a, c, flags=_FLAGS), builder.fmul(b, d, flags=_FLAGS)
    bc, ad = builder.fmul(b, c, flags=_FLAGS), builder.fmul(a, d, flags=_FLAGS)
    real, imag = builder.fsub(ac, bd, flags=_FLAGS), builder.fadd(bc, ad, flags=_FLAGS)
    return _join(context, builder, signature.return_type, real, imag)


@lower_builtin(operator.mul, VectorType, ComplexVectorType)
def _scaled(context, builder, signature, args):
    vectors = [
        builder.fmul(args[0], part, flags=_FLAGS) for part in _real_and_imag(builder, args[1])
    ]
    return _join(context, builder, signature.return_type, *vectors)


if runs_as_python():
    simd_numpy.replace(globals())
