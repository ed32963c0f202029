"""The rules of the source that no other tool checks."""

import ast
from pathlib import Path

import spherekit

PACKAGE = Path(spherekit.__file__).parent
SOURCES = sorted(PACKAGE.rglob("*.py"))

NUMBA_INTERNALS = "spherekit/_core/compiler.py:"

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


def refused_by(rule):
    """file:line: name of all that a rule refuses in the package; a rule maps source to (line, name)."""
    return [
        f"{path.relative_to(PACKAGE.parent)}:{line}: {name}"
        for path in SOURCES
        for line, name in rule(path.read_text(encoding="utf-8"))
    ]


def test_nothing_private_is_used_outside_its_file():
    """Within a room too; `spherekit._core` is private to the package, and every room may use it.

    One file uses Numba's internals, for the versions that it names.
    """
    assert len(SOURCES) > 100
    listed = [item for item in refused_by(violations) if not item.startswith(NUMBA_INTERNALS)]
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


#: Words that name nothing: pronouns and their like, and participles that stand for anything.
VAGUE = set(
    """some how made found held said told kept one other rest few whole there back ours theirs
    this that these those it they them what which who whose why here both each others same none all_of
    everything anything nothing something thing things stuff many most much more less least
    given known seen shown wanted asked needed done stated chosen picked carried own mine""".split()
)
#: Words of this package's past, for which the field has better ones (see `tutorials/contributing.md`).
REPLACED = set(
    """stored bundle route guard couples places climb bar put take hold numbers sound_coefficients
    worthwhile by_maps turned divisions takes gives tapped optimiser rate watch keep every sets leaves
    structure rebuilt blend gathered task keys trouble trees setup parts""".split()
)


def bound_names(tree):
    """(line, name) of what a file binds: functions, arguments, and targets of `=`, `:=`, `for`, `with`, `as`.

    Fields of a class are attributes, and free.
    """
    fields = {
        id(target)
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        for statement in node.body
        if isinstance(statement, ast.Assign | ast.AnnAssign)
        for target in getattr(statement, "targets", [getattr(statement, "target", None)])
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif (
            isinstance(node, ast.Name)
            and isinstance(node.ctx, ast.Store)
            and id(node) not in fields
        ):
            yield node.lineno, node.id
        elif isinstance(node, ast.FunctionDef):
            yield node.lineno, node.name
        elif isinstance(node, ast.ExceptHandler) and node.name:
            yield node.lineno, node.name


def vague_names(source):
    return sorted(
        (line, name)
        for line, name in bound_names(ast.parse(source))
        if name.strip("_").lower() in VAGUE | REPLACED
    )


def test_names_say_what_they_name():
    listed = refused_by(vague_names)
    assert not listed, "names that say nothing, or not in the field's words:\n" + "\n".join(listed)


def test_what_counts_as_vague():
    refused = {
        "def f(kept): pass": "kept",
        "def f(*, how=1): pass": "how",
        "lambda other: 1": "other",
        "made = 1": "made",
        "x, rest = y": "rest",
        "for each in y: pass": "each",
        "with f() as held: pass": "held",
        "try:\n    f()\nexcept E as why: pass": "why",
        "[x for some in y]": "some",
        "def _take(x): pass": "_take",
        "if (found := f()): pass": "found",
    }
    for source, name in refused.items():
        assert [n for _, n in vague_names(source)] == [name], source
    for source in ("x.kept = 1", "f(other=1)", "class A:\n    rate: float = 0.5", "found_rows = 1"):
        assert not vague_names(source), source


def test_files_are_short():
    lengths = {
        path.relative_to(PACKAGE.parent): len(path.read_bytes().splitlines()) for path in SOURCES
    }
    assert not {path: length for path, length in lengths.items() if length > 600}
