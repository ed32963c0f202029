"""The command ``spherekit``: one short file a verb, thin over the API."""

import argparse
import sys

import spherekit


def main(argv=None):
    """Run the command; returns its exit code: 0 done, 1 the work failed, 2 wrong usage."""
    from spherekit.cli import demo, info, plot, spectrum, transform

    parser = argparse.ArgumentParser(prog="spherekit", description=spherekit.__doc__.split("\n")[0])
    parser.add_argument("--version", action="version", version=f"spherekit {spherekit.__version__}")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for verb in (demo, info, transform, spectrum, plot):
        name = verb.__name__.rsplit(".", 1)[1]
        sub = verbs.add_parser(name, help=verb.__doc__.split("\n")[0], description=verb.__doc__)
        verb.arguments(sub)
        sub.set_defaults(run=verb.run)
    args = parser.parse_args(argv)
    try:
        args.run(args)
    except (ValueError, TypeError, OSError, MemoryError) as error:
        if args.debug:
            raise
        print(f"spherekit: error: {error}", file=sys.stderr)
        return 1
    return 0
