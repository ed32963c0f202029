"""The command ``spherekit``: one short file a verb, thin over the API."""

import argparse
import os
import sys
import traceback
import warnings

import spherekit
from spherekit._core.docstrings import docstring

_DEBUG = "show the traceback of an error"


class _StoreOnce(argparse.Action):
    """An option that is given twice is refused: the last would win without a word."""

    seen = False

    def __call__(self, parser, namespace, values, option_string=None):
        if option_string and self.seen:
            parser.error(f"{option_string} is given twice")
        self.seen = True
        setattr(namespace, self.dest, values)


class _Parser(argparse.ArgumentParser):
    """argparse, with its complaints in one line like all others."""

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        for name in (None, "store"):
            self.register("action", name, _StoreOnce)

    def error(self, message):
        from spherekit.cli.options import Usage

        raise Usage(f"{message}; see {self.prog} --help")


def main(argv=None):
    """Run the command; returns its exit code: 0 done, 1 the work failed, 2 wrong usage."""
    from spherekit._core.jit import runs_as_python

    try:
        runs_as_python()
    except ValueError as error:  # the environment says how kernels run, or contradicts itself
        _say(str(error))
        return 2
    from spherekit.cli.options import Usage

    for stream in (
        sys.stdout,
        sys.stderr,
    ):  # a name that a terminal cannot spell is printed as \\u...
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    debug = "--debug" in (sys.argv[1:] if argv is None else argv)
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _warn
            args = _parser().parse_args(argv)
            args.run(args)
    except KeyboardInterrupt:
        _say("stopped")
        return 130
    except BrokenPipeError:  # whoever read has read enough, as head does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        usage = isinstance(error, Usage)
        if debug and not usage:
            raise
        if debug:
            traceback.print_exc()
        foreseen = isinstance(error, ValueError | TypeError | OSError | MemoryError)
        bug = f"this is a bug ({type(error).__name__}), please report it with --debug: "
        _say(_words(error) if foreseen else f"{bug}{error}"[:500])
        return 2 if usage else 1
    return 0


def _parser():
    from spherekit.cli import (
        bench,
        demo,
        generate,
        info,
        plot,
        predict,
        rotate,
        scatter,
        simulate,
        spectrum,
        train,
        transform,
        warmup,
        wavelets,
    )

    parser = _Parser(prog="spherekit", description=docstring(spherekit).split("\n")[0])
    parser.add_argument("--version", action="version", version=f"spherekit {spherekit.__version__}")
    parser.add_argument("--debug", action="store_true", help=_DEBUG)
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for verb in (
        demo,
        info,
        transform,
        spectrum,
        rotate,
        wavelets,
        scatter,
        generate,
        simulate,
        train,
        predict,
        plot,
        bench,
        warmup,
    ):
        name = verb.__name__.rsplit(".", 1)[1]
        words = docstring(verb)
        sub = verbs.add_parser(name, help=words.split("\n")[0], description=words)
        verb.arguments(sub)
        sub.add_argument("--debug", action="store_true", default=argparse.SUPPRESS, help=_DEBUG)
        sub.set_defaults(run=verb.run)
    return parser


def _words(error):
    """What an error says; one of the system without its number."""
    if isinstance(error, OSError) and error.strerror and error.filename is not None:
        return f"{os.fsdecode(error.filename)}: {error.strerror}"
    return error


def _say(message):
    print("spherekit:", " ".join(str(message).split()), file=sys.stderr)


def _warn(message, category, filename, lineno, file=None, line=None):
    _say(f"warning: {message}")
