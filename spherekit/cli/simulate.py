"""Simulate Gaussian skies with the power spectra of a file: of a scalar, or, with --pol, of I, Q and U.

SPECTRUM is a file of C_l, or cmb, the Planck 2018 spectra in uK^2. FOLDER receives one file per sky: alm FITS
files, as healpy.read_alm reads them, or maps with --grid. Sky k depends on --seed and k only, so that
several jobs can share the work, each with its --first and --n, and the same FOLDER. Files that exist are not
simulated again: the same command continues an interrupted run.

simulate cmb without --pol, --beam, --noise and --first, or with --recipe, writes skies of two classes,
Gaussian and non-Gaussian, with the same power spectrum, and skies.csv, a table of the file, class, recipe,
strength, seed and index of each sky. The realized C_l of every sky are those of an independent Gaussian
realization, so that no function of the C_l distinguishes the classes.
"""

import math
from pathlib import Path
from typing import NamedTuple

import numpy as np

from spherekit.cli import input_spectra, options, output, overlapping, recipes, report
from spherekit.cli.analysis import grid_name
from spherekit.cli.noise import depth_of, signal_unit
from spherekit.cli.stokes import Component

ADVICE_WHEN_STOPPED = "The same command goes on with the skies that are missing"

#: Options of Gaussian skies, which with cmb select these instead of the two classes.
_OF_GAUSSIAN = (
    "pol",
    "beam",
    "noise",
    "noise_pol",
    "first",
    "field",
    "unit",
    "kind",
    "columns",
    "hdu",
)
#: Options of the file of spectra.
_OF_FILE = ("hdu", "kind", "columns", "field")
_POLARIZED = ("TEMPERATURE", "Q_POLARISATION", "U_POLARISATION")
_ALMS = ("TEMPERATURE", "GRADIENT", "CURL")


#: What follows a signal: files that exist are not simulated again.
ADVICE_WHEN_STOPPED = "The same command goes on with the other files"


def arguments(parser):
    parser.add_argument(
        "spectrum", metavar="SPECTRUM", help="a file of C_l, or cmb (Planck 2018 spectra)"
    )
    options.band_limit(parser)
    parser.add_argument("--n", type=int, required=True, help="number of skies")
    parser.add_argument("--first", type=int, help="number of the first sky; default 0")
    parser.add_argument("--seed", type=int, default=0, help="random seed; default 0")
    parser.add_argument(
        "-o", "--output", required=True, metavar="FOLDER", help="output folder, created if missing"
    )
    parser.add_argument(
        "--grid", help="write maps instead, to .fits (e.g. healpix:128) or .npz (e.g. mw:256)"
    )
    parser.add_argument(
        "--pol",
        action="store_true",
        help="simulate T, E and B of the spectra TT, EE, BB, TE (TB, EB); maps of I, Q and U",
    )
    input_spectra.arguments(parser)
    parser.add_argument(
        "--beam", help="Gaussian beam of this width (FWHM), e.g. 10arcmin, or a file of B_l"
    )
    parser.add_argument(
        "--noise",
        help="depth of white noise, e.g. 20uK-arcmin. HEALPix: independent pixels; other grids and alm: "
        "degrees < L",
    )
    parser.add_argument(
        "--noise-pol", help="depth of the noise of Q and U; default: sqrt(2) times --noise"
    )
    parser.add_argument("--unit", help="unit of the skies, if SPECTRUM does not state its square")
    recipes.arguments(parser)
    parser.add_argument(
        "--threads",
        type=int,
        help="number of skies simulated at the same time; default: the CPUs of this process",
    )
    parser.add_argument("--force", action="store_true", help="simulate existing skies again")


def run(args):
    if args.seed < 0:
        raise options.Usage(f"--seed is {args.seed}; expected an integer >= 0")
    names = [name for name in _OF_GAUSSIAN if getattr(args, name) not in (None, False)]
    listed = ", ".join("--" + name.replace("_", "-") for name in names)
    if args.spectrum != "cmb" and (args.recipe or args.strength is not None):
        raise options.Usage(
            f"--recipe and --strength apply to simulate cmb; skies of {args.spectrum} are Gaussian"
        )
    if args.spectrum == "cmb" and (args.recipe or args.strength is not None or not names):
        if names:
            raise options.Usage(f"{listed}: not applicable with --recipe and --strength")
        recipes.run(args)
    else:
        _simulate(args)


class _Plan(NamedTuple):
    """What is simulated: the arguments of `spherekit.spectra.gaussian_sky`, and what is written."""

    cl: object
    L: int
    grid: object
    beam: object
    noise: float
    noise_pol: float | None
    columns: tuple
    unit: str
    frame: str

    @property
    def fields(self):
        return len(self.columns)

    def sky(self, index, seed, threads):
        from spherekit.spectra import gaussian_sky

        noises = dict(noise=self.noise, noise_pol=self.noise_pol)
        options_of_sky = dict(
            seed=seed, sampling=self.grid, beam=self.beam, threads=threads, **noises
        )
        return gaussian_sky(self.cl, self.L, index, **options_of_sky)


