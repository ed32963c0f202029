"""Sphinx configuration of the book: ``sphinx-build -W tutorials build/book``.

The build runs no notebook and needs no network, and neither do the pages: formulas are MathML, and fonts,
styles and scripts are local.
"""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE / "_extensions")]  # the sources beside this book

import spherekit  # noqa: E402

project = "spherekit"
author = "The spherekit developers"
project_copyright = "The spherekit developers, BSD-3-Clause"
version = release = spherekit.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "myst_nb",
    "mathml",
    "plain_docstrings",
    "public_api",
    "command_help",
]
exclude_patterns = ["_extensions"]
default_role = "py:obj"  # `name` in docstrings
highlight_language = "none"  # of blocks without a language, such as formulas in docstrings
toc_object_entries_show_parents = "hide"

# Signatures without annotations: the types stand in the section Parameters, and ArrayLike would be expanded.
autodoc_typehints = "none"
autodoc_preserve_defaults = True
autodoc_member_order = "bysource"
autodoc_inherit_docstrings = False
autosummary_generate = False
numpydoc_show_class_members = False

# Notebooks are stored with their outputs (see contributing.md).
nb_execution_mode = "off"
nb_ipywidgets_js = {}
nb_merge_streams = True
myst_enable_extensions = ["dollarmath", "colon_fence", "deflist"]
myst_heading_anchors = 3
myst_update_mathjax = False

html_theme = "furo"
html_title = f"spherekit {version}"
html_math_renderer = "mathml"
html_static_path = ["_static"]
html_css_files = ["book.css"]
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {"top_of_page_buttons": []}
