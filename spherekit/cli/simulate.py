"""Simulate skies of one spectrum, half of them Gaussian and half not.

"cmb": the Planck 2018 temperature spectrum, in uK. In both classes the realised C_l of every sky are those of
an independent Gaussian draw, so that no function of them tells the classes apart. The folder gets a file for
each sky, coefficients that healpy.read_alm reads or with --grid maps, and skies.csv, which names file, class,
recipe, strength, seed and index of the --n skies. A run that was stopped goes on; a larger --n adds skies.
"""

import math
import shutil
from concurrent.futures import ThreadPoolExecutor

from spherekit.cli import options, output
from spherekit.cli.analysis import grid_name
from spherekit.cli.stokes import Component

RECIPES = ("strings", "oscillator", "modulated", "gaussian")
_COLUMNS = "file", "class", "recipe", "strength", "seed", "index"
_TABLE = "skies.csv"


def arguments(parser):
    parser.add_argument("what", choices=("cmb",), metavar="cmb", help="temperature, Planck 2018")
    options.band_limit(parser)
    parser.add_argument(
        "--n",
        type=int,
        required=True,
        help="skies in all: n/2 of each class, one more Gaussian if odd",
    )
    parser.add_argument(
        "--recipe",
        choices=RECIPES,
        default="strings",
        help="of the skies that are not Gaussian; strings: caps with sharp edges, oscillator: white noise "
        "that is skew, modulated: small scales stronger here than there; gaussian: none",
    )
    parser.add_argument(
        "--strength",
        type=float,
        help="default, at which scattering classifies about 95 %% of the skies correctly (L = 256): strings, "
        "s of 0..1, 0.13 (1024/L)^0.54 (0.27 at L = 256); oscillator, alpha_3 of 0..1, "
        "0.09 (1024/L)^0.576, at most 0.3; modulated, s from 0, 0.03 (256/L)",
    )
    parser.add_argument("--seed", type=int, default=0, help="of all skies; default 0")
    parser.add_argument(
        "-o", "--output", required=True, metavar="FOLDER", help="created if missing"
    )
    parser.add_argument("--grid", help="write maps: healpix:128 to .fits, others as mw:256 to .npz")
    parser.add_argument(
        "--threads", type=int, help="skies at work at once; default: the CPUs of this process"
    )


def run(args):
    from spherekit._core.parallel import thread_count
    from spherekit.experiments import blocks
    from spherekit.experiments.gaussianity import skies

    L, grid = _checked(args)
    default = args.strength is None
    strength = skies.default_strength(args.recipe, L) if default else args.strength
    strength = skies.check_strength(args.recipe, strength)
    others = 0 if args.recipe == "gaussian" else args.n // 2
    suffix = ".npz" if grid is not None and grid.name != "healpix" else ".fits"
    named = [("gaussian", "gaussian", 0.0, i) for i in range(args.n - others)]
    named += [("non-gaussian", args.recipe, strength, i) for i in range(others)]
    rows = [(f"{r}-{i:05d}{suffix}", kind, r, s, args.seed, i) for kind, r, s, i in named]
    folder, threads = options.folder(args.output), thread_count(args.threads)
    manifest = dict(L=L, recipe=args.recipe, strength=strength, seed=args.seed, grid=args.grid)
    blocks.open_folder(folder, manifest)
    missing = [row for row in rows if not (folder / row[0]).exists()]
    _fits_disk(folder, len(missing), L, grid)
    _write(folder, missing, L, grid, threads)
    output.write_table(folder / _TABLE, _COLUMNS, rows)
    present = f", {len(rows) - len(missing)} of them were there" if len(missing) < len(rows) else ""
    what = "alm" if grid is None else grid_name(grid)
    print(
        f"wrote {folder}: {len(rows)} skies, {what}, L = {L} (lmax {L - 1}), seed {args.seed}{present}"
    )
    if others:
        chosen = f"{others} {args.recipe} of strength {strength:g}{' (default)' * default}"
        print(f"   {len(rows) - others} gaussian, {chosen}")


def _checked(args):
    """The band-limit and the grid; refuses what makes no sense."""
    from spherekit.sampling import grid as as_grid

    L = options.band_limit_option(args)
    if not 3 <= L <= 3000:
        raise options.Usage(
            f"--L is {L}; the spectrum is known for degrees of 2 to 2999: L = 3..3000"
        )
    if args.n < 1 or (args.n < 2 and args.recipe != "gaussian"):
        raise options.Usage(f"--n is {args.n}; two classes need 2 skies at least")
    if args.seed < 0:
        raise options.Usage("--seed is a number from 0 on")
    if args.recipe == "gaussian" and args.strength:
        raise options.Usage("--strength is of skies that are not Gaussian; name their --recipe")
    if args.grid is None:
        return L, None
    grid = as_grid(args.grid, L)
    if grid.name == "healpix" and L > 3 * grid.nside:
        raise options.Usage(
            f"--L {L} is beyond 3 nside = {3 * grid.nside}: these pixels do not hold the highest degrees; "
            f"take --grid healpix:{1 << max(0, (-(-L // 2) - 1).bit_length())}"
        )
    if grid.L is not None and grid.L < L:
        raise options.Usage(
            f"--grid {args.grid} samples degrees < {grid.L}; --L {L} needs {grid.name}:{L}"
        )
    return L, grid


def _fits_disk(folder, count, L, grid):
    size = 20 * L * (L + 1) // 2 if grid is None else 8 * math.prod(grid.shape)
    needed = count * size
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise OSError(
            f"{count} skies take {needed / 1e9:.1f} GB; {folder} has {free / 1e9:.1f} GB left: fewer --n, a "
            "lower --L, or another folder"
        )


def _write(folder, rows, L, grid, threads):
    """Simulate and write; each sky by one thread, with a bar on standard error."""
    from tqdm import tqdm

    from spherekit.experiments.gaussianity import skies

    def simulate(row):
        name, _, recipe, strength, seed, index = row
        flm = skies.sky(recipe, L, index, strength=strength, seed=seed, threads=1)
        _store(folder / name, flm, L, grid)

    with (
        ThreadPoolExecutor(threads) as pool,
        tqdm(desc="skies", total=len(rows), leave=False, disable=None) as bar,
    ):
        futures = [pool.submit(simulate, row) for row in rows]
        try:
            for future in futures:
                future.result()
                bar.update()
        finally:
            pool.shutdown(cancel_futures=True)


def _store(path, flm, L, grid):
    import spherekit

    if grid is None:
        output.write_coefficients(path, [Component(flm, 0, ("TEMPERATURE",), "uK")], L)
        return
    f = spherekit.inverse(flm, L, sampling=grid, reality=True, threads=1)
    output.write_map(path, [Component(f, 0, ("TEMPERATURE",), "uK")], grid)
