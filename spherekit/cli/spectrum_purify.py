"""Pure E and B modes of ``spherekit spectrum``: ``--purify``, and the edges of masks that they need."""

import numpy as np

from spherekit.cli import options
from spherekit.cli.options import Usage

#: Least width of the edge of a mask, in samples, for which pure modes are computed without a warning.
EDGE = 3


def arguments(parser):
    """--purify."""
    parser.add_argument(
        "--purify",
        choices=("E", "B", "EB"),
        help="of --method master: modes of Q and U into which the mask mixes no power of the other. The mask "
        "needs a smooth edge: pass --apodize, e.g. 6deg, of many samples",
    )


def check(args, inputs):
    """Raise Usage for signals without Q and U, and for a mask whose edge is a step; return warnings."""
    if args.purify is None:
        return []
    if args.method != "master":
        raise Usage("--purify applies to --method master, with --bins")
    first = inputs.first
    if all(signal.spin != 2 for signal in first.signals):
        names = "; ".join(signal.name for signal in first.signals)
        raise Usage(
            f"--purify applies to Q and U, but {args.file} has {names}; select them, e.g. --field Q,U"
        )
    for source in inputs.present:
        if source.weights is not None and _is_step(source.weights):
            raise Usage(
                f"--purify {args.purify}: the mask of {source.path} is 0 or 1 everywhere; the derivatives of "
                "its edge would bias B. Give it a smooth edge, e.g. --apodize 6deg"
            )
    return _on_width(args, first)


def _is_step(weights):
    """Whether a mask has an edge, and no values between 0 and 1."""
    return bool((weights == 0).any()) and bool(np.isin(weights, (0, 1)).all())


def _on_width(args, source):
    """A warning for a taper of few samples."""
    if args.apodize is None or source.weights is None:
        return []
    sample = np.degrees(np.sqrt(4 * np.pi / np.prod(source.grid.shape)))
    width = np.degrees(options.angle(args.apodize, "--apodize"))
    if width >= EDGE * sample:
        return []
    return [
        f"warning: --apodize {args.apodize} is {width / sample:.1f} samples wide; pure modes need at least "
        f"{EDGE}, {EDGE * sample:.2g}deg, and more on small skies: B is biased"
    ]
