"""Docstrings of modules, also under ``python -OO``."""

import ast
import inspect


def docstring(module):
    """Return the docstring of a module, read from its source if ``python -OO`` has removed it; else "".

    >>> import spherekit
    >>> docstring(spherekit).splitlines()[0]
    'Geometric deep learning and harmonic analysis on the sphere, on NumPy and Numba.'
    """
    if module.__doc__ is not None:
        return module.__doc__
    try:
        source = inspect.getsource(module)
    except (OSError, TypeError):
        return ""
    tree = compile(
        source, module.__name__, "exec", ast.PyCF_ONLY_AST, dont_inherit=True, optimize=0
    )
    return ast.get_docstring(tree, clean=False) or ""
