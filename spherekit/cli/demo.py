"""From a real sky map to its coefficients, spectrum and pictures; no download.

The WMAP 7-year W-band map (nside 32, in the package) is analysed to degree 64, synthesised again
on two grids, and its clean part compared with the Planck 2018 best fit. All results land in one
folder; running the demo again replaces them.
"""

import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from spherekit.cli import options

L = 65
LOOK = dict(unit="uK", vmin=-250, vmax=250)
CAPTION = (  # the losses are those of the mean over a pixel of nside 32
    "{C} is not corrected for the pixels of nside 32 (-4 % at {l} = 20, -14 % at 40, -32 % at 64),",
    "for the beam, nor for the noise, which adds power at high {l}.",
)


def arguments(parser):
    parser.add_argument("-o", "--output", default="spherekit-demo", help="folder for the results")
    parser.add_argument("--threads", type=int, help="threads; default: the CPUs of this process")


def run(args):
    from spherekit import datasets

    folder = Path(args.output)
    folder.mkdir(parents=True, exist_ok=True)
    began = time.perf_counter()
    sky, mask = 1e3 * datasets.wmap_w().astype(float), datasets.wmap_mask()
    with _step("1. Analyse the WMAP 7-year W-band map"):
        flm = _analyse(folder / "alm.fits", sky, args.threads)
    with _step("2. Synthesise it again, on two grids"):
        pixels = _synthesise(folder, flm, args.threads)
    with _step("3. Power spectrum of the clean sky"):
        cl, theory, f_sky = _spectrum(folder / "cl.fits", sky, mask, args.threads)
    with _step("4. Draw"):
        _maps(folder / "map.png", flm, sky, pixels, mask, args.threads)
        _curves(folder / "spectrum.png", cl, theory, f_sky)
    print(f"\nDone in {time.perf_counter() - began:.1f} s, compilation included. In {folder}/:")
    print(f"   alm.fits      coefficients below degree {L}, uK")
    print(f"   map_mw.npz    the map of these degrees on the grid mw:{L}, exact")
    print("   map.fits      the same on HEALPix nside 32")
    print("   cl.fits       C_l / f_sky of the clean sky, uK^2")
    print("   map.png       pictures of the maps\n   spectrum.png  picture of the spectrum")


@contextmanager
def _step(title):
    print(title, flush=True)
    started = time.perf_counter()
    yield
    print(f"   ({time.perf_counter() - started:.1f} s)", flush=True)


def _say(*lines):
    for line in lines:
        print(f"   {line}")


def _analyse(path, sky, threads):
    from spherekit import io

    how = dict(sampling="healpix:32", reality=True, threads=threads)
    flm, residual = options.fit(sky, L, **how)
    io.write_alm(path, flm, unit="uK", overwrite=True)
    _say(
        f"HEALPix nside 32, {sky.size} pixels, rms {sky.std():.0f} uK, Galaxy included",
        f"least squares for the degrees below {L} ({L * L} unknowns): "
        f"{residual.iterations} iterations",
        f"residual {100 * residual.relative:.1f} % of the rms: the noise and the sharp Galactic "
        f"plane, which degrees below {L} cannot hold",
    )
    return flm


def _synthesise(folder, flm, threads):
    import spherekit
    from spherekit import io
    from spherekit.sampling import MW

    how = dict(reality=True, threads=threads)
    f = spherekit.inverse(flm, L, sampling=MW(L), **how)
    back = spherekit.forward(f, L, sampling=MW(L), **how)
    options.write_samples(folder / "map_mw.npz", f, MW(L), unit="uK")
    pixels = spherekit.inverse(flm, L, sampling="healpix:32", **how)
    io.write_map(folder / "map.fits", pixels, unit="uK", coordsys="G", overwrite=True)
    error = np.abs(back - flm).max() / np.abs(flm).max()
    _say(
        f"McEwen-Wiaux grid, {f.shape[0]} x {f.shape[1]} samples, a sampling theorem:",
        f"forward(inverse(flm)) equals flm to {error:.0e} of its largest entry",
        "HEALPix nside 32, no theorem: that is why step 1 fits and tells its residual",
    )
    return pixels


def _spectrum(path, sky, mask, threads):
    from spherekit import datasets, io
    from spherekit.cli.spectrum import measure, remove_low
    from spherekit.sampling import HEALPix

    weights = mask.astype(float)
    sky, removed = remove_low(sky, HEALPix(32), weights, dipole=True)
    spectra, f_sky, said = measure(sky, HEALPix(32), L, weights, threads=threads)
    io.write_cl(path, spectra, unit="uK^2", overwrite=True)
    cl, theory = spectra["TEMPERATURE"], datasets.planck2018_cl(L)["TT"]
    ratio = np.sum(cl[10:40]) / np.sum(theory[10:40])
    _say(
        f"{removed} uK",
        said,
        f"sum of C_l, l = 10..39: {ratio:.2f} of the Planck 2018 best fit",
        *(line.format(C="C_l", l="l") for line in CAPTION),
    )
    return cl, theory, f_sky


def _maps(path, flm, sky, pixels, mask, threads):
    """Data, band-limited map, their difference, and the sky behind the spectrum."""
    import spherekit
    from spherekit import plot

    fine = spherekit.inverse(flm, L, sampling="mw:256", reality=True, threads=threads)
    fitted = f"its degrees 0 to {L - 1}, which ring around the bright Galaxy"
    made = options.figure(12, 7.6)
    ax = made.subplots(2, 2).ravel()
    plot.show(sky, "healpix:32", ax=ax[0], title="WMAP 7-year W band", **LOOK)
    plot.show(fine, "mw:256", ax=ax[1], title=fitted, **LOOK)
    rest = f"what degrees 0 to {L - 1} cannot hold"
    plot.show(sky - pixels, "healpix:32", ax=ax[2], title=rest, **LOOK)
    clean = np.where(mask, sky, np.nan)
    plot.show(clean, "healpix:32", ax=ax[3], title="the clean sky behind the spectrum", **LOOK)
    options.save(made, path)


def _curves(path, cl, theory, f_sky):
    from spherekit import plot

    made = options.figure(7.4, 4.9)
    ax = plot.spectrum(
        cl,
        ax=made.add_subplot(),
        theory=theory,
        f_sky=f_sky,
        label=r"WMAP W band, $C_\ell / f_{sky}$",
        theory_label="Planck 2018 best fit",
        unit="uK^2",
        title="Temperature spectrum of the clean sky",
    )
    ax.set_xlim(0, L)
    caption = "\n".join(("Monopole and dipole removed.", *CAPTION))
    caption = caption.format(C=r"$C_\ell$", l=r"$\ell$").replace("-", "\N{MINUS SIGN}")
    made.supxlabel(caption, fontsize="x-small", color="0.35")
    options.save(made, path)
