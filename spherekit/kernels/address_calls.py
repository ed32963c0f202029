"""Calls of compiled kernels by their address.

A kernel that many others call, such as the FFT, would be compiled again as a part of each. With `call`, it is
compiled once for each list of argument types: its callers get the `address` of its machine code as an
integer, which a table can contain. Where kernels run as plain Python, the integer refers to the function.
"""

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from spherekit._core import jit
from spherekit.kernels import simd_numpy


def address(kernel, *arguments):
    """Return the address of a kernel for arguments like the given ones: values, or Numba types.

    The kernel is compiled if necessary. It must not return a value.
    """
    return jit.address(kernel, *arguments)


@intrinsic
def call(typing, address, *arguments):
    """Call the kernel at an address; an exception that it raises is passed on to the caller."""
    argument_types = tuple(types.unliteral(argument) for argument in arguments)

    def generate(context, builder, signature, args):
        convention = context.call_conv
        function_type = convention.get_function_type(types.none, argument_types)
        function = builder.inttoptr(args[0], ir.PointerType(function_type))
        values = cgutils.unpack_tuple(builder, args[1], len(argument_types))
        status, _ = convention.call_function(builder, function, types.none, argument_types, values)
        with cgutils.if_unlikely(builder, status.is_error):
            convention.return_status_propagate(builder, status)
        return context.get_dummy_value()

    return types.void(types.int64, types.Tuple(argument_types)), generate


if jit.runs_as_python():
    simd_numpy.replace(globals())
