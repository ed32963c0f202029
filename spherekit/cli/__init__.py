"""The command line, ``spherekit``: one module per command, a thin layer over the Python API."""

import argparse
import contextlib
import os
import sys
import traceback
import warnings
from importlib import import_module

import spherekit
from spherekit._core.docstrings import docstring

#: Names of the commands and of their modules, in the order of the help.
COMMANDS = (
    ("demo", "info", "transform", "spectrum", "rotate", "wavelets", "scatter", "generate", "simulate")
    + ("train", "predict", "plot", "bench", "warmup")
)  # fmt: skip
_DEBUG = "print the traceback of an error"


class _StoreOnce(argparse.Action):
    """Report a repeated option, of which argparse silently uses the last value, as an error."""

    seen = False

    def __call__(self, parser, namespace, values, option_string=None):
        if option_string and self.seen:
            parser.error(f"{option_string} is given twice; pass it once")
        self.seen = True
        setattr(namespace, self.dest, values)


class _Formatter(argparse.HelpFormatter):
    """Help that preserves the paragraphs of a description."""

    def _fill_text(self, text, width, indent):
        fill = super()._fill_text
        return "\n\n".join(fill(paragraph, width, indent) for paragraph in text.split("\n\n"))


class _Parser(argparse.ArgumentParser):
    """An argument parser whose errors are printed like all others, on one line."""

    def __init__(self, *args, **options):
        super().__init__(*args, **{"formatter_class": _Formatter} | options)
        for name in (None, "store"):
            self.register("action", name, _StoreOnce)

    def error(self, message):
        from spherekit.cli.options import Usage

        raise Usage(f"{message}; see {self.prog} --help")


def main(argv=None):
    """Run the command and return its exit code: 0 for success, 1 for a failure, 2 for a usage error."""
    from spherekit._core.jit import runs_as_python

    try:
        runs_as_python()
    except ValueError as error:  # inconsistent environment variables
        _report(f"error: {error}")
        return 2
    from spherekit.cli.options import Usage

    for stream in (sys.stdout, sys.stderr):  # file names may not be encodable
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    debug = "--debug" in (sys.argv[1:] if argv is None else argv)
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _warn
            args, unknown = _parser().parse_known_args(argv)
            if unknown:
                see = f"see spherekit {args.command} --help"
                raise Usage(f"unrecognized arguments: {' '.join(unknown)}; {see}")
            _run(args, sys.argv[1:] if argv is None else argv)
    except KeyboardInterrupt:
        _report("interrupted")
        return 130
    except BrokenPipeError:  # the reader, such as head, has closed the pipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        usage = isinstance(error, Usage)
        if debug and not usage:
            raise
        if debug:
            traceback.print_exc()
        expected = isinstance(error, ValueError | TypeError | OSError | MemoryError)
        bug = (
            f"this is a bug ({type(error).__name__}); please report it with the output of --debug: "
        )
        _report(f"error: {_message(error)}" if expected else f"error: {bug}{error}"[:500])
        return 2 if usage else 1
    return 0


def _run(args, argv):
    """Run a command; what it writes has a line of provenance."""
    from spherekit.io import provenance

    with contextlib.ExitStack() as stack:
        if getattr(args, "output", None) is not None or getattr(args, "plot", None) is not None:
            command = provenance.command_line(["spherekit", *argv])
            stack.enter_context(provenance.recording(command, getattr(args, "seed", None)))
        args.run(args)


def _parser():
    parser = _Parser(
        prog="spherekit",
        description=docstring(spherekit).split("\n")[0],
        epilog="spherekit COMMAND --help describes a command and its options.",
    )
    parser.add_argument("--version", action="version", version=f"spherekit {spherekit.__version__}")
    parser.add_argument("--debug", action="store_true", help=_DEBUG)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in COMMANDS:
        command = import_module(f"spherekit.cli.{name}")
        description = docstring(command)
        summary = description.split("\n")[0].removesuffix(".")
        sub = commands.add_parser(name, help=summary, description=description)
        command.arguments(sub)
        sub.add_argument("--debug", action="store_true", default=argparse.SUPPRESS, help=_DEBUG)
        sub.set_defaults(run=command.run)
    return parser


def _message(error):
    """The message of an error; that of an operating-system error without its number."""
    if isinstance(error, OSError) and error.strerror and error.filename is not None:
        return f"{os.fsdecode(error.filename)}: {error.strerror}"
    return error


def _report(message):
    print("spherekit:", " ".join(str(message).split()), file=sys.stderr)


def _warn(message, category, filename, lineno, file=None, line=None):
    _report(f"warning: {message}")
