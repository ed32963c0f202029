"""A shared atomic counter that assigns work items to threads (`spherekit._core.parallel.run`)."""

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from spherekit._core.jit import runs_as_python
from spherekit.kernels import simd_numpy
from spherekit.kernels.simd import I64, data_pointer


@intrinsic
def next_item(typing, counter):
    """Return the number of the next work item: counter[0] before an atomic increment."""

    def generate(context, builder, signature, args):
        pointer = data_pointer(context, builder, counter, args[0])
        return builder.atomic_rmw("add", pointer, ir.Constant(I64, 1), "monotonic")

    return types.int64(counter), generate


if runs_as_python():
    simd_numpy.replace(globals())
