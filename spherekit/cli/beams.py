"""Window functions of signals, of beams and pixels: ``--beam``, ``--beam2`` and ``--pixwin``."""

from pathlib import Path

import numpy as np

from spherekit.cli import options


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
    spins = [signal.spin for signal in source.signals]
    table = _table(text, option, spins, L)
    if args.pixwin:
        from spherekit.spectra import pixel_window

        table = {spin: rows * pixel_window(grid, L, spin=spin) for spin, rows in table.items()}
    words = [f"beam {text}"] if text is not None else []
    words += [f"pixels of nside {grid.nside}"] if args.pixwin else []
    return table, f"corrected for {' and '.join(words)}" if words else ""


def _table(text, option, spins, L):
    """The window functions of a beam by spin."""
    if text is None:
        return {spin: np.ones((2 if spin else 1, L)) for spin in spins}
    if Path(text).exists():
        from spherekit.io.beams import read_beam

        windows = read_beam(text, L)
        names = {spin: ("E", "B") if spin else ("T",) for spin in spins}
        return {spin: np.stack([windows[name] for name in names[spin]]) for spin in spins}
    from spherekit.spectra import gaussian_beam

    fwhm = options.angle(text, f"--{option} (not a file)")
    if fwhm < 0:
        raise options.Usage(f"--{option} is {text}; expected a width >= 0")
    return {
        spin: np.repeat(gaussian_beam(fwhm, L, spin=spin)[None], 2 if spin else 1, axis=0)
        for spin in spins
    }
