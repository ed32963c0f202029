"""Tapering of the mask of ``spherekit spectrum``: ``--apodize`` and ``--apodization``."""

import numpy as np

from spherekit.cli import options
from spherekit.cli.options import Usage


def arguments(parser):
    """--apodize and --apodization."""
    parser.add_argument(
        "--apodize",
        metavar="WIDTH",
        help="taper the mask over this distance from its zeros, e.g. 2deg",
    )
    parser.add_argument(
        "--apodization",
        choices=("C1", "C2", "smooth"),
        help="the taper (default C1), or smooth: convolution by a Gaussian of this standard deviation",
    )


def apodized(args, weights, grid):
    """(the mask, tapered if --apodize is given; a line that describes it or "")."""
    if args.apodize is None:
        if args.apodization is not None:
            raise Usage("--apodization: pass the width with --apodize, e.g. --apodize 2deg")
        return weights, ""
    if weights is None:
        raise Usage("--apodize applies to a mask; pass it with --mask")
    from spherekit.spectra import apodize, sky_fraction

    width = options.angle(args.apodize, "--apodize")
    if not 0 < width < np.pi:
        raise Usage(f"--apodize is {args.apodize}; expected an angle above 0deg and below 180deg")
    kind = args.apodization or "C1"
    if weights.shape != tuple(grid.shape):
        raise Usage("--apodize applies to one mask; select one map of each axis")
    try:
        tapered = apodize(weights, width, kind, sampling=grid, threads=args.threads)
    except ValueError as error:
        raise ValueError(f"--apodize {args.apodize}: {error}") from None
    before, after = (sky_fraction(x, sampling=grid) for x in (weights, tapered))
    line = f"mask apodized: {kind}, {args.apodize}; the mean of mask^2 {before:.4f} becomes {after:.4f}"
    return tapered, line
