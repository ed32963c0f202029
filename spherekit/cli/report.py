"""What a command reports: lines of text, or with --json one object for each input.

The object has the keys ``command``, ``inputs`` and ``outputs``, the facts that the command adds, such as
``L``, ``grid``, ``fits`` and ``units``, and ``messages``, the lines that it prints without --json.
"""

import contextlib
import contextvars
import io
import json
import math
import os
import sys


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


def complete_as_json(command, path, outputs):
    """An input whose outputs were complete before, as one line of JSON."""
    content = {"command": command, "inputs": [{"file": path}], "outputs": outputs, "complete": True}
    return json.dumps(content)


def failure_as_json(command, path, error):
    """The failure of one input as one line of JSON."""
    content = {"command": command, "inputs": [{"file": path}], "error": error_message(error)}
    return json.dumps(content)


#: The report of this thread, and the buffer that receives what it prints.
_REPORT = contextvars.ContextVar("report", default=None)
_PRINTED = contextvars.ContextVar("what is printed", default=None)


class _Output(io.TextIOBase):
    """Standard output that a thread may direct to a buffer of its own."""

    def __init__(self, stream):
        self.stream = stream

    def write(self, text):
        buffer = _PRINTED.get()
        return (self.stream if buffer is None else buffer).write(text)

    def flush(self):
        self.stream.flush()


@contextlib.contextmanager
def collecting(captures):
    """Context manager that yields the `Report` of its block, with what the block prints if ``captures``."""
    report = Report()
    printed = io.StringIO()
    tokens = _REPORT.set(report), _PRINTED.set(printed if captures else _PRINTED.get())
    try:
        with dividing_output() if captures else contextlib.nullcontext():
            yield report
    finally:
        for variable, token in zip((_REPORT, _PRINTED), tokens, strict=True):
            variable.reset(token)
        report.text = printed.getvalue()


@contextlib.contextmanager
def dividing_output():
    """Context manager in which threads may collect what they print; for threads that begin within it."""
    if isinstance(sys.stdout, _Output):
        yield
        return
    with contextlib.redirect_stdout(_Output(sys.stdout)):
        yield


def add(**facts):
    """Add facts, such as L and grid, to the report of the present command."""
    report = _REPORT.get()
    if report is not None:
        report.facts |= facts


def append(name, fact):
    """Append a fact to the list of this name in the report of the present command."""
    report = _REPORT.get()
    if report is not None:
        report.facts.setdefault(name, []).append(fact)


def add_map(record):
    """Add the grid, fields, axes and notes of a `spherekit.io.Map`."""
    described = zip(record.names, record.units, strict=True)
    fields = [dict(name=name, unit=unit or None) for name, unit in described]
    axes = {name: list(values) for name, values in record.axes.items()}
    add(grid=str(record.grid), fields=fields, spin=record.spin, axes=axes)
    add(frame=record.frame or None, notes=list(record.notes))


def wrote(path):
    """Note a file that the present command has written."""
    report = _REPORT.get()
    if report is not None:
        report.outputs.append(os.fsdecode(path))


def _plain(value):
    """A value of types that JSON has; numbers that are not finite become None."""
    import numpy as np

    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, np.datetime64):
        return str(value)
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
