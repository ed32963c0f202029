"""The docstrings of public names are contracts: the sections of numpydoc, complete, and annotations.

A public name is one in the `__all__` of a module of `PUBLIC`, which are the modules of the API reference.
"""

import dataclasses
import importlib
import inspect
import re

import pytest

PUBLIC = """
spherekit spherekit.bench spherekit.conventions spherekit.datasets spherekit.device spherekit.experiments
spherekit.experiments.gaussianity spherekit.experiments.maps spherekit.fields spherekit.harmonic spherekit.io
spherekit.linear spherekit.nn spherekit.nn.degree_mixing spherekit.nn.filter_bases spherekit.nn.models
spherekit.plot spherekit.sampling spherekit.sampling.healpix spherekit.sampling.quadrature
spherekit.scattering spherekit.scattering.theory spherekit.spectra spherekit.testing spherekit.train
spherekit.train.checkpoints spherekit.train.config spherekit.train.losses spherekit.train.metrics
spherekit.train.schedules spherekit.wavelets spherekit.wigner spherekit.wigner.euler
""".split()
#: In numpydoc's order.
SECTIONS = (
    ["Parameters", "Attributes", "Returns", "Yields", "Receives", "Other Parameters", "Raises", "Warns"]
    + ["Warnings", "See Also", "Notes", "References", "Examples"]
)  # fmt: skip

#: Public functions with arguments that raise no errors of their own: they check nothing.
RAISES_NOTHING = {
    "spherekit.bench.slopes",
    "spherekit.linear.conj",
    "spherekit.linear.is_traced",
    "spherekit.linear.like",
    "spherekit.linear.linear_map",
}


def public_objects():
    """(qualified name, object) of every public function and class, once."""
    objects = {}
    for module in map(importlib.import_module, PUBLIC):
        for name in module.__all__:
            value = getattr(module, name)
            if inspect.isclass(value) or (callable(value) and not inspect.ismodule(value)):
                objects.setdefault(id(value), (f"{module.__name__}.{name}", value))
    return sorted(objects.values(), key=lambda pair: pair[0])


OBJECTS = public_objects()


def sections(docstring):
    """Each numpydoc section of a docstring by its title, and the text before them under ''."""
    pieces = re.split(r"^(\w[\w ]*)\n-{3,}$", docstring, flags=re.M)
    return {"": pieces[0]} | dict(zip(pieces[1::2], pieces[2::2], strict=True))


def documented(section):
    """Names that a section of parameters describes, each with whether it has a type."""
    entries = re.findall(r"^(\*{0,2}\w[\w, *]*?)(?: : (.+))?$", section, flags=re.M)
    return {
        name.strip().lstrip("*"): bool(kind) for names, kind in entries for name in names.split(",")
    }


def missing_annotations(function):
    signature = inspect.signature(function)
    names = [
        name
        for name, parameter in signature.parameters.items()
        if parameter.annotation is parameter.empty and name not in ("self", "cls")
    ]
    return names + ["return"] * (signature.return_annotation is signature.empty)


def is_none(annotation):
    return annotation is None or annotation in ("None", type(None))


def faults_of_sections(value, parameters, *, returns, raises, examples):
    """What the docstring of a function, method or class lacks."""
    text = inspect.getdoc(value)
    if not text:
        return ["no docstring"]
    parts = sections(text)
    faults = []
    if not parts[""].split("\n")[0].rstrip().endswith((".", ":", "?")) and "\n\n" not in text:
        faults.append("the summary is not a sentence")
    titles = [title for title in parts if title]
    faults += [f"no section of numpydoc: {title}" for title in titles if title not in SECTIONS]
    order = [SECTIONS.index(title) for title in titles if title in SECTIONS]
    if order != sorted(order):
        faults.append(f"sections out of order: {titles}")
    described = documented(parts.get("Parameters", "") + "\n" + parts.get("Attributes", ""))
    faults += [f"no description of {name}" for name in parameters if name not in described]
    faults += [f"no type of {name}" for name in parameters if described.get(name) is False]
    if returns and not {"Returns", "Yields"} & set(parts):
        faults.append("no section Returns")
    if raises and "Raises" not in parts:
        faults.append("no section Raises")
    if examples and ">>> " not in parts.get("Examples", ""):
        faults.append("no runnable section Examples")
    return faults


