"""From a real sky map to its coefficients, spectrum, wavelets and scattering; no download.

The WMAP 7-year W-band map (nside 32, in the package) is analysed to degree 64, synthesised again
on two grids, and the spectrum of its clean part compared with the Planck 2018 best fit. The map is
decomposed into wavelets, and its scattering coefficients, whole and of the clean part, are set beside
those of Gaussian maps of the same spectrum. At last a small network learns to tell simulated skies that
are not Gaussian from those that are. All results land in one folder; running the demo again replaces them.
"""

import time
from contextlib import contextmanager

import numpy as np

from spherekit.cli import analysis, options, output
from spherekit.cli.stokes import Component

L = 65
J0 = 2  # lowest scale of the wavelets: the scaling function takes the degrees below 4
_COLUMNS = ("TEMPERATURE",)
TRAINING = "cmb-gaussianity-small"
CAPTION = (  # the losses are those of the mean over a pixel of nside 32
    "{C} is not corrected for the pixels of nside 32 (-4 % at {l} = 20, -14 % at 40, -32 % at 64),",
    "for the beam, nor for the noise, which adds power at high {l}.",
)


def arguments(parser):
    parser.add_argument("-o", "--output", default="spherekit-demo", help="folder for the results")
    parser.add_argument("--threads", type=int, help="threads; default: the CPUs of this process")


def run(args):
    from spherekit import datasets
    from spherekit.cli import wavelets
    from spherekit.cli.demo import pictures

    folder = options.folder(args.output)
    began = time.perf_counter()
    sky, mask = 1e3 * datasets.wmap_w().astype(float), datasets.wmap_mask()
    with _step("1. Analyse the WMAP 7-year W-band map"):
        flm = _analyse(folder / "alm.fits", sky, args.threads)
    with _step("2. Synthesise it again, on two grids"):
        pixels = _synthesise(folder, flm, args.threads)
    with _step("3. Power spectrum of the clean sky"):
        cl, theory, f_sky = _spectrum(folder / "cl.fits", sky, mask, args.threads)
    with _step("4. Decompose it into wavelets, scale by scale"):
        decomposed = _decompose(flm, args.threads)
    with _step("5. Scattering coefficients, beside those of Gaussian maps of the same spectrum"):
        S, compared = _scatter(flm, sky, mask, args.threads)
    with _step("6. Draw"):
        pictures.maps(folder / "map.png", flm, L, sky, pixels, mask, args.threads)
        pictures.spectrum(folder / "spectrum.png", cl, theory, f_sky, CAPTION)
        output.save(wavelets.panel(*decomposed, "uK"), folder / "wavelets.png")
        pictures.scattering(folder / "scattering.png", S, compared)
    with _step(
        "7. Simulate skies of Planck's spectrum, Gaussian and not, and train a network to classify them"
    ):
        _classify(folder, args.threads)
    print(f"\nDone in {time.perf_counter() - began:.1f} s, compilation included. In {folder}/:")
    print(f"   alm.fits        coefficients below degree {L}, uK")
    print(f"   map_mw.npz      the map of these degrees on the grid mw:{L}, exact")
    print("   map.fits        the same on HEALPix nside 32")
    print("   cl.fits         C_l / f_sky of the clean sky, uK^2")
    print("   map.png         pictures of the maps")
    print("   spectrum.png    picture of the spectrum")
    print("   wavelets.png    the map, scale by scale")
    print("   scattering.png  scattering coefficients, of the sky and of Gaussian maps")
    print("   skies.png       one sky of each kind, and the accuracy of each method")
    print("   model.npz       the network, for spherekit predict")
    print("The last step at L = 256: spherekit train cmb-gaussianity")


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
    flags = dict(sampling="healpix:32", reality=True, threads=threads)
    flm, residual = analysis.fit(sky, L, **flags)
    output.write_coefficients(path, [Component(flm, 0, _COLUMNS, "uK")], L, "galactic")
    _say(
        f"HEALPix nside 32, {sky.size} pixels, rms {sky.std():.0f} uK, Galaxy included",
        f"least squares for the degrees below {L} ({L * L} unknowns): "
        f"{residual.iterations} iterations",
        f"residual {100 * residual.relative:.1f} % of this rms: the noise and the sharp Galactic "
        f"plane, which degrees below {L} cannot hold",
    )
    return flm


