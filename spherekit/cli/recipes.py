"""Gaussian and non-Gaussian skies with the same power spectrum, for ``spherekit simulate cmb --recipe``."""

import math
import shutil

from spherekit.cli import options, output, overlapping
from spherekit.cli.analysis import grid_name
from spherekit.cli.stokes import Component

RECIPES = ("strings", "oscillator", "modulated", "gaussian")
_COLUMNS = "file", "class", "recipe", "strength", "seed", "index"
_TABLE = "skies.csv"


def arguments(parser):
    """--recipe and --strength."""
    group = parser.add_argument_group("skies of two classes, simulate cmb --recipe")
    group.add_argument(
        "--recipe",
        choices=RECIPES,
        help="model of the non-Gaussian skies: caps with sharp edges (strings), skewed white noise "
        "(oscillator), small scales of varying amplitude (modulated), or none (gaussian); default strings",
    )
    group.add_argument(
        "--strength",
        type=float,
        help="strength of the non-Gaussianity. strings: s in 0..1, default 0.13 (1024/L)^0.54 (0.27 at L = "
        "256); oscillator: alpha_3 in 0..1, default 0.09 (1024/L)^0.576, at most 0.3; modulated: s >= 0, "
        "default 0.03 (256/L). At the defaults scattering classifies about 95 %% of the skies correctly (L = "
        "256)",
    )


def run(args):
    """Write the skies and their table."""
    from spherekit._core.parallel import thread_count
    from spherekit.experiments import blocks
    from spherekit.experiments.gaussianity import skies

    args.recipe = args.recipe or RECIPES[0]
    L, grid = _band_limit_and_grid(args)
    default = args.strength is None
    strength = skies.default_strength(args.recipe, L) if default else args.strength
    strength = skies.check_strength(args.recipe, strength)
    count = 0 if args.recipe == "gaussian" else args.n // 2  # of non-Gaussian skies
    suffix = ".npz" if grid is not None and grid.name != "healpix" else ".fits"
    named = [("gaussian", "gaussian", 0.0, i) for i in range(args.n - count)]
    named += [("non-gaussian", args.recipe, strength, i) for i in range(count)]
    rows = [(f"{r}-{i:05d}{suffix}", kind, r, s, args.seed, i) for kind, r, s, i in named]
    folder = options.folder(args.output)
    threads = thread_count(args.threads)
    manifest = dict(L=L, recipe=args.recipe, strength=strength, seed=args.seed, grid=args.grid)
    blocks.open_folder(folder, manifest)
    missing = [row for row in rows if args.force or not (folder / row[0]).exists()]
    check_disk_space(folder, len(missing), L, grid)
    _simulate(folder, missing, L, grid, threads)
    output.write_table(folder / _TABLE, _COLUMNS, rows)
    present = len(rows) - len(missing)
    existing = f" ({present} already present)" if present else ""
    kind = "alm" if grid is None else grid_name(grid)
    print(
        f"wrote {folder}: {len(rows)} skies{existing}, {kind}, L = {L} (lmax {L - 1}), seed {args.seed}"
    )
    if count:
        settings = f"{args.recipe} of strength {strength:g}{' (default)' * default}"
        print(f"   {len(rows) - count} gaussian, {count} {settings}")


def _band_limit_and_grid(args):
    """The band-limit and the grid, after checking the options."""
    from spherekit.sampling import grid as as_grid

    L = options.band_limit_option(args)
    if not 3 <= L <= 3000:
        raise options.Usage(
            f"the band-limit is L = {L}; expected 3 to 3000, for degrees 2 to 2999 of the spectrum"
        )
    if args.n < 1 or (args.n < 2 and args.recipe != "gaussian"):
        raise options.Usage(
            f"--n is {args.n}; expected at least 2 skies for the two classes, or 1 with --recipe gaussian"
        )
    if args.recipe == "gaussian" and args.strength:
        raise options.Usage(
            "--strength applies to non-Gaussian skies only; choose a --recipe other than gaussian"
        )
    if args.grid is None:
        return L, None
    grid = as_grid(args.grid, L)
    refuse_coarse_grid(args, grid, L)
    return L, grid


def refuse_coarse_grid(args, grid, L):
    """Raise Usage for a grid that does not represent the degrees < L."""
    if grid.name == "healpix" and L > 3 * grid.nside:
        raise options.Usage(
            f"L = {L} exceeds 3 nside = {3 * grid.nside}, beyond which the pixels do not determine the "
            f"coefficients; pass --grid healpix:{1 << max(0, (-(-L // 2) - 1).bit_length())}"
        )
    if grid.L is not None and grid.L < L:
        raise options.Usage(
            f"--grid is {args.grid}, for degrees < {grid.L}; with L = {L} pass --grid {grid.name}:{L}"
        )


def check_disk_space(folder, count, L, grid, fields=1):
    """Raise OSError unless ``count`` skies of so many fields fit on the disk."""
    size = 20 * L * (L + 1) // 2 if grid is None else 8 * math.prod(grid.shape)
    required = count * fields * size
    free = shutil.disk_usage(folder).free
    if required > free:
        raise OSError(
            f"{count} skies need {required / 1e9:.1f} GB, and {folder} has {free / 1e9:.1f} GB free; lower "
            "--n, --L or --lmax, or choose another folder"
        )


def _simulate(folder, rows, L, grid, threads):
    """Simulate and write skies, one per thread at a time, with a progress bar on standard error."""
    from spherekit.experiments.gaussianity import skies
    from spherekit.io import provenance

    def simulate(row):
        name, _, recipe, strength, seed, index = row
        flm = skies.sky(recipe, L, index, strength=strength, seed=seed, threads=1)
        with provenance.recording(_command(recipe, strength, seed, L, grid), seed):
            _write(folder / name, flm, L, grid)

    overlapping.for_each(simulate, rows, threads, "skies")


def _command(recipe, strength, seed, L, grid):
    """The command for skies of one recipe, whatever their number."""
    words = ["spherekit", "simulate", "cmb", "--L", L, "--recipe", recipe, "--seed", seed]
    words += ["--strength", strength] if strength else []
    words += [] if grid is None else ["--grid", grid_name(grid)]
    return list(map(str, words))


def _write(path, flm, L, grid):
    import spherekit

    if grid is None:
        output.write_coefficients(path, [Component(flm, 0, ("TEMPERATURE",), "uK")], L)
        return
    f = spherekit.inverse(flm, L, sampling=grid, reality=True, threads=1)
    output.write_map(path, [Component(f, 0, ("TEMPERATURE",), "uK")], grid)
