"""Compile every CUDA kernel for one compute capability, without a GPU, and print what it needs.

    python tests/cuda_compile.py 8.0

prints a line ``kernel arch registers spilled stack shared calls`` (bytes but for the registers and the
calls left in PTX) for each kernel. One process for each capability: Numba keeps the device functions that
it compiled.
"""

import re
import sys
import types


def report(log, ptx):
    """Figures of the assembler's log and of the PTX."""
    registers = max(map(int, re.findall(r"[Uu]sed (\d+) registers", log)), default=-1)
    spilled = sum(map(int, re.findall(r"(\d+) bytes spill (?:stores|loads)", log)))
    stack = max(map(int, re.findall(r"(\d+) bytes stack frame", log)), default=-1)
    shared = max(map(int, re.findall(r"(\d+) bytes smem", log)), default=0)
    return registers, spilled, stack, shared, len(re.findall(r"^\s*call", ptx, re.MULTILINE))


def assemble(ptx, arch):
    """The log of nvJitLink, which needs no driver."""
    from cuda.bindings import nvjitlink

    code, options = ptx.encode(), [f"-arch={arch}", "-verbose", "-Xptxas=-v"]
    linker = nvjitlink.create(len(options), options)
    nvjitlink.add_data(linker, nvjitlink.InputType.PTX, code, len(code), "kernel")
    nvjitlink.complete(linker)
    log = bytearray(nvjitlink.get_info_log_size(linker))
    nvjitlink.get_info_log(linker, log)
    nvjitlink.destroy(linker)
    return log.decode()


def main(capability):
    import numba.cuda.dispatcher
    from numba import cuda

    cc = tuple(map(int, capability.split(".")))
    # A call of another function asks the driver for the capability, even where it is given.
    numba.cuda.dispatcher.get_current_device = lambda: types.SimpleNamespace(compute_capability=cc)
    from spherekit import device
    from spherekit.kernels import wigner_recursion_cuda  # noqa: F401, its kernels register themselves

    arch = "sm_{}{}".format(*cc)
    for name, kernel in device.KERNELS.items():
        ptx, _ = cuda.compile_ptx(kernel.function, kernel.signature, cc=cc, device=False)
        print(name, arch, *report(assemble(ptx, arch), ptx))


if __name__ == "__main__":
    main(sys.argv[1])