def _synthesise(folder, flm, threads):
    import spherekit
    from spherekit.sampling import MW, HEALPix

    flags = dict(reality=True, threads=threads)
    f = spherekit.inverse(flm, L, sampling=MW(L), **flags)
    recovered = spherekit.forward(f, L, sampling=MW(L), **flags)
    pixels = spherekit.inverse(flm, L, sampling="healpix:32", **flags)
    for name, values, grid in (("map_mw.npz", f, MW(L)), ("map.fits", pixels, HEALPix(32))):
        component = Component(values, 0, _COLUMNS, "uK")
        output.write_map(folder / name, [component], grid, "galactic")
    error = np.abs(recovered - flm).max() / np.abs(flm).max()
    _say(
        f"McEwen-Wiaux grid, {f.shape[0]} x {f.shape[1]} samples, a sampling theorem:",
        f"forward(inverse(flm)) equals flm to {error:.0e} of its largest entry",
        "HEALPix nside 32, no theorem: that is why step 1 fits and reports its residual",
    )
    return pixels


def _spectrum(path, sky, mask, threads):
    from spherekit import datasets
    from spherekit.cli.spectrum import harmonics, remove_low
    from spherekit.sampling import HEALPix
    from spherekit.spectra import power

    weights = mask.astype(float)
    sky, removed = remove_low(sky, HEALPix(32), weights, dipole=True)
    flm, f_sky, method = harmonics(sky, HEALPix(32), L, weights, threads=threads)
    cl, theory = power(flm) / f_sky, datasets.planck2018_cl(L)["TT"]
    name = _COLUMNS[0]
    output.write_spectra(path, {name: cl}, {name: "uK^2"}, "galactic")
    ratio = np.sum(cl[10:40]) / np.sum(theory[10:40])
    _say(
        f"{removed} uK",
        method,
        f"sum of C_l, l = 10..39: {ratio:.2f} of the Planck 2018 best fit",
        *(line.format(C="C_l", l="l") for line in CAPTION),
    )
    return cl, theory, f_sky


def _decompose(flm, threads):
    """(Wavelets, scaling map, maps of the scales) of the map."""
    from spherekit.wavelets import Wavelets

    w = Wavelets(L, J0=J0, reality=True, threads=threads)
    scaling, maps = w.analysis_flm(flm)
    error = np.abs(w.synthesis_flm(scaling, maps) - flm).max() / np.abs(flm).max()
    share = w.energies(flm) / np.sum(np.abs(flm) ** 2)
    degrees = [(0, w.scaling_limit - 1), *w.bands.values()]
    _say(
        "share of the map's energy, by degrees; neighbours overlap, and the sum is 1:",
        ", ".join(f"{a}-{b}: {x:.1%}" for (a, b), x in zip(degrees, share, strict=True)),
        f"synthesis(analysis(flm)) equals flm to {error:.0e} of its largest entry",
    )
    return w, scaling, maps


def _scatter(flm, sky, mask, threads):
    """The network, and a `Comparison` of the whole map and of its clean part."""
    from spherekit.cli.demo.scattering import COUNT, L_PIXELS, clean_sky, whole_map
    from spherekit.scattering import Scattering

    S = Scattering(L, J0=J0, depth=2, reality=True, threads=threads)
    rng = np.random.default_rng(0)
    comparisons = whole_map(S, flm, rng), clean_sky(S, sky, mask, rng)
    _say(
        f"{COUNT} Gaussian maps beside each; those beside the clean sky have its C_l / f_sky up to "
        f"l = {L_PIXELS - 1}, and its mask",
        "order 1: mean modulus of a scale over its rms, low where few places hold the energy",
        "order 2: mean of the second modulus over that of the first, high where the first varies",
    )
    for comparison in comparisons:
        off = comparison.deviations()
        bands = [S.first.bands[j] for j in comparison.paths[off.argmax()].scales]
        most = ", then ".join(f"{low}-{high}" for low, high in bands)
        _say(
            f"{comparison.title}: {np.sum(off > 3)} of {off.size} paths lie more than 3 standard "
            "deviations from the Gaussian mean,",
            f"   the farthest {off.max():.1f} (degrees {most})",
        )
    _say("so by these coefficients it is the Galaxy that sets the map apart from a Gaussian one")
    return S, comparisons


def _classify(folder, threads):
    from spherekit import experiments
    from spherekit.cli.demo import gaussianity
    from spherekit.experiments.gaussianity.experiment import report

    experiment, config = experiments.read(TRAINING)
    data = config.values["data"]
    n, each = sum(data[name] for name in ("train", "validation", "test")), data["train"]
    _say(
        f"{n} skies of each kind, degrees below {data['L']}: Gaussian ones, and ones of caps with sharp "
        "edges",
        f"their spectra are drawn alike, so that no function of C_l tells them apart; {each} of each to "
        "learn from",
    )
    gathered, networks, controls, trained = gaussianity.compare(config, threads)
    _say(*report(gathered, networks, controls))
    L0 = trained.training.net.in_type.L
    _say(
        f"the network sees degrees below {L0}: scattering brings there what edges do at all scales"
    )
    experiments.save(folder / "model.npz", experiment, trained)
    gaussianity.picture(folder / "skies.png", config, gathered, networks, controls)