def _simulate(args):
    """Write Gaussian skies --first to --first + --n - 1."""
    from spherekit._core.parallel import thread_count
    from spherekit.experiments import blocks

    first = args.first or 0
    if args.n < 1 or first < 0:
        raise options.Usage(
            f"--n is {args.n} and --first is {first}; expected --n >= 1, --first >= 0"
        )
    plan, lines = _plan(args)
    kind, suffix = ("alm", ".fits") if plan.grid is None else ("map", ".npz")
    suffix = ".fits" if plan.grid is not None and plan.grid.name == "healpix" else suffix
    folder = options.folder(args.output)
    blocks.open_folder(folder, _settings(args, plan))
    paths = {k: folder / f"{kind}-{k:05d}{suffix}" for k in range(first, first + args.n)}
    missing = {k: path for k, path in paths.items() if args.force or not _is_whole(path)}
    recipes.check_disk_space(folder, len(missing), plan.L, plan.grid, plan.fields)
    if missing:
        workers = _workers(plan, thread_count(args.threads), len(missing))
        _write_skies(missing, plan, args, *workers)
    present = args.n - len(missing)
    grid = None if plan.grid is None else str(plan.grid)
    report.add(L=plan.L, grid=grid, first=first, n=args.n, present=present, seed=args.seed)
    report.add(fields=list(plan.columns), unit=plan.unit or None)
    names = " to ".join(dict.fromkeys(paths[k].name for k in (first, first + args.n - 1)))
    existing = f" ({present} already present)" if present else ""
    print(*lines, f"wrote {folder}: {names}{existing}, seed {args.seed}", sep="\n")


def _is_whole(path):
    """Whether a sky exists that has not been truncated."""
    from spherekit.io import provenance

    try:
        return bool(path.exists() and provenance.of_file(path))
    except (ValueError, OSError):
        return False


# --- what is simulated -----------------------------------------------------------------------------------


def _plan(args):
    """The `_Plan` of the options, and lines that describe it."""
    from spherekit.io.spectra import spectrum_of

    spectra, units, frame, notes = input_spectra.read(args)
    cl, names = input_spectra.select(args, spectra)
    unit = signal_unit(args, [units[name] for name in names])
    L, grid, reason = _band_limit_and_grid(args, len(spectra[names[0]]))
    if args.pol and L < 3:
        raise options.Usage(f"the band-limit is L = {L}; --pol needs L >= 3, for degree 2")
    if args.noise_pol is not None and not args.pol:
        raise options.Usage("--noise-pol applies to --pol only")
    noise = 0.0 if args.noise is None else depth_of(args.noise, unit, "--noise")
    noise_pol = None if args.noise_pol is None else depth_of(args.noise_pol, unit, "--noise-pol")
    input_spectra.check(args, cl, L)
    beam, beam_line = _beam(args, L)
    scalar = ("TEMPERATURE",) if spectrum_of(names[0]) == "TT" else tuple(names)
    columns = (_ALMS if grid is None else _POLARIZED) if args.pol else scalar
    lines = list(notes)
    lines += [f"{args.spectrum}: {', '.join(names)}; L = {L} (lmax {L - 1}), {reason}"]
    lines += [beam_line] if beam_line else []
    lines += [_noise_line(noise, noise_pol, unit, args.pol, grid)] if noise or noise_pol else []
    return _Plan(cl, L, grid, beam, noise, noise_pol, columns, unit, frame), lines


def _band_limit_and_grid(args, length):
    """(L, grid or None, why this L)."""
    from spherekit.sampling import grid as as_grid

    L = options.band_limit_option(args, required=False)
    if L is not None and L > length:
        raise options.Usage(
            f"--L is {L} (lmax {L - 1}), but {args.spectrum} has the degrees 0 to {length - 1}"
        )
    if args.grid is None:
        return L or length, None, "the degrees of the spectrum" if L is None else "as requested"
    grid = as_grid(args.grid, L or length)
    if L is not None:
        recipes.refuse_coarse_grid(args, grid, L)
        return L, grid, "as requested"
    limit = 3 * grid.nside if grid.name == "healpix" else grid.L
    if limit is None or limit >= length:
        return length, grid, "the degrees of the spectrum"
    name = grid_name(grid)
    return limit, grid, f"3 nside of {name}" if grid.name == "healpix" else f"that of {name}"


