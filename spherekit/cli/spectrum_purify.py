"""Pure E and B modes of ``spherekit spectrum``: ``--purify``, and the edges of masks that they need."""

import warnings

import numpy as np

from spherekit.cli import options
from spherekit.cli.options import Usage

#: Least width of the edge of a mask, in samples, for which pure modes are computed without a warning.
EDGE = 3

#: The beginning of the warning of `spherekit.spectra.purification.warn_of_edges`.
_STEP = "the mask has a step at its edge"


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
    lines = _on_width(args, first) or _on_steps(inputs)
    warnings.filterwarnings("ignore", message=_STEP)  # of the library, which these lines replace
    return lines


def _is_step(weights):
    """Whether a mask has an edge, and no values between 0 and 1."""
    return bool((weights == 0).any()) and bool(np.isin(weights, (0, 1)).all())


def _on_steps(inputs):
    """Warnings of masks with values between 0 and 1 that end in a step."""
    from spherekit.spectra import Mask
    from spherekit.spectra.purification import warn_of_edges

    lines = []
    for source in inputs.present:
        if source.weights is None:
            continue
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            warn_of_edges(Mask(source.weights, source.L, source.grid))
        if caught:
            lines.append(
                f"warning: the mask of {source.path} has a step at its edge, so that pure modes contain "
                "power of the other one; taper it, e.g. --apodize 6deg"
            )
    return lines


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