def faults_of_function(function, *, raises=True):
    signature = inspect.signature(function)
    names = [name for name in signature.parameters if name not in ("self", "cls")]
    returns = not is_none(signature.return_annotation)
    raises = raises and bool(names)
    return [
        f"no annotation of {name}" for name in missing_annotations(function)
    ] + faults_of_sections(function, names, returns=returns, raises=raises, examples=True)


def members(cls):
    """(name, function, is it a property) of the public methods that a class defines itself."""
    for name, value in vars(cls).items():
        function = value.fget if isinstance(value, property) else getattr(value, "__func__", value)
        function = getattr(function, "func", function)  # functools.cached_property
        if not name.startswith("_") and inspect.isfunction(function):
            yield name, function, not inspect.isfunction(getattr(value, "__func__", value))


def faults_of_class(cls):
    fields = (
        [field.name for field in dataclasses.fields(cls)] if dataclasses.is_dataclass(cls) else None
    )
    fields = fields or getattr(cls, "_fields", None) or list(inspect.signature(cls).parameters)
    shown = [name for name in fields if not name.startswith("_")]
    faults = faults_of_sections(cls, shown, returns=False, raises=False, examples=True)
    for name, function, is_property in members(cls):
        faults += [
            f"{name}: no annotation of {missing}" for missing in missing_annotations(function)
        ]
        inherited = any(hasattr(base, name) for base in cls.__mro__[1:])
        signature = inspect.signature(function)
        names = [n for n in signature.parameters if n not in ("self", "cls")]
        own = [] if inherited or is_property else names
        returns = bool(own) and not is_none(signature.return_annotation)
        member = getattr(cls, name) if inherited else function
        found = faults_of_sections(member, own, returns=returns, raises=False, examples=False)
        faults += [f"{name}: {fault}" for fault in found]
    return faults


@pytest.mark.parametrize("name, value", OBJECTS, ids=[name for name, _ in OBJECTS])
def test_docstring_is_complete(name, value):
    if inspect.isclass(value) and issubclass(value, Exception):
        assert inspect.getdoc(value)
        return
    if inspect.isclass(value):
        faults = faults_of_class(value)
    else:
        faults = faults_of_function(value, raises=name not in RAISES_NOTHING)
    assert not faults, f"{name}: " + "; ".join(faults)


@pytest.mark.parametrize("name", PUBLIC)
def test_a_module_offers_its_public_names_only(name):
    """To completion, and to `import *`."""
    module = importlib.import_module(name)
    assert dir(module) == sorted(module.__all__)
    assert module.__doc__


def test_no_section_raises_without_errors():
    """The functions that raise nothing have no section; a section names errors, not None."""
    texts = {name: sections(inspect.getdoc(value) or "") for name, value in OBJECTS}
    assert set(texts) >= RAISES_NOTHING
    assert not [name for name in RAISES_NOTHING if "Raises" in texts[name]]
    assert not [name for name, text in texts.items() if "\nNone\n" in "\n" + text.get("Raises", "")]


def test_what_counts_as_complete():
    """The rule itself: what it refuses."""

    def plain(x):
        return x

    def no_types(x: int) -> int:
        """Return x.

        Parameters
        ----------
        x
            A number.

        Returns
        -------
        int

        Raises
        ------
        TypeError
            Never.

        Examples
        --------
        >>> 1
        1
        """
        return x

    def disordered(x: int) -> None:
        """Do nothing.

        Raises
        ------
        TypeError
            Never.

        Parameters
        ----------
        x : int
            A number.
        """

    assert faults_of_function(plain)[-1] == "no docstring"
    assert faults_of_function(no_types) == ["no type of x"]
    assert "sections out of order: ['Raises', 'Parameters']" in faults_of_function(disordered)
    assert "no runnable section Examples" in faults_of_function(disordered)
