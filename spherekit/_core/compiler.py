"""Compilation of kernels for the first call: less work than `numba.njit`, the same machine code.

Numba compiles a function that other compiled functions call as if Python called it too: with wrappers that
unpack Python objects, with machine code, and with a file in its cache, all of which remain unused, since the
callers include an optimized copy. Here a kernel is compiled in two ways, each when it is first needed:

- for callers that are kernels (`_InnerDispatcher`): typed, lowered and optimized at the level of Numba, but
  without wrappers, machine code or file;
- for Python (`Kernel`): with a wrapper and machine code, which is cached by `kernel_cache`.

Arguments of nested calls are typed without their literal values: a constant is propagated by LLVM, so that a
specialization for each constant would only repeat the work.

All uses of Numba's internal classes are in this file. `is_supported` tells whether the installed version is
one of those that it was tested with; for others `spherekit._core.jit` uses `numba.njit`.
"""

import contextlib
import gc
import importlib
import os
from collections import namedtuple

import numba
import numpy as np
from llvmlite import binding
from numba import _dynfunc
from numba.core import environment, event, sigutils, types
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler
from numba.core.compiler_lock import global_compiler_lock
from numba.core.registry import CPUDispatcher, cpu_target
from numba.core.runtime import rtsys

from spherekit._core import kernel_cache, progress

#: The first and the last version (major, minor) of Numba that the tests have passed with.
OLDEST, NEWEST = (0, 61), (0, 68)

#: A compiled kernel: its callable for Python, and the address of the function itself.
Compiled = namedtuple("Compiled", "entry_point address signature")


def is_supported():
    """Return whether the tests have passed with the installed version of Numba."""
    return OLDEST <= numba.version_info[:2] <= NEWEST


def host_processor():
    """Return the `kernel_cache.Processor` that kernels are compiled for."""
    return kernel_cache.Processor(*cpu_target.target_context.codegen().magic_tuple())


# --- code libraries ---------------------------------------------------------------------------------


class _Library(JITCodeLibrary):
    """Optimized code of one function and of the functions that it calls."""

    def _optimize_functions(self, module):
        if not hasattr(self._codegen, "_pass_builder"):  # versions before 0.62
            super()._optimize_functions(module)
            return
        module.data_layout = self._codegen._data_layout
        for function in module.functions:
            if not function.is_declaration:  # Numba prepares the passes for declarations too
                passes, builder = self._codegen._function_pass_manager()
                passes.run(function, builder)


class _InnerLibrary(_Library):
    """The code of a kernel that is only included in its callers: it gets no machine code."""

    def finalize(self):
        self._raise_if_finalized()
        for library in dict.fromkeys(self._linking_libraries):
            self._final_module.link_in(library._get_module_for_linking(), preserve=True)
        self._optimize_final_module()
        self._finalize_dynamic_globals()
        self._finalized = True

    def _get_module_for_linking(self):
        self._ensure_finalized()
        if self._shared_module is None:
            for function in self._final_module.functions:
                if not function.is_declaration and function.linkage == binding.Linkage.external:
                    function.linkage = "linkonce_odr"
            self._shared_module = self._final_module
        return self._shared_module

    def get_pointer_to_function(self, name):
        return 0


class _OuterLibrary(_Library):
    """The code of a kernel that Python calls."""

    def _optimize_final_module(self):
        super()._optimize_final_module()
        # Symbols of included functions are not unique between processes: hide them from other kernels.
        for function in self._final_module.functions:
            if not function.is_declaration and function.linkage == binding.Linkage.linkonce_odr:
                function.linkage = "internal"


class _InnerCompiler(Compiler):
    def __init__(self, typing, target, library, args, return_type, flags, local_types):
        flags.no_compile = True
        library = _InnerLibrary(target.codegen(), "inner")
        super().__init__(typing, target, library, args, return_type, flags, local_types)


class _OuterCompiler(Compiler):
    def __init__(self, typing, target, library, args, return_type, flags, local_types):
        library = _OuterLibrary(target.codegen(), "outer")
        library.enable_object_caching()
        super().__init__(typing, target, library, args, return_type, flags, local_types)


# --- dispatchers ------------------------------------------------------------------------------------


class _InnerEntry:
    """The key by which Numba finds an inner kernel."""

    __name__ = "inner kernel"


class _InnerDispatcher(CPUDispatcher):
    """A kernel as other kernels call it."""

    def __init__(self, function, options):
        options = options | {"no_cpython_wrapper": True}
        super().__init__(function, targetoptions=options, pipeline_class=_InnerCompiler)

    def get_call_template(self, args, kws):
        return super().get_call_template(tuple(types.unliteral(a) for a in args), kws)

    def compile(self, sig):
        with global_compiler_lock:
            args, return_type = sigutils.normalize_signature(sig)
            if tuple(args) in self.overloads:
                return self.overloads[tuple(args)].entry_point
            with self._compiling_counter, _event(self, args, return_type):
                result = self._compiler.compile(args, return_type)
            result = result._replace(entry_point=_InnerEntry())
            self.targetctx.insert_user_function(result.entry_point, result.fndesc, [result.library])
            self.overloads[tuple(result.signature.args)] = result
            return result.entry_point


