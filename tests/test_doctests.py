"""The examples of all docstrings, and the Python of the README and of four pages, run.

Docstrings are read from the source of the installed package: what a decorator hides from `doctest` is seen
too, and each example runs once, whether or not the package was installed from the folder beside the tests.
"""

import ast
import doctest
import importlib.util
import pathlib
import re
import tempfile

import matplotlib.pyplot as plt
import numpy as np
import pytest

import spherekit
from spherekit import linear
from spherekit.experiments import common
from spherekit.nn import files

ROOT = pathlib.Path(spherekit.__file__).parent
#: Pages with Python, and a file that each writes.
PAGES = {
    pathlib.Path(__file__).parent.parent / page: file
    for page, file in {
        "README.md": "sky.png",
        "tutorials/tour.md": "sky.png",
        "tutorials/command_line.md": "MASK.fits",
        "tutorials/fields.md": "flow.nc",
        "tutorials/spectra.md": "bandpowers.fits",
        "tutorials/files.md": "wmap.nc",
    }.items()
}
#: Modules that need a package which is not installed everywhere: an extra.
CUDA = {"spherekit.harmonic.engines.cuda", "spherekit.kernels.wigner_recursion_cuda"}


def examples():
    """(module, name, docstring, line) of every docstring with an example."""
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT.parent).with_suffix("").parts
        module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        yield from _of(ast.parse(path.read_text(encoding="utf-8")), module, module)


def _of(node, module, name):
    documented = isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
    docstring = ast.get_docstring(node) if documented else None
    if docstring and ">>>" in docstring:
        yield module, name, docstring, node.body[0].lineno
    for child in ast.iter_child_nodes(node):
        yield from _of(child, module, f"{name}.{child.name}" if hasattr(child, "name") else name)


EXAMPLES = list(examples())


@pytest.mark.parametrize("module, name, docstring, line", EXAMPLES, ids=[e[1] for e in EXAMPLES])
def test_docstring(module, name, docstring, line, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for registry in (common, files):  # an example may register something
        monkeypatch.setattr(registry, "_registered", dict(registry._registered))
    try:
        names = vars(importlib.import_module(module)) | {"__name__": "__main__"}
    except ImportError as error:
        if module not in CUDA:
            raise
        pytest.skip(str(error))
    test = doctest.DocTestParser().get_doctest(docstring, names, name, module, line)
    output = []
    with np.printoptions():  # an example may set them
        doctest.DocTestRunner(verbose=False).run(test, out=output.append)
    plt.close("all")
    maps = [pair for pair in linear.registry() if not pair.name.startswith("example.")]
    linear._registry[:] = maps  # other tests walk the registry
    assert not output, "".join(output)


def test_there_are_examples():
    """As many as the text of the package has: none is lost between file and test."""
    text = "".join(path.read_text(encoding="utf-8") for path in ROOT.rglob("*.py"))
    found = sum(docstring.count(">>> ") for *_, docstring, _ in EXAMPLES)
    assert found == len(re.findall(r"^ *>>> ", text, re.M))
    assert len({name for _, name, _, _ in EXAMPLES}) == len(EXAMPLES)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_page(page, tmp_path, monkeypatch):
    """The Python of a page, block after block, as a reader would type it, and its doctests."""
    monkeypatch.chdir(tmp_path)
    text = page.read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", text, re.M | re.S)
    names = {"__name__": "__main__"}
    for number, block in enumerate(blocks):
        exec(compile(block, f"{page.name}, block {number}", "exec"), names)
    plt.close("all")
    assert blocks and (tmp_path / PAGES[page]).exists()
    has_xarray = importlib.util.find_spec("xarray") is not None
    examples = re.findall(r"^```pycon\n(.*?)^```", text, re.M | re.S)
    lines = "\n".join(block for block in examples if has_xarray or "import xarray" not in block)
    test = doctest.DocTestParser().get_doctest(lines, names, page.name, str(page), 0)
    output = []
    doctest.DocTestRunner(verbose=False).run(test, out=output.append)
    assert not output, "".join(output)
