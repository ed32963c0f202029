"""The rules of the source that no other tool checks."""

import ast
from pathlib import Path

import spherekit

PACKAGE = Path(spherekit.__file__).parent

#: Of NamedTuple, whose methods have an underscore so that they do not meet a field's name.
NAMEDTUPLE = {"_replace", "_asdict", "_fields", "_make", "_field_defaults"}


def is_private(name):
    return name.startswith("_") and not (name.startswith("__") and name.endswith("__"))


def private_imports(tree):
    """(line, name) of imported names and modules that are private, but for `spherekit._core` itself."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            path = f"{'.' * node.level}{node.module or ''}".split(".")
            names = [[*path, alias.name] for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name.split(".") for alias in node.names]
        else:
            continue
        for parts in names:
            if parts[:2] == ["spherekit", "_core"]:
                parts = parts[2:]
            yield from ((node.lineno, part) for part in parts if is_private(part))


def definitions(tree):
    """The names that a file gives: functions, classes, variables, and attributes of its own objects."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            if isinstance(node.value, ast.Name) and node.value.id in ("self", "cls"):
                yield node.attr


def private_attributes(tree):
    """(line, name) of private attributes of objects that another file defines."""
    own = NAMEDTUPLE | set(definitions(tree))
    for node in ast.walk(tree):
        if not isinstance(node, ast.Attribute) or not is_private(node.attr) or node.attr in own:
            continue
        if isinstance(node.value, ast.Name) and node.value.id in ("self", "cls"):
            continue
        yield node.lineno, node.attr


def violations(source):
    tree = ast.parse(source)
    return sorted({*private_imports(tree), *private_attributes(tree)})


def test_nothing_private_is_used_outside_its_file():
    """Within a room too; `spherekit._core` is private to the package, and every room may use it."""
    paths = sorted(PACKAGE.rglob("*.py"))
    assert len(paths) > 100
    listed = [
        f"{path.relative_to(PACKAGE.parent)}:{line}: {name}"
        for path in paths
        for line, name in violations(path.read_text(encoding="utf-8"))
    ]
    assert not listed, "private names of other files:\n" + "\n".join(listed)


def test_what_counts_as_private():
    """The rule itself: what it refuses, and what it lets pass."""
    refused = {
        "from spherekit.wavelets.transform import _above": "_above",
        "from spherekit.sampling._legendre import zonal_sums": "_legendre",
        "from spherekit.sampling import _legendre": "_legendre",
        "from ._legendre import zonal_sums": "_legendre",
        "import numpy._core as core": "_core",
        "from spherekit._core.checks import _expected": "_expected",
        "weights = w._analysis_weights[j]": "_analysis_weights",
        "losses._difference(outputs, targets)": "_difference",
        "f(x)._value": "_value",
    }
    for source, name in refused.items():
        assert violations(source) == [(1, name)], source
    for source in (
        "from spherekit._core import checks",
        "from spherekit._core.checks import integer",
        "import spherekit._core.checks",
        "path = path._replace(direction=2)",
        "name = type(x).__name__",
        "class A:\n    def f(self, b):\n        return self._x + b._f()\n    def _f(self):\n        return 1",
        "class A:\n    def __init__(self, x):\n        self._x = x\n    def f(self, b):\n        return b._x",
    ):
        assert not violations(source), source