class Kernel(CPUDispatcher):
    """A compiled function as Python calls it.

    Parameters
    ----------
    function : callable
    options : dict
        Options of `numba.njit`.
    """

    def __init__(self, function, options):
        self._options = {"nopython": True, "no_cfunc_wrapper": True} | options
        self._inner = None
        super().__init__(function, targetoptions=self._options, pipeline_class=_OuterCompiler)

    def __reduce__(self):
        return _kernel_by_name, (self.py_func.__module__, self.py_func.__qualname__)

    @property
    def _numba_type_(self):
        """The type by which kernels that call this one refer to it."""
        if self._inner is None:
            self._inner = _InnerDispatcher(self.py_func, self._options)
        return self._inner._numba_type_

    def _compilation_chain_init_hook(self):
        """Leave extensions of Numba to `compile`: machine code is loaded without them."""

    def compile(self, sig):
        with global_compiler_lock:
            args, return_type = sigutils.normalize_signature(sig)
            if tuple(args) in self.overloads:
                return self.overloads[tuple(args)].entry_point
            cached = self._file(args)
            machine_code = cached.read()
            if machine_code is None:
                with progress.compilation(), cached.locked():
                    machine_code = cached.read()  # another process may have compiled it meanwhile
                    if machine_code is None:
                        return self._compile(args, return_type, cached)
            return self._add(args, _load(machine_code, self))

    def _file(self, args):
        function = self.py_func
        if function.__module__.partition(".")[0] != __name__.partition(".")[0]:
            return kernel_cache.NoFile()  # the cache is named after the sources of this package
        name = f"{function.__module__}.{function.__qualname__}"
        return kernel_cache.File(name, args, host_processor())

    def _compile(self, args, return_type, cached):
        super()._compilation_chain_init_hook()
        with self._compiling_counter, _event(self, args, return_type), _no_garbage_collection():
            result = self._compiler.compile(args, return_type)
        machine_code = _machine_code(result)
        if machine_code is not None:
            cached.write(machine_code)
        progress.count_kernel()
        address = result.library.get_pointer_to_function(result.fndesc.llvm_func_name)
        return self._add(args, Compiled(result.entry_point, address, result.signature))

    def _add(self, args, compiled):
        self._insert([a._code for a in args], compiled.entry_point, False)
        self.overloads[tuple(args)] = compiled
        return compiled.entry_point

    def _make_finalizer(self):
        return lambda: None  # `overloads` holds no functions that Numba knows


if hasattr(os, "register_at_fork"):  # a child must not inherit the lock of a thread that compiles
    os.register_at_fork(
        before=global_compiler_lock.acquire,
        after_in_parent=global_compiler_lock.release,
        after_in_child=global_compiler_lock.release,
    )


def _kernel_by_name(module, name):
    return getattr(importlib.import_module(module), name)


def _event(dispatcher, args, return_type):
    """Announce a compilation to listeners of Numba's events."""
    data = {"dispatcher": dispatcher, "args": args, "return_type": return_type}
    return event.trigger_event("numba:compile", data=data)


@contextlib.contextmanager
def _no_garbage_collection():
    """Context manager that disables the search for cycles of objects, a tenth of the compile time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


# --- machine code -----------------------------------------------------------------------------------


def _machine_code(result):
    """Return the `kernel_cache.MachineCode` of a kernel, or None where it depends on this process."""
    callees = (e for e in result._find_referenced_environments() if e is not result.environment)
    if result.library.has_dynamic_globals or any(e.consts for e in callees):
        return None
    constants = result.environment.consts
    if not all(isinstance(constant, np.dtype) for constant in constants):
        return None
    return kernel_cache.MachineCode(
        wrapper=result.fndesc.llvm_cpython_wrapper_name,
        function=result.fndesc.llvm_func_name,
        environment=result.fndesc.env_name,
        dtypes=[dtype.str for dtype in constants],
        code=result.library._get_compiled_object(),
    )


def _load(machine_code, kernel):
    """Return the `Compiled` kernel of machine code."""
    rtsys.initialize(kernel.targetctx)  # its symbols
    codegen = kernel.targetctx.codegen()
    engine = codegen._engine
    engine._ee.add_object_file(binding.ObjectFileRef.from_data(machine_code.code))
    engine.finalize_object()
    function = kernel.py_func
    dtypes = [np.dtype(text) for text in machine_code.dtypes]
    env = environment._rebuild_env(function.__module__, dtypes, machine_code.environment)
    entry_point = _dynfunc.make_function(
        importlib.import_module(function.__module__),
        function.__name__,
        function.__doc__ or "",
        engine.get_function_address(machine_code.wrapper),
        env,
        (),
    )
    codegen.set_env(machine_code.environment, env)
    return Compiled(entry_point, engine.get_function_address(machine_code.function), None)
