"""Window functions of signals, of beams and pixels: ``--beam``, ``--beam2`` and ``--pixwin``."""

import re
from pathlib import Path

import numpy as np

from spherekit.cli import options

#: The largest difference of b_0 from 1 that is not told.
_NEAR = 0.02


def arguments(parser):
    """--beam, --beam2 and --pixwin."""
    parser.add_argument(
        "--beam",
        metavar="WIDTH|FILE",
        help="correct for the beam: width (FWHM) of a Gaussian, e.g. 30arcmin, or a table of l and b_l",
    )
    parser.add_argument(
        "--beam2", metavar="WIDTH|FILE", help="beam of the file of --cross; default: that of --beam"
    )
    parser.add_argument(
        "--pixwin",
        action="store_true",
        help="correct for the pixels of HEALPix, of maps of averages over them",
    )


def by_letter(args, option, source):
    """(window functions (L,) of T, E and B, a line that describes them or "") of an `Input`."""
    windows, line = by_spin(args, option, source)
    letters = {}
    for spin, rows in windows.items():
        letters |= dict(zip("EB" if spin else "T", rows, strict=True))
    return letters, line


def by_spin(args, option, source):
    """(window functions (n, L) by spin of the signals, a line that describes them or "") of an `Input`.

    One row for a scalar, two for E and B of a spin field. ``option``: "beam" or "beam2".
    """
    text = getattr(args, option)
    grid, L = source.grid, source.L
    if args.pixwin and (grid is None or grid.name != "healpix"):
        where = (
            "coefficients and does not state their pixels" if grid is None else f"a map on {grid}"
        )
        raise options.Usage(
            f"--pixwin applies to HEALPix maps, but {source.path} contains {where}; pass the product of beam "
            "and pixel window as a table of l and b_l with --beam"
        )
    nside, mask = (grid, _mask(source)) if args.pixwin else (None, None)
    beam = _beam(text, option, L)
    try:
        table = {
            signal.spin: _windows(beam, L, signal.spin, nside, mask) for signal in source.signals
        }
    except ValueError as error:
        raise ValueError(f"{source.path}: {_with_options(error)}") from None
    words = [f"beam {text}"] if text is not None else []
    words += [f"pixels of nside {grid.nside}"] if args.pixwin else []
    line = f"corrected for {' and '.join(words)}" if words else ""
    return table, line + _on_scale(beam)


def _on_scale(beam):
    """The end of a line on a table whose b_0 is far from 1; "" else."""
    value = float(beam["T"][0]) if isinstance(beam, dict) else 1.0
    if abs(value - 1) < _NEAR:
        return ""
    return f"; its b_0 is {value:.4g}, not 1, and the spectrum is divided by the squares of b_l"


def _mask(source):
    """The weights of the pixels, if all maps have the same."""
    is_shared = source.weights is not None and source.weights.shape == tuple(source.grid.shape)
    return source.weights if is_shared else None


def _windows(beam, L, spin, nside, mask):
    """The window functions of T, or of E and B, from a width or tables by letter."""
    from spherekit.spectra import beam_window

    rows = [beam[letter] if isinstance(beam, dict) else beam for letter in ("EB" if spin else "T")]
    return np.stack([beam_window(row, L, spin=spin, nside=nside, mask=mask) for row in rows])


def _beam(text, option, L):
    """The width of a Gaussian beam in radians, or b_l of T, E and B of a file, or None."""
    if text is None:
        return None
    if Path(text).exists():
        from spherekit.io.beams import read_beam

        return read_beam(text, L)
    fwhm = options.angle(text, f"--{option} (not a file)")
    if fwhm < 0:
        raise options.Usage(f"--{option} is {text}; expected a width >= 0")
    return fwhm


def _with_options(error):
    """The message of an error of `spherekit.spectra.beam_window` with the option in place of L."""
    return re.sub(
        r"lower L from \d+ to at most (\d+)", r"lower the band-limit, e.g. --L \1", str(error)
    )
