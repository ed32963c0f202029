"""The directive ``public-api``: reference of a module's public names, a table and then each in full.

    .. public-api:: spherekit.harmonic
       :summary:

With ``:summary:`` only the first line of the module's docstring is shown. With ``:topics:`` the docstring of the
module has the table, and the names follow in its order. A name that another module of the reference defines is in
the table, and its reference is in the section of that module. The build warns about a public name without reference.
"""

import importlib
import inspect
import re
import sys
from pathlib import Path

import plain_docstrings
from docutils.parsers.rst import directives
from docutils.statemachine import StringList
from sphinx.pycode import ModuleAnalyzer
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective
from sphinx.util.nodes import make_refnode

logger = logging.getLogger(__name__)
API = Path(__file__).parent.parent / "api"


def public_modules():
    """Names of the modules of all reference pages."""
    pages = (page.read_text(encoding="utf-8") for page in sorted(API.glob("*.rst")))
    return [name for text in pages for name in re.findall(r"^\.\. public-api:: (\S+)", text, re.M)]


def reference_module(module, name, value):
    """The module whose page has the reference of a name that ``module`` offers."""
    defined_in = getattr(value, "__module__", None) or ""
    offering = [
        candidate
        for candidate in public_modules()
        if f"{defined_in}.".startswith(f"{candidate}.")
        and name in importlib.import_module(candidate).__all__
        and getattr(importlib.import_module(candidate), name) is value
    ]
    return max(offering, key=len, default=module)


def comment_of(name, value):
    """The ``#:`` comment of a variable, in the module that defines it."""
    for module_name, module in sorted(sys.modules.items()):
        if module_name.startswith("spherekit.") and getattr(module, name, None) is value:
            comments = ModuleAnalyzer.for_module(module_name).find_attr_docs()
            if ("", name) in comments:
                return comments["", name]
    return []


def document_variable(app, what, name, obj, options, lines):
    """Show the comment of a variable instead of the docstring of its type."""
    if what == "data":
        lines[:] = comment_of(name.rsplit(".", 1)[-1], obj)


def directive_of(value):
    """The directive of autodoc for an object."""
    if inspect.isclass(value):
        return "autoexception" if issubclass(value, BaseException) else "autoclass"
    return "autofunction" if callable(value) else "autodata"


def public_names(module):
    """Names of a module that have a reference, in alphabetical order."""
    return sorted((name for name in module.__all__ if name != "__version__"), key=str.lower)


def order_of_topics(module):
    """Public names of a module, in the order in which its docstring mentions them; all must be mentioned."""
    mentioned = re.findall(r"`(\w+)`", inspect.getdoc(module))
    return sorted(public_names(module), key=mentioned.index)


def reference(module_name, *, summary, topics):
    """Lines of reStructuredText: docstring of the module, table of its names, and their reference."""
    module = importlib.import_module(module_name)
    if summary:
        introduction = [
            f".. py:module:: {module_name}",
            "",
            inspect.getdoc(module).split("\n")[0],
            "",
        ]
    else:
        introduction = [f".. automodule:: {module_name}", "   :no-members:", ""]
    rows, details = [], []
    for name in order_of_topics(module) if topics else public_names(module):
        value = getattr(module, name)
        if inspect.ismodule(value):
            rows.append(value.__name__)
            continue
        home = reference_module(module_name, name, value)
        rows.append(f"{home}.{name}")
        if home == module_name:
            details += [f".. {directive_of(value)}:: {module_name}.{name}"]
            details += ["   :members:"] * inspect.isclass(value)
            details += ["   :no-value:"] * isinstance(value, dict)
            details += [""]
    table = [".. autosummary::", "   :nosignatures:", "", *(f"   ~{row}" for row in rows), ""]
    return [
        *introduction,
        ".. currentmodule:: None",
        "",
        *([] if topics else table),
        *details,
    ]


class PublicApi(SphinxDirective):
    """Parse the generated reStructuredText in place."""

    required_arguments = 1
    option_spec = {"summary": directives.flag, "topics": directives.flag}

    def run(self):
        (module_name,) = self.arguments
        options = {name: name in self.options for name in self.option_spec}
        lines = reference(module_name, **options)
        lines = StringList(lines, source=f"public-api {module_name}")
        return self.parse_text_to_nodes(lines)


class ModuleDocstring(SphinxDirective):
    """The docstring of a module, without a target for links."""

    required_arguments = 1

    def run(self):
        module = importlib.import_module(self.arguments[0])
        lines = inspect.getdoc(module).split("\n")
        plain_docstrings.process(None, "module", self.arguments[0], module, None, lines)
        lines = StringList(lines, source=f"docstring of {self.arguments[0]}")
        return self.parse_text_to_nodes(lines)


def check_references(app, env):
    """Warn about every public name without an entry in the reference."""
    entries = env.domains.python_domain.objects
    for module_name in public_modules():
        module = importlib.import_module(module_name)
        for name in public_names(module):
            value = getattr(module, name)
            target = f"{reference_module(module_name, name, value)}.{name}"
            if inspect.ismodule(value):
                target = value.__name__
            if target not in entries:
                logger.warning("%s.%s has no reference: no page defines %s", module_name, name, target)


def skip_fields(app, what, name, obj, skip, options):
    """Leave out the fields of a NamedTuple, which its docstring describes."""
    return True if type(obj).__name__ in ("_tuplegetter", "member_descriptor") else None


def resolve_short_name(app, env, node, contnode):
    """Link ``harmonic.inverse`` to `spherekit.harmonic.inverse`."""
    target = node.get("reftarget", "")
    if node.get("refdomain") != "py" or target.startswith("spherekit."):
        return None
    matches = env.domains.python_domain.find_obj(env, None, None, f"spherekit.{target}", "obj", 0)
    if len(matches) != 1:
        return None
    name, entry = matches[0]
    return make_refnode(app.builder, node["refdoc"], entry.docname, entry.node_id, contnode, name)


def setup(app):
    app.add_directive("public-api", PublicApi)
    app.add_directive("module-docstring", ModuleDocstring)
    app.connect("autodoc-process-docstring", document_variable)
    app.connect("autodoc-skip-member", skip_fields)
    app.connect("missing-reference", resolve_short_name)
    app.connect("env-check-consistency", check_references)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
