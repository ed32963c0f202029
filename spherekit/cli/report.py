"""What a command reports: lines of text, or with --json one object for each input.

The object has the keys ``command``, ``inputs`` and ``outputs``, the facts that the command adds, such as
``L``, ``grid``, ``fits`` and ``units``, and ``messages``, the lines that it prints without --json.
"""

import contextlib
import io
import json
import math
import os
import sys

import numpy as np


class Report:
    """The facts, outputs and printed lines of one run of a command."""

    def __init__(self):
        self.facts, self.outputs, self.text = {}, [], ""

    def as_json(self, command):
        """The report as one line of JSON."""
        from spherekit.io import provenance

        content = {"command": command, "inputs": provenance.inputs(), "outputs": self.outputs}
        content |= self.facts | {"messages": self.text.splitlines()}
        return json.dumps(_plain(content), allow_nan=False)


def failure_as_json(command, path, error):
    """The failure of one input as one line of JSON."""
    content = {"command": command, "inputs": [{"file": path}], "error": error_message(error)}
    return json.dumps(content)


_reports = []


@contextlib.contextmanager
def collecting(captures):
    """Context manager that yields the `Report` of its block, with what the block prints if ``captures``."""
    report = Report()
    _reports.append(report)
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed) if captures else contextlib.nullcontext():
            yield report
    finally:
        _reports.pop()
        report.text = printed.getvalue()


def add(**facts):
    """Add facts, such as L and grid, to the report of the present command."""
    if _reports:
        _reports[-1].facts |= facts


def append(name, fact):
    """Append a fact to the list of this name in the report of the present command."""
    if _reports:
        _reports[-1].facts.setdefault(name, []).append(fact)


def wrote(path):
    """Note a file that the present command has written."""
    if _reports:
        _reports[-1].outputs.append(os.fsdecode(path))


def _plain(value):
    """A value of types that JSON has; numbers that are not finite become None."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, str | int | bool | None) else str(value)


# --- standard error --------------------------------------------------------------------------------------


def to_stderr(message):
    """Print a message on one line of standard error."""
    print("spherekit:", " ".join(str(message).split()), file=sys.stderr)


def error_message(error):
    """The message of an error: of an operating-system error without its number, of a bug with its type."""
    if isinstance(error, OSError) and error.strerror and error.filename is not None:
        return f"{os.fsdecode(error.filename)}: {error.strerror}"
    if isinstance(error, ValueError | TypeError | OSError | MemoryError):
        return str(error)
    kind = type(error).__name__
    return f"this is a bug ({kind}); please report it with the output of --debug: {error}"[:500]
