"""From a real sky map to its coefficients, spectrum and picture; needs no download.

The WMAP 7-year W-band map (nside 32) is analysed to degree 64, compared with the Planck 2018 best fit on
the clean part of the sky, and synthesised again. Everything lands in one folder.
"""

import time
from pathlib import Path

import numpy as np

from spherekit.cli import options

L = 65


def arguments(parser):
    parser.add_argument("-o", "--output", default="spherekit-demo", help="folder for the results")
    parser.add_argument("--threads", type=int)


def run(args):
    options.headless()
    folder = Path(args.output)
    folder.mkdir(parents=True, exist_ok=True)
    began = time.perf_counter()
    for title, step in (
        ("analyse the map", _analyse),
        ("spectrum of the clean sky", _spectrum),
        ("synthesise on two grids", _synthesise),
        ("draw", _draw),
    ):
        started = time.perf_counter()
        print(f"{title} ...", flush=True)
        for line in step(folder, args.threads):
            print(f"    {line}")
        print(f"    {time.perf_counter() - started:.1f} s")
    print(f"done in {time.perf_counter() - began:.1f} s; {folder}/ holds")
    print("    " + ", ".join(sorted(path.name for path in folder.iterdir())))


def _analyse(folder, threads):
    import spherekit
    from spherekit import datasets, io

    f = datasets.wmap_w().astype(float)
    flm, residual = spherekit.analyse(f, L, sampling="healpix:32", reality=True, threads=threads)
    io.write_alm(folder / "alm.fits", flm, overwrite=True)
    yield f"WMAP 7-year W band, nside 32, {f.size} pixels, rms {f.std():.4f} mK"
    yield (
        f"least squares to L = {L}: {residual.iterations} iterations, residual {residual.relative:.2%} "
        "of the map's rms (what degrees < L cannot hold)"
    )


def _spectrum(folder, threads):
    from spherekit import datasets, io
    from spherekit.cli.spectrum import masked_spectrum
    from spherekit.sampling import HEALPix

    f, mask = datasets.wmap_w().astype(float), datasets.wmap_mask().astype(float)
    f = f - np.sum(f * mask) / mask.sum()
    cl, f_sky = masked_spectrum(1e3 * f, HEALPix(32), L, mask, threads)
    io.write_cl(folder / "cl.fits", cl, unit="uK^2", overwrite=True)
    theory = datasets.planck2018_cl(L)["TT"]
    band = slice(10, 40)
    ratio = np.sum(cl[band]) / np.sum(theory[band])
    yield f"mask keeps f_sky = {f_sky:.3f}; mean of the kept sky removed; C_l / f_sky"
    yield f"sum of C_l over l = 10..39: {ratio:.3f} of the Planck 2018 best fit"


def _synthesise(folder, threads):
    import spherekit
    from spherekit import io

    flm = io.read_alm(folder / "alm.fits")
    options_ = dict(reality=True, threads=threads)
    on_mw = spherekit.inverse(flm, L, sampling="mw", **options_)
    back = spherekit.forward(on_mw, L, sampling="mw", **options_)
    np.savez(folder / "map_mw.npz", values=on_mw, grid=f"mw:{L}")
    smooth = spherekit.inverse(flm, L, sampling="healpix:32", **options_)
    io.write_map(folder / "map.fits", smooth, unit="mK", coordsys="G", overwrite=True)
    yield (
        f"MW grid {on_mw.shape}: there and back changes no coefficient by more than "
        f"{np.abs(back - flm).max() / np.abs(flm).max():.1e} of the largest"
    )


def _draw(folder, threads):
    import matplotlib.pyplot as plt

    from spherekit import datasets, io, plot

    f = 1e3 * datasets.wmap_w().astype(float)
    smooth = 1e3 * io.read_map(folder / "map.fits").values
    figure, axes = plt.subplots(3, 1, figsize=(7, 12.5), layout="constrained")
    panels = (
        (f, "WMAP W band, 7 years", 250),
        (smooth, f"degrees 0..{L - 1}", 250),
        (f - smooth, "what is left: noise, and ringing at the bright plane", 50),
    )
    for ax, (values, title, top) in zip(axes, panels, strict=True):
        look = dict(title=title, unit="uK", vmin=-top, vmax=top, cmap="RdBu_r")
        plot.show(values, "healpix:32", ax=ax, **look)
    options.save_figure(axes[0], folder / "map.png")
    cl = io.read_cl(folder / "cl.fits")["TEMPERATURE"]
    theory = datasets.planck2018_cl(L)["TT"]
    ax = plot.spectrum(
        cl,
        theory=theory,
        f_sky=float(datasets.wmap_mask().mean()),
        label="WMAP W, clean sky",
        theory_label="Planck 2018 best fit",
        unit="uK",
    )
    options.save_figure(ax, folder / "spectrum.png")
    yield "map.png, spectrum.png"