def _beam(args, L):
    """(window functions, a line that describes them)."""
    from spherekit.spectra import gaussian_beam

    if args.beam is None:
        return None, ""
    if Path(args.beam).exists():
        from spherekit.io.beams import read_beam

        windows = read_beam(args.beam, L)
        names = ("T", "E", "B") if args.pol else ("T",)
        return np.stack([windows[name] for name in names]), f"beam: {args.beam}"
    fwhm = options.angle(args.beam, "--beam (not a file)")
    if fwhm < 0:
        raise options.Usage(f"--beam is {args.beam}; expected a width >= 0")
    spins = (0, 2, 2) if args.pol else (0,)
    return np.stack(
        [gaussian_beam(fwhm, L, spin=s) for s in spins]
    ), f"beam: Gaussian, FWHM {args.beam}"


def _noise_line(noise, noise_pol, unit, polarized, grid):
    depth = f"{noise * 10800 / math.pi:.4g} {unit}-arcmin".replace(" -", " ")
    if polarized:
        noise_pol = math.sqrt(2) * noise if noise_pol is None else noise_pol
        depth += f", of Q and U {noise_pol * 10800 / math.pi:.4g}"
    if grid is None or grid.name != "healpix":
        return f"noise: {depth}, degrees < L"
    area = 4 * math.pi / math.prod(grid.shape)
    return f"noise: {depth}; {noise / math.sqrt(area):.4g} {unit}".rstrip() + " per pixel"


def _settings(args, plan):
    """What all skies of a folder have in common."""
    import hashlib

    cl = plan.cl if isinstance(plan.cl, dict) else {"": plan.cl}
    digest = hashlib.sha256()
    for name, values in cl.items():
        digest.update(name.encode() + np.ascontiguousarray(values[: plan.L], "<f8").tobytes())
    beam = b"" if plan.beam is None else np.ascontiguousarray(plan.beam, "<f8").tobytes()
    return dict(
        command="simulate",
        spectrum_sha256=digest.hexdigest(),
        columns=",".join(plan.columns),
        L=plan.L,
        grid=None if plan.grid is None else grid_name(plan.grid),
        beam="file" if args.beam and Path(args.beam).exists() else args.beam,
        beam_sha256=hashlib.sha256(beam).hexdigest() if beam else None,
        noise=args.noise,
        noise_pol=args.noise_pol,
        unit=plan.unit,
        seed=args.seed,
    )


# --- simulating and writing ------------------------------------------------------------------------------


def _workers(plan, threads, count):
    """(skies at the same time, threads of each), as the memory allows."""
    from spherekit._core import checks

    required = 16 * plan.L**2 * (plan.fields + 3)
    if plan.grid is not None:
        import spherekit

        spin = 2 if plan.fields > 1 and plan.L > 2 else 0
        transform = dict(sampling=plan.grid, spin=spin, reality=not spin, threads=1)
        required += spherekit.estimate_memory(plan.L, direction="inverse", **transform)
        required += 8 * math.prod(plan.grid.shape) * (2 * plan.fields + 1)  # also to write them
    checks.fits_memory(required, "simulating a sky", "lower --L, or choose a coarser --grid")
    workers = max(1, min(threads, count, int(checks.memory_limit() // required)))
    return workers, max(1, threads // workers)


def _write_skies(paths, plan, args, workers, threads):
    """Simulate and write skies, several at the same time, with a progress bar on standard error."""
    from spherekit.io import provenance

    def simulate(index):
        with provenance.recording(_command(args, index), args.seed):
            _write(paths[index], plan.sky(index, args.seed, threads), plan)

    overlapping.for_each(simulate, list(paths), workers, "skies")


def _command(args, index):
    """The command that simulates only this sky, whichever wrote it: several jobs give the same bytes."""
    words = ["spherekit", "simulate", args.spectrum, *(["--pol"] if args.pol else [])]
    for name in (*_OF_FILE, "grid", "L", "lmax", "beam", "noise", "noise_pol", "unit", "seed"):
        value = getattr(args, name)
        words += [] if value is None else ["--" + name.replace("_", "-"), str(value)]
    return [*words, "--first", str(index), "--n", "1"]


def _write(path, sky, plan):
    """Write coefficients or samples of a scalar, or of T, E and B or I, Q and U."""
    from spherekit import io

    if plan.grid is None:
        header = dict(unit=plan.unit, coordsys=plan.frame, name=plan.columns, overwrite=True)
        io.write_alm(path, np.atleast_2d(sky), **header)
        report.wrote(path)
        return
    fields = sky if plan.fields > 1 else sky[None]
    components = [Component(fields[0], 0, plan.columns[:1], plan.unit)]
    if plan.fields > 1:
        components.append(Component(fields[1] + 1j * fields[2], 2, plan.columns[1:], plan.unit))
    output.write_map(path, components, plan.grid, plan.frame)
