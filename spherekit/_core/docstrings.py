"""The words at the top of a module, also where Python was told to drop them."""

import ast
import inspect


def docstring(module):
    """The docstring of a module, from its source where ``python -OO`` has dropped it; else empty.

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
    return ast.get_docstring(ast.parse(source), clean=False) or ""
