"""Suggestions for misspelled names, and for names that the package has elsewhere."""

import ast
import difflib
import functools
import pathlib
import re

_PACKAGE = pathlib.Path(__file__).parents[1]
_INTERNAL = ("kernels",), ("cli",)


def advice(name):
    """The end of an error message: the module of a public name, or of the name most like it; else empty.

    >>> advice("Wavelets")
    '; did you mean spherekit.wavelets.Wavelets?'
    >>> advice("clebsh_gordan")
    '; did you mean spherekit.wigner.clebsch_gordan?'
    >>> advice("zzz")
    ''
    """
    if name.startswith("_"):
        return ""
    modules = _modules_by_name()
    match = name if name in modules else closest(name, modules, cutoff=0.8)
    if match is None:
        return ""
    return f"; did you mean {' or '.join(f'{module}.{match}' for module in modules[match])}?"


def closest(name, candidates, cutoff=0.6):
    """Return the candidate that is spelled most like a name, in upper or lower case; None if none is similar.

    >>> closest("Epoch", ("epochs", "seed")), closest("x", ("epochs", "seed"))
    ('epochs', None)
    """
    by_lower_case = {candidate.lower(): candidate for candidate in candidates}
    matches = difflib.get_close_matches(name.lower(), by_lower_case, n=1, cutoff=cutoff)
    return by_lower_case[matches[0]] if matches else None


def hint(**names):
    """A decorator of functions that refuses keywords of another package, and names those of this one.

    Parameters
    ----------
    **names : str
        What the keyword is here.

    >>> @hint(rsphere="radius")
    ... def perimeter(radius=1.0):
    ...     return 6.283 * radius
    >>> perimeter(rsphere=2.0)
    Traceback (most recent call last):
    ...
    TypeError: perimeter() has no argument rsphere: rsphere is radius here
    """

    def decorate(function):
        @functools.wraps(function)
        def call(*arguments, **options):
            for name in names.keys() & options.keys():
                label = function.__qualname__.removesuffix(".__init__")
                raise TypeError(f"{label}() has no argument {name}: {name} is {names[name]} here")
            return function(*arguments, **options)

        return call

    return decorate


@functools.cache
def _modules_by_name():
    """The modules that export each public name, by their shortest paths; the source is read, not imported."""
    modules = {}
    for path in sorted(_PACKAGE.rglob("*.py"), key=lambda path: (len(path.parts), path)):
        segments = path.relative_to(_PACKAGE.parent).with_suffix("").parts
        segments = segments[:-1] if segments[-1] == "__init__" else segments
        if any(segment.startswith("_") for segment in segments) or segments[1:2] in _INTERNAL:
            continue
        match = re.search(r"^__all__ = (\[.*?\])", path.read_text(encoding="utf-8"), re.M | re.S)
        for name in ast.literal_eval(match[1]) if match else ():
            exporting = modules.setdefault(name, [])
            if not any(len(module.split(".")) < len(segments) for module in exporting):
                exporting.append(".".join(segments))
    return modules
