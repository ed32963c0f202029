"""The command line, ``spherekit``: one module per command, a thin layer over the Python API."""

import argparse
import contextlib
import gc
import os
import sys
import traceback
import warnings
from importlib import import_module

import spherekit
from spherekit._core.docstrings import docstring
from spherekit.cli import report, stopping

#: Names of the commands and of their modules, in the order of the help.
COMMANDS = (
    ("demo", "info", "convert", "transform", "spectrum", "rotate", "smooth", "regrid", "wind", "wavelets")
    + ("scatter", "generate", "simulate", "train", "predict", "plot", "bench", "warmup")
)  # fmt: skip
_DEBUG = "print the traceback of an error"
_JSON = "print one JSON object for each input instead of text"


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
    """Run the command and return its exit code.

    0 for success, 1 for a failure, 2 for a usage error, 130 for Ctrl-C, and 75 where SIGTERM or SIGUSR1 has
    stopped the command, in a state from which the same command goes on.
    """
    is_process = argv is None
    if is_process:
        gc.set_threshold(100_000, 50, 50)  # the many objects of imports need no early collection
        argv = sys.argv[1:]
    for stream in (sys.stdout, sys.stderr):  # file names may not be encodable
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        with stopping.handling(exits=is_process), warnings.catch_warnings():
            warnings.showwarning = _warn
            _refuse_contradictory_environment()
            _run(argv)
    except KeyboardInterrupt:
        report.to_stderr("interrupted")
        return 130
    except stopping.Stopped as stopped:
        report.to_stderr(f"stopped by {stopped}")
        return stopping.EXIT_CODE
    except BrokenPipeError:  # the reader, such as head, has closed the pipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        return _failed(error, "--debug" in argv)
    return 0


def _failed(error, debug):
    """The exit code of an error, which is printed or, with ``debug``, raised."""
    from spherekit.cli.options import Usage
    from spherekit.io.arguments import UnsupportedContents

    usage = isinstance(error, Usage | UnsupportedContents)
    if debug and not usage:
        raise error
    if debug:
        traceback.print_exc()
    report.to_stderr(f"error: {report.error_message(error)}")
    return 2 if usage else 1


def _refuse_contradictory_environment():
    """Raise Usage for environment variables that contradict each other or have no valid value."""
    _refuse_memory_limit()
    if not os.environ.get("SPHEREKIT_SIMD", "").strip():
        return
    from spherekit._core.jit import runs_as_python
    from spherekit.cli.options import Usage

    try:
        runs_as_python()
    except ValueError as error:
        raise Usage(str(error)) from None


def _refuse_memory_limit():
    """Raise Usage for a SPHEREKIT_MAX_MEMORY that is no number of bytes."""
    from spherekit._core import checks
    from spherekit.cli.options import Usage

    try:
        checks.memory_limit()
    except ValueError as error:
        raise Usage(str(error)) from None


def _run(argv):
    """Run a command; what it writes has a line of provenance."""
    from spherekit.cli.options import Usage, without_empty_folders

    args, unknown = _parser(argv).parse_known_args(argv)
    if isinstance(getattr(args, "file", None), list) and _are_files(unknown, args):
        args.file += unknown  # after an option, argparse does not add files to those before it
        unknown = []
    if unknown:
        raise Usage(
            f"unrecognized arguments: {' '.join(unknown)}; see spherekit {args.command} --help"
        )
    _check_grids(args)
    args.prepare(args)
    outputs = (getattr(args, name, None) for name in ("output", "plot", "spectrum"))
    with without_empty_folders([path for path in outputs if isinstance(path, str)]):
        _run_prepared(args, argv)


def _run_prepared(args, argv):
    """Run a command with its options, on one input or several."""
    from spherekit.cli import many
    from spherekit.cli.options import refuse_output_over_input
    from spherekit.io import provenance

    if many.is_needed(args):
        many.run(args.command, args, list(argv))
        return
    if isinstance(getattr(args, "file", None), list):
        args.file = args.file[0]
    if getattr(args, "force", False):
        refuse_output_over_input(args)
    is_json = args.reports_json and args.json
    with contextlib.ExitStack() as stack:
        if is_json or any(getattr(args, name, None) for name in ("output", "plot")):
            command = provenance.recording(["spherekit", *argv], getattr(args, "seed", None))
            stack.enter_context(command)
        with report.collecting(captures=is_json) as collected:
            try:
                args.run(args)
            except stopping.Stopped as stopped:
                raise stopping.Stopped(
                    f"{stopped}; nothing is half written. {args.advice}"
                ) from None
        if is_json:
            print(collected.as_json(args.command))


def _check_grids(args):
    """Raise Usage for the options of grids that are not the text of one (of bench, they are lists)."""
    from spherekit.cli.options import Usage

    if args.command == "bench":
        return
    for name in ("grid", "from_grid"):
        text = getattr(args, name, None)
        if isinstance(text, str):
            from spherekit.sampling import grid

            L = getattr(args, "L", None)
            try:
                grid(text, 1 if L is None or L < 1 else L)
            except ValueError as error:
                raise Usage(f"--{name.replace('_', '-')}: {error}") from None


def _are_files(words, args):
    """Whether words are existing files; the last may be the output of ``spherekit convert IN OUT``."""
    has_output = args.command == "convert" and args.output is None
    inputs = words[:-1] if has_output and words[-1:] and words[-1][:1] != "-" else words
    return all(map(os.path.exists, inputs))


def _parser(argv):
    """The parser of the command that ``argv`` names; of all commands if it names none."""
    parser = _Parser(
        prog="spherekit",
        description=docstring(spherekit).split("\n")[0],
        epilog="spherekit COMMAND --help describes a command and its options.",
    )
    parser.add_argument("--version", action="version", version=f"spherekit {spherekit.__version__}")
    parser.add_argument("--debug", action="store_true", help=_DEBUG)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    named = next((word for word in argv if word not in ("--debug",)), None)
    for name in [named] if named in COMMANDS else COMMANDS:
        command = import_module(f"spherekit.cli.{name}")
        description = docstring(command)
        summary = description.split("\n")[0].removesuffix(".")
        sub = commands.add_parser(name, help=summary, description=description)
        command.arguments(sub)
        sub.add_argument("--debug", action="store_true", default=argparse.SUPPRESS, help=_DEBUG)
        reports_json = "--json" not in sub.format_usage()
        if reports_json:
            sub.add_argument("--json", action="store_true", help=_JSON)
        advice = getattr(command, "ADVICE_WHEN_STOPPED", "The same command starts again")
        prepare = getattr(command, "prepare", lambda args: None)
        overlaps = getattr(command, "OVERLAPS", False)
        sub.set_defaults(
            run=command.run,
            overlaps=overlaps,
            prepare=prepare,
            reports_json=reports_json,
            advice=advice,
        )
    return parser


def _warn(message, category, filename, lineno, file=None, line=None):
    report.to_stderr(f"warning: {message}")
