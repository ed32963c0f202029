"""The directive ``command-help``: the help of every command of ``spherekit``, as a terminal shows it."""

import contextlib
import io
import os
import re

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from spherekit.cli import main

COLUMNS = "88"


def help_of(*arguments):
    """What ``spherekit [COMMAND] --help`` prints."""
    stream, columns = io.StringIO(), os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = COLUMNS
    try:
        with contextlib.redirect_stdout(stream), contextlib.suppress(SystemExit):
            main([*arguments, "--help"])
    finally:
        del os.environ["COLUMNS"]
        if columns is not None:
            os.environ["COLUMNS"] = columns
    return stream.getvalue()


def commands():
    """Names of the commands, in the order of the help."""
    return re.findall(r"^    (\w+)(?: |$)", help_of(), re.M)


class CommandHelp(SphinxDirective):
    """One section for each command."""

    def run(self):
        sections = []
        for command in commands():
            title = f"spherekit {command}"
            section = nodes.section("", nodes.title(title, title), ids=[nodes.make_id(title)])
            text = help_of(command)
            section += nodes.literal_block(text, text, language="text")
            sections.append(section)
        return sections


def setup(app):
    app.add_directive("command-help", CommandHelp)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
